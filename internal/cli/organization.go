package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/countersign-auth/countersign"
)

type organizationCommand struct {
	Create organizationCreate `cmd:"" help:"Make an organization."`
	Get    organizationGet    `cmd:"" help:"Show one organization."`
	Search organizationSearch `cmd:"" help:"Find organizations."`
	Update organizationUpdate `cmd:"" help:"Change an organization's name, slug, metadata or settings."`
	Delete organizationDelete `cmd:"" help:"Delete an organization with all its members, and end their sessions."`
	Roles  organizationRoles  `cmd:"" help:"Show or replace the roles that only its members may have."`
}

func organizationsPath(more ...string) []string {
	return append([]string{"v1", "b2b", "organizations"}, more...)
}

// organization is what the text form shows of an organization (b2b.md §1).
type organization struct {
	OrganizationID  string          `json:"organization_id"`
	Name            string          `json:"organization_name"`
	Slug            string          `json:"organization_slug"`
	ExternalID      string          `json:"organization_external_id"`
	CreatedAt       string          `json:"created_at"`
	AllowedDomains  []string        `json:"email_allowed_domains"`
	TrustedMetadata json.RawMessage `json:"trusted_metadata"`
	CustomRoles     []struct {
		RoleID string `json:"role_id"`
	} `json:"custom_roles"`
	ImplicitRoles []struct {
		Domain string `json:"domain"`
		RoleID string `json:"role_id"`
	} `json:"rbac_email_implicit_role_assignments"`
}

type organizationAnswer struct{ Organization organization }

func (o organization) write(t *text) {
	t.field("organization_id", o.OrganizationID)
	t.field("name", o.Name)
	t.field("slug", o.Slug)
	t.field("external_id", o.ExternalID)
	t.field("created", t.when(o.CreatedAt))
	t.field("allowed domains", strings.Join(o.AllowedDomains, ", "))
	for _, r := range o.CustomRoles {
		t.field("own role", r.RoleID)
	}
	for _, r := range o.ImplicitRoles {
		t.field("role of a domain", r.Domain+": "+r.RoleID)
	}
	t.object("trusted_metadata", o.TrustedMetadata)
}

var organizationHeader = strings.Fields("ORGANIZATION_ID CREATED SLUG EXTERNAL_ID NAME")

func (o organization) row() []string {
	return []string{o.OrganizationID, o.CreatedAt, o.Slug, o.ExternalID, o.Name}
}

// organizationArg names the organization that a command is about.
type organizationArg struct {
	Organization string `arg:"" name:"organization" help:"The organization: its ID, your own ID (external ID) or its slug."`
}

// organizationFlags are what create and update have in common.
type organizationFlags struct {
	Slug            string `placeholder:"SLUG" help:"A name for paths: 2 to 128 characters out of A-Z, a-z, 0-9 and ._~-."`
	ExternalID      string `name:"external-id" placeholder:"ID" help:"An ID of your own; good wherever an organization's ID is, and the name that tokens may use."`
	TrustedMetadata string `placeholder:"JSON" help:"Metadata that only your backend may write: a JSON object, @FILE, or - for standard input."`
	Settings        string `placeholder:"JSON" help:"Other fields of the API as they are: a JSON object, or @FILE."`
}

// body is the body of creating and of changing an organization.
func (f *organizationFlags) body(a *app, name string) (countersign.Object, error) {
	body := countersign.Object{}
	if f.Settings != "" {
		raw, err := a.inlineOrFile(f.Settings)
		if err != nil {
			return nil, err
		}
		if body, err = parseObject(raw, "--settings"); err != nil {
			return nil, err
		}
	}
	for field, value := range map[string]string{"organization_name": name, "organization_slug": f.Slug, "organization_external_id": f.ExternalID} {
		if value != "" {
			raw, err := countersign.EncodeJSON(value)
			if err != nil {
				return nil, err
			}
			body[field] = raw
		}
	}
	metadata, err := a.metadata(f.TrustedMetadata, "--trusted-metadata")
	if metadata != nil {
		body["trusted_metadata"] = metadata
	}
	return body, err
}

