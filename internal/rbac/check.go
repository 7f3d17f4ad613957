package rbac

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
)

// wildcard stands for all actions of a resource, in a permission only.
const wildcard = "*"

// reservedPrefix begins the IDs of built-in resources and default roles.
const reservedPrefix = "stytch"

// Bounds of policies.
const (
	maxRoles       = 100 // custom ones
	maxResources   = 200
	maxScopes      = 100
	maxActions     = 200 // of a resource or a permission
	maxPermissions = 400 // of a role or a scope
	maxName        = 128 // bytes of an ID, an action or a scope
	maxDescription = 1024
)

// reservedScopes are those of OpenID Connect and of the hosted service.
var reservedScopes = []string{"openid", "profile", "email", "phone", "address", "offline_access", "full_access"}

// BuiltIn are the resources that every policy of a vertical knows (rbac.md §3).
func BuiltIn(v countersign.Vertical) []countersign.Resource {
	if v == countersign.Consumer {
		return []countersign.Resource{{ID: "stytch.user", Actions: []string{"read", "update"}}}
	}
	crud := []string{"create", "get", "update", "delete"}
	return []countersign.Resource{
		{ID: "stytch.organization", Actions: []string{
			"update.info.name", "update.info.slug", "update.info.logo-url", "update.settings.allowed-auth-methods",
			"update.settings.allowed-mfa-methods", "update.settings.email-jit-provisioning", "update.settings.email-invites",
			"update.settings.allowed-domains", "update.settings.default-sso-connection", "update.settings.sso-jit-provisioning",
			"update.settings.mfa-policy", "update.settings.implicit-roles", "update.settings.oauth-tenant-jit-provisioning",
			"update.settings.allowed-oauth-tenants", "delete",
		}},
		{ID: "stytch.member", Actions: []string{
			"create", "search", "delete", "update.info.name", "update.info.untrusted-metadata", "update.info.mfa-phone",
			"update.info.email", "update.info.delete.mfa-phone", "update.info.delete.mfa-totp", "update.info.delete.password",
			"update.settings.is-breakglass", "update.settings.mfa-enrolled", "update.settings.default-mfa-method",
			"update.settings.roles", "revoke-sessions",
		}},
		{ID: "stytch.self", Actions: []string{
			"update.info.name", "update.info.untrusted-metadata", "update.info.mfa-phone", "update.info.delete.mfa-phone",
			"update.info.delete.mfa-totp", "update.info.delete.password", "update.settings.mfa-enrolled",
			"update.settings.default-mfa-method", "revoke-sessions", "delete",
		}},
		{ID: "stytch.sso", Actions: crud},
		{ID: "stytch.scim", Actions: crud},
	}
}

// Check refuses a policy that is not well formed (rbac.md §2), with the error
// that names the first thing that is wrong. Default roles are taken as they
// come, but may permit only what exists.
func Check(p countersign.Policy, v countersign.Vertical) error {
	switch {
	case len(p.CustomRoles) > maxRoles:
		return countersign.ErrTooManyRoles
	case len(p.CustomResources) > maxResources:
		return countersign.ErrInvalidArgument.Saying("A policy may have %d custom resources.", maxResources)
	case len(p.CustomScopes) > maxScopes:
		return countersign.ErrInvalidArgument.Saying("A policy may have %d custom scopes.", maxScopes)
	}
	c := checker{resources: map[string][]string{}, builtIn: map[string]bool{}}
	for _, r := range BuiltIn(v) {
		c.builtIn[r.ID] = true
	}
	for _, r := range p.CustomResources {
		if err := c.resource(r); err != nil {
			return err
		}
	}
	for _, r := range p.DefaultRoles {
		if err := cmp.Or(description(r.Description, r.ID), c.permissions(r.Permissions, r.ID)); err != nil {
			return err
		}
	}
	roles := map[string]bool{}
	for _, r := range p.CustomRoles {
		if err := c.role(r, roles); err != nil {
			return err
		}
	}
	scopes := map[string]bool{}
	for _, s := range p.CustomScopes {
		if err := c.scope(s, scopes); err != nil {
			return err
		}
	}
	return nil
}

// CheckOwnRoles refuses roles that an organization adds to a policy and that are not
// well formed, or that the policy has already.
func CheckOwnRoles(p countersign.Policy, v countersign.Vertical, roles []countersign.Role) error {
	if len(roles) > maxRoles {
		return countersign.ErrTooManyRoles
	}
	for _, r := range roles {
		if Defines(p, r.ID) {
			return countersign.ErrRoleDuplicate.Saying("The policy has a role %q.", r.ID)
		}
	}
	p.CustomRoles = roles
	p.CustomScopes = nil
	return Check(p, v)
}

// checker knows what a permission may name.
type checker struct {
	resources map[string][]string // custom ones, with their actions
	builtIn   map[string]bool
}

