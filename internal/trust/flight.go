package trust

import (
	"bytes"
	"context"
	"log/slog"
	"time"
)

// load reads the set that an earlier process, or another node, left in the
// archive, and takes it if it is newer than what there is. Whatever goes wrong is
// logged and leaves things as they are: the issuer is there to be asked.
func (src *source) load(ctx context.Context) (after func()) {
	after = func() {}
	set, err := src.loadArchived(ctx)
	now := src.owner.now()
	src.mu.Lock()
	defer src.mu.Unlock()
	src.unarchived = true
	if err != nil {
		src.logger().WarnContext(ctx, "the kept key set cannot be used", slog.Any("error", err))
	}
	if set == nil {
		return after
	}
	if set.fetchedAt.After(now) {
		set = set.at(now, now)
	}
	// Whatever stands there: no rule of this process lets it be fresh for longer.
	set = set.at(set.fetchedAt, earlier(set.freshUntil, set.fetchedAt.Add(src.owner.longest())))
	if old := src.set.Load(); old == nil || set.fetchedAt.After(old.fetchedAt) {
		src.set.Store(set)
		src.refreshAt = later(now, src.threeQuarters(set))
	}
	return after
}

// loadArchived is nil if there is no set that is recent enough.
func (src *source) loadArchived(ctx context.Context) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, archiveWait)
	defer cancel()
	kept, ok, err := src.owner.archive.LoadKeySet(ctx, src.key.env, src.key.url)
	if err != nil || !ok || src.owner.now().Sub(kept.FetchedAt) > src.owner.maxStale {
		return nil, err
	}
	set, err := newSnapshot(kept.Body)
	if err != nil {
		return nil, err
	}
	set.etag, set.fetchedAt, set.freshUntil = kept.ETag, kept.FetchedAt, kept.FreshUntil
	return set, nil
}

// fetch asks the issuer, and returns what is left to do when those who wait have
// been let go.
func (src *source) fetch(ctx context.Context) (after func()) {
	start := src.owner.now()
	src.mu.Lock()
	src.requests = [2]time.Time{src.requests[1], start}
	src.counts.Fetches++
	src.mu.Unlock()

	old := src.set.Load()
	set, err := src.request(ctx, old, start)
	if err != nil {
		src.failed(ctx, err)
		return func() {}
	}
	src.mu.Lock()
	if old != nil && bytes.Equal(set.body, old.body) {
		src.counts.Unchanged++
	}
	recovered := src.failures > 0
	src.failures, src.retryAt = 0, time.Time{}
	src.refreshAt = src.threeQuarters(set)
	src.set.Store(set)
	src.mu.Unlock()

	return func() {
		if recovered || old == nil || !bytes.Equal(set.body, old.body) {
			src.logger().InfoContext(ctx, "key set read",
				slog.Any("keys", set.ids), slog.Int("skipped", len(set.skipped)), slog.Time("fresh_until", set.freshUntil))
		}
		src.save(ctx, set)
	}
}

// request makes one request and a snapshot of its answer, which is to a request
// that began at start.
func (src *source) request(ctx context.Context, old *snapshot, start time.Time) (*snapshot, error) {
	etag := "" // without it, 304 is no answer
	if old != nil {
		etag = old.etag
	}
	a, err := src.owner.fetcher.fetch(ctx, src.key.url, etag)
	if err != nil {
		return nil, err
	}
	fresh := defaultFresh
	if a.maxAge >= 0 {
		fresh = min(max(a.maxAge, minFresh), maxFresh)
	}
	until := start.Add(min(fresh, src.owner.longest()))
	var set *snapshot
	switch {
	case a.notModified && a.maxAge < 0:
		// What it said of the freshness then still holds (RFC 9111 §4.3.4).
		until = start.Add(min(max(old.lifetime(), minFresh), src.owner.longest()))
		return old.at(start, until), nil
	case a.notModified:
		return old.at(start, until), nil
	case old != nil && bytes.Equal(a.body, old.body):
		set = old.at(start, until) // spares the parsing
	default:
		if set, err = newSnapshot(a.body); err != nil {
			return nil, err
		}
		set.fetchedAt, set.freshUntil = start, until
	}
	set.etag = a.etag
	return set, nil
}

// failed records that a fetch came to nothing.
func (src *source) failed(ctx context.Context, err error) {
	now := src.owner.now()
	src.mu.Lock()
	src.failures++
	src.counts.Failures++
	src.lastErr, src.lastErrAt = err, now
	src.retryAt = now.Add(backoff(src.failures, src.owner.jitter()))
	src.refreshAt = src.retryAt
	failures, retryAt := src.failures, src.retryAt
	if set := src.set.Load(); set == nil || set.age(now) > src.owner.maxStale {
		// Another node may have had better luck meanwhile.
		src.unarchived = src.owner.archive == nil
	}
	src.mu.Unlock()
	src.logger().WarnContext(ctx, "key set cannot be fetched",
		slog.Any("error", err), slog.Int("failures", failures), slog.Time("retry_at", retryAt))
}

// save keeps the set for later processes. That it cannot is no reason to fail
// anybody.
func (src *source) save(ctx context.Context, set *snapshot) {
	if src.owner.archive == nil {
		return
	}
	// The end of Run does not end this: a set that was fetched is worth keeping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), archiveWait)
	defer cancel()
	if err := src.owner.archive.SaveKeySet(ctx, set.archived(src.key)); err != nil {
		src.logger().WarnContext(ctx, "key set cannot be kept", slog.Any("error", err))
	}
}

// threeQuarters is when the background refreshes the set: at 70 to 80 % of the
// time for which it is fresh.
func (src *source) threeQuarters(set *snapshot) time.Time {
	part := 0.7 + src.owner.jitter()/10
	return set.fetchedAt.Add(time.Duration(part * float64(set.lifetime())))
}

// longest is for how long a set may be fresh.
func (s *Sources) longest() time.Duration { return min(maxFresh, s.maxStale) }

func (src *source) logger() *slog.Logger {
	return src.owner.log.With(slog.String("environment_id", src.key.env.String()), slog.String("jwks_url", src.key.url))
}
