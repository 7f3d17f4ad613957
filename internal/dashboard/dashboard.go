// Package dashboard is the surface for people: pages that are read and used with
// a browser, with or without JavaScript. It has forms and templates and calls the
// services that the API calls; it refuses to have rules.
package dashboard

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/eventstream"
	"github.com/countersign-auth/countersign/internal/operator"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// Config is what the pages call. Every field is required.
type Config struct {
	Operators *operator.Service
	Projects  *project.Service
	Sessions  *session.Service
	Directory *directory.Service
	Verdicts  *verdict.Book
	Keyring   *signing.Keyring
	Sources   *trust.Sources
	Streams   *eventstream.Service
	Limits    *api.Limits // nil: none
	Now       func() time.Time
}

// Dashboard answers the requests below Root.
type Dashboard struct {
	Config
	mux    *http.ServeMux
	pages  *pages
	assets *assets
}

// Root is where the dashboard is.
const Root = "/dashboard"

// Serves reports whether a path is the dashboard's.
func Serves(path string) bool { return path == Root || strings.HasPrefix(path, Root+"/") }

// New reads the templates and lays out the routes.
func New(c Config) (*Dashboard, error) {
	d := &Dashboard{Config: c, mux: http.NewServeMux()}
	var err error
	if d.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if d.pages, err = readPages(d.assets); err != nil {
		return nil, err
	}
	for _, rt := range d.routes() {
		d.mux.HandleFunc(rt.method+" "+rt.pattern, func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, rt) })
	}
	return d, nil
}

// maxForm bounds what a form may send, in bytes: a policy of a megabyte, escaped.
const maxForm = 4 << 20

// ServeHTTP answers a request with a page. What the browser may do with any of
// them is said here, once.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would have no Origin to be known by
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	line := telemetry.FromContext(r.Context())
	if name, ok := strings.CutPrefix(r.URL.Path, Root+"/assets/"); ok {
		line.Route = "GET " + Root + "/assets/"
		line.Status = d.assets.serve(w, r, name)
		return
	}
	if _, pattern := d.mux.Handler(r); pattern == "" || path.Clean(r.URL.Path) != r.URL.Path {
		d.fail(w, &request{Request: r, line: line}, errNoPage)
		return
	}
	if d.Limits != nil {
		leave, err := d.Limits.AdmitPage(r)
		if err != nil {
			d.fail(w, &request{Request: r, line: line}, err)
			return
		}
		defer leave()
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	d.mux.ServeHTTP(w, r)
}

// route is a page, or what a form of one does.
type route struct {
	method, pattern string
	role            countersign.OperatorRole // the least that may; "" for anybody, signed in or not
	handle          func(*Dashboard, *request) (view, error)
}

// view is the answer to a request: a page, or where to go on.
type view struct {
	template string
	title    string
	section  string // of the navigation
	data     any
	cli, api string // the same by other means
	status   int    // 0 is 200
	redirect string // a path; nothing else is said then
	cookie   *http.Cookie
}

var (
	errNoPage    = errors.New("there is no such page")
	errForbidden = errors.New("the operator's role does not permit this")
	errForeign   = errors.New("the request does not come from a page of this server")
)

// serve lets an operator in, finds the environment that the path names, and
// answers.
func (d *Dashboard) serve(w http.ResponseWriter, r *http.Request, rt route) {
	ctx := r.Context()
	line := telemetry.FromContext(ctx)
	line.Route = rt.method + " " + rt.pattern
	req := &request{Request: r, d: d, line: line}
	if err := req.check(); err != nil {
		d.fail(w, req, err)
		return
	}
	if rt.role != "" {
		o, err := d.Operators.Check(ctx, sessionOf(r))
		if errors.Is(err, operator.ErrNoSession) {
			d.write(w, req, signedOut(r))
			return
		}
		if err != nil {
			d.fail(w, req, err)
			return
		}
		req.operator, req.actor = o, countersign.Actor{Kind: countersign.ActorOperator, ID: o.ID.String(), RequestID: line.ID}
		line.Actor = req.actor.ID
		if !o.Role.Covers(rt.role) {
			d.fail(w, req, errForbidden)
			return
		}
	}
	if slug := r.PathValue("environment"); slug != "" {
		if err := req.enter(ctx, r.PathValue("project"), slug); err != nil {
			d.fail(w, req, err)
			return
		}
		line.Environment = req.env.ID
		line.ID = line.ID.WithClass(req.env.ID.Class())
		req.actor.RequestID = line.ID
	}
	v, err := rt.handle(d, req)
	if err != nil {
		d.fail(w, req, err)
		return
	}
	d.write(w, req, v)
}

