package session

import (
	"context"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/store"
)

// KillParams says which sessions end: one, somebody's, or those that rest on a
// profile, on a key of an issuer, or on what was attested before a moment; the
// last three may be combined, and then all must be true of one factor.
type KillParams struct {
	Environment countersign.Environment
	Actor       countersign.Actor
	SessionID   string
	Person      string // the ID of a user or member, or the external ID of a user
	ProfileID   string
	KeyID       string    // kid, or the ID of a PEM file
	Before      time.Time // zero: now
	DryRun      bool      // count and change nothing
}

// Killed is what a revocation ends, or would end.
type Killed struct {
	// Revocation stands until the rows are gone; nil for a session or a person,
	// whose rows go at once, and for a dry run.
	Revocation *countersign.Revocation
	// Sessions is how many it ends. All is false if there are too many to count:
	// then there are at least as many.
	Sessions int64
	All      bool
}

// Kill ends sessions, on every node by the next request, however many they are.
// Errors: ErrInvalidRevocation, ErrTooManyRevocations, ErrProfileNotFound,
// ErrSessionNotFound, ErrInvalidSessionID, and those of directory.Find.
func (s *Service) Kill(ctx context.Context, p KillParams) (Killed, error) {
	wide := p.ProfileID != "" || p.KeyID != "" || !p.Before.IsZero()
	switch {
	case p.SessionID != "" && p.Person != "", p.SessionID != "" && wide, p.Person != "" && wide, p.SessionID == "" && p.Person == "" && !wide:
		return Killed{}, countersign.ErrInvalidRevocation
	case len(p.KeyID) > maxKeyID:
		return Killed{}, countersign.ErrInvalidRevocation.Saying("A key ID has at most %d bytes.", maxKeyID)
	case p.Before.After(s.Now()):
		return Killed{}, countersign.ErrInvalidRevocation.Saying("The moment is in the future.")
	case wide:
		return s.killWide(ctx, p)
	case p.Person != "":
		return s.killOf(ctx, p)
	}
	return s.killOne(ctx, p)
}

const maxKeyID = 256 // bytes, as package trust reads a kid

func (s *Service) killOne(ctx context.Context, p KillParams) (Killed, error) {
	killed := Killed{Sessions: 1, All: true}
	revoke := RevokeParams{Environment: p.Environment, Actor: p.Actor, SessionID: p.SessionID}
	if !p.DryRun {
		return killed, s.Revoke(ctx, revoke)
	}
	rules, err := s.Rules.Of(ctx, p.Environment)
	if err != nil {
		return killed, err
	}
	h, err := s.handleOf(ctx, revoke)
	if err != nil {
		return killed, err
	}
	return killed, s.Store.View(ctx, func(tx *store.Tx) error {
		_, err := s.load(ctx, tx, p.Environment, rules, h)
		return err
	})
}

func (s *Service) killOf(ctx context.Context, p KillParams) (killed Killed, err error) {
	killed.All = true
	if !p.DryRun {
		killed.Sessions, err = s.revokeAll(ctx, RevokeParams{Environment: p.Environment, Actor: p.Actor, Person: directory.User(p.Person)})
		return killed, err
	}
	var who countersign.Person
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		who, err = find(ctx, tx, p.Environment, directory.User(p.Person))
		return err
	})
	if err != nil {
		return killed, err
	}
	list, err := s.Of(ctx, p.Environment, who)
	killed.Sessions = int64(len(list))
	return killed, err
}

func (s *Service) killWide(ctx context.Context, p KillParams) (killed Killed, err error) {
	env := p.Environment.ID
	r := countersign.Revocation{KeyID: p.KeyID}
	if p.ProfileID != "" {
		if r.ProfileID, err = countersign.ParseID[countersign.ProfileID](p.ProfileID); err != nil {
			return killed, countersign.ErrProfileNotFound
		}
		// A profile that was deleted may still have sessions.
		if err := countersign.CheckClass(r.ProfileID.Class(), env); err != nil {
			return killed, err
		}
	}
	rules, err := s.Rules.Of(ctx, p.Environment)
	if err != nil {
		return killed, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		if r.Before, err = moment(ctx, tx, env, p.Before); err != nil {
			return err
		}
		killed.Sessions, killed.All, err = s.count(ctx, tx, env, func(sess countersign.Session) bool { return !rules.Ended(sess) && r.Ends(sess) })
		return err
	})
	if err != nil || p.DryRun {
		return killed, err
	}
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) error {
		r.ID, r.CreatedAt = countersign.NewOrderedID[countersign.RevocationID](env.Class(), tx.Now), tx.Now
		if r.Before, err = moment(ctx, tx, env, p.Before); err != nil {
			return err
		}
		list, err := tx.Revocations(ctx, env)
		if err != nil {
			return err
		}
		if len(list) >= countersign.MaxRevocations {
			return countersign.ErrTooManyRevocations
		}
		if err := tx.PutRevocations(ctx, env, append(list, r)); err != nil {
			return err
		}
		detail := map[string]any{"before": r.Before.UTC().Format(time.RFC3339Nano), "sessions": killed.Sessions, "all_counted": killed.All}
		if !r.ProfileID.IsZero() {
			detail["profile_id"] = r.ProfileID
		}
		if r.KeyID != "" {
			detail["key_id"] = r.KeyID
		}
		return tx.Record(ctx, env, "sessions.revoked", r.ID.String(), detail)
	})
	if err == nil {
		killed.Revocation = &r
		s.Metrics.Sessions("revoked", killed.Sessions)
	}
	return killed, err
}

