package dashboard

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// searches are the ways to look for users, and the filters of users.md §5 that
// they are.
var searches = []struct{ Name, Label, filter string }{
	{"email_part", "E-mail contains", "email_address_fuzzy"},
	{"email", "E-mail is", "email_address"},
	{"name", "Name contains", "full_name_fuzzy"},
	{"phone", "Phone contains", "phone_number_fuzzy"},
	{"id", "ID or external ID", "user_id"},
	{"status", "Status is", "status"},
}

// searchUsers finds users in one of the ways above; without a text, all of them.
func (d *Dashboard) searchUsers(r *request, by, text, cursor string) (found directory.Found[countersign.Person], err error) {
	q := directory.Query{Limit: pageSize, Cursor: cursor, Operator: "AND"}
	for _, way := range searches {
		if way.Name != by || text == "" {
			continue
		}
		value := any(text)
		if way.Name == "id" || way.Name == "email" {
			value = []string{text}
		}
		var o directory.Operand
		if o.Name, err = json.Marshal(way.filter); err != nil {
			return found, err
		}
		if o.Value, err = json.Marshal(value); err != nil {
			return found, err
		}
		q.Operands = []directory.Operand{o}
	}
	return d.Directory.SearchUsers(r.Context(), r.env, q)
}

type usersPage struct {
	Users   []countersign.Person
	Ways    []struct{ Name, Label, filter string }
	By      string
	Find    string
	Total   int // -1 if that is too many to look at
	Next    string
	First   string
	Problem problem
}

func listUsers(d *Dashboard, r *request) (view, error) {
	data := usersPage{Ways: searches, By: r.query("by"), Find: r.query("find")}
	if data.By == "" {
		data.By = searches[0].Name
	}
	found, err := d.searchUsers(r, data.By, data.Find, r.query("cursor"))
	switch {
	case ours(err):
		data.Problem = problemOf(err)
	case err != nil:
		return view{}, err
	}
	data.Users, data.Total = found.Results, found.Total
	data.First, data.Next = r.paging(found.Next)
	cli := "countersign user search"
	for flag, way := range map[string]string{"--email-contains": "email_part", "--email": "email", "--name-contains": "name", "--phone-contains": "phone", "--user-id": "id", "--status": "status"} {
		if way == data.By && data.Find != "" {
			cli += " " + flag + " " + quote(data.Find)
		}
	}
	return view{template: "users", title: "Users", section: "users", data: data, status: data.Problem.status(), cli: cli, api: "POST /v1/users/search"}, nil
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
	ctx := r.Context()
	u, err := d.look(r, r.PathValue("user"))
	if err != nil {
		return view{}, err
	}
	data := userPage{User: u}
	if data.Sessions, err = d.Sessions.Of(ctx, r.env, u); err != nil {
		return view{}, err
	}
	slices.Reverse(data.Sessions)
	data.Sessions = data.Sessions[:min(len(data.Sessions), pageSize)]
	page, err := d.Verdicts.List(ctx, r.env.ID, verdict.Filter{PersonID: u.ID}, 10, "")
	if err != nil {
		return view{}, err
	}
	data.Verdicts = page.Verdicts
	events, next, err := d.Projects.FindEvents(ctx, r.env.ID, project.EventFilter{Object: u.ID.String()}, 20, "")
	if err != nil {
		return view{}, err
	}
	data.Events, data.More = events, next != ""
	if data.Names, err = d.names(ctx, r.env.ID); err != nil {
		return view{}, err
	}
	v := view{
		template: "user", title: nameOf(u), section: "users", data: data,
		cli: "countersign user get " + u.ID.String(), api: "GET /v1/users/" + u.ID.String(),
	}
	if data.Member() {
		v.cli, v.api = "countersign member get "+u.ID.String(), "GET /v1/b2b/organizations/"+u.Organization.ID.String()+"/member?member_id="+u.ID.String()
	}
	return v, nil
}

// Member says whether the page is of a member, whom the dashboard does not edit yet.
func (p userPage) Member() bool { return countersign.IsMember(p.User.ID) }

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

// roleBoxes are the roles that can be given, with those that are held.
func (d *Dashboard) roleBoxes(r *request, held []string) (list []roleBox, err error) {
	p, err := d.Projects.Policy(r.Context(), r.env)
	for _, role := range p.Roles() {
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
	roles, err := d.roleBoxes(r, nil)
	return userFormView(userForm{Roles: roles}), err
}

// readUserForm is the form as it was sent.
func (d *Dashboard) readUserForm(r *request) (f userForm, err error) {
	f = userForm{
		Email: r.field("email"), Phone: r.field("phone"), First: r.field("first"), Middle: r.field("middle"), Last: r.field("last"),
		ExternalID: r.field("external_id"), Trusted: r.field("trusted"), Untrusted: r.field("untrusted"),
	}
	f.Roles, err = d.roleBoxes(r, r.PostForm["role"])
	return f, err
}

func (f userForm) roles() []string {
	list := []string{}
	for _, role := range f.Roles {
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
		Email: f.Email, Phone: f.Phone, Name: countersign.Name{First: f.First, Middle: f.Middle, Last: f.Last}, ExternalID: f.ExternalID, Roles: f.roles(),
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
	f.Roles, err = d.roleBoxes(r, given(u))
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
	roles := f.roles()
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
// merges: what the form leaves out is null.
func replacedMetadata(stored countersign.Object, text string) (countersign.Object, error) {
	wanted, err := metadata(text)
	if err != nil {
		return nil, err
	}
	if wanted == nil {
		wanted = countersign.Object{}
	}
	for name := range stored {
		if _, there := wanted[name]; !there {
			wanted[name] = json.RawMessage("null")
		}
	}
	return wanted, nil
}

func deleteUser(d *Dashboard, r *request) (view, error) {
	_, err := d.Directory.Delete(r.Context(), r.actor, r.env.ID, directory.User(r.PathValue("user")))
	return view{redirect: r.path("users") + "?did=user-deleted"}, err
}
