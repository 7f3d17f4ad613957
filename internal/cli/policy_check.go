package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
)

type policyCheck struct {
	jsonFlag
	Resource string   `required:"" placeholder:"ID" help:"The resource."`
	Action   string   `required:"" placeholder:"ACTION" help:"The action."`
	UserID   string   `name:"user-id" xor:"who" required:"" placeholder:"ID" help:"The user, by ID or external ID, with the roles that they have now."`
	Role     []string `xor:"who" required:"" sep:"none" placeholder:"ROLE" help:"Somebody with exactly this role. Repeatable."`
	apiFlags
}

// Help teaches the command.
func (policyCheck) Help() string {
	return `Decides as "session authenticate --resource --action" does, and says which roles decide it. The exit code is 0 if it is
allowed and 1 if not. With --role nobody is looked up, and the default role stytch_user counts only if it is named.

    countersign policy check --resource documents --action write --user-id employee-7
    countersign policy check --resource documents --action write --role editor --role stytch_user` + needsSecret
}

// verdict is the answer of policy check.
type verdict struct {
	Allowed       bool     `json:"allowed"`
	Roles         []string `json:"roles"` // that were asked about
	GrantingRoles []string `json:"granting_roles"`
}

// Run checks.
func (c *policyCheck) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	roles := c.Role
	if c.UserID != "" {
		raw, err := api.get(ctx, usersPath(c.UserID))
		if err != nil {
			return err
		}
		var u user
		if err := json.Unmarshal(raw, &u); err != nil {
			return err
		}
		roles = u.Roles
	}
	raw, err := api.get(ctx, []string{"v1", "rbac", "policy"})
	if err != nil {
		return err
	}
	var answer struct{ Policy runtimePolicy }
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	policy := answer.Policy.policy()
	for _, role := range c.Role {
		if !rbac.Defines(policy, role) {
			a.remark("The policy has no role %s.", printable(role))
		}
	}
	v := verdict{Roles: roles, GrantingRoles: rbac.Granting(policy, roles, c.Resource, c.Action)}
	v.Allowed = len(v.GrantingRoles) > 0
	if err := v.show(a, c.JSON); err != nil || v.Allowed {
		return err
	}
	return failed(fmt.Sprintf("not allowed: %s on %s", c.Action, c.Resource), answer.Policy.advice(c.Resource, c.Action))
}

func (v verdict) show(a *app, asJSON bool) error {
	if v.GrantingRoles == nil {
		v.GrantingRoles = []string{}
	}
	raw, err := countersign.EncodeJSON(v)
	if err != nil {
		return err
	}
	return show(a, asJSON, raw, func(t *text, v verdict) {
		t.field("allowed", map[bool]string{true: "yes", false: "no"}[v.Allowed])
		t.field("roles", strings.Join(v.Roles, ", "))
		t.field("granted by", strings.Join(v.GrantingRoles, ", "))
	})
}

// runtimePolicy is the policy as clients check against it (rbac.md §1).
type runtimePolicy struct {
	Roles     []countersign.Role     `json:"roles"`
	Resources []countersign.Resource `json:"resources"`
}

// policy is what package rbac decides by; which role is a default one is the same
// to it.
func (p *runtimePolicy) policy() countersign.Policy {
	return countersign.Policy{CustomRoles: p.Roles}
}

// advice says what of a refused check to look at.
func (p *runtimePolicy) advice(resource, action string) string {
	i := slices.IndexFunc(p.Resources, func(r countersign.Resource) bool { return r.ID == resource })
	if i < 0 {
		return "the policy has no resource " + resource + "; countersign policy get shows which there are"
	}
	if actions := p.Resources[i].Actions; !slices.Contains(actions, action) {
		return resource + " has no action " + action + ", only " + strings.Join(actions, ", ")
	}
	var all []string
	for _, r := range p.Roles {
		all = append(all, r.ID)
	}
	if able := rbac.Granting(p.policy(), all, resource, action); len(able) > 0 {
		return "roles that permit it: " + strings.Join(able, ", ")
	}
	return "no role permits it; countersign policy set changes that"
}
