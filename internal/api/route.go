package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// Route is one endpoint: a method, a pattern of net/http.ServeMux, what answers,
// and what is said of it in the OpenAPI document.
type Route struct {
	Method  string
	Pattern string
	Summary string // a sentence
	Query   []QueryParameter
	Handler Handler
	// Unlimited routes answer however much is asked: those by which others look
	// whether the server is well.
	Unlimited bool
}

// ServeHTTP answers a request that the pattern matched.
func (rt Route) ServeHTTP(w http.ResponseWriter, r *http.Request) { rt.Handler.serve(w, r, rt.Query) }

// Router finds the endpoint of a request. What has none gets the contract's
// error object; nothing is ever redirected, because a redirected POST has lost
// its body (sdk-matrix.md §6, quirk 23).
type Router struct {
	Limits  *Limits          // nil sets none
	muxes   []*http.ServeMux // asked in order
	routes  []Route
	methods []string
}

// NewRouter is a router over the routes of all surfaces. Where two patterns
// overlap and neither is narrower, as /users/emails/{id} and
// /users/{id}/external_id do, the one that is named first has the path.
func NewRouter(routes ...[]Route) *Router {
	r := &Router{routes: slices.Concat(routes...)}
	var layers [][]Route
	for _, route := range r.routes {
		layer := slices.IndexFunc(layers, func(others []Route) bool {
			return !slices.ContainsFunc(others, route.crosses)
		})
		if layer < 0 {
			layer = len(layers)
			layers, r.muxes = append(layers, nil), append(r.muxes, http.NewServeMux())
		}
		layers[layer] = append(layers[layer], route)
		r.muxes[layer].Handle(route.Method+" "+route.Pattern, route)
		if !slices.Contains(r.methods, route.Method) {
			r.methods = append(r.methods, route.Method)
		}
	}
	slices.Sort(r.methods)
	return r
}

// crosses reports whether some paths fit two routes of which neither is the
// narrower: one has a word where the other has a name, and the other way round.
func (rt Route) crosses(other Route) bool {
	mine, theirs := strings.Split(rt.Pattern, "/"), strings.Split(other.Pattern, "/")
	if rt.Method != other.Method || len(mine) != len(theirs) {
		return false
	}
	narrower, wider := false, false
	for i, word := range mine {
		switch named, theirsNamed := strings.HasPrefix(word, "{"), strings.HasPrefix(theirs[i], "{"); {
		case named && !theirsNamed:
			wider = true
		case !named && theirsNamed:
			narrower = true
		case !named && word != theirs[i]:
			return false
		}
	}
	return narrower && wider
}

// find is the mux that has an endpoint for a request, and its route; nil if none
// has.
func (rt *Router) find(r *http.Request) (mux *http.ServeMux, route Route) {
	for _, mux := range rt.muxes {
		if h, pattern := mux.Handler(r); pattern != "" {
			return mux, h.(Route) // NewRouter mounts nothing else
		}
	}
	return nil, Route{}
}

// Routes are the endpoints, in the order in which the surfaces name them.
func (rt *Router) Routes() []Route { return slices.Clone(rt.routes) }

// ServeHTTP answers a request. Slashes doubled at the start of the path are
// tolerated, because a published client makes them.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "//") {
		r.URL.Path = "/" + strings.TrimLeft(r.URL.Path, "/")
		if r.URL.RawPath != "" {
			r.URL.RawPath = "/" + strings.TrimLeft(r.URL.RawPath, "/")
		}
	}
	if Frontend(r.URL.Path) && share(w, r) {
		return
	}
	var mux *http.ServeMux
	var route Route
	if straight(r.URL.EscapedPath()) {
		mux, route = rt.find(r)
	}
	line := telemetry.FromContext(r.Context())
	if mux != nil {
		line.Route = route.Method + " " + route.Pattern
	}
	if rt.Limits != nil && !route.Unlimited {
		admission, err := rt.Limits.admit(r.Context(), r, route.Handler.Scheme)
		if err != nil {
			WriteError(w, r, err)
			return
		}
		defer admission.leave(line)
	}
	switch {
	case mux != nil:
		mux.ServeHTTP(w, r) // which looks again, because only that sets the path values
	case straight(r.URL.EscapedPath()):
		rt.refuse(w, r)
	default:
		WriteError(w, r, countersign.ErrRouteNotFound)
	}
}

// straight reports whether a path goes where it says: no empty, "." or ".."
// segment, but for a slash at the end.
func straight(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		if s == "." || s == ".." || s == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

// refuse tells an unknown path from a known one with another method.
func (rt *Router) refuse(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range rt.methods {
		other := *r
		other.Method = method
		if mux, _ := rt.find(&other); mux != nil {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		WriteError(w, r, countersign.ErrRouteNotFound)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	WriteError(w, r, countersign.ErrMethodNotAllowed)
}
