package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

const organizations = "/v1/b2b/organizations"

// organization makes one and gives its ID.
func (p *place) organization(t *testing.T, name string, more object) string {
	t.Helper()
	body := object{"organization_name": name}
	maps.Copy(body, more)
	return servertest.Must(t, p.API(http.MethodPost, organizations, body)).String("organization", "organization_id")
}

// member makes a member and gives the ID.
func (p *place) member(t *testing.T, organization, email string, more object) string {
	t.Helper()
	body := object{"email_address": email}
	maps.Copy(body, more)
	return servertest.Must(t, p.API(http.MethodPost, organizations+"/"+organization+"/members", body)).String("member_id")
}

// onBehalf calls with a member's session beside the secret.
func (p *place) onBehalf(t *testing.T, session, method, path string, body object) servertest.Answer {
	t.Helper()
	return p.withHeader(t, "X-Stytch-Member-Session", session, method, path, body)
}

// withHeader calls with the secret and one header more.
func (p *place) withHeader(t *testing.T, name, value, method, path string, body object) servertest.Answer {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(p.ProjectID, p.Secret)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(name, value)
	return p.Do(r)
}

// eachB2B runs a test at a place of a B2B project, on both engines.
func eachB2B(t *testing.T, test func(*testing.T, *place)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, database string) { test(t, arrangeB2B(t, serve(t, database, nil), nil)) })
}

// TestVerticals calls every endpoint of either backend API with the credentials of
// the other vertical.
func TestVerticals(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	both := []string{
		"/v1/debug/whoami", "/v1/projects/metrics", "/v1/sessions/jwks/{project_id}", "/v1/b2b/sessions/jwks/{project_id}",
		"/sdk/v1/projects/bootstrap/{public_token}", "/sdk/v1/events",
	}
	tried := 0
	for _, route := range w.Routes() {
		credentials, want := w.b2b, "invalid_consumer_endpoint"
		switch {
		case slices.Contains(both, route.Pattern):
			continue
		case strings.HasPrefix(route.Pattern, "/sdk/v1/b2b/"):
			credentials, want = w.signedIn, "bad_vertical_for_stytch_sdk"
		case strings.HasPrefix(route.Pattern, "/sdk/v1/"):
			credentials, want = w.b2bSignedIn, "bad_vertical_for_stytch_sdk"
		case !strings.HasPrefix(route.Pattern, "/v1/"):
			continue
		case strings.HasPrefix(route.Pattern, "/v1/b2b/"):
			credentials, want = w.basic, "invalid_b2b_endpoint"
		}
		tried++
		if a := w.call(route.Method, w.path(route.Pattern), credentials, `{}`); a.status != http.StatusBadRequest || errorType(a) != want {
			t.Errorf("%s %s: %d %s, want %s", route.Method, route.Pattern, a.status, a.body, want)
		}
	}
	if tried < 80 {
		t.Errorf("only %d endpoints were tried", tried)
	}
}

var requestIDText = regexp.MustCompile(`request-id-test-[0-9a-f-]{36}`)

