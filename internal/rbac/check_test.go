package rbac_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
)

// wellFormed is a policy with one of everything.
func wellFormed() countersign.Policy {
	read := []countersign.Permission{{ResourceID: "documents", Actions: []string{"read"}}}
	return countersign.Policy{
		DefaultRoles:    []countersign.Role{{ID: countersign.DefaultUserRole, Permissions: []countersign.Permission{{ResourceID: "stytch.user", Actions: []string{"of.a.later.day"}}}}},
		CustomRoles:     []countersign.Role{{ID: "reader", Permissions: slices.Clone(read)}, {ID: "nothing", Permissions: []countersign.Permission{}}},
		CustomResources: []countersign.Resource{{ID: "documents", Actions: []string{"read", "write"}}, {ID: "invoices", Actions: []string{"read"}}},
		CustomScopes:    []countersign.Scope{{Name: "read:documents", Permissions: slices.Clone(read)}},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 129)
	permission := func(resource string, actions ...string) []countersign.Permission {
		return []countersign.Permission{{ResourceID: resource, Actions: actions}}
	}
	for _, test := range []struct {
		name  string
		spoil func(p *countersign.Policy)
		want  error
	}{
		{"well formed", func(*countersign.Policy) {}, nil},
		{"empty", func(p *countersign.Policy) { *p = countersign.Policy{} }, nil},
		{"a wildcard", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("invoices", "*") }, nil},
		{"names of one role and one scope", func(p *countersign.Policy) { p.CustomScopes[0].Name = "reader" }, nil},
		{"a role that only begins like a default one", func(p *countersign.Policy) { p.CustomRoles[0].ID = "stytchy" }, nil},

		{"two roles of one ID", func(p *countersign.Policy) { p.CustomRoles[1].ID = "reader" }, countersign.ErrRoleDuplicate},
		{"two resources of one ID", func(p *countersign.Policy) { p.CustomResources[1].ID = "documents" }, countersign.ErrResourceDuplicate},
		{"two permissions on one resource", func(p *countersign.Policy) {
			p.CustomRoles[0].Permissions = append(p.CustomRoles[0].Permissions, permission("documents", "write")...)
		}, countersign.ErrResourceDuplicate},
		{"an action twice in a resource", func(p *countersign.Policy) { p.CustomResources[0].Actions = []string{"read", "read"} }, countersign.ErrActionDuplicate},
		{"an action twice in a permission", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("documents", "read", "read") }, countersign.ErrActionDuplicate},
		{"two scopes of one name", func(p *countersign.Policy) { p.CustomScopes = append(p.CustomScopes, p.CustomScopes[0]) }, countersign.ErrScopeDuplicate},
		{"a role without permissions", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = nil }, countersign.ErrRoleMissingPermissions},
		{"a permission without actions", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("documents") }, countersign.ErrPermissionMissingActions},
		{"an empty action in a permission", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("stytch.user", "") }, countersign.ErrPermissionMissingActions},
		{"a resource without actions", func(p *countersign.Policy) { p.CustomResources[0].Actions = nil }, countersign.ErrResourceMissingActions},
		{"an empty action in a resource", func(p *countersign.Policy) { p.CustomResources[0].Actions = []string{"read", ""} }, countersign.ErrResourceMissingActions},
		{"a scope without permissions", func(p *countersign.Policy) { p.CustomScopes[0].Permissions = []countersign.Permission{} }, countersign.ErrScopeMissingPermissions},
		{"a role without ID", func(p *countersign.Policy) { p.CustomRoles[0].ID = "" }, countersign.ErrEmptyRoleID},
		{"a resource without ID", func(p *countersign.Policy) { p.CustomResources[0].ID = "" }, countersign.ErrEmptyResourceID},
		{"a permission on nothing", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("", "read") }, countersign.ErrEmptyResourceID},
		{"a scope without name", func(p *countersign.Policy) { p.CustomScopes[0].Name = "" }, countersign.ErrEmptyScope},
		{"a long role ID", func(p *countersign.Policy) { p.CustomRoles[0].ID = long }, countersign.ErrRoleIDTooLong},
		{"a long resource ID", func(p *countersign.Policy) { p.CustomResources[1].ID = long }, countersign.ErrResourceIDTooLong},
		{"a long action", func(p *countersign.Policy) { p.CustomResources[1].Actions = []string{long} }, countersign.ErrActionTooLong},
		{"a long scope", func(p *countersign.Policy) { p.CustomScopes[0].Name = long }, countersign.ErrScopeTooLong},
		{"a long description of a role", func(p *countersign.Policy) { p.CustomRoles[0].Description = strings.Repeat("x", 1025) }, countersign.ErrDescriptionTooLong},
		{"a long description of a resource", func(p *countersign.Policy) { p.CustomResources[0].Description = strings.Repeat("x", 1025) }, countersign.ErrDescriptionTooLong},
		{"a long description of a scope", func(p *countersign.Policy) { p.CustomScopes[0].Description = strings.Repeat("x", 1025) }, countersign.ErrDescriptionTooLong},
		{"a reserved scope", func(p *countersign.Policy) { p.CustomScopes[0].Name = "offline_access" }, countersign.ErrReservedScope},
		{"a role on an unknown resource", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("document", "read") }, countersign.ErrInvalidPermissionResource},
		{"a scope on an unknown resource", func(p *countersign.Policy) { p.CustomScopes[0].Permissions = permission("document", "read") }, countersign.ErrInvalidPermissionResource},
		{"a default role on an unknown resource", func(p *countersign.Policy) { p.DefaultRoles[0].Permissions = permission("document", "read") }, countersign.ErrInvalidPermissionResource},
		{"a built-in resource of the other vertical", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("stytch.member", "create") }, countersign.ErrInvalidPermissionResource},
		{"an unknown action", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("invoices", "write") }, countersign.ErrInvalidPermissionAction},
		{"a wildcard beside another", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = permission("documents", "read", "*") }, countersign.ErrWildcardWithOthers},
		{"a wildcard that a resource defines", func(p *countersign.Policy) { p.CustomResources[0].Actions = []string{"read", "*"} }, countersign.ErrInvalidWildcardAction},
		{"a reserved resource", func(p *countersign.Policy) { p.CustomResources[0].ID = "STYTCHdocuments" }, countersign.ErrStytchPrefixedResource},
		{"a default role among the custom ones", func(p *countersign.Policy) { p.CustomRoles[0].ID = "stytch_admin" }, countersign.ErrStytchRoleEdit},
		{"a role like a default one", func(p *countersign.Policy) { p.CustomRoles[0].ID = "Stytch_owner" }, countersign.ErrStytchRoleEdit},
		{"too many roles", func(p *countersign.Policy) { p.CustomRoles = make([]countersign.Role, 101) }, countersign.ErrTooManyRoles},
		{"too many resources", func(p *countersign.Policy) { p.CustomResources = make([]countersign.Resource, 201) }, countersign.ErrInvalidArgument},
		{"too many scopes", func(p *countersign.Policy) { p.CustomScopes = make([]countersign.Scope, 101) }, countersign.ErrInvalidArgument},
		{"too many permissions", func(p *countersign.Policy) { p.CustomRoles[0].Permissions = make([]countersign.Permission, 401) }, countersign.ErrInvalidArgument},
		{"too many actions", func(p *countersign.Policy) { p.CustomResources[0].Actions = make([]string, 201) }, countersign.ErrInvalidArgument},
		{"a space at the end of an ID", func(p *countersign.Policy) { p.CustomRoles[0].ID = "reader " }, countersign.ErrInvalidArgument},
		{"a control character in an action", func(p *countersign.Policy) { p.CustomResources[0].Actions = []string{"re\nad"} }, countersign.ErrInvalidArgument},
		{"a NUL in a description", func(p *countersign.Policy) { p.CustomRoles[0].Description = "\x00" }, countersign.ErrInvalidArgument},
	} {
		p := wellFormed()
		test.spoil(&p)
		if err := rbac.Check(p, countersign.Consumer); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: Check = %v, want %v", test.name, err, test.want)
		}
	}
}

func TestDefaultPoliciesAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, v := range []countersign.Vertical{countersign.Consumer, countersign.B2B} {
		if err := rbac.Check(countersign.DefaultPolicy(v), v); err != nil {
			t.Errorf("Check(the default policy of %s) = %v", v, err)
		}
	}
	if err := rbac.Check(countersign.DefaultPolicy(countersign.B2B), countersign.Consumer); !errors.Is(err, countersign.ErrInvalidPermissionResource) {
		t.Errorf("Check(the B2B policy for consumers) = %v", err)
	}
}
