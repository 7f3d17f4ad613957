package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

func TestSourceBackoff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.issuer.Misbehave(issuertest.Down)
	for n, want := range []time.Duration{5 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
		refusal := r.mustRefuse(r.kid, trust.KeysUnavailable)
		if refusal.RetryAfter != want {
			t.Errorf("after failure %d: retry after %s, want %s", n+1, refusal.RetryAfter, want)
		}
		if refusal.Cause == nil || refusal.Cause.Error() != "the answer is 500, not 200" {
			t.Errorf("cause %v, want the answer is 500, not 200", refusal.Cause)
		}
		r.clock.Advance(want - 1)
		r.mustRefuse(r.kid, trust.KeysUnavailable) // at once, without asking
		r.mustHaveAsked(n + 1)
		r.clock.Advance(1)
	}
	r.mustBe(trust.StateNeverFetched)
	if h := r.health(); h.Failing != 6 || h.Counts.Failures != 6 || h.LastError == nil {
		t.Errorf("health %+v, want 6 failures", h)
	}
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.mustHave(r.kid)
	if h := r.health(); h.Failing != 0 || h.Counts.Failures != 6 || h.LastError == nil {
		t.Errorf("health %+v, want none failing and the last error kept", h)
	}
}

// Nodes and sources do not come back all at once.
func TestSourceBackoffJitter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sources.SetJitter(0.5)
	r.issuer.Misbehave(issuertest.Down)
	if got := r.mustRefuse(r.kid, trust.KeysUnavailable).RetryAfter; got != 5500*time.Millisecond {
		t.Errorf("retry after %s, want 5.5 s", got)
	}
}

// The last good set serves while the issuer fails, until it is too old.
func TestSourceLastGoodSet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	r.issuer.Misbehave(issuertest.Down)
	for range 24*60 - 1 {
		r.clock.Advance(time.Minute)
		r.mustHave(r.kid)
		r.sources.Settle()
	}
	r.mustBe(trust.StateStale)
	if n := r.issuer.Requests(); n > 24*60/5+5 {
		t.Errorf("%d requests in a day of failure, want one in five minutes", n)
	}
	if refusal := r.mustRefuse("unknown", trust.KeysUnavailable); refusal.RetryAfter > 5*time.Minute {
		t.Errorf("retry after %s, want at most 5 min", refusal.RetryAfter)
	}
	r.clock.Advance(time.Minute)
	r.mustHave(r.kid)
	r.sources.Settle()
	r.clock.Advance(1)
	r.mustBe(trust.StateExpired)
	refusal := r.mustRefuse(r.kid, trust.KeysUnavailable)
	for _, text := range []string{refusal.Expected, refusal.Received} {
		if strings.Contains(text, issuertest.Host) || strings.Contains(text, "500") {
			t.Errorf("the refusal tells a caller %q", text)
		}
	}
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.clock.Advance(5 * time.Minute)
	r.mustHave(r.kid)
	r.mustBe(trust.StateFresh)
}

func TestSourceArchive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	r.sources.Settle()
	fetched := r.clock.Now()
	kept := r.archive.only(t)
	if !kept.FetchedAt.Equal(fetched) || kept.URL != r.issuer.JWKSURL() || kept.EnvironmentID != r.env || kept.ETag == "" || len(kept.Body) == 0 {
		t.Fatalf("kept %+v", kept)
	}

	// A restart while the issuer is down, an hour later.
	r.issuer.Misbehave(issuertest.Down)
	r.clock.Advance(time.Hour)
	r.restart()
	r.mustHave(r.kid)
	r.mustHaveAsked(2) // stale, so it was tried
	r.mustBe(trust.StateStale)
	r.mustRefuse("unknown", trust.KeysUnavailable)

	// The issuer is back and vouches for the set that we kept.
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.clock.Advance(5 * time.Second)
	r.mustHave(r.kid)
	r.mustHaveAsked(3)
	if n := r.issuer.NotModified(); n != 1 {
		t.Errorf("%d answers 304, want 1", n)
	}
	if kept := r.archive.only(t); !kept.FetchedAt.Equal(r.clock.Now()) || kept.FreshUntil.Sub(kept.FetchedAt) != 15*time.Minute {
		t.Errorf("kept from %s until %s, want the moment of the 304 and 15 min", kept.FetchedAt, kept.FreshUntil)
	}

	// A fresh one is believed without asking; one that is too old is not.
	r.restart()
	r.mustHave(r.kid)
	r.mustHaveAsked(3)
	r.mustBe(trust.StateFresh)
	r.clock.Advance(24*time.Hour + 1)
	r.issuer.Misbehave(issuertest.Down)
	r.restart()
	r.mustRefuse(r.kid, trust.KeysUnavailable)
	r.mustHaveAsked(4)
}

