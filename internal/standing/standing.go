// Package standing knows what an environment's requests are answered by: its
// policy, its session template and its profiles. It derives them once and keeps
// them by revision.
package standing

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/claimtemplate"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/revision"
	"github.com/countersign-auth/countersign/internal/store"
)

// Book finds the rules of environments, and their profiles. Its methods may be
// called from many goroutines.
type Book struct {
	store    *store.Store
	rules    revision.Kept[countersign.EnvironmentID, *Rules]
	profiles revision.Kept[profileKey, *countersign.Profile]
}

type profileKey struct {
	env     countersign.EnvironmentID
	profile countersign.ProfileID
}

// NewBook is a Book over a store.
func NewBook(s *store.Store) *Book { return &Book{store: s} }

// Profile is a profile of an environment at least as new as the row that was
// read. It is shared and never changes; ErrProfileNotFound.
func (b *Book) Profile(ctx context.Context, env countersign.Environment, id countersign.ProfileID) (*countersign.Profile, error) {
	key := profileKey{env.ID, id}
	if p, ok := b.profiles.Of(key, env.Revision); ok {
		return p, nil
	}
	var p countersign.Profile
	err := b.store.View(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.Profile(ctx, env.ID, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, countersign.ErrProfileNotFound
	}
	if err != nil {
		return nil, err
	}
	b.profiles.Keep(key, env.Revision, &p)
	return &p, nil
}

// KeptProfile is Profile of what is kept; false if that would have to be read.
func (b *Book) KeptProfile(env countersign.Environment, id countersign.ProfileID) (*countersign.Profile, bool) {
	return b.profiles.Of(profileKey{env.ID, id}, env.Revision)
}

// Of are the rules of an environment at least as new as the row that was read.
func (b *Book) Of(ctx context.Context, env countersign.Environment) (*Rules, error) {
	if r, ok := b.rules.Of(env.ID, env.Revision); ok {
		return r, nil
	}
	var stored store.Standing
	err := b.store.View(ctx, func(tx *store.Tx) (err error) {
		stored, err = tx.Standing(ctx, env.ID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) { // deleted since the caller was let in
		return nil, countersign.ErrUnauthorizedCredentials
	}
	if err != nil {
		return nil, err
	}
	r, err := derive(env, stored)
	if err != nil {
		return nil, fmt.Errorf("read the configuration of %s: %w", env.ID, err)
	}
	b.rules.Keep(env.ID, r.Revision, r)
	return r, nil
}

// Rules are what stands in an environment as of a revision. They never change.
type Rules struct {
	Revision int64
	Policy   countersign.Policy
	Template *claimtemplate.Template // of session JWTs; nil if it adds nothing
	Audience string                  // beside the project ID in session JWTs; "" for none
	profiles []countersign.ProfileID
	ended    []countersign.Revocation
	base     []string // the roles that everybody has
	implicit []countersign.ImplicitRole
}

// For are the rules for the members of an organization, which adds roles to those
// of the policy; the same for nil.
func (r *Rules) For(o *countersign.Organization) *Rules {
	if o == nil || len(o.CustomRoles)+len(o.Settings.ImplicitRoles) == 0 {
		return r
	}
	own := *r
	own.Policy = r.Policy.For(o)
	own.implicit = o.Settings.ImplicitRoles
	return &own
}

func derive(env countersign.Environment, stored store.Standing) (*Rules, error) {
	r := &Rules{Revision: stored.Revision, Policy: countersign.DefaultPolicy(env.Vertical), profiles: stored.Profiles, ended: stored.Revocations}
	if stored.Policy != nil {
		r.Policy = *stored.Policy
	}
	for _, role := range r.Policy.DefaultRoles {
		if rbac.Automatic(role.ID) {
			r.base = append(r.base, role.ID)
		}
	}
	if stored.Template == nil {
		return r, nil
	}
	r.Audience = stored.Template.CustomAudience
	t, err := claimtemplate.Parse(stored.Template.Content)
	if err != nil {
		return nil, err
	}
	if !t.Empty() {
		r.Template = t
	}
	return r, nil
}

// Settle resolves the roles of somebody: those of everybody, of the grants those
// that still count, in the order in which they were given, and those that the
// organization gives to the domain of a member's address.
func (r *Rules) Settle(p *countersign.Person) {
	p.Roles = slices.Clone(r.base)
	for _, g := range p.Grants {
		if rbac.Counts(r.Policy, g, r.stands) {
			p.Roles = append(p.Roles, g.RoleID)
		}
	}
	if p.Organization == nil {
		return
	}
	p.Held = make([]countersign.HeldRole, len(p.Roles))
	for i, role := range p.Roles {
		p.Held[i] = countersign.HeldRole{RoleID: role, Assigned: true}
	}
	domain := email.DomainOf(p.Email().Key)
	for _, given := range r.implicit {
		if given.Domain != domain || !rbac.Defines(r.Policy, given.RoleID) {
			continue
		}
		i := slices.Index(p.Roles, given.RoleID)
		if i < 0 {
			i = len(p.Roles)
			p.Roles = append(p.Roles, given.RoleID)
			p.Held = append(p.Held, countersign.HeldRole{RoleID: given.RoleID})
		}
		p.Held[i].Domain = domain
	}
}

// Ended reports whether a revocation that stands ends a session.
func (r *Rules) Ended(s countersign.Session) bool { return countersign.EndedBy(r.ended, s) }

func (r *Rules) stands(p countersign.ProfileID) bool { return slices.Contains(r.profiles, p) }

// Give makes roles the ones that a giver gives, and leaves alone what others
// gave. profile is zero for a call of the API. Errors: ErrInvalidRBACRoleID, and
// ErrCannotAssignDefaultRBACRoleID.
func (r *Rules) Give(profile countersign.ProfileID, grants []countersign.Grant, roles []string) ([]countersign.Grant, error) {
	for _, role := range roles {
		if rbac.Automatic(role) {
			return nil, countersign.ErrCannotAssignDefaultRBACRoleID
		}
		if !rbac.Defines(r.Policy, role) {
			return nil, countersign.ErrInvalidRBACRoleID.Saying("The policy defines no role %.128q.", role)
		}
	}
	return rbac.Giver{Profile: profile, Revision: r.Revision}.Give(r.Policy, grants, roles), nil
}
