package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

type memberCommand struct {
	Create     memberCreate     `cmd:"" help:"Make a member of an organization."`
	Get        memberGet        `cmd:"" help:"Show one member."`
	Search     memberSearch     `cmd:"" help:"Find members of organizations."`
	Update     memberUpdate     `cmd:"" help:"Change a member's name, address, metadata, roles or external ID."`
	Delete     memberDelete     `cmd:"" help:"Delete a member and end all their sessions; reactivate undoes it."`
	Reactivate memberReactivate `cmd:"" help:"Make a deleted member active again."`
}

func membersPath(organization string, more ...string) []string {
	return append(organizationsPath(organization, "members"), more...)
}

// member is what the text form shows of a member (b2b.md §3).
type member struct {
	MemberID       string `json:"member_id"`
	OrganizationID string `json:"organization_id"`
	ExternalID     string `json:"external_id"`
	Status         string `json:"status"`
	Name           string `json:"name"`
	EmailAddress   string `json:"email_address"`
	EmailVerified  bool   `json:"email_address_verified"`
	PhoneNumber    string `json:"mfa_phone_number"`
	Breakglass     bool   `json:"is_breakglass"`
	RetiredEmails  []struct {
		EmailAddress string `json:"email_address"`
	} `json:"retired_email_addresses"`
	Roles []struct {
		RoleID  string `json:"role_id"`
		Sources []struct {
			Type    string `json:"type"`
			Details struct {
				EmailDomain string `json:"email_domain"`
			} `json:"details"`
		} `json:"sources"`
	} `json:"roles"`
	CreatedAt         string          `json:"created_at"`
	TrustedMetadata   json.RawMessage `json:"trusted_metadata"`
	UntrustedMetadata json.RawMessage `json:"untrusted_metadata"`
}

type memberAnswer struct{ Member member }

func (m member) write(t *text) {
	t.field("member_id", m.MemberID)
	t.field("organization_id", m.OrganizationID)
	t.field("external_id", m.ExternalID)
	t.field("status", m.Status)
	t.field("name", m.Name)
	t.field("email", verification(m.EmailAddress, m.EmailVerified))
	for _, e := range m.RetiredEmails {
		t.field("retired email", e.EmailAddress)
	}
	t.optional("phone_number", m.PhoneNumber)
	if m.Breakglass {
		t.field("breakglass", "yes")
	}
	for _, r := range m.Roles {
		role := r.RoleID
		for _, s := range r.Sources {
			if s.Details.EmailDomain != "" {
				role += ", by the domain " + s.Details.EmailDomain
			}
		}
		t.field("role", role)
	}
	t.field("created", t.when(m.CreatedAt))
	t.object("trusted_metadata", m.TrustedMetadata)
	t.object("untrusted_metadata", m.UntrustedMetadata)
}

var memberHeader = strings.Fields("MEMBER_ID CREATED STATUS EXTERNAL_ID EMAIL ROLES NAME")

func (m member) row() []string {
	var roles []string
	for _, r := range m.Roles {
		roles = append(roles, r.RoleID)
	}
	return []string{m.MemberID, m.CreatedAt, m.Status, m.ExternalID, m.EmailAddress, strings.Join(roles, ","), m.Name}
}

// memberBody is the body of creating and of changing a member (b2b.md §4).
type memberBody struct {
	EmailAddress      string          `json:"email_address,omitempty"`
	UnlinkEmail       bool            `json:"unlink_email,omitempty"`
	Name              *string         `json:"name,omitempty"`
	ExternalID        string          `json:"external_id,omitempty"`
	Phone             string          `json:"mfa_phone_number,omitempty"`
	Breakglass        *bool           `json:"is_breakglass,omitempty"`
	Pending           bool            `json:"create_member_as_pending,omitempty"`
	Roles             *[]string       `json:"roles,omitempty"`
	TrustedMetadata   json.RawMessage `json:"trusted_metadata,omitempty"`
	UntrustedMetadata json.RawMessage `json:"untrusted_metadata,omitempty"`
}

