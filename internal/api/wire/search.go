package wire

import (
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
)

// SearchRequest asks for a page of what matches. Without a query, or with one that
// has no operands, everything does.
type SearchRequest struct {
	Cursor string       `json:"cursor"`
	Limit  Limit        `json:"limit"`
	Query  *SearchQuery `json:"query"`
}

// SearchQuery is conditions and how they are joined.
type SearchQuery struct {
	Operator string         `json:"operator" doc:"AND or OR."`
	Operands []SearchFilter `json:"operands"`
}

// SearchFilter is one condition.
type SearchFilter struct {
	Name  json.RawMessage `json:"filter_name" doc:"One of those that docs/users.md and docs/organizations.md list."`
	Value json.RawMessage `json:"filter_value" doc:"A string, a boolean, an array of up to 500 strings or an object, as the filter takes it."`
}

// Read is the query of the request.
func (r SearchRequest) Read(errs *countersign.SearchErrors) (q directory.Query, err error) {
	if r.Limit.Bad {
		return q, errs.InvalidLimit
	}
	q = directory.Query{Limit: r.Limit.N, Cursor: r.Cursor}
	if r.Query == nil {
		return q, nil
	}
	q.Operator = r.Query.Operator
	for _, o := range r.Query.Operands {
		q.Operands = append(q.Operands, directory.Operand(o))
	}
	return q, nil
}
