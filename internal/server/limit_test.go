package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/server"
	"github.com/countersign-auth/countersign/internal/servertest"
)

// limitedWorld is a server with limits, whose clock stands still.
type limitedWorld struct {
	*publicWorld
	clock *servertest.Clock
}

func newLimitedWorld(t *testing.T, limits func(*server.Config)) *limitedWorld {
	t.Helper()
	w := &limitedWorld{clock: servertest.NewClock()}
	w.publicWorld = newPublicWorld(t, serverOptions{limits: func(c *server.Config) {
		c.Now, c.LimitPerAddress = w.clock.Now, -1
		limits(c)
	}})
	w.clock.Advance(time.Hour) // what the set-up took has come back
	return w
}

// from makes a request from an address.
func (w *limitedWorld) from(address, method, target, authorization string) reply {
	w.t.Helper()
	r := httptest.NewRequest(method, target, http.NoBody)
	r.RemoteAddr = address
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Origin", "https://app.example.com")
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	for _, problem := range w.witness.Problems(servertest.Exchange{Request: r, Status: answer.Code, Answer: answer.Body.Bytes()}) {
		w.t.Errorf("%s %s: %s: %d %s", method, target, problem, answer.Code, answer.Body)
	}
	return reply{answer.Code, answer.Header(), answer.Body.Bytes()}
}

// wantLimited checks a refusal that says to try again after so many seconds.
func wantLimited(t *testing.T, a reply, what, after string) {
	t.Helper()
	if a.status != http.StatusTooManyRequests || errorType(a) != "too_many_requests" || a.header.Get("Retry-After") != after {
		t.Errorf("%s: %d %s, Retry-After %q; want 429 too_many_requests, %q", what, a.status, a.body, a.header.Get("Retry-After"), after)
	}
}

func (w *limitedWorld) scrape() string {
	scrape := httptest.NewRecorder()
	w.Private().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return scrape.Body.String()
}

// TestDashboardIsLimited holds that pages count as what a stranger asks, and that
// the refusal is a page.
func TestDashboardIsLimited(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, func(c *server.Config) { c.LimitPerAddress = 2 })
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/dashboard", http.NoBody)
		r.RemoteAddr = "203.0.113.1:1000"
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		return answer
	}
	for i := range 10 {
		if a := ask(); a.Code != http.StatusUnauthorized {
			t.Fatalf("page %d: %d", i, a.Code)
		}
	}
	a := ask()
	if a.Code != http.StatusTooManyRequests || a.Header().Get("Retry-After") != "1" ||
		!strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") || !strings.Contains(a.Body.String(), "too_many_requests") {
		t.Errorf("beyond the limit: %d %v %s", a.Code, a.Header(), a.Body)
	}
	wantLimited(t, w.from("203.0.113.1:2", http.MethodGet, "/nowhere", ""), "the API after the dashboard", "1")
	w.clock.Advance(time.Second)
	if a := ask(); a.Code != http.StatusUnauthorized {
		t.Errorf("a second later: %d", a.Code)
	}
}

