package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// failure is an error that says what to do next.
type failure struct {
	message string
	hint    string // the next step, "" if there is none to name
	code    int
	cause   error
	passing bool // the same again, a while later, may succeed
}

func (f *failure) Error() string { return f.message }

// Unwrap gives the cause, if there is one.
func (f *failure) Unwrap() error { return f.cause }

// usage is a command line or an environment that does not make sense.
func usage(message, hint string) error {
	return &failure{message: message, hint: hint, code: ExitUsage}
}

// failed is something that could not be done.
func failed(message, hint string) error {
	return &failure{message: message, hint: hint, code: ExitFailed}
}

// passing is something that could not be done now.
func passing(message, hint string) error {
	return &failure{message: message, hint: hint, code: ExitFailed, passing: true}
}

// advise adds a hint to err, in place of the one that it may have.
func advise(err error, format string, args ...any) error {
	code := ExitFailed
	if f, ok := errors.AsType[*failure](err); ok {
		code = f.code
	}
	return &failure{message: err.Error(), hint: fmt.Sprintf(format, args...), code: code, cause: err}
}

// apiError is the contract's error object (README §3): the server's refusal.
type apiError struct {
	Status     int    // HTTP
	Type       string `json:"error_type"`
	Message    string `json:"error_message"`
	RequestID  string `json:"request_id"`
	RetryAfter string // seconds, "" if the server did not say
	plane      plane
}

func (e *apiError) Error() string { return e.Type + ": " + e.Message }

// report prints err, with the request ID and the next step if there are any,
// and gives the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return ExitOK
	}
	if errors.Is(err, context.Canceled) {
		err = failed("interrupted", "")
	}
	label := "countersign:"
	if a.colour(a.stderr) {
		label = "\x1b[31m" + label + "\x1b[0m"
	}
	a.remark("%s %s", label, strings.ReplaceAll(printable(err.Error()), "\n", "; "))
	code, hint := ExitFailed, ""
	if refused, ok := errors.AsType[*apiError](err); ok {
		if refused.RequestID != "" {
			a.remark("  request_id: %s", printable(refused.RequestID))
		}
		hint = refused.hint()
	}
	if f, ok := errors.AsType[*failure](err); ok {
		code = f.code
		if f.hint != "" {
			hint = f.hint
		}
	}
	if hint != "" {
		a.remark("  hint: %s", printable(hint))
	}
	return code
}