// TestPinnedProfiles tries to get out of the organization that a profile is pinned
// to: by claims, request fields, slugs, external IDs and names that look like IDs, of
// organizations that there are and that there are not. Nothing outside changes, and
// no answer tells whether there is another.
func TestPinnedProfiles(t *testing.T) {
	t.Parallel()
	eachB2B(t, func(t *testing.T, p *place) {
		home := p.organization(t, "Home", object{"organization_slug": "home", "organization_external_id": "crm|home"})
		away := p.organization(t, "Away", object{"organization_slug": "away", "organization_external_id": "crm|away"})
		victim := p.member(t, away, "ada@example.com", object{"external_id": "ada"})
		p.setPolicy(t, map[string]any{"organization_id": home})
		before := servertest.Must(t, p.API(http.MethodGet, organizations+"/members/dangerously_get/"+victim, nil)).At("member")
		// Names in pairs: of one that is there, and of one that is not.
		there := []string{away, "away", "crm|away", strings.ToUpper("crm|away")}
		nowhere := []string{"organization-test-00000000-0000-4000-8000-000000000001", "away2", "crm|away2", strings.ToUpper("crm|away2")}
		own := []string{home, "crm|home", ""}
		random := rand.New(rand.NewPCG(1, 2))
		try := func(claim, asked string, jti int) servertest.Answer {
			claims := map[string]any{"jti": fmt.Sprint(jti), "sub": "ada", "roles": []string{"stytch_admin"}}
			if claim != "" {
				claims["org"] = claim
			}
			more := map[string]any{}
			if asked != "" {
				more["organization_id"] = asked
			}
			return p.attest(p.token("ada@example.com", claims), more)
		}
		for jti := range 60 {
			i := random.IntN(len(there))
			inside := own[random.IntN(len(own))]
			known, unknown := [2]string{there[i], inside}, [2]string{nowhere[i], inside}
			switch random.IntN(3) {
			case 0:
				known, unknown = [2]string{inside, there[i]}, [2]string{inside, nowhere[i]}
			case 1:
				known, unknown = [2]string{there[i], there[i]}, [2]string{nowhere[i], nowhere[i]}
			}
			a, b := try(known[0], known[1], jti), try(unknown[0], unknown[1], jti)
			refusedAs(t, fmt.Sprint(known), a, http.StatusBadRequest, "invalid_token_organization_id_claim")
			if diff := cmp.Diff(requestIDText.ReplaceAllString(b.Text, ""), requestIDText.ReplaceAllString(a.Text, "")); diff != "" {
				t.Errorf("%v can be told from %v:\n%s", known, unknown, diff)
			}
		}
		if after := servertest.Must(t, p.API(http.MethodGet, organizations+"/members/dangerously_get/"+victim, nil)).At("member"); !cmp.Equal(before, after) {
			t.Errorf("the member of another organization changed:\n%s", cmp.Diff(before, after))
		}
		if n := len(list(servertest.Must(t, p.API(http.MethodPost, organizations+"/search", object{})), "organizations")); n != 2 {
			t.Errorf("there are %d organizations", n)
		}
		// At home the same person is another member, whose session opens nothing away.
		in := servertest.Must(t, try("", "", 100))
		if in.String("organization", "organization_id") != home || in.String("member_id") == victim {
			t.Errorf("signed in as %s of %s", in.String("member_id"), in.String("organization", "organization_id"))
		}
		session := in.String("session_token")
		refusedAs(t, "exchange", p.sessions("/exchange", map[string]any{"session_token": session, "organization_id": away}), http.StatusBadRequest, "insufficient_factors_for_session_exchange")
		for _, name := range slices.Concat(there, nowhere) {
			a := p.onBehalf(t, session, http.MethodPut, organizations+"/"+name, object{"organization_name": "Evil"})
			refusedAs(t, "as a member, "+name, a, http.StatusForbidden, "session_authorization_tenancy_error")
		}
		servertest.Must(t, p.onBehalf(t, session, http.MethodPut, organizations+"/home", object{"organization_name": "Better"})) // by the role that the token gave

		// A session of another organization is no way in either.
		p.setPolicy(t, map[string]any{"organization_id": ""})
		other := servertest.Must(t, try("crm|away", "", 101)).String("session_token")
		p.setPolicy(t, map[string]any{"organization_id": home})
		refusedAs(t, "attach", p.attest(p.token("ada@example.com", map[string]any{"sub": "ada"}), map[string]any{"session_token": other}), http.StatusBadRequest, "member_session_member_id_mismatch")
	})
}

// TestRacingFirstMembers has many first sign-ins of one person of one organization
// that is not there yet come at once: they make one of each.
func TestRacingFirstMembers(t *testing.T) {
	t.Parallel()
	eachB2B(t, func(t *testing.T, p *place) {
		const n = 12
		var answers [n]servertest.Answer
		tokens := make([]string, n)
		for i := range tokens {
			tokens[i] = p.token("ada@example.com", map[string]any{"org": "acme", "jti": fmt.Sprint(i)})
		}
		race(n, func(i int) { answers[i] = p.attest(tokens[i], nil) })
		for _, a := range answers {
			first := answers[0]
			if a.Status != http.StatusOK || a.String("member_id") != first.String("member_id") || a.String("organization", "organization_id") != first.String("organization", "organization_id") {
				t.Errorf("%d %s", a.Status, a.Text)
			}
		}
		counts := servertest.Must(t, p.Administer(http.MethodGet, "/metrics", nil))
		if counts.At("metrics", "organization_count") != json.Number("1") || counts.At("metrics", "member_count") != json.Number("1") {
			t.Errorf("there are %s", counts.Text)
		}
	})
}

