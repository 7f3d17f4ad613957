package countersign

import "time"

// DestinationType is what sort of service takes a stream of events.
type DestinationType string

// The types of destinations.
const (
	Datadog     DestinationType = "DATADOG"
	GrafanaLoki DestinationType = "GRAFANA_LOKI"
)

// DatadogSite is one of the places that Datadog keeps its customers apart in.
type DatadogSite string

// The sites of Datadog.
const (
	DatadogUS  DatadogSite = "US"
	DatadogUS3 DatadogSite = "US3"
	DatadogUS5 DatadogSite = "US5"
	DatadogEU  DatadogSite = "EU"
	DatadogAP1 DatadogSite = "AP1"
)

// Destination is where events go, and what opens the door there. Of the fields
// beside Type only those of that type mean something.
type Destination struct {
	Type DestinationType

	// Of Datadog.
	Site   DatadogSite
	APIKey Bearer

	// Of Grafana Loki. Hostname may have a port, and https:// or http:// before it.
	Hostname string
	Username string
	Password Bearer
}

// StreamingStatus says whether events are sent.
type StreamingStatus string

// The statuses of streams.
const (
	StreamingActive   StreamingStatus = "ACTIVE"
	StreamingDisabled StreamingStatus = "DISABLED"
)

// EventStream sends the audit events of an environment elsewhere.
type EventStream struct {
	EnvironmentID EnvironmentID
	Type          DestinationType
	Status        StreamingStatus
	Config        []byte  // the destination, encrypted under the operator's keyset
	Position      EventID // the last event that was delivered
	// LeasedUntil is when others than the node that delivers may try; zero if
	// nobody delivers.
	LeasedUntil   time.Time
	Failures      int    // since the last delivery
	LastError     string // of the last attempt, without secrets; "" if it was good
	NextAttemptAt time.Time
	CreatedAt     time.Time
}
