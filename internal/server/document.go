package server

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign/internal/api"
)

// document is the answer of GET /openapi.json: no envelope, because its members
// are OpenAPI's.
type document struct{ json.RawMessage }

// Envelop leaves the document alone.
func (*document) Envelop(string, int) {}

// CacheControl lets clients keep the document for five minutes.
func (*document) CacheControl() string { return "public, max-age=300" }

// OpenAPI declares what the document is to itself.
func (document) OpenAPI() string { return "type=object" }

// openAPI is GET /openapi.json, for anybody.
func (s *Server) openAPI(context.Context, *api.Request[api.None]) (*document, error) {
	return &document{s.document}, nil
}
