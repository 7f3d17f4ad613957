package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestRestoreDrill does what docs/operate.md says of backups: it makes one while
// the server is at work, loses the database, restores, and starts. What was
// acknowledged before the backup began is there, what was revoked stays revoked,
// and the database is whole.
func TestRestoreDrill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, database string) {
		keyset := newKeyset(t)
		server := start(t, database, keyset)
		w := setUp(t, server)
		c := server.api(w.project, w.secret)
		before, meanwhile := newWorkers(6), newWorkers(6)
		for _, k := range meanwhile {
			k.name = "later-" + k.name
		}

		var acknowledged, later atomic.Int64
		var working sync.WaitGroup
		ctx, rest := context.WithCancel(t.Context())
		for _, k := range before {
			working.Go(func() { k.work(ctx, t, c, w, &acknowledged) })
		}
		await(t, &acknowledged, 300)
		rest()
		working.Wait()
		all(before, func(k *worker) { k.audit(t, c, 0) }) // settles what the end left unsure

		ctx, rest = context.WithCancel(t.Context())
		for _, k := range meanwhile {
			working.Go(func() { k.work(ctx, t, c, w, &later) })
		}
		await(t, &later, 50)
		began := later.Load()
		restore := backUp(t, database, keyset)
		if during := later.Load() - began; during == 0 {
			t.Error("nothing was acknowledged while the backup was made")
		}
		rest()
		working.Wait()
		server.kill(t)
		c.client.CloseIdleConnections()

		database, keyset = restore(t)
		server = start(t, database, keyset)
		c = server.api(w.project, w.secret)
		all(before, func(k *worker) { k.audit(t, c, 1) })
		all(before, func(k *worker) { k.audit(t, c, 2) }) // by JWTs where it was by tokens
		a := c.must(t, "/v1/sessions/attest", w.attestBody(w.pem, "afterwards@example.com", "afterwards", nil))
		if a.get("session_token") == "" {
			t.Errorf("attest on the restored server: %s", a.text)
		}
		server.interrupt(t)
		if code := server.ended(t); code != 0 {
			t.Errorf("exit code of the restored server: %d\n%s", code, server.log())
		}
		alive, revoked := counts(before)
		checkDatabase(t, database, alive, revoked)
	})
}

func await(t *testing.T, done *atomic.Int64, want int64) {
	t.Helper()
	if !until(t.Context(), time.Minute, func() bool { return done.Load() >= want || t.Failed() }) {
		t.Fatalf("%d of %d within a minute", done.Load(), want)
	}
}

// backUp makes a backup and gives the function that restores it, as the handbook
// has both, and names the database and the keyset to start with; "" is the file
// beside the database.
func backUp(t *testing.T, database, keyset string) (restore func(t *testing.T) (database, keyset string)) {
	t.Helper()
	if store.IsPostgres(database) {
		return backUpPostgres(t, database, keyset)
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	out := command(t, []string{"COUNTERSIGN_KEYSET=" + keyset}, binary, "backup", file, "--database", database, "--with-keyset", "--json")
	var made struct {
		Rows map[string]int64 `json:"rows"`
	}
	if err := json.Unmarshal(out, &made); err != nil || made.Rows["sessions"] == 0 {
		t.Fatalf("backup printed %s: %v", out, err)
	}
	return func(t *testing.T) (string, string) {
		t.Helper()
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(database + end); err != nil {
				t.Fatal(err)
			}
		}
		for _, end := range []string{"", ".keyset.json"} {
			if err := os.Rename(file+end, database+end); err != nil {
				t.Fatal(err)
			}
		}
		return database, ""
	}
}

func backUpPostgres(t *testing.T, database, keyset string) func(t *testing.T) (string, string) {
	t.Helper()
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed; it comes with PostgreSQL's client programs", tool)
		}
	}
	file := filepath.Join(t.TempDir(), "countersign.dump")
	command(t, nil, "pg_dump", "--format=custom", "--no-owner", "--file="+file, "--dbname="+database)
	return func(t *testing.T) (string, string) {
		t.Helper()
		empty := storetest.Postgres(t)
		command(t, nil, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+empty, file)
		return empty, keyset
	}
}

// command runs a program, which must succeed, and gives what it printed.
func command(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", filepath.Base(name), args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes()
}
