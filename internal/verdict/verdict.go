// Package verdict keeps what became of subject tokens, and finds it again. It
// refuses to know how a token is judged.
package verdict

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// The defaults of Config.
const (
	DefaultKeep      = 30 * 24 * time.Hour
	DefaultPerMinute = 300
)

// Config is what a Book needs. Every field is required.
type Config struct {
	Store   *store.Store
	Metrics *telemetry.Metrics
	Logger  *slog.Logger
	Now     func() time.Time
	// Keep is how long a verdict is kept.
	Keep time.Duration
	// PerMinute is how many refusals of one profile are kept in a minute by this
	// process; the rest is only counted. What was accepted is always kept: it left
	// more behind than its verdict.
	PerMinute int
}

// maxPending bounds the verdicts that wait to be written, in memory: some 4 MiB.
const maxPending = 4096

// Book keeps verdicts. Its methods may be called from many goroutines.
type Book struct {
	Config

	writing sync.Mutex // held while verdicts are on their way into the database

	mu      sync.Mutex
	pending []countersign.Verdict
	gaps    map[gapKey]int64
	refused map[profileKey]*minute
	swept   time.Time
	wake    chan struct{}
}

type profileKey struct {
	env     countersign.EnvironmentID
	profile countersign.ProfileID
}

type gapKey struct {
	profileKey
	minute int64 // since 1970
}

// minute counts the refusals of a profile within one.
type minute struct {
	number int64
	count  int
}

// New is a Book; Run writes what it is given.
func New(c Config) *Book {
	return &Book{Config: c, gaps: map[gapKey]int64{}, refused: map[profileKey]*minute{}, wake: make(chan struct{}, 1)}
}

// Record keeps a verdict, or counts it if there were too many. It never waits:
// a refusal costs no more than a place in a list.
func (b *Book) Record(v countersign.Verdict) {
	key := profileKey{v.EnvironmentID, v.ProfileID}
	now := v.At.Unix() / 60
	b.mu.Lock()
	kept := len(b.pending) < maxPending && (v.Reason == "" || b.within(key, now))
	if kept {
		b.pending = append(b.pending, v)
	} else {
		b.gaps[gapKey{key, now}]++
	}
	b.mu.Unlock()
	b.Metrics.Verdict(kept)
	b.nudge()
}

// within counts a refusal, and reports whether it is one of those that are kept.
// mu is held.
func (b *Book) within(key profileKey, now int64) bool {
	m := b.refused[key]
	if m == nil {
		m = &minute{}
		b.refused[key] = m
	}
	if m.number != now {
		*m = minute{number: now}
	}
	m.count++
	return m.count <= b.PerMinute
}

func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// How verdicts are written: those of a moment together, and soon.
const (
	gather     = 200 * time.Millisecond
	retryAfter = time.Second
	lastWrite  = 3 * time.Second
)

// Run writes what is recorded until ctx ends, and then what is left. A process
// that is killed loses the verdicts of its last moment, and nothing else.
func (b *Book) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
			defer cancel()
			b.report(ctx, b.Flush(last))
			return nil
		case <-b.wake:
		}
		if err := b.pause(ctx, gather); err != nil {
			b.nudge()
			continue
		}
		if err := b.Flush(ctx); err != nil {
			b.report(ctx, err)
			_ = b.pause(ctx, retryAfter) // ends early when Run does
			b.nudge()
		}
	}
}

func (b *Book) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		b.Logger.ErrorContext(ctx, "write verdicts", "error", err)
	}
}

func (b *Book) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// batch is how many verdicts are written in one transaction.
const batch = 512

// Flush writes what was recorded before, and waits for it. What cannot be
// written stays for the next time. What comes meanwhile waits for others to come
// with it: in a flood, each transaction would find a few that came during the last.
func (b *Book) Flush(ctx context.Context) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	for {
		list, gaps := b.take()
		if len(list) == 0 && len(gaps) == 0 {
			return nil
		}
		if err := b.Store.SaveVerdicts(ctx, list, gaps); err != nil {
			b.putBack(list, gaps)
			return err
		}
		if len(list) < batch {
			return nil
		}
	}
}

// take takes a batch out of what is pending, and all gaps.
func (b *Book) take() ([]countersign.Verdict, []store.VerdictGap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.pending), batch)
	list := b.pending[:n:n]
	if b.pending = b.pending[n:]; len(b.pending) == 0 {
		b.pending = nil
	}
	var gaps []store.VerdictGap
	for key, missed := range b.gaps {
		gaps = append(gaps, store.VerdictGap{
			EnvironmentID: key.env, ProfileID: key.profile, Minute: time.Unix(60*key.minute, 0), Missed: missed,
		})
	}
	clear(b.gaps)
	current := b.Now().Unix() / 60
	for key, m := range b.refused {
		if m.number != current {
			delete(b.refused, key)
		}
	}
	return list, gaps
}

func (b *Book) putBack(list []countersign.Verdict, gaps []store.VerdictGap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	room := max(maxPending-len(b.pending), 0)
	for _, v := range list[min(room, len(list)):] {
		b.gaps[gapKey{profileKey{v.EnvironmentID, v.ProfileID}, v.At.Unix() / 60}]++
	}
	b.pending = append(list[:min(room, len(list)):min(room, len(list))], b.pending...)
	for _, g := range gaps {
		b.gaps[gapKey{profileKey{g.EnvironmentID, g.ProfileID}, g.Minute.Unix() / 60}] += g.Missed
	}
}
