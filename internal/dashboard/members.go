package dashboard

import (
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/session"
)

type memberPage struct {
	userPage
	Problem problem // of what was to be done from the page
}

// Deleted says that there is nothing to do but to bring the member back.
func (p memberPage) Deleted() bool { return p.User.Status == countersign.Deleted }

// member is whom the path names, or a deleted one if asked to.
func (r *request) member(deleted bool) (countersign.Person, error) {
	return r.d.Directory.AnyMember(r.Context(), r.env, r.PathValue("member"), deleted)
}

func showMember(d *Dashboard, r *request) (view, error) {
	m, err := r.member(true)
	if err != nil {
		return view{}, err
	}
	return memberView(d, r, m, problem{})
}

func memberView(d *Dashboard, r *request, m countersign.Person, p problem) (view, error) {
	data := memberPage{Problem: p}
	var err error
	data.userPage, err = d.doings(r, m)
	id, o := m.ID.String(), m.Organization.ID.String()
	v := view{
		template: "member", title: nameOf(m), section: "organizations", data: data, status: p.status(),
		cli: "countersign member get --organization " + o + " " + id, api: "GET /v1/b2b/organizations/" + o + "/member?member_id=" + id,
	}
	if data.Deleted() {
		v.cli, v.api = "countersign member reactivate --organization "+o+" "+id, "PUT /v1/b2b/organizations/"+o+"/members/"+id+"/reactivate"
	}
	return v, err
}

// toMember is a form of a member's page: it goes back there, and says what was done
// or why it was not.
func toMember(deed string, do func(*Dashboard, *request, countersign.Person) error) func(*Dashboard, *request) (view, error) {
	return func(d *Dashboard, r *request) (view, error) {
		m, err := r.member(true)
		if err != nil {
			return view{}, err
		}
		err = do(d, r, m)
		if ours(err) {
			return memberView(d, r, m, problemOf(err))
		}
		return view{redirect: r.path("members", m.ID.String()) + "?did=" + deed}, err
	}
}

var (
	deleteMember = toMember("member-deleted", func(d *Dashboard, r *request, m countersign.Person) error {
		_, err := d.Directory.Delete(r.Context(), r.actor, r.env.ID, named(m))
		return err
	})
	reactivateMember = toMember("member-reactivated", func(d *Dashboard, r *request, m countersign.Person) error {
		_, err := d.Directory.Reactivate(r.Context(), r.actor, r.env, m.Organization.ID.String(), m.ID.String())
		return err
	})
	revokeMember = toMember("revoked", func(d *Dashboard, r *request, m countersign.Person) error {
		_, err := d.Sessions.Kill(r.Context(), session.KillParams{Environment: r.env, Actor: r.actor, Person: m.ID.String()})
		return err
	})
	freeAddress = toMember("address-freed", func(d *Dashboard, r *request, m countersign.Person) error {
		_, err := d.Directory.UnlinkRetiredEmail(r.Context(), r.actor, r.env, named(m), r.field("email_id"), "")
		return err
	})
	deletePhone = toMember("phone-removed", func(d *Dashboard, r *request, m countersign.Person) error {
		_, err := d.Directory.DeleteMFAPhone(r.Context(), r.actor, r.env, named(m))
		return err
	})
)

type memberForm struct {
	ID                 string // "" of a new one
	Organization       countersign.Organization
	Email, Name, Phone string
	HasPhone           bool // which has to go before another one comes
	ExternalID         string
	Trusted, Untrusted string
	Pending, Unlink    bool
	Breakglass, MFA    bool
	Roles              []roleBox
	Problem            problem
}

func memberFormView(f memberForm) view {
	o := f.Organization.ID.String()
	v := view{
		template: "member_form", title: "New member", section: "organizations", data: f, status: f.Problem.status(),
		cli: "countersign member create --organization " + o + " --email " + quote(f.Email), api: "POST /v1/b2b/organizations/" + o + "/members",
	}
	if f.ID != "" {
		v.title = "Edit member"
		v.cli, v.api = "countersign member update --organization "+o+" "+f.ID+" --name "+quote(f.Name), "PUT /v1/b2b/organizations/"+o+"/members/"+f.ID
	}
	return v
}

func newMember(d *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	if err != nil {
		return view{}, err
	}
	roles, err := d.roleBoxes(r, &o, nil)
	return memberFormView(memberForm{Organization: o, Roles: roles}), err
}

