package dashboard_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// business is a B2B environment in which something has happened.
type business struct {
	*rig
	issuer       *issuertest.Issuer
	profile      string
	organization string
	member       string // who is signed in, and whose address is verified
	session      string
	made         string // a member who was made by hand, with a number and an address of before
	deleted      string
}

func newBusiness(t *testing.T, database string) *business {
	t.Helper()
	e := servertest.Start(t, database, servertest.Options{}).NewEnvironmentOf("B2B", "TEST", map[string]any{"session_jwt_algorithm": "EdDSA"})
	b := &business{rig: &rig{Environment: e, t: t, base: "/dashboard/p/" + e.ProjectSlug + "/" + e.Slug}, issuer: issuertest.New(t)}
	b.profile = e.Profile(b.issuer.URL(), map[string]any{
		"public_key_type": "JWK", "jwks_url": b.issuer.JWKSURL(),
		"attribute_mapping": map[string]any{"email": "email", "token_id": "jti", "organization_id": "org", "external_member_id": "sub"},
	})
	b.organization = servertest.Must(t, e.API(http.MethodPost, "/v1/b2b/organizations", map[string]any{
		"organization_name": "Acme Inc", "organization_slug": "acme", "organization_external_id": "crm|7", "email_allowed_domains": []string{"acme.example"},
		"trusted_metadata": map[string]any{"plan": "pro"},
	})).String("organization", "organization_id")
	good := b.attest("ada@acme.example")
	b.member, b.session = good.String("member_id"), good.String("member_session", "member_session_id")
	members := "/v1/b2b/organizations/" + b.organization + "/members"
	create := func(address string, more map[string]any) string {
		body := map[string]any{"email_address": address}
		for name, value := range more {
			body[name] = value
		}
		return servertest.Must(t, e.API(http.MethodPost, members, body)).String("member_id")
	}
	b.made = create("grace@acme.example", map[string]any{"mfa_phone_number": "+41791234567"})
	servertest.Must(t, e.API(http.MethodPut, members+"/"+b.made, map[string]any{"email_address": "hopper@acme.example"}))
	b.deleted = create("gone@acme.example", nil)
	servertest.Must(t, e.API(http.MethodDelete, members+"/"+b.deleted, nil))
	return b
}

// attest signs somebody in who may be new.
func (b *business) attest(address string) servertest.Answer {
	b.t.Helper()
	return servertest.Must(b.t, b.API(http.MethodPost, "/v1/b2b/sessions/attest", map[string]any{
		"profile_id": b.profile, "session_duration_minutes": 60,
		"token": b.issuer.Mint(map[string]any{"aud": "countersign", "email": address, "sub": strings.ToLower(rand.Text()), "org": "crm|7"}),
	}))
}

// pages are the environment's, each of them.
func (b *business) pages() []string {
	org := "/organizations/" + b.organization
	return []string{
		"", "/start", "/profiles", "/profiles/new", "/profiles/" + b.profile, "/profiles/" + b.profile + "/edit", "/profiles/" + b.profile + "/try",
		"/verdicts", "/sessions", "/sessions?find=" + b.member, "/sessions/" + b.session, "/revocations",
		"/organizations", "/organizations?by=name&find=acme", "/organizations?by=slug&find=acme", "/organizations?by=id&find=crm|7",
		"/organizations?by=member&find=ada@acme.example", "/organizations?by=member_part&find=acme", "/organizations?by=domain&find=acme.example",
		"/organizations/new", org, "/organizations/acme", org + "?by=role&find=stytch_member", org + "?by=status&find=deleted", org + "?by=id&find=" + b.made,
		org + "?by=email&find=ada@acme.example", org + "?by=phone&find=%2B41791234567", org + "/edit", org + "/roles", org + "/members/new",
		"/members/" + b.member, "/members/" + b.made, "/members/" + b.deleted, "/members/" + b.member + "/edit", "/members/" + b.made + "/edit",
		"/policy", "/policy?user=" + b.member + "&resource=stytch.member&action=search", "/policy/edit", "/keys", "/events", "/streams", "/settings",
	}
}

