package eventstream_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/eventstream"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

var system = countersign.System()

// TestManyCreateOne makes streams of both types at the same moment.
func TestManyCreateOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		r := newRig(t, database)
		var wg sync.WaitGroup
		made := make([]error, 16)
		for i := range made {
			d := r.destinations()[[]string{"datadog", "loki"}[i%2]]
			wg.Go(func() { _, made[i] = r.Create(t.Context(), system, r.env.ID, d) })
		}
		wg.Wait()
		n := 0
		for _, err := range made {
			if err == nil {
				n++
			} else if !errors.Is(err, countersign.ErrStreamTooManyDestinations) {
				t.Error(err)
			}
		}
		if n != 1 {
			t.Errorf("%d streams were made", n)
		}
	})
}

func TestStreamOfAnEnvironmentThatIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		r := newRig(t, database)
		r.stream(r.loki())
		r.happen("a")
		r.update(func(tx *store.Tx) error {
			return errors.Join(tx.DeleteEnvironment(t.Context(), r.env.ID), tx.Record(t.Context(), r.env.ID, "environment.deleted", "env", nil))
		})
		r.deliver()
		r.wantTook("the environment is deleted", "")
		if _, err := r.Create(t.Context(), system, r.env.ID, r.loki()); !errors.Is(err, countersign.ErrEnvironmentNotFound) {
			t.Errorf("Create = %v", err)
		}
	})
}

// TestSecretsStayHidden delivers, fails in many ways, changes and deletes, and
// looks for what opens the destinations in rows, logs, metrics and errors.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	each(t, func(r *rig, d countersign.Destination) {
		r.stream(d)
		r.happen("a")
		r.deliver()
		r.happen("b")
		for _, status := range []int{302, 400, 500} {
			r.sink.answering(status, "Location", r.sink.URL+"/"+password+apiKey)
			r.clock.Advance(10 * time.Minute)
			r.pass()
		}
		r.sink.CloseClientConnections()
		r.sink.Close()
		r.clock.Advance(10 * time.Minute)
		r.pass()
		var seen strings.Builder
		seen.WriteString(r.lastError(d.Type))
		if !strings.Contains(seen.String(), "refused") {
			r.t.Errorf("last error %q", &seen)
		}
		rows(r, &seen)
		if _, err := r.Update(r.t.Context(), system, r.env.ID, d); err != nil {
			r.t.Fatal(err)
		}
		for _, bad := range []countersign.Destination{
			{Type: "NONE", APIKey: apiKey, Password: password},
			{Type: countersign.Datadog, Site: "XX", APIKey: apiKey},
			{Type: countersign.Datadog, APIKey: apiKey + "0"},
			{Type: countersign.GrafanaLoki, Hostname: "user:" + password + "@logs.example.com", Username: "u", Password: password},
			{Type: countersign.GrafanaLoki, Hostname: "logs.example.com", Username: "u", Password: password + "\n"},
		} {
			_, err := r.Update(r.t.Context(), system, r.env.ID, bad)
			fmt.Fprintln(&seen, err)
		}
		if err := r.Delete(r.t.Context(), system, r.env.ID, d.Type); err != nil {
			r.t.Fatal(err)
		}
		rows(r, &seen)
		seen.WriteString(r.log.String() + r.scrape())
		for _, secret := range []string{password, apiKey} {
			for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
				if i := strings.Index(seen.String(), form); i >= 0 {
					r.t.Errorf("%s stands in …%.300s…", secret, seen.String()[max(0, i-200):])
				}
			}
		}
	})
}

// rows writes the streams and the audit events.
func rows(r *rig, b *strings.Builder) {
	r.t.Helper()
	for _, query := range []string{
		"SELECT status, config, last_error, destination_type FROM event_streams", "SELECT action, detail, object, actor_id FROM events",
	} {
		rows, err := storetest.Raw(r.t, r.database).QueryContext(r.t.Context(), query)
		if err != nil {
			r.t.Fatal(err)
		}
		for rows.Next() {
			var row [4]any
			if err := rows.Scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
				r.t.Fatal(err)
			}
			fmt.Fprintf(b, "%s %x\n", row, row)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestSiteURLs(t *testing.T) {
	t.Parallel()
	for site, want := range map[countersign.DatadogSite]string{
		countersign.DatadogUS:  "https://http-intake.logs.datadoghq.com/api/v2/logs",
		countersign.DatadogUS3: "https://http-intake.logs.us3.datadoghq.com/api/v2/logs",
		countersign.DatadogUS5: "https://http-intake.logs.us5.datadoghq.com/api/v2/logs",
		countersign.DatadogEU:  "https://http-intake.logs.datadoghq.eu/api/v2/logs",
		countersign.DatadogAP1: "https://http-intake.logs.ap1.datadoghq.com/api/v2/logs",
	} {
		if got := eventstream.SiteURL(site); got != want {
			t.Errorf("SiteURL(%s) = %s, want %s", site, got, want)
		}
	}
}
