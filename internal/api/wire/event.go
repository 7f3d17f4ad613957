package wire

import (
	"encoding/json"

	"github.com/countersign-auth/countersign"
)

// Event is a line of the audit trail. This server's addition to the contract.
type Event struct {
	EventID    string          `json:"event_id"`
	OccurredAt *Moment         `json:"occurred_at"`
	ActorType  string          `json:"actor_type" openapi:"enum=workspace_key|secret|public_token|session|operator|system"`
	ActorID    string          `json:"actor_id"`
	RequestID  *string         `json:"request_id" doc:"Null for what the server did of its own accord."`
	Action     string          `json:"action"`
	Object     string          `json:"object"`
	Detail     json.RawMessage `json:"detail" openapi:"type=object,nullable" doc:"For configuration the state before and after; null if there is nothing to tell."`
}

// NewEvents shapes a list of events.
func NewEvents(list []countersign.Event) []Event {
	return each(list, NewEvent)
}

// NewEvent shapes an event.
func NewEvent(e countersign.Event) Event {
	w := Event{
		EventID: e.ID.String(), OccurredAt: moment(e.At), ActorType: string(e.Actor.Kind), ActorID: e.Actor.ID,
		Action: e.Action, Object: e.Object, Detail: e.Detail,
	}
	if !e.Actor.RequestID.IsZero() {
		id := e.Actor.RequestID.String()
		w.RequestID = &id
	}
	return w
}
