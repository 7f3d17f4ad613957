package dashboard

import (
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
)

// organizationWays are the ways to look for organizations (b2b.md §6).
var organizationWays = []way{
	{Name: "name", Label: "Name contains", filter: "organization_name_fuzzy", flag: "--name-contains"},
	{Name: "slug", Label: "Slug contains", filter: "organization_slug_fuzzy", flag: "--slug-contains"},
	{Name: "id", Label: "ID or external ID", filter: "organization_ids", list: true},
	{Name: "member", Label: "A member's e-mail is", filter: "member_emails", list: true, flag: "--member-email"},
	{Name: "member_part", Label: "A member's e-mail contains", filter: "member_email_fuzzy"},
	{Name: "domain", Label: "Allows the domain", filter: "allowed_domains", list: true, flag: "--allowed-domain"},
}

type organizationsPage struct {
	listing
	Organizations []countersign.Organization
}

func listOrganizations(d *Dashboard, r *request) (view, error) {
	data := organizationsPage{listing: r.listing(organizationWays)}
	if id, err := countersign.ParseID[countersign.PersonID](data.Find); err == nil && countersign.IsMember(id) {
		return view{redirect: r.path("members", data.Find)}, nil
	}
	q, err := data.query()
	if err != nil {
		return view{}, err
	}
	found, err := d.Directory.SearchOrganizations(r.Context(), r.env, q)
	if err := data.settle(r, found.Total, found.Next, err); err != nil {
		return view{}, err
	}
	data.Organizations = found.Results
	cli := "countersign organization search" + data.flags()
	if data.By == "id" && data.Find != "" {
		cli = "countersign organization get " + quote(data.Find)
	}
	return view{
		template: "organizations", title: "Organizations", section: "organizations", data: data, status: data.Problem.status(),
		cli: cli, api: "POST /v1/b2b/organizations/search",
	}, nil
}

// memberWays are the ways to look for members of an organization.
var memberWays = []way{
	{Name: "email_part", Label: "E-mail contains", filter: "member_email_fuzzy", flag: "--email-contains"},
	{Name: "email", Label: "E-mail is", filter: "member_emails", list: true, flag: "--email"},
	{Name: "id", Label: "ID or external ID", filter: "member_ids", list: true},
	{Name: "role", Label: "Has the role", filter: "member_roles", list: true, flag: "--role"},
	{Name: "phone", Label: "Phone is", filter: "member_mfa_phone_numbers", list: true},
	{Name: "status", Label: "Status is", filter: "statuses", list: true, flag: "--status"},
}

type organizationPage struct {
	listing      // of members
	Organization countersign.Organization
	Members      []countersign.Person
	Settings     string // those that have no row of their own
	Events       []countersign.Event
	More         bool // events that were not looked at
}

// organization is the one that the path names.
func (r *request) organization() (countersign.Organization, error) {
	return r.d.Directory.Organization(r.Context(), r.env, r.PathValue("organization"))
}

func showOrganization(d *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	if err != nil {
		return view{}, err
	}
	id := o.ID.String()
	data := organizationPage{listing: r.listing(memberWays), Organization: o}
	q, err := data.query()
	if err != nil {
		return view{}, err
	}
	found, err := d.Directory.SearchMembers(r.Context(), r.env, []string{id}, q)
	if err := data.settle(r, found.Total, found.Next, err); err != nil {
		return view{}, err
	}
	data.Members = found.Results
	if data.Settings, err = otherSettings(o.Settings); err != nil {
		return view{}, err
	}
	if data.Events, data.More, err = d.history(r, id); err != nil {
		return view{}, err
	}
	v := view{
		template: "organization", title: o.Name, section: "organizations", data: data, status: data.Problem.status(),
		cli: "countersign organization get " + id, api: "GET /v1/b2b/organizations/" + id,
	}
	if data.Find != "" {
		v.cli, v.api = "countersign member search --organization "+id+data.flags(), "POST /v1/b2b/organizations/members/search"
		if data.By == "id" {
			v.cli = "countersign member get --organization " + id + " " + quote(data.Find)
		}
	}
	return v, nil
}

func createOrganization(d *Dashboard, r *request) (view, error) {
	f := readOrganizationForm(r, countersign.Organization{})
	p, err := f.patch()
	if err == nil {
		var o countersign.Organization
		if o, err = d.Directory.CreateOrganization(r.Context(), r.actor, r.env, p); err == nil {
			return view{redirect: r.path("organizations", o.ID.String()) + "?did=organization-created"}, nil
		}
	}
	return f.refused(err)
}

func saveOrganization(d *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	if err != nil {
		return view{}, err
	}
	f := readOrganizationForm(r, o)
	p, err := f.patch()
	if err == nil {
		_, err = d.Directory.UpdateOrganization(r.Context(), r.actor, r.env, f.ID, p)
	}
	if err == nil && f.ExternalID == "" && o.ExternalID != "" {
		_, err = d.Directory.ClearOrganizationExternalID(r.Context(), r.actor, r.env, f.ID)
	}
	if err == nil {
		return view{redirect: r.path("organizations", f.ID) + "?did=organization-saved"}, nil
	}
	return f.refused(err)
}

func deleteOrganization(d *Dashboard, r *request) (view, error) {
	_, err := d.Directory.DeleteOrganization(r.Context(), r.actor, r.env, r.PathValue("organization"))
	return view{redirect: r.path("organizations") + "?did=organization-deleted"}, err
}

// rolesForm are the roles of one organization, as the command line reads them.
type rolesForm struct {
	Organization countersign.Organization
	Text         string
	Problem      problem
}

type rolesText struct {
	Roles []wire.Role `json:"roles"`
}

func rolesFormView(f rolesForm) view {
	id := f.Organization.ID.String()
	return view{
		template: "organization_roles", title: strings.TrimSpace("Roles of " + f.Organization.Name), section: "organizations", data: f, status: f.Problem.status(),
		cli: "countersign organization roles " + id + " --set FILE", api: "PUT /v1/b2b/rbac/organizations/" + id,
	}
}

func editRoles(_ *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	return rolesFormView(rolesForm{Organization: o, Text: pretty(rolesText{wire.Roles(o.CustomRoles)})}), err
}

func saveRoles(d *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	if err != nil {
		return view{}, err
	}
	f := rolesForm{Organization: o, Text: r.field("roles")}
	var body rolesText
	err = api.Decode([]byte(f.Text), &body)
	if err == nil && body.Roles == nil {
		err = countersign.ErrBadRequest.Saying("roles is required; [] leaves none.")
	}
	if err == nil {
		_, err = d.Directory.PutCustomRoles(r.Context(), r.actor, r.env, o.ID.String(), wire.RolesOf(body.Roles))
	}
	if ours(err) {
		f.Problem = problemOf(err)
		f.Problem.Field = "roles"
		return rolesFormView(f), nil
	}
	return view{redirect: r.path("organizations", o.ID.String()) + "?did=roles-saved"}, err
}

// named names a member as the directory wants it.
func named(m countersign.Person) directory.Whom {
	return directory.Whom{Organization: m.Organization.ID.String(), Person: m.ID.String()}
}