// TestB2B reads every page of the other vertical as TestPagesAreSound does, and finds
// on each how to do it elsewhere.
func TestB2B(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := newBusiness(t, database)
		ada := b.operator("Ada", "owner")
		for _, path := range b.pages() {
			p := ada.get(b.base + path)
			if p.status != http.StatusOK || p.heading() == "" {
				t.Errorf("GET %s = %d, heading %q, %s", path, p.status, p.heading(), p.problem())
				continue
			}
			checkSound(t, path, p)
			if !strings.Contains(p.text, ">countersign ") || !strings.Contains(p.text, "/pwa/v3/") && !strings.Contains(p.text, " /v1/") {
				t.Errorf("%s does not say how to do it elsewhere", path)
			}
			if strings.Contains(p.text, b.base+"/users") {
				t.Errorf("%s leads to users, of which there are none", path)
			}
		}
		for path, status := range map[string]int{
			"/users": http.StatusNotFound, "/users/new": http.StatusNotFound, "/users/" + b.member: http.StatusNotFound,
			"/sessions?find=ada": http.StatusBadRequest, "/organizations/nobody": http.StatusNotFound, "/organizations/a%20b": http.StatusBadRequest,
			"/members/" + b.organization: http.StatusBadRequest, "/members/" + b.deleted + "/edit": http.StatusNotFound,
			"/organizations?by=name&find=a": http.StatusBadRequest, "/organizations?cursor=x": http.StatusBadRequest,
			"/organizations/" + b.organization + "?by=status&find=gone": http.StatusBadRequest,
		} {
			if p := ada.get(b.base + path); p.status != status {
				t.Errorf("GET %s = %d %s, want %d", path, p.status, p.problem(), status)
			}
		}
		if p := ada.get(b.base + "/organizations?find=" + b.member); p.location != b.base+"/members/"+b.member {
			t.Errorf("the ID of a member leads to %d %q", p.status, p.location)
		}
		for path, want := range map[string]string{
			"/members/" + b.made: "hopper@acme.example", "/organizations/" + b.organization: "Acme Inc", "/sessions/" + b.session: "Acme Inc",
			"/organizations/" + b.organization + "?by=status&find=deleted": "gone@acme.example",
		} {
			if p := ada.get(b.base + path); !strings.Contains(content(p.root), want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
	})
}

// TestOtherEnvironments looks for organizations and members where they are not.
func TestOtherEnvironments(t *testing.T) {
	t.Parallel()
	b := newBusiness(t, storetest.SQLite(t))
	ada := b.operator("Ada", "owner")
	for vertical, reasons := range map[string][]int{"B2B": {http.StatusNotFound}, "CONSUMER": {http.StatusNotFound}} {
		e := b.NewEnvironmentOf(vertical, "TEST", map[string]any{"session_jwt_algorithm": "EdDSA"})
		base := "/dashboard/p/" + e.ProjectSlug + "/" + e.Slug
		org := "/organizations/" + b.organization
		for _, path := range []string{org, org + "/edit", org + "/roles", org + "/members/new", "/members/" + b.member, "/members/" + b.member + "/edit", "/members/" + b.deleted} {
			if p := ada.get(base + path); !slices.Contains(reasons, p.status) {
				t.Errorf("%s: GET %s = %d", vertical, path, p.status)
			}
		}
		for _, path := range []string{
			org + "/edit", org + "/delete", org + "/roles", org + "/members/new", "/members/" + b.member + "/edit", "/members/" + b.member + "/delete",
			"/members/" + b.deleted + "/reactivate", "/members/" + b.member + "/revoke", "/members/" + b.made + "/address", "/members/" + b.made + "/phone",
		} {
			form := url.Values{"name": {"Taken"}, "email": {"taken@acme.example"}, "roles": {`{"roles": []}`}}
			if p := ada.post(base+path, form); !slices.Contains(reasons, p.status) {
				t.Errorf("%s: POST %s = %d %s", vertical, path, p.status, p.problem())
			}
		}
	}
	if p := ada.get(b.base + "/members/" + b.member); p.status != http.StatusOK || !strings.Contains(content(p.root), b.session[len(b.session)-12:]) {
		t.Errorf("the member or the session is gone: %d", p.status)
	}
}

