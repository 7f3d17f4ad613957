package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       info                             `json:"info"`
	Tags       []plane                          `json:"tags"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components components                       `json:"components"`
}

type info struct {
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Version     string  `json:"version"`
	License     license `json:"license"`
}

type license struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type components struct {
	Schemas         map[string]*schema        `json:"schemas"`
	Responses       map[string]*response      `json:"responses"`
	SecuritySchemes map[string]securityScheme `json:"securitySchemes"`
}

type operation struct {
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	OperationID string                `json:"operationId"`
	Security    []map[string][]string `json:"security"` // empty: none is needed
	Parameters  []parameter           `json:"parameters,omitempty"`
	RequestBody *body                 `json:"requestBody,omitempty"`
	Responses   map[string]*response  `json:"responses"`
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description"`
	Required    bool    `json:"required,omitempty"`
	Schema      *schema `json:"schema"`
}

type body struct {
	Required bool    `json:"required,omitempty"`
	Content  content `json:"content"`
}

type response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]header `json:"headers,omitempty"`
	Content     content           `json:"content,omitempty"`
}

type header struct {
	Description string  `json:"description"`
	Schema      *schema `json:"schema"`
}

type content map[string]mediaType

type mediaType struct {
	Schema *schema `json:"schema"`
}

func inJSON(s *schema) content { return content{"application/json": {s}} }

// Document describes routes. The same routes give the same bytes. What a type or
// a tag leaves unclear is an error.
func Document(routes []api.Route) ([]byte, error) {
	b := &builder{schemas: map[string]*schema{}, types: map[string]reflect.Type{}}
	doc := document{
		OpenAPI: "3.0.3", Info: about, Paths: map[string]map[string]*operation{},
		Components: components{Responses: map[string]*response{}, SecuritySchemes: schemes},
	}
	refusal := b.of(reflect.TypeFor[wire.Error](), answer)
	for _, r := range refusals {
		doc.Components.Responses[r.name] = &response{Description: r.text, Headers: r.headers, Content: inJSON(refusal)}
	}
	for _, route := range routes {
		methods := doc.Paths[route.Pattern]
		if methods == nil {
			methods = map[string]*operation{}
			doc.Paths[route.Pattern] = methods
		}
		plane := planeOf(route.Pattern)
		if !slices.Contains(doc.Tags, plane) {
			doc.Tags = append(doc.Tags, plane)
		}
		methods[strings.ToLower(route.Method)] = b.operation(route, plane)
	}
	doc.Components.Schemas = b.schemas
	if b.err != nil {
		return nil, fmt.Errorf("describe the routes: %w", b.err)
	}
	return json.Marshal(doc)
}

func (b *builder) operation(route api.Route, p plane) *operation {
	success := b.of(route.Handler.Answer, answer)
	if api.Frontend(route.Pattern) {
		success = &schema{Type: "object", Required: []string{"data"}, Properties: map[string]*schema{"data": success}}
	}
	op := &operation{
		Tags: []string{p.Name}, Summary: route.Summary, OperationID: operationID(route),
		Security: security[route.Handler.Scheme], Parameters: b.parameters(route), RequestBody: b.body(route.Handler.Body),
		Responses: map[string]*response{"200": {Description: "Success.", Content: inJSON(success)}},
	}
	for _, r := range refusals {
		op.Responses[strconv.Itoa(r.status)] = &response{Ref: "#/components/responses/" + r.name}
	}
	return op
}

// body is what a request's body may be. Where nothing of it is required, neither
// is the body, and null is an object without members.
func (b *builder) body(t reflect.Type) *body {
	if t == reflect.TypeFor[api.None]() {
		return nil
	}
	s := b.of(t, request)
	if len(b.schemas[nameOf(t, request)].Required) > 0 {
		return &body{Required: true, Content: inJSON(s)}
	}
	return &body{Content: inJSON(s.orNull())}
}

// operationID is the method and the words of the path, which no two routes have
// in common.
func operationID(route api.Route) string {
	words := strings.FieldsFunc(route.Pattern, func(c rune) bool { return strings.ContainsRune("/{}.", c) })
	return strings.ToLower(route.Method) + "_" + strings.Join(words, "_")
}

var segment = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

func (b *builder) parameters(route api.Route) (list []parameter) {
	if strings.ContainsAny(segment.ReplaceAllString(route.Pattern, ""), "{}") {
		b.complain("the path %s has what OpenAPI has not", route.Pattern)
	}
	for _, found := range segment.FindAllStringSubmatch(route.Pattern, -1) {
		list = append(list, parameter{Name: found[1], In: "path", Description: segments[found[1]], Required: true, Schema: &schema{Type: "string"}})
	}
	for _, q := range route.Query {
		list = append(list, parameter{Name: q.Name, In: "query", Description: q.Description, Required: q.Required, Schema: &schema{Type: "string"}})
	}
	return list
}
