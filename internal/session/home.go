package session

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// home is where a person is found or made: in the environment, where there are no
// organizations; in one; or in one that is to be made.
type home struct {
	organization *countersign.Organization
	fresh        string // the external ID of the organization to be made, or ""
}

func (h home) isNew() bool { return h.fresh != "" }

func (h home) tenant(env countersign.EnvironmentID) countersign.Tenant {
	return countersign.Person{Organization: h.organization}.Tenant(env)
}

// findHome finds the organization that a token is for (profiles.md §6): the one that
// the profile is pinned to; else the one that the token names by ID or external ID;
// else the one that the caller names; else that of the session that the token joins.
// Where several are named they must be one. An organization of a token's own naming
// is to be made if the profile provisions.
func (p person) findHome(ctx context.Context, tx *store.Tx, owner countersign.PersonID) (h home, err error) {
	if p.env.Vertical != countersign.B2B {
		return h, nil
	}
	if pin := p.profile.Policy.OrganizationID; pin != "" {
		return p.pinned(ctx, tx, pin)
	}
	named, asked := p.attributes.OrganizationID, p.organization
	if named == "" && asked == "" {
		return p.homeOf(ctx, tx, owner)
	}
	if asked != "" && asked != named {
		if h.organization, err = p.look(directory.FindOrganization(ctx, tx, p.env.ID, asked)); err != nil {
			return h, err
		}
		if named == "" || goesBy(h.organization, named) {
			return h, nil
		}
		return h, errOrganizationConflict("the organization that organization_id names", "another, or none")
	}
	if h.organization, err = p.look(directory.FindOrganizationByID(ctx, tx, p.env.ID, named)); err == nil {
		return h, nil
	}
	_, unknown := errors.AsType[*trust.Refusal](err)
	if !unknown || !p.profile.CanJITProvision {
		return h, err
	}
	if !directory.ValidOrganizationExternalID(named) {
		return h, p.errUnknownOrganization("a name that none can have: 1 to 128 characters out of A-Z, a-z, 0-9, '.', '_', '|' and '-', and no ID of this server")
	}
	h.fresh = named
	return h, nil
}

// pinned is the home of a profile that knows only one organization. No other one is
// looked at, so that its tokens cannot learn which there are.
func (p person) pinned(ctx context.Context, tx *store.Tx, pin string) (h home, err error) {
	if h.organization, err = p.look(directory.FindOrganizationByID(ctx, tx, p.env.ID, pin)); err != nil {
		return h, err
	}
	for _, name := range []string{p.attributes.OrganizationID, p.organization} {
		if name != "" && !goesBy(h.organization, name) && (name != p.organization || name != h.organization.Slug) {
			return h, errOrganizationConflict("the one organization that the profile is for", "another name")
		}
	}
	return h, nil
}

// homeOf is the organization of the session that a token joins.
func (p person) homeOf(ctx context.Context, tx *store.Tx, owner countersign.PersonID) (h home, err error) {
	if owner.IsZero() {
		return h, p.errNoOrganization()
	}
	who, err := tx.Person(ctx, p.env.ID, owner)
	if errors.Is(err, store.ErrNotFound) {
		err = countersign.ErrSessionNotFound
	}
	return home{organization: who.Organization}, err
}

// look is an organization that was looked for; a refusal if there is none.
func (p person) look(o countersign.Organization, err error) (*countersign.Organization, error) {
	if _, named := errors.AsType[*countersign.Error](err); named {
		return nil, p.errUnknownOrganization("a name that none has")
	}
	if err != nil {
		return nil, err
	}
	return &o, nil
}

// goesBy reports whether an organization has a name by which tokens speak of it.
func goesBy(o *countersign.Organization, name string) bool {
	return name == o.ID.String() || name == o.ExternalID
}

func errOrganizationConflict(expected, received string) error {
	return trust.Refuse(trust.OrganizationConflict, expected, received)
}

func (p person) errUnknownOrganization(received string) error {
	return trust.Refuse(trust.OrganizationUnknown, "the ID or external ID of an organization", received)
}

// errNoOrganization is a token that does not say which organization it is for, where
// it must.
func (p person) errNoOrganization() error {
	return refusedAs(countersign.ErrTokenMissingOrganization, trust.Unmapped(p.profile, countersign.AttributeOrganizationID))
}
