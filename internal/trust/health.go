package trust

import (
	"cmp"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
)

// SourceState says how good a key set is.
type SourceState string

// The states of product.md §4.
const (
	StateNeverFetched SourceState = "never_fetched" // there is no set
	StateFresh        SourceState = "fresh"         // the issuer's word still holds
	StateStale        SourceState = "stale"         // it does not; the set serves on
	StateExpired      SourceState = "expired"       // older than max_stale: it no longer serves
)

// SourceCounts count since the source came into use.
type SourceCounts struct {
	Fetches    uint64 // requests to the issuer
	Failures   uint64 // of these, those that came to nothing
	Unchanged  uint64 // of these, those that brought the set we had, by 304 or in full
	Suppressed uint64 // unknown key IDs that the issuer was not asked for
}

// SourceHealth is what an operator wants to know of one key set.
type SourceHealth struct {
	EnvironmentID countersign.EnvironmentID
	URL           string
	State         SourceState
	FetchedAt     time.Time     // when the issuer last vouched for the set; zero if never
	Age           time.Duration // since then
	FreshUntil    time.Time     // zero if never fetched
	NextRefresh   time.Time     // by the background, at the earliest; zero if none is planned
	UsedAt        time.Time     // to the minute
	LastError     error         // of the last failure, nil if there was none; it may name inner addresses
	LastErrorAt   time.Time
	Failing       int          // failures since the last success
	Keys          []Key        // shared: not to be changed
	Skipped       []SkippedKey // likewise
	Counts        SourceCounts
}

// Health is the state of every source in use, by environment and URL. It waits
// for nobody's fetch.
func (s *Sources) Health() []SourceHealth {
	now := s.now()
	all := s.all()
	list := make([]SourceHealth, 0, len(all))
	for _, src := range all {
		list = append(list, src.health(now))
	}
	slices.SortFunc(list, func(a, b SourceHealth) int {
		return cmp.Or(cmp.Compare(a.EnvironmentID.String(), b.EnvironmentID.String()), cmp.Compare(a.URL, b.URL))
	})
	return list
}

// HealthOf is the state of one source; StateNeverFetched if it is not in use.
func (s *Sources) HealthOf(env countersign.EnvironmentID, url string) SourceHealth {
	s.mu.Lock()
	src := s.sources[sourceKey{env, url}]
	s.mu.Unlock()
	if src == nil {
		return SourceHealth{EnvironmentID: env, URL: url, State: StateNeverFetched}
	}
	return src.health(s.now())
}

func (src *source) health(now time.Time) SourceHealth {
	src.mu.Lock()
	defer src.mu.Unlock()
	h := SourceHealth{
		EnvironmentID: src.key.env,
		URL:           src.key.url,
		State:         StateNeverFetched,
		NextRefresh:   src.refreshAt,
		UsedAt:        time.Unix(0, src.used.Load()).UTC(),
		LastError:     src.lastErr,
		LastErrorAt:   src.lastErrAt,
		Failing:       src.failures,
		Counts:        src.counts,
	}
	set := src.set.Load()
	if set == nil {
		return h
	}
	h.FetchedAt, h.Age, h.FreshUntil = set.fetchedAt, set.age(now), set.freshUntil
	h.Keys, h.Skipped = set.keys, set.skipped
	switch {
	case !src.serves(set, now):
		h.State = StateExpired
	case set.fresh(now):
		h.State = StateFresh
	default:
		h.State = StateStale
	}
	return h
}
