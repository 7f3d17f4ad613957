package b2b

import (
	"context"
	"errors"
	"net/http"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/standing"
)

const ofPages = "/sdk/v1/b2b/"

// PageRoutes are the endpoints of web pages, who act as the member who is signed in:
// whatever a backend may do on behalf of that member, and no more.
func (s *Surface) PageRoutes() []api.Route {
	anybody := api.PagesOf(s.AuthenticatePages, countersign.B2B)
	member := api.SignedIn(anybody)
	return []api.Route{
		{
			Method: http.MethodPost, Pattern: ofPages + "sessions/attest", Handler: api.Call(anybody, api.Evenly(s.Ticks, s.attestPage)),
			Summary: "Exchanges a JWT of a registered issuer for a member's session of the page, or attaches it to the one that the page has.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "sessions/authenticate", Handler: api.Call(member, s.authenticatePage),
			Summary: "Checks the session of the page's member, extends it if a duration is given, and answers with a fresh JWT.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "sessions/exchange", Handler: api.Call(member, s.exchangePage),
			Summary: "Starts a session of the member whom another organization knows by the address of who is signed in.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "sessions/revoke", Handler: api.Call(member, s.revokePage),
			Summary: "Ends the session of the page's member.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "sessions/revoke/{member_id}", Handler: api.Call(member, owned(s, s.revokeMember)),
			Summary: "Ends all sessions of a member of the same organization.",
		},

		{
			Method: http.MethodGet, Pattern: ofPages + "organizations/me", Handler: api.Call(member, owned(s, s.ownOrganization)),
			Summary: "Tells of the organization of who is signed in.",
		},
		{
			Method: http.MethodPut, Pattern: ofPages + "organizations/me", Handler: api.Call(member, owned(s, s.updateOrganization)),
			Summary: "Changes what is given of the organization of who is signed in.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/me", Handler: api.Call(member, owned(s, s.deleteOrganization)),
			Summary: "Deletes the organization of who is signed in, with all its members.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "organizations/search", Handler: api.Call(anybody, s.organizationBySlug),
			Summary: "Tells what a sign-in page may know of an organization, by its slug.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "organizations/me/members/search", Handler: api.Call(member, owned(s, s.searchOwnMembers)),
			Summary: "Finds members of the organization of who is signed in, newest first.",
		},

		{
			Method: http.MethodGet, Pattern: ofPages + "organizations/members/me", Handler: api.Call(member, oneself(s, s.ownMember)),
			Summary: "Tells which member is signed in.",
		},
		{
			Method: http.MethodPut, Pattern: ofPages + "organizations/members/update", Handler: api.Call(member, oneself(s, s.updateMember)),
			Summary: "Changes what is given of who is signed in.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/members/deletePhoneNumber", Handler: api.Call(member, oneself(s, s.deleteMFAPhone)),
			Summary: "Takes the phone number of who is signed in away.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/members/deleteTOTP", Handler: api.Call(member, oneself(s, s.deleteTOTP)),
			Summary: "Never finds a TOTP of the member who is signed in: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/members/passwords/{member_password_id}", Handler: api.Call(member, owned(s, s.deletePassword)),
			Summary: "Never finds a password of a member: this server makes none.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "organizations/members/unlink_retired_email", Handler: api.Call(member, oneself(s, s.unlinkRetiredEmail)),
			Summary: "Frees an address that who is signed in had before.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "organizations/members/start_email_update", Handler: api.Call(member, oneself(s, s.startEmailUpdate)),
			Summary: "Never starts the change of an address: this server sends no e-mail.",
		},
		{
			Method: http.MethodPost, Pattern: ofPages + "organizations/members", Handler: api.Call(member, owned(s, s.createMember)),
			Summary: "Makes a member of the organization of who is signed in.",
		},
		{
			Method: http.MethodPut, Pattern: ofPages + "organizations/members/{member_id}", Handler: api.Call(member, owned(s, s.updateMember)),
			Summary: "Changes what is given of a member of the same organization.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/members/{member_id}", Handler: api.Call(member, owned(s, s.deleteMember)),
			Summary: "Deletes a member of the same organization.",
		},
		{
			Method: http.MethodPut, Pattern: ofPages + "organizations/members/{member_id}/reactivate", Handler: api.Call(member, owned(s, s.reactivateMember)),
			Summary: "Makes a deleted member of the same organization active again.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/members/mfa_phone_numbers/{member_id}", Handler: api.Call(member, owned(s, s.deleteMFAPhone)),
			Summary: "Takes the phone number of a member of the same organization away.",
		},
		{
			Method: http.MethodDelete, Pattern: ofPages + "organizations/members/totp/{member_id}", Handler: api.Call(member, owned(s, s.deleteTOTP)),
			Summary: "Never finds a TOTP of a member: this server makes none.",
		},
	}
}

