package dashboard

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// userWays are the ways to look for users (users.md §5).
var userWays = []way{
	{Name: "email_part", Label: "E-mail contains", filter: "email_address_fuzzy", flag: "--email-contains"},
	{Name: "email", Label: "E-mail is", filter: "email_address", list: true, flag: "--email"},
	{Name: "name", Label: "Name contains", filter: "full_name_fuzzy", flag: "--name-contains"},
	{Name: "phone", Label: "Phone contains", filter: "phone_number_fuzzy", flag: "--phone-contains"},
	{Name: "id", Label: "ID or external ID", filter: "user_id", list: true, flag: "--user-id"},
	{Name: "status", Label: "Status is", filter: "status", flag: "--status"},
}

// searchUsers finds the users that a listing asks for.
func (d *Dashboard) searchUsers(r *request, l listing) (directory.Found[countersign.Person], error) {
	q, err := l.query()
	if err != nil {
		return directory.Found[countersign.Person]{}, err
	}
	return d.Directory.SearchUsers(r.Context(), r.env, q)
}

type usersPage struct {
	listing
	Users []countersign.Person
}

func listUsers(d *Dashboard, r *request) (view, error) {
	data := usersPage{listing: r.listing(userWays)}
	found, err := d.searchUsers(r, data.listing)
	if err := data.settle(r, found.Total, found.Next, err); err != nil {
		return view{}, err
	}
	data.Users = found.Results
	return view{
		template: "users", title: "Users", section: "users", data: data, status: data.Problem.status(),
		cli: "countersign user search" + data.flags(), api: "POST /v1/users/search",
	}, nil
}

type userPage struct {
	User     countersign.Person
	Sessions []countersign.Session
	Verdicts []countersign.Verdict
	Events   []countersign.Event
	Names    map[countersign.ProfileID]string
	More     bool // events that were not looked at
}

func showUser(d *Dashboard, r *request) (view, error) {
	u, err := d.look(r, r.PathValue("user"))
	if err != nil {
		return view{}, err
	}
	data, err := d.doings(r, u)
	return view{
		template: "user", title: nameOf(u), section: "users", data: data,
		cli: "countersign user get " + u.ID.String(), api: "GET /v1/users/" + u.ID.String(),
	}, err
}

// doings are what somebody's page shows beside who it is.
func (d *Dashboard) doings(r *request, u countersign.Person) (data userPage, err error) {
	ctx := r.Context()
	data.User = u
	if data.Sessions, err = d.Sessions.Of(ctx, r.env, u); err != nil {
		return data, err
	}
	slices.Reverse(data.Sessions)
	data.Sessions = data.Sessions[:min(len(data.Sessions), pageSize)]
	page, err := d.Verdicts.List(ctx, r.env.ID, verdict.Filter{PersonID: u.ID}, 10, "")
	if err != nil {
		return data, err
	}
	data.Verdicts = page.Verdicts
	if data.Events, data.More, err = d.history(r, u.ID.String()); err != nil {
		return data, err
	}
	data.Names, err = d.names(ctx, r.env.ID)
	return data, err
}

// history are the newest events of an object; more says that not all events of the
// environment were looked at.
func (d *Dashboard) history(r *request, object string) (events []countersign.Event, more bool, err error) {
	events, next, err := d.Projects.FindEvents(r.Context(), r.env.ID, project.EventFilter{Object: object}, 20, "")
	return events, next != "", err
}

// look finds a user by ID or external ID, or in a B2B environment a member by ID.
func (d *Dashboard) look(r *request, ref string) (countersign.Person, error) {
	if r.env.Vertical == countersign.B2B {
		return d.Directory.AnyMember(r.Context(), r.env, ref, false)
	}
	return d.Directory.Person(r.Context(), r.env, directory.User(ref))
}

// nameOf is what a user is best known by.
func nameOf(u countersign.Person) string {
	switch name := u.Name.String(); {
	case name != "":
		return name
	case len(u.Emails) > 0:
		return u.Emails[0].Address
	case u.ExternalID != "":
		return u.ExternalID
	}
	return u.ID.String()
}

type userForm struct {
	ID                                     string // "" of a new one
	Email, Phone, First, Middle, Last      string
	ExternalID, Trusted, Untrusted, Unkept string
	Roles                                  []roleBox
	Problem                                problem
}

type roleBox struct {
	ID          string
	Description string
	Held        bool
}

// roleBoxes are the roles that can be given to members of an organization, or if that
// is nil to users, with those that are held.
func (d *Dashboard) roleBoxes(r *request, in *countersign.Organization, held []string) (list []roleBox, err error) {
	p, err := d.Projects.Policy(r.Context(), r.env)
	for _, role := range p.For(in).Roles() {
		if !rbac.Automatic(role.ID) {
			list = append(list, roleBox{role.ID, role.Description, slices.Contains(held, role.ID)})
		}
	}
	return list, err
}

func userFormView(f userForm) view {
	v := view{
		template: "user_form", title: "New user", section: "users", data: f, status: f.Problem.status(),
		cli: "countersign user create --email " + quote(f.Email), api: "POST /v1/users",
	}
	if f.ID != "" {
		v.title, v.cli, v.api = "Edit user", "countersign user update "+f.ID+" --first-name "+quote(f.First), "PUT /v1/users/"+f.ID
	}
	return v
}

func newUser(d *Dashboard, r *request) (view, error) {
	roles, err := d.roleBoxes(r, nil, nil)
	return userFormView(userForm{Roles: roles}), err
}

