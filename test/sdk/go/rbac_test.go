package sdk_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	consumer "github.com/stytchauth/stytch-go/v18/stytch/consumer"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/rbac"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/users"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/jwttemplates"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/rbacpolicy"
)

// setPolicy gives an environment readers and writers of documents.
func (e *environment) setPolicy(roles ...rbacpolicy.Role) {
	e.t.Helper()
	if roles == nil {
		roles = []rbacpolicy.Role{
			{RoleID: "reader", Permissions: []rbacpolicy.Permission{{ResourceID: "document", Actions: []string{"read"}}}},
			{RoleID: "writer", Permissions: []rbacpolicy.Permission{{ResourceID: "document", Actions: []string{"*"}}, {ResourceID: "folder", Actions: []string{"read"}}}},
		}
	}
	_, err := manage().RBACPolicy.Set(e.t.Context(), rbacpolicy.SetRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, CustomRoles: roles,
		StytchUser: &rbacpolicy.DefaultRole{Permissions: []rbacpolicy.Permission{{ResourceID: "folder", Actions: []string{"list"}}}},
		CustomResources: []rbacpolicy.Resource{
			{ResourceID: "document", AvailableActions: []string{"read", "write"}}, {ResourceID: "folder", AvailableActions: []string{"read", "list"}},
		},
	})
	if err != nil {
		e.t.Fatalf("set the policy: %v", err)
	}
}

// roleScene is a scene with a policy before any client has read one, and a
// profile that maps roles.
func roleScene(t *testing.T) *scene {
	t.Helper()
	e, i := newEnvironment(t), newIssuer(t, rs256)
	e.setPolicy()
	request := e.profileRequest(i)
	(*request.AttributeMapping)["role_ids"] = "roles"
	return &scene{environment: e, issuer: i, t: t, backend: e.client(), profile: e.profile(request)}
}

