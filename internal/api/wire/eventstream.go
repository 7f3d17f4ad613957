package wire

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/eventstream"
)

// DatadogConfig is a Datadog account, as operators give it.
type DatadogConfig struct {
	APIKey string `json:"api_key" doc:"32 hexadecimal digits."`
	Site   string `json:"site" openapi:"enum=US|US3|US5|EU|AP1"`
}

// GrafanaLokiConfig is a Grafana Loki, as operators give it.
type GrafanaLokiConfig struct {
	Hostname string `json:"hostname" doc:"With a port if need be, and https:// before it if you like; http:// is for hosts that the server was opened to."`
	Username string `json:"username"`
	Password string `json:"password"`
}

// DestinationConfig is where events go: one of its members, by the type.
type DestinationConfig struct {
	Datadog     *DatadogConfig     `json:"datadog"`
	GrafanaLoki *GrafanaLokiConfig `json:"grafana_loki"`
}

// Destination reads a destination of a request; what is not of its type is left
// out.
func (c DestinationConfig) Destination(typ string) countersign.Destination {
	d := countersign.Destination{Type: countersign.DestinationType(typ)}
	switch {
	case d.Type == countersign.Datadog && c.Datadog != nil:
		d.Site, d.APIKey = countersign.DatadogSite(c.Datadog.Site), countersign.Bearer(c.Datadog.APIKey)
	case d.Type == countersign.GrafanaLoki && c.GrafanaLoki != nil:
		d.Hostname, d.Username, d.Password = c.GrafanaLoki.Hostname, c.GrafanaLoki.Username, countersign.Bearer(c.GrafanaLoki.Password)
	}
	return d
}

// EventLogStreaming is a stream with the secret of its destination, for the
// operator who has just given it.
type EventLogStreaming struct {
	DestinationType   string            `json:"destination_type" openapi:"enum=DATADOG|GRAFANA_LOKI"`
	DestinationConfig DestinationConfig `json:"destination_config"`
	StreamingStatus   string            `json:"streaming_status" openapi:"enum=ACTIVE|DISABLED"`
}

// NewEventLogStreaming shapes a stream whole.
func NewEventLogStreaming(s eventstream.Stream) EventLogStreaming {
	w := EventLogStreaming{DestinationType: string(s.Destination.Type), StreamingStatus: string(s.Status)}
	if d := s.Destination; d.Type == countersign.Datadog {
		w.DestinationConfig.Datadog = &DatadogConfig{APIKey: d.APIKey.Reveal(), Site: string(d.Site)}
	} else {
		w.DestinationConfig.GrafanaLoki = &GrafanaLokiConfig{Hostname: d.Hostname, Username: d.Username, Password: d.Password.Reveal()}
	}
	return w
}

// MaskedDatadogConfig is a Datadog account without its key.
type MaskedDatadogConfig struct {
	APIKeyLastFour string `json:"api_key_last_four"`
	Site           string `json:"site" openapi:"enum=US|US3|US5|EU|AP1"`
}

// MaskedGrafanaLokiConfig is a Grafana Loki without its password.
type MaskedGrafanaLokiConfig struct {
	Hostname         string `json:"hostname"`
	Username         string `json:"username"`
	PasswordLastFour string `json:"password_last_four" doc:"Empty for a password of less than 8 characters."`
}

// MaskedDestinationConfig is where events go, without what opens it.
type MaskedDestinationConfig struct {
	Datadog     *MaskedDatadogConfig     `json:"datadog"`
	GrafanaLoki *MaskedGrafanaLokiConfig `json:"grafana_loki"`
}

// MaskedEventLogStreaming is a stream without the secret of its destination.
// last_error is this server's addition to the contract.
type MaskedEventLogStreaming struct {
	DestinationType   string                  `json:"destination_type" openapi:"enum=DATADOG|GRAFANA_LOKI"`
	DestinationConfig MaskedDestinationConfig `json:"destination_config"`
	StreamingStatus   string                  `json:"streaming_status" openapi:"enum=ACTIVE|DISABLED"`
	LastError         *string                 `json:"last_error" doc:"Why the last attempt to deliver failed; null if it did not. This server's addition to the contract."`
}

// NewMaskedEventLogStreaming shapes a stream for whoever reads it later.
func NewMaskedEventLogStreaming(s eventstream.Stream) MaskedEventLogStreaming {
	w := MaskedEventLogStreaming{DestinationType: string(s.Destination.Type), StreamingStatus: string(s.Status)}
	if d := s.Destination; d.Type == countersign.Datadog {
		w.DestinationConfig.Datadog = &MaskedDatadogConfig{APIKeyLastFour: lastFour(d.APIKey), Site: string(d.Site)}
	} else {
		w.DestinationConfig.GrafanaLoki = &MaskedGrafanaLokiConfig{Hostname: d.Hostname, Username: d.Username, PasswordLastFour: lastFour(d.Password)}
	}
	if s.LastError != "" {
		w.LastError = &s.LastError
	}
	return w
}

// lastFour are the last four characters of a secret, unless they would be more
// than half of it.
func lastFour(secret countersign.Bearer) string {
	text := []rune(secret.Reveal())
	if len(text) < 8 {
		return ""
	}
	return string(text[len(text)-4:])
}