// readUserForm is the form as it was sent.
func (d *Dashboard) readUserForm(r *request) (f userForm, err error) {
	f = userForm{
		Email: r.field("email"), Phone: r.field("phone"), First: r.field("first"), Middle: r.field("middle"), Last: r.field("last"),
		ExternalID: r.field("external_id"), Trusted: r.field("trusted"), Untrusted: r.field("untrusted"),
	}
	f.Roles, err = d.roleBoxes(r, nil, r.PostForm["role"])
	return f, err
}

// held are the roles whose boxes are checked.
func held(boxes []roleBox) []string {
	list := []string{}
	for _, role := range boxes {
		if role.Held {
			list = append(list, role.ID)
		}
	}
	return list
}

func createUser(d *Dashboard, r *request) (view, error) {
	f, err := d.readUserForm(r)
	if err != nil {
		return view{}, err
	}
	n := directory.NewPerson{
		Email: f.Email, Phone: f.Phone, Name: countersign.Name{First: f.First, Middle: f.Middle, Last: f.Last}, ExternalID: f.ExternalID, Roles: held(f.Roles),
	}
	if n.TrustedMetadata, err = metadata(f.Trusted); err == nil {
		if n.UntrustedMetadata, err = metadata(f.Untrusted); err == nil {
			var u countersign.Person
			if u, err = d.Directory.Create(r.Context(), r.actor, r.env, "", n); err == nil {
				return view{redirect: r.path("users", u.ID.String()) + "?did=user-created"}, nil
			}
		}
	}
	return f.refused(err)
}

// metadata reads an object of a form; "" is none.
func metadata(text string) (countersign.Object, error) {
	if text == "" {
		return nil, nil
	}
	return directory.Metadata(json.RawMessage(text))
}

func (f userForm) refused(err error) (view, error) {
	if !ours(err) {
		return view{}, err
	}
	f.Problem = problemOf(err)
	for part, field := range map[string]string{"email": "email", "phone": "phone", "external": "external_id", "metadata": "metadata", "role": "roles"} {
		if strings.Contains(f.Problem.Type, part) {
			f.Problem.Field = field
		}
	}
	return userFormView(f), nil
}

func editUser(d *Dashboard, r *request) (view, error) {
	u, err := d.Directory.Person(r.Context(), r.env, directory.User(r.PathValue("user")))
	if err != nil {
		return view{}, err
	}
	f := userForm{
		ID: u.ID.String(), First: u.Name.First, Middle: u.Name.Middle, Last: u.Name.Last, ExternalID: u.ExternalID,
		Trusted: object(u.TrustedMetadata), Untrusted: object(u.UntrustedMetadata),
	}
	f.Roles, err = d.roleBoxes(r, nil, given(u))
	return userFormView(f), err
}

// given are the roles that the API gave, which an update replaces.
func given(u countersign.Person) (list []string) {
	for _, g := range u.Grants {
		if g.Explicit {
			list = append(list, g.RoleID)
		}
	}
	return list
}

func object(o countersign.Object) string {
	if len(o) == 0 {
		return "{}"
	}
	return pretty(o)
}

func saveUser(d *Dashboard, r *request) (view, error) {
	u, err := d.Directory.Person(r.Context(), r.env, directory.User(r.PathValue("user")))
	if err != nil {
		return view{}, err
	}
	f, err := d.readUserForm(r)
	if err != nil {
		return view{}, err
	}
	f.ID = u.ID.String()
	roles := held(f.Roles)
	patch := directory.Patch{FirstName: &f.First, MiddleName: &f.Middle, LastName: &f.Last, Roles: &roles}
	if f.ExternalID != u.ExternalID {
		patch.ExternalID = f.ExternalID
	}
	if patch.TrustedMetadata, err = replacedMetadata(u.TrustedMetadata, f.Trusted); err == nil {
		patch.UntrustedMetadata, err = replacedMetadata(u.UntrustedMetadata, f.Untrusted)
	}
	if err == nil {
		_, err = d.Directory.Update(r.Context(), r.actor, r.env, directory.User(f.ID), patch)
	}
	if err == nil && f.ExternalID == "" && u.ExternalID != "" {
		_, err = d.Directory.ClearExternalID(r.Context(), r.actor, r.env, directory.User(f.ID))
	}
	if err == nil {
		return view{redirect: r.path("users", f.ID) + "?did=user-saved"}, nil
	}
	return f.refused(err)
}

// replacedMetadata makes stored metadata what the form says, where an update
// merges: what the form leaves out is null, and what it leaves alone is not there.
func replacedMetadata(stored countersign.Object, text string) (countersign.Object, error) {
	wanted, err := metadata(text)
	if err != nil {
		return nil, err
	}
	if wanted == nil {
		wanted = countersign.Object{}
	}
	for name, value := range stored {
		switch now, there := wanted[name]; {
		case !there:
			wanted[name] = json.RawMessage("null")
		case same(value, now):
			delete(wanted, name)
		}
	}
	return wanted, nil
}

// same reports whether two JSON texts differ in nothing but white space.
func same(a, b json.RawMessage) bool {
	var one, other bytes.Buffer
	return json.Compact(&one, a) == nil && json.Compact(&other, b) == nil && bytes.Equal(one.Bytes(), other.Bytes())
}

func deleteUser(d *Dashboard, r *request) (view, error) {
	_, err := d.Directory.Delete(r.Context(), r.actor, r.env.ID, directory.User(r.PathValue("user")))
	return view{redirect: r.path("users") + "?did=user-deleted"}, err
}
