package directory

import (
	"context"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// Patch changes what it names; the zero value changes nothing.
type Patch struct {
	FirstName, MiddleName, LastName *string
	ExternalID                      string             // "" leaves it
	TrustedMetadata                 countersign.Object // merged at the top level; null removes a key
	UntrustedMetadata               countersign.Object
	Roles                           *[]string // the explicit ones from now on
	// Of members only.
	Breakglass       *bool
	MFAEnrolled      *bool
	DefaultMFAMethod *string
	Phone            string // the first; "" leaves what is there
	Email            string // the new one; "" leaves what is there
	UnlinkEmail      bool   // the old one is not reserved
}

// Update changes somebody. Two updates at once happen one after the other, so
// that both are seen. Errors: as Find and Create, and for a member
// ErrDuplicatePhoneForMember and ErrDefaultMFAMissingFactor.
func (s *Service) Update(ctx context.Context, actor countersign.Actor, env countersign.Environment, whom Whom, patch Patch) (countersign.Person, error) {
	if patch.ExternalID != "" {
		if err := checkExternalID(patch.ExternalID); err != nil {
			return countersign.Person{}, err
		}
	}
	if err := checkMFAMethod(patch.DefaultMFAMethod); err != nil {
		return countersign.Person{}, err
	}
	return s.edit(ctx, actor, env, whom, func(tx *store.Tx, rules *standing.Rules, p *countersign.Person) ([]string, error) {
		changed, err := patch.apply(p, rules)
		if err != nil {
			return nil, err
		}
		if p.Organization != nil {
			if changed, err = patch.applyToMember(ctx, tx, env.ID, p, changed); err != nil {
				return nil, err
			}
		}
		return changed, CheckExternalIDFree(ctx, tx, p.Tenant(env.ID), p.ID, patch.ExternalID)
	})
}

// apply changes a user in memory and says which fields it changed.
func (p Patch) apply(u *countersign.Person, rules *standing.Rules) (changed []string, err error) {
	name := u.Name
	for _, part := range []struct{ to, from *string }{{&name.First, p.FirstName}, {&name.Middle, p.MiddleName}, {&name.Last, p.LastName}} {
		if part.from != nil {
			*part.to = *part.from
		}
	}
	if name != u.Name {
		if err := checkName(name); err != nil {
			return nil, err
		}
		u.Name = name
		changed = append(changed, "name")
	}
	if p.ExternalID != "" && p.ExternalID != u.ExternalID {
		u.ExternalID = p.ExternalID
		changed = append(changed, "external_id")
	}
	if len(p.TrustedMetadata) > 0 {
		if u.TrustedMetadata, err = mergeMetadata(u.TrustedMetadata, p.TrustedMetadata); err != nil {
			return nil, err
		}
		changed = append(changed, "trusted_metadata")
	}
	if len(p.UntrustedMetadata) > 0 {
		if u.UntrustedMetadata, err = mergeMetadata(u.UntrustedMetadata, p.UntrustedMetadata); err != nil {
			return nil, err
		}
		changed = append(changed, "untrusted_metadata")
	}
	if p.Roles == nil {
		return changed, nil
	}
	return GiveRoles(u, rules, countersign.ProfileID{}, *p.Roles, changed)
}

// GiveRoles makes roles the ones that a profile, or with the zero one the API,
// gives a user, and adds "roles" to what changed if anything did. Errors: those
// of standing.Rules.Give.
func GiveRoles(u *countersign.Person, rules *standing.Rules, by countersign.ProfileID, roles, changed []string) ([]string, error) {
	grants, err := rules.Give(by, u.Grants, roles)
	if err != nil {
		return changed, err
	}
	if !slices.EqualFunc(grants, u.Grants, sameGrant) {
		u.Grants = grants
		changed = append(changed, "roles")
	}
	rules.Settle(u)
	return changed, nil
}

// AddEmail gives somebody a verified address, which nobody has, as a part of
// somebody else's transaction, which keeps and records it. A member, who has one,
// gets it in the place of the old one. Error: ErrInvalidEmail.
func AddEmail(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, p *countersign.Person, address string) error {
	parsed, err := parseEmail(address)
	if err != nil {
		return err
	}
	if p.Organization != nil {
		return replaceEmail(ctx, tx, env, p, newEmail(env, parsed, true), false)
	}
	added := newEmail(env, parsed, true)
	p.Emails = append(p.Emails, added)
	return tx.InsertEmail(ctx, p.Tenant(env), p.ID, added)
}

func sameGrant(a, b countersign.Grant) bool {
	return a.RoleID == b.RoleID && a.Revision == b.Revision && a.Explicit == b.Explicit && slices.Equal(a.Profiles, b.Profiles)
}

// ClearExternalID takes somebody's external ID away; errors as Find.
func (s *Service) ClearExternalID(ctx context.Context, actor countersign.Actor, env countersign.Environment, whom Whom) (countersign.Person, error) {
	return s.edit(ctx, actor, env, whom, func(_ *store.Tx, _ *standing.Rules, p *countersign.Person) ([]string, error) {
		if p.ExternalID == "" {
			return nil, nil
		}
		p.ExternalID = ""
		return []string{"external_id"}, nil
	})
}
