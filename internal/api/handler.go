package api

import (
	"net/http"
	"reflect"
)

// Handler answers the requests of a route and says what it reads and gives, for
// the OpenAPI document. Call makes it.
type Handler struct {
	Scheme Scheme
	Body   reflect.Type // of the request's body; that of None if none is read
	Answer reflect.Type // of a success, a struct
	serve  func(http.ResponseWriter, *http.Request, []QueryParameter)
}

// Scheme is how the callers of an endpoint say who they are.
type Scheme int

// The schemes.
const (
	SchemeNone      Scheme = iota // they need not
	SchemeProject                 // project ID and secret
	SchemeWorkspace               // workspace key
	SchemePublic                  // public token, and the session token if there is one
)

// QueryParameter is a parameter of the query that an endpoint reads.
type QueryParameter struct {
	Name        string
	Description string // a sentence
	Required    bool   // without it the request is refused
}