// owned is an endpoint of pages, about the organization of who is signed in and
// perhaps a member whom the path names.
func owned[B any, A enveloped](s *Surface, fn func(context.Context, call, B) (A, error)) api.Endpoint[B, A] {
	return page(s, func(r *api.Request[B], _ countersign.Person) string { return r.Path("member_id") }, fn)
}

// oneself is an endpoint of pages, about who is signed in.
func oneself[B any, A enveloped](s *Surface, fn func(context.Context, call, B) (A, error)) api.Endpoint[B, A] {
	return page(s, func(_ *api.Request[B], who countersign.Person) string { return who.ID.String() }, fn)
}

func page[B any, A enveloped](s *Surface, whom func(*api.Request[B], countersign.Person) string, fn func(context.Context, call, B) (A, error)) api.Endpoint[B, A] {
	return func(ctx context.Context, r *api.Request[B]) (answer A, err error) {
		by, err := s.acting(ctx, r.Caller, r.Caller.Page.Session, "")
		if err != nil {
			return answer, err
		}
		return fn(ctx, call{by, r.Caller.Environment, by.member.Organization.ID.String(), whom(r, *by.member)}, r.Body)
	}
}

type attestPageRequest struct {
	ProfileID              string        `json:"profile_id" openapi:"required"`
	Token                  string        `json:"token" openapi:"required" doc:"The JWT of the issuer."`
	OrganizationID         string        `json:"organization_id" doc:"ID, external ID or slug; required unless the token or the profile names the organization."`
	SessionDurationMinutes *wire.Minutes `json:"session_duration_minutes" doc:"At most what the SDK configuration allows. Without it a new session lasts an hour, and an existing one keeps its end."`
	SessionToken           string        `json:"session_token"`
	SessionJWT             string        `json:"session_jwt"`
}

// attestPage is POST /sdk/v1/b2b/sessions/attest, which always gives a session.
// Custom claims are for backends to set: a page's are not read.
func (s *Surface) attestPage(ctx context.Context, r *api.Request[attestPageRequest]) (*sessionAnswer, error) {
	profile, token, err := wire.SubjectToken(r.Caller.Environment.ID, r.Body.ProfileID, r.Body.Token)
	if err != nil {
		return nil, err
	}
	sdk := r.Caller.Page.SDK
	attested, err := s.Sessions.Attest(ctx, session.AttestParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, ProfileID: profile, Token: token, Organization: r.Body.OrganizationID,
		Minutes: (*int)(r.Body.SessionDurationMinutes), DefaultMinutes: sdk.DefaultMinutes(), MaxMinutes: sdk.MaxMinutes(),
		SessionToken: countersign.Bearer(r.Body.SessionToken), SessionJWT: countersign.Bearer(r.Body.SessionJWT), Present: r.Caller.Page.Session,
	})
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{signedIn: newSignedIn(*attested.Active)}, nil
}

type authenticatePageRequest struct {
	SessionDurationMinutes *wire.Minutes `json:"session_duration_minutes" doc:"At most what the SDK configuration allows. Without it the session keeps its end."`
}

// authenticatePage is POST /sdk/v1/b2b/sessions/authenticate.
func (s *Surface) authenticatePage(ctx context.Context, r *api.Request[authenticatePageRequest]) (*sessionAnswer, error) {
	authenticated, err := s.Sessions.Authenticate(ctx, session.AuthenticateParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, SessionToken: r.Caller.Page.Session,
		Minutes: (*int)(r.Body.SessionDurationMinutes), MaxMinutes: r.Caller.Page.SDK.MaxMinutes(),
	})
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{signedIn: newSignedIn(authenticated.Active)}, nil
}