// fields are those of the form of a page that a browser would send.
func fields(p page) url.Values {
	form := url.Values{}
	for _, name := range []string{"input", "textarea", "select"} {
		for _, n := range p.find(name) {
			field := attribute(n, "name")
			if !inMainForm(n) || field == "" || attribute(n, "type") == "checkbox" && !has(n, "checked") {
				continue
			}
			value := attribute(n, "value")
			if name == "textarea" {
				value = strings.ReplaceAll(raw(n), "\n", "\r\n")
			} else if attribute(n, "type") == "checkbox" && value == "" {
				value = "on"
			}
			form.Add(field, value)
		}
	}
	return form
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func inMainForm(n *html.Node) bool {
	for a := range n.Ancestors() {
		if a.Data == "form" {
			return attribute(a, "class") == "stack" && attribute(a, "method") == "post"
		}
	}
	return false
}

// TestOrganizationProblems makes an organization that is wrong in each way, and finds
// what is wrong beside its field, with everything else as it was typed.
func TestOrganizationProblems(t *testing.T) {
	t.Parallel()
	b := newBusiness(t, storetest.SQLite(t))
	ada := b.operator("Ada", "editor")
	for _, test := range []struct{ field, value, near, want string }{
		{"name", "", "name", "organization_name_missing"},
		{"name", strings.Repeat("a", 129), "name", "invalid_organization_name"},
		{"slug", "a/b", "slug", "invalid_organization_slug"},
		{"slug", "acme", "slug", "organization_slug_already_used"},
		{"external_id", "a b", "external_id", "invalid_organization_external_id"},
		{"external_id", "crm|7", "external_id", "organization_external_id_already_used"},
		{"logo", "https://" + strings.Repeat("a", 2048), "logo", "organization_logo_url_too_long"},
		{"allowed", "not a domain", "allowed", "organization_settings_invalid_domain"},
		{"claimed", "gmail.com", "claimed", "organization_settings_claimed_domain_too_common"},
		{"implicit", "acme.example nobody", "implicit", "invalid_rbac_role_id"},
		{"implicit", "@ stytch_admin", "implicit", "rbac_invalid_domain"},
		{"trusted", "[]", "trusted", "metadata_invalid_format"},
		{"settings", "{", "settings", "bad_request"},
		{"settings", `{"organization_name": "Other"}`, "settings", "bad_request"},
		{"settings", `{"mfa_policy": 7}`, "settings", "bad_request"},
		{"settings", `{"mfa_policy": "MAYBE"}`, "settings", "invalid_organization_mfa_policy"},
	} {
		form := url.Values{"name": {"Other"}, "implicit": {"other.example stytch_admin"}}
		form.Set(test.field, test.value)
		p := ada.post(b.base+"/organizations/new", form)
		if p.status != http.StatusBadRequest || p.problem() != test.want {
			t.Errorf("%s=%.40q: %d %s, want 400 %s", test.field, test.value, p.status, p.problem(), test.want)
			continue
		}
		before, _, _ := strings.Cut(p.text, `class="type"`)
		if at := strings.LastIndex(before, `name="`+test.near+`"`); at < 0 {
			t.Errorf("%s=%.40q: the problem is not behind the field", test.field, test.value)
		}
		if test.field != "implicit" && !strings.Contains(p.text, "other.example stytch_admin</textarea>") {
			t.Errorf("%s=%.40q: the form forgot what was typed", test.field, test.value)
		}
	}
	if p := ada.get(b.base + "/organizations"); len(p.find("tr")) != 2 {
		t.Errorf("there are %d rows", len(p.find("tr")))
	}
}

// TestOrganizationsAreKept makes an organization, changes one thing after another, and
// deletes it; the audit trail says what changed, and no more.
func TestOrganizationsAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := newBusiness(t, database)
		ada := b.operator("Ada", "owner")
		p := ada.post(b.base+"/organizations/new", url.Values{
			"name": {"Beta & Söhne"}, "external_id": {"crm|8"}, "allowed": {"beta.example\r\nbeta.test"}, "implicit": {"beta.example  stytch_admin"},
			"trusted": {`{"plan": "free", "seats": 3}`}, "settings": {`{"mfa_policy": "REQUIRED_FOR_ALL"}`},
		})
		if p.status != http.StatusSeeOther {
			t.Fatalf("%d %s", p.status, p.problem())
		}
		at, _, _ := strings.Cut(p.location, "?")
		id := at[strings.LastIndex(at, "/")+1:]
		get := func() servertest.Answer {
			return servertest.Must(t, b.API(http.MethodGet, "/v1/b2b/organizations/"+id, nil))
		}
		o := get()
		if o.String("organization", "organization_name") != "Beta & Söhne" || o.String("organization", "mfa_policy") != "REQUIRED_FOR_ALL" || o.String("organization", "organization_external_id") != "crm|8" {
			t.Errorf("made: %s", o.Text)
		}
		changed := func() string {
			events, _ := b.Administer(http.MethodGet, "/events", nil).At("events").([]any)
			event, _ := events[0].(map[string]any)
			action, _ := event["action"].(string)
			return strings.Join(append([]string{action}, texts(event["detail"])...), " ")
		}
		for _, step := range []struct{ field, value, want string }{
			{"name", "Beta", "organization.updated organization_name"},
			{"slug", "beta-2", "organization.updated organization_slug"},
			{"logo", "https://beta.example/logo.png", "organization.updated organization_logo_url"},
			{"allowed", "beta.example", "organization.updated email_allowed_domains"},
			{"claimed", "beta.example", "organization.updated claimed_email_domains"},
			{"implicit", "", "organization.updated rbac_email_implicit_role_assignments"},
			{"trusted", `{"seats": 3}`, "organization.updated trusted_metadata"},
			{"settings", `{"mfa_policy": "OPTIONAL"}`, "organization.updated mfa_policy"},
			{"external_id", "", "organization.updated organization_external_id"},
		} {
			form := fields(ada.get(at + "/edit"))
			form.Set(step.field, step.value)
			if p := ada.post(at+"/edit", form); p.status != http.StatusSeeOther || p.location != at+"?did=organization-saved" {
				t.Fatalf("%s: %d %s %q", step.field, p.status, p.problem(), p.location)
			}
			if got := changed(); got != step.want {
				t.Errorf("%s=%s: the newest event is %q, want %q", step.field, step.value, got, step.want)
			}
		}
		before := changed()
		if p := ada.post(at+"/edit", fields(ada.get(at+"/edit"))); p.status != http.StatusSeeOther || changed() != before {
			t.Errorf("a form that changes nothing: %d, %q", p.status, changed())
		}
		o = get()
		if meta, _ := o.At("organization", "trusted_metadata").(map[string]any); len(meta) != 1 || o.At("organization", "organization_external_id") != nil || o.String("organization", "email_invites") != "NOT_ALLOWED" {
			t.Errorf("after all: %s", o.Text)
		}

		for value, want := range map[string]string{"": "bad_request", "{}": "bad_request", `{"roles": [{"role_id": "a"}]}`: "rbac_role_missing_permissions", `{"roles": [{"role_id": "stytch_admin", "permissions": []}]}`: "rbac_role_duplicate"} {
			if p := ada.post(at+"/roles", url.Values{"roles": {value}}); p.status != http.StatusBadRequest || p.problem() != want {
				t.Errorf("the roles %q: %d %s, want %s", value, p.status, p.problem(), want)
			}
		}
		role := `{"roles": [{"role_id": "auditor", "description": "Reads.", "permissions": [{"resource_id": "stytch.member", "actions": ["search"]}]}]}`
		if p := ada.post(at+"/roles", url.Values{"roles": {role}}); p.status != http.StatusSeeOther {
			t.Errorf("%d %s", p.status, p.problem())
		}
		if p := ada.get(at + "/members/new"); !strings.Contains(p.text, `value="auditor"`) {
			t.Error("the organization's own role cannot be given")
		}
		if p := ada.get(b.base + "/organizations/acme/members/new"); strings.Contains(p.text, `value="auditor"`) {
			t.Error("another organization's role can be given")
		}
		p = ada.post(at+"/members/new", url.Values{"email": {"eve@beta.example"}, "role": {"auditor"}})
		eve, _, _ := strings.Cut(p.location[strings.LastIndex(p.location, "/")+1:], "?")
		if p := ada.get(b.base + "/policy?user=" + eve + "&resource=stytch.member&action=search"); !strings.Contains(content(p.root), "by auditor") {
			t.Errorf("the role permits nothing: %s", content(p.root))
		}
		if p := ada.post(at+"/delete", nil); p.status != http.StatusSeeOther {
			t.Errorf("%d %s", p.status, p.problem())
		}
		for _, path := range []string{at, b.base + "/members/" + eve} {
			if p := ada.get(path); p.status != http.StatusNotFound {
				t.Errorf("GET %s = %d after it was deleted", path, p.status)
			}
		}
	})
}