// TestOnBehalf holds every row of b2b.md §7: without the permission a call is
// refused, with it it is done, for oneself where that is enough, and in no other
// organization.
func TestOnBehalf(t *testing.T) {
	t.Parallel()
	const (
		organization, member, self = "stytch.organization", "stytch.member", "stytch.self"
	)
	org, other, own := organizations+"/acme", organizations+"/acme/members/$OTHER", organizations+"/acme/members/$OWN"
	update := func(field string, value any) object { return object{field: value} }
	type row struct {
		method, path string
		body         object
		resource     string
		action       string
	}
	rows := []row{
		{"PUT", org, update("organization_name", "A"), organization, "update.info.name"},
		{"PUT", org, update("organization_slug", "acme"), organization, "update.info.slug"},
		{"PUT", org, update("organization_logo_url", "https://a.example"), organization, "update.info.logo-url"},
		{"PUT", org, update("sso_default_connection_id", "c"), organization, "update.settings.default-sso-connection"},
		{"PUT", org, update("sso_jit_provisioning", "NOT_ALLOWED"), organization, "update.settings.sso-jit-provisioning"},
		{"PUT", org, update("sso_jit_provisioning_allowed_connections", []string{}), organization, "update.settings.sso-jit-provisioning"},
		{"PUT", org, update("email_allowed_domains", []string{"a.example"}), organization, "update.settings.allowed-domains"},
		{"PUT", org, update("email_jit_provisioning", "RESTRICTED"), organization, "update.settings.email-jit-provisioning"},
		{"PUT", org, update("email_invites", "RESTRICTED"), organization, "update.settings.email-invites"},
		{"PUT", org, update("auth_methods", "ALL_ALLOWED"), organization, "update.settings.allowed-auth-methods"},
		{"PUT", org, update("allowed_auth_methods", []string{"sso"}), organization, "update.settings.allowed-auth-methods"},
		{"PUT", org, update("mfa_policy", "OPTIONAL"), organization, "update.settings.mfa-policy"},
		{"PUT", org, update("mfa_methods", "ALL_ALLOWED"), organization, "update.settings.allowed-mfa-methods"},
		{"PUT", org, update("allowed_mfa_methods", []string{"totp"}), organization, "update.settings.allowed-mfa-methods"},
		{"PUT", org, update("rbac_email_implicit_role_assignments", []object{}), organization, "update.settings.implicit-roles"},
		{"PUT", org, update("oauth_tenant_jit_provisioning", "RESTRICTED"), organization, "update.settings.oauth-tenant-jit-provisioning"},
		{"PUT", org, update("allowed_oauth_tenants", object{}), organization, "update.settings.allowed-oauth-tenants"},
		{"POST", org + "/members", update("email_address", "new@example.com"), member, "create"},
		{"POST", organizations + "/members/search", update("organization_ids", []string{"acme"}), member, "search"},
		{"PUT", other, update("name", "A"), member, "update.info.name"},
		{"PUT", own, update("name", "A"), self, "update.info.name"},
		{"PUT", other, update("untrusted_metadata", object{"a": 1}), member, "update.info.untrusted-metadata"},
		{"PUT", own, update("untrusted_metadata", object{"a": 1}), self, "update.info.untrusted-metadata"},
		{"PUT", other, update("mfa_phone_number", "+442071838750"), member, "update.info.mfa-phone"},
		{"PUT", own, update("mfa_phone_number", "+442071838751"), self, "update.info.mfa-phone"},
		{"PUT", other, update("mfa_enrolled", true), member, "update.settings.mfa-enrolled"},
		{"PUT", own, update("mfa_enrolled", true), self, "update.settings.mfa-enrolled"},
		{"PUT", other, update("default_mfa_method", "sms_otp"), member, "update.settings.default-mfa-method"},
		{"PUT", own, update("default_mfa_method", "sms_otp"), self, "update.settings.default-mfa-method"},
		{"PUT", other, update("is_breakglass", true), member, "update.settings.is-breakglass"},
		{"PUT", own, update("is_breakglass", true), member, "update.settings.is-breakglass"},
		{"PUT", other, update("roles", []string{"may"}), member, "update.settings.roles"},
		{"PUT", own, update("roles", []string{"may"}), member, "update.settings.roles"},
		{"DELETE", organizations + "/acme/members/mfa_phone_numbers/$OTHER", nil, member, "update.info.delete.mfa-phone"},
		{"DELETE", organizations + "/acme/members/mfa_phone_numbers/$OWN", nil, self, "update.info.delete.mfa-phone"},
		{"POST", "/v1/b2b/sessions/revoke", update("member_id", "$OTHER"), member, "revoke-sessions"},
		{"DELETE", other, nil, member, "delete"},
		{"PUT", other + "/reactivate", object{}, member, "create"},
		{"PUT", other, update("email_address", "moved@example.com"), member, "update.info.email"},
		{"POST", other + "/unlink_retired_email", update("email_address", "other@example.com"), member, "update.info.email"},
		{"POST", "/v1/b2b/sessions/revoke", update("member_id", "$OWN"), self, "revoke-sessions"},
		{"DELETE", own, nil, self, "delete"},
		{"DELETE", org, nil, organization, "delete"},
	}
	eachB2B(t, func(t *testing.T, p *place) {
		permit := func(permissions ...object) {
			t.Helper()
			roles := []object{{"role_id": "may", "description": "", "permissions": append([]object{}, permissions...)}}
			servertest.Must(t, p.Administer(http.MethodPut, "/rbac_policy", object{
				"stytch_member": object{"permissions": []object{}}, "custom_roles": roles, "custom_resources": []object{}, "custom_scopes": []object{},
			}))
		}
		permit()
		p.organization(t, "Acme", object{"organization_slug": "acme", "organization_external_id": "acme"})
		p.organization(t, "Foreign", object{"organization_slug": "foreign"})
		signIn := func(email string) (id, session string) {
			a := servertest.Must(t, p.attest(p.token(email, map[string]any{"org": "acme", "sub": strings.ReplaceAll(email, "@", "."), "roles": []string{"may"}}), nil))
			return a.String("member_id"), a.String("session_token")
		}
		ownID, session := signIn("own@example.com")
		otherID, _ := signIn("other@example.com")
		fill := strings.NewReplacer("$OWN", ownID, "$OTHER", otherID)
		for _, r := range rows {
			body := object{}
			for name, value := range r.body {
				if s, ok := value.(string); ok {
					value = fill.Replace(s)
				}
				body[name] = value
			}
			path, what := fill.Replace(r.path), r.method+" "+r.path+" "+fmt.Sprint(r.body)
			wrong := self
			if r.resource == self {
				wrong = organization
			}
			permit(object{"resource_id": wrong, "actions": []string{"*"}})
			refusedAs(t, what+" without the permission", p.onBehalf(t, session, r.method, path, body), http.StatusForbidden, "session_authorization_error")
			permit(object{"resource_id": r.resource, "actions": []string{r.action}})
			if strings.Contains(path, "/acme") {
				foreign := strings.Replace(path, "/acme", "/foreign", 1)
				refusedAs(t, what+" elsewhere", p.onBehalf(t, session, r.method, foreign, body), http.StatusForbidden, "session_authorization_tenancy_error")
			}
			a := p.onBehalf(t, session, r.method, path, body)
			if a.Status != http.StatusOK {
				t.Errorf("%s with the permission: %d %s", what, a.Status, a.Text)
			}
			switch {
			case r.action == "revoke-sessions" && r.resource == self, r.action == "delete" && r.resource == self:
				_, session = signIn("own@example.com")
				if r.action == "delete" {
					ownID, session = signIn("own@example.com")
					fill = strings.NewReplacer("$OWN", ownID, "$OTHER", otherID)
				}
			}
		}
	})
}

