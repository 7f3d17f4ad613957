package verdict_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// book is one whose clock is moved by hand, and an environment in its store.
type book struct {
	*verdict.Book
	store *store.Store
	env   countersign.EnvironmentID
	now   time.Time
	n     int
}

func open(t *testing.T, database string) *book {
	t.Helper()
	b := &book{now: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), env: countersign.NewID[countersign.EnvironmentID](countersign.Test)}
	now := func() time.Time { return b.now }
	b.store = storetest.Open(t, database, now)
	b.Book = verdict.New(verdict.Config{
		Store: b.store, Metrics: telemetry.NewMetrics(), Logger: slog.New(slog.DiscardHandler), Now: now, Keep: 30 * 24 * time.Hour, PerMinute: 5,
	})
	err := b.store.Update(t.Context(), countersign.System(), func(tx *store.Tx) error {
		if err := tx.InsertProject(t.Context(), countersign.Project{Slug: "p", Vertical: countersign.Consumer, CreatedAt: b.now}); err != nil {
			return err
		}
		e := countersign.Environment{ID: b.env, Slug: "e", ProjectSlug: "p", Type: countersign.TestEnvironment, SessionTokenKey: []byte{1}, CreatedAt: b.now}
		if err := tx.InsertEnvironment(t.Context(), e); err != nil {
			return err
		}
		return tx.Record(t.Context(), countersign.EnvironmentID{}, "made", "e", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// record records a verdict of a profile, a millisecond after the last.
func (b *book) record(profile countersign.ProfileID, reason string) countersign.RequestID {
	b.n++
	at := b.now.Add(time.Duration(b.n) * time.Millisecond)
	v := countersign.Verdict{
		EnvironmentID: b.env, RequestID: countersign.NewOrderedID[countersign.RequestID](countersign.Test, at), At: b.now, ProfileID: profile, Reason: reason,
	}
	b.Record(v)
	return v.RequestID
}

func (b *book) list(t *testing.T, f verdict.Filter) verdict.Page {
	t.Helper()
	f.Until = b.now.Add(time.Hour)
	page, err := b.List(t.Context(), b.env, f, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestBounds floods one profile, and finds as many refusals as are kept, the rest
// counted, and nothing of it at the cost of others.
func TestBounds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := open(t, database)
		flooded, quiet := countersign.NewID[countersign.ProfileID](countersign.Test), countersign.NewID[countersign.ProfileID](countersign.Test)
		for range 20 {
			b.record(flooded, "expired")
		}
		for range 20 {
			b.record(flooded, "")
		}
		b.record(quiet, "expired")
		reason := "expired"
		if page := b.list(t, verdict.Filter{ProfileID: flooded, Reason: &reason}); len(page.Verdicts) != 5 || page.Missed != 15 {
			t.Errorf("of 20 refusals %d are kept and %d missed, want 5 and 15", len(page.Verdicts), page.Missed)
		}
		accepted := ""
		if page := b.list(t, verdict.Filter{ProfileID: flooded, Reason: &accepted}); len(page.Verdicts) != 20 {
			t.Errorf("%d of 20 that were accepted are kept", len(page.Verdicts))
		}
		if page := b.list(t, verdict.Filter{ProfileID: quiet}); len(page.Verdicts) != 1 || page.Missed != 0 {
			t.Errorf("of another profile %d are kept and %d missed, want 1 and 0", len(page.Verdicts), page.Missed)
		}
		b.now = b.now.Add(time.Minute)
		b.record(flooded, "expired")
		if page := b.list(t, verdict.Filter{ProfileID: flooded, Reason: &reason}); len(page.Verdicts) != 6 {
			t.Errorf("a minute later %d are kept, want 6", len(page.Verdicts))
		}
	})
}

// TestPages walks through a list page by page, whatever it is narrowed to.
func TestPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := open(t, database)
		var profiles [2]countersign.ProfileID
		for i := range profiles {
			profiles[i] = countersign.NewID[countersign.ProfileID](countersign.Test)
		}
		var want []countersign.RequestID // newest first, of the first profile
		for i := range 2500 {
			id := b.record(profiles[i%2], "")
			if i%2 == 0 {
				want = append([]countersign.RequestID{id}, want...)
			}
			if i%1000 == 999 {
				if err := b.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got []countersign.RequestID
		accepted := ""
		f := verdict.Filter{ProfileID: profiles[0], Reason: &accepted, Until: b.now.Add(time.Hour)}
		for cursor := ""; ; {
			page, err := b.List(t.Context(), b.env, f, 300, cursor)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Verdicts {
				got = append(got, v.RequestID)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d verdicts in pages, want %d, newest first", len(got), len(want))
		}
		if _, err := b.List(t.Context(), b.env, f, 300, "nonsense"); err == nil {
			t.Error("a cursor that is none is taken")
		}
	})
}

// TestSweep finds nothing after thirty days, and everything before.
func TestSweep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := open(t, database)
		profile := countersign.NewID[countersign.ProfileID](countersign.Test)
		old := b.record(profile, "expired")
		for range 10 {
			b.record(profile, "expired")
		}
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(30*24*time.Hour - time.Minute)
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Find(t.Context(), b.env, old.String()); err != nil {
			t.Errorf("before thirty days: %v", err)
		}
		b.now = b.now.Add(2 * time.Hour)
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Find(t.Context(), b.env, old.String()); err == nil {
			t.Error("after thirty days it is still there")
		}
		if page := b.list(t, verdict.Filter{}); len(page.Verdicts) != 0 || page.Missed != 0 {
			t.Errorf("%d verdicts and %d missed are left", len(page.Verdicts), page.Missed)
		}
	})
}

