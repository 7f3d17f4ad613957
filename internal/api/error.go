package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
)

// errorURL is where each error type is explained.
const errorURL = "https://github.com/countersign-auth/countersign/blob/main/docs/errors.md#"

// Status is the HTTP status of a kind of error.
func Status(k countersign.Kind) int {
	switch k {
	case countersign.Invalid, countersign.Conflict:
		return http.StatusBadRequest
	case countersign.Unauthenticated:
		return http.StatusUnauthorized
	case countersign.Forbidden:
		return http.StatusForbidden
	case countersign.NotFound:
		return http.StatusNotFound
	case countersign.BadMethod:
		return http.StatusMethodNotAllowed
	case countersign.Limited:
		return http.StatusTooManyRequests
	case countersign.Unavailable:
		return http.StatusServiceUnavailable
	case countersign.Internal:
	}
	return http.StatusInternalServerError
}

// WriteError answers with the error object. What is not an error of the contract
// is an internal one: its cause goes to the request's log line and nowhere else.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	named, ok := errors.AsType[*countersign.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		named = countersign.ErrUnavailable.Because(err).After(time.Second)
	default:
		named = countersign.ErrInternal.Because(err)
	}
	frontend := Frontend(r.URL.Path)
	if frontend {
		named = forAnybody(named)
	}
	code := Status(named.Kind)
	line := telemetry.FromContext(r.Context())
	line.ErrorType, line.Cause = named.Type, errors.Unwrap(named)
	header := w.Header()
	RetryAfter(header, named)
	if code == http.StatusUnauthorized && !frontend { // to a page, a browser would add a form of its own
		header.Set("WWW-Authenticate", `Basic realm="countersign", charset="UTF-8"`)
	}
	write(w, r, code, wire.Error{
		StatusCode: code, RequestID: line.ID.String(), ErrorType: named.Type,
		ErrorMessage: named.Explained(), ErrorURL: errorURL + named.Type,
	})
}

// RetryAfter says in a header when to try again, if the error knows (RFC 9110
// §10.2.3).
func RetryAfter(header http.Header, err *countersign.Error) {
	if err.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(err.RetryAfter.Seconds()))))
	}
}

// forAnybody is what of an error a caller may read whom anybody can be: the type
// and its fixed sentence. Whatever a subject token was refused for, that is the
// same, or a caller could find out with tokens of their own who exists and what
// the profile wants; only the keys that cannot be had are not the token's fault.
// The log has what it was.
func forAnybody(e *countersign.Error) *countersign.Error {
	if refusal, ok := errors.AsType[*trust.Refusal](error(e)); ok && refusal.Reason != trust.KeysUnavailable {
		return countersign.ErrInvalidTrustedAuthToken.Because(e)
	}
	fixed := *e
	fixed.Detail = ""
	return &fixed
}

// write encodes an answer.
func write(w http.ResponseWriter, r *http.Request, code int, answer any) {
	line := telemetry.FromContext(r.Context())
	body, err := json.Marshal(answer)
	if err != nil { // no answer of ours fails to encode; say so if one does
		code, line.ErrorType, line.Cause = http.StatusInternalServerError, countersign.ErrInternal.Type, err
		body = []byte(`{"status_code":500,"request_id":"` + line.ID.String() + `","error_type":"internal_server_error","error_message":"The answer could not be encoded.","error_url":"` + errorURL + `internal_server_error"}`)
	}
	body = append(body, '\n') // for those who read it in a terminal
	line.Status = code
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store") // answers hold tokens
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that is gone is nobody's error
}
