package limit

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrBusy is a request that was not let in: there are too many, or too many of
// its owner's.
var ErrBusy = errors.New("too many requests at once")

// GateConfig says how many a Gate lets in.
type GateConfig struct {
	Places   int           // requests that are answered at once; at least 8 are
	Queue    int           // requests that may wait
	Patience time.Duration // how long one waits
}

// Gate lets a bounded number of requests in at once and lets a few wait, fairly:
// a place that becomes free goes to the owner who has the fewest, where all
// strangers together count as one. Nobody can have all places, so that whoever
// comes next need not wait for somebody else's slowest request: an owner has three
// quarters at most, all strangers together as many, and one of them a half. Its
// methods may be called from many goroutines.
type Gate struct {
	GateConfig
	mu       sync.Mutex
	all      room // of everybody
	strange  room // of strangers
	tickets  uint64
	flows    map[Key]*flow
	queued   []*flow // those who wait, in no order
	maxOwner int
	maxAll   int // of strangers
	maxOne   int // of one stranger
}

// room is how many are in and how many wait.
type room struct{ inside, waiting int }

// flow is the requests of one owner, or of one stranger.
type flow struct {
	key      Key
	stranger bool
	inside   int
	line     []*waiter // the first came first
}

type waiter struct {
	ticket uint64
	called chan bool // true lets it in, false sends it away
}

// Pass is what a request that was let in gives back.
type Pass struct{ flow *flow }

// NewGate is a gate that nobody has passed yet.
func NewGate(c GateConfig) *Gate {
	c.Places = max(8, c.Places)
	return &Gate{
		GateConfig: c, flows: map[Key]*flow{},
		maxOwner: c.Places * 3 / 4, maxAll: c.Places * 3 / 4, maxOne: c.Places / 2,
	}
}

// Enter lets a request in, or makes it wait for a place. Whose it is decides with
// whom it shares; a stranger's is known by where it comes from. Errors: ErrBusy,
// and those of ctx. After nil, the pass must be given to Leave, once.
func (g *Gate) Enter(ctx context.Context, whose Key, stranger bool) (Pass, error) {
	g.mu.Lock()
	f := g.flow(whose, stranger)
	if len(f.line) == 0 && g.admits(f) {
		g.admit(f)
		g.mu.Unlock()
		return Pass{f}, nil
	}
	if !g.makeRoom(f) {
		g.forget(f)
		g.mu.Unlock()
		return Pass{}, ErrBusy
	}
	w := g.enqueue(f)
	g.mu.Unlock()
	return g.await(ctx, f, w)
}

// Leave gives a place back.
func (g *Gate) Leave(p Pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(p.flow)
}

// Load is how many requests are in and how many wait.
func (g *Gate) Load() (inside, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all.inside, g.all.waiting
}

// await waits until it is called, or has waited long enough.
func (g *Gate) await(ctx context.Context, f *flow, w *waiter) (Pass, error) {
	patience := time.NewTimer(g.Patience)
	defer patience.Stop()
	err := ErrBusy
	select {
	case in := <-w.called:
		if in {
			return Pass{f}, nil
		}
		return Pass{}, ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	case <-patience.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case in := <-w.called: // it was called just now
		if in {
			g.leave(f)
		}
	default:
		g.dequeue(f, slices.Index(f.line, w))
		g.forget(f)
	}
	return Pass{}, err
}

// flow finds or makes the flow of a key. A key is always an owner's or always a
// stranger's.
func (g *Gate) flow(key Key, stranger bool) *flow {
	if f := g.flows[key]; f != nil {
		return f
	}
	f := &flow{key: key, stranger: stranger}
	g.flows[key] = f
	return f
}

// maxFlows is how many flows are kept although nothing is left of them, because
// most come again.
const maxFlows = 4096

// forget drops a flow of which nothing is left, if there are many.
func (g *Gate) forget(f *flow) {
	if f.inside == 0 && len(f.line) == 0 && len(g.flows) > maxFlows {
		delete(g.flows, f.key)
	}
}

// admits reports whether one more of a flow may be in.
func (g *Gate) admits(f *flow) bool {
	if g.all.inside >= g.Places {
		return false
	}
	if f.stranger {
		return f.inside < g.maxOne && g.strange.inside < g.maxAll
	}
	return f.inside < g.maxOwner
}

func (g *Gate) admit(f *flow) {
	f.inside++
	g.all.inside++
	if f.stranger {
		g.strange.inside++
	}
}

func (g *Gate) leave(f *flow) {
	f.inside--
	g.all.inside--
	if f.stranger {
		g.strange.inside--
	}
	g.forget(f)
	for g.callNext() {
	}
}

// callNext lets in who has the fewest places, and of those who came first, if
// anybody may come in.
func (g *Gate) callNext() bool {
	var next *flow
	for _, f := range g.queued {
		if g.admits(f) && (next == nil || g.before(f, next)) {
			next = f
		}
	}
	if next == nil {
		return false
	}
	w := g.dequeue(next, 0)
	g.admit(next)
	w.called <- true
	return true
}

// before reports whether a free place goes to a rather than to b.
func (g *Gate) before(a, b *flow) bool {
	return cmp.Or(cmp.Compare(g.share(a), g.share(b)), cmp.Compare(a.inside, b.inside), cmp.Compare(a.line[0].ticket, b.line[0].ticket)) < 0
}

// share is how many places a flow's owner has.
func (g *Gate) share(f *flow) int {
	if f.stranger {
		return g.strange.inside
	}
	return f.inside
}

// makeRoom reports whether one more of a flow may wait. If the queue is full, it
// sends away the last of the longest line, if that is longer; and for an owner the
// last of the strangers, if those have more than a quarter of the queue.
func (g *Gate) makeRoom(f *flow) bool {
	if g.all.waiting < g.Queue {
		return true
	}
	strangersFirst := !f.stranger && g.strange.waiting > g.Queue/4
	var longest *flow
	for _, other := range g.queued {
		if (other.stranger || !strangersFirst) && (longest == nil || len(other.line) > len(longest.line)) {
			longest = other
		}
	}
	if longest == nil || !strangersFirst && len(longest.line) <= len(f.line)+1 {
		return false
	}
	w := g.dequeue(longest, len(longest.line)-1)
	g.forget(longest)
	w.called <- false
	return true
}

func (g *Gate) enqueue(f *flow) *waiter {
	g.tickets++
	w := &waiter{ticket: g.tickets, called: make(chan bool, 1)}
	if len(f.line) == 0 {
		g.queued = append(g.queued, f)
	}
	f.line = append(f.line, w)
	g.all.waiting++
	if f.stranger {
		g.strange.waiting++
	}
	return w
}

// dequeue takes one out of a line.
func (g *Gate) dequeue(f *flow, i int) *waiter {
	w := f.line[i]
	f.line = slices.Delete(f.line, i, i+1)
	if len(f.line) == 0 {
		at := slices.Index(g.queued, f)
		last := len(g.queued) - 1
		g.queued[at] = g.queued[last]
		g.queued[last] = nil
		g.queued = g.queued[:last]
	}
	g.all.waiting--
	if f.stranger {
		g.strange.waiting--
	}
	return w
}
