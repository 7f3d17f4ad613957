package dashboard_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// scene is an environment in which something has happened.
type scene struct {
	*rig
	issuer  *issuertest.Issuer
	profile string
	user    string
	session string
	refused string // the request
}

func newScene(t *testing.T, r *rig) *scene {
	t.Helper()
	s := &scene{rig: r, issuer: issuertest.New(t)}
	s.profile = r.Profile(s.issuer.URL(), map[string]any{"public_key_type": "JWK", "jwks_url": s.issuer.JWKSURL()})
	claims := map[string]any{"aud": "countersign", "email": "ada@example.com", "sub": "employee-7"}
	good := servertest.Must(t, r.API(http.MethodPost, "/v1/sessions/attest", map[string]any{
		"profile_id": s.profile, "token": s.issuer.Mint(claims), "session_duration_minutes": 60,
	}))
	s.user, s.session = good.String("user", "user_id"), good.String("session", "session_id")
	bad := r.API(http.MethodPost, "/v1/sessions/attest", map[string]any{"profile_id": s.profile, "token": "a.b.c"})
	s.refused = bad.String("request_id")
	return s
}

// paths are all pages of the environment.
func (s *scene) paths() []string {
	list := []string{"/dashboard/projects", "/dashboard/operators", "/dashboard/sign-in"}
	for _, path := range []string{
		"", "?range=7d", "?range=30d", "/start", "/profiles", "/profiles/new", "/profiles/" + s.profile, "/profiles/" + s.profile + "/edit", "/profiles/" + s.profile + "/try",
		"/verdicts", "/verdicts?reason=malformed", "/verdicts/" + s.refused, "/sessions", "/sessions?find=ada@example.com", "/sessions/" + s.session, "/revocations",
		"/users", "/users?by=email&find=ada@example.com", "/users/new", "/users/" + s.user, "/users/" + s.user + "/edit",
		"/policy", "/policy?user=employee-7&resource=a&action=b", "/policy/edit", "/keys", "/events", "/events?action=session.", "/streams", "/settings",
	} {
		list = append(list, s.base+path)
	}
	return list
}

// TestPagesAreSound reads every page as a browser does: one heading, a name for
// every field, no script and no style of its own, every link within the site.
func TestPagesAreSound(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		s := newScene(t, r)
		b := r.operator("Ada", "owner")
		for _, path := range s.paths() {
			p := b.get(path)
			if p.status != http.StatusOK || p.heading() == "" {
				t.Errorf("GET %s = %d, heading %q", path, p.status, p.heading())
				continue
			}
			csp := p.header.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'") ||
				strings.Contains(csp, "unsafe") || p.header.Get("Cache-Control") != "no-store" || p.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("GET %s: headers %v", path, p.header)
			}
			checkSound(t, path, p)
		}
	})
}

func checkSound(t *testing.T, path string, p page) {
	t.Helper()
	ids := map[string]bool{}
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: <%s %s> would be refused", path, n.Data, a.Key)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s: two elements are #%s", path, a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case (a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "?"):
				t.Errorf("%s: %s=%q leads elsewhere", path, a.Key, a.Val)
			}
		}
		switch n.Data {
		case "style":
			t.Errorf("%s has a style of its own", path)
		case "script":
			if attribute(n, "src") == "" {
				t.Errorf("%s has a script of its own", path)
			}
		case "form":
			if m := attribute(n, "method"); m != "post" && m != "get" {
				t.Errorf("%s: a form of method %q", path, m)
			}
		case "input", "select", "textarea":
			if attribute(n, "type") != "hidden" && attribute(n, "aria-label") == "" && !within(n, "label") {
				t.Errorf("%s: the field %s has no label", path, attribute(n, "name"))
			}
		case "th":
			if attribute(n, "scope") == "" {
				t.Errorf("%s: a heading of a table says not of what", path)
			}
		}
	}
	if len(p.find("main")) != 1 || !strings.Contains(p.text, `<html lang="en">`) {
		t.Errorf("%s has no main part or no language", path)
	}
}

