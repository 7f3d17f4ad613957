// Package wire has the JSON shapes of the contract and their constructors, one
// file a resource. Null rules are in the types: what is required is never null
// and never omitted, what is an optional moment is never "" (README §4). Package
// openapi reads them there, and in the tags openapi and doc.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/countersign-auth/countersign"
)

// Envelope is at the top level of every answer. Answers embed it.
type Envelope struct {
	RequestID  string `json:"request_id" doc:"Names the request in logs and audit events."`
	StatusCode int    `json:"status_code" doc:"The HTTP status."`
}

// Envelop fills in the envelope.
func (e *Envelope) Envelop(requestID string, status int) {
	e.RequestID, e.StatusCode = requestID, status
}

// Done is the answer of an endpoint that has nothing to say.
type Done struct{ Envelope }

// Cacheable is an answer that others may keep; all the rest hold secrets.
type Cacheable interface{ CacheControl() string }

// Nullable is a field of a request in which null and absent differ.
type Nullable[T any] struct {
	Given bool // the field was there
	Null  bool // and it was null
	Value T
}

// UnmarshalJSON is called only for a field that is there.
func (n *Nullable[T]) UnmarshalJSON(b []byte) error {
	n.Given = true
	n.Null = bytes.Equal(b, []byte("null"))
	if n.Null {
		return nil
	}
	return json.Unmarshal(b, &n.Value)
}

// Holds is the type of Value, for the OpenAPI document.
func (Nullable[T]) Holds() reflect.Type { return reflect.TypeFor[T]() }

// Minutes are a duration in a request. A number that is not whole, or too large
// to count, is out of bounds like any other:
// ErrInvalidSessionDurationMinutes.
type Minutes int

// UnmarshalJSON is not called for null where the field is a pointer.
func (m *Minutes) UnmarshalJSON(b []byte) error {
	err := json.Unmarshal(b, (*int)(m))
	if isNumber := b[0] == '-' || '0' <= b[0] && b[0] <= '9'; err != nil && isNumber {
		return countersign.ErrInvalidSessionDurationMinutes
	}
	return err
}

// OpenAPI declares the bounds, which package session holds.
func (Minutes) OpenAPI() string {
	return fmt.Sprintf("minimum=%d,maximum=%d", countersign.MinSessionMinutes, countersign.MaxSessionMinutes)
}

// Moment is a timestamp of an answer, never "": RFC 3339, UTC, in whole seconds.
type Moment string

// Time is what m says.
func (m Moment) Time() time.Time {
	t, _ := time.Parse(time.RFC3339, string(m)) // it was made by moment
	return t
}

// OpenAPI declares the format.
func (Moment) OpenAPI() string { return "format=date-time" }

// Limit is the size of a page in a request; Bad if it is no whole number.
type Limit struct {
	N   int
	Bad bool
}

// UnmarshalJSON takes anything; null is absent.
func (l *Limit) UnmarshalJSON(b []byte) error {
	if string(b) != "null" {
		l.Bad = json.Unmarshal(b, &l.N) != nil
	}
	return nil
}

// OpenAPI declares the bounds, which package directory holds.
func (Limit) OpenAPI() string { return "type=integer,minimum=0,maximum=1000" }

// ResultsMetadata is about a search as a whole.
type ResultsMetadata struct {
	Total      int     `json:"total" doc:"How many match; -1 if there are too many to count."`
	NextCursor *string `json:"next_cursor" doc:"Where to go on; null after the last page."`
}

// NewResultsMetadata shapes what a search says about itself; next is "" after the
// last page.
func NewResultsMetadata(total int, next string) ResultsMetadata {
	m := ResultsMetadata{Total: total}
	if next != "" {
		m.NextCursor = &next
	}
	return m
}

// moment is an optional timestamp: null for the zero moment.
func moment(t time.Time) *Moment {
	if t.IsZero() {
		return nil
	}
	m := Moment(countersign.Timestamp(t))
	return &m
}

// each builds a list that is never null.
func each[T, W any](list []T, build func(T) W) []W {
	out := make([]W, len(list))
	for i, v := range list {
		out[i] = build(v)
	}
	return out
}
