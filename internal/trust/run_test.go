package trust_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

// run starts Run; tick makes it look once, and waits for what it began.
func (r *rig) run() (tick, stop func()) {
	r.t.Helper()
	ticks, ended := make(chan time.Time), make(chan error, 1)
	r.sources.SetTicks(ticks)
	ctx, cancel := context.WithCancel(r.t.Context())
	go func() { ended <- r.sources.Run(ctx) }()
	r.t.Cleanup(cancel)
	tick = func() {
		ticks <- r.clock.Now()
		ticks <- r.clock.Now() // taken when the first was dealt with
		r.sources.Settle()
	}
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("Run = %v, want nil", err)
		}
	}
	return tick, stop
}

func TestRunRefreshes(t *testing.T) {
	t.Parallel()
	for _, jitter := range []float64{0, 0.5, 0.999} {
		r := newRig(t)
		r.sources.SetJitter(jitter)
		tick, stop := r.run()
		r.mustHave(r.kid)
		due := time.Duration((0.7 + jitter/10) * float64(15*time.Minute))
		r.clock.Advance(due - 1)
		tick()
		r.mustHaveAsked(1)
		r.clock.Advance(1)
		tick()
		r.mustHaveAsked(2)
		if n := r.issuer.NotModified(); n != 1 {
			t.Errorf("%d answers 304, want 1", n)
		}
		if h := r.health(); h.Counts.Unchanged != 1 || h.Age != 0 {
			t.Errorf("health %+v, want one unchanged and age 0", h)
		}
		// Nobody asks, the key is removed, and still it is known in time.
		second := r.issuer.Rotate()
		r.issuer.RemoveKey(r.kid)
		r.clock.Advance(due)
		tick()
		r.mustHaveAsked(3)
		r.mustRefuse(r.kid, trust.KeyNotFound)
		r.mustHave(second)
		stop()
	}
}

func TestRunRetries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tick, stop := r.run()
	r.issuer.Misbehave(issuertest.Down)
	r.mustRefuse(r.kid, trust.KeysUnavailable)
	tick()
	r.mustHaveAsked(1)
	r.clock.Advance(5 * time.Second)
	tick()
	r.mustHaveAsked(2)
	r.issuer.Misbehave(issuertest.WellBehaved)
	r.clock.Advance(time.Minute)
	tick()
	r.mustHaveAsked(3)
	r.mustBe(trust.StateFresh)
	stop()
}

func TestRunDropsTheIdle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tick, stop := r.run()
	r.mustHave(r.kid)
	for range 24 * 4 {
		r.clock.Advance(15 * time.Minute)
		tick()
	}
	if n := len(r.sources.Health()); n != 0 {
		t.Fatalf("%d sources after a day without use, want 0", n)
	}
	asked := r.issuer.Requests()
	r.clock.Advance(time.Hour)
	tick()
	r.mustHaveAsked(asked)
	r.mustHave(r.kid) // the archive has it
	stop()
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tick, stop := r.run()
	r.mustHave(r.kid)
	<-r.issuer.Arrived()
	tick()
	r.clock.Advance(time.Minute)
	r.issuer.Misbehave(issuertest.Hang)
	waited := make(chan error, 1)
	go func() {
		_, err := r.set.Keys(t.Context(), "unknown")
		waited <- err
	}()
	<-r.issuer.Arrived()
	stop() // returns because it ends the flight
	if refusal, ok := errors.AsType[*trust.Refusal](<-waited); !ok || refusal.Reason != trust.KeysUnavailable {
		t.Errorf("Keys(unknown) = %v, want keys_unavailable", refusal)
	}
	r.mustHave(r.kid)
	r.clock.Advance(10 * time.Minute)
	r.mustRefuse("unknown", trust.KeysUnavailable)
	r.clock.Advance(10 * time.Minute)
	r.mustHave(r.kid) // stale, and served on
	r.mustHaveAsked(2)
	if err := r.sources.Run(t.Context()); err == nil {
		t.Error("a second Run = nil, want an error")
	}
}
