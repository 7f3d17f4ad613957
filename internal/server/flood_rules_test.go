package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// flood brings as many bad tokens as make one, and then says what becomes of the
// next.
func (p *place) flood(t *testing.T) (next func() servertest.Answer) {
	t.Helper()
	bad := p.token("ada@example.com", map[string]any{"aud": "elsewhere"})
	for range 40 {
		refusedAs(t, "a flood", p.attest(bad, nil), http.StatusBadRequest, "jwt_invalid_audience")
	}
	return func() servertest.Answer { return p.attest(bad, nil) }
}

// TestFloodOpensNothing changes here what a flood of bad tokens there is refused
// by. Only a refusal may be of a moment ago.
func TestFloodOpensNothing(t *testing.T) {
	t.Parallel()
	path := func(p *place) string { return "/trusted_token_profiles/" + p.profile }
	for name, test := range map[string]func(t *testing.T, here, there *place, clock *servertest.Clock){
		"the secret is deleted": func(t *testing.T, here, there *place, clock *servertest.Clock) {
			next := there.flood(t)
			secrets := list(servertest.Must(t, here.Administer(http.MethodGet, "/secrets", nil)), "secrets")
			secret, _ := secrets[0].(map[string]any)
			id, _ := secret["secret_id"].(string)
			servertest.Must(t, here.Administer(http.MethodDelete, "/secrets/"+id, nil))
			refusedAs(t, "a good token", there.attest(there.token("ada@example.com", nil), nil), http.StatusUnauthorized, "unauthorized_credentials")
			refusedAs(t, "another endpoint", there.API(http.MethodGet, "/v1/debug/whoami", nil), http.StatusUnauthorized, "unauthorized_credentials")
			other := *there
			other.profile = here.another(t, clock, nil).profile
			refusedAs(t, "a profile that nobody has read", other.attest("no token", nil), http.StatusUnauthorized, "unauthorized_credentials")
			refusedAs(t, "the flood", next(), http.StatusBadRequest, "jwt_invalid_audience")
			clock.Advance(50 * time.Millisecond)
			refusedAs(t, "the flood a moment later", next(), http.StatusUnauthorized, "unauthorized_credentials")
		},
		"the profile is tightened": func(t *testing.T, here, there *place, _ *servertest.Clock) {
			there.flood(t)
			here.setPolicy(t, map[string]any{"conditions": []string{"false"}})
			refusedAs(t, "a good token", there.attest(there.token("ada@example.com", nil), nil), http.StatusBadRequest, "invalid_trusted_auth_token")
		},
		"the profile is deleted": func(t *testing.T, here, there *place, _ *servertest.Clock) {
			there.flood(t)
			servertest.Must(t, here.Administer(http.MethodDelete, path(here), nil))
			refusedAs(t, "a good token", there.attest(there.token("ada@example.com", nil), nil), http.StatusNotFound, "trusted_token_profile_not_found")
		},
		"the profile is loosened": func(t *testing.T, here, there *place, clock *servertest.Clock) {
			next := there.flood(t)
			servertest.Must(t, here.Administer(http.MethodPatch, path(here), map[string]any{"audience": "elsewhere"}))
			refusedAs(t, "the flood", next(), http.StatusBadRequest, "jwt_invalid_audience")
			clock.Advance(50 * time.Millisecond)
			servertest.Must(t, next())
		},
		"the profile is loosened and there is no flood": func(t *testing.T, here, there *place, _ *servertest.Clock) {
			token := there.token("ada@example.com", map[string]any{"aud": "elsewhere"})
			refusedAs(t, "before", there.attest(token, nil), http.StatusBadRequest, "jwt_invalid_audience")
			servertest.Must(t, here.Administer(http.MethodPatch, path(here), map[string]any{"audience": "elsewhere"}))
			servertest.Must(t, there.attest(token, nil))
		},
		"nothing": func(t *testing.T, _, there *place, _ *servertest.Clock) {
			next := there.flood(t)
			servertest.Must(t, there.attest(there.token("ada@example.com", nil), nil))
			a := next()
			own := servertest.Must(t, there.Administer(http.MethodGet, "/verdicts/"+a.String("request_id"), nil))
			if got := own.String("verdict", "reason"); got != "audience_mismatch" {
				t.Errorf("the verdict of a flood: %q", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, here, there *place, clock *servertest.Clock, _ func() *servertest.Server) {
				test(t, here, there, clock)
			})
		})
	}
}
