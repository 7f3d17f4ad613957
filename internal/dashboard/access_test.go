package dashboard_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/dashboard"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestCookie signs in, and looks at what the browser is given.
func TestCookie(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	link := r.link("Ada", "owner")
	b := r.visitor()
	if p := b.get("/dashboard/sign-in?link=" + link); p.status != http.StatusOK || p.heading() != "Sign in" || len(p.cookies) > 0 {
		t.Errorf("the page of a link answers %d, %q and %v", p.status, p.heading(), p.cookies)
	}
	p := b.post("/dashboard/sign-in", url.Values{"link": {link}})
	if len(p.cookies) != 1 {
		t.Fatalf("cookies: %v", p.cookies)
	}
	c := p.cookies[0]
	if c.Name != "countersign_operator" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/dashboard" || c.MaxAge != int((12*time.Hour).Seconds()) {
		t.Errorf("the cookie is %v", c)
	}
	if strings.Contains(r.Log(), link) || strings.Contains(r.Log(), c.Value) {
		t.Error("the log tells a link or a session")
	}
	if p := b.post("/dashboard/sign-in", url.Values{"link": {link}}); p.status != http.StatusUnauthorized || p.heading() != "That link is used up" {
		t.Errorf("the link answers a second time %d, %q", p.status, p.heading())
	}
	if p := b.post("/dashboard/sign-out", nil); p.status != http.StatusSeeOther || len(p.cookies) != 1 || p.cookies[0].MaxAge >= 0 {
		t.Errorf("signing out answers %d, %v", p.status, p.cookies)
	}
	stolen := http.Header{"Cookie": {c.Name + "=" + c.Value}}
	if p := r.visitor().do(http.MethodGet, r.base, nil, stolen); p.status != http.StatusUnauthorized {
		t.Errorf("a session that was signed out answers %d", p.status)
	}

	secure := r.visitor()
	host := strings.TrimPrefix(r.URL, "http://")
	p = secure.do(http.MethodPost, "/dashboard/sign-in", url.Values{"link": {r.link("Ada", "owner")}}, http.Header{"Origin": {"https://" + host}})
	if len(p.cookies) != 1 || p.cookies[0].Name != "__Host-countersign_operator" || !p.cookies[0].Secure || p.cookies[0].Path != "/" {
		t.Errorf("behind https the cookie is %v", p.cookies)
	}
}

// TestForeignForms sends forms that no page of the server sent.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	b := r.operator("Ada", "owner")
	for name, header := range map[string]http.Header{
		"nothing":              nil,
		"another origin":       {"Origin": {"https://evil.example"}},
		"no origin":            {"Origin": {"null"}},
		"the host as a prefix": {"Origin": {r.URL + ".evil.example"}},
		"another scheme":       {"Origin": {"ftp://" + strings.TrimPrefix(r.URL, "http://")}},
		"another site":         {"Sec-Fetch-Site": {"cross-site"}, "Origin": {r.URL}},
		"a sibling":            {"Sec-Fetch-Site": {"same-site"}, "Origin": {r.URL}},
		"nowhere":              {"Sec-Fetch-Site": {"none"}, "Origin": {r.URL}},
	} {
		if p := b.do(http.MethodPost, r.base+"/keys/secrets", nil, header); p.status != http.StatusForbidden || p.problem() != "foreign_form" {
			t.Errorf("%s: %d %s", name, p.status, p.problem())
		}
	}
	if secrets, _ := r.Administer(http.MethodGet, "/secrets", nil).At("secrets").([]any); len(secrets) != 1 {
		t.Errorf("there are %d secrets", len(secrets))
	}
	if p := b.do(http.MethodPost, r.base+"/keys/secrets", nil, http.Header{"Sec-Fetch-Site": {"same-origin"}}); p.status != http.StatusOK {
		t.Errorf("an own form answers %d", p.status)
	}
}

var name = regexp.MustCompile(`\{[a-z]+\}`)

// TestRoles calls every route as nobody and in every role, for users and for members.
func TestRoles(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	checkRoles(t, r)
	checkRoles(t, r.business())
}

func checkRoles(t *testing.T, r *rig) {
	t.Helper()
	for _, role := range append([]countersign.OperatorRole{""}, countersign.OperatorRoles()...) {
		for _, route := range dashboard.Routes() {
			if strings.HasSuffix(route.Pattern, "/sign-out") || role == countersign.OperatorOwner && strings.HasSuffix(route.Pattern, "/settings/delete") {
				continue // it would leave nothing to call
			}
			path := strings.NewReplacer("{project}", r.ProjectSlug, "{environment}", r.Slug).Replace(route.Pattern)
			path = name.ReplaceAllString(path, "none")
			b := r.visitor()
			if role != "" {
				b = r.operator("somebody", string(role))
			}
			p := b.do(route.Method, path, url.Values{}, http.Header{"Origin": {r.URL}})
			switch {
			case route.Role == "":
			case role == "" && p.status != http.StatusUnauthorized:
				t.Errorf("nobody: %s %s = %d", route.Method, path, p.status)
			case role != "" && (p.status == http.StatusForbidden) == role.Covers(route.Role):
				t.Errorf("%s: %s %s = %d", role, route.Method, path, p.status)
			}
			if p.status >= http.StatusInternalServerError {
				t.Errorf("%s: %s %s = %d %s", role, route.Method, path, p.status, p.text)
			}
		}
	}
}

