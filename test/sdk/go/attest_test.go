package sdk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/users"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/trustedtokenprofiles"
)

var rs256 = jwt.SigningMethodRS256

// scene is an environment that trusts an issuer by its key set, and a backend
// client of it.
type scene struct {
	*environment
	*issuer
	t       *testing.T
	backend *stytchapi.API
	profile string // its ID
}

func newScene(t *testing.T) *scene {
	t.Helper()
	e, i := newEnvironment(t), newIssuer(t, rs256)
	return &scene{environment: e, issuer: i, t: t, backend: e.client(), profile: e.profile(e.profileRequest(i))}
}

// attest exchanges a token of somebody.
func (s *scene) attest(who claims, params sessions.AttestParams) (*sessions.AttestResponse, error) {
	params.ProfileID, params.Token = s.profile, s.token(who)
	return s.backend.Sessions.Attest(s.t.Context(), &params)
}

// signIn is attest with an hour's session.
func (s *scene) signIn(who claims) *sessions.AttestResponse {
	s.t.Helper()
	answer, err := s.attest(who, sessions.AttestParams{SessionDurationMinutes: 60})
	if err != nil {
		s.t.Fatalf("attest: %v", err)
	}
	return answer
}

// forgotten are moments that a test cannot foretell.
var forgotten = cmp.Transformer("moment", func(*time.Time) string { return "a moment" })

