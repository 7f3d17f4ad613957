package countersign

// Policy says which roles exist and what they may do.
type Policy struct {
	Roles []Role
}

// Role is a named set of permissions.
type Role struct {
	ID          string
	Permissions []Permission
}

// Permission allows actions on one resource; the action "*" stands for all.
type Permission struct {
	ResourceID string
	Actions    []string
}

// DefaultPolicy is the policy of a consumer environment that has none of its
// own: the default role, which permits nothing (rbac.md §3).
func DefaultPolicy() Policy {
	return Policy{Roles: []Role{{ID: DefaultUserRole}}}
}
