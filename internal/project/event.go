package project

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// Bounds of a page of events.
const (
	eventPage     = 100
	maxEventsPage = 1000
)

// Events are an environment's audit events, newest first, behind the one named
// by cursor. next names the last one if there are more. Errors: ErrBadRequest
// for a limit or a cursor that is none.
func (s *Service) Events(ctx context.Context, env countersign.EnvironmentID, limit int, cursor string) (list []countersign.Event, next string, err error) {
	switch {
	case limit < 0 || limit > maxEventsPage:
		return nil, "", countersign.ErrBadRequest.Saying("limit must be a whole number from 0 to %d.", maxEventsPage)
	case limit == 0:
		limit = eventPage
	}
	var before countersign.EventID
	if cursor != "" {
		if before, err = countersign.ParseID[countersign.EventID](cursor); err != nil || before.Class() != env.Class() {
			return nil, "", countersign.ErrBadRequest.Saying("The cursor is not one that this endpoint gave.")
		}
	}
	list, err = view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.Event, error) { return tx.Events(ctx, env, before, limit+1) })
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID.String()
	}
	return list, next, err
}
