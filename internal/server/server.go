// Package server puts everything together: New wires it by hand, top to bottom;
// Run listens, and ends it all in order.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/b2b"
	"github.com/countersign-auth/countersign/internal/api/consumer"
	"github.com/countersign-auth/countersign/internal/api/frontend"
	"github.com/countersign-auth/countersign/internal/api/management"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/dashboard"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/eventstream"
	"github.com/countersign-auth/countersign/internal/limit"
	"github.com/countersign-auth/countersign/internal/openapi"
	"github.com/countersign-auth/countersign/internal/operator"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// Server is a wired server. It answers requests (it is an http.Handler) from New
// on; Run adds the listeners and what goes on in the background.
type Server struct {
	// NewWorkspaceKey is the key that this start made; its ID is "" if it made
	// none. It is kept nowhere else.
	NewWorkspaceKey project.WorkspaceKey
	// NewDashboardLink is the path, with its query, that signs the first operator
	// in, once and within 15 minutes; "" if this start made no workspace key.
	NewDashboardLink countersign.Bearer

	config    Config
	store     *store.Store
	keyset    *signing.Keyset
	sources   *trust.Sources
	keyring   *signing.Keyring
	sessions  *session.Service
	verdicts  *verdict.Book
	streams   *eventstream.Service
	operators *operator.Service
	pages     http.Handler // of the dashboard
	metrics   *telemetry.Metrics
	router    *api.Router
	proxies   []netip.Prefix
	relayed   atomic.Bool // an unknown proxy has been told of
	asking    singleflight.Group
	document  []byte // OpenAPI
}

// New opens the database and the keyset and wires the server. It asks nothing of
// the network but a PostgreSQL database.
func New(ctx context.Context, c Config) (_ *Server, err error) {
	if err := c.setDefaults(); err != nil {
		return nil, err
	}
	s := &Server{config: c, metrics: telemetry.NewMetrics()}
	if s.proxies, err = parseProxies(c.TrustedProxies); err != nil {
		return nil, err
	}
	if s.store, err = store.Open(ctx, store.Config{Database: c.Database, Now: c.Now}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	if s.keyset, err = s.openKeyset(ctx); err != nil {
		return nil, err
	}
	s.sources, err = trust.NewSources(trust.SourcesConfig{
		Now: c.Now, Archive: s.store, AllowPrivate: c.JWKSAllowPrivate, Logger: c.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("--jwks-allow-private: %w", err)
	}
	if err := s.metrics.Register(sourceCollector{s.sources}); err != nil {
		return nil, err
	}

	s.keyring = signing.NewKeyring(signing.Config{Store: s.store, Keyset: s.keyset, Now: c.Now, Logger: c.Logger})
	rules := standing.NewBook(s.store)
	guard := trust.GuardConfig{AllowPrivate: c.JWKSAllowPrivate}
	userinfo, err := trust.NewUserinfo(guard)
	if err != nil {
		return nil, fmt.Errorf("--jwks-allow-private: %w", err)
	}
	discovery, err := trust.NewDiscovery(guard)
	if err != nil {
		return nil, fmt.Errorf("--jwks-allow-private: %w", err)
	}
	poster, err := trust.NewPoster(guard, c.Now)
	if err != nil {
		return nil, fmt.Errorf("--jwks-allow-private: %w", err)
	}
	verifier := trust.NewVerifier(c.Now, s.sources.KeySet)
	s.verdicts = verdict.New(verdict.Config{
		Store: s.store, Metrics: s.metrics, Logger: c.Logger, Now: c.Now, Keep: c.VerdictsKeep, PerMinute: c.VerdictsPerMinute,
	})
	projects := &project.Service{Config: project.Config{
		Store: s.store, Keyring: s.keyring, Verifier: verifier, Discovery: discovery, Now: c.Now,
		NewTokenKey: func(env countersign.EnvironmentID) ([]byte, error) { return session.NewTokenKey(s.keyset, env) },
	}}
	s.sessions = session.New(session.Config{
		Store: s.store, Verifier: verifier, Keyring: s.keyring, Keyset: s.keyset,
		Rules: rules, Userinfo: userinfo, Verdicts: s.verdicts, Metrics: s.metrics, Logger: c.Logger, Now: c.Now,
	})
	s.streams = &eventstream.Service{Config: eventstream.Config{
		Store: s.store, Keyset: s.keyset, Poster: poster, DatadogURL: eventstream.SiteURL, Metrics: s.metrics, Logger: c.Logger, Now: c.Now,
		Encode: func(e countersign.Event) ([]byte, error) { return countersign.EncodeJSON(wire.NewEvent(e)) },
	}}
	key, made, err := projects.EnsureWorkspaceKey(ctx, project.WorkspaceKey{ID: c.WorkspaceKeyID, Secret: c.WorkspaceKeySecret})
	if err != nil {
		return nil, err
	}
	s.operators = &operator.Service{Store: s.store}
	if made {
		s.NewWorkspaceKey = key
		link, err := s.operators.NewLink(ctx, countersign.System(), "owner", countersign.OperatorOwner)
		if err != nil {
			return nil, err
		}
		s.NewDashboardLink = operator.SignInPath(link.Token)
	}

	people := &directory.Service{Store: s.store, Rules: rules}
	secret, flood := api.ProjectSecret(projects), api.ProjectSecretInFlood(projects)
	consumers := &consumer.Surface{
		Authenticate: secret, AuthenticateInFlood: flood,
		Sessions: s.sessions, Directory: people, Projects: projects, Keyring: s.keyring,
	}
	ticks := api.NewTicks(c.Now)
	businesses := &b2b.Surface{
		Authenticate: secret, AuthenticateInFlood: flood, AuthenticatePages: api.PublicToken(projects), Ticks: ticks,
		Sessions: s.sessions, Directory: people, Projects: projects, Keyring: s.keyring,
	}
	pages := &frontend.Surface{
		Authenticate: api.PublicToken(projects), AuthenticateByPath: api.PublicTokenInPath(projects),
		Sessions: s.sessions, Directory: people, Projects: projects, Ticks: ticks,
	}
	operators := &management.Surface{
		Authenticate: api.WorkspaceKey(projects), Projects: projects, Sessions: s.sessions, Verdicts: s.verdicts,
		Keyring: s.keyring, Sources: s.sources, Streams: s.streams, Operators: s.operators,
	}
	limits := api.NewLimits(api.LimitsConfig{
		PerAddress: rate(c.LimitPerAddress), PerCredential: rate(c.LimitPerCredential), InFlight: c.MaxInFlight,
		Refused: s.metrics.Refused, Now: c.Now,
	})
	if err := s.metrics.Load(limits.Load); err != nil {
		return nil, err
	}
	if s.pages, err = dashboard.New(dashboard.Config{
		Operators: s.operators, Projects: projects, Sessions: s.sessions, Directory: people, Verdicts: s.verdicts,
		Keyring: s.keyring, Sources: s.sources, Streams: s.streams, Limits: limits, Now: c.Now,
	}); err != nil {
		return nil, err
	}
	s.router = api.NewRouter(consumers.Routes(), businesses.Routes(), pages.Routes(), businesses.PageRoutes(), operators.Routes(), s.routes())
	s.router.Limits = limits
	s.document, err = openapi.Document(s.router.Routes())
	return s, err
}

func (s *Server) openKeyset(ctx context.Context) (*signing.Keyset, error) {
	var sealed []byte
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		sealed, err = tx.WorkspaceFact(ctx, signing.KeysetFact)
		return err
	})
	empty := errors.Is(err, store.ErrNotFound)
	if err != nil && !empty {
		return nil, err
	}
	keyset, err := s.config.openKeyset(empty)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(ctx, countersign.System(), func(tx *store.Tx) error {
		if sealed, err = tx.WorkspaceFact(ctx, signing.KeysetFact); !errors.Is(err, store.ErrNotFound) {
			return err // another process may have been faster
		}
		if sealed, err = keyset.SealWord(); err != nil {
			return err
		}
		if err := tx.InsertWorkspaceFact(ctx, signing.KeysetFact, sealed); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "workspace.created", signing.KeysetFact, nil)
	})
	if err != nil {
		return nil, err
	}
	return keyset, keyset.CheckWord(sealed)
}

