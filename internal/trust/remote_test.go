package trust_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

// movingClock is a clock that moves when it is told to.
type movingClock struct{ nanos atomic.Int64 }

func newClock() *movingClock {
	c := new(movingClock)
	c.nanos.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *movingClock) Now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *movingClock) Advance(d time.Duration) { c.nanos.Add(int64(d)) }

// memoryArchive is an Archive that forgets with the test.
type memoryArchive struct {
	mu   sync.Mutex
	sets map[string]countersign.KeySetSnapshot
	err  error
}

func (a *memoryArchive) LoadKeySet(_ context.Context, env countersign.EnvironmentID, url string) (countersign.KeySetSnapshot, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	set, ok := a.sets[env.String()+" "+url]
	return set, ok && a.err == nil, a.err
}

func (a *memoryArchive) SaveKeySet(_ context.Context, s countersign.KeySetSnapshot) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sets == nil {
		a.sets = make(map[string]countersign.KeySetSnapshot)
	}
	a.sets[s.EnvironmentID.String()+" "+s.URL] = s
	return a.err
}

func (a *memoryArchive) only(t *testing.T) countersign.KeySetSnapshot {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, set := range a.sets {
		if len(a.sets) == 1 {
			return set
		}
	}
	t.Fatalf("the archive has %d sets, want 1", len(a.sets))
	return countersign.KeySetSnapshot{}
}

// rig is an issuer and the sources that watch it.
type rig struct {
	t       testing.TB
	clock   *movingClock
	issuer  *issuertest.Issuer
	env     countersign.EnvironmentID
	archive *memoryArchive
	sources *trust.Sources
	set     trust.KeySet
	kid     string // of the issuer's first key
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock(), archive: new(memoryArchive)}
	r.issuer = issuertest.New(t, issuertest.Clock(r.clock.Now), issuertest.Algorithms(countersign.ES256))
	r.env = countersign.NewID[countersign.EnvironmentID](countersign.Test)
	r.kid = r.issuer.KeyID("")
	r.restart()
	return r
}

// restart forgets all but the archive.
func (r *rig) restart() {
	r.t.Helper()
	sources, err := trust.NewSources(trust.SourcesConfig{Now: r.clock.Now, Archive: r.archive, AllowPrivate: []string{issuertest.Host}})
	if err != nil {
		r.t.Fatal(err)
	}
	sources.SetJitter(0)
	r.sources = sources
	r.set = sources.KeySet(r.env, r.issuer.JWKSURL())
	r.t.Cleanup(sources.Settle)
}

func (r *rig) mustHave(kid string) {
	r.t.Helper()
	keys, err := r.set.Keys(r.t.Context(), kid)
	if err != nil || len(keys) != 1 || keys[0].ID != kid {
		r.t.Fatalf("Keys(%q) = %v, %v, want that key", kid, keys, err)
	}
}

func (r *rig) mustRefuse(kid string, want trust.Reason) *trust.Refusal {
	r.t.Helper()
	keys, err := r.set.Keys(r.t.Context(), kid)
	refusal, ok := errors.AsType[*trust.Refusal](err)
	if !ok || refusal.Reason != want || keys != nil {
		r.t.Fatalf("Keys(%q) = %v, %v, want reason %s", kid, keys, err, want)
	}
	return refusal
}

func (r *rig) mustHaveAsked(times int) {
	r.t.Helper()
	r.sources.Settle()
	if got := r.issuer.Requests(); got != times {
		r.t.Fatalf("the issuer saw %d requests, want %d", got, times)
	}
}

func (r *rig) health() trust.SourceHealth {
	r.t.Helper()
	list := r.sources.Health()
	if len(list) != 1 {
		r.t.Fatalf("Health() has %d sources, want 1", len(list))
	}
	return list[0]
}

func (r *rig) mustBe(state trust.SourceState) {
	r.t.Helper()
	if got := r.health().State; got != state {
		r.t.Fatalf("state %s, want %s", got, state)
	}
}

func TestSourceFirstFetch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if len(r.sources.Health()) != 0 || r.issuer.Requests() != 0 {
		t.Fatal("KeySet fetched before it was asked for keys")
	}
	r.issuer.Misbehave(issuertest.SlowHeaders)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if keys, err := r.set.Keys(t.Context(), r.kid); err != nil || len(keys) != 1 {
				t.Errorf("Keys(known) = %v, %v", keys, err)
			}
		})
	}
	<-r.issuer.Arrived()
	r.mustBe(trust.StateNeverFetched)
	r.issuer.Release()
	all.Wait()
	r.mustHaveAsked(1)
	r.mustBe(trust.StateFresh)

	keys, err := r.set.Keys(t.Context(), "")
	if err != nil || len(keys) != 1 {
		t.Errorf("Keys(no kid) = %v, %v, want all keys", keys, err)
	}
	r.mustHaveAsked(1)
}