func within(n *html.Node, name string) bool {
	for a := range n.Ancestors() {
		if a.Data == name {
			return true
		}
	}
	return false
}

// TestEveryPageSaysTheCall looks for the command line and the API on each page.
func TestEveryPageSaysTheCall(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	s := newScene(t, r)
	b := r.operator("Ada", "owner")
	for _, path := range s.paths() {
		if strings.HasSuffix(path, "/sign-in") {
			continue
		}
		if p := b.get(path); !strings.Contains(p.text, ">countersign ") || !strings.Contains(p.text, "/pwa/v3/") && !strings.Contains(p.text, " /v1/") {
			t.Errorf("%s does not say how to do it elsewhere", path)
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	b := r.visitor()
	p := b.get("/dashboard/sign-in")
	var paths []string
	for _, n := range append(p.find("link"), p.find("script")...) {
		paths = append(paths, attribute(n, "href")+attribute(n, "src"))
	}
	if len(paths) != 3 {
		t.Errorf("the page names %v", paths)
	}
	for _, path := range paths {
		if a := b.get(path); a.status != http.StatusOK || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.text == "" {
			t.Errorf("GET %s = %d %v", path, a.status, a.header)
		}
	}
}

// TestOverview counts what has happened.
func TestOverview(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		b := r.operator("Ada", "viewer")
		if p := b.get(r.base); !strings.Contains(p.text, "First steps") || !strings.Contains(p.text, "No token came in this time") {
			t.Errorf("an empty environment: %s", p.text)
		}
		newScene(t, r)
		p := b.get(r.base)
		for _, want := range []string{`<dd id="active">1</dd>`, "2 tokens judged in the last 24h, 1 accepted.", "1 accepted, 1 malformed", `/verdicts?reason=malformed"`, "finds people by whatever address"} {
			if !strings.Contains(p.text, want) {
				t.Errorf("the overview lacks %q", want)
			}
		}
		if strings.Contains(p.text, "First steps") {
			t.Error("the first steps are done")
		}
	})
}

// TestProfileProblems makes a profile that is wrong in each way, and finds what is
// wrong beside its field, with everything else as it was typed.
func TestProfileProblems(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	b := r.operator("Ada", "editor")
	for _, test := range []struct{ field, value, near, want string }{
		{"name", "", "name", "trusted_token_profile_invalid_request"},
		{"issuer", "", "issuer", "trusted_token_profile_invalid_request"},
		{"audience", "", "audience", "trusted_token_profile_invalid_request"},
		{"jwks_url", "", "jwks_url", "must_have_jwks_url_for_trusted_token_profile_with_type_jwk"},
		{"jwks_url", "javascript:alert(1)", "jwks_url", "invalid_jwks_url"},
		{"key_type", "PEM", "pem", "must_have_pem_files_for_trusted_token_profile_with_type_pem"},
		{"map_email", "cel:claims.", "map_email", "trust_policy_invalid_condition"},
		{"trust_policy", "{", "trust_policy", "trust_policy_invalid_setting"},
		{"trust_policy", "null", "trust_policy", "trust_policy_invalid_setting"},
		{"trust_policy", `{"mod": "shadow"}`, "trust_policy", "trust_policy_unknown_setting"},
		{"trust_policy", `{"clock_skew_seconds": 301}`, "trust_policy", "trust_policy_invalid_setting"},
		{"trust_policy", `{"conditions": ["claims."]}`, "trust_policy", "trust_policy_invalid_condition"},
		{"trust_policy", `{"tests": [{"name": "a", "claims": {}, "expect": {"reason": "expired"}}]}`, "trust_policy", "trusted_token_profile_test_failed"},
	} {
		form := url.Values{
			"name": {"Mine"}, "issuer": {"https://id.example.com"}, "audience": {"me"}, "key_type": {"JWK"}, "jwks_url": {"https://id.example.com/keys"},
			"map_email": {"email"}, "map_token_id": {"jti"}, "trust_policy": {"{}"}, "jit": {"on"},
		}
		form.Set(test.field, test.value)
		p := b.post(r.base+"/profiles/new", form)
		if p.status != http.StatusBadRequest || p.problem() != test.want {
			t.Errorf("%s=%q: %d %s, want 400 %s", test.field, test.value, p.status, p.problem(), test.want)
			continue
		}
		before, _, _ := strings.Cut(p.text, `class="type"`)
		if at := strings.LastIndex(before, `name="`+test.near+`"`); at < 0 {
			t.Errorf("%s=%q: the problem is not behind the field", test.field, test.value)
		}
		for _, n := range p.find("input") {
			if attribute(n, "name") == "map_token_id" && attribute(n, "value") != "jti" {
				t.Errorf("%s=%q: the form forgot what was typed", test.field, test.value)
			}
		}
	}
	if profiles, _ := r.Administer(http.MethodGet, "/trusted_token_profiles", nil).At("profiles").([]any); len(profiles) != 0 {
		t.Errorf("there are %d profiles", len(profiles))
	}
}

