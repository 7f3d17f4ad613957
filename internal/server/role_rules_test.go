package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/storetest"
)

type object = map[string]any

// policyOf is a policy with roles of these names, each of which may read the
// documents.
func policyOf(roles ...string) object {
	custom := []any{}
	for _, role := range roles {
		custom = append(custom, object{"role_id": role, "permissions": []any{object{"resource_id": "documents", "actions": []string{"read"}}}})
	}
	return object{"custom_resources": []any{object{"resource_id": "documents", "available_actions": []string{"read", "write"}}}, "custom_roles": custom}
}

func (p *place) putPolicy(t *testing.T, policy object) servertest.Answer {
	t.Helper()
	return servertest.Must(t, p.Administer(http.MethodPut, "/rbac_policy", policy))
}

// arrangeBeside is another environment on the same server, with the same issuer.
func arrangeBeside(t *testing.T, p *place) *place {
	t.Helper()
	other := &place{Environment: p.NewEnvironment(object{"session_jwt_algorithm": "ES256"}), issuer: p.issuer}
	other.profile = other.profileOf(object{})
	return other
}

// profileOf makes a further profile of the issuer, whose tokens also give roles.
func (p *place) profileOf(more object) string {
	body := object{
		"public_key_type": "PEM", "pem_files": []string{p.issuer.PEM(countersign.ES256, issuertest.PublicKey)},
		"attribute_mapping": object{"email": "email", "token_id": "jti", "external_user_id": "sub", "role_ids": "roles"},
	}
	for name, value := range more {
		body[name] = value
	}
	return p.Profile(p.issuer.URL(), body)
}

// rolesOf are the roles that an answer shows beside the default one, which must
// come first: of the user, of the session and of its JWT alike.
func rolesOf(t *testing.T, what string, a servertest.Answer) []string {
	t.Helper()
	servertest.Must(t, a)
	shown := [][]any{list(a, "user", "roles")}
	if a.At("session") != nil {
		claim, _ := payload(t, a.String("session_jwt"))["https://stytch.com/session"].(map[string]any)
		inJWT, _ := claim["roles"].([]any)
		shown = append(shown, list(a, "session", "roles"), inJWT)
	}
	for _, other := range shown[1:] {
		if diff := cmp.Diff(shown[0], other); diff != "" {
			t.Errorf("%s: the user, the session and the JWT disagree:\n%s", what, diff)
		}
	}
	if len(shown[0]) == 0 || shown[0][0] != "stytch_user" {
		t.Fatalf("%s: the default role is not the first of %v", what, shown[0])
	}
	return texts(shown[0][1:])
}

func expectRoles(t *testing.T, what string, a servertest.Answer, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, rolesOf(t, what, a)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestRolesHaveSources goes through all that gives and takes roles.
func TestRolesHaveSources(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.putPolicy(t, policyOf("a", "b", "c"))
		first, second := *p, *p
		first.profile, second.profile = p.profileOf(object{"name": "first"}), p.profileOf(object{"name": "second"})
		signIn := func(from place, roles any) servertest.Answer {
			claims := object{}
			if roles != nil {
				claims["roles"] = roles
			}
			return from.attest(from.token("ada@example.com", claims), nil)
		}
		begin := signIn(first, []string{"a", "b"})
		expectRoles(t, "a first token", begin, "a", "b")
		id := begin.String("user_id")
		expectRoles(t, "no claim", signIn(first, nil), "a", "b")
		expectRoles(t, "another profile", signIn(second, []string{"b", "c"}), "a", "b", "c")
		expectRoles(t, "the default role in a token", signIn(second, []string{"stytch_user", "b"}), "a", "b")
		expectRoles(t, "one name", signIn(second, "c"), "a", "b", "c")
		expectRoles(t, "both names again", signIn(second, []string{"b", "c", "b"}), "a", "b", "c")
		expectRoles(t, "an explicit one beside", p.update(id, object{"roles": []string{"b"}}), "a", "b", "c")
		expectRoles(t, "the first takes its own back", signIn(first, []string{}), "b", "c")
		expectRoles(t, "the second takes one of two", signIn(second, []string{"c"}), "b", "c")
		expectRoles(t, "the API takes the last", p.update(id, object{"roles": []string{}}), "c")
		expectRoles(t, "the API takes nothing of a profile's", p.update(id, object{"roles": []string{"a"}}), "c", "a")

		refused := signIn(first, []string{"a", "nobody"})
		refusedAs(t, "an unknown role", refused, http.StatusBadRequest, "invalid_rbac_role_id")
		if !strings.Contains(refused.String("error_message"), "Reason: role_not_allowed.") {
			t.Errorf("the message does not name the reason: %s", refused.Text)
		}
		refusedAs(t, "for somebody new", first.attest(first.token("eve@example.com", object{"roles": []string{"nobody"}}), nil), http.StatusBadRequest, "invalid_rbac_role_id")
		refusedAs(t, "nobody new came of it", p.get("eve"), http.StatusNotFound, "user_not_found")
		expectRoles(t, "a refusal changes nothing", signIn(first, nil), "c", "a")

		servertest.Must(t, p.Administer(http.MethodDelete, "/trusted_token_profiles/"+second.profile, nil))
		expectRoles(t, "the profile is gone", p.authenticate(object{"session_token": begin.String("session_token")}), "a")
		got := servertest.Must(t, p.get(id))
		if diff := cmp.Diff([]any{"stytch_user", "a"}, got.At("roles")); diff != "" {
			t.Errorf("the user without the profile (-want +got):\n%s", diff)
		}
		// Attaching gives roles, too.
		attached := first.attest(first.token("ada@example.com", object{"roles": []string{"b"}}), object{"session_token": begin.String("session_token")})
		expectRoles(t, "attach", attached, "a", "b")
	})
}

