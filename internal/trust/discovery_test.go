package trust_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

func newDiscovery(t testing.TB, allow ...string) *trust.Discovery {
	t.Helper()
	d, err := trust.NewDiscovery(trust.GuardConfig{AllowPrivate: allow})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// metadata serves bodies by path; $URL in them is the server's own. Anything else
// is 404.
func metadata(t testing.TB, bodies map[string]string) (url string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var paths []string
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.EscapedPath())
		mu.Unlock()
		body, ok := bodies[r.URL.EscapedPath()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(body, "$URL", server.URL)))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return paths
	}
}

const (
	openIDPath = "/.well-known/openid-configuration"
	oauthPath  = "/.well-known/oauth-authorization-server"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, issuer string // after the server's URL
		path, body   string
		asked        []string
		want         trust.Document // URLs after the server's URL
	}{
		{
			"openid", "", openIDPath, `{"issuer": "$URL", "jwks_uri": "$URL/keys", "id_token_signing_alg_values_supported": ["RS256", "HS256", "new"]}`,
			[]string{openIDPath},
			trust.Document{JWKSURL: "/keys", Algorithms: []string{"RS256", "HS256", "new"}},
		},
		{
			"a slash at the end", "/", openIDPath, `{"issuer": "$URL/", "jwks_uri": "$URL/keys"}`,
			[]string{openIDPath},
			trust.Document{Issuer: "/", JWKSURL: "/keys"},
		},
		{
			"below a path", "/realms/a%2Fb", "/realms/a%2Fb" + openIDPath, `{"issuer": "$URL/realms/a%2Fb"}`,
			[]string{"/realms/a%2Fb" + openIDPath},
			trust.Document{Issuer: "/realms/a%2Fb"},
		},
		{
			"an authorization server", "/tenant/", oauthPath + "/tenant", `{"issuer": "$URL/tenant/", "jwks_uri": "$URL/keys"}`,
			[]string{"/tenant" + openIDPath, oauthPath + "/tenant"},
			trust.Document{Issuer: "/tenant/", JWKSURL: "/keys"},
		},
		{
			"nothing supported", "", openIDPath, `{"issuer": "$URL", "id_token_signing_alg_values_supported": []}`,
			[]string{openIDPath},
			trust.Document{Algorithms: []string{}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url, asked := metadata(t, map[string]string{row.path: row.body})
			got, err := newDiscovery(t, issuertest.Host).Read(t.Context(), url+row.issuer)
			if err != nil {
				t.Fatal(err)
			}
			row.want.URL, row.want.Issuer = url+row.path, url+row.want.Issuer
			if row.want.JWKSURL != "" {
				row.want.JWKSURL = url + row.want.JWKSURL
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("document (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(row.asked, asked()); diff != "" {
				t.Errorf("asked for (-want +got)\n%s", diff)
			}
		})
	}
}

func TestDiscoveryRefuses(t *testing.T) {
	t.Parallel()
	const at = `"$URL/.well-known/openid-configuration": `
	full := `{"issuer": "$URL", "x": "` + strings.Repeat("x", 256<<10) + `"}`
	for _, row := range []struct{ name, body, want string }{
		{"not JSON", `<!doctype html>`, at + "the answer cannot be read: not a JSON object"},
		{"an array", `[]`, at + "the answer cannot be read: not a JSON object"},
		{"two objects", `{"issuer": "$URL"}{}`, at + "the answer cannot be read: more than one JSON value"},
		{"a member twice", `{"issuer": "$URL", "jwks_uri": "$URL/a", "jwks_ur\u0069": "$URL/b"}`, at + "the answer cannot be read: a member occurs twice"},
		{"too large", full, at + "the answer has more than 262144 bytes"},
		{"another issuer", `{"issuer": "$URL/a"}`, at + `the document is another issuer's: asked for "$URL"; issuer is "$URL/a"`},
		{"a slash more", `{"issuer": "$URL/"}`, at + `the document is another issuer's: asked for "$URL"; issuer is "$URL/": they differ in the slash at the end alone`},
		{"no issuer", `{"jwks_uri": "$URL/keys"}`, at + `the document is another issuer's: asked for "$URL"; no issuer`},
		{"a number for an issuer", `{"issuer": 7}`, at + `the document is another issuer's: asked for "$URL"; issuer is a number`},
		{"a key set elsewhere", `{"issuer": "$URL", "jwks_uri": "file:///etc/passwd"}`, at + "jwks_uri: the URL must begin with https:// or http://"},
		{"a key set with a password", `{"issuer": "$URL", "jwks_uri": "https://a:b@idp.example.com"}`, at + "jwks_uri: the URL must not have a user name or password"},
		{"jwks_uri", `{"issuer": "$URL", "jwks_uri": null}`, at + "jwks_uri is null"},
		{"algorithms", `{"issuer": "$URL", "id_token_signing_alg_values_supported": "RS256"}`, at + "id_token_signing_alg_values_supported is a string"},
		{"an algorithm", `{"issuer": "$URL", "id_token_signing_alg_values_supported": ["RS256", 7]}`, at + "id_token_signing_alg_values_supported has a number in it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url, asked := metadata(t, map[string]string{openIDPath: row.body})
			_, err := newDiscovery(t, issuertest.Host).Read(t.Context(), url)
			if want := strings.ReplaceAll(row.want, "$URL", url); err == nil || err.Error() != want {
				t.Errorf("Read = %v\nwant   %s", err, want)
			}
			if other := strings.Contains(row.want, "another issuer's"); errors.Is(err, trust.ErrOtherIssuer) != other {
				t.Errorf("errors.Is(%v, ErrOtherIssuer) = %t", err, !other)
			}
			if diff := cmp.Diff([]string{openIDPath}, asked()); diff != "" {
				t.Errorf("only 404 leads on (-want +got)\n%s", diff)
			}
		})
	}
}

func TestDiscoveryAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, `the answer is 302, a redirect to "/elsewhere", which is not followed`},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "the answer is 502, not 200"},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "the answer is 204, not 200"},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") }, `the answer is compressed ("gzip") though the request says identity`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				row.handler(w, r)
			}))
			defer server.Close()
			_, err := newDiscovery(t, issuertest.Host).Read(t.Context(), server.URL)
			if want := `"` + server.URL + openIDPath + `": ` + row.want; err == nil || err.Error() != want || requests.Load() != 1 {
				t.Errorf("Read = %v after %d requests\nwant   %s after 1", err, requests.Load(), want)
			}
		})
	}

	t.Run("nothing there", func(t *testing.T) {
		t.Parallel()
		url, asked := metadata(t, nil)
		_, err := newDiscovery(t, issuertest.Host).Read(t.Context(), url)
		if want := `"` + url + openIDPath + `": the answer is 404, not 200; "` + url + oauthPath + `": the answer is 404, not 200`; err == nil || err.Error() != want || len(asked()) != 2 {
			t.Errorf("Read = %v\nwant   %s", err, want)
		}
	})

	t.Run("a private address", func(t *testing.T) {
		t.Parallel()
		url, asked := metadata(t, map[string]string{openIDPath: `{"issuer": "$URL"}`})
		_, err := newDiscovery(t).Read(t.Context(), url)
		if !errors.Is(err, trust.ErrForbiddenAddress) || len(asked()) != 0 {
			t.Errorf("Read = %v after %d requests, want a forbidden address after none", err, len(asked()))
		}
	})
}

// What is no issuer is never asked.
func TestDiscoveryIssuers(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"":                                      "the URL must begin with https:// or http://",
		"mine":                                  "the URL must begin with https:// or http://",
		"ftp://idp.example.com":                 "the URL must begin with https:// or http://",
		"https://":                              "the URL has no host",
		"https://a:b@idp.example.com":           "the URL must not have a user name or password",
		"https://idp.example.com/#":             "the URL must not have a fragment",
		"https://idp.example.com?a=b":           "the URL of an issuer has no query",
		"https://idp.example.com/?":             "the URL of an issuer has no query",
		"https://idp.example.com\n":             "the URL does not parse",
		"https://" + strings.Repeat("x", 2<<10): "the URL has 2056 bytes, 2048 are allowed",
		"https://idp.example.com:0":             "the URL's port is not a number from 1 to 65535",
		"https://idp.example.com:http":          "the URL does not parse",
	} {
		if _, err := newDiscovery(t).Read(t.Context(), issuer); err == nil || err.Error() != want {
			t.Errorf("Read(%.60q) = %v, want %s", issuer, err, want)
		}
	}
}

// A document that is read names the issuer that was asked, and a key set that a
// profile may have.
func FuzzDiscoveryDocument(f *testing.F) {
	const issuer = "https://idp.example.com"
	for _, body := range []string{
		`{"issuer":"https://idp.example.com","jwks_uri":"https://idp.example.com/keys","id_token_signing_alg_values_supported":["RS256"]}`,
		`{"issuer":"https://idp.example.com","issue\u0072":"b"}`, `{"issuer":"https:\/\/idp.example.com"}`, `{"issuer":"https://idp.example.com/"}`,
		`{"issuer":"https://idp.example.com","jwks_uri":"http://[::1]:0"}`, `[]`, ``, `{"issuer":null}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := trust.ParseDocument(issuer, body)
		if err != nil {
			return
		}
		if got.Issuer != issuer {
			t.Errorf("read the document of %q", got.Issuer)
		}
		if got.JWKSURL != "" && trust.CheckURL(got.JWKSURL) != nil {
			t.Errorf("read jwks_uri %q", got.JWKSURL)
		}
		var members map[string]any
		decode(t, string(body), &members)
		if keys, _ := members["jwks_uri"].(string); members["issuer"] != got.Issuer || keys != got.JWKSURL {
			t.Errorf("encoding/json reads %v, we %+v", members, got)
		}
	})
}
