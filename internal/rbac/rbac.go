// Package rbac decides what roles permit, and which policies are well formed. It
// is pure: a policy and role IDs in, a verdict out, the same that clients reach
// locally (rbac.md §5).
package rbac

import (
	"slices"

	"github.com/countersign-auth/countersign"
)

// Granting are those of a subject's roles, in the policy's order, that permit an
// action on a resource: a permission names exactly that resource, and that
// action or "*". Roles that the policy does not know grant nothing.
func Granting(policy countersign.Policy, roles []string, resource, action string) []string {
	var granting []string
	for _, role := range policy.Roles() {
		if slices.Contains(roles, role.ID) && slices.ContainsFunc(role.Permissions, func(p countersign.Permission) bool {
			return p.ResourceID == resource && (slices.Contains(p.Actions, action) || slices.Contains(p.Actions, wildcard))
		}) {
			granting = append(granting, role.ID)
		}
	}
	return granting
}

// Find is the policy's role of an ID.
func Find(policy countersign.Policy, id string) (role countersign.Role, ok bool) {
	roles := policy.Roles()
	i := slices.IndexFunc(roles, func(r countersign.Role) bool { return r.ID == id })
	if i < 0 {
		return role, false
	}
	return roles[i], true
}

// Defines reports whether the policy knows a role.
func Defines(policy countersign.Policy, id string) bool {
	_, ok := Find(policy, id)
	return ok
}

// Automatic reports whether a role is held without being given, so that nobody
// can give or take it.
func Automatic(role string) bool {
	return role == countersign.DefaultUserRole || role == countersign.DefaultMemberRole
}