// TestDeletedRoleIsGone takes a role out of the policy, and puts another of the
// same name in its place.
func TestDeletedRoleIsGone(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.putPolicy(t, policyOf("a", "b"))
		p.profile = p.profileOf(object{"name": "roles"})
		s := servertest.Must(t, p.attest(p.token("ada@example.com", object{"roles": []string{"a"}}), nil))
		id, by := s.String("user_id"), object{"session_token": s.String("session_token")}
		servertest.Must(t, p.update(id, object{"roles": []string{"a", "b"}}))
		check := object{"session_token": s.String("session_token"), "authorization_check": object{"resource_id": "documents", "action": "read"}}
		granting := func() any { return servertest.Must(t, p.authenticate(check)).At("verdict", "granting_roles") }

		expectRoles(t, "with the role", p.authenticate(by), "a", "b")
		p.putPolicy(t, policyOf("b"))
		expectRoles(t, "without the role", p.authenticate(by), "b")
		if diff := cmp.Diff(any([]any{"b"}), granting()); diff != "" {
			t.Errorf("granting roles (-want +got):\n%s", diff)
		}
		refusedAs(t, "give it again", p.update(id, object{"roles": []string{"a"}}), http.StatusBadRequest, "invalid_rbac_role_id")
		p.putPolicy(t, policyOf("a", "b"))
		expectRoles(t, "another role of that name", p.authenticate(by), "b")
		expectRoles(t, "a token that says nothing", p.attest(p.token("ada@example.com", nil), nil), "b")
		expectRoles(t, "who is made now", p.attest(p.token("bob@example.com", object{"roles": []string{"a"}}), nil), "a")
		expectRoles(t, "given anew", p.update(id, object{"roles": []string{"b", "a"}}), "b", "a")
		p.putPolicy(t, policyOf())
		expectRoles(t, "no role at all", p.authenticate(by))
		refusedAs(t, "nothing is permitted", p.authenticate(check), http.StatusForbidden, "consumer_session_authorization_error")
		p.putPolicy(t, object{"stytch_user": object{"permissions": []any{object{"resource_id": "documents", "actions": []string{"*"}}}}, "custom_resources": policyOf()["custom_resources"]})
		if diff := cmp.Diff(any([]any{"stytch_user"}), granting()); diff != "" {
			t.Errorf("what the default role grants (-want +got):\n%s", diff)
		}
	})
}

// TestRolesShowInTheNextJWT changes roles within the minute in which the same JWT
// is given again.
func TestRolesShowInTheNextJWT(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		p.putPolicy(t, policyOf("a"))
		s := p.session(t, "ada@example.com", nil)
		by := object{"session_token": s.String("session_token")}
		jwt := s.String("session_jwt")
		step := func(what string, changed bool, want ...string) {
			t.Helper()
			clock.Advance(time.Second)
			a := p.authenticate(by)
			expectRoles(t, what, a, want...)
			agrees(t, what, a, clock)
			if (a.String("session_jwt") != jwt) != changed {
				t.Errorf("%s: another JWT = %t, want %t", what, !changed, changed)
			}
			jwt = a.String("session_jwt")
		}
		step("nothing happened", false)
		servertest.Must(t, p.update(s.String("user_id"), object{"roles": []string{"a"}}))
		step("a role given", true, "a")
		step("nothing happened", false, "a")
		servertest.Must(t, p.update(s.String("user_id"), object{"name": object{"first_name": "Ada"}}))
		step("what the JWT does not say changed", false, "a")
		p.putPolicy(t, policyOf())
		step("the role deleted", true)
		listed := servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id="+s.String("user_id"), nil))
		if diff := cmp.Diff(any([]any{"stytch_user"}), at(list(listed, "sessions")[0], "roles")); diff != "" {
			t.Errorf("the list of sessions (-want +got):\n%s", diff)
		}
	})
}