func (c *checker) resource(r countersign.Resource) error {
	if err := cmp.Or(
		identifier(r.ID, countersign.ErrEmptyResourceID, countersign.ErrResourceIDTooLong),
		description(r.Description, r.ID),
	); err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToLower(r.ID), reservedPrefix) {
		return countersign.ErrStytchPrefixedResource.Saying("Received: %q.", r.ID)
	}
	if _, twice := c.resources[r.ID]; twice {
		return countersign.ErrResourceDuplicate.Saying("Received twice: %q.", r.ID)
	}
	c.resources[r.ID] = r.Actions
	if slices.Contains(r.Actions, wildcard) {
		return countersign.ErrInvalidWildcardAction.Saying("Resource %q.", r.ID)
	}
	return actions(r.Actions, countersign.ErrResourceMissingActions, "Resource", r.ID)
}

func (c *checker) role(r countersign.Role, seen map[string]bool) error {
	if err := cmp.Or(
		identifier(r.ID, countersign.ErrEmptyRoleID, countersign.ErrRoleIDTooLong),
		description(r.Description, r.ID),
	); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(strings.ToLower(r.ID), reservedPrefix+"_"):
		return countersign.ErrStytchRoleEdit.Saying("Received: %q.", r.ID)
	case seen[r.ID]:
		return countersign.ErrRoleDuplicate.Saying("Received twice: %q.", r.ID)
	case r.Permissions == nil:
		return countersign.ErrRoleMissingPermissions.Saying("Role %q.", r.ID)
	}
	seen[r.ID] = true
	return c.permissions(r.Permissions, r.ID)
}

func (c *checker) scope(s countersign.Scope, seen map[string]bool) error {
	if err := cmp.Or(
		identifier(s.Name, countersign.ErrEmptyScope, countersign.ErrScopeTooLong),
		description(s.Description, s.Name),
	); err != nil {
		return err
	}
	switch {
	case slices.Contains(reservedScopes, s.Name):
		return countersign.ErrReservedScope.Saying("Received: %q.", s.Name)
	case seen[s.Name]:
		return countersign.ErrScopeDuplicate.Saying("Received twice: %q.", s.Name)
	case len(s.Permissions) == 0:
		return countersign.ErrScopeMissingPermissions.Saying("Scope %q.", s.Name)
	}
	seen[s.Name] = true
	return c.permissions(s.Permissions, s.Name)
}

// permissions checks those of a role or a scope. What actions a built-in
// resource has is not held against anybody: the provider's own documentation
// names others.
func (c *checker) permissions(list []countersign.Permission, of string) error {
	if len(list) > maxPermissions {
		return countersign.ErrInvalidArgument.Saying("%q may have %d permissions.", of, maxPermissions)
	}
	seen := map[string]bool{}
	for _, p := range list {
		if p.ResourceID == "" {
			return countersign.ErrEmptyResourceID.Saying("In a permission of %q.", of)
		}
		known, custom := c.resources[p.ResourceID]
		switch {
		case !custom && !c.builtIn[p.ResourceID]:
			return countersign.ErrInvalidPermissionResource.Saying("%q names %.128q.", of, p.ResourceID)
		case seen[p.ResourceID]:
			return countersign.ErrResourceDuplicate.Saying("%q names %q twice.", of, p.ResourceID)
		case len(p.Actions) > 1 && slices.Contains(p.Actions, wildcard):
			return countersign.ErrWildcardWithOthers.Saying("%q on %q.", of, p.ResourceID)
		}
		seen[p.ResourceID] = true
		if err := actions(p.Actions, countersign.ErrPermissionMissingActions, "Permission on", p.ResourceID); err != nil {
			return err
		}
		for _, a := range p.Actions {
			if custom && a != wildcard && !slices.Contains(known, a) {
				return countersign.ErrInvalidPermissionAction.Saying("%q names %.128q of %q.", of, a, p.ResourceID)
			}
		}
	}
	return nil
}

// actions checks the names in a list of actions.
func actions(list []string, missing *countersign.Error, what, of string) error {
	if len(list) == 0 {
		return missing.Saying("%s %q.", what, of)
	}
	if len(list) > maxActions {
		return countersign.ErrInvalidArgument.Saying("%s %q may have %d actions.", what, of, maxActions)
	}
	seen := map[string]bool{}
	for _, a := range list {
		if err := identifier(a, missing, countersign.ErrActionTooLong); err != nil {
			return err
		}
		if seen[a] {
			return countersign.ErrActionDuplicate.Saying("%s %q names %q twice.", what, of, a)
		}
		seen[a] = true
	}
	return nil
}

// identifier refuses what cannot be a name.
func identifier(name string, empty, tooLong *countersign.Error) error {
	switch {
	case name == "":
		return empty
	case len(name) > maxName:
		return tooLong
	case !printable(name) || strings.TrimSpace(name) != name:
		return countersign.ErrInvalidArgument.Saying("%.128q is no ID: IDs have no control characters and no space at either end.", name)
	}
	return nil
}

func description(text, of string) error {
	switch {
	case len(text) > maxDescription:
		return countersign.ErrDescriptionTooLong.Saying("Of %q.", of)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return countersign.ErrInvalidArgument.Saying("The description of %q is not text.", of)
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