func TestPolicyAsTheClientReadsIt(t *testing.T) {
	t.Parallel()
	s := roleScene(t)
	answer, err := s.backend.RBAC.Policy(t.Context(), &rbac.PolicyParams{})
	if err != nil || answer.Policy == nil {
		t.Fatalf("policy = %+v, %v", answer, err)
	}
	var roles []string
	for _, r := range answer.Policy.Roles {
		roles = append(roles, r.RoleID)
	}
	if diff := cmp.Diff([]string{"stytch_user", "reader", "writer"}, roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	var resources []string
	for _, r := range answer.Policy.Resources {
		resources = append(resources, r.ResourceID)
	}
	if diff := cmp.Diff([]string{"stytch.user", "document", "folder"}, resources); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

// What a client decides by itself, from the JWT and the policy that it keeps, is
// what the server decides.
func TestAuthorizationLocallyEqualsRemotely(t *testing.T) {
	t.Parallel()
	s := roleScene(t)
	for _, roles := range [][]string{nil, {"reader"}, {"writer"}, {"reader", "writer"}} {
		who := person()
		who["roles"] = roles
		if roles == nil {
			who["roles"] = []string{}
		}
		signedIn := s.signIn(who)
		for _, check := range []struct {
			resource, action string
			want             []string
		}{
			{"document", "read", []string{"reader", "writer"}},
			{"document", "write", []string{"writer"}},
			{"document", "erase", []string{"writer"}},
			{"folder", "read", []string{"writer"}},
			{"folder", "list", []string{"stytch_user"}},
			{"folder", "*", nil},
			{"nothing", "read", nil},
		} {
			var granting []string
			for _, role := range check.want {
				if role == "stytch_user" || contains(roles, role) {
					granting = append(granting, role)
				}
			}
			name := fmt.Sprintf("%v: %s %s", roles, check.action, check.resource)
			params := sessions.AuthorizationCheck{ResourceID: check.resource, Action: check.action}
			remote, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: signedIn.SessionToken, AuthorizationCheck: &params})
			_, localErr := s.backend.Sessions.AuthenticateJWTLocal(signedIn.SessionJWT, 5*time.Minute, consumer.WithContext(t.Context()), consumer.WithAuthorizationCheck(&params))
			if granting == nil {
				wantRefusal(t, name, err, refusal{403, "consumer_session_authorization_error"})
				if localErr == nil {
					t.Errorf("%s: the client allows by itself what the server refuses", name)
				}
				continue
			}
			if err != nil || localErr != nil {
				t.Errorf("%s: the server says %v, the client by itself %v", name, err, localErr)
				continue
			}
			if diff := cmp.Diff(granting, remote.Verdict.GrantingRoles); diff != "" || !remote.Verdict.Authorized {
				t.Errorf("%s: granting roles (-want +got):\n%s", name, diff)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// Roles of a token and of a call live side by side, and change with the next
// authenticate.
func TestRolesFollowTheirSources(t *testing.T) {
	t.Parallel()
	s, who := roleScene(t), person()
	who["roles"] = []string{"reader"}
	signedIn := s.signIn(who)
	roles := func(when string, want ...string) {
		t.Helper()
		answer, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: signedIn.SessionToken})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		local, err := s.backend.Sessions.AuthenticateJWTLocal(answer.SessionJWT, 5*time.Minute)
		if err != nil {
			t.Fatalf("%s: verify locally: %v", when, err)
		}
		for what, got := range map[string][]string{"session": answer.Session.Roles, "user": answer.User.Roles, "JWT": local.Roles} {
			if diff := cmp.Diff(append([]string{"stytch_user"}, want...), got); diff != "" {
				t.Errorf("%s: roles of the %s (-want +got):\n%s", when, what, diff)
			}
		}
	}
	update := func(list ...string) {
		t.Helper()
		explicit := append([]string{}, list...) // a nil slice would be null, which says nothing
		if _, err := s.backend.Users.Update(t.Context(), &users.UpdateParams{UserID: signedIn.UserID, Roles: &explicit}); err != nil {
			t.Fatal(err)
		}
	}
	roles("as the token says", "reader")
	update("writer", "reader")
	roles("with explicit ones", "reader", "writer")
	who["roles"] = []string{}
	s.signIn(who)
	roles("after a token without roles", "reader", "writer") // reader is explicit, too
	update()
	roles("after the explicit ones went")
	delete(who, "roles")
	update("writer")
	s.signIn(who)
	roles("after a token that says nothing about roles", "writer")
	s.setPolicy([]rbacpolicy.Role{{RoleID: "reader", Permissions: []rbacpolicy.Permission{{ResourceID: "document", Actions: []string{"read"}}}}}...)
	roles("after the role left the policy")
	s.setPolicy()
	roles("after another role of that name came")
	who["roles"] = []string{"nonsense"}
	_, err := s.attest(who, sessions.AttestParams{})
	wantRefusal(t, "a token with a role that is not defined", err, refusal{400, "invalid_rbac_role_id"})
	_, err = s.backend.Users.Update(t.Context(), &users.UpdateParams{UserID: signedIn.UserID, Roles: &[]string{"nonsense"}})
	wantRefusal(t, "an update with a role that is not defined", err, refusal{400, "invalid_rbac_role_id"})
}

func TestTemplateReachesTheClient(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	content := "{\n  \"plan\": {{ user.trusted_metadata.plan }},\n  \"who\": {\"id\": {{user.user_id}}, \"mail\": {{ user.emails }} }, \"none\": {{ user.trusted_metadata.x.y }}, \"iss\": \"evil\"\n}"
	set, err := manage().JWTTemplates.Set(t.Context(), jwttemplates.SetRequest{
		ProjectSlug: s.ProjectSlug, EnvironmentSlug: s.EnvironmentSlug, JWTTemplateType: jwttemplates.JWTTemplateTypeSession,
		TemplateContent: content, CustomAudience: "my-api",
	})
	if err != nil || set.JWTTemplate.TemplateContent != content {
		t.Fatalf("set the template = %+v, %v", set, err)
	}
	signedIn := s.signIn(who)
	if _, err := s.backend.Users.Update(t.Context(), &users.UpdateParams{UserID: signedIn.UserID, TrustedMetadata: map[string]any{"plan": `p"ro`}}); err != nil {
		t.Fatal(err)
	}
	answer, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{
		SessionToken: signedIn.SessionToken, SessionCustomClaims: map[string]any{"who": map[string]any{"seat": 4.0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"plan": `p"ro`, "none": nil,
		"who": map[string]any{"id": signedIn.UserID, "seat": 4.0, "mail": []any{map[string]any{"email_id": signedIn.User.Emails[0].EmailID, "email": who["email"], "verified": true}}},
	}
	if diff := cmp.Diff(want, answer.Session.CustomClaims); diff != "" {
		t.Errorf("custom claims (-want +got):\n%s", diff)
	}
	local, err := s.backend.Sessions.AuthenticateJWTLocal(answer.SessionJWT, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&answer.Session, local, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the session (-remote +local):\n%s", diff)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer their-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, `{"sub": "auth0|1", "email": "Ada@example.com", "email_verified": true}`)
	}))
	t.Cleanup(provider.Close)
	e := newEnvironment(t)
	client := e.client()
	migrate := func(token string, minutes int32) (*sessions.MigrateResponse, error) {
		return client.Sessions.Migrate(t.Context(), &sessions.MigrateParams{SessionToken: token, SessionDurationMinutes: minutes})
	}
	_, err := migrate("their-token", 60)
	wantRefusal(t, "migrate without a userinfo URL", err, refusal{400, "migrate_from_external_missing_userinfo"})
	if _, err := manage().Environments.Update(t.Context(), environments.UpdateRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, ZeroDowntimeSessionMigrationURL: ptr(provider.URL + "/userinfo"),
	}); err != nil {
		t.Fatal(err)
	}
	_, err = migrate("their-token", 60)
	wantRefusal(t, "migrate somebody who is nobody here", err, refusal{400, "migrate_from_external_email_does_not_exist"})
	created, err := client.Users.Create(t.Context(), &users.CreateParams{Email: "ada@EXAMPLE.com", CreateUserAsPending: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = migrate("another-token", 60)
	wantRefusal(t, "migrate a token that the provider refuses", err, refusal{400, "migrate_from_external_unexpected_response"})
	answer, err := migrate("their-token", 60)
	if err != nil || answer.UserID != created.UserID || answer.User.Status != "active" || answer.Session == nil || answer.SessionToken == "" {
		t.Fatalf("migrate = %+v, %v", answer, err)
	}
	if f := answer.Session.AuthenticationFactors; len(f) != 1 || f[0].Type != "imported" || f[0].DeliveryMethod != "imported_auth0" {
		t.Errorf("factors = %+v", f)
	}
	if _, err := client.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: answer.SessionToken}); err != nil {
		t.Errorf("authenticate the new session: %v", err)
	}
	if answer, err = migrate("their-token", 0); err != nil || answer.Session != nil || answer.SessionToken != "" {
		t.Errorf("migrate without a duration = %+v, %v, want no session", answer, err)
	}
}
