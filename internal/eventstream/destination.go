package eventstream

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Bounds of a destination, in bytes.
const (
	apiKeySize  = 32
	maxHostname = 300
	maxUsername = 256
	maxPassword = 1024
)

// domains are where Datadog's sites are.
var domains = map[countersign.DatadogSite]string{
	countersign.DatadogUS:  "datadoghq.com",
	countersign.DatadogUS3: "us3.datadoghq.com",
	countersign.DatadogUS5: "us5.datadoghq.com",
	countersign.DatadogEU:  "datadoghq.eu",
	countersign.DatadogAP1: "ap1.datadoghq.com",
}

// SiteURL is where the logs of a Datadog site go.
func SiteURL(site countersign.DatadogSite) string {
	return "https://http-intake.logs." + domains[site] + "/api/v2/logs"
}

// lokiURL is where a Loki of a host takes logs: https, unless the operator says
// http, which the guard leaves to hosts that the server was opened to.
func lokiURL(hostname string) string {
	if !strings.Contains(hostname, "://") {
		hostname = "https://" + hostname
	}
	return hostname + "/loki/api/v1/push"
}

// check completes a destination, and refuses one that cannot work. Errors:
// ErrStreamInvalidType, ErrStreamBadDatadogConfig, ErrStreamBadLokiConfig; they
// repeat nothing of what was sent.
func check(d countersign.Destination) (countersign.Destination, error) {
	switch d.Type {
	case countersign.Datadog:
		return checkDatadog(d)
	case countersign.GrafanaLoki:
		return checkLoki(d)
	}
	return d, countersign.ErrStreamInvalidType
}

func checkDatadog(d countersign.Destination) (countersign.Destination, error) {
	if d.Site == "" {
		d.Site = countersign.DatadogUS
	}
	switch _, known := domains[d.Site]; {
	case !known:
		return d, countersign.ErrStreamBadDatadogConfig.Saying("site must be US, US3, US5, EU or AP1.")
	case len(d.APIKey) != apiKeySize || strings.Trim(d.APIKey.Reveal(), "0123456789abcdefABCDEF") != "":
		return d, countersign.ErrStreamBadDatadogConfig.Saying("api_key must be %d hexadecimal digits.", apiKeySize)
	}
	return countersign.Destination{Type: d.Type, Site: d.Site, APIKey: d.APIKey}, nil
}

func checkLoki(d countersign.Destination) (countersign.Destination, error) {
	switch {
	case !isHost(d.Hostname):
		return d, countersign.ErrStreamBadLokiConfig.Saying("hostname must be a host, with a port if need be, such as logs.example.com.")
	case !isText(d.Username, maxUsername) || strings.Contains(d.Username, ":"): // RFC 7617 §2
		return d, countersign.ErrStreamBadLokiConfig.Saying("username must have 1 to %d bytes, and neither colons nor control characters.", maxUsername)
	case !isText(d.Password.Reveal(), maxPassword):
		return d, countersign.ErrStreamBadLokiConfig.Saying("password must have 1 to %d bytes and no control characters.", maxPassword)
	}
	return countersign.Destination{Type: d.Type, Hostname: d.Hostname, Username: d.Username, Password: d.Password}, nil
}

// isHost reports whether s is host, host:port, or either behind https:// or
// http://, with nothing behind it.
func isHost(s string) bool {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	if len(s) > maxHostname || trust.CheckURL(s) != nil {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme+"://"+u.Host == s
}

func isText(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// sealed is a destination as it is encrypted.
type sealed struct {
	Site     countersign.DatadogSite `json:"site,omitempty"`
	APIKey   string                  `json:"api_key,omitempty"`
	Hostname string                  `json:"hostname,omitempty"`
	Username string                  `json:"username,omitempty"`
	Password string                  `json:"password,omitempty"`
}

// sealContext is what a destination is sealed for, beside its environment and
// type.
const sealContext = "event stream"

func seal(ks *signing.Keyset, env countersign.EnvironmentID, d countersign.Destination) ([]byte, error) {
	text, err := json.Marshal(sealed{d.Site, d.APIKey.Reveal(), d.Hostname, d.Username, d.Password.Reveal()}) //nolint:gosec // to be encrypted
	if err != nil {
		return nil, err
	}
	return ks.Seal(text, env.String(), string(d.Type), sealContext)
}

func open(ks *signing.Keyset, e countersign.EventStream) (d countersign.Destination, err error) {
	text, err := ks.Open(e.Config, e.EnvironmentID.String(), string(e.Type), sealContext)
	if err != nil {
		return d, fmt.Errorf("open the event stream of %s: %w", e.EnvironmentID, err)
	}
	var s sealed
	if err := json.Unmarshal(text, &s); err != nil {
		return d, err
	}
	return countersign.Destination{
		Type: e.Type, Site: s.Site, APIKey: countersign.Bearer(s.APIKey),
		Hostname: s.Hostname, Username: s.Username, Password: countersign.Bearer(s.Password),
	}, nil
}

// CheckDestination opens where a stream goes and keeps nothing of it.
func CheckDestination(ks *signing.Keyset, e countersign.EventStream) error {
	_, err := open(ks, e)
	return err
}
