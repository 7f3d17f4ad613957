package cli

import (
	"context"
	"encoding/json"
	"strings"
)

type policyCommand struct {
	Get   policyGet   `cmd:"" help:"Show an environment's roles, resources and scopes."`
	Set   policySet   `cmd:"" help:"Replace an environment's policy by that of a file."`
	Check policyCheck `cmd:"" help:"Ask whether a user, or somebody with certain roles, may do something."`
}

type policyGet struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (policyGet) Help() string {
	return `The policy says which roles there are and which actions on which resources they permit. What --json prints can be
edited and given to "policy set".

    countersign policy get --project acme --environment test
    countersign policy get --project acme --environment test --json > policy.json` + needsEnvironment
}

// Run gets.
func (c *policyGet) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "rbac_policy")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v policyAnswer) { v.Policy.write(t) })
}

type policyAnswer struct {
	Policy policyDocument `json:"policy"`
}

// policyDocument is the policy as operators define it (rbac.md §2). A default
// role that is nil is not of the project's vertical, or left as it is.
type policyDocument struct {
	StytchUser      *defaultRole     `json:"stytch_user"`
	StytchMember    *defaultRole     `json:"stytch_member"`
	StytchAdmin     *defaultRole     `json:"stytch_admin"`
	StytchResources []policyResource `json:"stytch_resources"` // read only
	CustomRoles     []policyRole     `json:"custom_roles"`
	CustomResources []policyResource `json:"custom_resources"`
	CustomScopes    []policyScope    `json:"custom_scopes"`
}

type defaultRole struct {
	Permissions []permission `json:"permissions"`
}

type policyRole struct {
	RoleID      string       `json:"role_id"`
	Description string       `json:"description"`
	Permissions []permission `json:"permissions"`
}

type policyResource struct {
	ResourceID       string   `json:"resource_id"`
	Description      string   `json:"description"`
	AvailableActions []string `json:"available_actions"`
}

type policyScope struct {
	Scope       string       `json:"scope"`
	Description string       `json:"description"`
	Permissions []permission `json:"permissions"`
}

type permission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

var roleHeader = strings.Fields("ROLE RESOURCE ACTIONS DESCRIPTION")

// write shows each role with a line for each of its permissions, then the rest.
func (p *policyDocument) write(t *text) {
	var rows [][]string
	for _, d := range p.defaultRoles() {
		rows = append(rows, permissionRows(d.id, d.role.Permissions, "default role")...)
	}
	for _, r := range p.CustomRoles {
		rows = append(rows, permissionRows(r.RoleID, r.Permissions, r.Description)...)
	}
	t.table("roles", roleHeader, rows)
	rows = nil
	for _, r := range append(p.StytchResources, p.CustomResources...) {
		rows = append(rows, []string{r.ResourceID, strings.Join(r.AvailableActions, ", "), r.Description})
	}
	t.line("")
	t.table("resources", strings.Fields("RESOURCE ACTIONS DESCRIPTION"), rows)
	rows = nil
	for _, s := range p.CustomScopes {
		rows = append(rows, permissionRows(s.Scope, s.Permissions, s.Description)...)
	}
	if len(rows) > 0 {
		t.line("")
		t.table("scopes", strings.Fields("SCOPE RESOURCE ACTIONS DESCRIPTION"), rows)
	}
}

// permissionRows are a line for each permission of a role or scope, whose name
// stands in the first.
func permissionRows(name string, list []permission, description string) [][]string {
	if len(list) == 0 {
		return [][]string{{name, "", "", description}}
	}
	rows := make([][]string, len(list))
	for i, p := range list {
		rows[i] = []string{" ", p.ResourceID, strings.Join(p.Actions, ", "), " "}
	}
	rows[0][0], rows[0][3] = name, description
	return rows
}

// namedRole is a default role with its ID.
type namedRole struct {
	id   string
	role *defaultRole
}

// defaultRoles are those that the document has.
func (p *policyDocument) defaultRoles() (list []namedRole) {
	for _, d := range []namedRole{{"stytch_user", p.StytchUser}, {"stytch_member", p.StytchMember}, {"stytch_admin", p.StytchAdmin}} {
		if d.role != nil {
			list = append(list, d)
		}
	}
	return list
}

// parsePolicy reads a policy that came from what: the document itself, or an
// answer of "policy get". A member that the server does not know is refused:
// what it was meant to say would be emptied.
func parsePolicy(raw []byte, what string) (policyDocument, json.RawMessage, error) {
	object, err := parseObject(raw, what)
	if err != nil {
		return policyDocument{}, nil, err
	}
	if inner, ok := object["policy"]; ok {
		raw = inner
		if object, err = parseObject(inner, what+": policy"); err != nil {
			return policyDocument{}, nil, err
		}
	}
	if err := only(object, what, "stytch_user", "stytch_member", "stytch_admin", "stytch_resources", "custom_roles", "custom_resources", "custom_scopes"); err != nil {
		return policyDocument{}, nil, err
	}
	var p policyDocument
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, nil, usage(what+" is not a policy: "+jsonProblem(err), "countersign policy get --json shows one")
	}
	return p, raw, nil
}