// TestRecordNeverWaits records while nothing can be written: a refusal goes on,
// memory is bounded, and every verdict is kept or counted in the end.
func TestRecordNeverWaits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := open(t, database)
		profile := countersign.NewID[countersign.ProfileID](countersign.Test)
		const n = 10_000
		ended, end := context.WithCancel(t.Context())
		end()
		for i := range n {
			b.record(profile, "")
			if i%1000 == 0 {
				if err := b.Flush(ended); err == nil {
					t.Fatal("Flush wrote although its context had ended")
				}
			}
		}
		kept := 0
		f := verdict.Filter{Until: b.now.Add(time.Hour)}
		for cursor := ""; ; {
			page, err := b.List(t.Context(), b.env, f, 1000, cursor)
			if err != nil {
				t.Fatal(err)
			}
			kept += len(page.Verdicts)
			if cursor = page.Next; cursor == "" {
				if kept+page.Missed != n || page.Missed == 0 {
					t.Errorf("%d kept and %d missed of %d", kept, page.Missed, n)
				}
				return
			}
		}
	})
}

// TestHours counts verdicts by hour and reason, those of profiles that are only
// tried apart, until they are swept.
func TestHours(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := open(t, database)
		profile := countersign.NewID[countersign.ProfileID](countersign.Test)
		hours := func() (seen []string) {
			t.Helper()
			list, missed, err := b.Hours(t.Context(), b.env, b.now.Add(-24*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range list {
				seen = append(seen, fmt.Sprintf("%s %q %d", h.Hour.Format("15:04"), h.Reason, h.Verdicts))
			}
			return append(seen, fmt.Sprintf("missed %d", missed))
		}
		b.record(profile, "")
		b.record(profile, "")
		for range 7 { // two more than are kept in a minute
			b.record(profile, "expired")
		}
		b.Record(countersign.Verdict{
			EnvironmentID: b.env, RequestID: countersign.NewOrderedID[countersign.RequestID](countersign.Test, b.now), At: b.now, ProfileID: profile, Shadow: true,
		})
		if diff := cmp.Diff([]string{`10:00 "" 2`, `10:00 "expired" 5`, "missed 2"}, hours()); diff != "" {
			t.Errorf("after an hour (-want +got):\n%s", diff)
		}
		b.now = b.now.Add(time.Hour)
		b.record(profile, "")
		if diff := cmp.Diff([]string{`10:00 "" 2`, `10:00 "expired" 5`, `11:00 "" 1`, "missed 2"}, hours()); diff != "" {
			t.Errorf("after another (-want +got):\n%s", diff)
		}
		b.now = b.now.Add(31 * 24 * time.Hour)
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, _, err := b.Hours(t.Context(), b.env, time.Time{}.AddDate(1970, 0, 0))
		if err != nil || len(list) != 0 {
			t.Errorf("after they were swept: %v, %v", list, err)
		}
	})
}
