package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

var errMine = errors.New("mine alone")

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := storetest.Open(t, database, still)
		full := newWorld("full", countersign.Live)
		full.put(t, s)

		// The same with everything left out that may be: NULL comes back as the
		// zero value, not as an empty one or the other way round.
		bare := newWorld("bare", countersign.Test)
		bare.profile.AttributeMapping, bare.profile.PEMFiles = nil, nil
		bare.user.ExternalID, bare.user.TrustedMetadata = "", countersign.Object{}
		bare.session.CustomClaims, bare.session.Attributes = nil, countersign.SessionAttributes{}
		bare.session.Factors = bare.session.Factors[:1]
		bare.session.Factors[0].KeyID = ""
		bare.stream.Position, bare.stream.LeasedUntil, bare.stream.LastError = countersign.EventID{}, time.Time{}, ""
		bare.put(t, s)
		other := bare.user // a second user without an external ID is no duplicate
		other.ID = countersign.NewOrderedID[countersign.PersonID](countersign.Test, moment)
		update(t, s, func(tx *store.Tx) error {
			if err := tx.InsertPerson(t.Context(), bare.env.ID, other); err != nil {
				return err
			}
			return tx.Record(t.Context(), bare.env.ID, "user.created", other.ID.String(), nil)
		})

		for _, w := range []world{full, bare} {
			if diff := cmp.Diff(w, w.get(t, s), exactly); diff != "" {
				t.Errorf("%s (-stored +read):\n%s", w.project.Slug, diff)
			}
		}
	})
}

func TestSecretUsedRoundTrip(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld("acme", countersign.Test)
		w.session.ExpiresAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		w.put(t, s)
		w.secret.UsedAt = moment.Add(time.Minute)
		if err := s.SecretUsed(t.Context(), w.env.ID, w.secret.ID, w.secret.UsedAt); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, w.get(t, s), exactly); diff != "" {
			t.Errorf("after SecretUsed (-stored +read):\n%s", diff)
		}
	})
}

// TestVerdictsAreSavedOnce saves verdicts of which some are there already, as after
// a commit of which nobody heard.
func TestVerdictsAreSavedOnce(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld("acme", countersign.Test)
		w.session.ExpiresAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		w.put(t, s)
		batch := []countersign.Verdict{w.verdict}
		batch[0].Reason = "of the second try"
		for i := range 150 {
			v := w.verdict
			v.RequestID = countersign.NewOrderedID[countersign.RequestID](countersign.Test, moment.Add(time.Duration(i+1)*time.Second))
			batch = append(batch, v)
		}
		for range 2 {
			if err := s.SaveVerdicts(t.Context(), batch, nil); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(w, w.get(t, s), exactly); diff != "" {
			t.Errorf("the first verdict (-stored +read):\n%s", diff)
		}
		err := s.View(t.Context(), func(tx *store.Tx) error {
			all, err := tx.Verdicts(t.Context(), w.env.ID, store.VerdictFilter{},
				countersign.FirstOrderedID[countersign.RequestID](countersign.Test, moment.Add(-time.Hour)),
				countersign.FirstOrderedID[countersign.RequestID](countersign.Test, moment.Add(time.Hour)), 1000)
			if len(all) != len(batch) {
				t.Errorf("%d verdicts, want %d", len(all), len(batch))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestMigrationsReplayAndReopen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := newWorld("acme", countersign.Test)
		for round := range 3 {
			s, err := store.Open(t.Context(), store.Config{Database: database, Now: still})
			if err != nil {
				t.Fatalf("open number %d: %v", round, err)
			}
			if round == 0 {
				w.put(t, s)
			}
			if diff := cmp.Diff(w, w.get(t, s), exactly); diff != "" {
				t.Errorf("open number %d (-stored +read):\n%s", round, diff)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close number %d: %v", round, err)
			}
		}
	})
}

func TestManyNodesMigrateOnce(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), store.Config{Database: database, Now: still})
			if err != nil {
				t.Errorf("open an empty database beside others: %v", err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), store.Config{Database: database, Now: still})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = storetest.Raw(t, database).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Open(t.Context(), store.Config{Database: database, Now: still})
		if err == nil || !strings.Contains(err.Error(), "the database has schema 99999") {
			t.Errorf("Open(newer schema) = %v", err)
		}
	})
}