// fillMember puts what was given into a body.
func (f *userFlags) fillMember(a *app, body *memberBody) error {
	var common userBody
	if err := f.fill(a, &common); err != nil {
		return err
	}
	body.Roles, body.TrustedMetadata, body.UntrustedMetadata = common.Roles, common.TrustedMetadata, common.UntrustedMetadata
	return nil
}

// ofFlag names the organization that a member is of.
type ofFlag struct {
	Organization string `required:"" env:"COUNTERSIGN_ORGANIZATION" placeholder:"ID" help:"The organization: its ID, your own ID (external ID) or its slug."`
}

type memberCreate struct {
	jsonFlag
	ofFlag
	Email      string `required:"" placeholder:"ADDRESS" help:"An e-mail address; it begins as not verified."`
	Name       string `placeholder:"TEXT" help:"The person's name."`
	Phone      string `placeholder:"NUMBER" help:"A phone number, E.164."`
	ExternalID string `name:"external-id" placeholder:"ID" help:"An ID of your own, good wherever a member's ID is."`
	Pending    bool   `help:"The member is pending, not active, until they first sign in."`
	Breakglass bool   `help:"The member may sign in whatever the organization restricts."`
	userFlags
	apiFlags
}

// Help teaches the command.
func (memberCreate) Help() string {
	return `Nobody else in the organization may have the address; in another one somebody may.

    countersign member create --organization acme --email ada@acme.example --name "Ada Lovelace" --role stytch_admin` + needsSecret
}

// Run creates.
func (c *memberCreate) Run(ctx context.Context, a *app) error {
	body := memberBody{EmailAddress: c.Email, ExternalID: c.ExternalID, Phone: c.Phone, Pending: c.Pending}
	if c.Name != "" {
		body.Name = &c.Name
	}
	if c.Breakglass {
		body.Breakglass = &c.Breakglass
	}
	if err := c.fillMember(a, &body); err != nil {
		return err
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, membersPath(c.Organization), body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v memberAnswer) { v.Member.write(t) })
}

// memberArg names the member that a command is about.
type memberArg struct {
	Member string `arg:"" name:"member" help:"The member: member-test-… or member-live-…, or your own ID (external ID)."`
}

type memberGet struct {
	jsonFlag
	ofFlag
	Member string `arg:"" name:"member" help:"The member: an ID, your own ID (external ID), or an e-mail address."`
	apiFlags
}

// Help teaches the command.
func (memberGet) Help() string {
	return `For example:

    countersign member get --organization acme ada@acme.example
    countersign member get --organization acme member-test-…` + needsSecret
}

// Run gets.
func (c *memberGet) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	by := "member_id"
	if strings.Contains(c.Member, "@") {
		by = "email_address"
	}
	raw, err := api.call(ctx, request{
		Method: http.MethodGet, Path: organizationsPath(c.Organization, "member"), Query: url.Values{by: {c.Member}},
	})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v memberAnswer) { v.Member.write(t) })
}

type memberSearch struct {
	jsonFlag
	Organization  []string `required:"" sep:"none" placeholder:"ID" help:"Among the members of this organization: an ID, your own ID or a slug. Repeatable."`
	Email         []string `sep:"none" placeholder:"ADDRESS" help:"Who has this address. Repeatable."`
	EmailContains string   `placeholder:"TEXT" help:"Who has an address with this in it."`
	Role          []string `sep:"none" placeholder:"ROLE" help:"Who has this role, from wherever. Repeatable."`
	Status        []string `sep:"none" placeholder:"STATUS" help:"active, pending, invited or deleted; without it, all but deleted ones. Repeatable."`
	queryFlag
	amountFlags
	apiFlags
}

// Help teaches the command.
func (memberSearch) Help() string {
	return `Finds the members for whom every flag holds, newest first.

    countersign member search --organization acme --role stytch_admin
    countersign member search --organization acme --status deleted --all --json` + needsSecret
}

