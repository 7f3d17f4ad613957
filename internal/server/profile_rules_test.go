package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// patch changes the place's profile.
func (p *place) patch(body object) servertest.Answer {
	return p.Administer(http.MethodPatch, "/trusted_token_profiles/"+p.profile, body)
}

// onProfile calls one of the endpoints below the place's profile.
func (p *place) onProfile(path string, body object) servertest.Answer {
	return p.Administer(http.MethodPost, "/trusted_token_profiles/"+p.profile+path, body)
}

// shownProfile is the place's profile as it is shown.
func (p *place) shownProfile(t *testing.T) object {
	t.Helper()
	shown, _ := servertest.Must(t, p.Administer(http.MethodGet, "/trusted_token_profiles/"+p.profile, nil)).At("profile").(object)
	return shown
}

// TestTrustPolicyMerges changes a policy setting by setting (RFC 7396).
func TestTrustPolicyMerges(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		defaults, _ := p.shownProfile(t)["trust_policy"].(object)
		want := maps.Clone(defaults)
		for i, step := range []struct {
			patch any
			now   object // what differs from before
		}{
			{object{"audiences": []string{"a", "b"}, "mode": "shadow"}, object{"audiences": []any{"a", "b"}, "mode": "shadow"}},
			{object{"audiences": []string{"c"}}, object{"audiences": []any{"c"}}}, // a list is replaced
			{object{}, nil},
			{object{"on_sign_in": object{"email": "always", "role_ids": "never"}}, object{"on_sign_in": object{"email": "always", "role_ids": "never"}}},
			{object{"on_sign_in": object{"external_user_id": "never", "email": nil}}, object{"on_sign_in": object{"external_user_id": "never", "role_ids": "never"}}},
			{object{"mode": nil, "role_ids_allowed": []string{}}, object{"mode": "enforce", "role_ids_allowed": []any{}}},
			{object{"email_domains": []string{"BÜCHER.example", "Example.COM"}, "email_trust": "verified_claim"}, object{"email_domains": []any{"xn--bcher-kva.example", "example.com"}, "email_trust": "verified_claim"}},
			{object{"on_sign_in": nil, "audiences": nil, "email_domains": nil}, object{"on_sign_in": nil, "audiences": nil, "email_domains": nil}},
			{nil, defaults},
		} {
			maps.Copy(want, step.now)
			a := servertest.Must(t, p.patch(object{"trust_policy": step.patch}))
			if diff := cmp.Diff(want, a.At("profile", "trust_policy")); diff != "" {
				t.Errorf("patch %d (-want +got):\n%s", i, diff)
			}
			if diff := cmp.Diff(a.At("profile"), any(p.shownProfile(t))); diff != "" {
				t.Errorf("patch %d answers and is kept (-answer +kept):\n%s", i, diff)
			}
		}
		servertest.Must(t, p.patch(object{"trust_policy": object{"mode": "shadow"}}))
		servertest.Must(t, p.patch(object{"name": "other"})) // says nothing of the policy
		if mode := p.shownProfile(t)["trust_policy"].(object)["mode"]; mode != "shadow" {
			t.Errorf("after a change of the name: mode %v", mode)
		}
	})
}

