package store

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
)

// workspaceEvents is the environment_id of events that belong to none.
var workspaceEvents [17]byte

// eventKey is the environment_id of an environment's events, or the workspace's.
func eventKey(env countersign.EnvironmentID) []byte {
	if env.IsZero() {
		return workspaceEvents[:]
	}
	return env.Bytes()
}

// Record writes an audit event in the transaction of the change it tells of.
// detail is marshalled to JSON, or nil; it must hold no secret.
func (tx *Tx) Record(ctx context.Context, env countersign.EnvironmentID, action, object string, detail any) error {
	tx.recorded = true
	_, err := tx.q.ExecContext(ctx, `
		INSERT INTO events (environment_id, event_id, at, actor_kind, actor_id, request_id, action, object, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		eventKey(env), countersign.NewOrderedID[countersign.EventID](env.Class(), tx.Now), micros(tx.Now), string(tx.actor.Kind), tx.actor.ID, tx.actor.RequestID,
		action, object, jsonColumn{detail})
	return err
}

// Events are at most limit of an environment's, newest first: those before an
// event, or with the zero one the newest.
func (tx *Tx) Events(ctx context.Context, env countersign.EnvironmentID, before countersign.EventID, limit int) ([]countersign.Event, error) {
	end := before.Bytes()
	if before.IsZero() {
		end = behindAnyID
	}
	return all(ctx, tx.q, func(row scanner) (countersign.Event, error) { return scanEvent(row, env) }, `
		SELECT event_id, at, actor_kind, actor_id, request_id, action, object, detail FROM events
		WHERE environment_id = $1 AND event_id < $2 ORDER BY event_id DESC LIMIT $3`, eventKey(env), end, limit)
}

func scanEvent(row scanner, env countersign.EnvironmentID) (e countersign.Event, err error) {
	var detail optional
	err = row.Scan(&e.ID, (*micros)(&e.At), (*string)(&e.Actor.Kind), &e.Actor.ID, &e.Actor.RequestID, &e.Action, &e.Object, &detail)
	e.EnvironmentID = env
	if detail != "" {
		e.Detail = json.RawMessage(detail)
	}
	return e, err
}
