package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestPolicyRules goes through rbac.md §2 in both verticals.
func TestPolicyRules(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := serve(t, database, nil)
		for vertical, defaults := range map[string][]string{"CONSUMER": {"stytch_user"}, "B2B": {"stytch_member", "stytch_admin"}} {
			t.Run(vertical, func(t *testing.T) {
				t.Parallel()
				e := s.NewEnvironmentOf(vertical, "TEST", object{"session_jwt_algorithm": "ES256"})
				put := func(body object) servertest.Answer { return e.Administer(http.MethodPut, "/rbac_policy", body) }
				get := func() servertest.Answer {
					return servertest.Must(t, e.Administer(http.MethodGet, "/rbac_policy", nil))
				}
				// changes puts and holds the answer, and what is read after, against
				// the policy of before with those members.
				changes := func(what, body, want string) {
					t.Helper()
					expected, _ := get().At("policy").(map[string]any)
					for name, value := range decoded(t, want).(map[string]any) {
						expected[name] = value
					}
					answer := servertest.Must(t, put(decoded(t, body).(map[string]any)))
					for from, got := range map[string]any{"answer": answer.At("policy"), "read": get().At("policy")} {
						if diff := cmp.Diff(any(expected), got); diff != "" {
							t.Errorf("%s (-want +%s):\n%s", what, from, diff)
						}
					}
				}
				begin := get()
				for _, id := range []string{"stytch_user", "stytch_member", "stytch_admin"} {
					_, there := begin.JSON["policy"].(map[string]any)[id]
					if there != (cmp.Equal(defaults, []string{id}) || vertical == "B2B" && id != "stytch_user") {
						t.Errorf("%s of a %s policy is there: %t", id, vertical, there)
					}
				}
				const empty = `"custom_roles": [], "custom_resources": [], "custom_scopes": []`
				changes("nothing in a policy that has nothing", `{}`, `{`+empty+`}`)
				full := `"custom_resources": [{"resource_id": "z", "description": "", "available_actions": ["b", "a"]}, {"resource_id": "a", "description": "d", "available_actions": ["x"]}],
					"custom_roles": [{"role_id": "z", "description": "", "permissions": [{"resource_id": "z", "actions": ["b", "a"]}, {"resource_id": "a", "actions": ["*"]}]}, {"role_id": "a", "description": "d", "permissions": []}],
					"custom_scopes": [{"scope": "z", "description": "", "permissions": [{"resource_id": "a", "actions": ["x"]}]}, {"scope": "a", "description": "d", "permissions": [{"resource_id": "z", "actions": ["*"]}]}]`
				changes("everything, in its own order", `{`+full+`}`, `{`+full+`}`)
				changes("the same again", `{`+full+`}`, `{`+full+`}`)
				for _, id := range defaults {
					changes(id+", exactly as sent", `{`+full+`, "`+id+`": {"permissions": [{"resource_id": "z", "actions": ["b"]}]}}`, `{"`+id+`": {"permissions": [{"resource_id": "z", "actions": ["b"]}]}}`)
					changes(id+", left out", `{`+full+`}`, `{}`)
					changes(id+", null", `{`+full+`, "`+id+`": null}`, `{}`)
					changes(id+", without permissions", `{`+full+`, "`+id+`": {}}`, `{"`+id+`": {"permissions": []}}`)
					changes(id+", with null", `{`+full+`, "`+id+`": {"permissions": null}}`, `{}`)
					changes(id+", with a built-in resource", `{`+full+`, "`+id+`": {"permissions": [{"resource_id": "`+map[string]string{"CONSUMER": "stytch.user", "B2B": "stytch.member"}[vertical]+`", "actions": ["read", "of.a.later.day"]}]}}`,
						`{"`+id+`": {"permissions": [{"resource_id": "`+map[string]string{"CONSUMER": "stytch.user", "B2B": "stytch.member"}[vertical]+`", "actions": ["read", "of.a.later.day"]}]}}`)
				}
				kept := get().At("policy")
				for _, wrong := range map[string][]string{"CONSUMER": {"stytch_member", "stytch_admin"}, "B2B": {"stytch_user"}}[vertical] {
					refusedAs(t, wrong, put(object{wrong: object{}}), http.StatusBadRequest, "invalid_role_for_vertical")
				}
				refusedAs(t, "a default role that names what goes", put(object{defaults[0]: object{"permissions": []any{object{"resource_id": "z", "actions": []string{"a"}}}}}), http.StatusBadRequest, "invalid_permission_resource")
				refusedAs(t, "a built-in resource of the other vertical",
					put(object{"custom_roles": []any{object{"role_id": "a", "permissions": []any{object{"resource_id": map[string]string{"CONSUMER": "stytch.member", "B2B": "stytch.user"}[vertical], "actions": []string{"*"}}}}}}),
					http.StatusBadRequest, "invalid_permission_resource")
				if diff := cmp.Diff(kept, get().At("policy")); diff != "" {
					t.Errorf("a refusal changed the policy:\n%s", diff)
				}
				// What Terraform writes back, and its deletion.
				changes("what was read", encoded(t, kept), `{}`)
				changes("empty lists", `{`+empty+`}`, `{`+empty+`}`)
				if got := e.API(http.MethodGet, "/v1/rbac/policy", nil); vertical == "B2B" {
					refusedAs(t, "the runtime policy of consumers", got, http.StatusBadRequest, "invalid_consumer_endpoint")
				} else if roles := list(servertest.Must(t, got), "policy", "roles"); len(roles) != 1 {
					t.Errorf("the runtime policy: %s", got.Text)
				}
			})
		}
	})
}

// TestPolicyUnderChange has a default role name a resource that a later policy
// leaves out.
func TestPolicyUnderChange(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.putPolicy(t, object{"custom_resources": policyOf()["custom_resources"], "stytch_user": object{"permissions": []any{object{"resource_id": "documents", "actions": []string{"read"}}}}})
		refusedAs(t, "without the resource", p.Administer(http.MethodPut, "/rbac_policy", object{}), http.StatusBadRequest, "invalid_permission_resource")
		p.putPolicy(t, object{"stytch_user": object{}})
	})
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
