package b2b

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/session"
)

// defaultMinutes is the lifetime of a new session of which the caller says nothing
// (README §6).
const defaultMinutes = 60

type attestRequest struct {
	ProfileID              string             `json:"profile_id" openapi:"required"`
	Token                  string             `json:"token" openapi:"required" doc:"The JWT of the issuer."`
	OrganizationID         string             `json:"organization_id" doc:"ID, external ID or slug; required unless the token or the profile names the organization."`
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes" doc:"Without it a new session lasts an hour, and an existing one keeps its end."`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
	SessionToken           string             `json:"session_token"`
	SessionJWT             string             `json:"session_jwt"`
}

// signedIn is what every answer of a sign-in has.
type signedIn struct {
	MemberID      string             `json:"member_id"`
	MemberSession wire.MemberSession `json:"member_session"`
	SessionToken  string             `json:"session_token"`
	SessionJWT    string             `json:"session_jwt"`
	Member        wire.Member        `json:"member"`
	Organization  wire.Organization  `json:"organization"`
}

// TakeTokens is what the cookies of a page are made of.
func (a *signedIn) TakeTokens() api.Tokens {
	return api.Take(&a.SessionToken, &a.SessionJWT, a.MemberSession.ExpiresAt)
}

func newSignedIn(a session.Active) signedIn {
	return signedIn{
		MemberID: a.Person.ID.String(), MemberSession: wire.NewMemberSession(a.Session, a.Person),
		SessionToken: a.Token.Reveal(), SessionJWT: a.JWT.Reveal(),
		Member: wire.NewMember(a.Person), Organization: wire.NewOrganization(*a.Person.Organization),
	}
}

type attestAnswer struct {
	wire.Envelope
	signedIn
	MemberDevice *struct{} `json:"member_device"`
}

// attest is POST /v1/b2b/sessions/attest, which always gives a session.
func (s *Surface) attest(ctx context.Context, r *api.Request[attestRequest]) (*attestAnswer, error) {
	profile, token, err := wire.SubjectToken(r.Caller.Environment.ID, r.Body.ProfileID, r.Body.Token)
	if err != nil {
		return nil, err
	}
	attested, err := s.Sessions.Attest(ctx, session.AttestParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, Confirm: r.Caller.Confirm, ProfileID: profile, Token: token, Organization: r.Body.OrganizationID,
		Minutes: (*int)(r.Body.SessionDurationMinutes), DefaultMinutes: defaultMinutes, CustomClaims: r.Body.SessionCustomClaims,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
	})
	r.Caller.Judged(err)
	if err != nil {
		return nil, err
	}
	return &attestAnswer{signedIn: newSignedIn(*attested.Active)}, nil
}

type authenticateRequest struct {
	SessionToken           string             `json:"session_token"`
	SessionJWT             string             `json:"session_jwt"`
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes" doc:"Without it the session keeps its end."`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
	AuthorizationCheck     *struct {
		OrganizationID string `json:"organization_id" openapi:"required"`
		ResourceID     string `json:"resource_id" openapi:"required"`
		Action         string `json:"action" openapi:"required"`
	} `json:"authorization_check"`
}

type authenticateAnswer struct {
	wire.Envelope
	MemberSession wire.MemberSession  `json:"member_session"`
	SessionToken  string              `json:"session_token"`
	SessionJWT    string              `json:"session_jwt"`
	Member        wire.Member         `json:"member"`
	Organization  wire.Organization   `json:"organization"`
	Verdict       *wire.Authorization `json:"verdict" doc:"Null unless a check was asked for."`
}

// authenticate is POST /v1/b2b/sessions/authenticate.
func (s *Surface) authenticate(ctx context.Context, r *api.Request[authenticateRequest]) (*authenticateAnswer, error) {
	params := session.AuthenticateParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
		Minutes: (*int)(r.Body.SessionDurationMinutes), CustomClaims: r.Body.SessionCustomClaims,
	}
	if check := r.Body.AuthorizationCheck; check != nil {
		if check.OrganizationID == "" || check.ResourceID == "" || check.Action == "" {
			return nil, countersign.ErrBadRequest.Saying("authorization_check needs organization_id, resource_id and action.")
		}
		params.Check = &session.Check{OrganizationID: check.OrganizationID, ResourceID: check.ResourceID, Action: check.Action}
	}
	authenticated, err := s.Sessions.Authenticate(ctx, params)
	if err != nil {
		return nil, err
	}
	in := newSignedIn(authenticated.Active)
	answer := &authenticateAnswer{
		MemberSession: in.MemberSession, SessionToken: in.SessionToken, SessionJWT: in.SessionJWT, Member: in.Member, Organization: in.Organization,
	}
	if params.Check != nil {
		answer.Verdict = &wire.Authorization{Authorized: true, GrantingRoles: authenticated.GrantingRoles}
	}
	return answer, nil
}