// TestWhoDoesMoreThanRead holds the table of routes against the words of the roles:
// only reading is for viewers, and every form asks for more.
func TestWhoDoesMoreThanRead(t *testing.T) {
	t.Parallel()
	for _, route := range dashboard.Routes() {
		own := strings.HasSuffix(route.Pattern, "/sign-in") || strings.HasSuffix(route.Pattern, "/sign-out")
		if route.Method == http.MethodPost && !own && !route.Role.Covers(countersign.OperatorEditor) {
			t.Errorf("%s is for %s", route.Pattern, route.Role)
		}
		if route.Method == http.MethodPost && strings.Contains(route.Pattern, "/streams") && route.Role != countersign.OperatorOwner {
			t.Errorf("%s is for %s", route.Pattern, route.Role)
		}
		for _, part := range []string{"/keys/secrets", "/keys/tokens", "/keys/rotate", "/operators", "/settings/", "/environments", "/policy/edit", "/roles"} {
			if strings.Contains(route.Pattern, part) && route.Role != countersign.OperatorOwner {
				t.Errorf("%s is for %s", route.Pattern, route.Role)
			}
		}
	}
}

// TestBadInput sends what no page sends; nothing of it is an error of the server's.
func TestBadInput(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		checkBadInput(t, r)
		checkBadInput(t, r.business())
	})
}

func checkBadInput(t *testing.T, r *rig) {
	t.Helper()
	b := r.operator("Ada", "owner")
	hostile := []string{"%00", "%ff", "..%2f..", "%3Cscript%3E", strings.Repeat("a", 3000), "-", "user-test-00000000-0000-0000-0000-000000000000"}
	fields := []string{
		"name", "issuer", "audience", "jwks_url", "key_type", "pem", "trust_policy", "mapping_rest", "map_email", "sample", "from_issuer", "from_token", "token", "claims",
		"profile", "key", "before", "confirm", "email", "phone", "first", "external_id", "trusted", "untrusted", "role", "policy", "algorithm", "migration", "minutes",
		"domains", "bundles", "content", "person", "url", "type", "vertical", "environment", "link",
		"slug", "logo", "allowed", "claimed", "implicit", "settings", "roles", "untrusted", "email_id", "unlink", "pending", "since", "site", "api_key", "hostname", "username", "password",
	}
	for _, route := range dashboard.Routes() {
		if strings.HasSuffix(route.Pattern, "/sign-out") || strings.HasSuffix(route.Pattern, "/settings/delete") {
			continue // it would leave nothing to call
		}
		for _, text := range hostile {
			path := strings.NewReplacer("{project}", r.ProjectSlug, "{environment}", r.Slug).Replace(route.Pattern)
			path = name.ReplaceAllString(path, text)
			form := url.Values{}
			for _, field := range fields {
				value, err := url.PathUnescape(text)
				if err != nil {
					t.Fatal(err)
				}
				form.Set(field, value)
			}
			if route.Method == http.MethodGet {
				path += "?cursor=" + text + "&profile=" + text + "&reason=" + text + "&since=" + text + "&by=email&find=" + text + "&range=" + text + "&user=" + text + "&resource=a&action=" + text
			}
			if p := b.post2(route.Method, path, form); p.status >= http.StatusInternalServerError {
				t.Errorf("%s %.200s = %d %s", route.Method, path, p.status, p.text)
			}
		}
	}
}

// post2 is post or get, as the method says.
func (b *browser) post2(method, path string, form url.Values) page {
	b.t.Helper()
	if method == http.MethodGet {
		return b.get(path)
	}
	return b.post(path, form)
}

func TestNowhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	b := r.operator("Ada", "viewer")
	for _, path := range []string{"/dashboard/", "/dashboard/nowhere", "/dashboard//sign-in", "/dashboard/p/none/none", r.base + "/users/../keys", r.base + "/nowhere", "/dashboard/assets/x", "/dashboard/assets/"} {
		if p := b.get(path); p.status != http.StatusNotFound {
			t.Errorf("GET %s = %d", path, p.status)
		}
	}
	if p := b.do(http.MethodPut, r.base, nil, nil); p.status != http.StatusNotFound {
		t.Errorf("PUT = %d", p.status)
	}
	if p := b.get("/dashboardx"); p.status != http.StatusNotFound || !strings.Contains(p.text, "route_not_found") {
		t.Errorf("what only begins like the dashboard = %d %s", p.status, p.text)
	}
}

// TestFromElsewhere follows a link of another site, with which no Strict cookie
// comes.
func TestFromElsewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), servertest.Options{})
	p := r.visitor().do(http.MethodGet, r.base+"/verdicts?reason=expired", nil, http.Header{"Sec-Fetch-Site": {"cross-site"}})
	if p.status != http.StatusUnauthorized || !strings.Contains(p.text, `href="`+r.base+`/verdicts?reason=expired"`) {
		t.Errorf("%d %s", p.status, p.text)
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "''", "a-b": "a-b", "a b": "'a b'", "$(x)": "'$(x)'", "it's": `'it'\''s'`} {
		if got := dashboard.Quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
}
