package consumer

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/session"
)

type attestRequest struct {
	ProfileID              string             `json:"profile_id" openapi:"required"`
	Token                  string             `json:"token" openapi:"required" doc:"The JWT of the issuer."`
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes" doc:"Without it no session is made; an existing one keeps its end."`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
	SessionToken           string             `json:"session_token"`
	SessionJWT             string             `json:"session_jwt"`
}

type attestAnswer struct {
	wire.Envelope
	UserID       string        `json:"user_id"`
	SessionToken string        `json:"session_token" doc:"Empty when no session was made."`
	SessionJWT   string        `json:"session_jwt" doc:"Empty when no session was made."`
	User         wire.User     `json:"user"`
	Session      *wire.Session `json:"session"`
	UserDevice   *struct{}     `json:"user_device"`
}

// attest is POST /v1/sessions/attest. Without a duration no session is made.
func (s *Surface) attest(ctx context.Context, r *api.Request[attestRequest]) (*attestAnswer, error) {
	profile, token, err := wire.SubjectToken(r.Caller.Environment.ID, r.Body.ProfileID, r.Body.Token)
	if err != nil {
		return nil, err
	}
	attested, err := s.Sessions.Attest(ctx, session.AttestParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, Confirm: r.Caller.Confirm, ProfileID: profile, Token: token,
		Minutes: (*int)(r.Body.SessionDurationMinutes), CustomClaims: r.Body.SessionCustomClaims,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
	})
	r.Caller.Judged(err)
	if err != nil {
		return nil, err
	}
	return newAttestAnswer(attested), nil
}

func newAttestAnswer(attested session.Attested) *attestAnswer {
	answer := &attestAnswer{UserID: attested.Person.ID.String(), User: wire.NewUser(attested.Person)}
	if active := attested.Active; active != nil {
		shaped := wire.NewSession(active.Session, active.Person)
		answer.Session, answer.SessionToken, answer.SessionJWT = &shaped, active.Token.Reveal(), active.JWT.Reveal()
	}
	return answer
}

type migrateRequest struct {
	SessionToken           string             `json:"session_token"` // the other provider's
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes"`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
}

// migrate is POST /v1/sessions/migrate. Without a duration no session is made.
func (s *Surface) migrate(ctx context.Context, r *api.Request[migrateRequest]) (*attestAnswer, error) {
	if r.Body.SessionToken == "" {
		return nil, countersign.ErrBadRequest.Saying("session_token is required.")
	}
	migrated, err := s.Sessions.Migrate(ctx, session.MigrateParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, Token: countersign.Bearer(r.Body.SessionToken),
		Minutes: (*int)(r.Body.SessionDurationMinutes), CustomClaims: r.Body.SessionCustomClaims,
	})
	if err != nil {
		return nil, err
	}
	return newAttestAnswer(migrated), nil
}

type authenticateRequest struct {
	SessionToken           string             `json:"session_token"`
	SessionJWT             string             `json:"session_jwt"`
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes" doc:"Without it the session keeps its end."`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
	AuthorizationCheck     *struct {
		ResourceID string `json:"resource_id" openapi:"required"`
		Action     string `json:"action" openapi:"required"`
	} `json:"authorization_check"`
}

type authenticateAnswer struct {
	wire.Envelope
	Session      wire.Session        `json:"session"`
	SessionToken string              `json:"session_token"`
	SessionJWT   string              `json:"session_jwt"`
	User         wire.User           `json:"user"`
	Verdict      *wire.Authorization `json:"verdict" doc:"Null unless a check was asked for."`
}

// authenticate is POST /v1/sessions/authenticate.
func (s *Surface) authenticate(ctx context.Context, r *api.Request[authenticateRequest]) (*authenticateAnswer, error) {
	params := session.AuthenticateParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
		Minutes: (*int)(r.Body.SessionDurationMinutes), CustomClaims: r.Body.SessionCustomClaims,
	}
	if check := r.Body.AuthorizationCheck; check != nil {
		if check.ResourceID == "" || check.Action == "" {
			return nil, countersign.ErrBadRequest.Saying("authorization_check needs resource_id and action.")
		}
		params.Check = &session.Check{ResourceID: check.ResourceID, Action: check.Action}
	}
	authenticated, err := s.Sessions.Authenticate(ctx, params)
	if err != nil {
		return nil, err
	}
	answer := &authenticateAnswer{
		Session: wire.NewSession(authenticated.Session, authenticated.Person), User: wire.NewUser(authenticated.Person),
		SessionToken: authenticated.Token.Reveal(), SessionJWT: authenticated.JWT.Reveal(),
	}
	if params.Check != nil {
		answer.Verdict = &wire.Authorization{Authorized: true, GrantingRoles: authenticated.GrantingRoles}
	}
	return answer, nil
}

type revokeRequest struct {
	SessionID    string `json:"session_id"`
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`
	UserID       string `json:"user_id" doc:"Ends all sessions of a user, by ID or external ID; this server's addition to the contract."`
}

// revoke is POST /v1/sessions/revoke.
func (s *Surface) revoke(ctx context.Context, r *api.Request[revokeRequest]) (*wire.Done, error) {
	return &wire.Done{}, s.Sessions.Revoke(ctx, session.RevokeParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, SessionID: r.Body.SessionID,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
		Person: directory.User(r.Body.UserID),
	})
}

type sessionsAnswer struct {
	wire.Envelope
	Sessions []wire.Session `json:"sessions"`
}

// sessions is GET /v1/sessions?user_id=.
func (s *Surface) sessions(ctx context.Context, r *api.Request[api.None]) (*sessionsAnswer, error) {
	user, err := s.Directory.Person(ctx, r.Caller.Environment, directory.User(r.Query("user_id")))
	if err != nil {
		return nil, err
	}
	list, err := s.Sessions.Of(ctx, r.Caller.Environment, user)
	if err != nil {
		return nil, err
	}
	answer := &sessionsAnswer{Sessions: make([]wire.Session, len(list))}
	for i, sess := range list {
		answer.Sessions[i] = wire.NewSession(sess, user)
	}
	return answer, nil
}
