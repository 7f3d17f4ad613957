package sdk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/users"
)

// customClaims has one of everything that JSON has.
var customClaims = map[string]any{
	"plan": "pro", "seats": 12.0, "ratio": 0.25, "trial": false, "none": map[string]any{}, "tags": []any{"a", "ü <&> ☃", 3.0},
	"nested": map[string]any{"deep": map[string]any{"er": true}}, "https://example.com/claim": "namespaced",
}

func TestAuthenticateByTokenAndByJWT(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	signedIn := s.signIn(person())
	for name, params := range map[string]sessions.AuthenticateParams{
		"by token": {SessionToken: signedIn.SessionToken},
		"by JWT":   {SessionJWT: signedIn.SessionJWT},
	} {
		got, err := s.backend.Sessions.Authenticate(t.Context(), &params)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.SessionToken != signedIn.SessionToken || got.SessionJWT == "" || got.Verdict != nil || got.StatusCode != 200 {
			t.Errorf("%s: %+v, want the same token, a JWT and no verdict", name, got)
		}
		if diff := cmp.Diff(*signedIn.Session, got.Session); diff != "" {
			t.Errorf("%s: session (-attest +authenticate):\n%s", name, diff)
		}
		if diff := cmp.Diff(signedIn.User, got.User); diff != "" {
			t.Errorf("%s: user (-attest +authenticate):\n%s", name, diff)
		}
	}
}

// What the client makes of the JWT alone is what the server answers.
func TestAuthenticateLocallyEqualsRemotely(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	signedIn := s.signIn(who)
	check := func(what string, remote sessions.Session, jwt string, options ...cmp.Option) {
		t.Helper()
		local, err := s.backend.Sessions.AuthenticateJWTLocal(jwt, 5*time.Minute)
		if err != nil {
			t.Fatalf("%s: verify locally: %v", what, err)
		}
		if diff := cmp.Diff(&remote, local, options...); diff != "" {
			t.Errorf("%s (-remote +local):\n%s", what, diff)
		}
	}
	// Where there are no claims the server says null; the client makes an empty map.
	check("attested", *signedIn.Session, signedIn.SessionJWT, cmpopts.EquateEmpty())
	changed, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{
		SessionToken: signedIn.SessionToken, SessionDurationMinutes: 30, SessionCustomClaims: customClaims,
	})
	if err != nil {
		t.Fatal(err)
	}
	check("with claims", changed.Session, changed.SessionJWT)
	if diff := cmp.Diff(customClaims, changed.Session.CustomClaims); diff != "" {
		t.Errorf("claims (-sent +got):\n%s", diff)
	}
	attached, err := s.attest(who, sessions.AttestParams{SessionJWT: changed.SessionJWT})
	if err != nil {
		t.Fatal(err)
	}
	check("with two factors", *attached.Session, attached.SessionJWT)
	if len(attached.Session.AuthenticationFactors) != 2 {
		t.Errorf("the session has %d factors, want two", len(attached.Session.AuthenticationFactors))
	}
}

func TestAuthenticateMergesClaims(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	token := s.signIn(person()).SessionToken
	for _, step := range []struct{ patch, want map[string]any }{
		{map[string]any{"a": 1.0, "b": map[string]any{"x": 1.0, "y": 2.0}}, map[string]any{"a": 1.0, "b": map[string]any{"x": 1.0, "y": 2.0}}},
		{map[string]any{"b": map[string]any{"x": nil, "z": 3.0}}, map[string]any{"a": 1.0, "b": map[string]any{"y": 2.0, "z": 3.0}}},
		{map[string]any{"a": nil, "sub": "reserved", "jti": "reserved"}, map[string]any{"b": map[string]any{"y": 2.0, "z": 3.0}}},
		{map[string]any{"b": nil}, nil},
	} {
		var got map[string]any
		_, err := s.backend.Sessions.AuthenticateWithClaims(t.Context(), &sessions.AuthenticateParams{SessionToken: token, SessionCustomClaims: step.patch}, &got)
		if err != nil {
			t.Fatalf("patch %v: %v", step.patch, err)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("claims after %v (-want +got):\n%s", step.patch, diff)
		}
	}
}

func TestAuthenticateSetsTheLifetime(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	token := s.signIn(person()).SessionToken
	for _, minutes := range []int32{5, 527040, 0} {
		before := time.Now()
		got, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token, SessionDurationMinutes: minutes})
		if err != nil {
			t.Fatalf("%d minutes: %v", minutes, err)
		}
		if minutes == 0 {
			minutes = 527040 // 0 is not sent, and what is not sent changes nothing
		}
		if off := got.Session.ExpiresAt.Sub(before.Add(time.Duration(minutes) * time.Minute)); off < -time.Minute || off > time.Minute {
			t.Errorf("%d minutes from %v: the session expires %v", minutes, before, got.Session.ExpiresAt)
		}
	}
}

