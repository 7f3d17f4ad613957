package sdk_test

import (
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
)

func TestRevokeThreeWays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for name, how := range map[string]func(*sessions.AttestResponse) sessions.RevokeParams{
		"by ID": func(a *sessions.AttestResponse) sessions.RevokeParams {
			return sessions.RevokeParams{SessionID: a.Session.SessionID}
		},
		"by token": func(a *sessions.AttestResponse) sessions.RevokeParams {
			return sessions.RevokeParams{SessionToken: a.SessionToken}
		},
		"by JWT": func(a *sessions.AttestResponse) sessions.RevokeParams {
			return sessions.RevokeParams{SessionJWT: a.SessionJWT}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who := person()
			gone, stays := s.signIn(who), s.signIn(who)
			params := how(gone)
			answer, err := s.backend.Sessions.Revoke(t.Context(), &params)
			if err != nil || answer.StatusCode != 200 || answer.RequestID == "" {
				t.Fatalf("revoke = %+v, %v", answer, err)
			}
			_, err = s.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: gone.SessionToken})
			wantRefusal(t, "authenticate by token", err, refusal{404, "session_not_found"})
			_, err = s.backend.Sessions.AuthenticateJWT(t.Context(), 0, &sessions.AuthenticateParams{SessionJWT: gone.SessionJWT})
			wantRefusal(t, "authenticate by JWT", err, refusal{404, "session_not_found"})
			if _, err := s.backend.Sessions.AuthenticateJWTLocal(gone.SessionJWT, 5*time.Minute); err != nil {
				t.Errorf("locally, the JWT is good until it expires: %v", err)
			}
			_, err = s.backend.Sessions.Revoke(t.Context(), &params)
			wantRefusal(t, "revoke again", err, refusal{404, "session_not_found"})
			list, err := s.backend.Sessions.Get(t.Context(), &sessions.GetParams{UserID: gone.UserID})
			if err != nil || len(list.Sessions) != 1 || list.Sessions[0].SessionID != stays.Session.SessionID {
				t.Errorf("list = %+v, %v, want the other session alone", list, err)
			}
		})
	}
}

func TestRevokeRefusals(t *testing.T) {
	t.Parallel()
	s, other := newScene(t), newScene(t)
	mine, theirs := s.signIn(person()), other.signIn(person())
	for _, row := range []struct {
		name   string
		params sessions.RevokeParams
		want   refusal
	}{
		{"nothing", sessions.RevokeParams{}, refusal{400, "no_session_revoke_arguments"}},
		{"two names", sessions.RevokeParams{SessionID: mine.Session.SessionID, SessionToken: mine.SessionToken}, refusal{400, "too_many_session_revoke_arguments"}},
		{"nonsense for an ID", sessions.RevokeParams{SessionID: "nonsense"}, refusal{400, "invalid_session_id"}},
		{"nonsense for a token", sessions.RevokeParams{SessionToken: "nonsense"}, refusal{404, "session_not_found"}},
		{"nonsense for a JWT", sessions.RevokeParams{SessionJWT: "nonsense"}, refusal{400, "unable_to_parse_session_jwt"}},
		{"an ID of another environment", sessions.RevokeParams{SessionID: theirs.Session.SessionID}, refusal{404, "session_not_found"}},
		{"a token of another environment", sessions.RevokeParams{SessionToken: theirs.SessionToken}, refusal{404, "session_not_found"}},
		{"a JWT of another environment", sessions.RevokeParams{SessionJWT: theirs.SessionJWT}, refusal{400, "unable_to_parse_session_jwt"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := s.backend.Sessions.Revoke(t.Context(), &row.params)
			wantRefusal(t, "revoke", err, row.want)
		})
	}
	if _, err := other.backend.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: theirs.SessionToken}); err != nil {
		t.Errorf("the other environment's session: %v", err)
	}
}
