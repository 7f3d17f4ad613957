package trust

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
)

const (
	// DefaultMaxStale is how old a key set may be at most, counted from the last
	// moment at which the issuer vouched for it, while the issuer cannot be
	// reached.
	DefaultMaxStale = 24 * time.Hour

	minMaxStale = 5 * time.Minute // the shortest time for which a set is fresh
	// maxSources and maxIdle bound what is kept and refreshed: a set that nobody
	// has asked for a day costs its issuer nothing more.
	maxSources = 10_000
	maxIdle    = 24 * time.Hour
	// maxFlights bounds the fetches at one moment, and with it sockets and, at
	// 256 KiB each, memory. Whoever comes above it is told to try again.
	maxFlights = 128
	// tickEvery is how often the background looks for sets to refresh.
	tickEvery = time.Second
)

// Why no fetch was started.
var (
	errBusy     = errors.New("too many key sets are being fetched")
	errStopping = errors.New("the server is stopping")
)

// Archive keeps the last good key sets where they outlive the process.
// *store.Store is one.
type Archive interface {
	// LoadKeySet reads the set of a URL in an environment; false if there is none.
	LoadKeySet(ctx context.Context, env countersign.EnvironmentID, url string) (countersign.KeySetSnapshot, bool, error)
	// SaveKeySet replaces the set of the snapshot's environment and URL.
	SaveKeySet(ctx context.Context, snapshot countersign.KeySetSnapshot) error
}

// SourcesConfig is what NewSources needs. Only Now is required.
type SourcesConfig struct {
	Now          func() time.Time
	Archive      Archive        // nil: every start is from nothing
	AllowPrivate []string       // see GuardConfig
	RootCAs      *x509.CertPool // nil: the system's
	Logger       *slog.Logger   // nil: nothing is logged
	MaxStale     time.Duration  // at least 5 min; 0 is DefaultMaxStale
}

// Sources are the key sets behind URLs, one for each URL in each environment:
// fetched when first asked for, refreshed in the background while they are in
// use, kept through an issuer's failures. All methods may be called from many
// goroutines.
type Sources struct {
	now      func() time.Time
	archive  Archive
	log      *slog.Logger
	maxStale time.Duration
	fetcher  fetcher

	// Tests set these before first use; moving the clock does not reach them.
	ticks   <-chan time.Time // nil: a ticker's
	jitter  func() float64   // in [0, 1)
	largest int              // number of sources

	mu      sync.RWMutex
	sources map[sourceKey]*source

	flightMu sync.Mutex
	flights  map[*flight]context.CancelFunc
	landed   sync.WaitGroup
	running  bool
	stopped  bool
}

// sourceKey tells sources apart. Environments share nothing, not even the set of
// one and the same URL.
type sourceKey struct {
	env countersign.EnvironmentID
	url string
}

