package stand

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The engines that Start knows. PostgreSQL needs COUNTERSIGN_TEST_POSTGRES, the
// URL of a server on which databases may be made.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// startTime bounds how long the server may take to listen; its first start on
// PostgreSQL runs every migration.
const startTime = 30 * time.Second

// keyID is the workspace key's ID; its secret is made anew for each server.
const keyID = "workspace-key-sdk"

// Stand is a running server.
type Stand struct {
	Server
	process *exec.Cmd
	log     *journal
	undo    []func() error // in reverse order
}

// Start builds the server, unless COUNTERSIGN_SDK_BINARY names one that is
// built, and runs it on an empty database of that engine.
func Start(ctx context.Context, engine string) (_ *Stand, err error) {
	s := &Stand{Server: Server{KeyID: keyID, KeySecret: rand.Text()}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.clear())
		}
	}()
	dir, err := os.MkdirTemp("", "countersign-sdk-")
	if err != nil {
		return nil, err
	}
	s.later(func() error { return os.RemoveAll(dir) })
	binary, err := build(ctx, dir)
	if err != nil {
		return nil, err
	}
	database := filepath.Join(dir, "countersign.db")
	switch engine {
	case SQLite:
	case Postgres:
		drop := func() error { return nil }
		if database, drop, err = createDatabase(ctx, os.Getenv("COUNTERSIGN_TEST_POSTGRES")); err != nil {
			return nil, err
		}
		s.later(drop)
	default:
		return nil, fmt.Errorf("no engine is called %q", engine)
	}
	err = s.run(ctx, binary, "serve", "--addr", "127.0.0.1:0", "--database", database,
		"--keyset", filepath.Join(dir, "keyset.json"), "--jwks-allow-private", "127.0.0.1")
	if witness := os.Getenv("COUNTERSIGN_SDK_WITNESS"); err == nil && witness != "" {
		err = s.witness(witness)
	}
	return s, err
}

// witness puts a program between the server and the clients that holds every
// exchange against the server's OpenAPI document.
func (s *Stand) witness(program string) error {
	w := exec.Command(program, s.URL) //nolint:noctx,gosec // clear ends it, with a signal that it answers
	var found strings.Builder
	w.Stderr = &found
	out, err := w.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the witness: %w", err)
	}
	s.later(func() error {
		_ = w.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which Wait tells
		if err := w.Wait(); err != nil {
			return fmt.Errorf("%w: %s", err, found.String())
		}
		return nil
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the witness gave no address: %w", err)
	}
	s.URL = strings.TrimSpace(address)
	return nil
}

func (s *Stand) later(undo func() error) { s.undo = append(s.undo, undo) }

func (s *Stand) clear() error {
	var all error
	for i := len(s.undo) - 1; i >= 0; i-- {
		all = errors.Join(all, s.undo[i]())
	}
	s.undo = nil
	return all
}

// build gives the path of the server's binary. The walk upwards finds the
// server's module from wherever in it a suite runs.
func build(ctx context.Context, dir string) (string, error) {
	if given := os.Getenv("COUNTERSIGN_SDK_BINARY"); given != "" {
		return given, nil
	}
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/countersign-auth/countersign\n") {
			break
		}
		if root == filepath.Dir(root) {
			return "", errors.New("this folder is not within the server's module")
		}
		root = filepath.Dir(root)
	}
	binary := filepath.Join(dir, "countersign")
	compile := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./cmd/countersign")
	compile.Dir = root
	if out, err := compile.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return binary, nil
}

// run starts the process and waits until it listens and is ready.
func (s *Stand) run(ctx context.Context, binary string, args ...string) error {
	s.process = exec.Command(binary, args...) //nolint:noctx // Stop ends it, with a signal that it may answer
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "COUNTERSIGN_") { // the settings of whoever runs the suite are not ours
			s.process.Env = append(s.process.Env, setting)
		}
	}
	s.process.Env = append(s.process.Env, "COUNTERSIGN_WORKSPACE_KEY_ID="+s.KeyID, "COUNTERSIGN_WORKSPACE_KEY_SECRET="+s.KeySecret)
	stderr, err := s.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	s.log = follow(stderr, s.KeySecret)
	s.later(s.end)
	select {
	case s.URL = <-s.log.listens:
	case <-s.log.done:
		return fmt.Errorf("the server ended before it listened:\n%s", s.log.tail())
	case <-time.After(startTime):
		return fmt.Errorf("the server did not listen within %v:\n%s", startTime, s.log.tail())
	case <-ctx.Done():
		return ctx.Err()
	}
	ready, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(ready)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: status %d: %w", answer.StatusCode, err)
	}
	return nil
}

// Stop ends the server and removes what it left. It is an error if the server
// did not end well, or if its log tells of an internal error or holds the
// workspace secret: what no client can see is checked here.
func (s *Stand) Stop() error { return s.clear() }

func (s *Stand) end() error {
	_ = s.process.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which Wait tells
	kill := time.AfterFunc(startTime, func() { _ = s.process.Process.Kill() })
	defer kill.Stop()
	<-s.log.done
	if err := s.process.Wait(); err != nil {
		return fmt.Errorf("the server ended with %w:\n%s", err, s.log.tail())
	}
	return s.log.verdict()
}