// TestLimitByAddress holds on every plane that an address without a credential
// that is known meets its limit before the database is asked, and nobody else
// does.
func TestLimitByAddress(t *testing.T) {
	t.Parallel()
	const users = "/v1/users/search"
	for _, test := range []struct {
		name, method, target string
		authorization        func(w *limitedWorld) string
		want                 int // until the limit is met
	}{
		{"a made-up secret", http.MethodGet, "/v1/debug/whoami", func(w *limitedWorld) string {
			return basicHeader(w.names["project_id"], "secret-test-made-up-0123456789")
		}, 401},
		{"no credentials", http.MethodPost, users, func(*limitedWorld) string { return "" }, 401},
		{"a made-up workspace key", http.MethodGet, projectsPath, func(*limitedWorld) string { return basicHeader("nobody", "workspace-secret-made-up") }, 401},
		{"a made-up public token", http.MethodGet, "/sdk/v1/users/me", func(*limitedWorld) string { return basicHeader("public-token-test-made-up", "x") }, 401},
		{"a public token that is one", http.MethodGet, "/sdk/v1/users/me", func(w *limitedWorld) string { return w.page }, 401},
		{"no such path", http.MethodGet, "/nowhere", func(*limitedWorld) string { return "" }, 404},
		{"no straight path", http.MethodGet, "/v1/../nowhere", func(*limitedWorld) string { return "" }, 404},
		{"an open endpoint", http.MethodGet, "/openapi.json", func(*limitedWorld) string { return "" }, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newLimitedWorld(t, func(c *server.Config) { c.LimitPerAddress = 2 })
			authorization := test.authorization(w)
			ask := func(address string) reply { return w.from(address, test.method, test.target, authorization) }
			for i := range 10 { // five seconds' worth at once
				if a := ask(fmt.Sprint("203.0.113.1:", 1000+i)); a.status != test.want {
					t.Fatalf("request %d: %d %s, want %d", i, a.status, a.body, test.want)
				}
			}
			wantLimited(t, ask("203.0.113.1:1"), "beyond the limit", "1")
			if a := ask("203.0.113.2:1"); a.status != test.want {
				t.Errorf("another address: %d %s", a.status, a.body)
			}
			w.clock.Advance(500 * time.Millisecond)
			if a := ask("203.0.113.1:1"); a.status != test.want {
				t.Errorf("after half a second: %d %s", a.status, a.body)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			limited := ask("203.0.113.1:1")
			wantLimited(t, limited, "without a database", "1")
			if strings.HasPrefix(test.target, "/sdk/") && limited.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
				t.Errorf("a page may not read its refusal: %v", limited.header)
			}
			if got, want := w.scrape(), `countersign_requests_refused_total{limit="address"} 2`; !strings.Contains(got, want) {
				t.Errorf("the metrics lack %s", want)
			}
		})
	}
}

// TestLimitByAddressSparesTheKnown holds that a credential which was accepted is
// not held up by others at its address, that probes are never, and that one which
// is accepted no more is a stranger again.
func TestLimitByAddressSparesTheKnown(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, func(c *server.Config) { c.LimitPerAddress = 1 })
	const address, who = "203.0.113.1:1", "/v1/debug/whoami"
	if a := w.from(address, http.MethodGet, who, w.basic); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	exhaust := func() {
		for w.from(address, http.MethodGet, who, basicHeader(w.names["project_id"], "secret-test-made-up-0123456789")).status != http.StatusTooManyRequests {
		}
	}
	exhaust()
	for range 20 {
		for target, authorization := range map[string]string{who: w.basic, "/healthz": "", "/readyz": ""} {
			if a := w.from(address, http.MethodGet, target, authorization); a.status != http.StatusOK {
				t.Fatalf("%s: %d %s", target, a.status, a.body)
			}
		}
	}
	// What a page shows beside a public token in the path was looked at by nobody.
	forged := basicHeader(w.names["project_id"], "secret-test-forged-0123456789")
	w.from("203.0.113.9:1", http.MethodGet, "/sdk/v1/projects/bootstrap/"+w.names["public_token"], forged)
	wantLimited(t, w.from(address, http.MethodGet, who, forged), "a header that the frontend plane passed over", "1")

	secrets := w.must(w.call(http.MethodGet, w.path(environmentPath)+"/secrets", basicHeader(localKeyID, localKeySecret), ""))
	for _, s := range at(secrets, "secrets").([]any) {
		w.call(http.MethodDelete, w.path(environmentPath)+"/secrets/"+text(at(s, "secret_id")), basicHeader(localKeyID, localKeySecret), "")
	}
	if a := w.from(address, http.MethodGet, who, w.basic); a.status != http.StatusUnauthorized {
		t.Errorf("a deleted secret: %d %s", a.status, a.body)
	}
	wantLimited(t, w.from(address, http.MethodGet, who, w.basic), "a deleted secret, again", "1")
}