// TestPropose fills the form in from an issuer's address, and from a token alone.
func TestPropose(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	issuer := issuertest.New(t)
	b := r.operator("Ada", "editor")
	value := func(p page, name string) string {
		for _, n := range p.find("input") {
			if attribute(n, "name") == name {
				return attribute(n, "value")
			}
		}
		return ""
	}
	p := b.post(r.base+"/profiles/propose", url.Values{"from_issuer": {issuer.URL()}})
	if p.status != http.StatusOK || value(p, "issuer") != issuer.URL() || value(p, "jwks_url") != issuer.JWKSURL() || value(p, "map_email") != "email" {
		t.Errorf("from the issuer: %d, issuer %q, keys %q", p.status, value(p, "issuer"), value(p, "jwks_url"))
	}
	p = b.post(r.base+"/profiles/propose", url.Values{"from_token": {issuer.Mint(map[string]any{"aud": "mine", "email": "ada@example.com"})}})
	if p.status != http.StatusOK || value(p, "audience") != "mine" || !strings.Contains(p.text, "would be accepted") {
		t.Errorf("from a token: %d, audience %q", p.status, value(p, "audience"))
	}
	for form, want := range map[string]string{"": "bad_request", "from_token=a": "invalid_argument", "from_issuer=http://127.0.0.1:1": "issuer_discovery_failed"} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		if p := b.post(r.base+"/profiles/propose", values); p.status != http.StatusBadRequest || p.problem() != want {
			t.Errorf("from %q: %d %s, want %s", form, p.status, p.problem(), want)
		}
	}
}

// TestPreviews tries a mapping before anything else is filled in, and a template;
// neither is saved.
func TestPreviews(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	issuer := issuertest.New(t)
	b := r.operator("Ada", "owner")
	token := issuer.Mint(map[string]any{"aud": []string{"mine"}, "mail": "ada@example.com", "exp": 1})
	for mapped, want := range map[string]string{"mail": "would be accepted", "email": "claim missing", "cel:claims.": "trust_policy_invalid_condition"} {
		form := url.Values{"map_email": {mapped}, "map_token_id": {"jti"}, "jit": {"on"}, "sample": {token}}
		if p := b.post(r.base+"/profiles/preview", form); p.status != http.StatusOK || !strings.Contains(p.text, want) {
			t.Errorf("the mapping %s: %d lacks %q", mapped, p.status, want)
		}
	}
	if p := b.post(r.base+"/profiles/preview", url.Values{"sample": {"a.b"}}); !strings.Contains(p.text, "That is no JWT") {
		t.Errorf("what is no token: %d %s", p.status, p.problem())
	}
	if profiles, _ := r.Administer(http.MethodGet, "/trusted_token_profiles", nil).At("profiles").([]any); len(profiles) != 0 {
		t.Errorf("there are %d profiles", len(profiles))
	}

	user := servertest.Must(t, r.API(http.MethodPost, "/v1/users", map[string]any{"email": "grace@example.com"})).String("user_id")
	for _, test := range []struct{ content, person, want string }{
		{`{"a": {{ user.name.first_name }}}`, "", "&#34;a&#34;: &#34;Ada&#34;"},
		{`{"a": {{ user.user_id }}}`, "grace@example.com", user},
		{`{"a": {{ user.user_id }}}`, "nobody@example.com", "user_not_found"},
		{`{"a": {{ }`, "", "jwt_template_mismatched_tag"},
	} {
		p := b.post(r.base+"/settings/preview", url.Values{"content": {test.content}, "person": {test.person}})
		_, rendered, _ := strings.Cut(p.text, `id="rendered"`)
		if rendered, _, _ = strings.Cut(rendered, "Redirect URLs"); !strings.Contains(rendered, test.want) {
			t.Errorf("%s for %q lacks %s: %s", test.content, test.person, test.want, rendered)
		}
	}
	if a := r.Administer(http.MethodGet, "/jwt_templates/SESSION", nil); a.String("jwt_template", "template_content") != "{}" {
		t.Errorf("the template became %s", a.Text)
	}
}