// TestPolicyOnEveryNode changes a policy on one node and asks the other.
func TestPolicyOnEveryNode(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	keyset, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	options := servertest.Options{Keyset: countersign.Bearer(keyset)}
	one := servertest.Start(t, database, options)
	p := arrange(t, one, nil)
	p.putPolicy(t, policyOf("a"))
	s := p.session(t, "ada@example.com", nil)
	servertest.Must(t, p.update(s.String("user_id"), object{"roles": []string{"a"}}))
	two := *p
	beside := *p.Environment
	beside.Server = servertest.Start(t, database, options)
	two.Environment = &beside
	by := object{"session_token": s.String("session_token")}
	for range 3 {
		expectRoles(t, "with the role", two.authenticate(by), "a")
		p.putPolicy(t, policyOf())
		expectRoles(t, "without", two.authenticate(by))
		two.putPolicy(t, policyOf("a"))
		expectRoles(t, "another of that name", p.authenticate(by))
		expectRoles(t, "given anew", p.update(s.String("user_id"), object{"roles": []string{"a"}}), "a")
	}
}

// TestVerdictAgreesWithClients draws policies, users and questions at random, and
// decides each question a second time, as clients do with the runtime policy and
// the roles of the JWT.
func TestVerdictAgreesWithClients(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	clock := servertest.NewClock()
	p := arrange(t, serve(t, storetest.SQLite(t), clock), clock)
	s := p.session(t, "ada@example.com", nil)
	resources, actions := []string{"documents", "invoices", "doc", "documents.sub"}, []string{"read", "write", "read.all", "*"}
	some := func(from []string) (list []string) {
		for _, v := range from {
			if random.IntN(2) == 0 {
				list = append(list, v)
			}
		}
		return list
	}
	permissions := func() []any {
		list := []any{}
		for _, r := range some(resources) {
			chosen := some(actions[:3])
			if len(chosen) == 0 {
				chosen = []string{"*"}
			}
			list = append(list, object{"resource_id": r, "actions": chosen})
		}
		return list
	}
	granted, denied := 0, 0
	for range rounds(60) {
		policy := object{"stytch_user": object{"permissions": permissions()}}
		var custom, defined []any
		names := []string{"c", "a", "b", "d", "A"}
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			custom = append(custom, object{"role_id": name, "permissions": permissions()})
		}
		for _, r := range resources {
			defined = append(defined, object{"resource_id": r, "available_actions": actions[:3]})
		}
		policy["custom_roles"], policy["custom_resources"] = custom, defined
		p.putPolicy(t, policy)
		servertest.Must(t, p.update(s.String("user_id"), object{"roles": append([]string{}, some(names)...)}))
		runtime := servertest.Must(t, p.API(http.MethodGet, "/v1/rbac/policy", nil))
		known := countersign.Policy{CustomRoles: rolesIn(t, runtime)}
		for range 6 {
			resource, action := resources[random.IntN(len(resources))], actions[random.IntN(len(actions))]
			if random.IntN(6) == 0 {
				resource = "nothing"
			}
			a := p.authenticate(object{"session_token": s.String("session_token"), "authorization_check": object{"resource_id": resource, "action": action}})
			plain := p.authenticate(object{"session_token": s.String("session_token")})
			held := append([]string{"stytch_user"}, rolesOf(t, "authenticate", plain)...)
			var want []string
			for _, role := range list(runtime, "policy", "roles") {
				if slices.Contains(held, text(at(role, "role_id"))) && permits(role, resource, action) {
					want = append(want, text(at(role, "role_id")))
				}
			}
			what := fmt.Sprintf("%s on %s by %v", action, resource, held)
			if len(want) == 0 {
				denied++
				refusedAs(t, what, a, http.StatusForbidden, "consumer_session_authorization_error")
				if a.At("session") != nil || a.At("user") != nil {
					t.Errorf("%s: a refusal gives data away: %s", what, a.Text)
				}
				continue
			}
			granted++
			if diff := cmp.Diff(want, texts(list(a, "verdict", "granting_roles"))); diff != "" || a.At("verdict", "authorized") != true {
				t.Errorf("%s (-want +got):\n%s%s", what, diff, a.Text)
			}
			if diff := cmp.Diff(want, rbac.Granting(known, held, resource, action)); diff != "" {
				t.Errorf("%s: rbac.Granting (-want +got):\n%s", what, diff)
			}
		}
	}
	if granted == 0 || denied == 0 {
		t.Errorf("%d granted, %d denied: the questions show nothing", granted, denied)
	}
}

// rolesIn are the roles of a runtime policy.
func rolesIn(t *testing.T, runtime servertest.Answer) (roles []countersign.Role) {
	t.Helper()
	text, err := json.Marshal(runtime.At("policy", "roles"))
	if err == nil {
		err = json.Unmarshal(text, &roles)
	}
	if err != nil {
		t.Fatal(err)
	}
	return roles
}

// texts are the strings of an array.
func texts(list []any) (out []string) {
	for _, v := range list {
		out = append(out, text(v))
	}
	return out
}

// permits is the rule of rbac.md §5, as a client in JavaScript would write it.
func permits(role any, resource, action string) bool {
	list, _ := at(role, "permissions").([]any)
	for _, permission := range list {
		actions, _ := at(permission, "actions").([]any)
		if at(permission, "resource_id") == resource && (slices.Contains(actions, any(action)) || slices.Contains(actions, any("*"))) {
			return true
		}
	}
	return false
}