// TestLimitByCredential holds on every plane that one credential meets its own
// limit, wherever it is used, and another of the environment does not.
func TestLimitByCredential(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, target string
		credential           func(w *limitedWorld) string
		other                func(w *limitedWorld) string
		want                 int
	}{
		{
			"secret", http.MethodGet, "/v1/debug/whoami", func(w *limitedWorld) string { return w.basic },
			func(w *limitedWorld) string {
				made := w.must(w.call(http.MethodPost, w.path(environmentPath)+"/secrets", basicHeader(localKeyID, localKeySecret), ""))
				return basicHeader(w.names["project_id"], text(at(made, "secret", "secret")))
			}, 200,
		},
		{"workspace key", http.MethodGet, projectsPath, func(*limitedWorld) string { return basicHeader(localKeyID, localKeySecret) }, func(w *limitedWorld) string { return "Bearer " + localKeyID + ":" + localKeySecret }, 200},
		{
			"public token", http.MethodPost, "/sdk/v1/sessions/attest", func(w *limitedWorld) string { return w.page },
			func(w *limitedWorld) string {
				made := w.must(w.call(http.MethodPost, w.path(environmentPath)+"/public_tokens", basicHeader(localKeyID, localKeySecret), ""))
				token := text(at(made, "public_token", "public_token"))
				return basicHeader(token, token)
			}, 400, // of a body without a token
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newLimitedWorld(t, func(c *server.Config) { c.LimitPerCredential = 4 }) // the set-up makes more requests than ten
			credential, other := test.credential(w), test.other(w)
			w.from("203.0.113.1:1", test.method, test.target, credential) // from now on it is known
			w.clock.Advance(time.Minute)
			for i := range 20 {
				if a := w.from(fmt.Sprintf("203.0.113.%d:1", i), test.method, test.target, credential); a.status != test.want {
					t.Fatalf("request %d: %d %s, want %d", i, a.status, a.body, test.want)
				}
			}
			wantLimited(t, w.from("203.0.113.77:1", test.method, test.target, credential), "beyond the limit", "1")
			if a := w.from("203.0.113.77:1", test.method, test.target, other); a.status != test.want {
				t.Errorf("another credential: %d %s", a.status, a.body)
			}
			if got, want := w.scrape(), `countersign_requests_refused_total{limit="credential"} 1`; !strings.Contains(got, want) {
				t.Errorf("the metrics lack %s", want)
			}
		})
	}
}

// otherEnvironment makes another project with an environment, and gives the header
// of its secret.
func (w *limitedWorld) otherEnvironment() string {
	w.t.Helper()
	project := text(at(w.manage(http.MethodPost, projectsPath, `{"name": "Other", "vertical": "CONSUMER"}`), "project", "project_slug"))
	base := projectsPath + "/" + project + "/environments"
	environment := w.manage(http.MethodPost, base, `{"name": "Test", "type": "TEST"}`)
	secret := w.manage(http.MethodPost, base+"/"+text(at(environment, "environment", "environment_slug"))+"/secrets", "")
	return basicHeader(text(at(environment, "environment", "project_id")), text(at(secret, "secret", "secret")))
}

