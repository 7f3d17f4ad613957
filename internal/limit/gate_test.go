package limit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-auth/countersign/internal/limit"
)

// entry is a request on its way through a gate.
type entry struct {
	pass limit.Pass
	err  error
	in   atomic.Bool // it was let in
	done atomic.Bool // it was let in or sent away
}

func enter(ctx context.Context, g *limit.Gate, whose limit.Key, stranger bool) *entry {
	e := &entry{}
	go func() {
		e.pass, e.err = g.Enter(ctx, whose, stranger)
		e.in.Store(e.err == nil)
		e.done.Store(true)
	}()
	synctest.Wait()
	return e
}

func several(t *testing.T, g *limit.Gate, n int, whose limit.Key, stranger bool) (list []*entry) {
	t.Helper()
	for range n {
		list = append(list, enter(t.Context(), g, whose, stranger))
	}
	return list
}

func inside(list []*entry) (n int) {
	for _, e := range list {
		if e.in.Load() {
			n++
		}
	}
	return n
}

// leave gives back the places of those who are in, and waits for who follows.
func leave(g *limit.Gate, list ...*entry) {
	for _, e := range list {
		if e.in.Swap(false) {
			g.Leave(e.pass)
			synctest.Wait()
		}
	}
}

func gate(places, queue int) *limit.Gate {
	return limit.NewGate(limit.GateConfig{Places: places, Queue: queue, Patience: time.Second})
}

func TestGateHasBounds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                string
		owners              int // each asks 40 times
		stranger            bool
		in, waiting, turned int
	}{
		{"one owner has three quarters", 1, false, 12, 20, 8},
		{"two have all", 2, false, 16, 20, 44},
		{"one stranger has a half", 1, true, 8, 20, 12},
		{"all strangers have three quarters", 10, true, 12, 20, 368},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate(16, 20)
				var list []*entry
				for range 40 {
					for i := range test.owners {
						list = append(list, several(t, g, 1, limit.Key(1+i), test.stranger)...)
					}
				}
				turned := 0
				for _, e := range list {
					if e.done.Load() && !e.in.Load() {
						turned++
						if !errors.Is(e.err, limit.ErrBusy) {
							t.Errorf("turned away by %v", e.err)
						}
					}
				}
				in, waiting := g.Load()
				if in != test.in || waiting != test.waiting || turned != test.turned || inside(list) != in {
					t.Errorf("%d in, %d waiting, %d turned away; want %d, %d, %d", in, waiting, turned, test.in, test.waiting, test.turned)
				}
				time.Sleep(2 * time.Second) // in the bubble: patience ends
				synctest.Wait()
				if _, waiting := g.Load(); waiting != 0 {
					t.Errorf("%d wait beyond their patience", waiting)
				}
				leave(g, list...)
				if in, _ := g.Load(); in != 0 {
					t.Errorf("%d are in after all have left", in)
				}
			})
		})
	}
}

// TestGateIsFair holds that who comes late to a full gate gets the next places
// until each has as many, however long the other's line is.
func TestGateIsFair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate(16, 20)
		greedy := several(t, g, 32, 1, false) // 12 in, 20 wait
		other := several(t, g, 4, 3, false)   // 4 in
		late := several(t, g, 10, 2, false)   // pushes out the end of the longest line
		if got := inside(greedy) + inside(other); got != 16 || inside(late) != 0 {
			t.Fatalf("%d and %d in", got, inside(late))
		}
		pushed := 0
		for _, e := range greedy {
			if e.done.Load() && errors.Is(e.err, limit.ErrBusy) {
				pushed++
			}
		}
		if pushed < 9 {
			t.Errorf("%d of the longest line gave way; want 9 or more", pushed)
		}
		for range 6 { // one of the greedy leaves, and the late one has the place
			before := inside(late)
			for _, e := range greedy {
				if e.in.Load() {
					leave(g, e)
					break
				}
			}
			if inside(late) != before+1 {
				t.Fatalf("a place went to somebody else than the one who had %d", before)
			}
		}
		if a, b := inside(greedy), inside(late); a != 6 || b != 6 {
			t.Errorf("%d and %d in; want 6 each", a, b)
		}
	})
}

// TestGateKeepsOwnersFromStrangers holds that however many strangers come, from
// however many places, an owner finds some places free, room in the queue, and
// then gets what is free until there are as many of the owner's as of all
// strangers together.
func TestGateKeepsOwnersFromStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate(16, 20)
		var flood []*entry
		for i := range 500 {
			flood = append(flood, several(t, g, 1, limit.Key(1000+i), true)...)
		}
		owners := several(t, g, 10, 1, false)
		if inside(owners) != 4 {
			t.Fatalf("%d are in beside a flood of strangers; want 4", inside(owners))
		}
		for _, e := range owners {
			if e.done.Load() && !e.in.Load() {
				t.Errorf("an owner was sent away for strangers: %v", e.err)
			}
		}
		for want := 5; want <= 8; want++ {
			for _, e := range flood {
				if e.in.Load() {
					leave(g, e)
					break
				}
			}
			if inside(owners) != want {
				t.Fatalf("%d owners are in; want %d", inside(owners), want)
			}
		}
	})
}

func TestGateLetsGoOfThoseWhoLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate(8, 8)
		first := several(t, g, 6, 1, false)
		ctx, cancel := context.WithCancel(t.Context())
		gone := enter(ctx, g, 1, false)
		cancel()
		synctest.Wait()
		if !gone.done.Load() || !errors.Is(gone.err, context.Canceled) {
			t.Errorf("a caller who left still waits: %v", gone.err)
		}
		if _, waiting := g.Load(); waiting != 0 {
			t.Errorf("%d wait", waiting)
		}
		next := enter(t.Context(), g, 1, false)
		leave(g, first[0])
		if !next.in.Load() {
			t.Error("the place of one who left the line was lost")
		}
	})
}

// TestGateAlways does things by chance and holds what is always so: no more are
// in than there are places, none waits who could be in, and in the end all places
// are free.
func TestGateAlways(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			g := gate(8+random.IntN(20), random.IntN(30))
			var list []*entry
			for range 400 {
				switch random.IntN(5) {
				case 0, 1, 2:
					key := limit.Key(1 + random.IntN(6))
					list = append(list, several(t, g, 1, key, key > 3)...)
				case 3:
					if len(list) > 0 {
						leave(g, list[random.IntN(len(list))])
					}
				case 4:
					time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
					synctest.Wait()
				}
				in, waiting := g.Load()
				if in > g.Places || waiting > g.Queue || in != inside(list) {
					t.Fatalf("seed %d: %d in (%d let in) of %d, %d waiting of %d", seed, in, inside(list), g.Places, waiting, g.Queue)
				}
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			leave(g, list...)
			if in, waiting := g.Load(); in != 0 || waiting != 0 {
				t.Fatalf("seed %d: %d in and %d waiting at the end", seed, in, waiting)
			}
		})
	}
}
