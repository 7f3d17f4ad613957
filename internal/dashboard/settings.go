package dashboard

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
)

type settingsPage struct {
	Name       string
	Algorithm  string
	Migration  string
	Algorithms []countersign.Algorithm
	Cookies    []string

	SDK      sdkForm
	Template countersign.Template
	Person   string // whom a template is tried on
	Rendered string

	Redirects []countersign.RedirectURL
	Types     []string
	URL       string

	Problem problem
}

// sdkForm is what of the SDK configuration the page has, the same for both verticals.
type sdkForm struct {
	Enabled bool
	Domains string // of a B2B project with the pattern of slugs behind a space, if there is one
	Bundles string
	Minutes string
	Cookies string
}

func readSDK(ctx context.Context, d *Dashboard, env countersign.Environment) (f sdkForm, err error) {
	var domains, bundles []string
	var sessions *countersign.SDKSessionsConfig
	var cookies *countersign.SDKCookiesConfig
	if env.Vertical == countersign.B2B {
		c, err := d.Projects.B2BSDKConfig(ctx, env)
		if err != nil {
			return f, err
		}
		for _, d := range c.Basic.Domains {
			domains = append(domains, strings.TrimSpace(d.Domain+" "+d.SlugPattern))
		}
		f.Enabled, bundles, sessions, cookies = c.Basic.Enabled, c.Basic.BundleIDs, c.Sessions, c.Cookies
	} else {
		c, err := d.Projects.ConsumerSDKConfig(ctx, env)
		if err != nil {
			return f, err
		}
		f.Enabled, domains, bundles, sessions, cookies = c.Basic.Enabled, c.Basic.Domains, c.Basic.BundleIDs, c.Sessions, c.Cookies
	}
	f.Domains, f.Bundles = strings.Join(domains, "\n"), strings.Join(bundles, "\n")
	f.Minutes, f.Cookies = strconv.Itoa(sessions.MaxSessionDurationMinutes), cookies.HTTPOnly
	return f, nil
}

// save stores what the form has, and leaves the rest.
func (f sdkForm) save(d *Dashboard, r *request) error {
	n, err := strconv.Atoi(f.Minutes)
	if err != nil {
		return countersign.ErrInvalidSessionDurationMinutes
	}
	sessions, cookies := &countersign.SDKSessionsConfig{MaxSessionDurationMinutes: n}, &countersign.SDKCookiesConfig{HTTPOnly: f.Cookies}
	if r.env.Vertical == countersign.Consumer {
		_, err = d.Projects.SetConsumerSDKConfig(r.Context(), r.actor, r.env, countersign.ConsumerSDKConfig{
			Basic:    &countersign.ConsumerBasicConfig{Enabled: f.Enabled, Domains: lines(f.Domains), BundleIDs: lines(f.Bundles)},
			Sessions: sessions, Cookies: cookies,
		})
		return err
	}
	c, err := d.Projects.B2BSDKConfig(r.Context(), r.env)
	if err != nil {
		return err
	}
	basic := *c.Basic
	basic.Enabled, basic.BundleIDs, basic.Domains = f.Enabled, lines(f.Bundles), nil
	for _, line := range lines(f.Domains) {
		domain, pattern, _ := strings.Cut(line, " ")
		basic.Domains = append(basic.Domains, countersign.SDKDomain{Domain: domain, SlugPattern: strings.TrimSpace(pattern)})
	}
	_, err = d.Projects.SetB2BSDKConfig(r.Context(), r.actor, r.env, countersign.B2BSDKConfig{Basic: &basic, Sessions: sessions, Cookies: cookies})
	return err
}

// settingsView is the page as it is stored, but for what change makes of it.
func settingsView(d *Dashboard, r *request, change func(*settingsPage)) (view, error) {
	ctx := r.Context()
	data := settingsPage{
		Name: r.env.Name, Algorithm: string(r.env.Settings.SessionJWTAlgorithm), Migration: r.env.Settings.ZeroDowntimeSessionMigrationURL,
		Algorithms: []countersign.Algorithm{countersign.RS256, countersign.ES256, countersign.EdDSA},
		Cookies:    project.CookieModes(), Types: []string{"LOGIN", "SIGNUP", "INVITE", "RESET_PASSWORD"},
	}
	var err error
	if data.SDK, err = readSDK(ctx, d, r.env); err != nil {
		return view{}, err
	}
	if data.Template, err = d.Projects.Template(ctx, r.env, countersign.SessionTemplate); err != nil {
		return view{}, err
	}
	if data.Redirects, err = d.Projects.RedirectURLs(ctx, r.env.ID); err != nil {
		return view{}, err
	}
	if change != nil {
		change(&data)
	}
	return view{
		template: "settings", title: "Settings", section: "settings", data: data, status: data.Problem.status(),
		cli: "countersign environment get " + r.env.Slug + " --project " + r.env.ProjectSlug, api: "GET " + strings.TrimSuffix(r.management(""), "/"),
	}, nil
}

