package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/countersign-auth/countersign/internal/trust"
)

// sourceCollector shows the health of every issuer's key set. Sources exist only
// for profiles that operators made, and at most ten thousand of them, so their
// URLs may be labels.
type sourceCollector struct{ sources *trust.Sources }

var (
	sourceLabels   = []string{"environment", "url"}
	sourceState    = prometheus.NewDesc("countersign_key_set_state", "1 for the state that an issuer's key set is in.", append(sourceLabels, "state"), nil)
	sourceAge      = prometheus.NewDesc("countersign_key_set_age_seconds", "Time since the issuer last vouched for its key set.", sourceLabels, nil)
	sourceFailing  = prometheus.NewDesc("countersign_key_set_failing", "Failed fetches since the last good one.", sourceLabels, nil)
	sourceKeys     = prometheus.NewDesc("countersign_key_set_keys", "Keys of an issuer's key set, usable and skipped.", append(sourceLabels, "kind"), nil)
	sourceRequests = prometheus.NewDesc("countersign_key_set_requests_total", "Requests for an issuer's key set, by outcome; suppressed ones were not made.", append(sourceLabels, "outcome"), nil)
)

// Describe names what Collect collects.
func (sourceCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sourceState, sourceAge, sourceFailing, sourceKeys, sourceRequests} {
		ch <- d
	}
}

// Collect waits for nobody's fetch.
func (c sourceCollector) Collect(ch chan<- prometheus.Metric) {
	for _, h := range c.sources.Health() {
		env := h.EnvironmentID.String()
		gauge := func(d *prometheus.Desc, v float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{env, h.URL}, more...)...)
		}
		gauge(sourceState, 1, string(h.State))
		gauge(sourceAge, h.Age.Seconds())
		gauge(sourceFailing, float64(h.Failing))
		gauge(sourceKeys, float64(len(h.Keys)), "usable")
		gauge(sourceKeys, float64(len(h.Skipped)), "skipped")
		for outcome, n := range map[string]uint64{
			"changed": h.Counts.Fetches - h.Counts.Failures - h.Counts.Unchanged, "unchanged": h.Counts.Unchanged,
			"failed": h.Counts.Failures, "suppressed": h.Counts.Suppressed,
		} {
			ch <- prometheus.MustNewConstMetric(sourceRequests, prometheus.CounterValue, float64(n), env, h.URL, outcome)
		}
	}
}
