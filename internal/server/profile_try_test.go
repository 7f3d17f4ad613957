package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

// TestProfileTestsHoldAProfile saves nothing that a profile's own tests are
// against, unless it is forced.
func TestProfileTestsHoldAProfile(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		now := clock.Now().Unix()
		test := func(name string, claims object, expect object) object {
			return object{"name": name, "claims": claims, "expect": expect}
		}
		fine := object{"email": "Ada@example.com", "jti": 12345678901234567, "sub": "7", "email_verified": true, "tier": "gold"}
		with := func(name string, value any) object {
			claims := object{}
			for n, v := range fine {
				claims[n] = v
			}
			claims[name] = value
			return claims
		}
		reason := func(r trust.Reason) object { return object{"reason": string(r)} }
		tests := []any{
			test("fine", fine, object{"attributes": object{"email": "Ada@example.com", "token_id": "12345678901234567", "external_user_id": "7", "role_ids": nil}}),
			test("issuer", with("iss", "https://elsewhere.example"), reason(trust.IssuerMismatch)),
			test("audience", with("aud", []string{"elsewhere"}), reason(trust.AudienceMismatch)),
			test("no exp", with("exp", nil), reason(trust.MissingExpiry)),
			test("exp", with("exp", now-60), reason(trust.Expired)),
			test("nbf", with("nbf", now+60), reason(trust.NotYetValid)),
			test("iat", with("iat", now+60), reason(trust.IssuedInFuture)),
			test("lifetime", with("exp", now+7200), reason(trust.LifetimeTooLong)),
			test("nbf of no type", with("nbf", "x"), reason(trust.Malformed)),
			test("condition", with("tier", "tin"), reason(trust.ConditionFailed)),
			test("missing", with("jti", nil), reason(trust.ClaimMissing)),
			test("type", with("jti", true), reason(trust.ClaimType)),
			test("no address", with("email", "ada"), reason(trust.EmailInvalid)),
			test("verified", with("email_verified", "true"), reason(trust.EmailNotVerified)),
			test("domain", with("email", "ada@example.org"), reason(trust.EmailDomainNotAllowed)),
			object{"name": "alg", "header": object{"alg": "HS256"}, "claims": fine, "expect": reason(trust.AlgorithmNotAllowed)},
			object{"name": "crit", "header": object{"crit": []string{"x"}}, "claims": fine, "expect": reason(trust.UnsupportedCriticalHeader)},
			object{"name": "typ", "header": object{"typ": "logout+jwt"}, "claims": fine, "expect": reason(trust.WrongType)},
		}
		policy := object{
			"max_token_lifetime_seconds": 3600, "email_trust": "verified_claim", "email_domains": []string{"example.com"},
			"conditions": []string{"claims.tier == 'gold'"}, "required_typ": "at+jwt", "tests": tests,
		}
		servertest.Must(t, p.patch(object{"trust_policy": policy}))
		ran := servertest.Must(t, p.onProfile("/test", nil))
		if len(list(ran, "results")) != len(tests) || ran.At("passed") != true {
			t.Errorf("the tests: %s", ran.Text)
		}
		if refused := servertest.Must(t, p.onProfile("/test", object{"profile": object{"trust_policy": object{"email_domains": nil}}})); refused.At("passed") != false {
			t.Errorf("the tests of a draft that fails one: %s", refused.Text)
		}

		before := p.shownProfile(t)
		worse := []object{
			{"attribute_mapping": object{"email": "mail", "token_id": "jti", "external_user_id": "sub"}},
			{"attribute_mapping": nil},
			{"trust_policy": object{"conditions": []string{"claims.tier == 'lead'"}}},
			{"trust_policy": object{"email_domains": []string{"example.org"}}},
			{"trust_policy": object{"email_trust": "issuer"}},
			{"trust_policy": object{"max_token_lifetime_seconds": 0}},
		}
		for _, patch := range worse {
			refusedAs(t, "a worse profile", p.patch(patch), http.StatusBadRequest, "trusted_token_profile_test_failed")
		}
		if diff := cmp.Diff(before, p.shownProfile(t)); diff != "" {
			t.Errorf("refusals changed the profile:\n%s", diff)
		}
		servertest.Must(t, p.patch(object{"audience": "elsewhere too", "issuer": "https://other.example"})) // what tests leave out is right
		worse[0]["force"] = true
		servertest.Must(t, p.patch(worse[0]))
		if ran := servertest.Must(t, p.onProfile("/test", nil)); ran.At("passed") != false {
			t.Errorf("the tests of a profile that was forced: %s", ran.Text)
		}
		refusedAs(t, "and not forced again", p.patch(object{"name": "n", "trust_policy": object{"mode": "shadow"}}), http.StatusBadRequest, "trusted_token_profile_test_failed")
	})
}

