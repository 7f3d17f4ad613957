package session

import (
	"context"
	"time"
)

// How the janitor works: often, little at a time, and never before a row has
// been invisible for a while, so that it disturbs nobody.
const (
	janitorPause = time.Minute
	janitorBatch = 500
	janitorGrace = 10 * time.Minute
)

// Run removes the rows of expired and revoked sessions, of used tokens, of old
// verdicts and of deleted environments and organizations until ctx ends. Nothing that
// a client can see depends on it.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(janitorPause)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "remove expired rows", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep removes what there is to remove now, batch by batch.
func (s *Service) Sweep(ctx context.Context) error {
	before := s.Now().Add(-janitorGrace)
	for _, purge := range []func() (int64, error){
		func() (int64, error) {
			n, err := s.Store.PurgeSessions(ctx, before, janitorBatch)
			s.Metrics.Sessions("expired", n)
			return n, err
		},
		func() (int64, error) { return s.Store.PurgeUsedTokens(ctx, before, janitorBatch) },
		func() (int64, error) { return s.Store.PurgeDeparted(ctx, before, janitorBatch) },
		func() (int64, error) { return s.Store.PurgeDepartedMembers(ctx, before, janitorBatch) },
	} {
		for ctx.Err() == nil {
			if n, err := purge(); err != nil {
				return err
			} else if n == 0 {
				break
			}
		}
	}
	if err := s.sweepRevoked(ctx); err != nil {
		return err
	}
	return s.Verdicts.Sweep(ctx)
}
