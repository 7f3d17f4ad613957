package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/cli"
)

// audit is a server with a trail of events, oldest first.
type audit struct {
	*server
	mu    sync.Mutex
	trail []string
	polls int
	then  func(a *audit) // after each reading of the newest page
}

func newAudit(t *testing.T, trail ...string) *audit {
	t.Helper()
	a := &audit{server: newServer(t, 200, "{}"), trail: trail}
	a.Close()
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *audit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	end := len(a.trail)
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		end, _ = strconv.Atoi(cursor)
	}
	var page []string
	for ; end > 0 && len(page) < limit; end-- {
		name := a.trail[end-1]
		action, object, _ := strings.Cut(name, "/")
		page = append(page, fmt.Sprintf(`{"event_id":%q,"occurred_at":"2026-01-05T10:00:00Z","actor_type":"secret","actor_id":"s","request_id":null,"action":%q,"object":%q,"detail":{"n":1}}`, name, action, object))
	}
	next := "null"
	if end > 0 {
		next = fmt.Sprintf("%q", strconv.Itoa(end))
	}
	_, _ = fmt.Fprintf(w, `{"events":[%s],"next_cursor":%s}`, strings.Join(page, ","), next)
	if a.then != nil && r.URL.Query().Get("cursor") == "" {
		a.polls++
		a.then(a)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	a := newAudit(t, "user.created/u1", "session.started/s1", "user.created/u2", "session.revoked/s1")
	const header = "OCCURRED_AT           ACTION           OBJECT  ACTOR\n"
	for args, want := range map[string]string{
		"":                            header + "2026-01-05T10:00:00Z  user.created     u1      secret s\n2026-01-05T10:00:00Z  session.started  s1      secret s\n2026-01-05T10:00:00Z  user.created     u2      secret s\n2026-01-05T10:00:00Z  session.revoked  s1      secret s\n",
		"--action session. --limit 3": header + "2026-01-05T10:00:00Z  session.started  s1      secret s\n2026-01-05T10:00:00Z  session.revoked  s1      secret s\n",
		"--object u3":                 "There are no such events.\n",
		"--json --object u2":          `{"event_id":"user.created/u2","occurred_at":"2026-01-05T10:00:00Z","actor_type":"secret","actor_id":"s","request_id":null,"action":"user.created","object":"u2","detail":{"n":1}}` + "\n",
	} {
		got := run(t, command{args: append([]string{"events"}, strings.Fields(args)...), env: a.env()})
		if diff := cmp.Diff(result{0, want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("events %s (-want +got):\n%s", args, diff)
		}
	}
}

// TestEventsFollow holds that each event is printed once: one that comes in front
// of others that were seen, and more at once than a page has.
func TestEventsFollow(t *testing.T) {
	t.Parallel()
	a := newAudit(t)
	for i := range 300 {
		a.trail = append(a.trail, fmt.Sprintf("old/%d", i))
	}
	ctx, interrupt := context.WithCancel(t.Context())
	a.then = func(a *audit) {
		switch a.polls {
		case 1: // another server's clock is behind
			a.trail = append(a.trail[:299:299], "late/1", "old/299", "new/1")
		case 2:
			for i := range 450 {
				a.trail = append(a.trail, fmt.Sprintf("many/%d", i))
			}
		case 4:
			interrupt()
		}
	}
	env := a.env()
	var stdout, stderr bytes.Buffer
	code := cli.Main(ctx, cli.Process{
		Args: []string{"events", "--follow", "--limit", "2"}, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Now:       func() time.Time { return now },
	})
	if code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit code %d, stderr %q", code, stderr.String())
	}
	want := []string{"298", "299", "1", "1"}
	for i := range 450 {
		want = append(want, strconv.Itoa(i))
	}
	var got []string
	for line := range strings.Lines(stdout.String()) {
		if fields := strings.Fields(line); fields[0] != "OCCURRED_AT" {
			got = append(got, fields[2])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}
