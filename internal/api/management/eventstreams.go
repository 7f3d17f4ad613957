package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type createEventStreamRequest struct {
	DestinationType   string                 `json:"destination_type" openapi:"required,enum=DATADOG|GRAFANA_LOKI"`
	DestinationConfig wire.DestinationConfig `json:"destination_config"`
}

type updateEventStreamRequest struct {
	DestinationConfig wire.DestinationConfig `json:"destination_config"`
}

type eventStreamAnswer struct {
	wire.Envelope
	EventLogStreamingConfig wire.EventLogStreaming `json:"event_log_streaming_config"`
}

type maskedEventStreamAnswer struct {
	wire.Envelope
	EventLogStreamingConfig wire.MaskedEventLogStreaming `json:"event_log_streaming_config"`
}

func (s *Surface) createEventStream(ctx context.Context, r *api.Request[createEventStreamRequest]) (*eventStreamAnswer, error) {
	made, err := s.Streams.Create(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Body.DestinationConfig.Destination(r.Body.DestinationType))
	return &eventStreamAnswer{EventLogStreamingConfig: wire.NewEventLogStreaming(made)}, err
}

func (s *Surface) eventStream(ctx context.Context, r *api.Request[api.None]) (*maskedEventStreamAnswer, error) {
	found, err := s.Streams.Stream(ctx, r.Caller.Environment.ID, destinationType(r))
	return &maskedEventStreamAnswer{EventLogStreamingConfig: wire.NewMaskedEventLogStreaming(found)}, err
}

func (s *Surface) updateEventStream(ctx context.Context, r *api.Request[updateEventStreamRequest]) (*eventStreamAnswer, error) {
	d := r.Body.DestinationConfig.Destination(string(destinationType(r)))
	changed, err := s.Streams.Update(ctx, r.Caller.Actor, r.Caller.Environment.ID, d)
	return &eventStreamAnswer{EventLogStreamingConfig: wire.NewEventLogStreaming(changed)}, err
}

func (s *Surface) deleteEventStream(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Streams.Delete(ctx, r.Caller.Actor, r.Caller.Environment.ID, destinationType(r))
}

func (s *Surface) enableEventStream(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Streams.Enable(ctx, r.Caller.Actor, r.Caller.Environment.ID, destinationType(r))
}

func (s *Surface) disableEventStream(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Streams.Disable(ctx, r.Caller.Actor, r.Caller.Environment.ID, destinationType(r))
}

func destinationType[B any](r *api.Request[B]) countersign.DestinationType {
	return countersign.DestinationType(r.Path("destination_type"))
}
