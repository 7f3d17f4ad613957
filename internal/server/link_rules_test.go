package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"

	"github.com/countersign-auth/countersign"
)

// another is a place with a second profile, of another issuer, in the same
// environment.
func (p *place) another(t *testing.T, clock *servertest.Clock, policy map[string]any) *place {
	t.Helper()
	other := &place{Environment: p.Environment, issuer: issuertest.New(t, issuertest.Algorithms(countersign.ES256), issuertest.Clock(clock.Now))}
	other.profile = other.Profile(other.issuer.URL(), map[string]any{
		"public_key_type": "PEM", "pem_files": []string{other.issuer.PEM(countersign.ES256, issuertest.PublicKey)}, "trust_policy": policy,
	})
	return other
}

// outcome is who a token signed in, or the reason why nobody.
func (p *place) outcome(t *testing.T, email string, claims map[string]any) string {
	t.Helper()
	a := p.attest(p.token(email, claims), nil)
	if a.Status == http.StatusOK {
		return a.String("user_id")
	}
	return servertest.Must(t, p.Administer(http.MethodGet, "/verdicts/"+a.String("request_id"), nil)).String("verdict", "reason")
}

// TestEmailVerified holds email_verified, in every form that issuers write it,
// against every trust in addresses.
func TestEmailVerified(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		forms := map[string]map[string]any{
			"true": {"email_verified": true}, "text": {"email_verified": "true"}, "1": {"email_verified": 1}, "false": {"email_verified": false},
			"null": {"email_verified": nil}, "absent": {}, "array": {"email_verified": []bool{true}},
		}
		for _, trusted := range []string{"issuer", "verified_claim", "never_link"} {
			p.setPolicy(t, map[string]any{"email_trust": trusted, "subject_claim": "sub"})
			for form, claims := range forms {
				claims := maps.Clone(claims)
				claims["sub"] = trusted + form
				got := p.outcome(t, fmt.Sprintf("%s%d@example.com", trusted, len(form)*100+int(form[0])), claims)
				refused := trusted == "verified_claim" && form != "true"
				if refused != (got == "email_not_verified") {
					t.Errorf("%s, email_verified %s: %s", trusted, form, got)
				}
			}
		}
	})
}

// TestOneAddress says which spellings of an address are one person, and which
// are others, through a whole sign-in.
func TestOneAddress(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		as := func(address string) string {
			t.Helper()
			return p.outcome(t, address, map[string]any{"sub": nil})
		}
		for _, same := range [][]string{
			{"Kim@Example.com", "kim@example.COM"},
			{"jos\u00e9@example.com", "jose\u0301@example.com"},                            // NFC and NFD
			{"ada@b\u00fccher.example", "ada@BÜCHER.example", "ada@xn--bcher-kva.example"}, // U-label and A-label
		} {
			first := as(same[0])
			for _, address := range same[1:] {
				if got := as(address); got != first {
					t.Errorf("%q and %q: %s and %s, want one person", same[0], address, first, got)
				}
			}
		}
		for _, pair := range [][2]string{
			{"kate@example.com", "\u212aate@example.com"}, // the Kelvin sign is no k
			{"paul@example.com", "p\u0430ul@example.com"}, // nor a Cyrillic а an a
			{"bob@example.com", "bob+work@example.com"},   // only the host knows
			{"eve@example.com", "eve@ex\u0430mple.com"},   // a homograph of the domain
			{"dot.ted@example.com", "dotted@example.com"},
		} {
			if a, b := as(pair[0]), as(pair[1]); a == b {
				t.Errorf("%q and %q are both %s", pair[0], pair[1], a)
			}
		}
		for _, bad := range []string{"a\u200b@example.com", "\u202eada@example.com", "ada@example.com\n", "Ada <ada@example.com>"} {
			if got := as(bad); got != "email_invalid" {
				t.Errorf("%q: %s", bad, got)
			}
		}
	})
}

// TestLinks follows people whose addresses change, and addresses that change
// hands.
func TestLinks(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		p.setPolicy(t, map[string]any{"subject_claim": "sub"})
		bob := p.outcome(t, "bob@example.com", map[string]any{"sub": "b"})
		ada := p.outcome(t, "ada@example.com", map[string]any{"sub": "1"})
		if got := p.outcome(t, "ada@new.example", map[string]any{"sub": "1"}); got != ada {
			t.Errorf("the same subject with another address: %s, want %s", got, ada)
		}
		if got := p.outcome(t, "ada@example.com", map[string]any{"sub": "2"}); got != "subject_conflict" {
			t.Errorf("her address with another subject of the same issuer: %s", got)
		}
		emails := func(when string) int {
			t.Helper()
			p.setPolicy(t, map[string]any{"on_sign_in": map[string]any{"email": when}})
			p.outcome(t, "ada@"+when+".example", map[string]any{"sub": "1"})
			return len(list(servertest.Must(t, p.API(http.MethodGet, "/v1/users/"+ada, nil)), "emails"))
		}
		if never, empty, always := emails("never"), emails("if_empty"), emails("always"); never != 1 || empty != 1 || always != 2 {
			t.Errorf("addresses after sign-ins with email never, if_empty, always: %d, %d, %d", never, empty, always)
		}
		if got := p.outcome(t, "bob@example.com", map[string]any{"sub": "1"}); got != "subject_conflict" {
			t.Errorf("her subject with his address, to be added: %s", got)
		}

		// A second issuer that claims the same address.
		for name, want := range map[string]string{"issuer": ada, "verified_claim": "email_not_verified", "never_link": "subject_conflict"} {
			other := p.another(t, clock, map[string]any{"email_trust": name, "subject_claim": "sub"})
			if got := other.outcome(t, "ada@example.com", map[string]any{"sub": "77"}); got != want {
				t.Errorf("another issuer with her address, %s: %s, want %s", name, got, want)
			}
		}
		other := p.another(t, clock, nil)
		if got := other.outcome(t, "ada@example.com", nil); got != ada {
			t.Errorf("another issuer with her address, by default: %s, want %s", got, ada)
		}
		if got := other.outcome(t, "bob@example.com", nil); got != bob {
			t.Errorf("another issuer with his address: %s, want %s", got, bob)
		}

		servertest.Must(t, p.API(http.MethodDelete, "/v1/users/"+ada, nil))
		if got := p.outcome(t, "ada@example.com", map[string]any{"sub": "1"}); got == ada || got == "subject_conflict" {
			t.Errorf("after her deletion: %s, want somebody new", got)
		}
	})
}

