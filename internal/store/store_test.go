package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

var errStop = errors.New("stop")

func user(email string) countersign.Person {
	return countersign.Person{
		ID: countersign.NewOrderedID[countersign.PersonID](countersign.Test, time.Now()), Status: countersign.Active,
		Emails:          []countersign.Email{{ID: countersign.NewID[countersign.EmailID](countersign.Test), Address: email, Key: strings.ToLower(email)}},
		TrustedMetadata: countersign.Object{"n": []byte("12345678901234567890")}, UntrustedMetadata: countersign.Object{},
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
}

func insertUser(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, u countersign.Person) error {
	if err := tx.InsertPerson(ctx, env, u); err != nil {
		return err
	}
	for _, e := range u.Emails {
		if err := tx.InsertEmail(ctx, countersign.Tenant{EnvironmentID: env}, u.ID, e); err != nil {
			return err
		}
	}
	return tx.Record(ctx, env, "user.created", u.ID.String(), nil)
}

// TestOneText is the trial that the decision for one SQL text rests on.
func TestSixteenFirstSignInsAreOneUser(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
		for round := range 5 {
			email := fmt.Sprintf("Ada%d@example.com", round)
			var wg sync.WaitGroup
			ids := make([]countersign.PersonID, 16)
			for i := range ids {
				wg.Go(func() {
					err := s.Update(t.Context(), countersign.System(), func(tx *store.Tx) error {
						u, err := tx.PersonByEmail(t.Context(), countersign.Tenant{EnvironmentID: env}, strings.ToLower(email))
						if errors.Is(err, store.ErrNotFound) {
							u = user(email)
							err = insertUser(t.Context(), tx, env, u)
						}
						ids[i] = u.ID
						return err
					})
					if err != nil {
						t.Errorf("sign-in %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			for _, id := range ids {
				if id != ids[0] || id.IsZero() {
					t.Fatalf("round %d: the sign-ins made %v", round, ids)
				}
			}
		}
	})
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
		var wg sync.WaitGroup
		users := make([]countersign.Person, 40)
		for i := range users {
			users[i] = user(fmt.Sprintf("u%d@example.com", i))
			wg.Go(func() {
				err := s.Update(t.Context(), countersign.System(), func(tx *store.Tx) error {
					if err := insertUser(t.Context(), tx, env, users[i]); err != nil {
						return err
					}
					if i%2 == 1 {
						return errStop
					}
					return nil
				})
				if want := i%2 == 1; errors.Is(err, errStop) != want || !want && err != nil {
					t.Errorf("Update %d = %v", i, err)
				}
			})
		}
		wg.Wait()
		for i, u := range users {
			err := s.View(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Person(t.Context(), env, u.ID)
				return err
			})
			if gone := errors.Is(err, store.ErrNotFound); gone != (i%2 == 1) {
				t.Errorf("User(%d) = %v", i, err)
			}
		}
	})
}

func TestUpdateRefusesAChangeWithoutAnEvent(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
		u := user("ada@example.com")
		err := s.Update(t.Context(), countersign.System(), func(tx *store.Tx) error { return tx.InsertPerson(t.Context(), env, u) })
		if err == nil || !strings.Contains(err.Error(), "recorded no event") {
			t.Errorf("Update without an event = %v", err)
		}
		err = s.View(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Person(t.Context(), env, u.ID)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the user is there all the same: %v", err)
		}
	})
}

func TestDatabaseIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	s := storetest.Open(t, path, time.Now)
	if err := s.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Projects(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("the database is %v, %v", files, err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", f, mode)
		}
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	storetest.Open(t, path, time.Now)
	_, err := store.Open(t.Context(), store.Config{Database: path, Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), "another process serves") {
		t.Errorf("second Open = %v", err)
	}
}

// TestCloseLeavesOneFile holds that a database whose process has ended in good
// order is one file, which can be copied as it is.
func TestCloseLeavesOneFile(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	s, err := store.Open(t.Context(), store.Config{Database: path, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := pair(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Projects(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if want := []string{path, path + ".lock"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("after Close there are %v, %v; want %v", files, err, want)
	}
}
