package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
)

//go:embed assets templates
var files embed.FS

// assets are the style sheet and the script, under names that change with their
// content.
type assets struct {
	byName map[string]asset
	paths  map[string]string // by the name of the file
}

type asset struct {
	body []byte
	kind string
}

func readAssets() (*assets, error) {
	a := &assets{byName: map[string]asset{}, paths: map[string]string{}}
	for file, kind := range map[string]string{
		"style.css": "text/css; charset=utf-8", "dashboard.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		body, err := files.ReadFile("assets/" + file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		name := base64.RawURLEncoding.EncodeToString(sum[:9]) + "-" + file
		a.byName[name], a.paths[file] = asset{body, kind}, Root+"/assets/"+name
	}
	return a, nil
}

// serve answers with an asset, and gives the status.
func (a *assets) serve(w http.ResponseWriter, r *http.Request, name string) int {
	found, ok := a.byName[name]
	if !ok {
		http.NotFound(w, r)
		return http.StatusNotFound
	}
	w.Header().Set("Content-Type", found.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(found.body) // a browser that is gone is nobody's error
	return http.StatusOK
}

// pages are the templates, each with the layout around it.
type pages struct{ byName map[string]*template.Template }

func readPages(a *assets) (*pages, error) {
	layout, err := template.New("layout").Funcs(functions(a)).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{byName: map[string]*template.Template{}}
	for _, file := range names {
		if name := path.Base(file); name == "layout.html" || name == "parts.html" {
			continue
		}
		own, err := layout.Clone()
		if err == nil {
			own, err = own.ParseFS(files, file)
		}
		if err != nil {
			return nil, err
		}
		p.byName[strings.TrimSuffix(path.Base(file), ".html")] = own
	}
	return p, nil
}

// functions are what templates can say beside what a page holds.
func functions(a *assets) template.FuncMap {
	return template.FuncMap{
		"asset": func(file string) string { return a.paths[file] },
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"moment": func(t time.Time) string {
			return t.UTC().Format("2006-01-02 15:04:05")
		},
		"count": func(n any) string {
			switch n := n.(type) {
			case int:
				return grouped(n)
			case int64:
				return grouped(n)
			}
			return fmt.Sprint(n)
		},
		"join":  strings.Join,
		"words": func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"short": short,
		"json":  pretty,
		"text":  func(v any) string { return fmt.Sprint(v) },
		"dict":  dict,
		"list":  func(texts ...string) []string { return texts },
		"add":   func(a, b int) int { return a + b },
	}
}

// dict passes several values to a part of a template.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// grouped writes a number with a space between thousands.
func grouped[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// short is an ID that is known from its end, for tables.
func short(v any) string {
	s := fmt.Sprint(v)
	if i := strings.Index(s, "-test-"); i > 0 && countersign.LooksLikeID(s) {
		return s[:i] + "…" + s[len(s)-12:]
	}
	if i := strings.Index(s, "-live-"); i > 0 && countersign.LooksLikeID(s) {
		return s[:i] + "…" + s[len(s)-12:]
	}
	return s
}

// pretty is JSON for people.
func pretty(v any) string {
	if raw, ok := v.(json.RawMessage); ok {
		var b bytes.Buffer
		if len(raw) == 0 {
			return ""
		}
		if json.Indent(&b, raw, "", "  ") != nil {
			return string(raw)
		}
		return b.String()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// page is what the layout and every template are given.
type page struct {
	Title        string
	Section      string
	Operator     countersign.Operator
	Env          countersign.Environment
	Environments []countersign.Environment
	Did          string // what was just done, as a sentence
	CLI, API     string
	Now          time.Time
	Here         string // the address of the page
	Data         any
}

// SignedIn reports whether there is an operator.
func (p page) SignedIn() bool { return !p.Operator.ID.IsZero() }

// InEnvironment reports whether the page is about one.
func (p page) InEnvironment() bool { return !p.Env.ID.IsZero() }

// May reports whether the operator may do what takes a role.
func (p page) May(role string) bool { return p.Operator.Role.Covers(countersign.OperatorRole(role)) }

// URL is a path within the environment.
func (p page) URL(parts ...any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = fmt.Sprint(part)
	}
	return envPath(p.Env, texts...)
}

// Who is the page of a user or a member.
func (p page) Who(id countersign.PersonID) string {
	if countersign.IsMember(id) {
		return p.URL("members", id)
	}
	return p.URL("users", id)
}

// B2B reports whether people are members of organizations.
func (p page) B2B() bool { return p.Env.Vertical == countersign.B2B }

// Other is the same section of another environment.
func (p page) Other(e countersign.Environment) string {
	if p.Section == "" || p.Section == "overview" {
		return envPath(e)
	}
	return envPath(e, p.Section)
}

// Ago is how long ago a moment was, or how far ahead it is.
func (p page) Ago(t time.Time) string {
	d := p.Now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	return span(d) + " ago"
}

// span is a duration in the largest unit that it has one of.
func span(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.size); n == 1 {
			return "1 " + unit.name
		} else if n > 1 {
			return strconv.Itoa(n) + " " + unit.name + "s"
		}
	}
	return "less than a minute"
}

// envPath is a path within an environment; each part is one segment.
func envPath(e countersign.Environment, parts ...string) string {
	var b strings.Builder
	b.WriteString(Root + "/p/" + url.PathEscape(e.ProjectSlug) + "/" + url.PathEscape(e.Slug))
	for _, part := range parts {
		b.WriteString("/" + url.PathEscape(part))
	}
	return b.String()
}

// deeds are what pages say after a redirect that names one of them.
var deeds = map[string]string{
	"profile-created":      "The profile is there. Try a token on it, or wait for the first sign-in.",
	"profile-saved":        "The profile is saved, and holds from the next token on.",
	"profile-deleted":      "The profile is deleted. Sessions that it made go on until they end.",
	"key-added":            "The key is added, and verifies from the next token on.",
	"key-removed":          "The key is removed, and verifies nothing from now on.",
	"session-revoked":      "The session is over, on every node by its next request.",
	"revoked":              "The sessions are over, on every node by their next request.",
	"user-created":         "The user is there.",
	"user-saved":           "The user is saved.",
	"user-deleted":         "The user is deleted, and all sessions with them.",
	"organization-created": "The organization is there. Make its members, or let a profile make them with their first token.",
	"organization-saved":   "The organization is saved.",
	"organization-deleted": "The organization is deleted, with all members and their sessions.",
	"roles-saved":          "The roles of the organization are saved, and hold from the next authenticate on.",
	"member-created":       "The member is there. Nobody was written to: they come with their first token.",
	"member-saved":         "The member is saved.",
	"member-deleted":       "The member is deleted and signed out. Here they can be brought back.",
	"member-reactivated":   "The member is back, with the address and the roles of before.",
	"address-freed":        "The address is free for somebody else.",
	"phone-removed":        "The number is removed.",
	"policy-saved":         "The policy is saved, and holds from the next authenticate on.",
	"secret-deleted":       "The secret is deleted, and refused from now on.",
	"token-created":        "The public token is there.",
	"token-deleted":        "The public token is deleted.",
	"rotated":              "The next signing key is published. It signs in an hour.",
	"settings-saved":       "The settings are saved.",
	"template-saved":       "The template is saved, and holds for the next JWT.",
	"redirect-added":       "The redirect URL is added.",
	"redirect-removed":     "The redirect URL is removed.",
	"stream-saved":         "The destination is kept.",
	"stream-enabled":       "Events are sent from now on.",
	"stream-disabled":      "Nothing is sent any more.",
	"stream-deleted":       "The destination is deleted.",
	"environment-made":     "The environment is there, with a signing key and a public token.",
	"operator-saved":       "The operator has that role from now on.",
	"operator-removed":     "The operator is removed and signed out.",
	"operator-ended":       "All sessions of the operator are over.",
	"project-renamed":      "The project has that name from now on.",
	"environment-saved":    "The environment is saved.",
	"environment-deleted":  "The environment is deleted, and all that was in it.",
	"project-deleted":      "The project is deleted, and all that was in it.",
}

// write answers with a page or a redirect.
func (d *Dashboard) write(w http.ResponseWriter, r *request, v view) {
	line, header := r.line, w.Header()
	if v.cookie != nil {
		http.SetCookie(w, v.cookie)
	}
	if v.redirect != "" {
		line.Status = http.StatusSeeOther
		header.Set("Location", v.redirect)
		w.WriteHeader(line.Status)
		return
	}
	body, err := d.render(r, v)
	line.Status = v.status
	if line.Status == 0 {
		line.Status = http.StatusOK
	}
	if err != nil { // no page of ours fails to render; say so if one does
		line.Status, line.ErrorType, line.Cause = http.StatusInternalServerError, countersign.ErrInternal.Type, err
		body = []byte("The page could not be made. The request is " + line.ID.String() + ".\n")
		header.Set("Content-Type", "text/plain; charset=utf-8")
	} else {
		header.Set("Content-Type", "text/html; charset=utf-8")
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(line.Status)
	_, _ = w.Write(body) //nolint:gosec // the template escapes; a browser that is gone is nobody's error
}

func (d *Dashboard) render(r *request, v view) ([]byte, error) {
	p := page{
		Title: v.title, Section: v.section, Operator: r.operator, Env: r.env, Environments: r.environments,
		Did: deeds[r.URL.Query().Get("did")], CLI: v.cli, API: v.api, Now: d.Now(), Here: r.URL.RequestURI(), Data: v.data,
	}
	var b bytes.Buffer
	err := d.pages.byName[v.template].ExecuteTemplate(&b, "layout", p)
	return b.Bytes(), err
}