// TestExpressionsInMappings lets expressions pick attributes out of claims.
func TestExpressionsInMappings(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		p.putPolicy(t, policyOf("reader", "writer"))
		servertest.Must(t, p.patch(object{
			"attribute_mapping": object{
				"email": `cel:claims.upn.lowerAscii() + "@example.com"`, "token_id": "cel:claims.sid",
				"external_user_id": `cel:has(claims.emp) ? claims.emp : "none"`,
				"role_ids":         `cel:claims.groups.filter(g, g.startsWith("app-")).map(g, g.substring(4))`,
			},
			"trust_policy": object{"subject_claim": `cel:claims.tid + "|" + claims.oid`},
		}))
		claims := func(more object) object {
			all := object{"email": nil, "upn": "ADA", "sid": "s-1", "tid": "t", "oid": "1", "groups": []string{"app-reader", "other"}}
			for name, value := range more {
				all[name] = value
			}
			return all
		}
		begin := servertest.Must(t, p.attest(p.token("", claims(nil)), nil))
		if at(list(begin, "user", "emails")[0], "email") != "ada@example.com" || begin.String("user", "external_id") != "none" {
			t.Errorf("the user: %s", begin.Text)
		}
		expectRoles(t, "the roles", begin, "reader")
		again := servertest.Must(t, p.attest(p.token("", claims(object{"upn": "lovelace", "groups": []string{"app-writer"}})), nil))
		if again.String("user_id") != begin.String("user_id") {
			t.Errorf("another address under the same subject is %s, not %s", again.String("user_id"), begin.String("user_id"))
		}
		expectRoles(t, "the roles then", again, "writer")
		literal := servertest.Must(t, p.attest(p.token("", claims(object{"oid": "2", "emp": "2", "cel:claims.sid": "literal", "upn": "bob"})), nil))
		factor, _ := list(literal, "session", "authentication_factors")[0].(object)
		if got := at(factor, "trusted_auth_token_factor", "token_id"); got != "literal" {
			t.Errorf("a claim of that very name: token_id %v", got)
		}

		for what, row := range map[string]struct {
			claims    object
			reason    string
			errorType string
		}{
			"no claim of the address": {object{"upn": nil}, "claim_missing", "jwt_invalid_claims"},
			"an address of no text":   {object{"upn": 7}, "claim_type", "jwt_invalid_claims"},
			"an address that is none": {object{"upn": planted + " <"}, "email_invalid", "invalid_email"},
			"no half of the subject":  {object{"oid": nil}, "claim_missing", "jwt_invalid_claims"},
			"a subject of two types":  {object{"oid": 7}, "claim_type", "jwt_invalid_claims"},
			"too long a subject":      {object{"oid": strings.Repeat("x", 300)}, "claim_type", "jwt_invalid_claims"},
			"groups of no list":       {object{"groups": planted}, "claim_type", "jwt_invalid_claims"},
		} {
			a := p.attest(p.token("", claims(row.claims)), nil)
			refusedAs(t, what, a, http.StatusBadRequest, row.errorType)
			v := p.verdict(t, a)
			if v.String("verdict", "reason") != row.reason || strings.Contains(v.Text+a.Text, planted) {
				t.Errorf("%s: %s\n%s", what, a.Text, v.Text)
			}
		}

		// An expression that fails on a value does not show it.
		servertest.Must(t, p.patch(object{"attribute_mapping": object{"email": "upn", "token_id": "cel:string(int(claims.secret))"}, "trust_policy": nil}))
		p.setPolicy(t, object{"conditions": []string{"claims.upn != 'x'", "int(claims.number) > 3"}})
		for what, more := range map[string]object{"condition": {"number": planted}, "mapping": {"number": "7", "secret": planted}} {
			more["upn"] = "ada@example.com"
			a := p.attest(p.token("", more), nil)
			v := p.verdict(t, a)
			if a.Status != http.StatusBadRequest || strings.Contains(a.Text+v.Text+p.Log(), planted) {
				t.Errorf("%s: %s\n%s", what, a.Text, v.Text)
			}
		}
		for _, mapping := range []object{{"email": "cel:claims.", "token_id": "jti"}, {"email": "email", "token_id": "cel:nosuch(claims)"}} {
			refusedAs(t, "an expression that does not compile", p.patch(object{"attribute_mapping": mapping}), http.StatusBadRequest, "trust_policy_invalid_condition")
		}
	})
}