type organizationCreate struct {
	jsonFlag
	Name string `required:"" placeholder:"TEXT" help:"A name for people, 1 to 128 characters."`
	organizationFlags
	apiFlags
}

// Help teaches the command.
func (organizationCreate) Help() string {
	return `For projects of the vertical B2B. A slug is made of the name if none is given.

    countersign organization create --name "Acme Inc" --slug acme --external-id crm-7
    countersign organization create --name Acme --settings '{"email_allowed_domains":["acme.example"]}'` + needsSecret
}

// Run creates.
func (c *organizationCreate) Run(ctx context.Context, a *app) error {
	body, err := c.body(a, c.Name)
	if err != nil {
		return err
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, organizationsPath(), body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v organizationAnswer) { v.Organization.write(t) })
}

type organizationGet struct {
	jsonFlag
	organizationArg
	apiFlags
}

// Help teaches the command.
func (organizationGet) Help() string {
	return `For example:

    countersign organization get acme` + needsSecret
}

// Run gets.
func (c *organizationGet) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, organizationsPath(c.Organization))
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v organizationAnswer) { v.Organization.write(t) })
}

type organizationSearch struct {
	jsonFlag
	NameContains  string   `placeholder:"TEXT" help:"Whose name has this in it."`
	SlugContains  string   `placeholder:"TEXT" help:"Whose slug has this in it."`
	MemberEmail   []string `sep:"none" placeholder:"ADDRESS" help:"Which has a member of this address. Repeatable."`
	AllowedDomain []string `sep:"none" placeholder:"DOMAIN" help:"Which allows this domain. Repeatable."`
	queryFlag
	amountFlags
	apiFlags
}

// Help teaches the command.
func (organizationSearch) Help() string {
	return `Finds the organizations for which every flag holds, newest first; without any, all of them.

    countersign organization search --name-contains acme
    countersign organization search --member-email ada@acme.example` + needsSecret
}

// Run searches.
func (c *organizationSearch) Run(ctx context.Context, a *app) error {
	var operands []operand
	if c.NameContains != "" {
		operands = append(operands, operand{"organization_name_fuzzy", c.NameContains})
	}
	if c.SlugContains != "" {
		operands = append(operands, operand{"organization_slug_fuzzy", c.SlugContains})
	}
	if c.MemberEmail != nil {
		operands = append(operands, operand{"member_emails", c.MemberEmail})
	}
	if c.AllowedDomain != nil {
		operands = append(operands, operand{"allowed_domains", c.AllowedDomain})
	}
	query, err := c.query(a, operands)
	if err != nil {
		return err
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	return (&search{
		api: api, a: a, path: organizationsPath("search"), query: query, list: "organizations", nothing: "such organizations",
		header: organizationHeader, row: rowOf(organization.row),
	}).run(ctx, c.amountFlags, c.JSON)
}

type organizationUpdate struct {
	jsonFlag
	organizationArg
	Name string `placeholder:"TEXT" help:"A name for people."`
	organizationFlags
	apiFlags
}

// Help teaches the command.
func (organizationUpdate) Help() string {
	return `Changes what is given and leaves the rest. Metadata is merged at the top level, and null removes a key.

    countersign organization update acme --slug acme-inc
    countersign organization update acme --settings '{"rbac_email_implicit_role_assignments":[{"domain":"acme.example","role_id":"reader"}]}'` + needsSecret
}

// Run updates.
func (c *organizationUpdate) Run(ctx context.Context, a *app) error {
	body, err := c.body(a, c.Name)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return usage("nothing to change", "see countersign organization update --help")
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.put(ctx, organizationsPath(c.Organization), body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v organizationAnswer) { v.Organization.write(t) })
}

type organizationDelete struct {
	jsonFlag
	confirmFlag
	organizationArg
	apiFlags
}

