package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestGoldenDocument holds docs/openapi.json against what is served; make golden
// rewrites it.
func TestGoldenDocument(t *testing.T) {
	t.Parallel()
	const path = "../../docs/openapi.json"
	answer := newServer(t, serverOptions{}).call(http.MethodGet, "/openapi.json", "", "")
	if got := answer.header.Get("Cache-Control"); answer.status != http.StatusOK || got != "public, max-age=300" {
		t.Errorf("GET /openapi.json: %d, Cache-Control %q", answer.status, got)
	}
	served := []byte(indent(t, answer.body) + "\n")
	if *updateGolden {
		if err := os.WriteFile(path, served, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, served) {
		t.Error("docs/openapi.json is not what is served; make golden rewrites it")
	}
}

// ownDocument is the document that s serves.
func ownDocument(t *testing.T, s *local) openAPIDocument {
	t.Helper()
	return readDocument(t, s.call(http.MethodGet, "/openapi.json", "", "").body)
}

// TestDocumentSaysEverything looks for what a route or a field can lack.
func TestDocumentSaysEverything(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverOptions{})
	document := ownDocument(t, s)
	summaries := map[string]string{}
	for _, route := range s.Routes() {
		name := route.Method + " " + route.Pattern
		operation, ok := document.operations()[name]
		if !ok {
			t.Errorf("the document lacks %s", name)
			continue
		}
		if other := summaries[operation.Summary]; other != "" || !strings.HasSuffix(operation.Summary, ".") {
			t.Errorf("the summary of %s is no sentence, or that of %q as well: %q", name, other, operation.Summary)
		}
		summaries[operation.Summary] = name
		for _, p := range operation.Parameters {
			if !strings.HasSuffix(p.Description, ".") {
				t.Errorf("%s: the parameter %s has no description; internal/openapi/prose.go has those of paths", name, p.Name)
			}
		}
		anybody := []string{"/v1/sessions/jwks/{project_id}", "/v1/b2b/sessions/jwks/{project_id}", "/sdk/v1/projects/bootstrap/{public_token}", "/sdk/v1/events"}
		if open := slices.Contains(anybody, route.Pattern) || strings.Count(route.Pattern, "/") == 1; open != (len(operation.Security) == 0) {
			t.Errorf("%s needs %v", name, operation.Security)
		}
	}
	if got, want := len(document.operations()), len(s.Routes()); got != want {
		t.Errorf("the document has %d operations, the server %d routes", got, want)
	}
	for name, s := range document.Components.Schemas {
		properties, _ := s["properties"].(map[string]any)
		for member, property := range properties {
			if at(property, "format") != "date-time" && strings.HasSuffix(member, "_at") {
				t.Errorf("%s.%s is a moment, and not of the format date-time", name, member)
			}
		}
	}
}

// TestDocumentBounds sends each field of a request for which the document has
// bounds or an enumeration what is just within and just without them. The answer
// to what is without is another one, and never a success.
func TestDocumentBounds(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	document := ownDocument(t, w.local)
	found := 0
	for route, sample := range w.bodies() {
		method, pattern, _ := strings.Cut(route, " ")
		request := document.resolve(document.operations()[route].RequestBody.schema())
		properties, _ := request["properties"].(map[string]any)
		for name, property := range properties {
			inside, outside := edges(property)
			if outside == nil {
				continue
			}
			found++
			ask := func(value any) reply {
				var body map[string]any
				if err := json.Unmarshal([]byte(sample), &body); err != nil {
					t.Fatal(err)
				}
				delete(body, "session_jwt") // which is refused beside the session_token
				body[name] = value
				encoded, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				return w.call(method, w.path(pattern), w.authorization(pattern), string(encoded))
			}
			refusals := map[string]bool{}
			for _, value := range outside {
				a := ask(value)
				if neverWritten[route+" "+name] {
					if errorType(a) != "session_authorization_error" {
						t.Errorf("%s: %s %v: %d %s, want session_authorization_error", route, name, value, a.status, a.body)
					}
					continue
				}
				if a.status != http.StatusBadRequest {
					t.Errorf("%s: %s %v: %d %s, want 400", route, name, value, a.status, a.body)
				}
				refusals[message(t, a)] = true
			}
			for _, value := range inside {
				a := ask(value)
				if neverWritten[route+" "+name] != (errorType(a) == "session_authorization_error") {
					t.Errorf("%s: %s %v: %d %s", route, name, value, a.status, a.body)
				}
				if refusals[message(t, a)] {
					t.Errorf("%s: %s %v is refused as what the document excludes: %s", route, name, value, a.body)
				}
			}
		}
	}
	if found < 8 {
		t.Errorf("the document has bounds for only %d fields of requests", found)
	}
}

// neverWritten are fields of which no role permits a page to write any value.
var neverWritten = map[string]bool{
	"PUT /sdk/v1/b2b/organizations/me first_party_connected_apps_allowed_type": true,
	"PUT /sdk/v1/b2b/organizations/me third_party_connected_apps_allowed_type": true,
}

// edges are values within and without what a schema allows, if it says so.
func edges(property any) (inside, outside []any) {
	if enum, ok := at(property, "enum").([]any); ok {
		return slices.DeleteFunc(enum, func(v any) bool { return v == nil }), []any{"OTHER"}
	}
	if least, ok := at(property, "minimum").(float64); ok {
		inside, outside = append(inside, least), append(outside, least-1)
	}
	if most, ok := at(property, "maximum").(float64); ok {
		inside, outside = append(inside, most), append(outside, most+1)
	}
	return inside, outside
}

// message is what an answer says, if it is an error.
func message(t *testing.T, a reply) string {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(body["error_message"])
}
