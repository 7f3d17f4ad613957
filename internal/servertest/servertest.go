// Package servertest gives a test a whole server on a loopback port, with a real
// database, and the few calls that every test begins with.
package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/server"
)

// Options are what a test may choose.
type Options struct {
	Now              func() time.Time // default: the machine's clock
	JWKSAllowPrivate []string         // default: 127.0.0.0/8
	Keyset           countersign.Bearer
	// VerdictsPerMinute is as in server.Config.
	VerdictsPerMinute int
}

// Server is a running server.
type Server struct {
	URL                string
	WorkspaceKeyID     string
	WorkspaceKeySecret string
	Running            *server.Server // for what no request reaches

	t         testing.TB
	log       *lockedBuffer
	stop      func()
	transport *http.Transport
	witness   *Witness
}

// Start runs a server on a database until the test ends.
func Start(t testing.TB, database string, o Options) *Server {
	t.Helper()
	s := &Server{
		WorkspaceKeyID: "workspace-key-test", WorkspaceKeySecret: "workspace-secret-for-tests",
		t: t, log: &lockedBuffer{}, transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	if o.JWKSAllowPrivate == nil {
		o.JWKSAllowPrivate = []string{"127.0.0.0/8"}
	}
	config := server.Config{
		Addr: "127.0.0.1:0", Database: database, Keyset: o.Keyset, Now: o.Now, JWKSAllowPrivate: o.JWKSAllowPrivate,
		WorkspaceKeyID: s.WorkspaceKeyID, WorkspaceKeySecret: countersign.Bearer(s.WorkspaceKeySecret),
		VerdictsPerMinute: o.VerdictsPerMinute, LimitPerAddress: -1,
		Logger: slog.New(slog.NewJSONHandler(s.log, nil)),
	}
	if o.Keyset == "" {
		config.KeysetFile = t.TempDir() + "/keyset.json"
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	running, err := server.New(ctx, config)
	if err != nil {
		cancel()
		t.Fatalf("start the server: %v", err)
	}
	s.Running = running
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- running.Run(ctx, func(addr string) { ready <- addr }) }()
	select {
	case addr := <-ready:
		s.URL = "http://" + addr
	case err := <-done:
		cancel()
		t.Fatalf("run the server: %v", err)
	}
	s.stop = sync.OnceFunc(func() {
		s.transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(s.stop)
	s.witness = OwnDocument(t, s.document)
	return s
}

func (s *Server) document() []byte {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL+"/openapi.json", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.transport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// Stop ends the server before its test does.
func (s *Server) Stop() { s.stop() }

// Log is what the server has logged so far.
func (s *Server) Log() string { return s.log.String() }

// Answer is an answer, decoded.
type Answer struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any
}

// At is what stands at a path of members; nil if nothing does.
func (a Answer) At(members ...string) any {
	var v any = a.JSON
	for _, m := range members {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[m]
	}
	return v
}

// String is the text that stands at a path of members; "" if none does.
func (a Answer) String(members ...string) string {
	s, _ := a.At(members...).(string)
	return s
}

// Manage calls the management API with the workspace key. body is marshalled,
// unless it is nil.
func (s *Server) Manage(method, path string, body any) Answer {
	s.t.Helper()
	return s.Call(method, path, s.WorkspaceKeyID, s.WorkspaceKeySecret, body)
}

// Call makes a request with Basic credentials and decodes the answer.
func (s *Server) Call(method, path, user, password string, body any) Answer {
	s.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = countersign.EncodeJSON(body); err != nil {
			s.t.Fatalf("encode the request: %v", err)
		}
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	r.Header.Set("Content-Type", "application/json")
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	return s.Do(r)
}

// Do makes a request and decodes the answer, which must be JSON.
func (s *Server) Do(r *http.Request) Answer {
	s.t.Helper()
	response, err := s.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("read the answer: %v", err)
	}
	a := Answer{Status: response.StatusCode, Header: response.Header, Text: string(text)}
	decoder := json.NewDecoder(strings.NewReader(a.Text))
	decoder.UseNumber()
	if err := decoder.Decode(&a.JSON); err != nil {
		s.t.Fatalf("%s %s: the answer is not JSON: %v\n%s", r.Method, r.URL.Path, err, text)
	}
	return a
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