// TestBatch fills the queue behind a writer that is held, so that on SQLite the
// rest shares transactions, and gives every sixth a way to fail of its own.
func TestBatch(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
		held, release := make(chan struct{}), make(chan struct{})
		var first, wg, queued sync.WaitGroup
		first.Go(func() {
			if err := s.Update(ctx, countersign.System(), func(*store.Tx) error {
				close(held)
				<-release
				return nil
			}); err != nil {
				t.Errorf("the writer that was held: %v", err)
			}
		})
		<-held

		const writers = 90
		outcome := make([]string, writers)
		users := make([]countersign.Person, writers)
		queued.Add(writers)
		for i := range writers {
			users[i] = newWorld("x", countersign.Test).user
			users[i].ExternalID = fmt.Sprint("user-", i)
			wg.Go(func() {
				defer func() {
					if p := recover(); p != nil {
						outcome[i] = fmt.Sprint("panic ", p)
					}
				}()
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if i%6 == 2 {
					cancel()
				}
				queued.Done()
				err := s.Update(ctx, countersign.System(), func(tx *store.Tx) error {
					if err := tx.InsertPerson(ctx, env, users[i]); err != nil {
						return err
					}
					switch i % 6 {
					case 1:
						return errMine
					case 3:
						panic(i)
					case 4: // a statement that the engine refuses
						return tx.InsertPerson(ctx, env, users[i])
					case 5: // a change without an event
						return nil
					}
					return tx.Record(ctx, env, "user.created", users[i].ID.String(), nil)
				})
				switch {
				case err == nil:
					outcome[i] = "done"
				case errors.Is(err, errMine):
					outcome[i] = "mine"
				case errors.Is(err, context.Canceled):
					outcome[i] = "cancelled"
				default:
					outcome[i] = "refused"
				}
			})
		}
		queued.Wait()
		for range 1000 {
			runtime.Gosched()
		}
		close(release)
		first.Wait()
		wg.Wait()

		for i := range writers {
			want := []string{"done", "mine", "cancelled", fmt.Sprint("panic ", i), "refused", "refused"}[i%6]
			if outcome[i] != want {
				t.Errorf("writer %d: %s, want %s", i, outcome[i], want)
			}
			if stored := exists(t, s, env, users[i].ID); stored != (want == "done") {
				t.Errorf("writer %d (%s): stored = %t", i, want, stored)
			}
		}
	})
}

func exists(t *testing.T, s *store.Store, env countersign.EnvironmentID, id countersign.PersonID) bool {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Person(t.Context(), env, id)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// TestPanicGivesEverythingBack panics more often than there are connections.
func TestPanicGivesEverythingBack(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		for i := range 40 {
			func() {
				defer func() {
					if p := recover(); p != i {
						t.Errorf("recovered %v, want %d", p, i)
					}
				}()
				_ = s.Update(t.Context(), countersign.System(), func(*store.Tx) error { panic(i) })
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := s.Update(ctx, countersign.System(), func(tx *store.Tx) error {
			_, err := tx.Projects(ctx)
			return err
		})
		if err != nil {
			t.Errorf("Update after panics = %v", err)
		}
	})
}

// TestCancelledContext leaves while fn runs: whatever Update says must be so.
func TestCancelledContext(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
		for range 40 { // more often than there are connections
			u := newWorld("x", countersign.Test).user
			u.ExternalID = ""
			ctx, cancel := context.WithCancel(t.Context())
			err := s.Update(ctx, countersign.System(), func(tx *store.Tx) error {
				if err := tx.InsertPerson(t.Context(), env, u); err != nil {
					return err
				}
				if err := tx.Record(t.Context(), env, "user.created", u.ID.String(), nil); err != nil {
					return err
				}
				cancel()
				return nil
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("Update(cancelled inside) = %v", err)
			}
			if stored := exists(t, s, env, u.ID); stored != (err == nil) {
				t.Fatalf("Update(cancelled inside) = %v, but stored = %t", err, stored)
			}
			err = s.Update(ctx, countersign.System(), func(*store.Tx) error { return errors.New("fn was called") })
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("Update(cancelled before) = %v", err)
			}
		}
	})
}

// TestSessionsEnd checks the moment at which a session is gone: at its expiry,
// not a microsecond later.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		now := moment
		s := storetest.Open(t, database, func() time.Time { return now })
		w := newWorld("acme", countersign.Test)
		w.put(t, s)
		look := func() (n int, err error) {
			err = s.View(t.Context(), func(tx *store.Tx) error {
				list, err := tx.SessionsOf(t.Context(), w.env.ID, w.user.ID)
				if err != nil {
					return err
				}
				n = len(list)
				_, err = tx.Session(t.Context(), w.env.ID, w.session.ID)
				return err
			})
			return n, err
		}
		now = w.session.ExpiresAt.Add(-time.Microsecond)
		if n, err := look(); n != 1 || err != nil {
			t.Errorf("a microsecond before: %d sessions, %v", n, err)
		}
		now = w.session.ExpiresAt
		if n, err := look(); n != 0 || !errors.Is(err, store.ErrNotFound) {
			t.Errorf("at expiry: %d sessions, %v", n, err)
		}
		if n, err := s.PurgeSessions(t.Context(), now, 10); n != 0 || err != nil {
			t.Errorf("PurgeSessions(at expiry) = %d, %v", n, err)
		}
		if n, err := s.PurgeSessions(t.Context(), now.Add(time.Microsecond), 10); n != 1 || err != nil {
			t.Errorf("PurgeSessions(after expiry) = %d, %v", n, err)
		}
	})
}

