package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestPublicRefusals has a subject token refused for every reason there is, and
// expects that a page with a public token cannot tell them apart, while the log
// and the metrics do.
func TestPublicRefusals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		log := &lockedLog{}
		p := newPublicWorld(t, serverOptions{database: database, log: log})
		refusals := p.refusals()
		for _, reason := range matches(t, "../trust/reason.go", `Reason = "([a-z_]+)"`) {
			// keys_unavailable is told apart (TestPublicKeysUnavailable), and pages of
			// B2B projects attest no tokens yet.
			if len(refusals[reason]) == 0 && reason != "keys_unavailable" && !strings.HasPrefix(reason, "organization_") {
				t.Errorf("no token is refused for %s", reason)
			}
		}

		var first string
		for _, reason := range slices.Sorted(maps.Keys(refusals)) {
			for _, body := range refusals[reason] {
				a := p.send(http.MethodPost, "/sdk/v1/sessions/attest", p.page, body)
				if a.status != http.StatusBadRequest || errorType(a) != "invalid_trusted_auth_token" {
					t.Errorf("%s: %d %s", reason, a.status, a.body)
				}
				shown := shownToPage(t, a)
				if first == "" {
					first = shown
				}
				if diff := cmp.Diff(first, shown); diff != "" {
					t.Errorf("%s can be told apart:\n%s", reason, diff)
				}
				if line := lineOf(t, log, a); line["reason"] != reason || line["error_type"] != "invalid_trusted_auth_token" {
					t.Errorf("%s: the log has %v", reason, line)
				}
			}
		}
		shadow := p.profile(`"public_key_type": "JWK", "can_jit_provision": true, "trust_policy": {"mode": "shadow"}, "jwks_url": "` + p.issuer.JWKSURL() + `"`)
		tried := p.send(http.MethodPost, "/sdk/v1/sessions/attest", p.page, attestBody(shadow, p.mint(nil), ""))
		if diff := cmp.Diff(first, shownToPage(t, tried)); diff != "" {
			t.Errorf("a token that a profile only tries out can be told apart:\n%s", diff)
		}
		metrics := httptest.NewRecorder()
		p.Private().ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		for reason := range refusals {
			if !strings.Contains(metrics.Body.String(), fmt.Sprintf("countersign_subject_tokens_total{reason=%q}", reason)) {
				t.Errorf("the metrics lack %s", reason)
			}
		}
	})
}

// TestPublicKeysUnavailable is the one refusal of a token that a page is told of:
// it can try again, and nothing is said of the token.
func TestPublicKeysUnavailable(t *testing.T) {
	t.Parallel()
	p := newPublicWorld(t, serverOptions{})
	p.issuer.Misbehave(issuertest.Down)
	profile := p.profile(`"public_key_type": "JWK", "jwks_url": "` + p.issuer.JWKSURL() + `?down"`)
	a := p.send(http.MethodPost, "/sdk/v1/sessions/attest", p.page, attestBody(profile, p.mint(nil), ""))
	if a.status != http.StatusServiceUnavailable || errorType(a) != "keys_unavailable" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if strings.Contains(string(a.body), "Reason") {
		t.Errorf("a page is told more than the fixed sentence: %s", a.body)
	}
}

// TestStrangerWaitsForNoWriter has somebody else hold the database's one writer:
// a token of nobody is refused all the same, as one with a bad signature is, so
// that how long it takes tells little of who exists.
func TestStrangerWaitsForNoWriter(t *testing.T) {
	t.Parallel()
	database := storetest.SQLite(t)
	p := newPublicWorld(t, serverOptions{database: database})
	bodies := p.refusals()
	writer, err := storetest.Raw(t, database).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	if _, err := writer.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{"signature_invalid", "subject_unknown", "jit_domain_not_allowed", "jit_limit_reached"} {
		for _, body := range bodies[reason] {
			if strings.Contains(body, `"session_token"`) {
				continue // of somebody who has a session and knows a user by that
			}
			if a := p.send(http.MethodPost, "/sdk/v1/sessions/attest", p.page, body); errorType(a) != "invalid_trusted_auth_token" {
				t.Errorf("%s: %d %s", reason, a.status, a.body)
			}
		}
	}
	if _, err := writer.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
}