// TestWidePolicy shows a part of a policy that has more than anybody reads.
func TestWidePolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	var resources, roles []any
	for i := range 100 {
		id := "r" + strconv.Itoa(i)
		resources = append(resources, map[string]any{"resource_id": id, "available_actions": []string{"a", "b", "c", "d", "e", "f", "g"}})
		roles = append(roles, map[string]any{"role_id": id, "permissions": []any{map[string]any{"resource_id": id, "actions": []string{"*"}}}})
	}
	servertest.Must(t, r.Administer(http.MethodPut, "/rbac_policy", map[string]any{"custom_resources": resources, "custom_roles": roles}))
	p := r.operator("Ada", "viewer").get(r.base + "/policy")
	if rows := len(p.find("tr")); p.status != http.StatusOK || rows != 401 || !strings.Contains(p.text, "more than a table can show") {
		t.Errorf("%d, %d rows", p.status, rows)
	}
}

// TestPrivateKeysAreNotShownAgain pastes one by mistake.
func TestPrivateKeysAreNotShownAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	form := url.Values{
		"name": {"Mine"}, "issuer": {"me"}, "audience": {"me"}, "key_type": {"PEM"},
		"pem": {"-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n"},
	}
	if p := r.operator("Ada", "editor").post(r.base+"/profiles/new", form); p.problem() != "invalid_public_key" || strings.Contains(p.text, "planted") {
		t.Errorf("%d %s", p.status, p.text)
	}
}

// TestEditKeepsWhatItDoesNotShow edits a profile whose mapping and policy have more
// than the form has rows for.
func TestEditKeepsWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	id := r.Profile("me", map[string]any{
		"public_key_type": "JWK", "jwks_url": "https://id.example.com/keys",
		"attribute_mapping": map[string]any{"email": "mail", "token_id": "jti", "colour": map[string]any{"a": 1}},
		"trust_policy":      map[string]any{"clock_skew_seconds": 5, "on_sign_in": map[string]any{"email": "always", "role_ids": "never"}},
	})
	b := r.operator("Ada", "editor")
	p := b.get(r.base + "/profiles/" + id + "/edit")
	form := url.Values{}
	for _, n := range append(p.find("input"), p.find("textarea")...) {
		if value := attribute(n, "value") + raw(n); attribute(n, "type") != "checkbox" || attribute(n, "checked") != "" {
			form.Set(attribute(n, "name"), value)
		}
	}
	form.Set("jit", "on")
	form.Set("trust_policy", `{"on_sign_in": {"email": "never"}}`)
	if p := b.post(r.base+"/profiles/"+id+"/edit", form); p.status != http.StatusSeeOther {
		t.Fatalf("%d %s", p.status, p.text)
	}
	after := r.Administer(http.MethodGet, "/trusted_token_profiles/"+id, nil)
	mapping, _ := after.At("profile", "attribute_mapping").(map[string]any)
	if len(mapping) != 3 || mapping["email"] != "mail" || mapping["colour"] == nil {
		t.Errorf("the mapping became %v", mapping)
	}
	on, _ := after.At("profile", "trust_policy", "on_sign_in").(map[string]any)
	if len(on) != 1 || on["email"] != "never" {
		t.Errorf("on_sign_in became %v", on)
	}
	if skew := after.At("profile", "trust_policy", "clock_skew_seconds"); text(skew) != "30" {
		t.Errorf("clock_skew_seconds became %v", skew)
	}
}

