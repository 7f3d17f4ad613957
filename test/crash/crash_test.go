package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

func newWorkers(n int) []*worker {
	workers := make([]*worker, n)
	for i := range workers {
		workers[i] = &worker{name: fmt.Sprint("w", i)}
	}
	return workers
}

// TestAcknowledgedSurvivesKill kills the server 20 times in the middle of its
// work. Whatever it had acknowledged is there after each restart.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, database string) {
		kills := 20
		if testing.Short() {
			kills = 3
		}
		keyset := newKeyset(t)
		server := start(t, database, keyset)
		w := setUp(t, server)
		workers := newWorkers(10)
		var acknowledged atomic.Int64
		for round := range kills {
			c := server.api(w.project, w.secret)
			var working sync.WaitGroup
			for _, k := range workers {
				working.Go(func() { k.work(t.Context(), t, c, w, &acknowledged) })
			}
			// When it dies is up to chance, once it has done some work.
			before := acknowledged.Load()
			for acknowledged.Load() < before+50 && !t.Failed() {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(rand.N(150 * time.Millisecond))
			server.kill(t)
			working.Wait()
			c.client.CloseIdleConnections()
			if t.Failed() {
				t.Fatalf("round %d\n%s", round, server.log())
			}

			server = start(t, database, keyset)
			c = server.api(w.project, w.secret)
			all(workers, func(k *worker) { k.audit(t, c, round) })
			c.client.CloseIdleConnections()
			if t.Failed() {
				t.Fatalf("round %d\n%s", round, server.log())
			}
		}
		server.kill(t)
		alive, revoked := counts(workers)
		t.Logf("%d kills, %d acknowledged changes and checks; %d sessions alive, %d revoked", kills, acknowledged.Load(), alive, revoked)
		checkDatabase(t, database, alive, revoked)
	})
}

// checkDatabase looks at the database itself: it is whole, each change has its
// event and each event its change, and nobody exists twice.
func checkDatabase(t *testing.T, database string, alive, revoked int) {
	t.Helper()
	db := storetest.Raw(t, database)
	number := func(query string) (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	if !store.IsPostgres(database) {
		var verdict string
		if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("PRAGMA integrity_check: %q, %v", verdict, err)
		}
		if n := number("SELECT count(*) FROM pragma_foreign_key_check"); n != 0 {
			t.Errorf("%d rows refer to rows that are not there", n)
		}
	}
	sessions := number("SELECT count(*) FROM sessions")
	started, ended := number("SELECT count(*) FROM events WHERE action = 'session.started'"), number("SELECT count(*) FROM events WHERE action = 'session.revoked'")
	if started-ended != sessions {
		t.Errorf("%d sessions, but %d started and %d revoked by the audit trail", sessions, started, ended)
	}
	// More may have come to be than was acknowledged, never less.
	if sessions < alive || ended < revoked {
		t.Errorf("%d sessions and %d revocations; acknowledged were %d and %d", sessions, ended, alive, revoked)
	}
	users, created := number("SELECT count(*) FROM users"), number("SELECT count(*) FROM events WHERE action = 'user.created'")
	if users > people || users != created || users != number("SELECT count(*) FROM user_identifiers") {
		t.Errorf("%d users of %d people, %d created by the audit trail", users, people, created)
	}
	if n := number("SELECT count(*) FROM sessions s LEFT JOIN users u ON u.environment_id = s.environment_id AND u.user_id = s.subject_id WHERE u.user_id IS NULL"); n != 0 {
		t.Errorf("%d sessions of nobody", n)
	}
}

// TestStopUnderLoad ends the server in the middle of its work, and of requests
// that wait for an issuer.
func TestStopUnderLoad(t *testing.T) {
	storetest.Each(t, func(t *testing.T, database string) {
		keyset := newKeyset(t)
		server := start(t, database, keyset)
		w := setUp(t, server)
		workers := newWorkers(8)
		c := server.api(w.project, w.secret)
		var acknowledged atomic.Int64
		var working, waiting sync.WaitGroup
		for _, k := range workers {
			working.Go(func() { k.work(t.Context(), t, c, w, &acknowledged) })
		}

		// These are in flight for as long as the issuer holds its answer back.
		w.issuer.Misbehave(issuertest.SlowHeaders)
		slow := server.api(w.project, w.secret)
		for i := range 8 {
			waiting.Go(func() {
				email := fmt.Sprintf("waiting%d@example.com", i)
				a, err := slow.post(t.Context(), "/v1/sessions/attest", w.attestBody(w.keySet, email, "t", nil))
				if err != nil || a.status != http.StatusOK {
					t.Errorf("a request in flight: %d %s %v", a.status, a.text, err)
				}
			})
		}
		<-w.issuer.Arrived()
		for acknowledged.Load() < 200 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		server.interrupt(t)
		refused := until(t.Context(), 5*time.Second, func() bool {
			conn, err := net.Dial("tcp", strings.TrimPrefix(server.url, "http://"))
			if err == nil {
				_ = conn.Close()
			}
			return errors.Is(err, syscall.ECONNREFUSED)
		})
		if !refused {
			t.Error("the server still accepts connections after SIGTERM")
		}
		w.issuer.Release()
		waiting.Wait()
		working.Wait()
		if code := server.ended(t); code != 0 {
			t.Errorf("exit code %d\n%s", code, server.log())
		}

		server = start(t, database, keyset)
		c = server.api(w.project, w.secret)
		all(workers, func(k *worker) { k.audit(t, c, 0) })
		server.interrupt(t)
		if code := server.ended(t); code != 0 {
			t.Errorf("exit code of an idle server: %d\n%s", code, server.log())
		}
	})
}

// until asks again and again, for so long at most.
func until(ctx context.Context, most time.Duration, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for ctx.Err() == nil {
		if done() {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}
