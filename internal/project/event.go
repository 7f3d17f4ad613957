package project

import (
	"context"
	"strings"

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

// EventFilter narrows a list of events. Its zero value lets all through.
type EventFilter struct {
	Action string // of which the action begins with this
	Actor  string // the ID
	Object string
}

func (f EventFilter) keeps(e countersign.Event) bool {
	return strings.HasPrefix(e.Action, f.Action) && (f.Actor == "" || e.Actor.ID == f.Actor) && (f.Object == "" || e.Object == f.Object)
}

// maxEventsLooked bounds how many events one page looks at, when few of them are
// asked for.
const maxEventsLooked = 5 * maxEventsPage

// FindEvents is Events, of those that a filter keeps. It looks at 5000 events at
// most: a page may be short, or empty, and yet have a next one.
func (s *Service) FindEvents(ctx context.Context, env countersign.EnvironmentID, f EventFilter, limit int, cursor string) (list []countersign.Event, next string, err error) {
	if f == (EventFilter{}) {
		return s.Events(ctx, env, limit, cursor)
	}
	if limit <= 0 {
		limit = eventPage
	}
	next = cursor
	for range maxEventsLooked / maxEventsPage {
		var part []countersign.Event
		if part, next, err = s.Events(ctx, env, maxEventsPage, next); err != nil {
			return nil, "", err
		}
		for i, e := range part {
			if !f.keeps(e) {
				continue
			}
			if list = append(list, e); len(list) == limit {
				if next == "" && i == len(part)-1 {
					return list, "", nil
				}
				return list, e.ID.String(), nil
			}
		}
		if next == "" {
			return list, "", nil
		}
	}
	return list, next, nil
}