// NewSources makes an empty set of sources; it starts nothing and needs no
// network. It refuses a configuration that it does not understand with a
// sentence for the operator.
func NewSources(cfg SourcesConfig) (*Sources, error) {
	if cfg.Now == nil {
		return nil, errors.New("key set sources: Now is required")
	}
	if cfg.MaxStale == 0 {
		cfg.MaxStale = DefaultMaxStale
	}
	if cfg.MaxStale < minMaxStale {
		return nil, fmt.Errorf("key sets may be %s old at most, which is less than the %s for which they are fresh", span(cfg.MaxStale), span(minMaxStale))
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	client, err := NewClient(GuardConfig{AllowPrivate: cfg.AllowPrivate, RootCAs: cfg.RootCAs})
	if err != nil {
		return nil, err
	}
	return &Sources{
		now:      cfg.Now,
		archive:  cfg.Archive,
		log:      cfg.Logger,
		maxStale: cfg.MaxStale,
		fetcher:  fetcher{client: client, headerWait: headerWait, inFull: fetchWait},
		jitter:   rand.Float64,
		largest:  maxSources,
		sources:  make(map[sourceKey]*source),
		flights:  make(map[*flight]context.CancelFunc),
	}, nil
}

// KeySet is the key set at url, for the profiles of env. It costs nothing until
// it is asked for keys: nothing is fetched, nothing is kept.
func (s *Sources) KeySet(env countersign.EnvironmentID, url string) KeySet {
	return remoteSet{sources: s, key: sourceKey{env: env, url: url}}
}

// remoteSet finds its source anew each time, because an idle one is dropped.
type remoteSet struct {
	sources *Sources
	key     sourceKey
}

// Keys answers from the last good set if that has the key, and otherwise waits
// for the issuer where asking it is allowed; see source.keys. The keys are shared
// and must not be changed.
func (r remoteSet) Keys(ctx context.Context, kid string) ([]Key, error) {
	now := r.sources.now()
	return r.sources.source(r.key, now).keys(ctx, kid, now)
}

// source is the source of that key, made if there is none. Above the largest
// number of sources, the one that was not used for the longest time gives way.
func (s *Sources) source(key sourceKey, now time.Time) *source {
	s.mu.RLock()
	src := s.sources[key]
	s.mu.RUnlock()
	if src != nil {
		return src
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := s.sources[key]; src != nil {
		return src
	}
	for len(s.sources) >= s.largest {
		s.evict()
	}
	src = &source{owner: s, key: key, unarchived: s.archive == nil}
	src.used.Store(now.UnixNano())
	s.sources[key] = src
	return src
}

// evict removes the source that was used least recently, to the minute. Looking
// at all of them takes a tenth of a millisecond at most, once for each new URL.
func (s *Sources) evict() {
	var victim *source
	for _, src := range s.sources {
		if victim == nil || src.used.Load() < victim.used.Load() {
			victim = src
		}
	}
	if victim != nil {
		delete(s.sources, victim.key)
	}
}

// all are the sources at this moment.
func (s *Sources) all() []*source {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*source, 0, len(s.sources))
	for _, src := range s.sources {
		list = append(list, src)
	}
	return list
}

// Run refreshes key sets in the background until ctx ends; then it lets no fetch
// begin, ends those under way, waits for them, and returns nil. Known keys are
// served on. Without Run nothing is refreshed ahead of time, but a request that
// meets a stale set has it refreshed. Run can be called once.
func (s *Sources) Run(ctx context.Context) error {
	s.flightMu.Lock()
	again := s.running
	s.running = true
	s.flightMu.Unlock()
	if again {
		return errors.New("key set sources: Run was called twice")
	}
	ticks := s.ticks
	if ticks == nil {
		ticker := time.NewTicker(tickEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			s.stop()
			return nil
		case <-ticks:
			s.sweep(ctx)
		}
	}
}

// sweep refreshes what is due and drops what is idle.
func (s *Sources) sweep(ctx context.Context) {
	now := s.now()
	for _, src := range s.all() {
		if src.idle(now) {
			s.drop(src)
			continue
		}
		src.refreshIfDue(ctx, now)
	}
}

// drop forgets src, unless another one took its place.
func (s *Sources) drop(src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources[src.key] == src {
		delete(s.sources, src.key)
	}
}

// launch runs work on a goroutine of its own, which Run ends and waits for. The
// work belongs to nobody: it goes on when the caller whose ctx it began with
// leaves, for others may wait for it, too.
func (s *Sources) launch(ctx context.Context, f *flight, work func(context.Context)) error {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	switch {
	case s.stopped:
		return errStopping
	case len(s.flights) >= maxFlights:
		return errBusy
	}
	ctx, cancel := context.WithCancel(nobodys{context.WithoutCancel(ctx)}) //nolint:contextcheck // a flight outlives whoever asked first
	s.flights[f] = cancel
	s.landed.Go(func() {
		defer func() {
			cancel()
			s.flightMu.Lock()
			delete(s.flights, f)
			s.flightMu.Unlock()
		}()
		work(ctx)
	})
	return nil
}

// stop ends all flights and waits for them.
func (s *Sources) stop() {
	s.flightMu.Lock()
	s.stopped = true
	for _, cancel := range s.flights {
		cancel()
	}
	s.flightMu.Unlock()
	s.landed.Wait()
}

// nobodys is a context without the values of the request that it came from: what
// many wait for must not be written to one request's event or trace.
type nobodys struct{ context.Context }

func (nobodys) Value(any) any { return nil }

// flight is one piece of work under way for a source. It has landed when done is
// closed; its outcome is then in the source.
type flight struct {
	done    chan struct{}
	fetches bool // from the issuer; otherwise it only reads the archive
}
