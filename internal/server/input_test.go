package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestBadBodies sends every route that reads a body what is no JSON object, and
// its own fields with other values than they take. Whatever comes, the answer is
// the contract's, the server is not at fault, and a refusal changes nothing.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := newInputWorld(t, serverOptions{database: database})
		refused := &refusals{}
		for _, pages := range []bool{true, false} { // one after the other: among the latter is what lets pages in
			t.Run(map[bool]string{true: "pages", false: "routes"}[pages], func(t *testing.T) {
				for route, sample := range w.bodies() {
					if strings.Contains(route, " /sdk/v1/") == pages {
						t.Run(route, func(t *testing.T) {
							t.Parallel()
							w.sendBadBodies(t, route, sample, refused)
						})
					}
				}
			})
		}
		refused.expectNoEvents(t, database)
	})
}

func (w *inputWorld) sendBadBodies(t *testing.T, route, sample string, refused *refusals) {
	t.Helper()
	method, pattern, _ := strings.Cut(route, " ")
	path := w.path(pattern)
	send := func(why, body string) reply {
		answer := w.call(method, path, w.authorization(path), body)
		expectOrderly(t, why+" "+shortened(body), answer)
		refused.note(answer)
		return answer
	}
	for why, body := range notObjects(bodyLimit(route)) {
		if a := send(why, body); a.status != http.StatusBadRequest || !strings.Contains(string(a.body), `"error_type":"bad_request"`) {
			t.Errorf("%s: %d %s, want 400 bad_request", why, a.status, a.body)
		}
	}
	for _, body := range []string{"", "null", "{}", " \r\n\t{} "} {
		send("no members", body)
	}
	for _, variant := range variants(t, sample) {
		a := send(variant.why, variant.body)
		if variant.wrongType && a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", variant.why, a.status, a.body)
		}
	}
}

// refusals remembers the requests that were refused. A change without an event is
// impossible, so a refused request that left none changed nothing.
type refusals struct {
	mu  sync.Mutex
	ids map[string]string // of requests, with the answer
}