func TestSourceFreshness(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		maxAge time.Duration
		want   time.Duration
	}{
		{-1, 15 * time.Minute},
		{0, 5 * time.Minute},
		{time.Minute, 5 * time.Minute},
		{time.Hour, time.Hour},
		{400 * 24 * time.Hour, 24 * time.Hour},
	} {
		r := newRig(t)
		r.issuer.SetMaxAge(row.maxAge)
		r.mustHave(r.kid)
		h := r.health()
		if got := h.FreshUntil.Sub(h.FetchedAt); got != row.want {
			t.Errorf("max-age %s: fresh for %s, want %s", row.maxAge, got, row.want)
		}
		// A 304 that says nothing leaves it at that, one that does changes it.
		for _, next := range []time.Duration{-1, 2 * time.Hour} {
			r.issuer.SetMaxAge(next)
			r.clock.Advance(row.want)
			r.mustHave(r.kid)
			r.sources.Settle()
			h = r.health()
			if next > 0 {
				row.want = next
			}
			if got := h.FreshUntil.Sub(h.FetchedAt); got != row.want || h.Age != 0 {
				t.Errorf("304 with max-age %s: fresh for %s from %s ago, want %s", next, got, h.Age, row.want)
			}
		}
		if n := r.issuer.NotModified(); n != 2 {
			t.Errorf("%d answers 304, want 2", n)
		}
	}
}

// A set that is stale serves at once, is refreshed by the request that met it,
// and what the issuer removed is gone.
func TestSourceStaleIsRefreshedByRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	second := r.issuer.Rotate()
	r.issuer.RemoveKey(r.kid)

	r.clock.Advance(15*time.Minute - 1)
	r.mustHave(r.kid)
	r.mustHaveAsked(1)
	r.clock.Advance(1)
	r.mustBe(trust.StateStale)
	<-r.issuer.Arrived()
	r.issuer.Misbehave(issuertest.SlowHeaders)
	for range 100 {
		r.mustHave(r.kid) // does not wait
	}
	<-r.issuer.Arrived()
	r.mustHave(r.kid)
	r.issuer.Release()
	r.mustHaveAsked(2)
	r.issuer.Misbehave(issuertest.WellBehaved)

	refusal := r.mustRefuse(r.kid, trust.KeyNotFound) // looked for once more
	if want := `["` + second + `"], refreshed 1 s ago`; refusal.Expected != want {
		t.Errorf("expected %s, want %s", refusal.Expected, want)
	}
	if want := `"` + r.kid + `"`; refusal.Received != want {
		t.Errorf("received %s, want %s", refusal.Received, want)
	}
	r.mustHaveAsked(3)
	r.mustBe(trust.StateFresh)
}

func TestSourceUnknownKeyIsLookedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	second := r.issuer.Rotate()
	r.mustHave(second) // at once: nobody has looked for a key yet
	r.mustHaveAsked(2)

	r.clock.Advance(time.Minute) // past the two requests a minute
	third := r.issuer.Rotate()
	r.mustHave(third)
	r.mustHaveAsked(3)
	fourth := r.issuer.Rotate()
	r.mustRefuse(fourth, trust.KeyNotFound)
	r.clock.Advance(30*time.Second - 1)
	r.mustRefuse(fourth, trust.KeyNotFound)
	r.mustHaveAsked(3)
	r.clock.Advance(1)
	r.mustHave(fourth)
	r.mustHave(r.kid)
	r.mustHaveAsked(4)
}

// Whoever makes the first request for a key set with a key that is not in it has
// the answer; the issuer is not asked again for the same caller.
func TestSourceFirstFetchIsTheLastWord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustRefuse("made up", trust.KeyNotFound)
	r.mustHaveAsked(1)
}

