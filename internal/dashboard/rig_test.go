package dashboard_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// rig is a server with an environment.
type rig struct {
	*servertest.Environment
	t    *testing.T
	base string // the path of the environment's pages
}

// each runs a test on both engines.
func each(t *testing.T, o servertest.Options, test func(t *testing.T, r *rig)) {
	storetest.Each(t, func(t *testing.T, database string) { test(t, newRig(t, database, o)) })
}

func newRig(t *testing.T, database string, o servertest.Options) *rig {
	t.Helper()
	e := servertest.Start(t, database, o).NewEnvironment(map[string]any{"session_jwt_algorithm": "EdDSA"})
	return &rig{Environment: e, t: t, base: "/dashboard/p/" + e.ProjectSlug + "/" + e.Slug}
}

// business is an environment of the same server, whose people are members.
func (r *rig) business() *rig {
	r.t.Helper()
	e := r.NewEnvironmentOf("B2B", "TEST", map[string]any{"session_jwt_algorithm": "EdDSA"})
	return &rig{Environment: e, t: r.t, base: "/dashboard/p/" + e.ProjectSlug + "/" + e.Slug}
}

// browser is somebody at the dashboard.
type browser struct {
	t      *testing.T
	server *servertest.Server
	client *http.Client
}

// visitor is somebody who is not signed in.
func (r *rig) visitor() *browser {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &browser{t: r.t, server: r.Server, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// operator is somebody who is signed in.
func (r *rig) operator(name, role string) *browser {
	r.t.Helper()
	b := r.visitor()
	answer := b.post("/dashboard/sign-in", url.Values{"link": {r.link(name, role)}})
	if answer.status != http.StatusSeeOther || answer.location != "/dashboard" {
		r.t.Fatalf("signing in answers %d to %q", answer.status, answer.location)
	}
	return b
}

// link is the token of a new link.
func (r *rig) link(name, role string) string {
	r.t.Helper()
	made := servertest.Must(r.t, r.Manage(http.MethodPost, "/pwa/v3/operator_links", map[string]any{"name": name, "role": role}))
	_, token, ok := strings.Cut(made.String("path"), "?link=")
	if !ok {
		r.t.Fatalf("no link: %s", made.Text)
	}
	return token
}

// page is an answer.
type page struct {
	status   int
	location string
	header   http.Header
	cookies  []*http.Cookie
	text     string
	root     *html.Node
}

func (b *browser) get(path string) page {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil, nil)
}

// turn reads a list from a page on, ten pages at most, and gives the address of the
// next one, "" if that was the last.
func (b *browser) turn(at string, read func(page)) string {
	b.t.Helper()
	for range 10 {
		p := b.get(at)
		read(p)
		at = ""
		for _, n := range p.find("a") {
			if attribute(n, "rel") == "next" {
				at = attribute(n, "href")
			}
		}
		if at == "" {
			break
		}
	}
	return at
}

// post sends a form as a page of the server does.
func (b *browser) post(path string, form url.Values) page {
	b.t.Helper()
	return b.do(http.MethodPost, path, form, http.Header{"Origin": {b.server.URL}})
}

func (b *browser) do(method, path string, form url.Values, header http.Header) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := page{status: response.StatusCode, location: response.Header.Get("Location"), header: response.Header, cookies: response.Cookies(), text: string(text)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		if p.root, err = html.Parse(strings.NewReader(p.text)); err != nil {
			b.t.Fatal(err)
		}
	}
	return p
}

// find are the elements of a name.
func (p page) find(name string) (list []*html.Node) {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			list = append(list, n)
		}
	}
	return list
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// content is the text of an element.
func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// heading is the page's own.
func (p page) heading() string {
	list := p.find("h1")
	if len(list) != 1 {
		return ""
	}
	return content(list[0])
}

// problem is the type of the error that a page shows.
func (p page) problem() string {
	for _, n := range p.find("p") {
		if attribute(n, "class") == "type" {
			return content(n)
		}
	}
	return ""
}
