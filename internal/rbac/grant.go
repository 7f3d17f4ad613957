package rbac

import (
	"slices"

	"github.com/countersign-auth/countersign"
)

// A Giver is who gives and takes roles: a call of the API, or a profile for the
// tokens of its issuer. It touches only what it gave itself.
type Giver struct {
	Profile  countersign.ProfileID // zero: a call of the API
	Revision int64                 // the environment's
}

// Give makes roles exactly those that this giver gives: those it gave before and
// does not name any more are taken, unless somebody else gave them too. Grants
// of roles that are gone, which can never count again, are dropped.
func (by Giver) Give(policy countersign.Policy, grants []countersign.Grant, roles []string) []countersign.Grant {
	var out []countersign.Grant
	for _, g := range grants {
		g.Profiles = slices.Clone(g.Profiles)
		if !slices.Contains(roles, g.RoleID) {
			by.take(&g)
		}
		if current(policy, g) && (g.Explicit || len(g.Profiles) > 0) {
			out = append(out, g)
		}
	}
	for _, role := range roles {
		i := slices.IndexFunc(out, func(g countersign.Grant) bool { return g.RoleID == role })
		if i < 0 {
			out = append(out, countersign.Grant{RoleID: role, Revision: by.Revision})
			i = len(out) - 1
		}
		by.give(&out[i])
	}
	return out
}

func (by Giver) give(g *countersign.Grant) {
	switch {
	case by.Profile.IsZero():
		g.Explicit = true
	case !slices.Contains(g.Profiles, by.Profile):
		g.Profiles = append(g.Profiles, by.Profile)
	}
}

func (by Giver) take(g *countersign.Grant) {
	if by.Profile.IsZero() {
		g.Explicit = false
		return
	}
	g.Profiles = slices.DeleteFunc(g.Profiles, func(p countersign.ProfileID) bool { return p == by.Profile })
}

// Counts reports whether a grant still gives its role: the role is the one that
// was given, and one of the givers is still there.
func Counts(policy countersign.Policy, g countersign.Grant, stands func(countersign.ProfileID) bool) bool {
	return current(policy, g) && (g.Explicit || slices.ContainsFunc(g.Profiles, stands))
}

// current reports whether the policy's role of that ID is the one that was
// given. A role that was deleted and made again is another one.
func current(policy countersign.Policy, g countersign.Grant) bool {
	role, ok := Find(policy, g.RoleID)
	return ok && g.Revision >= role.Since
}