// request is a request with what is known of it.
type request struct {
	*http.Request
	d            *Dashboard
	line         *telemetry.Request
	operator     countersign.Operator
	actor        countersign.Actor
	env          countersign.Environment
	environments []countersign.Environment // of the project
}

// enter finds the environment, and those beside it.
func (r *request) enter(ctx context.Context, slug, environment string) (err error) {
	if r.env, err = r.d.Projects.Environment(ctx, slug, environment); err != nil {
		return err
	}
	r.environments, err = r.d.Projects.Environments(ctx, slug)
	return err
}

// maxMemory is how much of an upload is held before the rest goes to a file.
const maxMemory = maxForm

// check refuses what no page sends: text that no database takes, and forms of
// other sites. A browser sends the cookie with none of those either, because it is
// SameSite=Strict; the Origin also holds between sites of one domain.
func (r *request) check() error {
	texts := []string{r.URL.Path}
	for _, values := range r.URL.Query() {
		texts = append(texts, values...)
	}
	if r.Method == http.MethodPost {
		if !ownOrigin(r.Request) {
			return errForeign
		}
		if err := r.ParseMultipartForm(maxMemory); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			return countersign.ErrBadRequest.Saying("The form is too large, or none.").Because(err)
		}
		for _, values := range r.PostForm {
			texts = append(texts, values...)
		}
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return countersign.ErrBadRequest.Saying("What was sent is not UTF-8 text.")
		}
	}
	return nil
}

// ownOrigin reports whether a form was sent from a page of this server. All
// browsers say where from, on https and on this machine in Sec-Fetch-Site, and
// everywhere in Origin.
func ownOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	scheme, host, ok := strings.Cut(r.Header.Get("Origin"), "://")
	return ok && (scheme == "http" || scheme == "https") && host == r.Host
}

// field is a field of the form, without white space around it.
func (r *request) field(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }

// query is a parameter of the address, without white space around it.
func (r *request) query(name string) string { return strings.TrimSpace(r.URL.Query().Get(name)) }

// path is a path within the environment; each part is one segment.
func (r *request) path(parts ...string) string {
	return envPath(r.env, parts...)
}

// fail answers with the page of an error. Whatever is not the contract's tells
// nothing but the request's ID.
func (d *Dashboard) fail(w http.ResponseWriter, r *request, err error) {
	line := r.line
	v := view{template: "error", title: "That did not work"}
	p := problemOf(err)
	switch named, ok := errors.AsType[*countersign.Error](err); {
	case errors.Is(err, errNoPage), errors.Is(err, operator.ErrNotFound):
		v.status, p = http.StatusNotFound, problem{Type: "not_found", Text: "There is nothing here. It may have been removed, or the address has a letter too many."}
	case errors.Is(err, errForbidden):
		v.status, p = http.StatusForbidden, problem{Type: "forbidden", Text: "Your role, " + string(r.operator.Role) + ", does not permit this. An owner can change that under Operators."}
	case errors.Is(err, errForeign):
		v.status, p = http.StatusForbidden, problem{Type: "foreign_form", Text: "The form was not sent from a page of this dashboard, so nothing was done. Behind a proxy, it must pass the Host header on."}
	case ok && named.Kind != countersign.Internal:
		v.status = api.Status(named.Kind)
		api.RetryAfter(w.Header(), named)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		v.status, p = http.StatusServiceUnavailable, problem{Type: countersign.ErrUnavailable.Type, Text: countersign.ErrUnavailable.Message}
		line.Cause = err
	default:
		v.status, p = http.StatusInternalServerError, problem{Type: countersign.ErrInternal.Type, Text: countersign.ErrInternal.Message}
		line.Cause = err
	}
	line.ErrorType = p.Type
	v.data = errorPage{Problem: p, RequestID: line.ID.String()}
	d.write(w, r, v)
}

type errorPage struct {
	Problem   problem
	RequestID string
}

// problem is an error beside the field that it is about.
type problem struct {
	Field string // "" for the form as a whole
	Type  string
	Text  string
}

// problemOf is what a form tells of an error; errors that are none of the
// contract's are not for forms.
func problemOf(err error) problem {
	named, ok := errors.AsType[*countersign.Error](err)
	if !ok {
		return problem{}
	}
	return problem{Type: named.Type, Text: named.Explained()}
}

// ours reports whether an error is one that whoever filled in a form can mend.
func ours(err error) bool {
	named, ok := errors.AsType[*countersign.Error](err)
	return ok && named.Kind != countersign.Internal && named.Kind != countersign.Unavailable
}
