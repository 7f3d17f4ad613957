package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"runtime/debug"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/dashboard"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// ServeHTTP gives a request an ID, a deadline and its line in the log.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.config.Now()
	line := &telemetry.Request{
		ID: countersign.NewOrderedID[countersign.RequestID](countersign.Test, start), Method: method(r), Route: "none", RemoteAddress: s.address(r),
	}
	ctx, cancel := context.WithTimeout(telemetry.WithRequest(r.Context(), line), requestTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			api.WriteError(w, r.WithContext(ctx), fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		line.Duration = s.config.Now().Sub(start)
		s.metrics.Request(line.Route, line.Status, line.Duration)
		s.log(ctx, line)
	}()
	if dashboard.Serves(r.URL.Path) {
		s.pages.ServeHTTP(w, r.WithContext(ctx))
		return
	}
	s.router.ServeHTTP(w, r.WithContext(ctx))
}

// address is where a request is from. A proxy that nobody named is worth a word,
// once: behind it everybody has one address, and one limit.
func (s *Server) address(r *http.Request) string {
	address, relayed := s.client(r)
	if relayed && !s.relayed.Swap(true) {
		s.config.Logger.WarnContext(r.Context(), "a request has X-Forwarded-For from an address that is no --trusted-proxy; if that is your proxy, name it, or all callers behind it share one limit", "address", address)
	}
	return address
}

func (s *Server) log(ctx context.Context, line *telemetry.Request) {
	switch {
	case line.Status >= http.StatusInternalServerError:
		s.config.Logger.ErrorContext(ctx, "request", "http", line)
	default:
		s.config.Logger.InfoContext(ctx, "request", "http", line)
	}
}

// method is the request's, if HTTP has it: any other word may be anything.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return r.Method
	}
	return "other"
}

// routes are the endpoints of no surface. Probes say whether the process is
// alive, and whether it can do its work: an issuer in trouble is no reason to take
// the server away.
func (s *Server) routes() []api.Route {
	probe := func(check func(context.Context) error) api.Handler {
		return api.Call(api.Anybody, func(ctx context.Context, _ *api.Request[api.None]) (*wire.Done, error) {
			if err := check(ctx); err != nil {
				return nil, countersign.ErrUnavailable.Because(err)
			}
			return &wire.Done{}, nil
		})
	}
	return []api.Route{
		{
			Method: http.MethodGet, Pattern: "/healthz", Handler: probe(func(context.Context) error { return nil }), Unlimited: true,
			Summary: "Says that the process is alive.",
		},
		{
			Method: http.MethodGet, Pattern: "/readyz", Handler: probe(s.ready), Unlimited: true,
			Summary: "Says whether the server can do its work: the database answers, and the keyset opens it.",
		},
		{
			Method: http.MethodGet, Pattern: "/openapi.json", Handler: api.Call(api.Anybody, s.openAPI),
			Summary: "Gives this document.",
		},
	}
}

// ready reads through the schema and opens what it reads with the keyset. However
// many ask at once, one of them asks the database: nothing else limits them.
func (s *Server) ready(ctx context.Context) error {
	_, err, _ := s.asking.Do("ready", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime) // who asked first may leave first
		defer cancel()
		return nil, s.readable(ctx)
	})
	return err
}

func (s *Server) readable(ctx context.Context) error {
	return s.store.View(ctx, func(tx *store.Tx) error {
		sealed, err := tx.WorkspaceFact(ctx, signing.KeysetFact)
		if err != nil {
			return err
		}
		return s.keyset.CheckWord(sealed)
	})
}

// private is what only the operator's own network may see.
func (s *Server) private() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
