package dashboard_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// TestStreams names a destination, and looks for what opens the door there.
func TestStreams(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		b := r.operator("Ada", "owner")
		key, password := "0123456789abcdef0123456789abc0de", " pass word-7531 "
		at := r.base + "/streams"
		if p := b.get(at); !strings.Contains(p.text, "Events stay here") {
			t.Errorf("with no destination: %d %s", p.status, p.text)
		}
		for _, step := range []struct {
			path, want, says string
			form             url.Values
		}{
			{"", "event_log_streaming_invalid_destination_type", "", url.Values{"type": {"SYSLOG"}}},
			{"", "event_log_streaming_bad_datadog_config", "", url.Values{"type": {"DATADOG"}, "site": {"EU"}, "api_key": {password}}},
			{"", "event_log_streaming_bad_grafana_loki_config", "", url.Values{"type": {"GRAFANA_LOKI"}, "hostname": {"a b"}, "username": {"u"}, "password": {password}}},
			{"/DATADOG/enable", "event_log_streaming_not_found", "", nil},
			{"", "", "not sending", url.Values{"type": {"DATADOG"}, "site": {"EU"}, "api_key": {key}}},
			{"", "event_log_streaming_too_many_destinations", "", url.Values{"type": {"GRAFANA_LOKI"}, "hostname": {"logs.example.com"}, "username": {"u"}, "password": {password}}},
			{"", "", "<dd>US5</dd>", url.Values{"type": {"DATADOG"}, "site": {"US5"}, "api_key": {key}}},
			{"/DATADOG/enable", "", ">sending<", nil},
			{"/DATADOG/disable", "", "not sending", nil},
			{"/DATADOG/delete", "", "Events stay here", nil},
			{"", "", "logs.example.com", url.Values{"type": {"GRAFANA_LOKI"}, "hostname": {"logs.example.com"}, "username": {"u"}, "password": {password}}},
		} {
			p := b.post(at+step.path, step.form)
			if step.want != "" && (p.status != http.StatusBadRequest || p.problem() != step.want) || step.want == "" && p.status != http.StatusSeeOther {
				t.Errorf("%s %v: %d %s, want %s", step.path, step.form, p.status, p.problem(), step.want)
			}
			shown := b.get(at)
			if !strings.Contains(shown.text, step.says) {
				t.Errorf("after %s %v the page lacks %q", step.path, step.form, step.says)
			}
			for _, secret := range []string{key, strings.TrimSpace(password)} {
				if strings.Contains(p.text+shown.text+r.Log(), secret) {
					t.Errorf("after %s %v a page or the log shows what opens the door", step.path, step.form)
				}
			}
		}
		if a := r.Administer(http.MethodGet, "/event_log_streaming/GRAFANA_LOKI", nil); a.String("event_log_streaming_config", "destination_config", "grafana_loki", "password_last_four") != "531 " {
			t.Errorf("the password is not kept as it was typed: %s", a.Text)
		}
		if p := r.operator("Bob", "viewer").get(at); p.status != http.StatusOK || len(p.find("input")) != 0 {
			t.Errorf("a viewer is shown %d fields", len(p.find("input")))
		}
	})
}