// TestTrustPolicyRefuses goes through what a policy cannot be, on every way to a
// profile. Nothing changes.
func TestTrustPolicyRefuses(t *testing.T) {
	t.Parallel()
	const invalid, unknown, vertical, expression = "trust_policy_invalid_setting", "trust_policy_unknown_setting", "trust_policy_wrong_vertical", "trust_policy_invalid_condition"
	many := func(n int, format string) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return list
	}
	example := func(more object) []any {
		test := object{"name": "a", "claims": object{"email": "a@example.com", "jti": "1"}, "expect": object{"attributes": object{"email": "a@example.com"}}}
		maps.Copy(test, more)
		return []any{test}
	}
	rows := []struct {
		policy    any
		errorType string
		says      string
	}{
		{[]string{}, invalid, "JSON object or null"},
		{"shadow", invalid, "JSON object or null"},
		{object{"audience": []string{"a"}}, unknown, `did you mean \"audiences\"`},
		{object{"Mode": "shadow"}, unknown, `did you mean \"mode\"`},
		{object{"zzzzzzzz": 1}, unknown, "there are algorithms, audiences"},
		{object{"algorithms": []string{"none"}}, invalid, "key pair"},
		{object{"algorithms": []string{"HS512"}}, invalid, "key pair"},
		{object{"algorithms": []string{"es256"}}, invalid, "did you mean"},
		{object{"algorithms": many(11, "RS256")}, invalid, "1 to 10"},
		{object{"algorithms": []any{1}}, invalid, "number"},
		{object{"audiences": []string{}}, invalid, "must have an entry"},
		{object{"audiences": many(101, "a%d")}, invalid, "100 entries"},
		{object{"audiences": []string{"a\x00"}}, invalid, "control"},
		{object{"required_typ": "a b"}, invalid, "media type"},
		{object{"required_typ": "application/DPOP+jwt; x=1"}, invalid, "without spaces"},
		{object{"required_typ": "application/DPoP+JWT"}, invalid, "never accepted"},
		{object{"clock_skew_seconds": -1}, invalid, "0 to 300"},
		{object{"clock_skew_seconds": "30"}, invalid, "string"},
		{object{"max_token_lifetime_seconds": 31622401}, invalid, "0 to 31622400"},
		{object{"max_token_age_seconds": -1}, invalid, "0 to 31622400"},
		{object{"one_time_tokens": "true"}, invalid, "string"},
		{object{"one_time_tokens": 1}, invalid, "number"},
		{object{"subject_claim": strings.Repeat("s", 1025)}, invalid, "1024 bytes"},
		{object{"subject_claim": "a\tb"}, invalid, "control"},
		{object{"subject_claim": "cel:claims.sub +"}, expression, "subject_claim"},
		{object{"email_trust": ""}, invalid, "email_trust"},
		{object{"email_trust": "never_link"}, invalid, "needs subject_claim"},
		{object{"email_domains": []string{}}, invalid, "must have an entry"},
		{object{"email_domains": []string{"*.example.com"}}, invalid, "wildcard"},
		{object{"jit_domains": []string{"example"}}, invalid, "domain"},
		{object{"jit_domains": []string{"a@example.com"}}, invalid, "domain"},
		{object{"jit_per_hour": 1000001}, invalid, "0 to 1000000"},
		{object{"on_sign_in": object{"external_member_id": "always"}}, vertical, "external_user_id"},
		{object{"on_sign_in": object{"token_id": "always"}}, unknown, "token_id"},
		{object{"on_sign_in": object{"email": "sometimes"}}, invalid, "on_sign_in.email"},
		{object{"on_sign_in": []string{"email"}}, invalid, "array"},
		{object{"role_ids_allowed": []string{""}}, invalid, "1 to 128"},
		{object{"organization_id": "organization-test-00000000-0000-4000-8000-000000000001"}, vertical, "no organizations"},
		{object{"conditions": many(21, "claims.a == %d")}, invalid, "20 entries"},
		{object{"conditions": []string{""}}, expression, "unexpected end"},
		{object{"conditions": []string{"claims.a ==", "true"}}, expression, "conditions[0]"},
		{object{"conditions": []string{"'text'"}}, expression, "true or false"},
		{object{"mode": "off"}, invalid, "mode"},
		{object{"tests": example(object{"name": "a\nb"})}, invalid, "control"},
		{object{"tests": append(example(nil), example(nil)...)}, invalid, "another test"},
		{object{"tests": example(object{"expect": object{"reason": "expired", "attributes": object{}}})}, invalid, "either"},
		{object{"tests": example(object{"expect": object{"reason": "signature_invalid"}})}, invalid, "signature_invalid"},
		{object{"tests": example(object{"expect": object{"attributes": object{"external_member_id": "x"}}})}, invalid, "external_member_id"},
		{object{"tests": example(object{"claims": []any{}})}, invalid, "array"},
		{object{"tests": example(object{"expects": object{}})}, invalid, "expects"},
		{object{"tests": example(object{"claims": object{"email": "b@example.com", "jti": "1"}})}, "trusted_token_profile_test_failed", "a@example.com"},
		{object{"audiences": many(90, strings.Repeat("a", 600)+"%d")}, invalid, "bytes in all"},
	}
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		before := p.shownProfile(t)
		for _, row := range rows {
			create := object{"trust_policy": row.policy, "name": "n", "issuer": "i", "audience": "a", "public_key_type": "JWK", "jwks_url": "https://idp.example.com/", "attribute_mapping": object{"email": "email", "token_id": "jti"}}
			doors := map[string]servertest.Answer{
				"create": p.Administer(http.MethodPost, "/trusted_token_profiles", create),
				"patch":  p.patch(object{"trust_policy": row.policy}),
			}
			if row.errorType != "trusted_token_profile_test_failed" {
				draft := object{"profile": object{"trust_policy": row.policy, "force": true}, "claims": object{}, "since": "2026-01-01T00:00:00Z"}
				doors["forced"] = p.patch(object{"trust_policy": row.policy, "force": true})
				doors["explain"], doors["test"], doors["replay"] = p.onProfile("/explain", draft), p.onProfile("/test", draft), p.onProfile("/replay", draft)
			}
			for door, a := range doors {
				what := fmt.Sprintf("%s %.80v", door, row.policy)
				refusedAs(t, what, a, http.StatusBadRequest, row.errorType)
				if !strings.Contains(a.Text, row.says) {
					t.Errorf("%s: %s does not say %s", what, a.Text, row.says)
				}
			}
		}
		if diff := cmp.Diff(before, p.shownProfile(t)); diff != "" {
			t.Errorf("refusals changed the profile:\n%s", diff)
		}
		if n := len(list(servertest.Must(t, p.Administer(http.MethodGet, "/trusted_token_profiles", nil)), "profiles")); n != 1 {
			t.Errorf("%d profiles", n)
		}
		// Each within bounds, and all together not.
		servertest.Must(t, p.patch(object{"trust_policy": object{"audiences": many(50, strings.Repeat("a", 600)+"%d")}}))
		refusedAs(t, "too much in two steps", p.patch(object{"trust_policy": object{"role_ids_allowed": many(100, strings.Repeat("r", 120)+"%d"), "conditions": many(20, "claims.a == '"+strings.Repeat("c", 500)+"%d'")}}),
			http.StatusBadRequest, invalid)
	})
}