// moment is the one before which sessions end: the caller's, or one that no
// session which exists lies behind, although another node's clock be ahead of ours.
func moment(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, given time.Time) (time.Time, error) {
	if !given.IsZero() {
		return given, nil
	}
	newest, err := tx.NewestSession(ctx, env)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	now := tx.Now
	if newest.After(now) {
		now = newest
	}
	return now.Truncate(time.Microsecond).Add(time.Microsecond), err
}

// maxCounted bounds how many sessions one count looks at.
const (
	maxCounted = 200_000
	countChunk = 2000
)

// count is how many of an environment's sessions, the newest first, are such; all
// is false if there are more than it looks at.
func (s *Service) count(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, such func(countersign.Session) bool) (n int64, all bool, err error) {
	var before countersign.SessionID
	for looked := 0; looked < maxCounted; looked += countChunk {
		list, err := tx.SessionsBefore(ctx, env, before, countChunk)
		if err != nil {
			return n, false, err
		}
		for _, sess := range list {
			if before = sess.ID; sess.ExpiresAt.After(tx.Now) && such(sess) {
				n++
			}
		}
		if len(list) < countChunk {
			return n, true, nil
		}
	}
	return n, false, nil
}

// Revocations are those that stand in an environment, oldest first.
func (s *Service) Revocations(ctx context.Context, env countersign.EnvironmentID) (list []countersign.Revocation, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Revocations(ctx, env)
		return err
	})
	return list, err
}

// sweptGrace is how long a revocation stands after the last row was gone, for
// those that were on their way when it came.
const sweptGrace = 24 * time.Hour

// sweepRevoked removes the rows of sessions that revocations end, and then, after
// a while, the revocations.
func (s *Service) sweepRevoked(ctx context.Context) error {
	standing, err := s.Store.AllRevocations(ctx)
	if err != nil {
		return err
	}
	for env, list := range standing {
		due := false
		for _, r := range list {
			due = due || r.SweptAt.IsZero() || s.Now().Sub(r.SweptAt) >= sweptGrace
		}
		if !due {
			continue
		}
		if err := s.removeEnded(ctx, env, list); err != nil {
			return err
		}
		if err := s.noteSwept(ctx, env, list); err != nil {
			return err
		}
	}
	return nil
}

// removeEnded walks through the sessions of an environment and removes those that
// any of the revocations ends.
func (s *Service) removeEnded(ctx context.Context, env countersign.EnvironmentID, list []countersign.Revocation) error {
	var before countersign.SessionID
	for {
		var part []countersign.Session
		err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
			part, err = tx.SessionsBefore(ctx, env, before, janitorBatch)
			return err
		})
		if err != nil {
			return err
		}
		var gone []countersign.SessionID
		for _, sess := range part {
			if before = sess.ID; countersign.EndedBy(list, sess) {
				gone = append(gone, sess.ID)
			}
		}
		if err := s.Store.PurgeRevoked(ctx, env, gone); err != nil {
			return err
		}
		if len(part) < janitorBatch {
			return nil
		}
	}
}

// noteSwept notes that no row is left of what these revocations end, and forgets
// those of which that has been so for a while.
func (s *Service) noteSwept(ctx context.Context, env countersign.EnvironmentID, swept []countersign.Revocation) error {
	err := s.Store.Update(ctx, countersign.System(), func(tx *store.Tx) error {
		list, err := tx.Revocations(ctx, env)
		if err != nil {
			return err
		}
		var left []countersign.Revocation
		for _, r := range list {
			for _, done := range swept {
				if r.ID == done.ID && r.SweptAt.IsZero() {
					r.SweptAt = tx.Now
				}
			}
			if r.SweptAt.IsZero() || tx.Now.Sub(r.SweptAt) < sweptGrace {
				left = append(left, r)
			}
		}
		if err := tx.PutRevocations(ctx, env, left); err != nil {
			return err
		}
		return tx.Record(ctx, env, "sessions.swept", env.String(), map[string]any{"revocations_left": len(left)})
	})
	if errors.Is(err, store.ErrNotFound) { // the environment is gone
		err = nil
	}
	return err
}