// Help teaches the command.
func (organizationDelete) Help() string {
	return `All members are gone with the next request, and their sessions end. It cannot be undone, so it asks first; in a
script, add --yes.

    countersign organization delete acme` + needsSecret
}

// Run deletes.
func (c *organizationDelete) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: organizationsPath(c.Organization), what: "organization " + c.Organization,
		question: "Delete organization " + c.Organization + " with all its members and end their sessions?",
		yes:      c.Yes, json: c.JSON,
	})
}

type organizationRoles struct {
	replaceFlags
	organizationArg
	Set string `placeholder:"FILE" help:"File with the roles that there are to be from now on, or - for standard input: a JSON object with roles, as this command prints with --json."`
	apiFlags
}

// Help teaches the command.
func (organizationRoles) Help() string {
	return `Roles that only the members of one organization may have, beside those of the environment's policy. With --set it
shows what changes and asks; in a script, add --yes. Who has a role that goes, has it no more.

    countersign organization roles acme
    echo '{"roles":[{"role_id":"clerk","permissions":[{"resource_id":"stytch.member","actions":["search"]}]}]}' |
      countersign organization roles acme --set - --yes` + needsSecret
}

type organizationPolicy struct {
	Policy struct {
		Roles []policyRole `json:"roles"`
	} `json:"org_policy"`
}

// document is the policy as one of an environment, so that the two are compared
// in the same way.
func (p *organizationPolicy) document() *policyDocument {
	return &policyDocument{CustomRoles: p.Policy.Roles}
}

// Run shows or replaces.
func (c *organizationRoles) Run(ctx context.Context, a *app) error {
	if c.Set == "" && (c.DryRun || c.Yes) {
		return usage("there is nothing to replace", "name a file with --set")
	}
	var next organizationPolicy
	var body json.RawMessage
	if c.Set != "" {
		raw, err := a.read(c.Set)
		if err != nil {
			return err
		}
		if next, body, err = parseOrganizationPolicy(raw, c.Set); err != nil {
			return err
		}
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	path := []string{"v1", "b2b", "rbac", "organizations", c.Organization}
	before, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	if c.Set == "" {
		return show(a, c.JSON, before, func(t *text, v organizationPolicy) {
			var rows [][]string
			for _, r := range v.Policy.Roles {
				rows = append(rows, permissionRows(r.RoleID, r.Permissions, r.Description)...)
			}
			t.table("roles of its own", roleHeader, rows)
		})
	}
	var current organizationPolicy
	if err := json.Unmarshal(before, &current); err != nil {
		return err
	}
	return c.replace(a, replacement{
		whose: "organization " + c.Organization, changes: policyChanges(current.document(), next.document()), before: before,
		put: func() (json.RawMessage, error) {
			return api.put(ctx, path, map[string]json.RawMessage{"org_policy": body})
		},
	})
}

// parseOrganizationPolicy reads a policy that came from what: the object with the
// roles, or an answer that has it as org_policy.
func parseOrganizationPolicy(raw []byte, what string) (p organizationPolicy, body json.RawMessage, err error) {
	object, err := parseObject(raw, what)
	if err != nil {
		return p, nil, err
	}
	body = raw
	if inner, whole := object["org_policy"]; whole {
		body = inner
		if object, err = parseObject(inner, what+": org_policy"); err != nil {
			return p, nil, err
		}
	}
	if err := only(object, what, "roles"); err != nil {
		return p, nil, err
	}
	if err := json.Unmarshal(body, &p.Policy); err != nil {
		return p, nil, usage(what+" is not a policy: "+jsonProblem(err), "countersign organization roles --json shows one")
	}
	return p, body, nil
}

// memberSessionsOf asks for the sessions of a member.
func memberSessionsOf(organization, member string) request {
	return request{
		Method: http.MethodGet, Path: []string{"v1", "b2b", "sessions"},
		Query: url.Values{"organization_id": {organization}, "member_id": {member}},
	}
}
