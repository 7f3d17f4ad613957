package verdict

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// Find is the verdict on the token that a request brought. It flushes first, so
// that this process knows what it has just decided. Errors: ErrVerdictNotFound.
func (b *Book) Find(ctx context.Context, env countersign.EnvironmentID, ref string) (v countersign.Verdict, err error) {
	id, err := countersign.ParseID[countersign.RequestID](ref)
	if err != nil {
		return v, countersign.ErrVerdictNotFound
	}
	if err := b.Flush(ctx); err != nil {
		return v, err
	}
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		v, err = tx.Verdict(ctx, env, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = countersign.ErrVerdictNotFound
	}
	return v, err
}

// Bounds of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
	// maxLooked bounds how many verdicts one page looks at, when few of them are
	// asked for.
	maxLooked = 10_000
	chunk     = 1000
)

// Filter narrows a list of verdicts. Its zero value lets all through.
type Filter struct {
	ProfileID countersign.ProfileID
	PersonID  countersign.PersonID
	Reason    *string // "" of those that were accepted
	Since     time.Time
	Until     time.Time // exclusive; zero for no bound
}

func (f Filter) keeps(v countersign.Verdict) bool {
	return (f.ProfileID.IsZero() || v.ProfileID == f.ProfileID) && (f.PersonID.IsZero() || v.PersonID == f.PersonID) &&
		(f.Reason == nil || v.Reason == *f.Reason)
}

// narrowest is the one member of a filter that an index helps with most.
func (f Filter) narrowest() store.VerdictFilter {
	switch {
	case !f.PersonID.IsZero():
		return store.VerdictFilter{PersonID: f.PersonID}
	case f.Reason != nil && *f.Reason != "":
		return store.VerdictFilter{Reason: f.Reason}
	case !f.ProfileID.IsZero():
		return store.VerdictFilter{ProfileID: f.ProfileID}
	}
	return store.VerdictFilter{Reason: f.Reason}
}

// Page is a part of a list of verdicts, newest first.
type Page struct {
	Verdicts []countersign.Verdict
	// Next asks for the part that follows; "" if there is none. A page may be
	// short, or empty, and yet have a next one.
	Next string
	// Missed is how many refusals of the filter's profile and time were not kept,
	// of whatever reason.
	Missed int
}

// List is a page of verdicts, newest first. limit is 1 to 1000, or 0 for 100.
// Errors: ErrBadRequest for a limit or a cursor that is none.
func (b *Book) List(ctx context.Context, env countersign.EnvironmentID, f Filter, limit int, cursor string) (page Page, err error) {
	switch {
	case limit == 0:
		limit = DefaultLimit
	case limit < 1 || limit > MaxLimit:
		return page, countersign.ErrBadRequest.Saying("limit must be from 1 to %d.", MaxLimit)
	}
	before, err := start(env, f, cursor)
	if err != nil {
		return page, err
	}
	if err := b.Flush(ctx); err != nil {
		return page, err
	}
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		if page.Missed, err = tx.MissedVerdicts(ctx, env, f.ProfileID, f.Since.Truncate(time.Minute), f.Until); err != nil {
			return err
		}
		after := countersign.FirstOrderedID[countersign.RequestID](env.Class(), f.Since)
		for looked := 0; looked < maxLooked; looked += chunk {
			list, err := tx.Verdicts(ctx, env, f.narrowest(), after, before, chunk)
			if err != nil {
				return err
			}
			for _, v := range list {
				if before = v.RequestID; f.keeps(v) {
					page.Verdicts = append(page.Verdicts, v)
				}
				if len(page.Verdicts) == limit {
					page.Next = encode(before)
					return nil
				}
			}
			if len(list) < chunk {
				return nil
			}
		}
		page.Next = encode(before)
		return nil
	})
	return page, err
}

// Hours are an environment's verdicts from a moment on, counted by hour and reason,
// oldest first, and how many refusals of that time were not kept. Profiles that are
// only tried are left out. It costs the same however many there are.
func (b *Book) Hours(ctx context.Context, env countersign.EnvironmentID, since time.Time) (hours []store.VerdictHour, missed int, err error) {
	if err := b.Flush(ctx); err != nil {
		return nil, 0, err
	}
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		if hours, err = tx.VerdictHours(ctx, env, since); err != nil {
			return err
		}
		missed, err = tx.MissedVerdicts(ctx, env, countersign.ProfileID{}, since, time.Time{})
		return err
	})
	return hours, missed, err
}

// start is the ID before which a page begins.
func start(env countersign.EnvironmentID, f Filter, cursor string) (countersign.RequestID, error) {
	if cursor != "" {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
		if err != nil || len(raw) != 16 {
			return countersign.RequestID{}, countersign.ErrBadRequest.Saying("cursor is not one that this server gave.")
		}
		return countersign.IDOf[countersign.RequestID](env.Class(), [16]byte(raw)), nil
	}
	if f.Until.IsZero() {
		all := [16]byte{}
		for i := range all {
			all[i] = 0xff
		}
		return countersign.IDOf[countersign.RequestID](env.Class(), all), nil
	}
	return countersign.FirstOrderedID[countersign.RequestID](env.Class(), f.Until), nil
}

func encode(id countersign.RequestID) string {
	uuid := id.UUID()
	return base64.RawURLEncoding.EncodeToString(uuid[:])
}

// How verdicts are removed: seldom, and a few at a time.
const (
	sweepEvery = time.Hour
	sweepBatch = 500
)

// Sweep removes the verdicts that were kept long enough, of all environments,
// batch by batch. Within an hour of the last time it does nothing.
func (b *Book) Sweep(ctx context.Context) error {
	now := b.Now()
	b.mu.Lock()
	due := now.Sub(b.swept) >= sweepEvery || now.Before(b.swept)
	if due {
		b.swept = now
	}
	b.mu.Unlock()
	if !due {
		return nil
	}
	before := now.Add(-b.Keep)
	var environments []countersign.Environment
	err := b.Store.View(ctx, func(tx *store.Tx) (err error) {
		environments, err = tx.AllEnvironments(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, env := range environments {
		for ctx.Err() == nil {
			n, err := b.Store.PurgeVerdicts(ctx, env.ID, before, sweepBatch)
			if err != nil {
				return err
			}
			if n < sweepBatch {
				break
			}
		}
	}
	return ctx.Err()
}
