package sdk_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/sessions"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
)

func TestMemberRevoke(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	api := b.backend.Sessions
	for way, name := range map[string]func(*sessions.AttestResponse) *sessions.RevokeParams{
		"by ID": func(s *sessions.AttestResponse) *sessions.RevokeParams {
			return &sessions.RevokeParams{MemberSessionID: s.MemberSession.MemberSessionID}
		},
		"by token": func(s *sessions.AttestResponse) *sessions.RevokeParams {
			return &sessions.RevokeParams{SessionToken: s.SessionToken}
		},
		"by JWT": func(s *sessions.AttestResponse) *sessions.RevokeParams {
			return &sessions.RevokeParams{SessionJWT: s.SessionJWT}
		},
	} {
		who := person()
		gone, stays := b.attest(t, who, claims{"org": "acme"}), b.attest(t, who, claims{"org": "acme"})
		if _, err := api.Revoke(t.Context(), name(gone)); err != nil {
			t.Errorf("revoke %s: %v", way, err)
		}
		_, err := api.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: gone.SessionToken})
		wantRefusal(t, way+", what was revoked", err, refusal{404, "session_not_found"})
		if _, err := api.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: stays.SessionToken}); err != nil {
			t.Errorf("%s, the member's other session: %v", way, err)
		}
	}
}

// The organization's claim is the server's own: custom claims have neither it nor the
// session's, whatever they hold themselves.
func TestMemberClaims(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	signed := b.attest(t, person(), claims{"org": "acme"})
	var typed struct {
		Plan  string  `json:"plan"`
		Seats float64 `json:"seats"`
	}
	answer, err := b.backend.Sessions.AuthenticateWithClaims(t.Context(), &sessions.AuthenticateParams{SessionToken: signed.SessionToken, SessionCustomClaims: customClaims}, &typed)
	if err != nil || typed.Plan != "pro" || typed.Seats != 12 {
		t.Fatalf("claims = %+v, %v", typed, err)
	}
	for what, got := range map[string]func() (map[string]any, error){
		"remotely": func() (map[string]any, error) { return answer.MemberSession.CustomClaims, nil },
		"locally": func() (map[string]any, error) {
			local, err := b.backend.Sessions.AuthenticateJWTLocal(t.Context(), answer.SessionJWT, time.Minute, nil)
			if err != nil {
				return nil, err
			}
			return local.CustomClaims, nil
		},
		"through AuthenticateJWTWithClaims": func() (map[string]any, error) {
			into := map[string]any{}
			_, err := b.backend.Sessions.AuthenticateJWTWithClaims(t.Context(), time.Minute, &sessions.AuthenticateParams{SessionJWT: answer.SessionJWT}, into)
			return into, err
		},
	} {
		found, err := got()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(customClaims, found); diff != "" {
			t.Errorf("%s (-sent +got):\n%s", what, diff)
		}
	}
	for _, name := range []string{"https://stytch.com/session", "https://stytch.com/organization"} {
		_, err := b.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: signed.SessionToken, SessionCustomClaims: map[string]any{name: "mine"}})
		wantRefusal(t, name, err, refusal{400, "stytch_claims_in_custom_claims"})
	}
}

func TestMemberJWTFallsBack(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	signed := b.attest(t, person(), claims{"org": "acme"})
	authenticate := func(age time.Duration, jwt string) (*sessions.AuthenticateResponse, error) {
		return b.backend.Sessions.AuthenticateJWT(t.Context(), &sessions.AuthenticateJWTParams{MaxTokenAge: age, Body: &sessions.AuthenticateParams{SessionJWT: jwt}})
	}
	local, err := authenticate(5*time.Minute, signed.SessionJWT)
	if err != nil || local.RequestID != "" {
		t.Fatalf("a young JWT = %+v, %v, want an answer without a request", local, err)
	}
	if diff := cmp.Diff(signed.MemberSession, local.MemberSession, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the session (-remote +local):\n%s", diff)
	}
	for _, age := range []time.Duration{0, time.Nanosecond} {
		remote, err := authenticate(age, signed.SessionJWT)
		if err != nil || remote.RequestID == "" || remote.SessionToken != signed.SessionToken || remote.Organization.OrganizationSlug != "acme" {
			t.Errorf("a JWT older than %v = %+v, %v, want the server's answer", age, remote, err)
		}
	}
	if _, err := b.backend.Sessions.AuthenticateJWTLocal(t.Context(), signed.SessionJWT, time.Nanosecond, nil); !errors.Is(err, sessions.ErrJWTTooOld) {
		t.Errorf("locally, a JWT that is too old = %v", err)
	}
	_, err = authenticate(5*time.Minute, signed.SessionJWT[:len(signed.SessionJWT)-8]+"AAAAAAAA")
	wantRefusal(t, "a broken signature", err, refusal{400, "unable_to_parse_session_jwt"})
}

func TestMemberMigrate(t *testing.T) {
	t.Parallel()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer their-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, `{"sub": "auth0|1", "email": "Ada@example.com", "email_verified": true}`)
	}))
	t.Cleanup(provider.Close)
	b := newBusiness(t)
	migrate := func(token, organization string) (*sessions.MigrateResponse, error) {
		return b.backend.Sessions.Migrate(t.Context(), &sessions.MigrateParams{SessionToken: token, OrganizationID: organization})
	}
	if _, err := b.backend.Organizations.Create(t.Context(), &organizations.CreateParams{OrganizationName: "Acme", OrganizationSlug: "acme"}); err != nil {
		t.Fatal(err)
	}
	_, err := migrate("their-token", "acme")
	wantRefusal(t, "migrate without a userinfo URL", err, refusal{400, "migrate_from_external_missing_userinfo"})
	if _, err := manage().Environments.Update(t.Context(), environments.UpdateRequest{
		ProjectSlug: b.ProjectSlug, EnvironmentSlug: b.EnvironmentSlug, ZeroDowntimeSessionMigrationURL: ptr(provider.URL + "/userinfo"),
	}); err != nil {
		t.Fatal(err)
	}
	_, err = migrate("their-token", "elsewhere")
	wantRefusal(t, "migrate to nowhere", err, refusal{404, "organization_not_found"})
	_, err = migrate("their-token", "acme")
	wantRefusal(t, "migrate somebody who is nobody here", err, refusal{400, "migrate_from_external_email_does_not_exist"})
	created, err := b.backend.Organizations.Members.Create(t.Context(), &members.CreateParams{OrganizationID: "acme", EmailAddress: "ada@EXAMPLE.com", CreateMemberAsPending: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = migrate("another-token", "acme")
	wantRefusal(t, "migrate a token that the provider refuses", err, refusal{400, "migrate_from_external_unexpected_response"})
	answer, err := migrate("their-token", "acme")
	if err != nil || answer.MemberID != created.MemberID || answer.Member.Status != "active" || answer.MemberSession == nil || answer.SessionToken == "" {
		t.Fatalf("migrate = %+v, %v", answer, err)
	}
	if f := answer.MemberSession.AuthenticationFactors; len(f) != 1 || f[0].Type != "imported" {
		t.Errorf("factors = %+v", f)
	}
	if life := answer.MemberSession.ExpiresAt.Sub(*answer.MemberSession.StartedAt); life != time.Hour {
		t.Errorf("without a duration the session lives %v, want an hour", life)
	}
	if _, err := b.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: answer.SessionToken}); err != nil {
		t.Errorf("authenticate the new session: %v", err)
	}
}