// readMemberForm is the form as it was sent.
func (d *Dashboard) readMemberForm(r *request, o countersign.Organization) (f memberForm, err error) {
	checked := func(name string) bool { return r.field(name) != "" }
	f = memberForm{
		Organization: o, Email: r.field("email"), Name: r.field("name"), Phone: r.field("phone"), ExternalID: r.field("external_id"),
		Trusted: r.field("trusted"), Untrusted: r.field("untrusted"),
		Pending: checked("pending"), Unlink: checked("unlink"), Breakglass: checked("breakglass"), MFA: checked("mfa"),
	}
	f.Roles, err = d.roleBoxes(r, &o, r.PostForm["role"])
	return f, err
}

func createMember(d *Dashboard, r *request) (view, error) {
	o, err := r.organization()
	if err != nil {
		return view{}, err
	}
	f, err := d.readMemberForm(r, o)
	if err != nil {
		return view{}, err
	}
	n := directory.NewPerson{
		Email: f.Email, Phone: f.Phone, Name: countersign.Name{First: f.Name}, ExternalID: f.ExternalID, Roles: held(f.Roles),
		Pending: f.Pending, Breakglass: f.Breakglass, MFAEnrolled: f.MFA,
	}
	if n.TrustedMetadata, err = metadata(f.Trusted); err == nil {
		if n.UntrustedMetadata, err = metadata(f.Untrusted); err == nil {
			var m countersign.Person
			if m, err = d.Directory.Create(r.Context(), r.actor, r.env, o.ID.String(), n); err == nil {
				return view{redirect: r.path("members", m.ID.String()) + "?did=member-created"}, nil
			}
		}
	}
	return f.refused(err)
}

func (f memberForm) refused(err error) (view, error) {
	if !ours(err) {
		return view{}, err
	}
	f.Problem = problemOf(err)
	for _, part := range []struct{ in, field string }{{"phone", "phone"}, {"external", "external_id"}, {"metadata", "metadata"}, {"role", "roles"}, {"email", "email"}} {
		if strings.Contains(f.Problem.Type, part.in) {
			f.Problem.Field = part.field
			break
		}
	}
	return memberFormView(f), nil
}

func editMember(d *Dashboard, r *request) (view, error) {
	m, err := r.member(false)
	if err != nil {
		return view{}, err
	}
	f := memberForm{
		ID: m.ID.String(), Organization: *m.Organization, Email: m.Email().Address, Name: m.Name.First, HasPhone: len(m.Phones) > 0, ExternalID: m.ExternalID,
		Trusted: object(m.TrustedMetadata), Untrusted: object(m.UntrustedMetadata), Breakglass: m.Membership.Breakglass, MFA: m.Membership.MFAEnrolled,
	}
	f.Roles, err = d.roleBoxes(r, m.Organization, given(m))
	return memberFormView(f), err
}

func saveMember(d *Dashboard, r *request) (view, error) {
	m, err := r.member(false)
	if err != nil {
		return view{}, err
	}
	f, err := d.readMemberForm(r, *m.Organization)
	if err != nil {
		return view{}, err
	}
	f.ID, f.HasPhone = m.ID.String(), len(m.Phones) > 0
	roles := held(f.Roles)
	patch := directory.Patch{FirstName: &f.Name, Roles: &roles, Breakglass: &f.Breakglass, MFAEnrolled: &f.MFA, Phone: f.Phone, UnlinkEmail: f.Unlink}
	if f.Email != m.Email().Address {
		patch.Email = f.Email
	}
	if f.ExternalID != m.ExternalID {
		patch.ExternalID = f.ExternalID
	}
	if patch.TrustedMetadata, err = replacedMetadata(m.TrustedMetadata, f.Trusted); err == nil {
		patch.UntrustedMetadata, err = replacedMetadata(m.UntrustedMetadata, f.Untrusted)
	}
	if err == nil {
		_, err = d.Directory.Update(r.Context(), r.actor, r.env, named(m), patch)
	}
	if err == nil && f.ExternalID == "" && m.ExternalID != "" {
		_, err = d.Directory.ClearExternalID(r.Context(), r.actor, r.env, named(m))
	}
	if err == nil {
		return view{redirect: r.path("members", f.ID) + "?did=member-saved"}, nil
	}
	return f.refused(err)
}
