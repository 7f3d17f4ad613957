package eventstream_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// each runs a test on both engines and both types of destinations.
func each(t *testing.T, test func(r *rig, d countersign.Destination)) {
	t.Helper()
	for _, name := range []string{"datadog", "loki"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, database string) {
				r := newRig(t, database)
				test(r, r.destinations()[name])
			})
		})
	}
}

func TestDeliversInOrderFromEnablingOn(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.happen("before")
		r.stream(d)
		r.happen("a", "b", "c")
		r.pass()
		r.wantTook("before it has settled", "")
		r.deliver()
		r.wantTook("settled", "a b c")
		r.deliver()
		if r.wantTook("a second pass", "a b c"); r.sink.came() != 1 {
			r.t.Errorf("%d requests for one batch", r.sink.came())
		}
		r.enable(d.Type) // which it is already
		r.happen("d")
		r.enable(d.Type)
		r.deliver()
		r.wantTook("enabled again", "a b c d")
	})
}

func TestDisableStops(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.stream(d)
		r.happen("a")
		if err := r.Disable(r.t.Context(), countersign.System(), r.env.ID, d.Type); err != nil {
			r.t.Fatal(err)
		}
		r.happen("b")
		r.deliver()
		r.wantTook("disabled", "")
		r.enable(d.Type)
		r.happen("c")
		r.deliver()
		r.wantTook("enabled again: nothing is sent that came before", "c")
		if err := r.Delete(r.t.Context(), countersign.System(), r.env.ID, d.Type); err != nil {
			r.t.Fatal(err)
		}
		r.happen("d")
		r.deliver()
		r.wantTook("deleted", "c")
	})
}

func TestAtLeastOnce(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.stream(d)
		r.happen("a", "b")
		for status, want := range map[int]string{500: "the answer is 500", 403: "the answer is 403", 302: "the answer is 302", 429: "the answer is 429"} {
			r.sink.answering(status, "Location", r.sink.URL)
			r.clock.Advance(5 * time.Minute)
			came := r.sink.came()
			r.pass()
			r.pass()
			if got := r.lastError(d.Type); got != want || r.sink.came() != came+1 {
				r.t.Errorf("%d: last error %q after %d requests, want %q after one", status, got, r.sink.came()-came, want)
			}
			r.happen("more")
		}
		r.sink.answering(503, "Retry-After", "1200")
		r.clock.Advance(5 * time.Minute)
		r.pass()
		r.sink.answering(0)
		r.clock.Advance(19 * time.Minute)
		r.pass()
		r.wantTook("earlier than it was told", "")
		r.clock.Advance(time.Minute)
		r.pass()
		r.wantTook("in the end", "a b more more more more")
		if got := r.lastError(d.Type); got != "" {
			r.t.Errorf("after a delivery: last error %q", got)
		}
		r.wantMetric(`countersign_event_stream_batches_total{destination_type="` + string(d.Type) + `",outcome="failed"} 3`)
		r.wantMetric(`countersign_event_stream_batches_total{destination_type="` + string(d.Type) + `",outcome="refused"} 2`)
		r.wantMetric(`countersign_event_stream_batches_total{destination_type="` + string(d.Type) + `",outcome="delivered"} 1`)
		r.wantMetric(`countersign_event_stream_events_total{destination_type="` + string(d.Type) + `"} 6`)
	})
}

func (r *rig) wantMetric(line string) {
	r.t.Helper()
	if text := r.scrape(); !strings.Contains(text, line+"\n") {
		r.t.Errorf("the metrics lack %s", line)
	}
}

func (n *node) scrape() string {
	w := httptest.NewRecorder()
	n.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return w.Body.String()
}

// TestBackoff fails for an hour: the waits grow up to five minutes.
func TestBackoff(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t))
	r.stream(r.loki())
	r.happen("a")
	r.sink.answering(500)
	var attempts []int // seconds
	for second := range 3600 {
		r.clock.Advance(time.Second)
		if came := r.sink.came(); len(attempts) < came {
			attempts = append(attempts, second)
		}
		r.pass()
	}
	if n := len(attempts); n < 15 || n > 40 {
		t.Fatalf("%d attempts in an hour: %v", n, attempts)
	}
	for i, at := range attempts[1:] {
		bound := min(2<<i, 300)
		if wait := at - attempts[i]; wait < bound/2 || wait > bound+1 {
			t.Errorf("attempt %d came after %d seconds, want %d to %d", i+2, wait, bound/2, bound)
		}
	}
}

