package trust

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// refetchFloor lies between one request for the sake of an unknown kid and the
	// next. Within it every unknown kid has the answer of the last request, so that
	// misses need no memory. The first comes at once: an issuer that has just
	// rotated its keys is not made to wait.
	refetchFloor = 30 * time.Second
	// An issuer sees at most two requests in any requestWindow, whatever they are
	// for.
	requestWindow = time.Minute
	// The waits after failures: a short one, for an issuer that is being started
	// beside us, then firstBackoff doubled each time up to maxBackoff. All are
	// lengthened by up to a fifth, so that nodes and sources spread out.
	quickRetry   = 5 * time.Second
	firstBackoff = time.Minute
	maxBackoff   = 5 * time.Minute
	// busyRetry is for callers who found too many fetches under way.
	busyRetry = time.Second
	// archiveWait is for one read or one write of the archive.
	archiveWait = 3 * time.Second
	// useEvery is how exactly it is known when a source was last used.
	useEvery = time.Minute
)

// source is one key set URL in one environment. Callers whose key is known read
// set and nothing else; mu is never held while waiting for anything.
type source struct {
	owner *Sources
	key   sourceKey
	set   atomic.Pointer[snapshot] // nil: never fetched
	used  atomic.Int64             // Unix time of the last use, nanoseconds

	mu         sync.Mutex
	unarchived bool         // the archive has been asked, or there is none
	flight     *flight      // under way, or nil
	requests   [2]time.Time // when the last two requests began, older first
	refetched  time.Time    // when the last one for an unknown kid began
	failures   int          // since the last success
	retryAt    time.Time    // no request before, after a failure
	refreshAt  time.Time    // by the background; zero: not at all
	lastErr    error        // of the last failure, kept through successes
	lastErrAt  time.Time
	counts     SourceCounts
}

// keys answers for a token that names kid.
//
// If the last good set, at most max_stale old, has the key, that is the answer,
// at once and whatever is under way; if the set is no longer fresh, a refresh is
// begun on the side. If the set skipped the key, that is KeyUnusable. Otherwise
// the issuer is asked, once for all who wait and no more often than it should
// be, and the caller waits for that until its ctx ends. What the issuer has just
// said for this caller is the last word.
func (src *source) keys(ctx context.Context, kid string, now time.Time) ([]Key, error) {
	if last := time.Unix(0, src.used.Load()); now.Sub(last) >= useEvery || now.Before(last) {
		src.used.Store(now.UnixNano())
	}
	for asked := false; ; {
		set := src.set.Load()
		if set != nil && set.fetchedAt.After(now) {
			set = src.rebase(now)
		}
		if src.serves(set, now) {
			keys := set.find(kid)
			why := ""
			if len(keys) == 0 {
				why = set.skippedAs(kid)
			}
			if (len(keys) > 0 || why != "") && !set.fresh(now) {
				src.refresh(ctx, now)
			}
			if len(keys) > 0 {
				return keys, nil
			}
			if why != "" {
				return nil, Refuse(KeyUnusable, "a key that can verify", showKeyID(kid)+", skipped: "+why)
			}
		}
		if asked && src.serves(set, now) {
			src.mu.Lock()
			defer src.mu.Unlock()
			return nil, src.missing(set, kid, now)
		}
		f, refusal := src.ask(ctx, set, kid, now)
		if refusal != nil {
			return nil, refusal
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, unavailable(busyRetry, fmt.Errorf("wait for the key set: %w", context.Cause(ctx)))
		}
		asked = asked || f.fetches
		now = src.owner.now()
	}
}

// missing is the answer for a kid that a set does not have when no request is to
// be made for it. If the last one failed, the issuer may have a key that we
// cannot ask it for, and the token is not blamed. mu is held.
func (src *source) missing(set *snapshot, kid string, now time.Time) *Refusal {
	if src.failures == 0 {
		return notFound(set, kid, now)
	}
	return unavailable(src.earliest(now).Sub(now), src.lastErr)
}

// serves reports whether set may still be judged by.
func (src *source) serves(set *snapshot, now time.Time) bool {
	return set != nil && set.age(now) <= src.owner.maxStale
}