// burstTime is how long what may be asked in a second on average may be saved up.
const burstTime = 5

// rate is a setting as a token bucket; one below 0 is off.
func rate(perSecond int) limit.Rate {
	return limit.Rate{PerSecond: float64(perSecond), Burst: burstTime * perSecond}
}

// Close closes the database. Run does it by itself.
func (s *Server) Close() error { return s.store.Close() }

// How long things may take.
const (
	requestTime = 10 * time.Second
	drainTime   = 10 * time.Second
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 16 << 10
)

// Run serves until ctx ends, then stops accepting, finishes what is in flight
// within ten seconds, and closes the database. ready is called with the API's
// address once it listens; it may be nil.
func (s *Server) Run(ctx context.Context, ready func(addr string)) (err error) {
	defer func() { err = errors.Join(err, s.store.Close()) }()
	var listen net.ListenConfig
	main, err := listen.Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	if s.config.TLS != nil {
		main = tls.NewListener(main, s.config.TLS)
	}
	servers := []*http.Server{s.newHTTP(s)}
	listeners := []net.Listener{main}
	if s.config.MetricsAddr != "" {
		private, err := listen.Listen(ctx, "tcp", s.config.MetricsAddr)
		if err != nil {
			return errors.Join(fmt.Errorf("listen for metrics: %w", err), main.Close())
		}
		servers, listeners = append(servers, s.newHTTP(s.private())), append(listeners, private)
	}
	group, ending := errgroup.WithContext(ctx)
	// Requests in flight still need what goes on in the background: it ends last.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group.Go(func() error { return s.sources.Run(background) })
	group.Go(func() error { return s.keyring.Run(background) })
	group.Go(func() error { return s.sessions.Run(background) })
	group.Go(func() error { return s.streams.Run(background) })
	group.Go(func() error { return s.verdicts.Run(background) })
	for i, server := range servers {
		group.Go(func() error {
			if err := server.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		defer stop()
		<-ending.Done()
		drain, cancel := context.WithTimeout(background, drainTime)
		defer cancel()
		var err error
		for _, server := range servers {
			err = errors.Join(err, server.Shutdown(drain))
		}
		return err
	})
	if ready != nil {
		ready(main.Addr().String())
	}
	return group.Wait()
}

func (s *Server) newHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: 3 * requestTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelWarn),
	}
}
