package server_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

// schema is a schema object of OpenAPI 3.0.
type schema map[string]any

// openAPIDocument is what the tests read of a document.
type openAPIDocument struct {
	Paths      map[string]map[string]openAPIOperation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type openAPIOperation struct {
	Summary    string           `json:"summary"`
	Security   []map[string]any `json:"security"`
	Parameters []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"parameters"`
	RequestBody openAPIBody            `json:"requestBody"`
	Responses   map[string]openAPIBody `json:"responses"`
}

type openAPIBody struct {
	Content map[string]struct {
		Schema schema `json:"schema"`
	} `json:"content"`
}

func (b openAPIBody) schema() schema { return b.Content["application/json"].Schema }

func readDocument(t testing.TB, text []byte) (d openAPIDocument) {
	t.Helper()
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// operations are by method and path.
func (d openAPIDocument) operations() map[string]openAPIOperation {
	all := map[string]openAPIOperation{}
	for path, methods := range d.Paths {
		for method, operation := range methods {
			all[strings.ToUpper(method)+" "+path] = operation
		}
	}
	return all
}

// resolve is a schema with what it refers to, and what its parts say, in one.
func (d openAPIDocument) resolve(s schema) schema {
	if ref, ok := s["$ref"].(string); ok {
		return d.resolve(d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")])
	}
	parts, _ := s["allOf"].([]any)
	if parts == nil {
		return s
	}
	whole := maps.Clone(s)
	for _, part := range parts {
		if sub, ok := part.(map[string]any); ok {
			maps.Copy(whole, d.resolve(sub))
		}
	}
	if s["nullable"] != nil { // of the place, not of the part
		whole["nullable"] = s["nullable"]
	}
	return whole
}
