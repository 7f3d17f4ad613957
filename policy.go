package countersign

import "slices"

// Policy says which roles, resources and scopes an environment knows, and what
// the roles permit (rbac.md §2).
type Policy struct {
	// DefaultRoles are the vertical's own, in a fixed order. They cannot be
	// deleted, only changed.
	DefaultRoles    []Role     `json:"default_roles"`
	CustomRoles     []Role     `json:"custom_roles"`
	CustomResources []Resource `json:"custom_resources"`
	CustomScopes    []Scope    `json:"custom_scopes"`
}

// Roles are all roles, the default ones first.
func (p Policy) Roles() []Role {
	return append(p.DefaultRoles[:len(p.DefaultRoles):len(p.DefaultRoles)], p.CustomRoles...)
}

// For is the policy for the members of an organization, which adds roles to it; the
// same for nil.
func (p Policy) For(o *Organization) Policy {
	if o != nil && len(o.CustomRoles) > 0 {
		p.CustomRoles = slices.Concat(p.CustomRoles, o.CustomRoles)
	}
	return p
}

// Role is a named set of permissions.
type Role struct {
	ID          string       `json:"role_id"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
	// Since is the environment's revision with which the role came to be. Who
	// was given a role of that name before has another one.
	Since int64 `json:"since,omitempty"`
}

// Permission allows actions on one resource; the action "*" stands for all.
type Permission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

// Resource is something that actions are taken on.
type Resource struct {
	ID          string   `json:"resource_id"`
	Description string   `json:"description"`
	Actions     []string `json:"actions"`
}

// Scope is a named set of permissions that applications ask for.
type Scope struct {
	Name        string       `json:"scope"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
}

// The default roles.
const (
	DefaultUserRole   = "stytch_user"   // of every user
	DefaultMemberRole = "stytch_member" // of every member
	DefaultAdminRole  = "stytch_admin"  // of members, where it is assigned
)

// DefaultPolicy is the policy of an environment that has none of its own: the
// vertical's default roles (rbac.md §3).
func DefaultPolicy(v Vertical) Policy {
	if v == Consumer {
		return Policy{DefaultRoles: []Role{{ID: DefaultUserRole, Description: "Held by every user."}}}
	}
	everything := func(resources ...string) (list []Permission) {
		for _, r := range resources {
			list = append(list, Permission{ResourceID: r, Actions: []string{"*"}})
		}
		return list
	}
	return Policy{DefaultRoles: []Role{
		{ID: DefaultMemberRole, Description: "Held by every member.", Permissions: everything("stytch.self")},
		{ID: DefaultAdminRole, Description: "Administers an organization.", Permissions: everything("stytch.organization", "stytch.member", "stytch.sso", "stytch.scim")},
	}}
}