// TestPublicErrorsAreFixed compares what pages read of errors with error.go: the
// sentence of the type and nothing else.
func TestPublicErrorsAreFixed(t *testing.T) {
	t.Parallel()
	p := newPublicWorld(t, serverOptions{})
	bodies := p.bodies()
	seen := 0
	for _, route := range p.Routes() {
		if !strings.HasPrefix(route.Pattern, "/sdk/v1/") {
			continue
		}
		requests := []string{"{", `{"email": 5, "name": 5, "profile_id": 5, "session_duration_minutes": "x"}`, "[]"}
		if sample := bodies[route.Method+" "+route.Pattern]; sample != "" {
			for _, v := range variants(t, sample) {
				requests = append(requests, v.body)
			}
		}
		for _, body := range requests {
			a := p.call(route.Method, p.path(route.Pattern), p.signedIn, body)
			if a.status == http.StatusOK {
				if strings.HasSuffix(route.Pattern, "/revoke") {
					break // nobody is signed in any more
				}
				continue
			}
			seen++
			if text := message(t, a); !slices.Contains(fixedSentences(t), text) {
				t.Errorf("%s %s: %q is no fixed sentence", route.Method, route.Pattern, text)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d errors were seen", seen)
	}
}

func fixedSentences(t *testing.T) []string {
	t.Helper()
	return matches(t, "../../error.go", `define\("[a-z0-9_]+", \w+, "(.*)"\)`)
}

// publicWorld is a world as a page sees it.
type publicWorld struct {
	*inputWorld
	page string // the header of a page where nobody is signed in
}

func newPublicWorld(t testing.TB, o serverOptions) *publicWorld {
	t.Helper()
	p := &publicWorld{inputWorld: newInputWorld(t, o)}
	p.page = basicHeader(p.names["public_token"], p.names["public_token"])
	return p
}

// send is call from a page.
func (p *publicWorld) send(method, target, authorization, body string) reply {
	p.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Origin", "https://app.example.com")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	for _, problem := range p.witness.Problems(servertest.Exchange{Request: r, Sent: []byte(body), Status: w.Code, Answer: w.Body.Bytes()}) {
		p.t.Errorf("%s %s: %s: %d %s", method, target, problem, w.Code, w.Body)
	}
	return reply{w.Code, w.Header(), w.Body.Bytes()}
}

// profile makes a profile of the issuer; more are fields.
func (p *publicWorld) profile(more string) string {
	p.t.Helper()
	made := p.manage(http.MethodPost, p.path(profilesPath), fmt.Sprintf(`{"name": "idp", "issuer": %q, "audience": "countersign",
		"attribute_mapping": {"email": "email", "token_id": "jti", "external_user_id": "sub", "role_ids": "roles"}, %s}`, p.issuer.URL(), more))
	return text(at(made, "profile", "profile_id"))
}

// mint makes a token of Ada's, whom the directory knows; claims win.
func (p *publicWorld) mint(claims map[string]any, options ...issuer.Option) string {
	all := map[string]any{"aud": "countersign", "email": "ada@example.com", "sub": "ext-ada"}
	maps.Copy(all, claims)
	return p.issuer.Mint(all, options...)
}

func attestBody(profile, token, more string) string {
	return fmt.Sprintf(`{"profile_id": %q, "token": %q%s}`, profile, token, more)
}

// refusals are attest requests by the reason for which their token is refused.
func (p *publicWorld) refusals() map[string][]string {
	p.t.Helper()
	jwk := p.profile(`"public_key_type": "JWK", "jwks_url": "` + p.issuer.JWKSURL() + `"`)
	pem := p.profile(`"public_key_type": "PEM", "can_jit_provision": true, "pem_files": ["` + jsonText(p.issuer.PEM(countersign.RS256, issuertest.PublicKey)) + `"]`)
	broken := p.profile(`"public_key_type": "PEM", "pem_files": ["-----BEGIN PUBLIC KEY-----\nbroken"]`)
	strict := func(policy string) string {
		return p.profile(`"public_key_type": "JWK", "can_jit_provision": true, "jwks_url": "` + p.issuer.JWKSURL() + `", "trust_policy": ` + policy)
	}
	unmapped := p.profile(`"public_key_type": "JWK", "attribute_mapping": {"token_id": "jti"}, "jwks_url": "` + p.issuer.JWKSURL() + `"`)
	once := strict(`{"one_time_tokens": true}`)
	used := p.mint(map[string]any{"jti": "once"})
	p.must(p.call(http.MethodPost, "/v1/sessions/attest", p.basic, attestBody(once, used, "")))
	linked := strict(`{"subject_claim": "sub"}`)
	p.must(p.call(http.MethodPost, "/v1/sessions/attest", p.basic, attestBody(linked, p.mint(nil), "")))
	few := strict(`{"jit_per_hour": 1}`)
	p.must(p.call(http.MethodPost, "/v1/sessions/attest", p.basic, attestBody(few, p.mint(map[string]any{"email": "first@example.com", "sub": "ext-first"}), "")))
	taken := p.must(p.call(http.MethodPost, "/v1/users", p.basic, `{"email": "grace@example.com", "external_id": "ext-grace"}`))
	if taken["user_id"] == "" {
		p.t.Fatal("nobody was made")
	}
	begun := p.must(p.call(http.MethodPost, "/v1/sessions/attest", p.basic, attestBody(pem, p.mint(nil), `, "session_duration_minutes": 60`)))
	joins := fmt.Sprintf(`, "session_token": %q`, text(begun["session_token"]))

	later, stranger := time.Now().Add(time.Hour).Unix(), map[string]any{"email": "nobody@example.com", "sub": "ext-nobody"}
	grace := map[string]any{"email": "grace@example.com", "sub": "ext-grace"}
	both := func(token string) []string { return []string{attestBody(jwk, token, ""), attestBody(pem, token, "")} }
	return map[string][]string{
		"token_too_large":             both(p.mint(map[string]any{"pad": strings.Repeat("x", 17<<10)})),
		"malformed":                   append(both("nonsense"), both("a.b.c.d.e")...),
		"algorithm_not_allowed":       append(both(p.mint(nil, issuertest.Header("alg", "none"))), both(p.mint(nil, issuertest.Header("alg", "HS256")))...),
		"unsupported_critical_header": both(p.mint(nil, issuertest.Header("crit", []string{"x"}))),
		"wrong_type":                  both(p.mint(nil, issuertest.Header("typ", "logout+jwt"))),
		"issuer_mismatch":             both(p.mint(map[string]any{"iss": "https://evil.example"})),
		"audience_mismatch":           both(p.mint(map[string]any{"aud": "elsewhere"})),
		"missing_expiry":              both(p.mint(map[string]any{"exp": nil})),
		"expired":                     both(p.mint(nil, issuertest.Expired())),
		"not_yet_valid":               both(p.mint(map[string]any{"nbf": later})),
		"issued_in_future":            both(p.mint(map[string]any{"iat": later})),
		"key_not_found":               {attestBody(jwk, p.mint(nil, issuertest.Kid("other")), "")},
		"key_unusable":                {attestBody(broken, p.mint(nil), "")},
		"signature_invalid":           append(both(p.mint(nil, issuertest.WrongKey())), both(p.mint(stranger, issuertest.WrongKey()))...),
		"claim_missing":               both(p.mint(map[string]any{"email": nil})),
		"claim_type":                  both(p.mint(map[string]any{"email": 5})),
		"email_invalid":               both(p.mint(map[string]any{"email": "not an address"})),
		"role_not_allowed":            both(p.mint(map[string]any{"roles": []string{"admin"}})),
		"lifetime_too_long":           {attestBody(strict(`{"max_token_lifetime_seconds": 1}`), p.mint(nil), "")},
		"condition_failed":            {attestBody(strict(`{"conditions": ["claims.plan == 'pro'"]}`), p.mint(nil), "")},
		"attribute_not_mapped":        {attestBody(unmapped, p.mint(nil), "")},
		"email_not_verified":          {attestBody(strict(`{"email_trust": "verified_claim"}`), p.mint(nil), "")},
		"email_domain_not_allowed":    {attestBody(strict(`{"email_domains": ["example.org"]}`), p.mint(nil), "")},
		"already_used":                {attestBody(once, used, "")},
		"jit_domain_not_allowed":      {attestBody(strict(`{"jit_domains": ["example.org"]}`), p.mint(stranger), "")},
		"jit_limit_reached":           {attestBody(few, p.mint(stranger), "")},
		"session_mismatch":            {attestBody(pem, p.mint(grace), joins), attestBody(jwk, p.mint(grace), joins), attestBody(pem, p.mint(stranger), joins)},
		"subject_unknown":             {attestBody(jwk, p.mint(stranger), ""), attestBody(jwk, p.mint(stranger), joins)},
		"subject_conflict": {
			attestBody(pem, p.mint(map[string]any{"email": "nobody@example.com", "sub": "ext-grace"}), ""), // another's external ID
			attestBody(strict(`{"email_trust": "never_link", "subject_claim": "sub"}`), p.mint(nil), ""), attestBody(linked, p.mint(map[string]any{"sub": "ext-other"}), ""),
		},
	}
}

// shownToPage is all that a page can read of an answer, but for the request's ID.
func shownToPage(t *testing.T, a reply) string {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d\n%v\n%s", a.status, a.header, strings.ReplaceAll(string(a.body), text(body["request_id"]), "$REQUEST"))
}

// lineOf is the line that the log has of a request.
func lineOf(t *testing.T, log *lockedLog, a reply) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, text(body["request_id"])) {
			continue
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		fields, _ := entry["http"].(map[string]any)
		return fields
	}
	t.Fatalf("the log has no line of %s", body["request_id"])
	return nil
}