// TestFullServer fills all places that an environment may have with requests that
// wait for their issuer: what is more is refused at once, other environments and
// probes are answered as ever, and afterwards all is as before.
func TestFullServer(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, func(c *server.Config) { c.MaxInFlight, c.Now = 8, time.Now }) // the issuer's clock goes on
	const who = "/v1/debug/whoami"
	other := w.otherEnvironment()
	w.must(w.call(http.MethodGet, who, other, ""))
	w.must(w.call(http.MethodGet, who, w.basic, ""))

	profile := w.profile(`"public_key_type": "JWK", "can_jit_provision": true, "jwks_url": "` + w.issuer.JWKSURL() + `?slow"`)
	w.issuer.Misbehave(issuertest.SlowHeaders)
	var waiting sync.WaitGroup
	body := attestBody(profile, w.mint(nil), "")
	attest := func() { w.call(http.MethodPost, "/v1/sessions/attest", w.basic, body) }
	for range 14 { // six have three quarters of the places, eight fill the queue
		waiting.Go(attest)
	}
	full := func() bool {
		scrape := w.scrape()
		return strings.Contains(scrape, "countersign_requests_in_flight 6\n") && strings.Contains(scrape, "countersign_requests_waiting 8\n")
	}
	for !full() && t.Context().Err() == nil {
		time.Sleep(time.Millisecond) // for them to get there: no clock of ours moves
	}
	a := w.call(http.MethodGet, who, w.basic, "")
	if a.status != http.StatusServiceUnavailable || errorType(a) != "server_unavailable" || a.header.Get("Retry-After") != "1" {
		t.Errorf("a request of the full environment: %d %s, Retry-After %q", a.status, a.body, a.header.Get("Retry-After"))
	}
	for target, authorization := range map[string]string{who: other, "/healthz": "", "/readyz": "", projectsPath: basicHeader(localKeyID, localKeySecret)} {
		if a := w.call(http.MethodGet, target, authorization, ""); a.status != http.StatusOK {
			t.Errorf("%s beside a full environment: %d %s", target, a.status, a.body)
		}
	}
	w.issuer.Release()
	waiting.Wait()
	w.must(w.call(http.MethodGet, who, w.basic, ""))
	scrape := w.scrape()
	for _, want := range []string{"countersign_requests_in_flight 0\n", "countersign_requests_waiting 0\n", `countersign_requests_refused_total{limit="capacity"} `} {
		if !strings.Contains(scrape, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestClientAddress holds who decides where a request is from.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	log := &lockedLog{}
	s := newServer(t, serverOptions{log: log, limits: func(c *server.Config) {
		c.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"}
	}})
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "203.0.113.5:1", nil, "203.0.113.5"},
		{"a stranger's word", "203.0.113.5:1", []string{"198.51.100.1"}, "203.0.113.5"},
		{"a proxy's word", "10.1.2.3:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a single proxy", "192.0.2.7:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client made up stands in front", "10.1.2.3:1", []string{"127.0.0.1, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.1.2.3:1", []string{"127.0.0.1, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"two headers are one list", "10.1.2.3:1", []string{"127.0.0.1", "198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"nothing but proxies", "10.1.2.3:1", []string{"10.8.8.8, 10.9.9.9"}, "10.8.8.8"},
		{"nothing that can be read", "10.1.2.3:1", []string{"unknown"}, "10.1.2.3"},
		{"something that cannot be read", "10.1.2.3:1", []string{"198.51.100.1, <script>, 10.9.9.9"}, "10.9.9.9"},
		{"an empty list", "10.1.2.3:1", []string{""}, "10.1.2.3"},
		{"with a port", "10.1.2.3:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6", "[2001:db8::1]:1", []string{"2001:db9::5"}, "2001:db9::5"},
		{"IPv6 with a port", "[2001:db8::1]:1", []string{"[2001:db9::5]:4711"}, "2001:db9::5"},
		{"IPv6 without a proxy", "[2001:db9::5]:1", nil, "2001:db9::5"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a list without end", "10.1.2.3:1", []string{strings.Repeat("10.0.0.1,", 5000) + "10.0.0.2"}, "10.0.0.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/healthz", http.NoBody)
		r.RemoteAddr = test.peer
		r.Header["X-Forwarded-For"] = test.forwarded
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if got := lineOf(t, log, reply{w.Code, w.Header(), w.Body.Bytes()})["remote"]; got != test.want {
			t.Errorf("%s: the request is from %v, want %s", test.name, got, test.want)
		}
	}
	if got := strings.Count(log.String(), "is no --trusted-proxy"); got != 1 {
		t.Errorf("the unknown proxy is told of %d times", got)
	}
}

// TestLimitByNetwork holds that one customer's IPv6 addresses are one address, and
// that a proxy which is trusted does not make all of its clients one.
func TestLimitByNetwork(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, func(c *server.Config) { c.LimitPerAddress, c.TrustedProxies = 1, []string{"10.0.0.0/8"} })
	for i := range 5 {
		w.from(fmt.Sprintf("[2001:db8:0:1::%d]:1", i), http.MethodGet, "/nowhere", "")
	}
	wantLimited(t, w.from("[2001:db8:0:1:ffff::1]:1", http.MethodGet, "/nowhere", ""), "the same /64", "1")
	if a := w.from("[2001:db8:0:2::1]:1", http.MethodGet, "/nowhere", ""); a.status != http.StatusNotFound {
		t.Errorf("another /64: %d %s", a.status, a.body)
	}
	behind := func(client string) int {
		r := httptest.NewRequest(http.MethodGet, "/nowhere", http.NoBody)
		r.RemoteAddr = "10.1.2.3:1"
		r.Header.Set("X-Forwarded-For", client)
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		return answer.Code
	}
	for range 5 {
		behind("198.51.100.1")
	}
	if a, b := behind("198.51.100.1"), behind("198.51.100.2"); a != http.StatusTooManyRequests || b != http.StatusNotFound {
		t.Errorf("behind a proxy: %d and %d, want 429 and 404", a, b)
	}
}

// TestFirstMoment holds that a backend which comes with many requests at once to a
// server that has just started, and knows nobody yet, is refused none of them.
func TestFirstMoment(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, func(c *server.Config) { c.LimitPerAddress = server.DefaultLimitPerAddress })
	var group sync.WaitGroup
	for range 128 {
		group.Go(func() {
			if a := w.from("203.0.113.1:1", http.MethodGet, "/v1/debug/whoami", w.basic); a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	group.Wait()
}

// TestOverloadIsShared holds that an environment which asks far more than there is
// room for is refused what is too much, and that another beside it is refused
// nothing.
func TestOverloadIsShared(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, func(c *server.Config) { c.MaxInFlight, c.Now = 8, time.Now })
	const who = "/v1/debug/whoami"
	quiet := w.otherEnvironment()
	w.must(w.call(http.MethodGet, who, quiet, ""))
	w.must(w.call(http.MethodGet, who, w.basic, ""))
	ask := func(authorization string) reply {
		r := httptest.NewRequest(http.MethodGet, who, http.NoBody)
		r.Header.Set("Authorization", authorization)
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		return reply{answer.Code, answer.Header(), answer.Body.Bytes()}
	}
	var answered, refused atomic.Int64
	stop := make(chan struct{})
	var loud, calm sync.WaitGroup
	for range 40 {
		loud.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch a := ask(w.basic); {
				case a.status == http.StatusOK:
					answered.Add(1)
				case errorType(a) == "server_unavailable" && a.header.Get("Retry-After") == "1":
					refused.Add(1)
					runtime.Gosched() // as a network would
				default:
					t.Errorf("%d %s", a.status, a.body)
				}
			}
		})
	}
	var mu sync.Mutex
	var took []time.Duration
	for range 4 {
		calm.Go(func() {
			for range 50 {
				began := time.Now()
				if a := ask(quiet); a.status != http.StatusOK {
					t.Errorf("beside an environment that asks too much: %d %s", a.status, a.body)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	calm.Wait()
	close(stop)
	loud.Wait()
	slices.Sort(took)
	t.Logf("of the loud one %d answered, %d refused; the quiet one: p50 %v, p99 %v", answered.Load(), refused.Load(), took[len(took)/2], took[len(took)*99/100])
	if answered.Load() == 0 || refused.Load() == 0 {
		t.Errorf("of the loud one %d were answered and %d refused; want some of both", answered.Load(), refused.Load())
	}
}