// Verifying locally first, the client asks the server when the JWT is older than
// the caller will have it, and when it cannot be verified.
func TestAuthenticateJWTFallsBack(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	signedIn := s.signIn(person())
	params := sessions.AuthenticateParams{SessionJWT: signedIn.SessionJWT}
	local, err := s.backend.Sessions.AuthenticateJWT(t.Context(), 5*time.Minute, &params)
	if err != nil || local.RequestID != "" || local.Session.SessionID != signedIn.Session.SessionID {
		t.Errorf("a young JWT = %+v, %v, want an answer without a request", local, err)
	}
	for _, age := range []time.Duration{0, time.Nanosecond} {
		remote, err := s.backend.Sessions.AuthenticateJWT(t.Context(), age, &params)
		if err != nil || remote.RequestID == "" || remote.SessionToken != signedIn.SessionToken {
			t.Errorf("a JWT older than %v = %+v, %v, want the server's answer", age, remote, err)
		}
	}
	if _, err := s.backend.Sessions.AuthenticateJWTLocal(signedIn.SessionJWT, time.Nanosecond); !errors.Is(err, sessions.ErrJWTTooOld) {
		t.Errorf("locally, a JWT that is too old = %v", err)
	}
	params.SessionJWT = signedIn.SessionJWT[:len(signedIn.SessionJWT)-8] + "AAAAAAAA"
	_, err = s.backend.Sessions.AuthenticateJWT(t.Context(), 5*time.Minute, &params)
	wantRefusal(t, "a broken signature", err, refusal{400, "unable_to_parse_session_jwt"})
}

func TestAuthenticateRefusals(t *testing.T) {
	t.Parallel()
	s, other := newScene(t), newScene(t)
	mine, theirs := s.signIn(person()), other.signIn(person())
	for _, row := range []struct {
		name   string
		params sessions.AuthenticateParams
		want   refusal
	}{
		{"nothing", sessions.AuthenticateParams{}, refusal{400, "no_session_arguments"}},
		{"both", sessions.AuthenticateParams{SessionToken: mine.SessionToken, SessionJWT: mine.SessionJWT}, refusal{400, "too_many_session_arguments"}},
		{"nonsense for a token", sessions.AuthenticateParams{SessionToken: "nonsense"}, refusal{404, "session_not_found"}},
		{"a token of another environment", sessions.AuthenticateParams{SessionToken: theirs.SessionToken}, refusal{404, "session_not_found"}},
		{"nonsense for a JWT", sessions.AuthenticateParams{SessionJWT: "nonsense"}, refusal{400, "unable_to_parse_session_jwt"}},
		{"a JWT of another environment", sessions.AuthenticateParams{SessionJWT: theirs.SessionJWT}, refusal{400, "unable_to_parse_session_jwt"}},
		{"the issuer's JWT", sessions.AuthenticateParams{SessionJWT: s.token(person())}, refusal{400, "unable_to_parse_session_jwt"}},
		{"four minutes", sessions.AuthenticateParams{SessionToken: mine.SessionToken, SessionDurationMinutes: 4}, refusal{400, "invalid_session_duration_minutes"}},
		{"more than 366 days", sessions.AuthenticateParams{SessionToken: mine.SessionToken, SessionDurationMinutes: 527041}, refusal{400, "invalid_session_duration_minutes"}},
		{"large claims", sessions.AuthenticateParams{
			SessionToken: mine.SessionToken, SessionCustomClaims: map[string]any{"x": strings.Repeat("x", 4096)},
		}, refusal{400, "custom_claims_too_large"}},
		{"an action that is not permitted", sessions.AuthenticateParams{
			SessionToken: mine.SessionToken, AuthorizationCheck: &sessions.AuthorizationCheck{ResourceID: "documents", Action: "delete"},
		}, refusal{403, "consumer_session_authorization_error"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := s.backend.Sessions.Authenticate(t.Context(), &row.params)
			wantRefusal(t, "authenticate", err, row.want)
		})
	}
	if _, err := s.backend.Sessions.AuthenticateJWTLocal(theirs.SessionJWT, 5*time.Minute); err == nil {
		t.Error("the client took a JWT of another environment for its own")
	}
}

func TestSessionsOfAUser(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	one, two := s.signIn(who), s.signIn(who)
	s.signIn(person())
	for _, ref := range []string{one.UserID, who["sub"].(string)} { // the external ID serves as well
		got, err := s.backend.Sessions.Get(t.Context(), &sessions.GetParams{UserID: ref})
		if err != nil {
			t.Fatalf("list by %s: %v", ref, err)
		}
		if diff := cmp.Diff([]sessions.Session{*one.Session, *two.Session}, got.Sessions); diff != "" {
			t.Errorf("list by %s (-want +got):\n%s", ref, diff)
		}
	}
	_, err := s.backend.Sessions.Get(t.Context(), &sessions.GetParams{UserID: "nobody"})
	wantRefusal(t, "list nobody's", err, refusal{404, "user_not_found"})
}

func TestDeletedUserHasNoSession(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	signedIn := s.signIn(person())
	if _, err := s.backend.Users.Delete(t.Context(), &users.DeleteParams{UserID: signedIn.UserID}); err != nil {
		t.Fatal(err)
	}
	_, err := s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: signedIn.SessionToken})
	wantRefusal(t, "authenticate", err, refusal{404, "session_not_found"})
}
