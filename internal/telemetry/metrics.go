package telemetry

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are all of the server's metrics, on a registry of their own. Labels
// come from closed lists: nothing that a caller sends becomes one.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	judged   *prometheus.CounterVec
	sessions *prometheus.CounterVec
	batches  *prometheus.CounterVec
	streamed *prometheus.CounterVec
	verdicts *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

// NewMetrics registers the metrics, and those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "countersign_http_request_seconds",
			Help:    "Duration of HTTP requests, by route pattern and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"route", "status"}),
		judged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_subject_tokens_total",
			Help: "Judged subject tokens, by reason of refusal; the reason of an accepted one is \"accepted\".",
		}, []string{"reason"}),
		sessions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_sessions_total",
			Help: "Changes of sessions: started, attached, updated, revoked, expired.",
		}, []string{"change"}),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_event_stream_batches_total",
			Help: "Batches of audit events sent elsewhere, by outcome: delivered, refused, failed.",
		}, []string{"destination_type", "outcome"}),
		streamed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_event_stream_events_total",
			Help: "Audit events delivered elsewhere.",
		}, []string{"destination_type"}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_verdicts_total",
			Help: "Verdicts on subject tokens: kept, or missed because a profile had too many refusals within a minute.",
		}, []string{"outcome"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_requests_refused_total",
			Help: "Requests that were refused before anything was done for them, by the limit that they met: address, credential, capacity.",
		}, []string{"limit"}),
	}
	m.registry.MustRegister(m.requests, m.judged, m.sessions, m.batches, m.streamed, m.verdicts, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts one request.
func (m *Metrics) Request(route string, status int, d time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(d.Seconds())
}

// Judged counts one judged subject token.
func (m *Metrics) Judged(reason string) { m.judged.WithLabelValues(reason).Inc() }

// Sessions counts n changes of sessions.
func (m *Metrics) Sessions(change string, n int64) {
	m.sessions.WithLabelValues(change).Add(float64(n))
}

// EventStream counts one batch of audit events and how many of them were
// delivered.
func (m *Metrics) EventStream(destination, outcome string, events int) {
	m.batches.WithLabelValues(destination, outcome).Inc()
	m.streamed.WithLabelValues(destination).Add(float64(events))
}

// Verdict counts one verdict, which was kept or not.
func (m *Metrics) Verdict(kept bool) {
	outcome := "missed"
	if kept {
		outcome = "kept"
	}
	m.verdicts.WithLabelValues(outcome).Inc()
}

// Refused counts one request that met a limit.
func (m *Metrics) Refused(limit string) { m.refused.WithLabelValues(limit).Inc() }

// Load shows how many requests are being answered, and how many wait.
func (m *Metrics) Load(load func() (inFlight, waiting int)) error {
	gauge := func(name, help string, value func() int) error {
		return m.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	return errors.Join(
		gauge("countersign_requests_in_flight", "Requests that are being answered.", func() int { n, _ := load(); return n }),
		gauge("countersign_requests_waiting", "Requests that wait for others to be answered.", func() int { _, n := load(); return n }))
}

// Register adds what another package collects by itself.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