// Another node's set is found once our own fetch has failed.
func TestSourceArchiveOfAnotherNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.issuer.Misbehave(issuertest.Down)
	r.mustRefuse(r.kid, trust.KeysUnavailable)
	ours, set := r.sources, r.set
	r.restart()
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.mustHave(r.kid)
	r.sources.Settle()
	r.sources, r.set = ours, set
	r.issuer.Misbehave(issuertest.Down)
	r.clock.Advance(5 * time.Second)
	r.mustHave(r.kid)
	r.mustHaveAsked(3)
}

func TestSourceArchiveTrouble(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*rig){
		"error":    func(r *rig) { r.archive.err = errors.New("disk on fire") },
		"not JSON": func(r *rig) { r.spoil(func(s *countersign.KeySetSnapshot) { s.Body = []byte("{") }) },
		"future": func(r *rig) {
			r.spoil(func(s *countersign.KeySetSnapshot) { s.FetchedAt = s.FetchedAt.AddDate(9, 0, 0) })
		},
		"forever": func(r *rig) {
			r.spoil(func(s *countersign.KeySetSnapshot) { s.FreshUntil = s.FreshUntil.AddDate(9, 0, 0) })
		},
	} {
		r := newRig(t)
		r.mustHave(r.kid)
		r.sources.Settle()
		spoil(r)
		r.restart()
		r.mustHave(r.kid)
		r.sources.Settle()
		if h := r.health(); h.Age != 0 || h.FreshUntil.Sub(r.clock.Now()) > 24*time.Hour {
			t.Errorf("%s: age %s, fresh until %s", name, h.Age, h.FreshUntil)
		}
		second := r.issuer.Rotate()
		r.clock.Advance(24 * time.Hour)
		r.mustHave(r.kid)
		r.sources.Settle()
		r.mustHave(second)
	}
}

func (r *rig) spoil(how func(*countersign.KeySetSnapshot)) {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	for key, set := range r.archive.sets {
		how(&set)
		r.archive.sets[key] = set
	}
}

func TestSourceClockGoesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mustHave(r.kid)
	r.clock.Advance(time.Minute)
	r.mustRefuse("unknown", trust.KeyNotFound)
	r.clock.Advance(-365 * 24 * time.Hour)
	second := r.issuer.Rotate()
	r.mustHave(r.kid) // age zero, and refreshed as soon as the limits allow
	if age := r.health().Age; age != 0 {
		t.Errorf("age %s, want 0", age)
	}
	r.sources.Settle()
	r.clock.Advance(time.Minute)
	r.mustHave(r.kid)
	r.sources.Settle()
	r.mustHave(second)
	r.mustBe(trust.StateFresh)

	// The same while the issuer fails: the wait is not a year long.
	r.issuer.Misbehave(issuertest.Down)
	r.clock.Advance(48 * time.Hour)
	r.mustRefuse(r.kid, trust.KeysUnavailable)
	r.clock.Advance(-365 * 24 * time.Hour)
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.mustHave(r.kid)
	r.sources.Settle()
	r.clock.Advance(6 * time.Minute)
	r.mustHave(r.kid)
	r.sources.Settle()
	r.mustBe(trust.StateFresh)
}

func TestSourcesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sources.SetLargest(3)
	for n := range 10 {
		set := r.sources.KeySet(r.env, fmt.Sprintf("%s?%d", r.issuer.JWKSURL(), n))
		if _, err := set.Keys(t.Context(), r.kid); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(time.Minute)
		r.mustHave(r.kid) // used all the time
	}
	list := r.sources.Health()
	if len(list) != 3 || list[0].URL != r.issuer.JWKSURL() || !strings.HasSuffix(list[2].URL, "?9") {
		t.Errorf("%d sources, want the one in use and the last two", len(list))
	}
	r.mustHaveAsked(11)
}

func TestSourceTooManyFlights(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.issuer.Misbehave(issuertest.SlowHeaders)
	for range trust.MaxFlights {
		set := r.sources.KeySet(countersign.NewID[countersign.EnvironmentID](countersign.Test), r.issuer.JWKSURL())
		go func() { _, _ = set.Keys(t.Context(), "") }()
	}
	for range trust.MaxFlights {
		<-r.issuer.Arrived()
	}
	if refusal := r.mustRefuse(r.kid, trust.KeysUnavailable); refusal.RetryAfter != time.Second {
		t.Errorf("retry after %s, want 1 s", refusal.RetryAfter)
	}
	r.issuer.Release()
	r.sources.Settle()
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.mustHave(r.kid)
}

// What the operator needs is in the log, the cause and the health, and tells the
// next step.
func TestSourceTellsTheOperator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var log bytes.Buffer
	sources, err := trust.NewSources(trust.SourcesConfig{
		Now: r.clock.Now, Logger: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.sources, r.set = sources, sources.KeySet(r.env, r.issuer.JWKSURL())
	refusal := r.mustRefuse(r.kid, trust.KeysUnavailable)
	r.mustHaveAsked(0)
	const want = "127.0.0.1 is a loopback address; start the server with --jwks-allow-private 127.0.0.1 if you mean it"
	if !errors.Is(refusal, trust.ErrForbiddenAddress) || !strings.Contains(refusal.Error(), want) {
		t.Errorf("refusal %v, want cause %s", refusal, want)
	}
	if strings.Contains(refusal.Expected+refusal.Received, issuertest.Host) {
		t.Errorf("the refusal tells a caller %q, %q", refusal.Expected, refusal.Received)
	}
	if got := r.health().LastError; got == nil || !strings.Contains(got.Error(), want) {
		t.Errorf("last error %v, want %s", got, want)
	}
	if !strings.Contains(log.String(), want) || !strings.Contains(log.String(), r.env.String()) {
		t.Errorf("log %s, want %s", log.String(), want)
	}
}

func TestNewSourcesRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		cfg  trust.SourcesConfig
		want string
	}{
		{trust.SourcesConfig{}, "key set sources: Now is required"},
		{trust.SourcesConfig{Now: clock, MaxStale: time.Minute}, "key sets may be 1 min old at most, which is less than the 5 min for which they are fresh"},
		{trust.SourcesConfig{Now: clock, AllowPrivate: []string{"10.0.0.1/8"}}, `--jwks-allow-private "10.0.0.1/8": not a network such as 10.1.0.0/16, with no bits set beyond its length`},
		{trust.SourcesConfig{Now: clock, AllowPrivate: []string{"*.internal"}}, `--jwks-allow-private "*.internal": not a host name, an IP address or a network such as 10.1.0.0/16`},
	} {
		if _, err := trust.NewSources(row.cfg); err == nil || err.Error() != row.want {
			t.Errorf("NewSources(%v) = %v, want %s", row.cfg.AllowPrivate, err, row.want)
		}
	}
}

func BenchmarkSourceKeys(b *testing.B) {
	r := newRig(b)
	if _, err := r.set.Keys(b.Context(), r.kid); err != nil {
		b.Fatal(err)
	}
	url := r.issuer.JWKSURL()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.sources.KeySet(r.env, url).Keys(b.Context(), r.kid); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
