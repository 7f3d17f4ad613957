package frontend

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/session"
)

type attestRequest struct {
	ProfileID              string        `json:"profile_id" openapi:"required"`
	Token                  string        `json:"token" openapi:"required" doc:"The JWT of the issuer."`
	SessionDurationMinutes *wire.Minutes `json:"session_duration_minutes" doc:"At most what the SDK configuration allows. Without it a new session lasts an hour, and an existing one keeps its end."`
	SessionToken           string        `json:"session_token"`
	SessionJWT             string        `json:"session_jwt"`
}

type attestAnswer struct {
	wire.Envelope
	UserID       string       `json:"user_id"`
	SessionToken string       `json:"session_token"`
	SessionJWT   string       `json:"session_jwt"`
	User         wire.User    `json:"user"`
	Session      wire.Session `json:"session"`
}

// attest is POST /sdk/v1/sessions/attest, which always gives a session. Custom
// claims are for backends to set: a page's are not read.
func (s *Surface) attest(ctx context.Context, r *api.Request[attestRequest]) (*attestAnswer, error) {
	profile, token, err := wire.SubjectToken(r.Caller.Environment.ID, r.Body.ProfileID, r.Body.Token)
	if err != nil {
		return nil, err
	}
	sdk := r.Caller.Page.SDK
	attested, err := s.Sessions.Attest(ctx, session.AttestParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, ProfileID: profile, Token: token,
		Minutes: (*int)(r.Body.SessionDurationMinutes), DefaultMinutes: sdk.DefaultMinutes(), MaxMinutes: sdk.MaxMinutes(),
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT), Present: r.Caller.Page.Session,
	})
	if err != nil {
		return nil, err
	}
	return &attestAnswer{
		UserID: attested.Person.ID.String(), User: wire.NewUser(attested.Person), Session: wire.NewSession(attested.Active.Session, attested.Person),
		SessionToken: attested.Active.Token.Reveal(), SessionJWT: attested.Active.JWT.Reveal(),
	}, nil
}

// TakeTokens is what cookies are made of.
func (a *attestAnswer) TakeTokens() api.Tokens {
	return api.Take(&a.SessionToken, &a.SessionJWT, *a.Session.ExpiresAt)
}

type authenticateRequest struct {
	SessionDurationMinutes *wire.Minutes `json:"session_duration_minutes" doc:"At most what the SDK configuration allows. Without it the session keeps its end."`
}

type authenticateAnswer struct {
	wire.Envelope
	UserID       string       `json:"user_id"`
	SessionToken string       `json:"session_token"`
	SessionJWT   string       `json:"session_jwt"`
	User         wire.User    `json:"user"`
	UserCopy     wire.User    `json:"__user"`
	Session      wire.Session `json:"session"`
}

// TakeTokens is what cookies are made of.
func (a *authenticateAnswer) TakeTokens() api.Tokens {
	return api.Take(&a.SessionToken, &a.SessionJWT, *a.Session.ExpiresAt)
}

// authenticate is POST /sdk/v1/sessions/authenticate.
func (s *Surface) authenticate(ctx context.Context, r *api.Request[authenticateRequest]) (*authenticateAnswer, error) {
	authenticated, err := s.Sessions.Authenticate(ctx, session.AuthenticateParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, SessionToken: r.Caller.Page.Session,
		Minutes: (*int)(r.Body.SessionDurationMinutes), MaxMinutes: r.Caller.Page.SDK.MaxMinutes(),
	})
	if err != nil {
		return nil, err
	}
	user := wire.NewUser(authenticated.Person)
	return &authenticateAnswer{
		UserID: user.UserID, User: user, UserCopy: user, Session: wire.NewSession(authenticated.Session, authenticated.Person),
		SessionToken: authenticated.Token.Reveal(), SessionJWT: authenticated.JWT.Reveal(),
	}, nil
}

// revoke is POST /sdk/v1/sessions/revoke.
func (s *Surface) revoke(ctx context.Context, r *api.Request[api.None]) (*api.SignedOut, error) {
	return &api.SignedOut{}, s.Sessions.Revoke(ctx, session.RevokeParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, SessionToken: r.Caller.Page.Session,
	})
}
