package trust_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

func TestFetchRefuses(t *testing.T) {
	t.Parallel()
	const never = time.Minute // the limits are of wall time: only those that a row is about are short
	for _, row := range []struct {
		mode           issuertest.Mode
		header, inFull time.Duration
		want           string
	}{
		{issuertest.Down, never, never, "the answer is 500, not 200"},
		{issuertest.Redirect, never, never, `the answer is 302, a redirect to "/elsewhere", which is not followed; if that is where the keys are, make it the jwks_url`},
		{issuertest.HugeBody, never, never, "the answer has more than 262144 bytes"},
		{issuertest.NotJSON, never, never, "read key set: not a JSON object"},
		{issuertest.WrongShape, never, never, "read key set: not a JSON object"},
		{issuertest.GzipBomb, never, never, `the answer is compressed ("gzip") though the request says identity`},
		{issuertest.SlowHeaders, 50 * time.Millisecond, never, "no answer within 50 ms"},
		{issuertest.Hang, 50 * time.Millisecond, never, "no answer within 50 ms"},
		{issuertest.Hang, never, 50 * time.Millisecond, "no complete answer within 50 ms"},
		{issuertest.SlowBody, never, 500 * time.Millisecond, "no complete answer within 500 ms"},
	} {
		t.Run(row.want, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.issuer.SetETag(false)
			r.issuer.Misbehave(row.mode)
			r.sources.SetWaits(row.header, row.inFull)
			refusal := r.mustRefuse(r.kid, trust.KeysUnavailable)
			if refusal.Cause == nil || refusal.Cause.Error() != row.want {
				t.Errorf("cause %v, want %s", refusal.Cause, row.want)
			}
			if h := r.health(); h.State != trust.StateNeverFetched || h.LastError == nil || h.LastError.Error() != row.want {
				t.Errorf("health %+v, want last error %s", h, row.want)
			}
			r.sources.Settle()

			// What fails later leaves the good set alone.
			r.issuer.Misbehave(issuertest.WellBehaved)
			r.clock.Advance(5 * time.Second)
			r.sources.SetWaits(never, never)
			r.mustHave(r.kid)
			r.sources.Settle()
			r.issuer.Misbehave(row.mode)
			r.sources.SetWaits(row.header, row.inFull)
			r.clock.Advance(15 * time.Minute)
			r.mustHave(r.kid)
			r.sources.Settle()
			r.mustBe(trust.StateStale)
			r.mustHave(r.kid)
		})
	}
}

