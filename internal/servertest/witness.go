package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/countersign-auth/countersign/internal/api"
)

// Witness holds exchanges against the server's own OpenAPI document. Many may ask
// it at once.
type Witness struct {
	document *openapi3.T
	// patterns find the operation of a request: one for each path, a word before a
	// name in its place, which is the order of the router where two paths overlap.
	patterns []*http.ServeMux
}

// NewWitness reads a document, which must be valid.
func NewWitness(document []byte) (*Witness, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("load the OpenAPI document: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("validate the OpenAPI document: %w", err)
	}
	w := &Witness{document: doc}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) { // { sorts behind every letter
		mux := http.NewServeMux()
		for method := range doc.Paths.Value(path).Operations() {
			mux.Handle(method+" "+path, http.NotFoundHandler())
		}
		w.patterns = append(w.patterns, mux)
	}
	return w, nil
}

// Exchange is a request and its answer.
type Exchange struct {
	Request *http.Request // its body does not matter
	Sent    []byte
	Status  int
	Answer  []byte
}

// Problems are what is wrong with an exchange: an answer that is not as the
// document says, or a request that was answered with success and that the
// document does not allow.
func (w *Witness) Problems(e Exchange) []string {
	if e.Request.Method == http.MethodHead {
		return nil
	}
	if e.Request.Method == http.MethodOptions && e.Status == http.StatusOK && api.Frontend(e.Request.URL.Path) {
		return nil // a browser's question before a request, which is no operation
	}
	operation := w.operation(e.Request)
	if operation == nil { // an unknown path, or another method than it takes
		if e.Status == http.StatusOK {
			return []string{"a success of a route that the document lacks"}
		}
		return w.check("answer", w.document.Components.Schemas["Error"], e.Answer)
	}
	response := operation.Responses.Value(strconv.Itoa(e.Status))
	if response == nil {
		return []string{fmt.Sprintf("the document has no status %d for %s", e.Status, operation.OperationID)}
	}
	problems := w.check("answer", response.Value.Content.Get("application/json").Schema, e.Answer)
	if e.Status == http.StatusOK && operation.RequestBody != nil {
		problems = append(problems, requestProblems(operation.RequestBody.Value, e.Sent)...)
	}
	return problems
}

func (w *Witness) operation(r *http.Request) *openapi3.Operation {
	straight := *r
	u := *r.URL
	straight.URL = &u
	if strings.HasPrefix(u.Path, "//") { // as the router does
		u.Path, u.RawPath = "/"+strings.TrimLeft(u.Path, "/"), ""
	}
	for _, mux := range w.patterns {
		if _, pattern := mux.Handler(&straight); pattern != "" {
			method, path, _ := strings.Cut(pattern, " ")
			return w.document.Paths.Value(path).GetOperation(method)
		}
	}
	return nil
}

// requestProblems are what the document has against a request that was served.
func requestProblems(body *openapi3.RequestBody, sent []byte) []string {
	if len(sent) == 0 {
		if body.Required {
			return []string{"the document requires a body, the server does not"}
		}
		return nil
	}
	if !json.Valid(sent) {
		return []string{"a request that is not JSON was served"}
	}
	var value any
	if err := json.Unmarshal(sent, &value); err != nil {
		return nil // a number that no float holds, of which a schema can say nothing
	}
	if err := body.Content.Get("application/json").Schema.Value.VisitJSON(value); err != nil {
		return []string{fmt.Sprintf("the document excludes a request that was served: %v", err)}
	}
	return nil
}

// check holds a text against a schema, first by OpenAPI's rules and then by the
// contract's, which are stricter.
func (w *Witness) check(at string, schema *openapi3.SchemaRef, text []byte) (problems []string) {
	var value any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&value); err != nil {
		return []string{fmt.Sprintf("the %s is not JSON: %v", at, err)}
	}
	if err := schema.Value.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse()); err != nil {
		problems = append(problems, err.Error())
	}
	return append(problems, strict(at, schema.Value, value)...)
}

// strict are the rules that OpenAPI leaves open: what is required is never null,
// whatever else is said of it; a moment is never ""; nothing is answered that the
// document does not name, unless it names nothing.
func strict(at string, schema *openapi3.Schema, value any) (problems []string) {
	for _, part := range schema.AllOf {
		if value != nil {
			problems = append(problems, strict(at, part.Value, value)...)
		}
	}
	switch v := value.(type) {
	case string:
		if v == "" && schema.Format == "date-time" {
			problems = append(problems, at+" is a moment and empty")
		}
	case []any:
		for i, item := range v {
			if schema.Items != nil {
				problems = append(problems, strict(fmt.Sprintf("%s[%d]", at, i), schema.Items.Value, item)...)
			}
		}
	case map[string]any:
		for name, member := range v {
			property := schema.Properties[name]
			switch {
			case member == nil && slices.Contains(schema.Required, name):
				problems = append(problems, at+"."+name+" is required and null")
			case property != nil:
				problems = append(problems, strict(at+"."+name, property.Value, member)...)
			case len(schema.Properties) > 0:
				problems = append(problems, at+"."+name+" is not in the document")
			}
		}
	}
	return problems
}
