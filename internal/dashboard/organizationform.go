package dashboard

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
)

type organizationForm struct {
	ID                           string // "" of a new one
	Was                          string // the name before
	Name, Slug, ExternalID, Logo string
	Allowed, Claimed, Implicit   string // one a line
	Trusted, Settings            string // as JSON
	Problem                      problem

	stored countersign.Organization // the zero one of a new one
}

func organizationFormView(f organizationForm) view {
	v := view{
		template: "organization_form", title: "New organization", section: "organizations", data: f, status: f.Problem.status(),
		cli: "countersign organization create --name " + quote(f.Name), api: "POST /v1/b2b/organizations",
	}
	if f.ID != "" {
		v.title, v.cli, v.api = "Edit organization", "countersign organization update "+f.ID+" --name "+quote(f.Name), "PUT /v1/b2b/organizations/"+f.ID
	}
	return v
}

func newOrganization(*Dashboard, *request) (view, error) {
	return organizationFormView(organizationForm{}), nil
}

func editOrganization(_ *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	if err != nil {
		return view{}, err
	}
	f, err := formOf(o)
	return organizationFormView(f), err
}

// formOf is the form that an organization would have been typed into.
func formOf(o countersign.Organization) (f organizationForm, err error) {
	roles := make([]string, len(o.Settings.ImplicitRoles))
	for i, given := range o.Settings.ImplicitRoles {
		roles[i] = given.Domain + " " + given.RoleID
	}
	f = organizationForm{
		ID: o.ID.String(), Was: o.Name, Name: o.Name, Slug: o.Slug, ExternalID: o.ExternalID, Logo: o.Settings.LogoURL,
		Allowed: strings.Join(o.Settings.EmailAllowedDomains, "\n"), Claimed: strings.Join(o.Settings.ClaimedEmailDomains, "\n"),
		Implicit: strings.Join(roles, "\n"), Trusted: object(o.TrustedMetadata), stored: o,
	}
	f.Settings, err = otherSettings(o.Settings)
	return f, err
}

// readOrganizationForm is the form as it was sent, for an organization that is there
// or the zero one.
func readOrganizationForm(r *request, o countersign.Organization) organizationForm {
	f := organizationForm{
		Name: r.field("name"), Slug: r.field("slug"), ExternalID: r.field("external_id"), Logo: r.field("logo"),
		Allowed: r.field("allowed"), Claimed: r.field("claimed"), Implicit: r.field("implicit"),
		Trusted: r.field("trusted"), Settings: r.field("settings"), stored: o,
	}
	if !o.ID.IsZero() {
		f.ID, f.Was = o.ID.String(), o.Name
	}
	return f
}

// patch is what a form changes of its organization; what it leaves as it was is not
// named, so that the audit trail says what changed.
func (f organizationForm) patch() (p countersign.OrganizationPatch, err error) {
	was, err := formOf(f.stored)
	if err != nil {
		return p, err
	}
	if err := f.readSettings(&p); err != nil {
		return p, err
	}
	for _, field := range []struct {
		to       **string
		was, now string
	}{{&p.Name, was.Name, f.Name}, {&p.Slug, was.Slug, f.Slug}, {&p.ExternalID, was.ExternalID, f.ExternalID}, {&p.LogoURL, was.Logo, f.Logo}} {
		if field.was != field.now {
			*field.to = &field.now
		}
	}
	for _, field := range []struct {
		to       **[]string
		was, now string
	}{{&p.EmailAllowedDomains, was.Allowed, f.Allowed}, {&p.ClaimedEmailDomains, was.Claimed, f.Claimed}} {
		if list := lines(field.now); !slices.Equal(list, lines(field.was)) {
			*field.to = &list
		}
	}
	if list := lines(f.Implicit); !slices.Equal(list, lines(was.Implicit)) {
		roles := make([]countersign.ImplicitRole, len(list))
		for i, line := range list {
			domain, role, _ := strings.Cut(line, " ")
			roles[i] = countersign.ImplicitRole{Domain: domain, RoleID: strings.TrimSpace(role)}
		}
		p.ImplicitRoles = &roles
	}
	changes, err := replacedMetadata(f.stored.TrustedMetadata, f.Trusted)
	if err == nil && len(changes) > 0 {
		p.TrustedMetadata, err = countersign.EncodeJSON(changes)
	}
	return p, err
}

// settingsWithFields are the settings that a form has a field for.
var settingsWithFields = []string{"organization_logo_url", "email_allowed_domains", "claimed_email_domains", "rbac_email_implicit_role_assignments"}

// restOf are the settings that a form shows as JSON.
func restOf(s countersign.OrganizationSettings) (all map[string]json.RawMessage, err error) {
	text, err := countersign.EncodeJSON(s)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	for _, name := range settingsWithFields {
		delete(all, name)
	}
	return all, err
}

// otherSettings is restOf for people.
func otherSettings(s countersign.OrganizationSettings) (string, error) {
	all, err := restOf(s)
	return pretty(all), err
}

// readSettings puts those settings into a patch that the text changes. ErrBadRequest.
func (f organizationForm) readSettings(p *countersign.OrganizationPatch) error {
	if f.Settings == "" {
		return nil
	}
	var now map[string]json.RawMessage
	if err := api.Decode([]byte(f.Settings), &now); err != nil {
		return err
	}
	stored, err := restOf(f.stored.Settings)
	if err != nil {
		return err
	}
	for name, value := range now {
		was, known := stored[name]
		if !known {
			return countersign.ErrBadRequest.Saying("There is no setting %.64q among these.", name)
		}
		if f.ID != "" && same(was, value) {
			delete(now, name)
		}
	}
	text, err := countersign.EncodeJSON(now)
	if err != nil {
		return err
	}
	return api.Decode(text, p)
}

// refused is the form with what is wrong beside its field.
func (f organizationForm) refused(err error) (view, error) {
	if !ours(err) {
		return view{}, err
	}
	f.Problem = problemOf(err)
	for _, part := range []struct{ in, field string }{
		{"claimed", "claimed"},
		{"organization_settings_", "allowed"},
		{"role", "implicit"},
		{"rbac", "implicit"},
		{"logo", "logo"},
		{"slug", "slug"},
		{"external", "external_id"},
		{"metadata", "metadata"},
		{"organization_name", "name"},
		{"auth", "settings"},
		{"mfa", "settings"},
		{"bad_request", "settings"},
	} {
		if strings.Contains(f.Problem.Type, part.in) {
			f.Problem.Field = part.field
			break
		}
	}
	return organizationFormView(f), nil
}