// Run searches.
func (c *memberSearch) Run(ctx context.Context, a *app) error {
	var operands []operand
	if c.Email != nil {
		operands = append(operands, operand{"member_emails", c.Email})
	}
	if c.EmailContains != "" {
		operands = append(operands, operand{"member_email_fuzzy", c.EmailContains})
	}
	if c.Role != nil {
		operands = append(operands, operand{"member_roles", c.Role})
	}
	if c.Status != nil {
		operands = append(operands, operand{"statuses", c.Status})
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
		api: api, a: a, path: organizationsPath("members", "search"), among: c.Organization, query: query, list: "members", nothing: "such members",
		header: memberHeader, row: rowOf(member.row),
	}).run(ctx, c.amountFlags, c.JSON)
}

type memberUpdate struct {
	jsonFlag
	ofFlag
	memberArg
	Name        *string `placeholder:"TEXT" help:"The person's name; --name= takes it away."`
	Email       string  `placeholder:"ADDRESS" help:"Another address; the old one stays reserved unless --unlink-email is given."`
	UnlinkEmail bool    `help:"The old address is free at once."`
	Phone       string  `placeholder:"NUMBER" help:"A phone number, E.164, of a member who has none."`
	ExternalID  string  `name:"external-id" placeholder:"ID" help:"An ID of your own; the old one finds nobody from then on."`
	Breakglass  *bool   `negatable:"" help:"The member may sign in whatever the organization restricts."`
	NoRoles     bool    `help:"Take all roles that were given by hand."`
	userFlags
	apiFlags
}

// Help teaches the command.
func (memberUpdate) Help() string {
	return `Changes what is given and leaves the rest. Metadata is merged at the top level, and null removes a key; --role names
all roles that the member is to have been given by hand, so give those that stay as well.

    countersign member update --organization acme employee-7 --role stytch_admin` + needsSecret
}

// Run updates.
func (c *memberUpdate) Run(ctx context.Context, a *app) error {
	body := memberBody{EmailAddress: c.Email, UnlinkEmail: c.UnlinkEmail, Name: c.Name, ExternalID: c.ExternalID, Phone: c.Phone, Breakglass: c.Breakglass}
	if err := c.fillMember(a, &body); err != nil {
		return err
	}
	if c.NoRoles {
		if body.Roles != nil {
			return usage("--role and --no-roles were both given", "give --role for those that stay, or --no-roles")
		}
		body.Roles = &[]string{}
	}
	if c.UnlinkEmail && c.Email == "" {
		return usage("--unlink-email goes with --email", "give the new address")
	}
	if reflect.DeepEqual(body, memberBody{}) {
		return usage("nothing to change", "see countersign member update --help")
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.put(ctx, membersPath(c.Organization, c.Member), body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v memberAnswer) { v.Member.write(t) })
}

type memberDelete struct {
	jsonFlag
	confirmFlag
	ofFlag
	memberArg
	apiFlags
}

// Help teaches the command.
func (memberDelete) Help() string {
	return `The member's sessions end at once; address, number and external ID are free again. "member reactivate" undoes it, as
long as nobody else has taken the address. It asks first; in a script, add --yes.

    countersign member delete --organization acme employee-7` + needsSecret
}

// Run deletes.
func (c *memberDelete) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: membersPath(c.Organization, c.Member), what: "member " + c.Member,
		question: "Delete member " + c.Member + " and end all their sessions?",
		yes:      c.Yes, json: c.JSON,
	})
}

type memberReactivate struct {
	jsonFlag
	ofFlag
	memberArg
	apiFlags
}

// Help teaches the command.
func (memberReactivate) Help() string {
	return `Needs the server's ID of a member whose address was verified and is still free. "member search --status deleted" shows them.

    countersign member reactivate --organization acme member-test-…` + needsSecret
}

// Run reactivates.
func (c *memberReactivate) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.put(ctx, membersPath(c.Organization, c.Member, "reactivate"), struct{}{})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v memberAnswer) { v.Member.write(t) })
}
