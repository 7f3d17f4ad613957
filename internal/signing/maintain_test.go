package signing_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestMaintain lets half a year and more pass on two nodes that share nothing
// but the database.
func TestMaintain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		ctx := t.Context()
		clock := servertest.NewClock()
		text, err := signing.NewKeyset()
		if err != nil {
			t.Fatal(err)
		}
		keyset, err := signing.ParseKeyset(text)
		if err != nil {
			t.Fatal(err)
		}
		s := storetest.Open(t, database, clock.Now)
		nodes := []*store.Store{s, s}
		if store.IsPostgres(database) {
			nodes[1] = storetest.Open(t, database, clock.Now)
		}
		var rings [2]*signing.Keyring
		for i, node := range nodes {
			rings[i] = signing.NewKeyring(signing.Config{Store: node, Keyset: keyset, Now: clock.Now, Logger: slog.New(slog.DiscardHandler)})
		}
		env := countersign.Environment{
			ID: countersign.NewID[countersign.EnvironmentID](countersign.Test), ProjectSlug: "p", Slug: "e", Type: countersign.TestEnvironment,
			Settings: countersign.DefaultEnvironmentSettings(), SessionTokenKey: []byte{1}, CreatedAt: clock.Now(),
		}
		env.Settings.SessionJWTAlgorithm = countersign.ES256
		first, err := rings[0].FirstKey(env.ID, countersign.ES256)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(ctx, countersign.System(), func(tx *store.Tx) error {
			if err := tx.InsertProject(ctx, countersign.Project{Slug: "p", Name: "P", Vertical: countersign.Consumer, CreatedAt: clock.Now()}); err != nil {
				return err
			}
			if err := tx.InsertEnvironment(ctx, env); err != nil {
				return err
			}
			if err := tx.InsertSigningKey(ctx, first); err != nil {
				return err
			}
			return tx.Record(ctx, env.ID, "environment.created", "e", nil)
		})
		if err != nil {
			t.Fatal(err)
		}

		// states runs both nodes' hourly work at once, and looks.
		states := func() []signing.State {
			t.Helper()
			var wg sync.WaitGroup
			for _, ring := range rings {
				wg.Go(func() {
					if err := ring.Maintain(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			var both [2][]signing.State
			for i, ring := range rings {
				keys, err := ring.States(ctx, env.ID)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range keys {
					both[i] = append(both[i], k.State)
				}
			}
			if diff := cmp.Diff(both[0], both[1]); diff != "" {
				t.Errorf("the nodes disagree:\n%s", diff)
			}
			return both[0]
		}
		begin := clock.Now()
		for _, row := range []struct {
			after time.Duration
			want  []signing.State
		}{
			{0, []signing.State{signing.Active}},
			{signing.Lifetime - signing.Lead, []signing.State{signing.Active}},
			{signing.Lifetime - signing.Lead + time.Second, []signing.State{signing.Active, signing.Next}},
			{signing.Lifetime - time.Second, []signing.State{signing.Active, signing.Next}},
			{signing.Lifetime + time.Second, []signing.State{signing.Retired, signing.Active}},
			{signing.Lifetime + signing.Retention, []signing.State{signing.Retired, signing.Active}},
			{signing.Lifetime + signing.Retention + time.Minute, []signing.State{signing.Active}},
			{2*signing.Lifetime + time.Second, []signing.State{signing.Active, signing.Next}},
			{5 * signing.Lifetime, []signing.State{signing.Active, signing.Next}}, // the server was down for years
		} {
			clock.Advance(row.after - clock.Now().Sub(begin))
			if diff := cmp.Diff(row.want, states()); diff != "" {
				t.Errorf("after %v (-want +got):\n%s", row.after, diff)
			}
		}
		var left int
		if err := storetest.Raw(t, database).QueryRowContext(ctx, `SELECT count(*) FROM signing_keys`).Scan(&left); err != nil || left != 2 {
			t.Errorf("%d keys in the database, %v; those past their retention should be gone", left, err)
		}
	})
}