// TestChangeIsTriedAtOnce corrects a destination that refused: what it refused
// goes to the new one.
func TestChangeIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.stream(d)
		r.happen("a")
		r.sink.answering(403)
		r.deliver()
		r.sink.answering(0)
		r.pass()
		r.wantTook("before the change", "")
		d.Password, d.APIKey = "another-password", countersign.Bearer(strings.Repeat("b", 32))
		changed, err := r.Update(r.t.Context(), countersign.System(), r.env.ID, d)
		if err != nil || changed.Status != countersign.StreamingActive {
			r.t.Fatalf("Update = %+v, %v", changed, err)
		}
		r.pass()
		r.deliver()
		if got := r.sink.took(); got != "a "+string(d.Type) { // and that it was changed
			r.t.Errorf("after the change: delivered %q", got)
		}
	})
}

func TestManyEventsAreBatches(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.stream(d)
		var all []string
		for i := range 450 {
			all = append(all, fmt.Sprint(i))
		}
		r.happen(all...)
		r.deliver()
		if r.wantTook("one pass", strings.Join(all, " ")); r.sink.came() != 3 {
			r.t.Errorf("%d requests for 450 events", r.sink.came())
		}
	})
}

// TestLargeEvents sends what is too long for a line without its detail, and what
// is too long for one request in several.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.stream(d)
		for i, size := range []int{200 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10, 100 << 10} {
			r.clock.Advance(time.Millisecond)
			r.update(func(tx *store.Tx) error {
				return tx.Record(r.t.Context(), r.env.ID, "tested", fmt.Sprint(i), strings.Repeat("x", size))
			})
		}
		r.deliver()
		if r.wantTook("one pass", "0 1 2 3 4 5 6 7 8 9 10 11"); r.sink.came() != 2 {
			r.t.Errorf("%d requests for 1.1 MiB", r.sink.came())
		}
		if text, err := json.Marshal(r.sink.requests[0].body); err != nil || !strings.Contains(string(text), "too long") {
			r.t.Errorf("the first event has its detail still")
		}
	})
}

func TestWhatDatadogGets(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t))
	r.stream(r.destinations()["datadog"])
	r.happen("a")
	at := r.clock.Now()
	r.deliver()
	got := r.sink.requests[0]
	if got.path != "/EU" || got.header.Get("Dd-Api-Key") != apiKey || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", got.path, got.header)
	}
	log, _ := got.body.([]any)[0].(map[string]any)
	want := map[string]any{
		"ddsource": "countersign", "service": "countersign", "ddtags": "project:project,environment:env", "message": "tested a",
		"timestamp": float64(at.UnixMilli()), "event_id": log["event_id"], "occurred_at": countersign.Timestamp(at), "actor_type": "system",
		"actor_id": "countersign", "request_id": nil, "action": "tested", "object": "a", "detail": map[string]any{"of": "a"},
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

func TestWhatLokiGets(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t))
	r.stream(r.loki())
	r.happen("a")
	at := r.clock.Now()
	r.deliver()
	got := r.sink.requests[0]
	user, pass, _ := (&http.Request{Header: got.header}).BasicAuth()
	if got.path != "/loki/api/v1/push" || user != "user" || pass != password || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", got.path, got.header)
	}
	stream, _ := got.body.(map[string]any)["streams"].([]any)[0].(map[string]any)
	values, _ := stream["values"].([]any)
	value, _ := values[0].([]any)
	var event map[string]any
	if err := json.Unmarshal([]byte(value[1].(string)), &event); err != nil || value[0] != fmt.Sprint(at.UnixNano()) || event["object"] != "a" || event["detail"] == nil {
		t.Errorf("value %v", value)
	}
	if diff := cmp.Diff(map[string]any{"job": "countersign", "project": "project", "environment": "env"}, stream["stream"]); diff != "" {
		t.Errorf("the labels (-want +got):\n%s", diff)
	}
}

// TestGuard streams to an address that nobody opened.
func TestGuard(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t))
	r.Poster = r.poster()
	r.stream(r.loki())
	r.happen("a")
	r.deliver()
	if got := r.lastError(countersign.GrafanaLoki); r.sink.came() != 0 || !strings.Contains(got, "forbidden address") {
		t.Errorf("%d requests; last error %q", r.sink.came(), got)
	}
}