func raw(n *html.Node) (s string) {
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			s += d.Data
		}
	}
	return s
}

func text(v any) string {
	if s, ok := v.(interface{ String() string }); ok {
		return s.String()
	}
	return ""
}

// TestSecretsAreShownOnce makes one, and looks for it ever after.
func TestSecretsAreShownOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	b := r.operator("Ada", "owner")
	p := b.post(r.base+"/keys/secrets", nil)
	secret := ""
	for _, n := range p.find("pre") {
		if s := content(n); strings.HasPrefix(s, "secret-") {
			secret = s
		}
	}
	if a := r.Call(http.MethodGet, "/v1/debug/whoami", r.ProjectID, secret, nil); a.Status != http.StatusOK {
		t.Errorf("the secret %q opens nothing: %s", secret, a.Text)
	}
	for _, path := range []string{"/keys", "/events", "/start"} {
		if p := b.get(r.base + path); strings.Contains(p.text, secret) {
			t.Errorf("%s shows the secret", path)
		}
	}
	if strings.Contains(r.Log(), secret) {
		t.Error("the log shows the secret")
	}
}

// TestAudit finds the operator in the trail of what they did.
func TestAudit(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		s := newScene(t, r)
		b := r.operator("Ada", "owner")
		for _, path := range []string{"/keys/tokens", "/keys/rotate", "/sessions/" + s.session + "/revoke", "/users/" + s.user + "/delete", "/profiles/" + s.profile + "/delete"} {
			if p := b.post(r.base+path, nil); p.status != http.StatusSeeOther {
				t.Fatalf("POST %s = %d %s", path, p.status, p.problem())
			}
		}
		actions := map[string]bool{}
		events, _ := r.Administer(http.MethodGet, "/events", nil).At("events").([]any)
		for _, e := range events {
			event, _ := e.(map[string]any)
			id, _ := event["actor_id"].(string)
			action, _ := event["action"].(string)
			if event["actor_type"] == "operator" && strings.HasPrefix(id, "operator-live-") && event["request_id"] != nil {
				actions[action] = true
			}
		}
		for _, want := range []string{"public_token.created", "signing_key.created", "session.revoked", "user.deleted", "profile.deleted"} {
			if !actions[want] {
				t.Errorf("no %s by the operator among %v", want, actions)
			}
		}
	})
}

