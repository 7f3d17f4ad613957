package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/openapi"
)

// route is a POST of a body and an answer.
func route[B, A any, P interface {
	*A
	Envelop(string, int)
}](pattern string,
) api.Route {
	return api.Route{Method: http.MethodPost, Pattern: pattern, Handler: api.Call(api.Anybody, func(context.Context, *api.Request[B]) (P, error) { return nil, nil })}
}

type inner struct {
	Text string `json:"text"`
}

type settings struct {
	Limit *int   `json:"limit" openapi:"minimum=1,maximum=9"`
	Name  string `json:"name" doc:"Hidden by the one that is less deep."`
}

type sampleRequest struct {
	settings
	Name    string                         `json:"name" openapi:"required"`
	Minutes *wire.Minutes                  `json:"minutes"`
	Inner   inner                          `json:"inner" doc:"An object."`
	Kind    string                         `json:"kind" openapi:"enum=A|B"`
	Clear   wire.Nullable[string]          `json:"clear"`
	Raw     wire.Nullable[json.RawMessage] `json:"raw" openapi:"type=object"`
	List    []string                       `json:"list"`
}

type sampleAnswer struct {
	wire.Envelope
	Inner   inner                      `json:"inner"`
	Maybe   *inner                     `json:"maybe" doc:"An object or null."`
	Sure    *wire.Moment               `json:"sure" openapi:"required"`
	Moment  *wire.Moment               `json:"moment"`
	Kind    *string                    `json:"kind" openapi:"enum=A|B"`
	Absent  string                     `json:"absent,omitempty"`
	Map     map[string]json.RawMessage `json:"map"`
	MapNull map[string]json.RawMessage `json:"map_null" openapi:"nullable"`
	Raw     json.RawMessage            `json:"raw" openapi:"type=object,nullable"`
	List    []struct{}                 `json:"list"`
	hidden  int
	Unsaid  int `json:"-"`
}

// TestSchemas describes one route, whose types have all that types can have.
func TestSchemas(t *testing.T) {
	t.Parallel()
	_ = sampleAnswer{}.hidden
	document, err := openapi.Document([]api.Route{route[sampleRequest, sampleAnswer]("/v1/samples/{project_id}")})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(document, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Openapi_testSampleRequest": `{"type": "object", "required": ["name"], "properties": {
			"limit": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 9},
			"name": {"type": "string"},
			"minutes": {"type": "integer", "nullable": true, "minimum": 5, "maximum": 527040},
			"inner": {"description": "An object.", "nullable": true, "allOf": [{"$ref": "#/components/schemas/Openapi_testInnerInput"}]},
			"kind": {"type": "string", "nullable": true, "enum": ["A", "B", null]},
			"clear": {"type": "string", "nullable": true},
			"raw": {"type": "object", "nullable": true},
			"list": {"type": "array", "nullable": true, "items": {"type": "string"}}}}`,
		"Openapi_testInnerInput": `{"type": "object", "properties": {"text": {"type": "string", "nullable": true}}}`,
		"Openapi_testInner":      `{"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}`,
		"Openapi_testSampleAnswer": `{"type": "object", "required": ["inner", "list", "map", "request_id", "status_code", "sure"], "properties": {
			"request_id": {"description": "Names the request in logs and audit events.", "type": "string"},
			"status_code": {"description": "The HTTP status.", "type": "integer"},
			"inner": {"$ref": "#/components/schemas/Openapi_testInner"},
			"maybe": {"description": "An object or null.", "nullable": true, "allOf": [{"$ref": "#/components/schemas/Openapi_testInner"}]},
			"sure": {"type": "string", "format": "date-time"},
			"moment": {"type": "string", "format": "date-time", "nullable": true},
			"kind": {"type": "string", "nullable": true, "enum": ["A", "B", null]},
			"absent": {"type": "string"},
			"map": {"type": "object", "additionalProperties": {"nullable": true}},
			"map_null": {"type": "object", "nullable": true, "additionalProperties": {"nullable": true}},
			"raw": {"type": "object", "nullable": true},
			"list": {"type": "array", "items": {"type": "object"}}}}`,
	} {
		if diff := cmp.Diff(value(t, []byte(want)), value(t, got.Components.Schemas[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func value(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// TestDocumentIsDeterministic describes the same routes twice.
func TestDocumentIsDeterministic(t *testing.T) {
	t.Parallel()
	routes := []api.Route{route[sampleRequest, sampleAnswer]("/v1/a"), route[api.None, sampleAnswer]("/pwa/v3/b"), route[api.None, wire.Done]("/c")}
	first, err := openapi.Document(routes)
	if err != nil {
		t.Fatal(err)
	}
	second, err := openapi.Document(routes)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second time it is another document, error %v", err)
	}
}

type (
	unknownTag struct {
		wire.Envelope
		A string `json:"a" openapi:"nulable"`
	}
	badBound struct {
		wire.Envelope
		A int `json:"a" openapi:"minimum=few"`
	}
	twice struct {
		wire.Envelope
		inner
		other //nolint:govet // which is right: it has the same member
	}
	other struct {
		Text string `json:"text"`
	}
	nameless struct {
		wire.Envelope
		A string
	}
	anything struct {
		wire.Envelope
		A any `json:"a"`
	}
	ownJSON struct {
		wire.Envelope
		A unclear `json:"a"`
	}
	unclear struct{}
	// Done is called what one of package wire is.
	Done struct {
		wire.Envelope
		Mine wire.Done `json:"mine"`
	}
)

func (unclear) MarshalJSON() ([]byte, error) { return []byte("5"), nil }

// TestUnclearTypes describes what cannot be described.
func TestUnclearTypes(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]api.Route{
		`no "nulable"`:                route[api.None, unknownTag]("/a"),
		`parsing "few"`:               route[api.None, badBound]("/a"),
		`two members "text"`:          route[api.None, twice]("/a"),
		"nameless.A has no name":      route[api.None, nameless]("/a"),
		"interface {} cannot be":      route[api.None, anything]("/a"),
		"unclear has JSON of its own": route[api.None, ownJSON]("/a"),
		"are both called Done":        route[api.None, Done]("/a"),
		"has what OpenAPI has not":    route[api.None, wire.Done]("/a/{rest...}"),
		"/a/{$} has what OpenAPI has": route[api.None, wire.Done]("/a/{$}"),
	} {
		if _, err := openapi.Document([]api.Route{r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Document = %v, want %q", err, want)
		}
	}
}
