package eventstream

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// Stream is a stream with its destination.
type Stream struct {
	Destination countersign.Destination
	Status      countersign.StreamingStatus
	LastError   string // of the last attempt; "" if it was good
}

// Create makes the one stream of an environment, which sends nothing until it is
// enabled. Errors: those of check, ErrStreamTooManyDestinations and
// ErrEnvironmentNotFound.
func (s *Service) Create(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, d countersign.Destination) (Stream, error) {
	d, config, err := s.prepare(env, d)
	if err != nil {
		return Stream{}, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if _, err := tx.Environment(ctx, env); errors.Is(err, store.ErrNotFound) {
			return countersign.ErrEnvironmentNotFound
		} else if err != nil {
			return err
		}
		have, err := tx.EventStreams(ctx, env)
		if err != nil {
			return err
		}
		if len(have) > 0 {
			return countersign.ErrStreamTooManyDestinations
		}
		err = tx.InsertEventStream(ctx, countersign.EventStream{
			EnvironmentID: env, Type: d.Type, Status: countersign.StreamingDisabled, Config: config, NextAttemptAt: tx.Now, CreatedAt: tx.Now,
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, env, d.Type, "created", map[string]any{"before": nil, "after": described(d)})
	})
	return Stream{Destination: d, Status: countersign.StreamingDisabled}, err
}

// prepare checks a destination and seals it.
func (s *Service) prepare(env countersign.EnvironmentID, d countersign.Destination) (_ countersign.Destination, config []byte, err error) {
	if d, err = check(d); err == nil {
		config, err = seal(s.Keyset, env, d)
	}
	return d, config, err
}

// Stream finds the stream to a type of destination. Errors:
// ErrStreamInvalidType and ErrStreamNotFound.
func (s *Service) Stream(ctx context.Context, env countersign.EnvironmentID, typ countersign.DestinationType) (Stream, error) {
	var e countersign.EventStream
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = find(ctx, tx, env, typ)
		return err
	})
	if err != nil {
		return Stream{}, err
	}
	d, err := open(s.Keyset, e)
	return Stream{Destination: d, Status: e.Status, LastError: e.LastError}, err
}

func find(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, typ countersign.DestinationType) (e countersign.EventStream, err error) {
	if typ != countersign.Datadog && typ != countersign.GrafanaLoki {
		return e, countersign.ErrStreamInvalidType
	}
	list, err := tx.EventStreams(ctx, env)
	if err != nil {
		return e, err
	}
	i := slices.IndexFunc(list, func(e countersign.EventStream) bool { return e.Type == typ })
	if i < 0 {
		return e, countersign.ErrStreamNotFound
	}
	return list[i], nil
}

// Update replaces the destination of a stream, which is tried at once and goes
// on where it was. Errors: those of check and of Stream.
func (s *Service) Update(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, d countersign.Destination) (Stream, error) {
	d, config, err := s.prepare(env, d)
	if err != nil {
		return Stream{}, err
	}
	var status countersign.StreamingStatus
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		e, err := find(ctx, tx, env, d.Type)
		if err != nil {
			return err
		}
		before, err := open(s.Keyset, e)
		if err != nil {
			return err
		}
		status, e.Config = e.Status, config
		if err := restart(ctx, tx, e); err != nil {
			return err
		}
		return record(ctx, tx, env, d.Type, "updated", map[string]any{"before": described(before), "after": described(d)})
	})
	return Stream{Destination: d, Status: status}, err
}

// Enable begins to send the events that come from now on. One that is enabled
// already goes on where it was. Errors as Stream.
func (s *Service) Enable(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, typ countersign.DestinationType) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		e, err := find(ctx, tx, env, typ)
		if err != nil || e.Status == countersign.StreamingActive {
			return err
		}
		if err := record(ctx, tx, env, typ, "enabled", nil); err != nil {
			return err
		}
		newest, err := tx.Events(ctx, env, countersign.EventID{}, 1)
		if err != nil {
			return err
		}
		e.Status, e.Position = countersign.StreamingActive, newest[0].ID // there is one: that it was enabled
		return restart(ctx, tx, e)
	})
}

// Disable stops sending. Errors as Stream.
func (s *Service) Disable(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, typ countersign.DestinationType) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		e, err := find(ctx, tx, env, typ)
		if err != nil || e.Status == countersign.StreamingDisabled {
			return err
		}
		e.Status = countersign.StreamingDisabled
		if err := restart(ctx, tx, e); err != nil {
			return err
		}
		return record(ctx, tx, env, typ, "disabled", nil)
	})
}

// restart stores a stream that was changed, and forgets how the last attempts
// went.
func restart(ctx context.Context, tx *store.Tx, e countersign.EventStream) error {
	e.Failures, e.LastError, e.NextAttemptAt = 0, "", tx.Now
	return tx.UpdateEventStream(ctx, e)
}

// Delete removes a stream. Errors as Stream.
func (s *Service) Delete(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, typ countersign.DestinationType) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		e, err := find(ctx, tx, env, typ)
		if err != nil {
			return err
		}
		before, err := open(s.Keyset, e)
		if err != nil {
			return err
		}
		if err := tx.DeleteEventStream(ctx, env, typ); err != nil {
			return err
		}
		return record(ctx, tx, env, typ, "deleted", map[string]any{"before": described(before), "after": nil})
	})
}

func record(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, typ countersign.DestinationType, what string, detail map[string]any) error {
	return tx.Record(ctx, env, "event_log_streaming."+what, string(typ), detail)
}

// described is what audit events tell of a destination: never what opens it.
func described(d countersign.Destination) map[string]any {
	if d.Type == countersign.Datadog {
		return map[string]any{"site": d.Site}
	}
	return map[string]any{"hostname": d.Hostname, "username": d.Username}
}
