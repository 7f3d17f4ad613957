package api

import (
	"context"
	"slices"
	"sync"
	"time"
)

// tick is what the time that a refusal takes is a multiple of.
const tick = 5 * time.Millisecond

// untilTick is how long it is to the next tick after something took so long.
func untilTick(took time.Duration) time.Duration { return tick - max(took, 0)%tick }

// Ticks are when refusals go out.
type Ticks struct {
	now     func() time.Time
	sleeper sleeper
}

// NewTicks is ticks by a clock.
func NewTicks(now func() time.Time) *Ticks { return &Ticks{now: now} }

// Evenly answers what endpoint refuses at the next tick after the request came. What
// a refusal cost would otherwise tell what it was for, such as that somebody is known:
// to find and read a person takes longer than to find nobody (docs/adr/0016).
func Evenly[B any, A enveloped](t *Ticks, endpoint Endpoint[B, A]) Endpoint[B, A] {
	return func(ctx context.Context, r *Request[B]) (A, error) {
		begin := t.now()
		answer, err := endpoint(ctx, r)
		if err != nil {
			t.sleeper.sleep(ctx, untilTick(t.now().Sub(begin)))
		}
		return answer, err
	}
}

// sleeper wakes goroutines on time, however many, on one thread. A timer of the
// runtime is late by up to a millisecond in an idle process, and that counts from
// when the process fell idle: it would hand on what it is to hide.
type sleeper struct {
	mu     sync.Mutex
	asleep []nap // by time
	watch  bool  // a goroutine sees to them
}

type nap struct {
	until time.Time
	over  chan struct{}
}

// sleep returns after d, or when ctx ends.
func (s *sleeper) sleep(ctx context.Context, d time.Duration) {
	n := nap{until: time.Now().Add(d), over: make(chan struct{})} //nolint:forbidigo // sleep is real, whatever the clock says
	s.mu.Lock()
	i, _ := slices.BinarySearchFunc(s.asleep, n, func(a, b nap) int { return a.until.Compare(b.until) })
	s.asleep = slices.Insert(s.asleep, i, n)
	if !s.watch {
		s.watch = true
		go s.keepWatch()
	}
	s.mu.Unlock()
	select {
	case <-n.over:
	case <-ctx.Done():
	}
}

// keepWatch wakes them one after the other until nobody is asleep. Whoever comes
// while it waits, and is to be woken before that, is woken then: by a tick at most.
func (s *sleeper) keepWatch() {
	for {
		s.mu.Lock()
		if len(s.asleep) == 0 {
			s.watch = false
			s.mu.Unlock()
			return
		}
		first := s.asleep[0].until
		s.mu.Unlock()
		for d := time.Until(first); d > 0; d = time.Until(first) {
			pause(d)
		}
		s.mu.Lock()
		for len(s.asleep) > 0 && time.Until(s.asleep[0].until) <= 0 {
			close(s.asleep[0].over)
			s.asleep = slices.Delete(s.asleep, 0, 1)
		}
		s.mu.Unlock()
	}
}