// However many kids are made up, an issuer sees two requests a minute.
func TestSourceFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	asked := []time.Time{r.clock.Now()}
	const kids, step = 10_000, 60 * time.Millisecond // ten minutes
	for n := range kids {
		r.clock.Advance(step)
		r.mustRefuse("made up "+time.Duration(n).String(), trust.KeyNotFound)
		if r.issuer.Requests() > len(asked) {
			asked = append(asked, r.clock.Now())
		}
		r.mustHave(r.kid)
	}
	for i := 2; i < len(asked); i++ {
		if within := asked[i].Sub(asked[i-2]); within < time.Minute {
			t.Errorf("three requests within %s", within)
		}
	}
	if n := len(asked); n < 18 || n > 21 {
		t.Errorf("%d requests in ten minutes, want about 20", n)
	}
	if got := r.health().Counts.Suppressed; got < kids-21 {
		t.Errorf("%d refetches suppressed, want nearly %d", got, kids)
	}
}

// The bound holds when the issuer fails and comes back, too.
func TestSourceFloodOfFailingIssuer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var asked []time.Time
	for n := range 60 * 60 {
		mode := issuertest.Down
		if n/7%3 == 0 {
			mode = issuertest.WellBehaved
		}
		r.issuer.Misbehave(mode)
		_, _ = r.set.Keys(t.Context(), "made up "+time.Duration(n).String())
		r.sources.Settle()
		if r.issuer.Requests() > len(asked) {
			asked = append(asked, r.clock.Now())
		}
		r.clock.Advance(time.Second)
	}
	for i := 2; i < len(asked); i++ {
		if within := asked[i].Sub(asked[i-2]); within < time.Minute {
			t.Errorf("three requests within %s", within)
		}
	}
}

func TestSourceKnownKeyNeverWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	<-r.issuer.Arrived()
	r.clock.Advance(time.Minute)
	second := r.issuer.Rotate()
	r.issuer.Misbehave(issuertest.SlowHeaders)

	leaving, leave := context.WithCancel(t.Context())
	var left, stayed error
	var leaver, stayer sync.WaitGroup
	leaver.Go(func() { _, left = r.set.Keys(leaving, second) })
	<-r.issuer.Arrived()
	stayer.Go(func() { _, stayed = r.set.Keys(t.Context(), second) })

	for range 1000 {
		r.mustHave(r.kid) // while the issuer hangs
	}
	leave()
	leaver.Wait()
	refusal, ok := errors.AsType[*trust.Refusal](left)
	if !ok || refusal.Reason != trust.KeysUnavailable || !errors.Is(left, context.Canceled) || refusal.RetryAfter <= 0 {
		t.Errorf("Keys(unknown) of a caller who left = %v, want keys_unavailable because of context.Canceled", left)
	}
	r.issuer.Release()
	stayer.Wait()
	if stayed != nil {
		t.Errorf("Keys(new key) of the caller who stayed = %v, want the key", stayed)
	}
	r.mustHaveAsked(2) // one flight for both
}

func TestSourceEnvironmentsShareNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	other := r.sources.KeySet(countersign.NewID[countersign.EnvironmentID](countersign.Test), r.issuer.JWKSURL())
	if _, err := other.Keys(t.Context(), r.kid); err != nil {
		t.Fatal(err)
	}
	r.mustHaveAsked(2)
	if n := len(r.sources.Health()); n != 2 {
		t.Errorf("Health() has %d sources, want 2", n)
	}
}

func TestSourceSkippedKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.issuer.SetBody([]byte(`{"keys":[{"kty":"AKP","alg":"ML-DSA-65","kid":"pq","pub":"AAAA"}]}`))
	refusal := r.mustRefuse("pq", trust.KeyUnusable)
	if want := `"pq", skipped: key type AKP (ML-DSA) is not supported yet`; refusal.Received != want {
		t.Errorf("received %s, want %s", refusal.Received, want)
	}
	if refusal := r.mustRefuse("", trust.KeyUnusable); !strings.HasPrefix(refusal.Received, "no kid, skipped: ") {
		t.Errorf("received %s, want no kid", refusal.Received)
	}
	r.mustHaveAsked(1)
	r.mustRefuse("other", trust.KeyNotFound)
	r.mustHaveAsked(2)
	want := []trust.SkippedKey{{KeyID: "pq", Index: 0, Why: "key type AKP (ML-DSA) is not supported yet"}}
	if got := r.health().Skipped; !slices.Equal(got, want) {
		t.Errorf("skipped %v, want %v", got, want)
	}
	r.issuer.SetBody([]byte(`{"keys":[]}`))
	r.clock.Advance(time.Hour)
	r.mustRefuse("pq", trust.KeyUnusable) // stale; refreshed on the side
	r.mustHaveAsked(3)
	r.mustRefuse("pq", trust.KeyNotFound) // looked for
	r.mustRefuse("", trust.KeyNotFound)
	r.mustHaveAsked(4)
}