func TestRacingSubjectsAreOnePerson(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.setPolicy(t, map[string]any{"subject_claim": "sub"})
		for round := range rounds(20) {
			tokens := make([]string, 8)
			for i := range tokens { // each with another address
				tokens[i] = p.token(fmt.Sprintf("ada%d.%d@example.com", round, i), map[string]any{"sub": fmt.Sprint("race-", round)})
			}
			answers := make([]servertest.Answer, len(tokens))
			race(len(tokens), func(i int) { answers[i] = p.attest(tokens[i], nil) })
			for i, a := range answers {
				if a.Status != http.StatusOK || a.String("user_id") != answers[0].String("user_id") {
					t.Fatalf("round %d, request %d: %d %s", round, i, a.Status, a.Text)
				}
			}
		}
	})
}

// TestProvisioningIsBounded holds jit_per_hour at its border and in the next
// hour, and jit_domains by their A-labels.
func TestProvisioningIsBounded(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		now := clock.Now()
		clock.Advance(now.Truncate(time.Hour).Add(time.Hour + time.Minute).Sub(now))
		p.setPolicy(t, map[string]any{"jit_per_hour": 3, "jit_domains": []string{"BÜCHER.example"}})
		address := func(i int) string { return fmt.Sprintf("p%d@xn--bcher-kva.example", i) }
		if got := p.outcome(t, "p@example.com", nil); got != "jit_domain_not_allowed" {
			t.Errorf("another domain: %s", got)
		}
		for i := range 3 {
			p.session(t, address(i), nil)
		}
		if got := p.outcome(t, address(3), nil); got != "jit_limit_reached" {
			t.Errorf("the fourth within an hour: %s", got)
		}
		p.session(t, address(0), nil) // who exists is not provisioned
		clock.Advance(time.Hour)
		p.session(t, address(3), nil)
	})
}

// TestSignInUpdates says when a sign-in changes an external ID and roles of
// somebody who exists.
func TestSignInUpdates(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		servertest.Must(t, p.Administer(http.MethodPut, "/rbac_policy", map[string]any{"custom_resources": []any{}, "custom_scopes": []any{}, "custom_roles": []any{
			map[string]any{"role_id": "reader", "description": "", "permissions": []any{}}, map[string]any{"role_id": "writer", "description": "", "permissions": []any{}},
		}}))
		servertest.Must(t, p.Administer(http.MethodPatch, "/trusted_token_profiles/"+p.profile, map[string]any{
			"attribute_mapping": map[string]any{"email": "email", "token_id": "jti", "external_user_id": "ext", "role_ids": "roles"},
		}))
		for _, when := range []struct{ setting, externalID, role string }{
			{"always", "new", "writer"}, {"if_empty", "old", "reader"}, {"never", "old", "reader"},
		} {
			email := when.setting + "@example.com"
			servertest.Must(t, p.attest(p.token(email, map[string]any{"ext": when.setting + "-old", "roles": []string{"reader"}}), nil))
			p.setPolicy(t, map[string]any{"on_sign_in": map[string]any{"external_user_id": when.setting, "role_ids": when.setting}})
			a := servertest.Must(t, p.attest(p.token(email, map[string]any{"ext": when.setting + "-new", "roles": []string{"writer"}}), nil))
			roles := list(a, "user", "roles")
			if got := a.String("user", "external_id"); got != when.setting+"-"+when.externalID || len(roles) != 2 || roles[1] != when.role {
				t.Errorf("%s: external ID %q, roles %v", when.setting, got, roles)
			}
			p.setPolicy(t, map[string]any{"on_sign_in": nil})
		}
		p.setPolicy(t, map[string]any{"role_ids_allowed": []string{"reader"}})
		if got := p.outcome(t, "eve@example.com", map[string]any{"roles": []string{"writer"}}); got != "role_not_allowed" {
			t.Errorf("a role that the issuer may not give: %s", got)
		}
	})
}
