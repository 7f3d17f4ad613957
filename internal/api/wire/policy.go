package wire

import (
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/rbac"
)

// Role is a role with what it permits.
type Role struct {
	RoleID      string       `json:"role_id"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
}

// Permission allows actions on one resource.
type Permission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

// Scope is a scope with what it permits.
type Scope struct {
	Scope       string       `json:"scope"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
}

// RuntimeResource is a resource as clients check against it (rbac.md §1).
type RuntimeResource struct {
	ResourceID  string   `json:"resource_id"`
	Description string   `json:"description"`
	Actions     []string `json:"actions"`
}

// RuntimePolicy is a policy as clients check against it (rbac.md §1): default
// roles and built-in resources included.
type RuntimePolicy struct {
	Roles     []Role            `json:"roles"`
	Resources []RuntimeResource `json:"resources"`
	Scopes    []Scope           `json:"scopes"`
}

// NewRuntimePolicy shapes a policy for clients.
func NewRuntimePolicy(p countersign.Policy, v countersign.Vertical) RuntimePolicy {
	return RuntimePolicy{
		Roles: each(p.Roles(), newRole), Scopes: each(p.CustomScopes, newScope),
		Resources: each(slices.Concat(rbac.BuiltIn(v), p.CustomResources), func(r countersign.Resource) RuntimeResource {
			return RuntimeResource{r.ID, r.Description, texts(r.Actions)}
		}),
	}
}

// Resource is a resource as operators define it (rbac.md §2).
type Resource struct {
	ResourceID       string   `json:"resource_id"`
	Description      string   `json:"description"`
	AvailableActions []string `json:"available_actions"`
}

// DefaultRole is what a default role permits.
type DefaultRole struct {
	Permissions []Permission `json:"permissions"`
}

// Policy is a policy as operators define it (rbac.md §2). The default roles are
// those of the project's vertical; the others are left out.
type Policy struct {
	StytchMember    *DefaultRole `json:"stytch_member,omitempty"`
	StytchAdmin     *DefaultRole `json:"stytch_admin,omitempty"`
	StytchUser      *DefaultRole `json:"stytch_user,omitempty"`
	StytchResources []Resource   `json:"stytch_resources"`
	CustomRoles     []Role       `json:"custom_roles"`
	CustomResources []Resource   `json:"custom_resources"`
	CustomScopes    []Scope      `json:"custom_scopes"`
}

// NewPolicy shapes a policy for operators.
func NewPolicy(p countersign.Policy, v countersign.Vertical) Policy {
	w := Policy{
		StytchResources: each(rbac.BuiltIn(v), newResource),
		CustomRoles:     each(p.CustomRoles, newRole), CustomResources: each(p.CustomResources, newResource), CustomScopes: each(p.CustomScopes, newScope),
	}
	for _, r := range p.DefaultRoles {
		role := &DefaultRole{Permissions: each(r.Permissions, newPermission)}
		switch r.ID {
		case countersign.DefaultMemberRole:
			w.StytchMember = role
		case countersign.DefaultAdminRole:
			w.StytchAdmin = role
		case countersign.DefaultUserRole:
			w.StytchUser = role
		}
	}
	return w
}

func newRole(r countersign.Role) Role {
	return Role{RoleID: r.ID, Description: r.Description, Permissions: each(r.Permissions, newPermission)}
}

func newPermission(p countersign.Permission) Permission {
	return Permission{ResourceID: p.ResourceID, Actions: texts(p.Actions)}
}

// RolesOf reads roles of a request.
func RolesOf(list []Role) []countersign.Role {
	return each(list, func(r Role) countersign.Role {
		return countersign.Role{ID: r.RoleID, Description: r.Description, Permissions: Permissions(r.Permissions)}
	})
}

// Permissions reads permissions of a request; nil stays nil.
func Permissions(list []Permission) []countersign.Permission {
	if list == nil {
		return nil
	}
	return each(list, func(p Permission) countersign.Permission { return countersign.Permission(p) })
}

func newScope(s countersign.Scope) Scope {
	return Scope{Scope: s.Name, Description: s.Description, Permissions: each(s.Permissions, newPermission)}
}

func newResource(r countersign.Resource) Resource {
	return Resource{ResourceID: r.ID, Description: r.Description, AvailableActions: texts(r.Actions)}
}

// texts is a list of strings that is never null.
func texts(list []string) []string { return each(list, func(s string) string { return s }) }

// PolicyRequest replaces a policy: it has what it names at the top level. A custom role must say
// what it permits; a default one that says nothing permits nothing.
type PolicyRequest struct {
	StytchMember    *DefaultRole `json:"stytch_member"`
	StytchAdmin     *DefaultRole `json:"stytch_admin"`
	StytchUser      *DefaultRole `json:"stytch_user"`
	CustomRoles     []Role       `json:"custom_roles"`
	CustomResources []Resource   `json:"custom_resources"`
	CustomScopes    []Scope      `json:"custom_scopes"`
}

// MaxBytes bounds the body of a policy.
func (PolicyRequest) MaxBytes() int64 { return 1 << 20 }

// Policy is what the request asks for.
func (r PolicyRequest) Policy() project.NewPolicy {
	n := project.NewPolicy{DefaultRoles: map[string][]countersign.Permission{}}
	for id, role := range map[string]*DefaultRole{
		countersign.DefaultMemberRole: r.StytchMember, countersign.DefaultAdminRole: r.StytchAdmin, countersign.DefaultUserRole: r.StytchUser,
	} {
		if role != nil {
			n.DefaultRoles[id] = Permissions(role.Permissions)
		}
	}
	for _, c := range r.CustomRoles {
		n.CustomRoles = append(n.CustomRoles, countersign.Role{ID: c.RoleID, Description: c.Description, Permissions: Permissions(c.Permissions)})
	}
	for _, c := range r.CustomResources {
		n.CustomResources = append(n.CustomResources, countersign.Resource{ID: c.ResourceID, Description: c.Description, Actions: c.AvailableActions})
	}
	for _, c := range r.CustomScopes {
		n.CustomScopes = append(n.CustomScopes, countersign.Scope{Name: c.Scope, Description: c.Description, Permissions: Permissions(c.Permissions)})
	}
	return n
}
