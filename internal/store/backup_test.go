package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// emptyFile is where a copy may go.
func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func silent(int, int) {}

// pair writes two projects in one transaction.
func pair(ctx context.Context, s *store.Store, i int) error {
	return s.Update(ctx, countersign.System(), func(tx *store.Tx) error {
		return errors.Join(
			tx.InsertProject(ctx, countersign.Project{Slug: fmt.Sprint("a", i), Name: strings.Repeat("x", 3000), CreatedAt: tx.Now}),
			tx.InsertProject(ctx, countersign.Project{Slug: fmt.Sprint("b", i), Name: strings.Repeat("x", 3000), CreatedAt: tx.Now}),
			tx.Record(ctx, countersign.EnvironmentID{}, "project.created", fmt.Sprint(i), nil))
	})
}

// TestBackUpBesideWriters holds that a copy is of one moment: of each transaction
// it has all or nothing, of what was acknowledged before it began it has all, and
// the store that is copied goes on writing.
func TestBackUpBesideWriters(t *testing.T) {
	t.Parallel()
	database := storetest.SQLite(t)
	s := storetest.Open(t, database, time.Now)
	ctx := t.Context()
	for i := range 1500 {
		if err := pair(ctx, s, i); err != nil {
			t.Fatal(err)
		}
	}
	stop, wrote := make(chan struct{}), 0
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := 1500; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := pair(ctx, s, i); err != nil {
				t.Errorf("write beside the backup: %v", err)
				return
			}
			wrote++
		}
	})
	to := emptyFile(t)
	looks := 0
	made, err := store.BackUp(ctx, database, to, func(done, total int) {
		looks++
		if done > total {
			t.Errorf("%d of %d pages", done, total)
		}
	})
	close(stop)
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if looks < 2 || wrote == 0 {
		t.Errorf("progress was told %d times, and %d pairs were written meanwhile; want more", looks, wrote)
	}
	if made.Schema != store.KnownSchema() {
		t.Errorf("the copy has schema %d", made.Schema)
	}
	if left, err := filepath.Glob(to + "?*"); err != nil || len(left) > 0 {
		t.Errorf("beside the copy lie %v, %v", left, err)
	}
	restored := storetest.Open(t, to, time.Now)
	var slugs map[string]bool
	err = restored.View(ctx, func(tx *store.Tx) error {
		list, err := tx.Projects(ctx)
		slugs = map[string]bool{}
		for _, p := range list {
			slugs[p.Slug] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(slugs) < 3000 {
		t.Errorf("the copy has %d projects; 3000 were acknowledged before", len(slugs))
	}
	for slug := range slugs {
		if other := map[byte]string{'a': "b", 'b': "a"}[slug[0]] + slug[1:]; !slugs[other] {
			t.Errorf("the copy has %s and not %s", slug, other)
		}
	}
}

func TestBackUpRefuses(t *testing.T) {
	t.Parallel()
	whole := storetest.SQLite(t)
	s := storetest.Open(t, whole, time.Now)
	for i := range 200 {
		if err := pair(t.Context(), s, i); err != nil {
			t.Fatal(err)
		}
	}
	copied := emptyFile(t)
	if _, err := store.BackUp(t.Context(), whole, copied, silent); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	broken := func(text []byte) string {
		path := filepath.Join(t.TempDir(), "broken.db")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	scribbled := append([]byte(nil), text...)
	for i := 8 * 4096; i < 40*4096; i++ {
		scribbled[i] = 0x5a
	}
	for _, test := range []struct {
		name, database string
		want           func(error) bool
	}{
		{"a truncated file", broken(text[:len(text)/2]), store.NotDatabase},
		{"a file that is none", broken([]byte(strings.Repeat("not a database ", 100))), store.NotDatabase},
		{"pages of something else", broken(scribbled), func(err error) bool {
			return store.NotDatabase(err) || err != nil && strings.Contains(err.Error(), "damaged")
		}},
		{"an empty file", broken(nil), func(err error) bool { return errors.Is(err, store.ErrNoSchema) }},
	} {
		if _, err := store.BackUp(t.Context(), test.database, emptyFile(t), silent); !test.want(err) {
			t.Errorf("BackUp(%s) = %v", test.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := store.BackUp(ctx, whole, emptyFile(t), func(int, int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("BackUp(interrupted) = %v", err)
	}
}
