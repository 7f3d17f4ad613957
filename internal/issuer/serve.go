package issuer

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	keySetPath   = "/.well-known/jwks.json"
	metadataPath = "/.well-known/openid-configuration"
)

// Mode is how the key set is served.
type Mode int

// The modes. All but the first are how issuers fail.
const (
	WellBehaved Mode = iota
	Down             // 500
	SlowHeaders      // not a byte until Release
	SlowBody         // the header and half of the body, the rest after Release
	Hang             // not a byte, ever
	Redirect         // 302 to the key set under another path, which works
	HugeBody         // a good key set in more than 1 MiB
	NotJSON          // an HTML page with status 200
	WrongShape       // a JSON array of keys
	GzipBomb         // 16 MiB of spaces, compressed, asked for or not
)

// behaviour is what tests change about the serving.
type behaviour struct {
	mode        Mode
	maxAge      time.Duration // negative: no Cache-Control
	noETag      bool
	body        []byte // instead of the key set, if not nil
	requests    int
	notModified int
}

// Misbehave serves the key set in another way from the next request on.
func (i *Issuer) Misbehave(mode Mode) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.behave.mode = mode
}

// SetMaxAge sends Cache-Control: max-age; a negative one sends none, which is how
// an issuer begins.
func (i *Issuer) SetMaxAge(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.behave.maxAge = d
}

// SetETag says whether ETag is sent and If-None-Match obeyed; at first it is.
func (i *Issuer) SetETag(on bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.behave.noETag = !on
}

// SetBody serves body in place of the key set; nil goes back to that.
func (i *Issuer) SetBody(body []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.behave.body = body
}

// Requests counts the requests for the key set since the beginning.
func (i *Issuer) Requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.behave.requests
}

// NotModified counts the requests that were answered 304.
func (i *Issuer) NotModified() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.behave.notModified
}

// Arrived yields once for each request for the key set, when it has arrived and
// before it is answered.
func (i *Issuer) Arrived() <-chan struct{} { return i.arrived }

// Release lets the requests go on that SlowHeaders and SlowBody hold now.
func (i *Issuer) Release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	close(i.release)
	i.release = make(chan struct{})
}

// Close ends all requests that are held, now and later. It may be called once.
func (i *Issuer) Close() { close(i.closed) }

// ServeHTTP serves the key set and the metadata (OpenID Connect Discovery §4).
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case keySetPath:
		i.serveKeySet(w, r)
	case "/elsewhere": // where Redirect leads
		i.mu.Lock()
		set := i.keySet()
		i.mu.Unlock()
		writeJSON(w, set)
	case metadataPath:
		url := i.URL()
		writeJSON(w, map[string]any{
			"issuer":                                url,
			"jwks_uri":                              url + keySetPath,
			"authorization_endpoint":                url + "/authorize",
			"token_endpoint":                        url + "/token",
			"response_types_supported":              []string{"code"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{string(i.primary)},
		})
	default:
		http.NotFound(w, r)
	}
}

func (i *Issuer) serveKeySet(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.behave.requests++
	behave, set, release := i.behave, i.keySet(), i.release
	i.mu.Unlock()
	select {
	case i.arrived <- struct{}{}:
	default: // nobody counts that far
	}
	body := behave.body
	if body == nil {
		var err error
		if body, err = json.Marshal(set); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	switch behave.mode {
	case Down:
		http.Error(w, "down", http.StatusInternalServerError)
		return
	case Hang:
		i.hold(r, nil)
		return
	case SlowHeaders:
		i.hold(r, release)
	case Redirect:
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	case HugeBody:
		body = append(body, []byte(strings.Repeat(" ", 1<<20))...)
	case NotJSON:
		body = []byte("<!doctype html><title>Sign in</title>")
	case WrongShape:
		body = []byte(`[{"kty":"RSA"}]`)
	case GzipBomb:
		w.Header().Set("Content-Encoding", "gzip")
		bomb(w)
		return
	case WellBehaved, SlowBody:
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	if behave.maxAge >= 0 {
		w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(behave.maxAge.Seconds())))
	}
	if !behave.noETag {
		sum := sha256.Sum256(body)
		etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			i.mu.Lock()
			i.behave.notModified++
			i.mu.Unlock()
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if behave.mode == SlowBody {
		half := len(body) / 2
		_, _ = w.Write(body[:half])
		_ = http.NewResponseController(w).Flush()
		i.hold(r, release)
		body = body[half:]
	}
	_, _ = w.Write(body)
}

// hold waits for release, the client's leaving, or Close.
func (i *Issuer) hold(r *http.Request, release <-chan struct{}) {
	select {
	case <-release:
	case <-r.Context().Done():
	case <-i.closed:
	}
}

func bomb(w http.ResponseWriter) {
	z := gzip.NewWriter(w)
	defer func() { _ = z.Close() }()
	block := []byte(strings.Repeat(" ", 1<<20))
	for range 16 {
		if _, err := z.Write(block); err != nil {
			return // the client has left
		}
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
