package eventstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// How events are delivered.
const (
	pause = 2 * time.Second
	// settled is how old an event is before it is sent. IDs of several nodes are
	// only roughly ordered: by their clocks, and by when a transaction began. One
	// that turns up behind a younger event by more than this is never sent.
	settled = 5 * time.Second
	// lease is far longer than a batch takes: the poster's ten seconds and two
	// statements.
	lease = 30 * time.Second
	// settleTime bounds the statement that says how a batch went.
	settleTime = 5 * time.Second

	maxStreams = 100     // of one pass
	atOnce     = 8       // streams that are delivered at the same time
	maxBatches = 50      // of a stream in one pass
	batchSize  = 200     // events
	batchBytes = 1 << 20 // of JSON, but for a single event that is larger

	firstBackoff = 2 * time.Second
	maxBackoff   = 5 * time.Minute
	maxPatience  = time.Hour // with a destination that names a time to try again
)

// Outcomes of a batch, for the metrics.
const (
	delivered = "delivered"
	refused   = "refused" // the destination will not have them: 3xx, 4xx
	failed    = "failed"  // it cannot take them now, or cannot be reached
)

// Run delivers until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "deliver events", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Deliver sends what there is to send now. Its error is this server's trouble,
// never a destination's.
func (s *Service) Deliver(ctx context.Context) error {
	now := s.Now()
	due, err := s.Store.DueEventStreams(ctx, now, now.Add(-settled), maxStreams)
	if err != nil {
		return err
	}
	var group errgroup.Group // an error of one stream does not stop the others
	group.SetLimit(atOnce)
	for _, e := range due {
		group.Go(func() error { return s.deliver(ctx, e.EnvironmentID, e.Type) })
	}
	return group.Wait()
}

// deliver sends a stream's events batch by batch, each under a lease of its own.
func (s *Service) deliver(ctx context.Context, env countersign.EnvironmentID, typ countersign.DestinationType) error {
	for range maxBatches {
		now := s.Now()
		e, err := s.Store.LeaseEventStream(ctx, env, typ, now, now.Add(lease))
		if errors.Is(err, store.ErrNotFound) {
			return nil // another node was faster, or it was disabled
		}
		if err != nil {
			return err
		}
		p, err := s.next(ctx, e)
		if err == nil && len(p.lines) > 0 {
			e = s.send(ctx, e, p)
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime) // what was delivered is not sent again because we stop
		err = errors.Join(err, s.settle(ending, e))
		cancel()
		if err != nil || !p.more || e.Failures > 0 || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// settle ends a lease. That it was lost is no error: somebody changed the stream,
// or another node has it, and may send the batch again.
func (s *Service) settle(ctx context.Context, e countersign.EventStream) error {
	if err := s.Store.SettleEventStream(ctx, e); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// next is the next batch of a leased stream; empty if there is none, because the
// environment was deleted or another node has been faster.
func (s *Service) next(ctx context.Context, e countersign.EventStream) (p parcel, err error) {
	var list []countersign.Event
	var env countersign.Environment
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if env, err = tx.Environment(ctx, e.EnvironmentID); err != nil {
			return err
		}
		list, err = tx.EventsAfter(ctx, e.EnvironmentID, e.Position, s.Now().Add(-settled), batchSize)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return p, nil
	}
	if err != nil || len(list) == 0 {
		return p, err
	}
	d, err := open(s.Keyset, e)
	if err != nil {
		return p, err
	}
	lines, err := s.encode(list)
	if err != nil {
		return p, err
	}
	p, err = s.pack(env, d, lines)
	p.more = len(lines) < len(list) || len(list) == batchSize
	return p, err
}

// send posts a batch and gives the stream as it is then.
func (s *Service) send(ctx context.Context, e countersign.EventStream, p parcel) countersign.EventStream {
	receipt, err := s.Poster.Post(ctx, p.url, p.header, p.body)
	switch {
	case err != nil && ctx.Err() != nil: // we stop; it is not the destination's fault
		return e
	case err != nil:
		return s.failed(ctx, e, failed, err.Error(), 0)
	case receipt.Status/100 != 2:
		return s.failed(ctx, e, outcome(receipt.Status), fmt.Sprintf("the answer is %d", receipt.Status), receipt.RetryAfter)
	}
	s.Metrics.EventStream(string(e.Type), delivered, len(p.lines))
	e.Position, e.Failures, e.LastError, e.NextAttemptAt = p.lines[len(p.lines)-1].event.ID, 0, "", s.Now()
	return e
}

// outcome is what a status other than 2xx means.
func outcome(status int) string {
	if status/100 == 5 || status == 408 || status == 429 {
		return failed
	}
	return refused
}

// failed puts the next attempt off.
func (s *Service) failed(ctx context.Context, e countersign.EventStream, outcome, why string, retryAfter time.Duration) countersign.EventStream {
	wait := max(backoff(e.Failures), min(retryAfter, maxPatience))
	e.Failures, e.LastError, e.NextAttemptAt = e.Failures+1, why, s.Now().Add(wait)
	s.Metrics.EventStream(string(e.Type), outcome, 0)
	s.Logger.WarnContext(ctx, "events were not delivered", "environment", e.EnvironmentID.String(), "destination_type", string(e.Type),
		"error", why, "failures", e.Failures, "next_attempt_in", wait.Round(time.Second).String())
	return e
}

// backoff is how long to wait after so many failures before this one: from half
// of a doubling bound up to all of it, so that streams to one destination part.
func backoff(failures int) time.Duration {
	bound := min(firstBackoff<<min(failures, 10), maxBackoff)
	return bound/2 + rand.N(bound/2) //nolint:gosec // only to part them
}