func showSettings(d *Dashboard, r *request) (view, error) { return settingsView(d, r, nil) }

// settingsAfter goes on to the page, or shows what is wrong beside what was typed.
func settingsAfter(d *Dashboard, r *request, deed, field string, err error, typed func(*settingsPage)) (view, error) {
	if ours(err) {
		return settingsView(d, r, func(s *settingsPage) {
			typed(s)
			s.Problem = problemOf(err)
			s.Problem.Field = field
		})
	}
	return view{redirect: r.path("settings") + "?did=" + deed}, err
}

func saveEnvironment(d *Dashboard, r *request) (view, error) {
	name, alg, migration := r.field("name"), countersign.Algorithm(r.field("algorithm")), r.field("migration")
	_, err := d.Projects.UpdateEnvironment(r.Context(), r.actor, r.env.ProjectSlug, r.env.Slug, &name,
		project.SettingsPatch{SessionJWTAlgorithm: &alg, ZeroDowntimeSessionMigrationURL: &migration})
	return settingsAfter(d, r, "environment-saved", "environment", err, func(s *settingsPage) {
		s.Name, s.Algorithm, s.Migration = name, string(alg), migration
	})
}

func deleteEnvironment(d *Dashboard, r *request) (view, error) {
	err := d.Projects.DeleteEnvironment(r.Context(), r.actor, r.env.ProjectSlug, r.env.Slug)
	if ours(err) {
		return settingsAfter(d, r, "", "delete", err, func(*settingsPage) {})
	}
	return view{redirect: Root + "/projects?did=environment-deleted"}, err
}

func saveSDK(d *Dashboard, r *request) (view, error) {
	form := sdkForm{
		Enabled: r.field("enabled") != "", Domains: r.field("domains"), Bundles: r.field("bundles"), Minutes: r.field("minutes"), Cookies: r.field("cookies"),
	}
	return settingsAfter(d, r, "settings-saved", "sdk", form.save(d, r), func(s *settingsPage) { s.SDK = form })
}

// lines are the lines of a text that say something.
func lines(text string) []string {
	list := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' })
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

func typedTemplate(r *request) countersign.Template {
	return countersign.Template{Content: r.field("content"), CustomAudience: r.field("audience")}
}

func saveTemplate(d *Dashboard, r *request) (view, error) {
	typed := typedTemplate(r)
	_, err := d.Projects.SetTemplate(r.Context(), r.actor, r.env, countersign.SessionTemplate, typed)
	return settingsAfter(d, r, "template-saved", "template", err, func(s *settingsPage) { s.Template = typed })
}

// previewTemplate shows what a template makes of a user, and saves nothing.
func previewTemplate(d *Dashboard, r *request) (view, error) {
	typed, find := typedTemplate(r), r.field("person")
	u := countersign.Person{Name: countersign.Name{First: "Ada", Last: "Lovelace"}, Emails: []countersign.Email{{Address: "ada@example.com", Verified: true}}, Status: countersign.Active}
	if r.env.Vertical == countersign.B2B {
		u.Organization = &countersign.Organization{Name: "Analytical Engines", Slug: "analytical-engines"}
	}
	var err error
	if find != "" {
		u, err = d.person(r, find)
	}
	var rendered countersign.Object
	if err == nil {
		rendered, err = d.Sessions.Render(typed.Content, u)
	}
	if err != nil && !ours(err) {
		return view{}, err
	}
	return settingsView(d, r, func(s *settingsPage) {
		s.Template, s.Person = typed, find
		if err != nil {
			s.Problem = problemOf(err)
			s.Problem.Field = "rendered"
			return
		}
		s.Rendered = object(rendered)
	})
}

func addRedirect(d *Dashboard, r *request) (view, error) {
	added := countersign.RedirectURL{URL: r.field("url")}
	for _, typ := range r.PostForm["type"] {
		added.Types = append(added.Types, countersign.RedirectURLType{Type: typ})
	}
	_, err := d.Projects.AddRedirectURL(r.Context(), r.actor, r.env, added, false)
	return settingsAfter(d, r, "redirect-added", "redirect", err, func(s *settingsPage) { s.URL = added.URL })
}

func deleteRedirect(d *Dashboard, r *request) (view, error) {
	return view{redirect: r.path("settings") + "?did=redirect-removed"},
		d.Projects.DeleteRedirectURL(r.Context(), r.actor, r.env, r.field("url"), false)
}