// TestEnvironmentsComeAndGo makes, renames and deletes what an owner may.
func TestEnvironmentsComeAndGo(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	b := r.operator("Ada", "owner")
	for _, form := range []url.Values{
		{"name": {"Live"}, "vertical": {"CONSUMER"}, "environment": {"Production"}, "type": {"LIVE"}},
		{"name": {"Businesses"}, "vertical": {"B2B"}, "environment": {"Test"}, "type": {"TEST"}},
	} {
		p := b.post("/dashboard/projects", form)
		if p.status != http.StatusSeeOther {
			t.Fatalf("%d %s", p.status, p.problem())
		}
		base, _, _ := strings.Cut(p.location, "?")
		slug := strings.Split(base, "/")[3]
		if p := b.post("/dashboard/projects/"+slug+"/environments", url.Values{"environment": {"Second"}, "type": {"TEST"}}); p.status != http.StatusSeeOther {
			t.Errorf("a second environment: %d %s", p.status, p.problem())
		}
		p = b.post(base+"/settings/delete", nil)
		if live := form.Get("type") == "LIVE"; live && p.problem() != "cannot_delete_live_environment" || !live && p.status != http.StatusSeeOther {
			t.Errorf("deleting an environment of type %s: %d %s", form.Get("type"), p.status, p.problem())
		}
		if p := b.post("/dashboard/projects/"+slug+"/rename", url.Values{"name": {""}}); p.problem() != "invalid_project_name" {
			t.Errorf("no name: %d %s", p.status, p.problem())
		}
		if p := b.post("/dashboard/projects/"+slug+"/rename", url.Values{"name": {"Another name"}}); p.status != http.StatusSeeOther {
			t.Errorf("another name: %d %s", p.status, p.problem())
		}
		if p := b.post("/dashboard/projects/"+slug+"/delete", url.Values{"confirm": {"yes"}}); p.status != http.StatusBadRequest || p.problem() != "bad_request" {
			t.Errorf("deleting without the slug: %d %s", p.status, p.problem())
		}
		if p := b.post("/dashboard/projects/"+slug+"/delete", url.Values{"confirm": {slug}}); p.status != http.StatusSeeOther {
			t.Errorf("deleting: %d %s", p.status, p.problem())
		}
		if p := b.get(base); p.status != http.StatusNotFound {
			t.Errorf("what was deleted: %d", p.status)
		}
	}
	if p := b.post("/dashboard/projects", url.Values{"name": {"A"}, "vertical": {"NONE"}, "environment": {"Test"}, "type": {"TEST"}}); p.problem() != "invalid_argument" {
		t.Errorf("a vertical that there is not: %d %s", p.status, p.problem())
	}
	if p := b.get("/dashboard/projects?find=nothing"); !strings.Contains(p.text, "No project is called that") {
		t.Errorf("%d %s", p.status, p.text)
	}
}

// TestRevocationIsCountedFirst ends nothing before it was said how much.
func TestRevocationIsCountedFirst(t *testing.T) {
	t.Parallel()
	clock := servertest.NewClock()
	r := newRig(t, storetest.SQLite(t), servertest.Options{Now: clock.Now})
	s := newScene(t, r)
	b := r.operator("Ada", "editor")
	form := url.Values{"profile": {s.profile}}
	p := b.post(r.base+"/revocations", form)
	if p.status != http.StatusOK || !strings.Contains(p.text, "1 session would end") {
		t.Errorf("%d %s", p.status, p.text)
	}
	if p := b.get(r.base + "/sessions/" + s.session); p.status != http.StatusOK {
		t.Errorf("counting ended the session: %d", p.status)
	}
	clock.Advance(time.Second)
	form.Set("confirm", "yes")
	if p := b.post(r.base+"/revocations", form); p.status != http.StatusSeeOther {
		t.Errorf("%d %s", p.status, p.text)
	}
	if p := b.get(r.base + "/sessions/" + s.session); p.status != http.StatusNotFound || p.problem() != "session_not_found" {
		t.Errorf("the session is there: %d %s", p.status, p.problem())
	}
	if p := b.post(r.base+"/revocations", url.Values{}); p.status != http.StatusBadRequest || p.problem() != "invalid_revocation" {
		t.Errorf("a revocation of nothing: %d %s", p.status, p.problem())
	}
}

// TestListsPage walks through more sessions and users than a page shows, by the
// addresses that the pages give.
func TestListsPage(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		s := newScene(t, r)
		for range 60 {
			servertest.Must(t, r.API(http.MethodPost, "/v1/sessions/attest", map[string]any{
				"profile_id": s.profile, "token": s.issuer.Mint(map[string]any{"aud": "countersign", "email": "u" + strings.ToLower(rand.Text()) + "@example.com"}), "session_duration_minutes": 60,
			}))
		}
		b := r.operator("Ada", "viewer")
		for _, path := range []string{"/sessions", "/users", "/verdicts", "/events"} {
			seen := map[string]bool{}
			at := b.turn(r.base+path, func(p page) {
				for _, n := range p.find("tr") {
					seen[content(n)] = true
				}
			})
			if len(seen) < 50 || at != "" {
				t.Errorf("%s shows %d rows, and goes on with %q", path, len(seen), at)
			}
		}
	})
}
