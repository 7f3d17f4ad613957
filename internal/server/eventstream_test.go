package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestEventsReachLoki sets a stream up through the API of a running server and
// waits for the events that the API shows as well, in the same words.
func TestEventsReachLoki(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		clock := servertest.NewClock()
		p := arrange(t, serve(t, database, clock), clock)
		pushed := make(chan string, 16)
		loki := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var push struct {
				Streams []struct{ Values [][2]string }
			}
			if _, password, _ := r.BasicAuth(); password != "password-of-loki" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if err := json.NewDecoder(r.Body).Decode(&push); err != nil {
				t.Error(err)
				return
			}
			for _, value := range push.Streams[0].Values {
				pushed <- value[1]
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		t.Cleanup(loki.Close)

		destination := func(password string) map[string]any {
			return map[string]any{"grafana_loki": map[string]any{"hostname": loki.URL, "username": "user", "password": password}}
		}
		const path = "/event_log_streaming/GRAFANA_LOKI"
		servertest.Must(t, p.Administer(http.MethodPost, "/event_log_streaming", map[string]any{
			"destination_type": "GRAFANA_LOKI", "destination_config": destination("wrong-password-of-loki"),
		}))
		servertest.Must(t, p.Administer(http.MethodPost, path+"/enable", nil))
		clock.Advance(time.Millisecond)
		p.session(t, "ada@example.com", nil)
		clock.Advance(10 * time.Second)

		lastError := ""
		for deadline := time.Now().Add(20 * time.Second); lastError == "" && time.Now().Before(deadline); {
			lastError = servertest.Must(t, p.Administer(http.MethodGet, path, nil)).String("event_log_streaming_config", "last_error")
			time.Sleep(50 * time.Millisecond)
		}
		if lastError != "the answer is 401" {
			t.Fatalf("last error %q", lastError)
		}
		servertest.Must(t, p.Administer(http.MethodPut, path, map[string]any{"destination_config": destination("password-of-loki")}))

		shown := servertest.Must(t, p.Administer(http.MethodGet, "/events", nil))
		wanted := list(shown, "events") // newest first: the change, which has not settled, and what made the session
		got := map[string]bool{}
		for len(got) < 2 {
			select {
			case line := <-pushed:
				var event map[string]any
				if err := json.Unmarshal([]byte(line), &event); err != nil {
					t.Fatal(err)
				}
				got[text(event["action"])] = true
				if !strings.Contains(shown.Text, `"event_id":"`+text(event["event_id"])+`"`) || len(event) != len(wanted[0].(map[string]any)) {
					t.Errorf("streamed %s, which GET …/events does not show so", line)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("after 20 s only %v came", got)
			}
		}
		if !got["session.started"] || !got["user.created"] {
			t.Errorf("streamed %v", got)
		}
		for _, line := range strings.Split(p.Log(), "\n") {
			if strings.Contains(line, "password-of-loki") {
				t.Errorf("the log has the password: %s", line)
			}
		}
	})
}
