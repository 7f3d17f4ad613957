package b2b

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/standing"
)

// The resources that the roles of members are held against (rbac.md §3).
const (
	organizations = "stytch.organization"
	members       = "stytch.member"
	self          = "stytch.self"
)

// behalf is on whose behalf a call is made: a member's, whose roles must permit it
// (b2b.md §7), or nobody's, and then everything is permitted.
type behalf struct {
	member *countersign.Person
	rules  *standing.Rules
	actor  countersign.Actor
}

// onBehalf reads whose call it is. Errors: ErrTooManySessionArguments for both
// headers, ErrSessionNotFound, ErrUnableToParseSessionJWT.
func (s *Surface) onBehalf(ctx context.Context, caller api.Caller) (behalf, error) {
	by := behalf{actor: caller.Actor}
	switch {
	case caller.MemberSession == "" && caller.MemberSessionJWT == "":
		return by, nil
	case caller.MemberSession != "" && caller.MemberSessionJWT != "":
		return by, countersign.ErrTooManySessionArguments
	}
	return s.acting(ctx, caller, caller.MemberSession, caller.MemberSessionJWT)
}

// acting is on behalf of a session's member. Errors: ErrSessionNotFound,
// ErrUnableToParseSessionJWT.
func (s *Surface) acting(ctx context.Context, caller api.Caller, token, jwt countersign.Bearer) (by behalf, err error) {
	sess, member, err := s.Sessions.Holder(ctx, caller.Environment, token, jwt)
	if err != nil {
		return by, err
	}
	by.member = &member
	by.actor = countersign.Actor{Kind: countersign.ActorSession, ID: sess.ID.String(), RequestID: caller.Actor.RequestID}
	by.rules, err = s.Sessions.Rules.Of(ctx, caller.Environment)
	return by, err
}

// call is a request that may be made on behalf of a member, and what it is about:
// backends name that in the path, pages do what their member does.
type call struct {
	by           behalf
	env          countersign.Environment
	organization string
	member       string
}

// whom is the member that it is about.
func (c call) whom() directory.Whom {
	return directory.Whom{Organization: c.organization, Person: c.member}
}

// enveloped is what an endpoint answers.
type enveloped interface {
	Envelop(requestID string, status int)
}

// named is an endpoint of backends, about what the path names.
func named[B any, A enveloped](s *Surface, fn func(context.Context, call, B) (A, error)) api.Endpoint[B, A] {
	return func(ctx context.Context, r *api.Request[B]) (answer A, err error) {
		by, err := s.onBehalf(ctx, r.Caller)
		if err != nil {
			return answer, err
		}
		return fn(ctx, call{by, r.Caller.Environment, r.Path("organization_id"), r.Path("member_id")}, r.Body)
	}
}

// organization is whose member acts in the organization that the path names: it must
// be the member's own. Which others there are a member does not learn.
// ErrSessionTenancy.
func (by behalf) organization(ref string) error {
	if by.member == nil {
		return nil
	}
	if o := by.member.Organization; ref != o.ID.String() && ref != o.Slug && (ref != o.ExternalID || ref == "") {
		return countersign.ErrSessionTenancy
	}
	return nil
}

// action is something that a member's roles must permit. own says that the roles may
// permit it for oneself alone.
type action struct {
	name string
	own  bool
}

// may refuses actions on a resource of the organization that the path names. Errors:
// ErrSessionTenancy, ErrSessionAuthorization.
func (by behalf) may(ref, resource string, actions ...string) error {
	if by.member == nil {
		return nil
	}
	if err := by.organization(ref); err != nil {
		return err
	}
	for _, name := range actions {
		if err := by.permitted(resource, name); err != nil {
			return err
		}
	}
	return nil
}

// mayOn refuses actions on a member of an organization, who may be the one that
// acts; both are named as in the path. Errors as may.
func (by behalf) mayOn(ref, member string, actions ...action) error {
	if by.member == nil {
		return nil
	}
	if err := by.organization(ref); err != nil {
		return err
	}
	for _, a := range actions {
		if a.own && by.is(member) && by.permitted(self, a.name) == nil {
			continue
		}
		if err := by.permitted(members, a.name); err != nil {
			return err
		}
	}
	return nil
}

// is reports whether a name is that of the member who acts.
func (by behalf) is(name string) bool {
	return by.member != nil && name != "" && (name == by.member.ID.String() || name == by.member.ExternalID)
}

func (by behalf) permitted(resource, name string) error {
	_, err := session.Permit(by.rules, *by.member, session.Check{
		OrganizationID: by.member.Organization.ID.String(), ResourceID: resource, Action: name,
	})
	return err
}

// never refuses, on behalf of anybody, what no permission covers.
func (by behalf) never(given bool, field string) error {
	if by.member != nil && given {
		return countersign.ErrSessionAuthorization.Saying("No permission lets a member write %s.", field)
	}
	return nil
}

// metadata refuses trusted metadata that is written on behalf of a member.
func (by behalf) metadata(given bool) error {
	if by.member != nil && given {
		return countersign.ErrUpdateTrustedMetadata
	}
	return nil
}
