package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of one fetch of a key set.
const (
	maxURLBytes  = 2048
	headerWait   = 3 * time.Second // from the start to the answer's header
	fetchWait    = 5 * time.Second // in all
	maxETagBytes = 1024            // a longer one is not worth keeping
)

// CheckURL says what is wrong with the form of a key set URL: it must be an
// absolute http or https URL with a host, without user name, password or
// fragment, of at most 2048 bytes. Nothing is looked up. Whether http is allowed
// depends on the host and is decided when it is connected to.
func CheckURL(raw string) error {
	if len(raw) > maxURLBytes {
		return fmt.Errorf("the URL has %d bytes, %d are allowed", len(raw), maxURLBytes)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("the URL does not parse") // url.Error would quote all of it
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("the URL must begin with https:// or http://")
	case u.Opaque != "" || u.Hostname() == "":
		return errors.New("the URL has no host")
	case u.User != nil:
		return errors.New("the URL must not have a user name or password")
	case strings.Contains(raw, "#"):
		return errors.New("the URL must not have a fragment")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("the URL's port is not a number from 1 to 65535")
		}
	}
	return nil
}

// fetcher asks what projects point at.
type fetcher struct {
	client             *http.Client
	headerWait, inFull time.Duration
}

// answer is what an issuer said.
type answer struct {
	notModified bool // 304: what it said before still holds
	body        []byte
	etag        string        // "" if none
	maxAge      time.Duration // less Age; negative if the answer does not say
}

// fetch asks once for a key set. Errors are sentences for the operator.
func (f fetcher) fetch(ctx context.Context, rawURL, etag string) (answer, error) {
	header := http.Header{"Accept": {"application/jwk-set+json, application/json"}}
	if etag != "" {
		header.Set("If-None-Match", etag)
	}
	var a answer
	err := f.get(ctx, rawURL, header, func(response *http.Response) (err error) {
		if err := checkAnswer(response, etag != ""); err != nil {
			return err
		}
		a = answer{
			notModified: response.StatusCode == http.StatusNotModified,
			etag:        response.Header.Get("ETag"),
			maxAge:      maxAge(response.Header),
		}
		if len(a.etag) > maxETagBytes {
			a.etag = ""
		}
		if !a.notModified {
			a.body, err = readUpTo(response.Body, maxKeySetBytes)
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return a, nil
}

// get asks once; see do.
func (f fetcher) get(ctx context.Context, rawURL string, header http.Header, read func(*http.Response) error) error {
	return f.do(ctx, http.MethodGet, rawURL, header, http.NoBody, read)
}

// do makes one request, in the time that f has, and lets read see the answer.
// Errors are sentences for the operator, without the URL.
func (f fetcher) do(ctx context.Context, method, rawURL string, header http.Header, body io.Reader, read func(*http.Response) error) error {
	if err := CheckURL(rawURL); err != nil {
		return err
	}
	tooLong := fmt.Errorf("no complete answer within %s", span(f.inFull))
	ctx, cancelAll := context.WithTimeoutCause(ctx, f.inFull, tooLong)
	defer cancelAll()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// From the very start, so that resolving, connecting and TLS count as well.
	noHeader := time.AfterFunc(f.headerWait, func() {
		cancel(fmt.Errorf("no answer within %s", span(f.headerWait)))
	})
	defer noHeader.Stop()

	request, err := http.NewRequestWithContext(ctx, method, rawURL, body)
	if err != nil {
		return errors.New("the URL does not parse")
	}
	request.Header = header
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "countersign")
	response, err := f.client.Do(request)
	if err != nil {
		return because(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	noHeader.Stop()
	if err := read(response); err != nil {
		return because(ctx, err)
	}
	return nil
}

// readUpTo reads a body of at most limit bytes: one more, to tell a full one
// from one that was cut off.
func readUpTo(body io.Reader, limit int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return text, err
}

// checkAnswer refuses every answer but 200 and, if we have a set already, 304.
func checkAnswer(response *http.Response, conditional bool) error {
	switch code := response.StatusCode; {
	case code == http.StatusOK, code == http.StatusNotModified && conditional:
	case code >= 300 && code < 400 && response.Header.Get("Location") != "":
		return fmt.Errorf("the answer is %d, a redirect to %s, which is not followed; if that is where the keys are, make it the jwks_url", code, quote(response.Header.Get("Location")))
	default:
		return fmt.Errorf("the answer is %d, not 200", code)
	}
	return checkEncoding(response)
}

// checkEncoding refuses an answer that nobody asked to be compressed.
func checkEncoding(response *http.Response) error {
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fmt.Errorf("the answer is compressed (%s) though the request says identity", quote(encoding))
	}
	return nil
}

// because is err as an operator wants it: without the URL, which is known, and
// with the time limit that was hit where there was one.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// maxAge is how much longer an answer is fresh by its own account (RFC 9111
// §4.2, §5.2.2.1): max-age less the Age that it gathered in caches on the way,
// zero for no-store and no-cache, negative if it says none of these.
func maxAge(header http.Header) time.Duration {
	const most = 365 * 24 * 60 * 60 // seconds; more is the same to us
	found := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err == nil && found < 0 {
				found = time.Duration(min(seconds, most)) * time.Second
			}
		}
	}
	if age, err := strconv.ParseUint(header.Get("Age"), 10, 31); err == nil && found > 0 {
		found = max(0, found-time.Duration(min(age, most))*time.Second)
	}
	return found
}
