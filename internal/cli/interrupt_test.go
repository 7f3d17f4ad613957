package cli_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/cli"
)

// TestInterruptedQuestion holds that Ctrl-C at a question ends the command,
// although nothing was typed, and that nothing is deleted.
func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	s := newServer(t, 200, "{}")
	silence, hold := io.Pipe()
	t.Cleanup(func() { _ = hold.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	env := s.env()
	var stderr bytes.Buffer
	asked := make(chan int, 1)
	go func() {
		asked <- cli.Main(ctx, cli.Process{
			Args: []string{"project", "delete", "acme"}, Stdin: terminal{silence}, Stdout: io.Discard, Stderr: &stderr,
			LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
			Now:       func() time.Time { return now },
		})
	}()
	cancel()
	code := <-asked
	const want = "Delete project acme with all its environments, people and sessions? [y/N] countersign: interrupted\n"
	if got := stderr.String(); code != cli.ExitFailed || got != want || len(s.seen) != 0 {
		t.Errorf("exit code %d, stderr %q, %d requests; want %d, %q, none", code, got, len(s.seen), cli.ExitFailed, want)
	}
}