// TestOnBehalfNever tries what no permission covers, and what would give more than
// somebody may give.
func TestOnBehalfNever(t *testing.T) {
	t.Parallel()
	eachB2B(t, func(t *testing.T, p *place) {
		permissions := func(actions ...string) {
			t.Helper()
			servertest.Must(t, p.Administer(http.MethodPut, "/rbac_policy", object{
				"custom_roles":     []object{{"role_id": "may", "description": "", "permissions": []object{{"resource_id": "stytch.member", "actions": actions}, {"resource_id": "stytch.organization", "actions": []string{"*"}}}}},
				"custom_resources": []object{}, "custom_scopes": []object{},
			}))
		}
		permissions("*")
		in := servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"org": "acme", "sub": "ada", "roles": []string{"may"}}), nil))
		session, own := in.String("session_token"), in.String("member_id")
		org := organizations + "/acme"
		for _, c := range []struct {
			method, path string
			body         object
			status       int
			want         string
		}{
			{"PUT", org, object{"trusted_metadata": object{"a": 1}}, 401, "cannot_update_trusted_metadata"},
			{"PUT", org, object{"organization_external_id": "other"}, 403, "session_authorization_error"},
			{"PUT", org, object{"claimed_email_domains": []string{"a.example"}}, 403, "session_authorization_error"},
			{"PUT", org, object{"allowed_first_party_connected_apps": []string{}}, 403, "session_authorization_error"},
			{"PUT", org, object{"third_party_connected_apps_allowed_type": "RESTRICTED"}, 403, "session_authorization_error"},
			{"DELETE", org + "/external_id", nil, 403, "session_authorization_error"},
			{"POST", org + "/members", object{"email_address": "b@example.com", "trusted_metadata": object{"a": 1}}, 401, "cannot_update_trusted_metadata"},
			{"POST", org + "/members", object{"email_address": "b@example.com", "external_id": "b"}, 403, "session_authorization_error"},
			{"PUT", org + "/members/" + own, object{"trusted_metadata": object{"a": 1}}, 401, "cannot_update_trusted_metadata"},
			{"PUT", org + "/members/" + own, object{"external_id": "b"}, 403, "session_authorization_error"},
			{"PUT", org + "/members/" + own, object{"email_address": "b@example.com"}, 400, "member_cannot_update_their_email_address"},
			{"PUT", org + "/members/ada", object{"email_address": "b@example.com"}, 400, "member_cannot_update_their_email_address"},
			{"DELETE", org + "/members/" + own + "/external_id", nil, 403, "session_authorization_error"},
		} {
			refusedAs(t, c.method+" "+c.path, p.onBehalf(t, session, c.method, c.path, c.body), c.status, c.want)
		}
		permissions("create")
		for _, body := range []object{{"roles": []string{"stytch_admin"}}, {"is_breakglass": true}} {
			body["email_address"] = "b@example.com"
			refusedAs(t, fmt.Sprint(body), p.onBehalf(t, session, http.MethodPost, org+"/members", body), http.StatusForbidden, "session_authorization_error")
		}
		servertest.Must(t, p.onBehalf(t, session, http.MethodPost, org+"/members", object{"email_address": "b@example.com"}))
		refusedAs(t, "a JWT that is none", p.withHeader(t, "X-Stytch-Member-SessionJWT", "a.b.c", http.MethodPut, org, object{}), http.StatusBadRequest, "unable_to_parse_session_jwt")
		servertest.Must(t, p.withHeader(t, "X-Stytch-Member-SessionJWT", in.String("session_jwt"), http.MethodPut, org, object{"organization_name": "By JWT"}))
		servertest.Must(t, p.sessions("/revoke", map[string]any{"session_token": session}))
		refusedAs(t, "a session that ended", p.onBehalf(t, session, http.MethodPut, org, object{"organization_name": "A"}), http.StatusNotFound, "session_not_found")
		found := false
		for _, e := range list(servertest.Must(t, p.Administer(http.MethodGet, "/events", nil)), "events") {
			event, _ := e.(map[string]any)
			found = found || event["action"] == "organization.updated" && event["actor_type"] == "session"
		}
		if !found {
			t.Error("no event says that a member changed the organization")
		}
	})
}