// What a request looks like, and answers that no mode of the issuer gives.
func TestFetchAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		fresh  time.Duration // 0: refused
		want   string
	}{
		{"plain", 200, nil, `{"keys":[]}`, 15 * time.Minute, ""},
		{"text", 200, map[string]string{"Content-Type": "text/plain"}, `{"keys":[]}`, 15 * time.Minute, ""},
		{"identity", 200, map[string]string{"Content-Encoding": "identity"}, `{"keys":[]}`, 15 * time.Minute, ""},
		{"age", 200, map[string]string{"Cache-Control": "public, Max-Age=3600", "Age": "1200"}, `{"keys":[]}`, 40 * time.Minute, ""},
		{"old", 200, map[string]string{"Cache-Control": "max-age=3600", "Age": "99999999"}, `{"keys":[]}`, 5 * time.Minute, ""},
		{"no-store", 200, map[string]string{"Cache-Control": "no-store, max-age=3600"}, `{"keys":[]}`, 5 * time.Minute, ""},
		{"nonsense", 200, map[string]string{"Cache-Control": "max-age=-1, max-age=soon"}, `{"keys":[]}`, 15 * time.Minute, ""},
		{"first of two", 200, map[string]string{"Cache-Control": `max-age="1800", max-age=7200`}, `{"keys":[]}`, 30 * time.Minute, ""},
		{"overflow", 200, map[string]string{"Cache-Control": "max-age=2147483647"}, `{"keys":[]}`, 24 * time.Hour, ""},
		{"full", 200, nil, `{"keys":[]}` + strings.Repeat(" ", 256<<10-11), 15 * time.Minute, ""},
		{"too full", 200, nil, `{"keys":[]}` + strings.Repeat(" ", 256<<10-10), 0, "the answer has more than 262144 bytes"},
		{"unasked 304", 304, nil, "", 0, "the answer is 304, not 200"},
		{"no content", 204, nil, "", 0, "the answer is 204, not 200"},
		{"empty", 200, nil, "", 0, "read key set: not a JSON object"},
		{"brotli", 200, map[string]string{"Content-Encoding": "br"}, `{"keys":[]}`, 0, `the answer is compressed ("br") though the request says identity`},
		{"no keys", 200, nil, `{"Keys":[]}`, 0, `read key set: no "keys" array`},
		{"twice", 200, nil, `{"keys":[],"keys":[]}`, 0, "read key set: a member occurs twice"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, name := range []string{"Cookie", "Authorization", "Referer", "If-None-Match"} {
				if r.Header.Get(name) != "" {
					t.Errorf("%s: request with %s", row.name, name)
				}
			}
			if got := r.Header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("%s: Accept-Encoding %q, want identity", row.name, got)
			}
			w.Header().Set("Set-Cookie", "a=b")
			for name, value := range row.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(row.status)
			_, _ = w.Write([]byte(row.body))
		}))
		r := newRig(t)
		r.set = r.sources.KeySet(r.env, server.URL+"/keys?tenant=a")
		if row.want != "" {
			if refusal := r.mustRefuse("a", trust.KeysUnavailable); refusal.Cause == nil || refusal.Cause.Error() != row.want {
				t.Errorf("%s: cause %v, want %s", row.name, refusal.Cause, row.want)
			}
		} else {
			r.mustRefuse("a", trust.KeyNotFound)
			if h := r.health(); h.FreshUntil.Sub(h.FetchedAt) != row.fresh {
				t.Errorf("%s: fresh for %s, want %s", row.name, h.FreshUntil.Sub(h.FetchedAt), row.fresh)
			}
		}
		r.sources.Settle()
		server.Close()
	}
}

func TestFetchOverTLS(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	secure := issuertest.New(t, issuertest.TLS())
	for _, trusted := range []bool{true, false} {
		cfg := trust.SourcesConfig{Now: r.clock.Now, AllowPrivate: []string{issuertest.Host}}
		if trusted {
			cfg.RootCAs = secure.CertPool()
		}
		sources, err := trust.NewSources(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r.sources, r.set = sources, sources.KeySet(r.env, secure.JWKSURL())
		if trusted {
			r.mustHave(secure.KeyID(""))
		} else if refusal := r.mustRefuse("", trust.KeysUnavailable); !strings.Contains(refusal.Cause.Error(), "certificate") {
			t.Errorf("cause %v, want one about the certificate", refusal.Cause)
		}
		sources.Settle()
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://issuer.example/keys":       "",
		"https://issuer.example":            "",
		"HTTP://issuer.example:8080/k?a=b":  "",
		"https://[2001:db8::1]:8443/keys":   "",
		"":                                  "the URL must begin with https:// or http://",
		"/keys":                             "the URL must begin with https:// or http://",
		"issuer.example/keys":               "the URL must begin with https:// or http://",
		"file:///etc/passwd":                "the URL must begin with https:// or http://",
		"ftp://issuer.example/keys":         "the URL must begin with https:// or http://",
		"https:issuer.example":              "the URL has no host",
		"https:///keys":                     "the URL has no host",
		"https://:443/keys":                 "the URL has no host",
		"https://a:b@issuer.example/keys":   "the URL must not have a user name or password",
		"https://@issuer.example/keys":      "the URL must not have a user name or password",
		"https://issuer.example/keys#a":     "the URL must not have a fragment",
		"https://issuer.example/keys#":      "the URL must not have a fragment",
		"https://issuer.example:0/keys":     "the URL's port is not a number from 1 to 65535",
		"https://issuer.example:65536/keys": "the URL's port is not a number from 1 to 65535",
		"https://issuer.example:/keys":      "the URL's port is not a number from 1 to 65535",
		"https://issuer.example/\x00":       "the URL does not parse",
		"https://issuer example/":           "the URL does not parse",
		"https://a.example/" + long(2030):   "",
		"https://a.example/" + long(2031):   "the URL has 2049 bytes, 2048 are allowed",
	} {
		got := ""
		if err := trust.CheckURL(raw); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("CheckURL(%q) = %q, want %q", raw, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }
