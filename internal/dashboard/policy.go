package dashboard

import (
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/rbac"
)

type policyPage struct {
	Roles    []countersign.Role
	Rows     []matrixRow
	Scopes   []countersign.Scope
	Check    policyCheck
	Resource []string
	Cut      bool // there is more than the matrix shows
}

// Bounds of the matrix. A policy may have more than anybody would read as one.
const (
	maxMatrixRoles = 30
	maxMatrixRows  = 400
)

// matrixRow is an action on a resource, and which roles permit it.
type matrixRow struct {
	Resource, Action string
	First            bool // of the resource
	Actions          int  // of the resource
	Permits          []bool
}

type policyCheck struct {
	User, Resource, Action string
	Asked                  bool
	Granting               []string
	Roles                  []string // of the user
	Problem                problem
}

func showPolicy(d *Dashboard, r *request) (view, error) {
	p, err := d.Projects.Policy(r.Context(), r.env)
	if err != nil {
		return view{}, err
	}
	data := policyPage{Roles: p.Roles(), Scopes: p.CustomScopes}
	if data.Cut = len(data.Roles) > maxMatrixRoles; data.Cut {
		data.Roles = data.Roles[:maxMatrixRoles]
	}
	for _, res := range slices.Concat(rbac.BuiltIn(r.env.Vertical), p.CustomResources) {
		data.Resource = append(data.Resource, res.ID)
		for i, action := range res.Actions {
			if len(data.Rows) == maxMatrixRows {
				data.Cut = true
				break
			}
			row := matrixRow{Resource: res.ID, Action: action, First: i == 0, Actions: min(len(res.Actions), maxMatrixRows-len(data.Rows)+i)}
			for _, role := range data.Roles {
				row.Permits = append(row.Permits, len(rbac.Granting(p, []string{role.ID}, res.ID, action)) > 0)
			}
			data.Rows = append(data.Rows, row)
		}
	}
	if data.Check, err = checkPolicy(d, r, p); err != nil {
		return view{}, err
	}
	return view{
		template: "policy", title: "Roles and policy", section: "policy", data: data, status: data.Check.Problem.status(),
		cli: "countersign policy get" + r.flags(), api: "GET " + r.management("rbac_policy"),
	}, nil
}

// checkPolicy answers whether a user may do something, as authenticate would.
func checkPolicy(d *Dashboard, r *request, p countersign.Policy) (c policyCheck, err error) {
	c = policyCheck{User: r.query("user"), Resource: r.query("resource"), Action: r.query("action")}
	if c.User == "" || c.Resource == "" || c.Action == "" {
		return c, nil
	}
	u, err := d.person(r, c.User)
	if ours(err) {
		c.Problem = problemOf(err)
		return c, nil
	}
	c.Asked, c.Roles = true, u.Roles
	c.Granting = rbac.Granting(p.For(u.Organization), u.Roles, c.Resource, c.Action)
	return c, err
}

type policyForm struct {
	Text    string
	Problem problem
}

func policyFormView(r *request, f policyForm) view {
	return view{
		template: "policy_form", title: "Edit policy", section: "policy", data: f, status: f.Problem.status(),
		cli: "countersign policy set FILE" + r.flags(), api: "PUT " + r.management("rbac_policy"),
	}
}

func editPolicy(d *Dashboard, r *request) (view, error) {
	p, err := d.Projects.Policy(r.Context(), r.env)
	if err != nil {
		return view{}, err
	}
	shape := wire.NewPolicy(p, r.env.Vertical)
	members := map[string]any{"custom_roles": shape.CustomRoles, "custom_resources": shape.CustomResources, "custom_scopes": shape.CustomScopes}
	for name, role := range map[string]*wire.DefaultRole{"stytch_user": shape.StytchUser, "stytch_member": shape.StytchMember, "stytch_admin": shape.StytchAdmin} {
		if role != nil {
			members[name] = role
		}
	}
	return policyFormView(r, policyForm{Text: pretty(members)}), nil
}

func savePolicy(d *Dashboard, r *request) (view, error) {
	f := policyForm{Text: r.field("policy")}
	var body wire.PolicyRequest
	err := api.Decode([]byte(f.Text), &body)
	if err == nil {
		_, err = d.Projects.SetPolicy(r.Context(), r.actor, r.env, body.Policy())
	}
	if ours(err) {
		f.Problem = problemOf(err)
		f.Problem.Field = "policy"
		return policyFormView(r, f), nil
	}
	return view{redirect: r.path("policy") + "?did=policy-saved"}, err
}