func TestAttestProvisions(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	answer := s.signIn(who)
	if answer.StatusCode != 200 || answer.RequestID == "" || answer.UserDevice != nil {
		t.Errorf("envelope: %d %q %v", answer.StatusCode, answer.RequestID, answer.UserDevice)
	}
	want := users.User{
		UserID: answer.UserID, Status: "active", Roles: []string{"stytch_user"}, ExternalID: who["sub"].(string), Name: &users.Name{},
		Emails:       []users.Email{{EmailID: answer.User.Emails[0].EmailID, Email: who["email"].(string), Verified: true}},
		PhoneNumbers: []users.PhoneNumber{}, WebAuthnRegistrations: []users.WebAuthnRegistration{}, Providers: []users.OAuthProvider{},
		TOTPs: []users.TOTP{}, CryptoWallets: []users.CryptoWallet{}, BiometricRegistrations: []users.BiometricRegistration{},
		TrustedMetadata: map[string]any{}, UntrustedMetadata: map[string]any{}, CreatedAt: answer.User.CreatedAt,
	}
	if diff := cmp.Diff(want, answer.User); diff != "" || answer.User.CreatedAt == nil {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	again := s.signIn(who)
	if again.UserID != answer.UserID || again.Session.SessionID == answer.Session.SessionID || again.SessionToken == answer.SessionToken {
		t.Errorf("the same person again: user %s, session %s; want the same user and another session", again.UserID, again.Session.SessionID)
	}
}

func TestAttestMakesASession(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	answer, err := s.attest(claims{"sub": "ada", "email": "ada@example.com", "jti": "t-1"}, sessions.AttestParams{
		SessionDurationMinutes: 60, TelemetryID: "ignored", SessionCustomClaims: map[string]any{"plan": "pro", "iss": "reserved, so passed over"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.SessionToken) < 43 || strings.Count(answer.SessionJWT, ".") != 2 {
		t.Errorf("session_token %q, session_jwt %q", answer.SessionToken, answer.SessionJWT)
	}
	got := answer.Session
	if lasts := got.ExpiresAt.Sub(*got.StartedAt); lasts != time.Hour || !got.LastAccessedAt.Equal(*got.StartedAt) {
		t.Errorf("the session lasts %v from %v, last accessed %v", lasts, got.StartedAt, got.LastAccessedAt)
	}
	want := &sessions.Session{
		SessionID: got.SessionID, UserID: answer.UserID, Roles: []string{"stytch_user"}, Attributes: got.Attributes,
		StartedAt: got.StartedAt, LastAccessedAt: got.StartedAt, ExpiresAt: got.ExpiresAt, CustomClaims: map[string]any{"plan": "pro"},
		AuthenticationFactors: []sessions.AuthenticationFactor{{
			Type: sessions.AuthenticationFactorTypeTrustedAuthToken, DeliveryMethod: sessions.AuthenticationFactorDeliveryMethodTrustedTokenExchange,
			TrustedAuthTokenFactor: &sessions.TrustedAuthTokenFactor{TokenID: "t-1"},
			CreatedAt:              got.StartedAt, UpdatedAt: got.StartedAt, LastAuthenticatedAt: got.StartedAt,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Attributes == nil {
		t.Errorf("session (-want +got):\n%s", diff)
	}
}

func TestAttestWithoutADurationMakesNone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	answer, err := s.attest(person(), sessions.AttestParams{})
	if err != nil || answer.UserID == "" || answer.Session != nil || answer.SessionToken != "" || answer.SessionJWT != "" {
		t.Errorf("attest without a duration = %+v, %v, want a user and no session", answer, err)
	}
	list, err := s.backend.Sessions.Get(t.Context(), &sessions.GetParams{UserID: answer.UserID})
	if err != nil || len(list.Sessions) != 0 {
		t.Errorf("list = %+v, %v, want none", list, err)
	}
}

func TestAttestAttaches(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	first := s.signIn(who)
	for name, params := range map[string]sessions.AttestParams{
		"by session_token": {SessionToken: first.SessionToken, SessionCustomClaims: map[string]any{"by": "token"}},
		"by session_jwt":   {SessionJWT: first.SessionJWT, SessionDurationMinutes: 120},
	} {
		answer, err := s.attest(who, params)
		if err != nil {
			t.Fatalf("attach %s: %v", name, err)
		}
		if answer.Session.SessionID != first.Session.SessionID || answer.SessionToken != first.SessionToken {
			t.Errorf("attach %s: session %s, want the same session and token", name, answer.Session.SessionID)
		}
	}
	now, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: first.SessionToken})
	if err != nil {
		t.Fatal(err)
	}
	if factors := now.Session.AuthenticationFactors; len(factors) != 3 {
		t.Errorf("the session has %d factors, want three", len(factors))
	}
	if got := now.Session.CustomClaims["by"]; got != "token" || !now.Session.ExpiresAt.After(*first.Session.ExpiresAt) {
		t.Errorf("claims %v, expires %v; want those that were attached with", now.Session.CustomClaims, now.Session.ExpiresAt)
	}
	_, err = s.attest(person(), sessions.AttestParams{SessionToken: first.SessionToken})
	wantRefusal(t, "attach somebody else", err, refusal{400, "user_id_mismatch"})
	_, err = s.attest(who, sessions.AttestParams{SessionToken: first.SessionToken, SessionJWT: first.SessionJWT})
	wantRefusal(t, "attach by both", err, refusal{400, "too_many_session_arguments"})
	_, err = s.attest(who, sessions.AttestParams{SessionToken: "nonsense"})
	wantRefusal(t, "attach to nothing", err, refusal{404, "session_not_found"})
}

// The same token ID again is the same factor again.
func TestAttestRepeatsAFactor(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	who["jti"] = "the-same"
	first := s.signIn(who)
	again, err := s.attest(who, sessions.AttestParams{SessionToken: first.SessionToken})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Session.AuthenticationFactors, again.Session.AuthenticationFactors, forgotten); diff != "" {
		t.Errorf("factors (-first +again):\n%s", diff)
	}
}

func TestAttestWithPEMKeysOfEveryKind(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	client := e.client()
	for _, method := range []jwt.SigningMethod{rs256, jwt.SigningMethodES256, jwt.SigningMethodEdDSA} {
		for _, keyType := range trustedtokenprofiles.PublicKeyTypes() {
			i := newIssuer(t, method)
			request := e.profileRequest(i)
			if request.PublicKeyType = keyType; keyType == trustedtokenprofiles.PublicKeyTypePem {
				request.JWKSURL, request.PEMFiles = nil, []string{unparsablePEM, i.pem()}
			}
			answer, err := client.Sessions.Attest(t.Context(), &sessions.AttestParams{ProfileID: e.profile(request), Token: i.token(person()), SessionDurationMinutes: 5})
			if err != nil || answer.Session == nil {
				t.Errorf("attest %s by %s: %v", method.Alg(), keyType, err)
			}
		}
	}
}

func TestAttestInALiveEnvironment(t *testing.T) {
	t.Parallel()
	live, i := newEnvironmentOf(t, projects.VerticalConsumer, environments.EnvironmentTypeLive), newIssuer(t, rs256)
	client := live.client()
	answer, err := client.Sessions.Attest(t.Context(), &sessions.AttestParams{ProfileID: live.profile(live.profileRequest(i)), Token: i.token(person()), SessionDurationMinutes: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{answer.RequestID, answer.UserID, answer.Session.SessionID, answer.User.Emails[0].EmailID} {
		if !strings.Contains(id, "-live-") {
			t.Errorf("an ID of a live environment is %q", id)
		}
	}
	if _, err := client.Sessions.AuthenticateJWTLocal(answer.SessionJWT, time.Minute); err != nil {
		t.Errorf("verify locally: %v", err)
	}
	_, err = newEnvironment(t).client().Users.Get(t.Context(), &users.GetParams{UserID: answer.UserID})
	wantRefusal(t, "a live user in a test environment", err, refusal{400, "live_id_used_in_test_environment"})
}
