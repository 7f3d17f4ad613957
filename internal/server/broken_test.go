package server_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestBrokenDatabase takes the database away. The server is alive and not ready,
// and says to nobody but its log what is wrong.
func TestBrokenDatabase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		log := &lockedLog{}
		w := newInputWorld(t, serverOptions{database: database, log: log})
		bodies := w.bodies()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, route := range w.Routes() {
			path := w.path(route.Pattern)
			answer := w.call(route.Method, path, w.authorization(path), bodies[route.Method+" "+route.Pattern])
			for _, problem := range answer.problems() {
				t.Errorf("%s %s: %s: %s", route.Method, path, problem, answer.body)
			}
			want := "internal_server_error"
			switch {
			case path == "/healthz", path == "/openapi.json", path == "/sdk/v1/events":
				want = ""
			case path == "/readyz":
				want = "server_unavailable"
			case strings.Contains(path, "/jwks/"):
				continue // its keys may still be in memory
			}
			if got := errorType(answer); got != want {
				t.Errorf("%s %s: %d %s, want %q", route.Method, path, answer.status, answer.body, want)
			}
			if strings.Contains(string(answer.body), "closed") {
				t.Errorf("%s %s tells the client of the cause: %s", route.Method, path, answer.body)
			}
		}
		if !strings.Contains(log.String(), "closed") {
			t.Errorf("the log does not tell of the cause:\n%s", log.String())
		}
	})
}

// TestTooManyProjects fills a workspace.
func TestTooManyProjects(t *testing.T) {
	t.Parallel()
	s := newServer(t, serverOptions{})
	create := func() reply {
		return s.call(http.MethodPost, projectsPath, basicHeader(localKeyID, localKeySecret), `{"name": "Test", "vertical": "CONSUMER"}`)
	}
	const limit, hands = 1000, 20 // SQLite commits those together that come together
	var group sync.WaitGroup
	for range hands {
		group.Go(func() {
			for range limit / hands {
				if a := create(); a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			}
		})
	}
	group.Wait()
	if a := create(); a.status != http.StatusBadRequest || errorType(a) != "too_many_projects" {
		t.Errorf("%d %s, want 400 too_many_projects", a.status, a.body)
	}
}

// errorType is the error_type of an answer, "" if it has none.
func errorType(a reply) string {
	_, rest, found := strings.Cut(string(a.body), `"error_type":"`)
	if !found {
		return ""
	}
	typ, _, _ := strings.Cut(rest, `"`)
	return typ
}

// lockedLog is a log that may be read while it is written.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
