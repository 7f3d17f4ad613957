package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/cli"
)

// now is what every clock in these tests shows.
var now = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// command is one run of the command line.
type command struct {
	args  []string
	env   map[string]string
	stdin io.Reader
}

// result is what a run left behind.
type result struct {
	code   int
	stdout string
	stderr string
}

func run(t *testing.T, c command) result {
	t.Helper()
	if c.stdin == nil {
		c.stdin = strings.NewReader("")
	}
	var stdout, stderr bytes.Buffer
	code := cli.Main(t.Context(), cli.Process{
		Args: c.args, Stdin: c.stdin, Stdout: &stdout, Stderr: &stderr,
		LookupEnv: func(name string) (string, bool) { v, ok := c.env[name]; return v, ok },
		Now:       func() time.Time { return now },
	})
	return result{code, stdout.String(), stderr.String()}
}

// terminal is a standard input with a person before it, who types text.
type terminal struct{ io.Reader }

func typing(text string) terminal { return terminal{strings.NewReader(text)} }

// Stat says that this is a terminal.
func (terminal) Stat() (fs.FileInfo, error) { return device{}, nil }

type device struct{ fs.FileInfo }

// Mode is that of a terminal.
func (device) Mode() fs.FileMode { return fs.ModeDevice | fs.ModeCharDevice }

// exchange is a request as the server saw it.
type exchange struct {
	Method string
	Target string // path, still escaped, and query
	User   string
	Secret string
	Type   string // Content-Type
	Body   string // compacted JSON, or "" for none
}

// server answers every request with status and answer, and records it.
type server struct {
	*httptest.Server
	seen []exchange
}

func newServer(t *testing.T, status int, answer string) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchange{Method: r.Method, Target: r.URL.RequestURI(), Type: r.Header.Get("Content-Type")}
		e.User, e.Secret, _ = r.BasicAuth()
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		if len(raw) > 0 {
			var b bytes.Buffer
			if err := json.Compact(&b, raw); err != nil {
				t.Errorf("request body %q is not JSON: %v", raw, err)
			}
			e.Body = b.String()
		}
		s.seen = append(s.seen, e)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// env is the environment of somebody who has set everything.
func (s *server) env() map[string]string {
	return map[string]string{
		"COUNTERSIGN_URL":                  s.URL,
		"COUNTERSIGN_WORKSPACE_KEY_ID":     "wk",
		"COUNTERSIGN_WORKSPACE_KEY_SECRET": "wk-secret",
		"COUNTERSIGN_PROJECT_ID":           "project-test-1",
		"COUNTERSIGN_SECRET":               "api-secret",
		"COUNTERSIGN_PROJECT":              "acme",
		"COUNTERSIGN_ENVIRONMENT":          "test",
	}
}

// file makes a file and gives its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
