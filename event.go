package countersign

import (
	"encoding/json"
	"time"
)

// ActorKind is what sort of credential made a change.
type ActorKind string

// The kinds of actors.
const (
	ActorWorkspaceKey ActorKind = "workspace_key"
	ActorSecret       ActorKind = "secret"
	ActorPublicToken  ActorKind = "public_token"
	ActorSession      ActorKind = "session"  // of a user, beside a public token
	ActorOperator     ActorKind = "operator" // of the dashboard
	ActorSystem       ActorKind = "system"
)

// Actor is who makes a change. Every change has one.
type Actor struct {
	Kind      ActorKind
	ID        string // of the credential; never the credential
	RequestID RequestID
}

// System is the actor of what the server does of its own accord.
func System() Actor { return Actor{Kind: ActorSystem, ID: "countersign"} }

// Event is one line of the audit trail, written in the transaction of the
// change it tells of.
type Event struct {
	ID            EventID
	EnvironmentID EnvironmentID // zero for the workspace's own
	At            time.Time
	Actor         Actor
	Action        string // "session.started", "profile.updated", …
	Object        string // ID or slug of what changed
	// Detail is a JSON object, or nil: for configuration the state before and
	// after, otherwise what an operator needs to follow the trail. Never secrets.
	Detail json.RawMessage
}
