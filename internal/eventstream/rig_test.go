package eventstream_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/eventstream"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
)

// rig is a database with one environment, a clock, a destination of either type,
// and the first of the nodes that deliver.
type rig struct {
	*node
	t        *testing.T
	database string
	keyset   *signing.Keyset
	clock    *servertest.Clock
	sink     *sink
	env      countersign.Environment
}

// node is a server, as far as it streams events.
type node struct {
	*eventstream.Service
	log     *bytes.Buffer
	metrics *telemetry.Metrics
}

func newRig(t *testing.T, database string) *rig {
	t.Helper()
	text, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, database: database, clock: servertest.NewClock(), sink: newSink(t)}
	if r.keyset, err = signing.ParseKeyset(text); err != nil {
		t.Fatal(err)
	}
	r.node = r.newNode()
	r.env = countersign.Environment{
		ID: countersign.NewID[countersign.EnvironmentID](countersign.Test), Slug: "env", ProjectSlug: "project", Vertical: countersign.Consumer,
		Type: countersign.TestEnvironment, SessionTokenKey: []byte{1}, CreatedAt: r.clock.Now(),
	}
	r.update(func(tx *store.Tx) error {
		if err := tx.InsertProject(t.Context(), countersign.Project{Slug: "project", Vertical: countersign.Consumer, CreatedAt: tx.Now}); err != nil {
			return err
		}
		if err := tx.InsertEnvironment(t.Context(), r.env); err != nil {
			return err
		}
		return tx.Record(t.Context(), r.env.ID, "environment.created", "env", nil)
	})
	return r
}

// newNode is one more node on the database; a SQLite file has only one.
func (r *rig) newNode() *node {
	r.t.Helper()
	n := &node{log: &bytes.Buffer{}, metrics: telemetry.NewMetrics()}
	n.Service = &eventstream.Service{Config: eventstream.Config{
		Store: storetest.Open(r.t, r.database, r.clock.Now), Keyset: r.keyset, Poster: r.poster("127.0.0.1"),
		Encode:     func(e countersign.Event) ([]byte, error) { return countersign.EncodeJSON(wire.NewEvent(e)) },
		DatadogURL: func(site countersign.DatadogSite) string { return r.sink.URL + "/" + string(site) },
		Metrics:    n.metrics, Logger: slog.New(slog.NewJSONHandler(n.log, nil)), Now: r.clock.Now,
	}}
	return n
}

func (r *rig) poster(allowPrivate ...string) *trust.Poster {
	r.t.Helper()
	poster, err := trust.NewPoster(trust.GuardConfig{AllowPrivate: allowPrivate}, r.clock.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	return poster
}

func (r *rig) update(fn func(*store.Tx) error) {
	r.t.Helper()
	if err := r.Store.Update(r.t.Context(), countersign.System(), fn); err != nil {
		r.t.Fatal(err)
	}
}

const (
	apiKey   = "1234567890abcdef1234567890abcdef"
	password = "password-12345678"
)

// destinations are one of each type, both in the sink.
func (r *rig) destinations() map[string]countersign.Destination {
	return map[string]countersign.Destination{
		"datadog": {Type: countersign.Datadog, Site: countersign.DatadogEU, APIKey: apiKey},
		"loki":    r.loki(),
	}
}

func (r *rig) loki() countersign.Destination {
	return countersign.Destination{Type: countersign.GrafanaLoki, Hostname: r.sink.URL, Username: "user", Password: password}
}

// stream makes a stream and enables it.
func (r *rig) stream(d countersign.Destination) {
	r.t.Helper()
	if _, err := r.Create(r.t.Context(), countersign.System(), r.env.ID, d); err != nil {
		r.t.Fatal(err)
	}
	r.enable(d.Type)
}

func (r *rig) enable(typ countersign.DestinationType) {
	r.t.Helper()
	r.clock.Advance(time.Millisecond)
	if err := r.Enable(r.t.Context(), countersign.System(), r.env.ID, typ); err != nil {
		r.t.Fatal(err)
	}
}

// happen records events, a millisecond apart.
func (r *rig) happen(objects ...string) {
	r.t.Helper()
	for _, object := range objects {
		r.clock.Advance(time.Millisecond)
		r.update(func(tx *store.Tx) error {
			return tx.Record(r.t.Context(), r.env.ID, "tested", object, map[string]string{"of": object})
		})
	}
}

// deliver lets what happened settle and makes one pass.
func (r *rig) deliver() {
	r.t.Helper()
	r.clock.Advance(6 * time.Second)
	r.pass()
}

func (r *rig) pass() {
	r.t.Helper()
	if err := r.Deliver(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// lastError is what the operator sees of the last attempt.
func (r *rig) lastError(typ countersign.DestinationType) string {
	r.t.Helper()
	s, err := r.Stream(r.t.Context(), r.env.ID, typ)
	if err != nil {
		r.t.Fatal(err)
	}
	return s.LastError
}

// sink is a Datadog and a Loki in one.
type sink struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	objects  []string                       // of the events that were accepted, in order
	answer   func(http.ResponseWriter) bool // nil or true: 204
	before   func(n int)                    // is told which request it is
}

// request is what came.
type request struct {
	path   string
	header http.Header
	body   any
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	var body any
	_ = json.Unmarshal(text, &body)
	s.mu.Lock()
	s.requests = append(s.requests, request{r.URL.Path, r.Header, body})
	answer, before, n := s.answer, s.before, len(s.requests)
	s.mu.Unlock()
	if before != nil {
		before(n)
	}
	if answer != nil && !answer(w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/push") {
		for _, value := range body.(map[string]any)["streams"].([]any)[0].(map[string]any)["values"].([]any) {
			var event struct{ Object string }
			_ = json.Unmarshal([]byte(value.([]any)[1].(string)), &event)
			s.objects = append(s.objects, event.Object)
		}
	} else {
		for _, log := range body.([]any) {
			s.objects = append(s.objects, log.(map[string]any)["object"].(string))
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// answering makes the sink refuse; status 0 makes it accept again.
func (s *sink) answering(status int, header ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func(w http.ResponseWriter) bool {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		return false
	}
	if status == 0 {
		s.answer = nil
	}
}

// came is the number of requests, and took the objects that were accepted.
func (s *sink) came() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *sink) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.objects, " ")
}

// wantTook checks all that was ever accepted.
func (r *rig) wantTook(when, want string) {
	r.t.Helper()
	if got := r.sink.took(); got != want {
		r.t.Errorf("%s: delivered %q, want %q", when, got, want)
	}
}