// TestExchange takes a session to organizations that must not have it.
func TestExchange(t *testing.T) {
	t.Parallel()
	eachB2B(t, func(t *testing.T, p *place) {
		away := p.organization(t, "Away", object{"organization_slug": "away"})
		in := servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"org": "acme"}), nil))
		session, home, own := in.String("session_token"), in.String("organization", "organization_id"), in.String("member_id")
		exchange := func() servertest.Answer {
			return p.sessions("/exchange", map[string]any{"session_token": session, "organization_id": "away"})
		}
		refusedAs(t, "nobody of that address", exchange(), http.StatusBadRequest, "member_does_not_exist_in_organization")
		invited := p.member(t, away, "ada@example.com", object{"create_member_as_pending": true})
		out := servertest.Must(t, exchange())
		if out.String("member_id") != invited || out.String("member", "status") != "active" || out.String("session_token") == session || out.At("member_authenticated") != true {
			t.Errorf("exchanged for %s", out.Text)
		}
		servertest.Must(t, p.authenticate(map[string]any{"session_token": session}))
		if n := len(list(servertest.Must(t, p.authenticate(map[string]any{"session_token": out.String("session_token")})), "member_session", "authentication_factors")); n != 1 {
			t.Errorf("%d factors came along", n)
		}
		for setting, value := range map[string]any{"mode": "shadow", "organization_id": home} {
			p.setPolicy(t, map[string]any{setting: value})
			refusedAs(t, setting, exchange(), http.StatusBadRequest, "insufficient_factors_for_session_exchange")
			p.setPolicy(t, map[string]any{setting: nil})
		}
		p.setPolicy(t, map[string]any{"subject_claim": "jti", "email_trust": "never_link"})
		refusedAs(t, "never_link", exchange(), http.StatusBadRequest, "insufficient_factors_for_session_exchange")
		p.setPolicy(t, map[string]any{"subject_claim": nil, "email_trust": nil})
		// An organization writes an address into its member, and nobody vouched for it.
		victim := p.member(t, away, "victim@example.com", nil)
		servertest.Must(t, p.API(http.MethodPut, organizations+"/"+home+"/members/"+own, object{"email_address": "victim@example.com"}))
		refusedAs(t, "an address that was written in", exchange(), http.StatusBadRequest, "insufficient_factors_for_session_exchange")
		servertest.Must(t, p.API(http.MethodDelete, organizations+"/away/members/"+victim, nil))
		servertest.Must(t, p.Administer(http.MethodDelete, "/trusted_token_profiles/"+p.profile, nil))
		refusedAs(t, "a profile that is gone", exchange(), http.StatusBadRequest, "insufficient_factors_for_session_exchange")
		refusedAs(t, "nowhere", p.sessions("/exchange", map[string]any{"session_token": session, "organization_id": "nobody"}), http.StatusNotFound, "organization_not_found")
		refusedAs(t, "no session", p.sessions("/exchange", map[string]any{"organization_id": "away"}), http.StatusBadRequest, "no_session_arguments")
	})
}

