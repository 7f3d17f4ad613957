package api

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/api/wire"
)

func TestUntilTick(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		0: tick, time.Microsecond: tick - time.Microsecond, tick - 1: 1, tick: tick, tick + 1: tick - 1, 7*tick + 3: tick - 3,
		-time.Hour: tick, // a clock that was put back
	} {
		if got := untilTick(took); got != want {
			t.Errorf("after %v: %v to the next tick, want %v", took, got, want)
		}
	}
}

// TestEvenly holds that refusals wait, whatever they are, and nothing else does.
func TestEvenly(t *testing.T) {
	t.Parallel()
	ticks := NewTicks(time.Now)
	begin := time.Now()
	answers := func(err error) error {
		_, got := Evenly(ticks, func(context.Context, *Request[None]) (*wire.Done, error) { return &wire.Done{}, err })(t.Context(), &Request[None]{})
		return got
	}
	for range 3 {
		if err := answers(nil); err != nil {
			t.Fatal(err)
		}
	}
	if ticks.sleeper.watch || ticks.sleeper.asleep != nil {
		t.Error("what was accepted waited")
	}
	refusal := errors.New("refused")
	for range 3 {
		if err := answers(refusal); err != refusal { //nolint:errorlint // the very same
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < 3*tick-time.Millisecond {
		t.Errorf("three refusals took %v", took)
	}
}

// TestSleeper holds that nobody wakes early, that everybody wakes, and that who
// leaves does so at once.
func TestSleeper(t *testing.T) {
	t.Parallel()
	var s sleeper
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			d := time.Duration(i%7) * time.Millisecond
			begin := time.Now()
			s.sleep(t.Context(), d)
			if took := time.Since(begin); took < d {
				t.Errorf("slept %v of %v", took, d)
			}
		})
	}
	group.Wait()
	s.sleep(t.Context(), 0)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		s.sleep(gone, 50*time.Millisecond)
		close(done)
	}()
	<-done // before its time, or the next check fails
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asleep) != 1 {
		t.Errorf("%d are asleep, want the one who left", len(s.asleep))
	}
}
