package verdict_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// TestLastVerdictsAreWritten ends Run with verdicts on their way.
func TestLastVerdictsAreWritten(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		moment := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
		config := verdict.Config{
			Store: s, Metrics: telemetry.NewMetrics(), Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return moment },
			Keep: verdict.DefaultKeep, PerMinute: 1,
		}
		b := verdict.New(config)
		env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
		v := countersign.Verdict{
			EnvironmentID: env, RequestID: countersign.NewOrderedID[countersign.RequestID](countersign.Test, moment),
			ProfileID: countersign.NewID[countersign.ProfileID](countersign.Test), At: moment, Reason: "expired",
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		b.Record(v)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if found, err := verdict.New(config).Find(t.Context(), env, v.RequestID.String()); err != nil || found.Reason != v.Reason {
			t.Errorf("Find = %v, %v", found, err)
		}
	})
}
