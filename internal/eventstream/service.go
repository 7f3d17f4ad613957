// Package eventstream sends the audit events of environments to where their
// operators want them: who sets it up (stream.go), what is a usable destination
// (destination.go), and the delivery itself, at least once and in order
// (deliver.go; docs/adr/0013). It refuses to know what an event means.
package eventstream

import (
	"log/slog"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Config is what a Service needs. Every field is required.
type Config struct {
	Store  *store.Store
	Keyset *signing.Keyset
	Poster *trust.Poster
	// Encode is an event as the management API shows it, a JSON object.
	Encode func(countersign.Event) ([]byte, error)
	// DatadogURL is where the logs of a site go; SiteURL, but in tests.
	DatadogURL func(countersign.DatadogSite) string
	Metrics    *telemetry.Metrics
	Logger     *slog.Logger
	Now        func() time.Time
}

// Service sets streams up and delivers them.
type Service struct{ Config }
