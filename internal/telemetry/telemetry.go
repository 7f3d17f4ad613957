// Package telemetry is how the server is seen: one log line a request, and the
// metrics. It knows nothing of what it reports on.
package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/countersign-auth/countersign"
)

// Request is what the log line of one request says. Handlers fill it in on the
// way; the server logs it once, at the end. It holds no secret and no token.
type Request struct {
	ID            countersign.RequestID
	Method        string
	Route         string // the pattern, never the path: a path may hold what a caller typed
	Status        int
	ErrorType     string
	Reason        string // of a refused subject token
	Expected      string // beside the reason
	Received      string // beside the reason
	Environment   countersign.EnvironmentID
	Actor         string
	RemoteAddress string
	Duration      time.Duration
	Cause         error // of an error, for the operator
}

// LogValue groups what there is to say.
func (r *Request) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 13)
	attrs = append(attrs,
		slog.String("request_id", r.ID.String()),
		slog.String("method", r.Method),
		slog.String("route", r.Route),
		slog.Int("status", r.Status),
		slog.Float64("ms", float64(r.Duration.Microseconds())/1000),
		slog.String("remote", r.RemoteAddress),
	)
	for _, a := range [...]struct{ name, value string }{
		{"error_type", r.ErrorType},
		{"reason", r.Reason},
		{"expected", r.Expected},
		{"received", r.Received},
		{"environment", r.Environment.String()},
		{"actor", r.Actor},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.name, a.value))
		}
	}
	if r.Cause != nil {
		attrs = append(attrs, slog.String("cause", r.Cause.Error()))
	}
	return slog.GroupValue(attrs...)
}

type requestKey struct{}

// WithRequest carries the request's line in ctx.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// FromContext is the line of the request that ctx belongs to; outside a request
// it is one that nobody reads.
func FromContext(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return &Request{}
}