type revokeRequest struct {
	MemberSessionID string `json:"member_session_id"`
	SessionToken    string `json:"session_token"`
	SessionJWT      string `json:"session_jwt"`
	MemberID        string `json:"member_id" doc:"Ends all sessions of a member, by ID."`
}

// revoke is POST /v1/b2b/sessions/revoke.
func (s *Surface) revoke(ctx context.Context, r *api.Request[revokeRequest]) (*wire.Done, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	return &wire.Done{}, s.Sessions.Revoke(ctx, session.RevokeParams{
		Environment: r.Caller.Environment, Actor: by.actor, SessionID: r.Body.MemberSessionID,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
		Person: directory.User(r.Body.MemberID),
		May:    by.mayRevoke,
	})
}

type exchangeRequest struct {
	OrganizationID         string             `json:"organization_id" openapi:"required" doc:"ID, external ID or slug of the other organization."`
	SessionToken           string             `json:"session_token"`
	SessionJWT             string             `json:"session_jwt"`
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes" doc:"An hour if absent."`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
}

type exchangeAnswer struct {
	wire.Envelope
	signedIn
	MemberAuthenticated      bool      `json:"member_authenticated"`
	IntermediateSessionToken string    `json:"intermediate_session_token"`
	MFARequired              *struct{} `json:"mfa_required"`
	PrimaryRequired          *struct{} `json:"primary_required"`
	MemberDevice             *struct{} `json:"member_device"`
}

// exchange is POST /v1/b2b/sessions/exchange.
func (s *Surface) exchange(ctx context.Context, r *api.Request[exchangeRequest]) (*exchangeAnswer, error) {
	if r.Body.OrganizationID == "" {
		return nil, countersign.ErrBadRequest.Saying("organization_id is required.")
	}
	params := session.ExchangeParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, Organization: r.Body.OrganizationID,
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT),
		Minutes: defaultMinutes, CustomClaims: r.Body.SessionCustomClaims,
	}
	if minutes := r.Body.SessionDurationMinutes; minutes != nil {
		params.Minutes = int(*minutes)
	}
	return answerExchange(s.Sessions.Exchange(ctx, params))
}

func answerExchange(a session.Active, err error) (*exchangeAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &exchangeAnswer{signedIn: newSignedIn(a), MemberAuthenticated: true}, nil
}

type migrateRequest struct {
	SessionToken           string             `json:"session_token" openapi:"required" doc:"The other provider's."`
	OrganizationID         string             `json:"organization_id" openapi:"required" doc:"ID, external ID or slug."`
	SessionDurationMinutes *wire.Minutes      `json:"session_duration_minutes" doc:"An hour if absent."`
	SessionCustomClaims    countersign.Object `json:"session_custom_claims"`
}

// sessionAnswer is a member's session with the member.
type sessionAnswer struct {
	wire.Envelope
	signedIn
}

// migrate is POST /v1/b2b/sessions/migrate.
func (s *Surface) migrate(ctx context.Context, r *api.Request[migrateRequest]) (*sessionAnswer, error) {
	if r.Body.SessionToken == "" || r.Body.OrganizationID == "" {
		return nil, countersign.ErrBadRequest.Saying("session_token and organization_id are required.")
	}
	migrated, err := s.Sessions.Migrate(ctx, session.MigrateParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, Token: countersign.Bearer(r.Body.SessionToken), Organization: r.Body.OrganizationID,
		Minutes: (*int)(r.Body.SessionDurationMinutes), DefaultMinutes: defaultMinutes, CustomClaims: r.Body.SessionCustomClaims,
	})
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{signedIn: newSignedIn(*migrated.Active)}, nil
}

type sessionsAnswer struct {
	wire.Envelope
	MemberSessions []wire.MemberSession `json:"member_sessions"`
}

// sessions is GET /v1/b2b/sessions?organization_id=&member_id=.
func (s *Surface) sessions(ctx context.Context, r *api.Request[api.None]) (*sessionsAnswer, error) {
	if r.Query("organization_id") == "" || r.Query("member_id") == "" {
		return nil, countersign.ErrBadRequest.Saying("organization_id and member_id are required.")
	}
	member, err := s.Directory.Person(ctx, r.Caller.Environment, directory.Whom{Organization: r.Query("organization_id"), Person: r.Query("member_id")})
	if err != nil {
		return nil, err
	}
	list, err := s.Sessions.Of(ctx, r.Caller.Environment, member)
	if err != nil {
		return nil, err
	}
	answer := &sessionsAnswer{MemberSessions: make([]wire.MemberSession, len(list))}
	for i, sess := range list {
		answer.MemberSessions[i] = wire.NewMemberSession(sess, member)
	}
	return answer, nil
}