// ask is the flight that the caller should wait for: the one under way or a new
// one. If there is none and must be none now, it is a refusal. set is what the
// caller found wanting, or nil.
func (src *source) ask(ctx context.Context, set *snapshot, kid string, now time.Time) (*flight, *Refusal) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if src.flight != nil {
		return src.flight, nil
	}
	if src.set.Load() != set {
		return landed(), nil // since the caller looked; let it look again
	}
	serves := src.serves(set, now)
	if !serves && !src.unarchived {
		return src.take(ctx, src.load, false)
	}
	earliest := src.earliest(now)
	if serves {
		earliest = later(earliest, src.refetched.Add(refetchFloor))
	}
	if !earliest.After(now) {
		if serves {
			src.refetched = now
		}
		return src.take(ctx, src.fetch, true)
	}
	if serves {
		src.counts.Suppressed++
		return nil, src.missing(set, kid, now)
	}
	return nil, unavailable(earliest.Sub(now), src.lastErr)
}

// take begins a flight, which fetches or only reads the archive. mu is held.
func (src *source) take(ctx context.Context, work func(context.Context) func(), fetches bool) (*flight, *Refusal) {
	f := &flight{done: make(chan struct{}), fetches: fetches}
	err := src.owner.launch(ctx, f, func(ctx context.Context) {
		after := work(ctx)
		src.mu.Lock()
		src.flight = nil
		src.mu.Unlock()
		close(f.done)
		after() // off the path of those who waited
	})
	if err != nil {
		return nil, unavailable(busyRetry, err)
	}
	src.flight = f
	return f, nil
}

// landed is a flight that is over.
func landed() *flight {
	f := &flight{done: make(chan struct{})}
	close(f.done)
	return f
}

// refresh begins a fetch if one may begin, and waits for nothing.
func (src *source) refresh(ctx context.Context, now time.Time) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if src.flight == nil && !src.earliest(now).After(now) {
		_, _ = src.take(ctx, src.fetch, true) // refused: the next request tries again
	}
}

// refreshIfDue is refresh, at the time at which the background should.
func (src *source) refreshIfDue(ctx context.Context, now time.Time) {
	if set := src.set.Load(); set != nil && set.fetchedAt.After(now) {
		src.rebase(now)
	}
	src.mu.Lock()
	src.refreshAt = earlier(src.refreshAt, now.Add(maxFresh)) // see earliest
	due := !src.refreshAt.IsZero() && !src.refreshAt.After(now)
	src.mu.Unlock()
	if due {
		src.refresh(ctx, now)
	}
}

// earliest is when the next request to the issuer may begin. mu is held. Moments
// that a clock which went back put into the future are moved to where they pin
// nothing.
func (src *source) earliest(now time.Time) time.Time {
	for i := range src.requests {
		src.requests[i] = earlier(src.requests[i], now)
	}
	src.refetched = earlier(src.refetched, now)
	src.retryAt = earlier(src.retryAt, now.Add(maxBackoff+maxBackoff/5))
	return later(src.retryAt, src.requests[0].Add(requestWindow))
}

// rebase deals with a set that is younger than now, because the clock went back:
// its age counts from now on, and it is to be refreshed.
func (src *source) rebase(now time.Time) *snapshot {
	src.mu.Lock()
	defer src.mu.Unlock()
	set := src.set.Load()
	if set.fetchedAt.After(now) {
		set = set.at(now, now)
		src.set.Store(set)
		src.refreshAt = now
	}
	return set
}

// idle reports whether nobody has used the source for long.
func (src *source) idle(now time.Time) bool {
	used := time.Unix(0, src.used.Load())
	if used.After(now) {
		src.used.CompareAndSwap(used.UnixNano(), now.UnixNano())
	}
	return now.Sub(used) >= maxIdle
}

// backoff is the wait after the nth failure in a row, n from 1; jitter is in [0, 1).
func backoff(n int, jitter float64) time.Duration {
	wait := quickRetry
	if n > 1 {
		wait = min(firstBackoff<<min(n-2, 8), maxBackoff)
	}
	return wait + time.Duration(jitter*float64(wait)/5)
}

// unavailable is a KeysUnavailable. What went wrong is the operator's alone: it
// may tell of the inner network.
func unavailable(wait time.Duration, cause error) *Refusal {
	if cause == nil {
		cause = errors.New("asked too often")
	}
	r := Refuse(KeysUnavailable, "the issuer's key set", "none that is recent enough")
	r.RetryAfter, r.Cause = max(wait, time.Second), cause
	return r
}

// notFound is a KeyNotFound: what the set has, and how old it is.
func notFound(set *snapshot, kid string, now time.Time) *Refusal {
	ago := span(max(set.age(now).Truncate(time.Second), time.Second))
	const room = 32 // for what follows the list
	return Refuse(KeyNotFound, clip(quoteAll(set.ids), maxShown-room)+", refreshed "+ago+" ago", showKeyID(kid))
}

// showKeyID shows a token's kid, or that it has none.
func showKeyID(kid string) string {
	if kid == "" {
		return "no kid"
	}
	return quote(kid)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