// texts are the strings in a list that a detail of an event has.
func texts(detail any) (list []string) {
	m, _ := detail.(map[string]any)
	changed, _ := m["changed"].([]any)
	for _, v := range changed {
		s, _ := v.(string)
		list = append(list, s)
	}
	return list
}

// TestMembersAreKept makes a member, changes, deletes and brings back.
func TestMembersAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := newBusiness(t, database)
		ada := b.operator("Ada", "editor")
		org := b.base + "/organizations/" + b.organization
		for _, test := range []struct{ field, value, near, want string }{
			{"email", "", "email", "invalid_email"},
			{"email", "ada@acme.example", "email", "duplicate_member_email"},
			{"email", "grace@acme.example", "email", "retired_member_email"},
			{"phone", "1", "phone", "invalid_phone_number"},
			{"phone", "+41791234567", "phone", "duplicate_member_phone_number"},
			{"external_id", "a b", "", "invalid_argument"},
			{"trusted", "7", "trusted", "metadata_invalid_format"},
		} {
			form := url.Values{"email": {"new@acme.example"}, "name": {"As typed"}, "pending": {"on"}}
			form.Set(test.field, test.value)
			p := ada.post(org+"/members/new", form)
			if p.status != http.StatusBadRequest || p.problem() != test.want || !strings.Contains(p.text, `value="As typed"`) {
				t.Errorf("%s=%q: %d %s, want %s", test.field, test.value, p.status, p.problem(), test.want)
				continue
			}
			before, _, _ := strings.Cut(p.text, `class="type"`)
			if !strings.Contains(before, `name="`+test.near) {
				t.Errorf("%s=%q: the problem is not behind the field", test.field, test.value)
			}
		}
		p := ada.post(org+"/members/new", url.Values{
			"email": {"new@acme.example"}, "name": {"New"}, "phone": {"+41797654321"}, "external_id": {"e7"}, "pending": {"on"}, "breakglass": {"on"},
			"role": {"stytch_admin", "unheard of"}, "untrusted": {`{"a": 1}`},
		})
		if p.status != http.StatusSeeOther {
			t.Fatalf("%d %s", p.status, p.problem())
		}
		at, _, _ := strings.Cut(p.location, "?")
		id := at[strings.LastIndex(at, "/")+1:]
		get := func() servertest.Answer {
			return servertest.Must(t, b.API(http.MethodGet, "/v1/b2b/organizations/"+b.organization+"/member?member_id="+id, nil))
		}
		if m := get(); m.String("member", "status") != "pending" || m.At("member", "is_breakglass") != true || !strings.Contains(m.Text, "stytch_admin") {
			t.Errorf("made: %s", m.Text)
		}
		form := fields(ada.get(at + "/edit"))
		form.Set("email", "newer@acme.example")
		form.Set("name", "Newer")
		form.Set("external_id", "")
		form.Del("role")
		form.Del("breakglass")
		form.Set("untrusted", `{"b": 2}`)
		if p := ada.post(at+"/edit", form); p.status != http.StatusSeeOther {
			t.Fatalf("%d %s", p.status, p.problem())
		}
		m := get()
		if m.String("member", "email_address") != "newer@acme.example" || m.String("member", "name") != "Newer" || m.At("member", "external_id") != nil || m.At("member", "is_breakglass") != false || strings.Contains(m.Text, "stytch_admin") || strings.Contains(m.Text, `"a"`) {
			t.Errorf("saved: %s", m.Text)
		}
		was := m.Text
		if p := ada.post(at+"/edit", fields(ada.get(at+"/edit"))); p.status != http.StatusSeeOther || get().String("member", "updated_at") != m.String("member", "updated_at") {
			t.Errorf("a form that changes nothing: %d; before %s, after %s", p.status, was, get().Text)
		}
		p = ada.get(at)
		email := ""
		for _, n := range p.find("input") {
			if attribute(n, "name") == "email_id" {
				email = attribute(n, "value")
			}
		}
		for _, step := range []struct {
			path, want string
			form       url.Values
		}{
			{at + "/address", "email_not_found", url.Values{"email_id": {"email-test-00000000-0000-0000-0000-000000000000"}}},
			{at + "/address", "", url.Values{"email_id": {email}}},
			{at + "/address", "email_not_found", url.Values{"email_id": {email}}},
			{at + "/phone", "", nil},
			{at + "/revoke", "", nil},
			{at + "/reactivate", "no_deleted_member_found_for_reactivation", nil},
			{at + "/delete", "", nil},
			{at + "/delete", "member_not_found", nil},
			{at + "/revoke", "member_not_found", nil},
			{at + "/reactivate", "email_unverified_for_reactivation", nil},
			{b.base + "/members/" + b.member + "/revoke", "", nil},
			{b.base + "/members/" + b.member + "/delete", "", nil},
			{b.base + "/members/" + b.member + "/reactivate", "", nil},
		} {
			p := ada.post(step.path, step.form)
			if want := step.want; want == "" && p.status != http.StatusSeeOther || want != "" && (p.status != http.StatusBadRequest || p.problem() != want || p.heading() == "That did not work") {
				t.Errorf("POST %s: %d %s under %q, want %q", step.path[len(b.base):], p.status, p.problem(), p.heading(), want)
			}
		}
		if p := ada.get(b.base + "/sessions/" + b.session); p.status != http.StatusNotFound {
			t.Errorf("the session of a member that was revoked: %d", p.status)
		}
		if p := ada.get(b.base + "/members/" + b.member); !strings.Contains(content(p.root), "member.reactivated") {
			t.Errorf("the history does not say that the member is back: %s", content(p.root))
		}
	})
}

// TestListsOfOrganizationsPage walks through more of both than a page shows, by the
// addresses that the pages give.
func TestListsOfOrganizationsPage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := newBusiness(t, database)
		for range 60 {
			name := "many " + strings.ToLower(rand.Text())
			servertest.Must(t, b.API(http.MethodPost, "/v1/b2b/organizations", map[string]any{"organization_name": name}))
			servertest.Must(t, b.API(http.MethodPost, "/v1/b2b/organizations/acme/members", map[string]any{"email_address": strings.ReplaceAll(name, " ", ".") + "@acme.example"}))
		}
		ada := b.operator("Ada", "viewer")
		for _, path := range []string{"/organizations", "/organizations?by=name&find=many", "/organizations/acme", "/organizations/acme?by=email_part&find=many"} {
			seen := map[string]bool{}
			at := ada.turn(b.base+path, func(p page) {
				for _, n := range p.find("a") {
					if href := attribute(n, "href"); strings.Contains(href, "/members/member-") || strings.Contains(href, "/organizations/organization-") {
						seen[href] = true
					}
				}
			})
			if len(seen) < 60 || at != "" {
				t.Errorf("%s shows %d, and goes on with %q", path, len(seen), at)
			}
		}
	})
}
