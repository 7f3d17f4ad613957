package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
)

// maxBody bounds the body of a request that has no MaxBytes of its own, in bytes.
const maxBody = 64 << 10

// Caller is who makes a request. Environment is the zero value on the management
// plane, where the path names it.
type Caller struct {
	Environment countersign.Environment
	Actor       countersign.Actor
	Page        Page // of the frontend plane
	// Confirm reads afresh who calls. If it is set, Environment and Actor are of a
	// moment ago, and good for refusing a subject token and for nothing else.
	Confirm func(context.Context) (countersign.Environment, error)
	// refused says that the caller's subject token was refused; nil if nobody
	// listens.
	refused func()
	// MemberSession or MemberSessionJWT is on whose behalf the holder of a secret
	// calls, as it was sent (b2b.md §7).
	MemberSession    countersign.Bearer
	MemberSessionJWT countersign.Bearer
}

// Judged says what became of the caller's subject token, nil if it was accepted.
func (c Caller) Judged(err error) {
	if _, refused := errors.AsType[*trust.Refusal](err); refused && c.refused != nil {
		c.refused()
	}
}

// Page is a web page or an app: a caller with a public token, whom anybody can be.
type Page struct {
	From    project.SDKOrigin
	SDK     project.SDKConfig  // lets calls from there in
	Session countersign.Bearer // a session token as it was sent; "" if nobody is signed in
	Cookies bool               // the session lives in cookies that scripts cannot read
}

// Request is what an endpoint is given: the caller, the decoded body and the
// names in the URL.
type Request[Body any] struct {
	Caller Caller
	Body   Body
	http   *http.Request
	query  []QueryParameter // of the route
}

// None is the body of an endpoint that reads none. Whatever is sent is ignored.
type None struct{}

// Path is a segment of the path, decoded. It is valid UTF-8 without NUL.
func (r *Request[B]) Path(name string) string { return r.http.PathValue(name) }

// Query is a parameter of the query, "" if it is absent. It panics if the route
// does not declare the parameter: nobody would know of it.
func (r *Request[B]) Query(name string) string {
	if !slices.ContainsFunc(r.query, func(p QueryParameter) bool { return p.Name == name }) {
		panic(fmt.Sprintf("%s reads the query parameter %q, which its route does not declare", r.http.Pattern, name))
	}
	return r.http.URL.Query().Get(name)
}

// Endpoint answers one kind of request. It is a plain function: its test needs
// no HTTP.
type Endpoint[Body any, Answer enveloped] func(context.Context, *Request[Body]) (Answer, error)

type enveloped interface {
	Envelop(requestID string, status int)
}

// Call makes an endpoint a handler: authenticate, decode, call, encode.
func Call[Body any, Answer enveloped](auth Authenticator, fn Endpoint[Body, Answer]) Handler {
	serve := func(w http.ResponseWriter, r *http.Request, query []QueryParameter) {
		ctx := r.Context()
		line := telemetry.FromContext(ctx)
		if err := checkText(r); err != nil {
			WriteError(w, r, err)
			return
		}
		caller, err := auth.check(ctx, r)
		if err != nil {
			WriteError(w, r, err)
			return
		}
		caller.note(line)
		request := &Request[Body]{Caller: caller, http: r, query: query}
		if _, none := any(request.Body).(None); !none {
			if err := decode(w, r, &request.Body); err != nil {
				WriteError(w, r, err)
				return
			}
		}
		answer, err := fn(ctx, request)
		if caller.Page.Cookies {
			keepCookies(w, answer, err)
		}
		if err != nil {
			WriteError(w, r, err)
			return
		}
		if cached, ok := any(answer).(wire.Cacheable); ok {
			w.Header().Set("Cache-Control", cached.CacheControl())
		}
		answer.Envelop(line.ID.String(), http.StatusOK)
		write(w, r, http.StatusOK, wrapped(r, answer))
	}
	return Handler{Scheme: auth.Scheme, Body: reflect.TypeFor[Body](), Answer: reflect.TypeFor[Answer]().Elem(), serve: serve}
}

// note puts the caller on the request's line, and the request's ID, now that its
// class is known, on the caller.
func (c *Caller) note(line *telemetry.Request) {
	if !c.Environment.ID.IsZero() {
		line.Environment = c.Environment.ID
		line.ID = line.ID.WithClass(c.Environment.ID.Class())
	}
	c.Actor.RequestID = line.ID
	line.Actor = c.Actor.ID
}

// checkText refuses names in the URL that no database would take as text.
func checkText(r *http.Request) error {
	ok := func(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
	if !ok(r.URL.Path) {
		return countersign.ErrBadRequest.Saying("The path is not valid UTF-8 text.")
	}
	if r.URL.RawQuery == "" {
		return nil
	}
	for _, values := range r.URL.Query() {
		for _, v := range values {
			if !ok(v) {
				return countersign.ErrBadRequest.Saying("The query is not valid UTF-8 text.")
			}
		}
	}
	return nil
}

// decode reads one JSON object. An empty body and null are an object without
// members; members that nobody knows are ignored, because newer clients send
// them.
func decode(w http.ResponseWriter, r *http.Request, body any) error {
	limit := int64(maxBody)
	if own, ok := body.(interface{ MaxBytes() int64 }); ok {
		limit = own.MaxBytes()
	}
	var read bytes.Buffer
	read.Grow(int(min(max(r.ContentLength, 0), limit, 16<<10)) + bytes.MinRead) // at once, if the caller says how much
	_, err := read.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	text := read.Bytes()
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return countersign.ErrBadRequest.Saying("The body is larger than %d bytes.", limit)
		}
		return countersign.ErrBadRequest.Saying("The body could not be read.").Because(err)
	}
	if len(text) == 0 {
		return nil
	}
	return Decode(text, body)
}

// Decode reads one JSON object into a struct. Errors: ErrBadRequest, and what
// the struct's fields answer themselves.
func Decode(text []byte, body any) error {
	if !utf8.Valid(text) { // RFC 8259 §8.1; what we keep as it was written must be text
		return countersign.ErrBadRequest.Saying("The body is not valid UTF-8.")
	}
	err := json.Unmarshal(text, body)
	if err == nil {
		return nil
	}
	if named, ok := errors.AsType[*countersign.Error](err); ok {
		return named
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return countersign.ErrBadRequest.Saying("The body must be a JSON object, not a JSON %s.", wrong.Value)
		}
		return countersign.ErrBadRequest.Saying("%s must be %s, not a JSON %.40s.", fieldName(body, wrong.Field), described(wrong), wrong.Value)
	}
	return countersign.ErrBadRequest.Saying("The body is not valid JSON: %v.", err)
}

// fieldName is the path of a field as clients know it: encoding/json also names
// the embedded structs on the way.
func fieldName(body any, path string) string {
	first, rest, _ := strings.Cut(path, ".")
	if f, ok := reflect.TypeOf(body).Elem().FieldByName(first); ok && f.Anonymous {
		return rest
	}
	return path
}

// described says which JSON type a field takes.
func described(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); kind {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "slice":
		return "an array"
	case "map", "struct":
		return "an object"
	default:
		return fmt.Sprintf("of another type than %s", kind)
	}
}
