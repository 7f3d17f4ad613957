package store

import (
	"context"
	"time"

	"github.com/countersign-auth/countersign"
)

const eventStreamColumns = `environment_id, destination_type, status, config, position, leased_until, failures, last_error, next_attempt_at, created_at`

func scanEventStream(row scanner) (e countersign.EventStream, err error) {
	err = row.Scan(&e.EnvironmentID, (*string)(&e.Type), (*string)(&e.Status), &e.Config, &e.Position, (*micros)(&e.LeasedUntil),
		&e.Failures, (*optional)(&e.LastError), (*micros)(&e.NextAttemptAt), (*micros)(&e.CreatedAt))
	return e, err
}

// EventStreams are an environment's.
func (tx *Tx) EventStreams(ctx context.Context, env countersign.EnvironmentID) ([]countersign.EventStream, error) {
	return all(ctx, tx.q, scanEventStream, `SELECT `+eventStreamColumns+` FROM event_streams WHERE environment_id = $1`, env)
}

// InsertEventStream stores a new stream.
func (tx *Tx) InsertEventStream(ctx context.Context, e countersign.EventStream) error {
	_, err := tx.exec(ctx, `INSERT INTO event_streams (`+eventStreamColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.EnvironmentID, string(e.Type), string(e.Status), e.Config, e.Position, micros(e.LeasedUntil),
		e.Failures, optional(e.LastError), micros(e.NextAttemptAt), micros(e.CreatedAt))
	return err
}

// UpdateEventStream stores what may change of a stream, and takes it from
// whoever delivers it; ErrNotFound if it is gone.
func (tx *Tx) UpdateEventStream(ctx context.Context, e countersign.EventStream) error {
	return tx.execOne(ctx, `
		UPDATE event_streams SET status = $3, config = $4, position = $5, failures = $6, last_error = $7, next_attempt_at = $8, leased_until = NULL
		WHERE environment_id = $1 AND destination_type = $2`,
		e.EnvironmentID, string(e.Type), string(e.Status), e.Config, e.Position, e.Failures, optional(e.LastError), micros(e.NextAttemptAt))
}

// DeleteEventStream removes a stream; ErrNotFound if there is none such.
func (tx *Tx) DeleteEventStream(ctx context.Context, env countersign.EnvironmentID, typ countersign.DestinationType) error {
	return tx.execOne(ctx, `DELETE FROM event_streams WHERE environment_id = $1 AND destination_type = $2`, env, string(typ))
}

// EventsAfter are at most limit of an environment's events behind one of them,
// oldest first, of those made before a moment. IDs are ordered by the
// millisecond: of one millisecond all events are there or none, and the moment is
// in whole milliseconds. In the place of a detail of more than 128 KiB stands a
// note: no destination takes a line that is longer.
func (tx *Tx) EventsAfter(ctx context.Context, env countersign.EnvironmentID, after countersign.EventID, before time.Time, limit int) ([]countersign.Event, error) {
	return all(ctx, tx.q, func(row scanner) (countersign.Event, error) { return scanEvent(row, env) }, `
		SELECT event_id, at, actor_kind, actor_id, request_id, action, object,
			CASE WHEN octet_length(detail) > 131072 THEN '{"omitted":"too long"}' ELSE detail END
		FROM events WHERE environment_id = $1 AND event_id > $2 AND at < $3 ORDER BY event_id LIMIT $4`,
		env, after, micros(before.Truncate(time.Millisecond)), limit)
}

// dueEventStreams is the condition under which a stream is tried at a moment, $1.
const dueEventStreams = `status = 'ACTIVE' AND next_attempt_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)`

// DueEventStreams are at most limit streams, of any environment, that are to be
// tried at a moment and have events of before another to deliver, those that
// have waited longest first.
func (s *Store) DueEventStreams(ctx context.Context, now, before time.Time, limit int) ([]countersign.EventStream, error) {
	return all(ctx, s.viewer, scanEventStream, `
		SELECT `+eventStreamColumns+` FROM event_streams
		WHERE `+dueEventStreams+` AND EXISTS (
			SELECT 1 FROM events WHERE events.environment_id = event_streams.environment_id
			AND events.event_id > event_streams.position AND events.at < $2)
		ORDER BY next_attempt_at LIMIT $3`, micros(now), micros(before.Truncate(time.Millisecond)), limit)
}

// LeaseEventStream makes a stream the caller's own until a moment, and reads it
// as it is then; ErrNotFound if it is not to be tried now, because another node
// has it, for one.
func (s *Store) LeaseEventStream(ctx context.Context, env countersign.EnvironmentID, typ countersign.DestinationType, now, until time.Time) (e countersign.EventStream, err error) {
	err = s.transact(ctx, countersign.System(), func(tx *Tx) error {
		e, err = one(tx.q.QueryRowContext(ctx, `
			UPDATE event_streams SET leased_until = $2 WHERE environment_id = $3 AND destination_type = $4 AND `+dueEventStreams+`
			RETURNING `+eventStreamColumns, micros(now), micros(until), env, string(typ)), scanEventStream)
		return err
	})
	return e, err
}

// SettleEventStream stores how far a leased stream has come and when it is tried
// again, and ends the lease; ErrNotFound if the lease was lost, and then what
// was stored meanwhile stands.
func (s *Store) SettleEventStream(ctx context.Context, e countersign.EventStream) error {
	n, err := s.keep(ctx, `
		UPDATE event_streams SET position = $4, failures = $5, last_error = $6, next_attempt_at = $7, leased_until = NULL
		WHERE environment_id = $1 AND destination_type = $2 AND leased_until = $3`,
		e.EnvironmentID, string(e.Type), micros(e.LeasedUntil), e.Position, e.Failures, optional(e.LastError), micros(e.NextAttemptAt))
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}
