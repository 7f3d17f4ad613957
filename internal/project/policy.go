package project

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/store"
)

// NewPolicy replaces a policy whole, but for the default roles: one that it does
// not name stays as it is.
type NewPolicy struct {
	DefaultRoles    map[string][]countersign.Permission // by role ID
	CustomRoles     []countersign.Role
	CustomResources []countersign.Resource
	CustomScopes    []countersign.Scope
}

// Policy is an environment's policy, the default one if it never had another.
func (s *Service) Policy(ctx context.Context, env countersign.Environment) (countersign.Policy, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.Policy, error) { return policy(ctx, tx, env) })
}

func policy(ctx context.Context, tx *store.Tx, env countersign.Environment) (countersign.Policy, error) {
	p, err := tx.Policy(ctx, env.ID)
	if errors.Is(err, store.ErrNotFound) {
		return countersign.DefaultPolicy(env.Vertical), nil
	}
	return p, err
}

// SetPolicy replaces an environment's policy (rbac.md §2). A role that it leaves
// out is gone from all who had it, even if one of the same name comes later.
// Errors: ErrInvalidRoleForVertical and those of rbac.Check.
func (s *Service) SetPolicy(ctx context.Context, actor countersign.Actor, env countersign.Environment, n NewPolicy) (countersign.Policy, error) {
	after := countersign.Policy{
		DefaultRoles: countersign.DefaultPolicy(env.Vertical).DefaultRoles,
		CustomRoles:  slices.Clone(n.CustomRoles), CustomResources: n.CustomResources, CustomScopes: n.CustomScopes,
	}
	for _, id := range slices.Sorted(maps.Keys(n.DefaultRoles)) { // so that of two wrong ones always the same is named
		i := slices.IndexFunc(after.DefaultRoles, func(r countersign.Role) bool { return r.ID == id })
		if i < 0 {
			return after, countersign.ErrInvalidRoleForVertical.Saying("Received: %s; the project is %s.", id, env.Vertical)
		}
		after.DefaultRoles[i].Permissions = n.DefaultRoles[id]
	}
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := policy(ctx, tx, env)
		if err != nil {
			return err
		}
		now, err := tx.Environment(ctx, env.ID)
		if err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		for i, r := range before.DefaultRoles {
			if _, given := n.DefaultRoles[r.ID]; !given {
				after.DefaultRoles[i] = r
			}
		}
		for i, r := range after.CustomRoles {
			after.CustomRoles[i].Since = now.Revision + 1 // the one that storing this makes
			if j := slices.IndexFunc(before.CustomRoles, func(b countersign.Role) bool { return b.ID == r.ID }); j >= 0 {
				after.CustomRoles[i].Since = before.CustomRoles[j].Since
			}
		}
		if err := rbac.Check(after, env.Vertical); err != nil {
			return err
		}
		if err := tx.PutPolicy(ctx, env.ID, after); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "policy.updated", env.ID.String(), change(before, after))
	})
	return after, err
}