// TestPagesMayReadEveryAnswer asks every path of the frontend plane in every way,
// of a healthy server and of one that lost its database: a page may read each
// answer, and no browser opens a form of its own.
func TestPagesMayReadEveryAnswer(t *testing.T) {
	t.Parallel()
	p := newPublicWorld(t, serverOptions{})
	targets := []string{"/sdk/v1", "/sdk/v1/", "/sdk/v1/no/such", "//sdk/v1/users/me", "/sdk/v1//users/me", "/sdk/v1/users/../users/me", "/sdk/v1/%00", "/%73dk/v1/users/me"}
	for _, route := range p.Routes() {
		if strings.HasPrefix(route.Pattern, "/sdk/v1/") {
			targets = append(targets, p.path(route.Pattern))
		}
	}
	statuses := map[int]bool{}
	ask := func() {
		for _, target := range targets {
			for _, method := range []string{"OPTIONS", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"} {
				for _, authorization := range []string{p.signedIn, p.page, p.basic, "Bearer x", ""} {
					a := p.send(method, target, authorization, "{}")
					statuses[a.status] = true
					if got := a.header.Get("Access-Control-Allow-Origin"); got != "https://app.example.com" || a.header.Get("Access-Control-Allow-Credentials") != "true" || a.header.Get("Vary") != "Origin" {
						t.Errorf("%s %s: %d may not be read: %v", method, target, a.status, a.header)
					}
					if got := a.header.Get("WWW-Authenticate"); got != "" {
						t.Errorf("%s %s: %d with WWW-Authenticate: %s", method, target, a.status, got)
					}
					if method == http.MethodOptions && a.status != http.StatusOK {
						t.Errorf("OPTIONS %s: %d", target, a.status)
					}
				}
			}
		}
	}
	ask()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	ask()
	for _, status := range []int{200, 400, 401, 404, 405, 500} {
		if !statuses[status] {
			t.Errorf("no answer was %d", status)
		}
	}
	for _, target := range []string{"/v1/users/search", "/pwa/v3/projects", "/sdk/v10", "/sdk", "/openapi.json"} {
		if a := p.send(http.MethodGet, target, p.basic, ""); a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Vary") != "" {
			t.Errorf("a page may read %s: %v", target, a.header)
		}
	}
}