func (r *refusals) note(a reply) {
	if a.status == http.StatusOK {
		return
	}
	var body struct {
		RequestID string `json:"request_id"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return // which expectOrderly tells
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = map[string]string{}
	}
	r.ids[body.RequestID] = string(a.body)
}

func (r *refusals) expectNoEvents(t *testing.T, database string) {
	t.Helper()
	if len(r.ids) == 0 {
		t.Fatal("nothing was refused")
	}
	rows, err := storetest.Raw(t, database).QueryContext(t.Context(), `SELECT request_id, action FROM events WHERE request_id IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	events := 0
	for ; rows.Next(); events++ {
		var id countersign.RequestID
		var action string
		if err := rows.Scan(&id, &action); err != nil {
			t.Fatal(err)
		}
		if answer, refused := r.ids[id.String()]; refused {
			t.Errorf("a refused request left the event %s: %s", action, answer)
		}
	}
	if err := rows.Err(); err != nil || events == 0 {
		t.Fatalf("%d events, %v", events, err)
	}
}

// bodyLimit is how large the body of a route may be.
func bodyLimit(route string) int {
	switch route {
	case "PUT " + policyPath, "POST /v1/users/import", "PUT " + consumerSDKPath, "PUT " + b2bSDKPath:
		return 1 << 20
	default:
		return 64 << 10
	}
}

// notObjects are bodies that no endpoint takes whose bodies may have limit bytes.
func notObjects(limit int) map[string]string {
	const deep = 10_000
	return map[string]string{
		"cut off":                `{"name": "x"`,
		"a comma too many":       `{"name": "x",}`,
		"single quotes":          `{'name': 'x'}`,
		"a comment":              `{} // no`,
		"trailing garbage":       `{} garbage`,
		"two objects":            `{}{}`,
		"an array":               `[{}]`,
		"a string":               `"name"`,
		"a number":               `5`,
		"true":                   `true`,
		"a byte order mark":      "\ufeff{}",
		"a NUL":                  "{}\x00",
		"a NUL in a string":      "{\"name\": \"\x00\"}",
		"a line end in a string": "{\"name\": \"\n\"}",
		"not UTF-8":              "{\"name\": \"\xff\"}",
		"a surrogate in UTF-8":   "{\"name\": \"\xed\xa0\x80\"}",
		"a name not in UTF-8":    "{\"\xc0\xaf\": 1}",
		"UTF-16":                 "{\x00}\x00",
		"a number with a zero":   `{"user_lock_ttl": 007}`,
		"NaN":                    `{"user_lock_ttl": NaN}`,
		"deep arrays":            `{"unknown": ` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`,
		"deep objects, open":     strings.Repeat(`{"a":`, deep),
		"deep arrays, open":      strings.Repeat("[", deep),
		"too large":              `{"unknown": "` + strings.Repeat("x", limit) + `"}`,
		"too large, in spaces":   strings.Repeat(" ", limit) + `{}`,
		"form fields":            `name=x&vertical=CONSUMER`,
	}
}

// typed are the fields whose members have a type of their own. The members of
// others, as of metadata, are anything; the lines of an import are refused one by
// one.
var typed = []string{
	"name", "authorization_check", "query", "operands", "stytch_user", "permissions", "custom_roles", "custom_resources", "custom_scopes",
}

type variant struct {
	why, body string
	wrongType bool // the field is of another JSON type than it takes
}

// variants are a body with one field at a time, at any depth, taken away or of
// another value.
func variants(t *testing.T, sample string) (list []variant) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(sample), &body); err != nil {
		t.Fatalf("%v: %s", err, sample)
	}
	var visit func(at string, object map[string]any, free bool)
	visit = func(at string, object map[string]any, free bool) {
		for name, value := range object {
			send := func(why string, wrongType bool) {
				encoded, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, variant{at + name + " " + why, string(encoded), wrongType && !free})
			}
			delete(object, name)
			send("missing", false)
			for _, other := range otherValues(value) {
				object[name] = other.value
				send(other.why, other.wrongType)
			}
			object[name] = value
			free := free || !slices.Contains(typed, name)
			switch inner := value.(type) {
			case map[string]any:
				visit(at+name+".", inner, free)
			case []any:
				for i, item := range inner {
					if member, ok := item.(map[string]any); ok {
						visit(fmt.Sprintf("%s%s[%d].", at, name, i), member, free)
					}
				}
			}
		}
	}
	visit("", body, false)
	return list
}

type otherValue struct {
	why       string
	value     any
	wrongType bool
}

// otherValues are values of every JSON type, and awkward ones of the same type.
func otherValues(value any) (list []otherValue) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for kind, values := range map[string][]any{
		"bool":   {true, false},
		"number": {0, -1, 5, 1.5, raw("1e400"), raw("-0"), raw("99999999999999999999"), raw("6e1")},
		"string": {"", "x", "5", "true", "\x00", "a\x00b", "\n", "\u202e", "\ufffe", raw(`"\ud800"`), raw(`"\udc00\ud800"`), strings.Repeat("é", 9000), strings.Repeat("x", 60<<10)},
		"array":  {[]any{}, []any{5}, []any{nil}, []any{"\x00"}, []any{[]any{}}},
		"object": {map[string]any{}, map[string]any{"\x00": "\x00"}, map[string]any{"a": map[string]any{"b": nil}}, raw(`{"a":1,"a":2}`), raw(`{"deep":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`)},
	} {
		for i, v := range values {
			list = append(list, otherValue{fmt.Sprintf("%s %d", kind, i), v, kind != kindOf(value)})
		}
	}
	return append(list, otherValue{"null", nil, false})
}

func kindOf(value any) string {
	switch value.(type) {
	case bool:
		return "bool"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// TestBadBodiesKnowAllFields holds the bodies of TestBadBodies against the
// request types of the surfaces.
func TestBadBodiesKnowAllFields(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	var all strings.Builder
	for _, body := range w.bodies() {
		all.WriteString(body)
	}
	types := regexp.MustCompile(`(?s)type (\w*Request|settings|redirectTypes) struct \{(.*?)\n\}`)
	fields := regexp.MustCompile("json:\"([a-z0-9_]+)")
	found := 0
	for _, folder := range []string{"../api/b2b/*.go", "../api/consumer/*.go", "../api/frontend/*.go", "../api/management/*.go"} {
		files, err := filepath.Glob(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, typ := range types.FindAllStringSubmatch(string(source), -1) {
				for _, field := range fields.FindAllStringSubmatch(typ[2], -1) {
					found++
					if !strings.Contains(all.String(), `"`+field[1]+`"`) {
						t.Errorf("%s of %s in %s is in no body of inputWorld", field[1], typ[1], file)
					}
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d fields of requests", found)
	}
	for _, route := range w.Routes() {
		pattern := route.Method + " " + route.Pattern
		if _, known := w.bodies()[pattern]; !known && route.Handler.Body != reflect.TypeFor[api.None]() {
			t.Errorf("inputWorld has no body for %s", pattern)
		}
	}
}

// TestBadPaths bends every segment of every route's path.
func TestBadPaths(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := newInputWorld(t, serverOptions{database: database})
		for _, route := range w.Routes() {
			path := w.path(route.Pattern)
			segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
			patternSegments := strings.Split(strings.TrimPrefix(route.Pattern, "/"), "/")
			send := func(target string, want ...int) {
				t.Helper()
				answer := w.call(route.Method, target, w.authorization(path), "{}")
				expectOrderly(t, route.Method+" "+shortened(target), answer)
				if !slices.Contains(want, answer.status) {
					t.Errorf("%s %s: %d %s, want one of %d", route.Method, shortened(target), answer.status, answer.body, want)
				}
			}
			for i := range segments {
				with := func(segment string) string {
					bent := slices.Clone(segments)
					bent[i] = segment
					return "/" + strings.Join(bent, "/")
				}
				refusals := []int{http.StatusBadRequest}
				if patternSegments[i][0] != '{' { // /v1/users/{user_id} takes the places of words too, with some methods
					refusals = append(refusals, http.StatusNotFound, http.StatusMethodNotAllowed)
				}
				for _, segment := range []string{"%00", segments[i] + "%00", "%ff", "%C0%AF"} {
					send(with(segment), refusals...)
				}
				for _, segment := range []string{
					"%2F", "%2e%2e", "%2e", "..%2f..", "%20", "%E2%80%AE", "%25", "{}", "'", "*", strings.Repeat("x", 4000), strings.ToUpper(segments[i]) + "x",
				} {
					if segments[i] == "sdk" && segment == "%2F" {
						continue // slashes doubled before /v1, where the credentials are no good
					}
					send(with(segment), http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed)
				}
				for _, segment := range []string{"..", ".", "", "/", segments[i] + "/", segments[i] + "/.", segments[i] + "/.."} {
					if i > 0 || strings.Trim(segment, "/") != "" && !strings.HasSuffix(segment, "/") {
						send(with(segment), http.StatusNotFound)
					}
				}
			}
			send(path+"/", http.StatusNotFound)
			send(path+"//", http.StatusNotFound)
			if route.Method == http.MethodGet {
				usual := w.call(route.Method, path+"?user_id="+w.names["user_id"], w.authorization(path), "").status
				send("//"+strings.TrimPrefix(path, "/")+"?user_id="+w.names["user_id"], usual)
				send(path+"?user_id=%zz&a;b", usual, http.StatusBadRequest)
				send(path+"?user_id=%00", http.StatusBadRequest)
				send(path+"?user_id=%ff", http.StatusBadRequest)
			}
		}
	})
}

// TestWrongMethods asks every path with every method that it does not take.
func TestWrongMethods(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	allowed := map[string][]string{} // by path: more than one pattern may fit it
	for _, route := range w.Routes() {
		path := w.path(route.Pattern)
		if allowed[path] != nil {
			continue
		}
		for _, other := range w.Routes() {
			if fits(other.Pattern, path) && !slices.Contains(allowed[path], other.Method) {
				allowed[path] = append(allowed[path], other.Method)
			}
		}
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "\u00e9"}
	for path, takes := range allowed {
		slices.Sort(takes)
		for _, method := range methods {
			if slices.Contains(takes, method) || method == "HEAD" && slices.Contains(takes, "GET") || method == "OPTIONS" && strings.HasPrefix(path, "/sdk/") {
				continue
			}
			answer := w.call(method, path, w.authorization(path), "{}")
			expectOrderly(t, method+" "+path, answer)
			if got := answer.header.Get("Allow"); answer.status != http.StatusMethodNotAllowed || got != strings.Join(takes, ", ") ||
				!strings.Contains(string(answer.body), `"error_type":"method_not_allowed"`) {
				t.Errorf("%s %s: %d, Allow: %s %s, want 405, Allow: %s", method, path, answer.status, got, answer.body, strings.Join(takes, ", "))
			}
		}
	}
	for _, method := range methods {
		for _, path := range []string{"/", "/v1", "/v1/", "/v2/users", "/pwa/v3", "/favicon.ico", "/v1/users/a/b", "/metrics", "/debug/pprof/", "/sdk/v2/events"} {
			answer := w.call(method, path, w.basic, "")
			expectOrderly(t, method+" "+path, answer)
			if answer.status != http.StatusNotFound || !strings.Contains(string(answer.body), `"error_type":"route_not_found"`) {
				t.Errorf("%s %s: %d %s, want 404 route_not_found", method, path, answer.status, answer.body)
			}
		}
	}
}

// fits reports whether a path is one of a pattern.
func fits(pattern, path string) bool {
	names, segments := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(names) != len(segments) {
		return false
	}
	for i, name := range names {
		if name != segments[i] && !strings.HasPrefix(name, "{") {
			return false
		}
	}
	return true
}

// TestBadCredentials sends every route that asks for credentials none that are
// any good.
func TestBadCredentials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := newInputWorld(t, serverOptions{database: database})
		for _, route := range w.Routes() {
			path := w.path(route.Pattern)
			if strings.Count(path, "/") == 1 || strings.Contains(path, "/jwks/") || strings.Contains(path, "/bootstrap/") || path == "/sdk/v1/events" {
				continue
			}
			for _, header := range []string{
				"", " ", "Basic", "Basic ", "Basic =", "Basic Og==", "Bearer ", "Bearer :", "Bearer a:b", "Digest x", "Basic " + strings.Repeat("QUFB", 2000),
				basicHeader("", ""), basicHeader("\x00", "\x00"), basicHeader("\xff", "\xff"), basicHeader(localKeyID+"\x00", localKeySecret),
				basicHeader(w.names["project_id"], ""), basicHeader(w.names["project_id"], "\x00"), basicHeader(w.names["project_id"], w.names["public_token"]),
				basicHeader(strings.Repeat("x", 5000), strings.Repeat("y", 5000)), basicHeader("PROJECT_ID", "SECRET"), basicHeader("' OR 1=1 --", "x"),
			} {
				answer := w.call(route.Method, path, header, "{}")
				expectOrderly(t, route.Method+" "+path+" "+shortened(header), answer)
				if answer.status != http.StatusUnauthorized && answer.status != http.StatusBadRequest {
					t.Errorf("%s %s with %s: %d %s, want 401 or 400", route.Method, path, shortened(header), answer.status, answer.body)
				}
			}
		}
	})
}

// TestTooLargeOverHTTP sends more than a body may have over a connection: the
// answer arrives although the request was not read to its end.
func TestTooLargeOverHTTP(t *testing.T) {
	t.Parallel()
	e := servertest.Start(t, storetest.SQLite(t), servertest.Options{}).NewEnvironment(map[string]any{"session_jwt_algorithm": "EdDSA"})
	answer := e.API(http.MethodPost, "/v1/users", map[string]any{"email": "ada@example.com", "padding": strings.Repeat("x", 1<<20)})
	if answer.Status != http.StatusBadRequest || answer.String("error_type") != "bad_request" {
		t.Errorf("%d %s, want 400 bad_request", answer.Status, answer.Text)
	}
}

// expectOrderly fails the test unless an answer obeys the rules of all answers
// and is no fault of the server's.
func expectOrderly(t testing.TB, what string, a reply) {
	t.Helper()
	for _, problem := range a.problems() {
		t.Errorf("%s: %s: %d %s", what, problem, a.status, a.body)
	}
	if a.status >= http.StatusInternalServerError {
		t.Errorf("%s: %d %s", what, a.status, a.body)
	}
}

func shortened(s string) string {
	if len(s) > 120 {
		return fmt.Sprintf("%q… (%d bytes)", s[:120], len(s))
	}
	return fmt.Sprintf("%q", s)
}
