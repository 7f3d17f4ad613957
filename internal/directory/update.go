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
}

// Update changes a user. Two updates at once happen one after the other, so
// that both are seen. Errors: as User and CreateUser.
func (s *Service) Update(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string, p Patch) (countersign.Person, error) {
	if p.ExternalID != "" {
		if err := checkExternalID(p.ExternalID); err != nil {
			return countersign.Person{}, err
		}
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, rules *standing.Rules) (u countersign.Person, err error) {
		if u, err = Find(ctx, tx, env.ID, ref); err != nil {
			return u, err
		}
		changed, err := p.apply(&u, rules)
		if err != nil || len(changed) == 0 {
			return u, err
		}
		if err := CheckExternalIDFree(ctx, tx, env.ID, u.ID, p.ExternalID); err != nil {
			return u, err
		}
		if err := tx.UpdatePerson(ctx, env.ID, u); err != nil {
			return u, err
		}
		return u, tx.Record(ctx, env.ID, "user.updated", u.ID.String(), map[string]any{"changed": changed})
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
	u.Roles = rules.Roles(u.Grants)
	return changed, nil
}

// AddEmail gives a user a verified address, which nobody has, as a part of
// somebody else's transaction, which records it. Error: ErrInvalidEmail.
func AddEmail(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, u *countersign.Person, address string) error {
	parsed, err := parseEmail(address)
	if err != nil {
		return err
	}
	added := newEmail(env, parsed, true)
	u.Emails = append(u.Emails, added)
	return tx.InsertEmail(ctx, env, u.ID, added)
}

func sameGrant(a, b countersign.Grant) bool {
	return a.RoleID == b.RoleID && a.Revision == b.Revision && a.Explicit == b.Explicit && slices.Equal(a.Profiles, b.Profiles)
}

// ClearExternalID takes a user's external ID away; errors as User.
func (s *Service) ClearExternalID(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string) (countersign.Person, error) {
	return s.change(ctx, actor, env, func(tx *store.Tx, _ *standing.Rules) (countersign.Person, error) {
		u, err := Find(ctx, tx, env.ID, ref)
		if err != nil || u.ExternalID == "" {
			return u, err
		}
		u.ExternalID = ""
		if err := tx.UpdatePerson(ctx, env.ID, u); err != nil {
			return u, err
		}
		return u, tx.Record(ctx, env.ID, "user.updated", u.ID.String(), map[string]any{"changed": []string{"external_id"}})
	})
}
