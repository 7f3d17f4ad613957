package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// contractFolder has the OpenAPI documents, where the contract stands beside the
// repository.
const contractFolder = "../../../shared/contract/openapi/"

// witness is the part of OpenAPI 3.0 that the contract's documents use. It
// answers nothing where they are not there.
type witness struct {
	operations map[string]schema // "GET /path/{}": of the answer 200
	requests   map[string]schema // of the body
	schemas    map[string]schema
}

// additions are what this server says beyond the contract.
var additions = []string{"session_jwt_algorithm", "unusable_reason", "user_impersonation", "trust_policy", "crv", "x", "y", "last_error"}

var openAPI = sync.OnceValue(func() *witness {
	w := &witness{operations: map[string]schema{}, requests: map[string]schema{}, schemas: map[string]schema{}}
	for _, name := range []string{"consumer.json", "b2b.json", "management.json"} {
		text, err := os.ReadFile(contractFolder + name)
		if err != nil {
			return nil
		}
		var document openAPIDocument
		if err := json.Unmarshal(text, &document); err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
		maps.Copy(w.schemas, document.Components.Schemas)
		for name, operation := range document.operations() {
			w.operations[name], w.requests[name] = operation.Responses["200"].schema(), operation.RequestBody.schema()
		}
	}
	return w
})

// TestGoldenOpenAPI says whether TestGolden holds answers against the OpenAPI
// documents, and that they know all routes but this server's own.
func TestGoldenOpenAPI(t *testing.T) {
	t.Parallel()
	w := openAPI()
	if w == nil {
		t.Skipf("the contract's documents are not at %s; the shapes of wire_shape_test.go were checked all the same", contractFolder)
	}
	own := []string{"/healthz", "/readyz", "/events", "/users/import", "/openapi.json", "/key_set", "/propose", "/signing_keys", "/rotate", "/explain", "/test", "/replay", "/operator_links", "/verdicts", "/{request_id}", "/revocations"}
	for pattern := range answers {
		if strings.Contains(pattern, " /sdk/v1/") {
			continue // the contract has no document of the frontend plane
		}
		if w.operations[pattern] == nil && !slices.ContainsFunc(own, func(end string) bool { return strings.HasSuffix(pattern, end) }) {
			t.Errorf("the contract has no %s", pattern)
		}
	}
}

// answer is what is wrong with a success, as far as the documents know the route.
func (w *witness) answer(pattern string, body any) []string {
	if w == nil || w.operations[pattern] == nil {
		return nil
	}
	return w.check("", w.operations[pattern], body)
}

// problems is what is wrong with a value of a named schema.
func (w *witness) problems(name string, value any) []string {
	if w == nil {
		return nil
	}
	return w.check("", w.schemas[name], value)
}

func (w *witness) check(at string, s schema, value any) (list []string) {
	complain := func(what string) { list = append(list, fmt.Sprintf("OpenAPI: %s: %s: %v", at, what, value)) }
	if ref, ok := s["$ref"].(string); ok {
		return w.check(at, w.schemas[strings.TrimPrefix(ref, "#/components/schemas/")], value)
	}
	if value == nil {
		if s["nullable"] != true {
			complain("null")
		}
		return list
	}
	parts, _ := s["allOf"].([]any)
	for _, part := range parts {
		if sub, ok := part.(map[string]any); ok {
			list = append(list, w.check(at, sub, value)...)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		return append(list, w.checkObject(at, s, v)...)
	case []any:
		items, _ := s["items"].(map[string]any)
		for i, item := range v {
			list = append(list, w.check(fmt.Sprintf("%s[%d]", at, i), items, item)...)
		}
		if !isType(s, "array") {
			complain("an array")
		}
	case string:
		if !isType(s, "string") {
			complain("a string")
		}
		if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, any(v)) {
			complain("not of the enumeration")
		}
		if _, err := time.Parse(time.RFC3339, v); s["format"] == "date-time" && err != nil {
			complain("not a moment")
		}
	case bool:
		if !isType(s, "boolean") {
			complain("a boolean")
		}
	case float64:
		if !isType(s, "integer") && !isType(s, "number") {
			complain("a number")
		}
	}
	return list
}

// isType also lets pass what the schema says nothing about.
func isType(s schema, name string) bool { return s["type"] == nil || s["type"] == name }

func (w *witness) checkObject(at string, s schema, object map[string]any) (list []string) {
	if !isType(s, "object") {
		list = append(list, fmt.Sprintf("OpenAPI: %s: an object, not %v", at, s["type"]))
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := object[text(name)]; !ok {
			list = append(list, fmt.Sprintf("OpenAPI: %s.%v is missing", at, name))
		}
	}
	properties, closed := s["properties"].(map[string]any)
	for name, value := range object {
		property, known := properties[name].(map[string]any)
		if known {
			list = append(list, w.check(at+"."+name, property, value)...)
		} else if closed && !slices.Contains(additions, name) {
			list = append(list, fmt.Sprintf("OpenAPI: %s.%s is not in the contract", at, name))
		}
	}
	return list
}
