// Package rbac decides what roles permit. It is pure: a policy and role IDs in,
// a verdict out, the same that clients reach locally (rbac.md §5).
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
	for _, role := range policy.Roles {
		if slices.Contains(roles, role.ID) && slices.ContainsFunc(role.Permissions, func(p countersign.Permission) bool {
			return p.ResourceID == resource && (slices.Contains(p.Actions, action) || slices.Contains(p.Actions, "*"))
		}) {
			granting = append(granting, role.ID)
		}
	}
	return granting
}

// Defines reports whether the policy knows a role.
func Defines(policy countersign.Policy, role string) bool {
	return slices.ContainsFunc(policy.Roles, func(r countersign.Role) bool { return r.ID == role })
}