// TestPurgeDeparted removes what a deleted environment left, in small batches,
// and nothing of another; the audit trail stays.
// Members are gone with their organization; their rows go by and by, and nobody
// else's.
func TestDeletedOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s, raw := storetest.Open(t, database, still), storetest.Raw(t, database)
		w, stays := newWorld("w", countersign.Test), newWorld("stays", countersign.Test)
		w.put(t, s)
		stays.put(t, s)
		w.session.ID, w.session.PersonID = countersign.NewOrderedID[countersign.SessionID](countersign.Test, moment), w.member.ID
		update(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.InsertSession(t.Context(), w.env.ID, w.session), tx.Record(t.Context(), w.env.ID, "session.started", "", nil))
		})
		untouched := dump(t, raw, stays.env.ID)
		update(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.DeleteOrganization(t.Context(), w.env.ID, w.organization.ID), tx.Record(t.Context(), w.env.ID, "organization.deleted", "", nil))
		})
		err := s.View(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Person(t.Context(), w.env.ID, w.member.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the member of a deleted organization: %v", err)
			}
			_, err := tx.Person(t.Context(), w.env.ID, w.user.ID)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if n, err := s.PurgeDepartedMembers(t.Context(), moment, 1); n != 0 || err != nil {
			t.Errorf("PurgeDepartedMembers(too early) = %d, %v", n, err)
		}
		for want := range slices.Values([]int64{1, 0}) {
			if n, err := s.PurgeDepartedMembers(t.Context(), moment.Add(time.Minute), 1); n != want || err != nil {
				t.Errorf("PurgeDepartedMembers = %d, %v, want %d", n, err, want)
			}
		}
		for _, table := range []string{"organizations", "departed_organizations"} {
			if left := dumpTable(t, raw, table, w.env.ID); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
		for table, want := range map[string]int{"users": 1, "user_identifiers": 2, "person_links": 1, "sessions": 1} { // the user's
			if left := dumpTable(t, raw, table, w.env.ID); len(left) != want {
				t.Errorf("%s has %d rows, want %d: %v", table, len(left), want, left)
			}
		}
		if diff := cmp.Diff(untouched, dump(t, raw, stays.env.ID)); diff != "" {
			t.Errorf("PurgeDepartedMembers changed another environment:\n%s", diff)
		}
	})
}

func TestPurgeDeparted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s, raw := storetest.Open(t, database, still), storetest.Raw(t, database)
		gone, stays := newWorld("gone", countersign.Test), newWorld("stays", countersign.Test)
		gone.put(t, s)
		stays.put(t, s)
		untouched := dump(t, raw, stays.env.ID)
		update(t, s, func(tx *store.Tx) error {
			if err := tx.DeleteEnvironment(t.Context(), gone.env.ID); err != nil {
				return err
			}
			return tx.Record(t.Context(), countersign.EnvironmentID{}, "environment.deleted", gone.env.ID.String(), nil)
		})
		if n, err := s.PurgeDeparted(t.Context(), moment, 1); n != 0 || err != nil {
			t.Errorf("PurgeDeparted(too early) = %d, %v", n, err)
		}
		total := int64(0)
		for {
			n, err := s.PurgeDeparted(t.Context(), moment.Add(time.Minute), 1)
			if err != nil || n == 0 {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			total += n
		}
		if total != 11 { // a session, three identifiers, a user, a member, an organization, two links, a verdict, a gap
			t.Errorf("PurgeDeparted removed %d rows, want 11", total)
		}
		for _, line := range dump(t, raw, gone.env.ID) {
			// Used tokens go when they expire, whosever they are.
			if !strings.HasPrefix(line, "events ") && !strings.HasPrefix(line, "used_tokens ") {
				t.Errorf("left behind: %s", line)
			}
		}
		if diff := cmp.Diff(untouched, dump(t, raw, stays.env.ID)); diff != "" {
			t.Errorf("PurgeDeparted changed another environment:\n%s", diff)
		}
	})
}