// TestDeletedAndMadeAgain holds that nothing of somebody or something that was
// deleted comes back by its name.
func TestDeletedAndMadeAgain(t *testing.T) {
	t.Parallel()
	eachB2B(t, func(t *testing.T, p *place) {
		p.setPolicy(t, map[string]any{"subject_claim": "sub"})
		sign := func() servertest.Answer {
			return servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"org": "acme", "sub": "ada"}), nil))
		}
		first := sign()
		servertest.Must(t, p.API(http.MethodPut, organizations+"/acme/members/ada", object{"roles": []string{"stytch_admin"}}))
		servertest.Must(t, p.API(http.MethodDelete, organizations+"/acme/members/ada", nil))
		refusedAs(t, "the member's session", p.authenticate(map[string]any{"session_token": first.String("session_token")}), http.StatusNotFound, "session_not_found")
		second := sign()
		if second.String("member_id") == first.String("member_id") || second.At("member", "is_admin") != false {
			t.Errorf("the deleted member came back: %s", second.Text)
		}
		role := object{"org_policy": object{"roles": []object{{"role_id": "own", "description": "", "permissions": []object{{"resource_id": "stytch.member", "actions": []string{"search"}}}}}}}
		put := func(body object) { servertest.Must(t, p.API(http.MethodPut, "/v1/b2b/rbac/organizations/acme", body)) }
		put(role)
		servertest.Must(t, p.API(http.MethodPut, organizations+"/acme/members/ada", object{"roles": []string{"own"}}))
		check := func() servertest.Answer {
			return p.authenticate(map[string]any{"session_token": second.String("session_token"), "authorization_check": object{
				"organization_id": second.String("organization", "organization_id"), "resource_id": "stytch.member", "action": "search",
			}})
		}
		servertest.Must(t, check())
		put(object{"org_policy": object{"roles": []object{}}})
		refusedAs(t, "a role that is gone", check(), http.StatusForbidden, "session_authorization_error")
		put(role)
		refusedAs(t, "another role of its name", check(), http.StatusForbidden, "session_authorization_error")
		servertest.Must(t, p.API(http.MethodDelete, organizations+"/acme", nil))
		refusedAs(t, "the organization's session", p.authenticate(map[string]any{"session_token": second.String("session_token")}), http.StatusNotFound, "session_not_found")
		third := sign()
		if third.String("organization", "organization_id") == second.String("organization", "organization_id") || third.String("member_id") == second.String("member_id") {
			t.Errorf("the deleted organization came back: %s", third.Text)
		}
		if n := servertest.Must(t, p.API(http.MethodGet, organizations+"/acme/metrics", nil)).At("member_count"); n != json.Number("1") {
			t.Errorf("the new organization has %v members", n)
		}
	})
}