type exchangePageRequest struct {
	OrganizationID         string        `json:"organization_id" openapi:"required" doc:"ID, external ID or slug of the other organization."`
	SessionDurationMinutes *wire.Minutes `json:"session_duration_minutes" doc:"At most what the SDK configuration allows; as attest if absent."`
}

// exchangePage is POST /sdk/v1/b2b/sessions/exchange.
func (s *Surface) exchangePage(ctx context.Context, r *api.Request[exchangePageRequest]) (*exchangeAnswer, error) {
	if r.Body.OrganizationID == "" {
		return nil, countersign.ErrBadRequest.Saying("organization_id is required.")
	}
	sdk := r.Caller.Page.SDK
	params := session.ExchangeParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, Organization: r.Body.OrganizationID, SessionToken: r.Caller.Page.Session,
		Minutes: sdk.DefaultMinutes(), MaxMinutes: sdk.MaxMinutes(),
	}
	if minutes := r.Body.SessionDurationMinutes; minutes != nil {
		params.Minutes = int(*minutes)
	}
	return answerExchange(s.Sessions.Exchange(ctx, params))
}

// revokePage is POST /sdk/v1/b2b/sessions/revoke.
func (s *Surface) revokePage(ctx context.Context, r *api.Request[api.None]) (*api.SignedOut, error) {
	return &api.SignedOut{}, s.Sessions.Revoke(ctx, session.RevokeParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, SessionToken: r.Caller.Page.Session,
	})
}

// revokeMember is POST /sdk/v1/b2b/sessions/revoke/{member_id}.
func (s *Surface) revokeMember(ctx context.Context, c call, _ api.None) (*wire.Done, error) {
	return &wire.Done{}, s.Sessions.Revoke(ctx, session.RevokeParams{
		Environment: c.env, Actor: c.by.actor, Person: c.whom(), May: c.by.mayRevoke,
	})
}

// ownOrganization is GET /sdk/v1/b2b/organizations/me.
func (s *Surface) ownOrganization(_ context.Context, c call, _ api.None) (*organizationAnswer, error) {
	return answerOrganization(*c.by.member.Organization, nil)
}

// ownMember is GET /sdk/v1/b2b/organizations/members/me.
func (s *Surface) ownMember(_ context.Context, c call, _ api.None) (*memberAnswer, error) {
	return answerMember(*c.by.member, nil)
}

// searchOwnMembers is POST /sdk/v1/b2b/organizations/me/members/search.
func (s *Surface) searchOwnMembers(ctx context.Context, c call, body wire.SearchRequest) (*searchMembersAnswer, error) {
	return s.findMembers(ctx, c, []string{c.organization}, body)
}

// startEmailUpdate is POST /sdk/v1/b2b/organizations/members/start_email_update: what
// it starts ends with an e-mail, and nobody sends one here.
func (s *Surface) startEmailUpdate(context.Context, call, api.None) (*memberAnswer, error) {
	return nil, countersign.ErrEndpointNotAuthorizedForSDK
}

type organizationBySlugRequest struct {
	OrganizationSlug string `json:"organization_slug" openapi:"required"`
}

type organizationBySlugAnswer struct {
	wire.Envelope
	Organization *wire.PublicOrganization `json:"organization" doc:"Null if there is none."`
}

// organizationBySlug is POST /sdk/v1/b2b/organizations/search.
func (s *Surface) organizationBySlug(ctx context.Context, r *api.Request[organizationBySlugRequest]) (*organizationBySlugAnswer, error) {
	if r.Body.OrganizationSlug == "" {
		return nil, countersign.ErrBadRequest.Saying("organization_slug is required.")
	}
	o, err := s.Directory.Organization(ctx, r.Caller.Environment, r.Body.OrganizationSlug)
	switch {
	case errors.Is(err, countersign.ErrOrganizationNotFound), errors.Is(err, countersign.ErrInvalidOrganizationID), err == nil && o.Slug != r.Body.OrganizationSlug:
		return &organizationBySlugAnswer{}, nil
	case err != nil:
		return nil, err
	}
	public := wire.NewPublicOrganization(o)
	return &organizationBySlugAnswer{Organization: &public}, nil
}

// mayRevoke refuses to end the sessions of a member.
func (by behalf) mayRevoke(_ *standing.Rules, p countersign.Person) error {
	return by.mayOn(p.Organization.ID.String(), p.ID.String(), action{name: "revoke-sessions", own: true})
}
