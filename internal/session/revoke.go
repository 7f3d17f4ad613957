package session

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// RevokeParams names the session to end, in exactly one of three ways, or the
// person whose sessions all end.
type RevokeParams struct {
	Environment  countersign.Environment
	Actor        countersign.Actor
	SessionID    string
	SessionToken countersign.Bearer
	SessionJWT   countersign.Bearer // its exp does not matter
	// Person's sessions all end; the zero value names nobody. A member's organization
	// need not be named if a member ID is given.
	Person directory.Whom
	// May refuses the end of sessions of somebody, before any ends; nil refuses
	// nothing.
	May func(*standing.Rules, countersign.Person) error
}

// Revoke ends a session, or all of somebody's, at once and on every node. Errors:
// ErrNoSessionRevokeArguments, ErrTooManySessionRevokeArguments,
// ErrInvalidSessionID, ErrUnableToParseSessionJWT, ErrSessionNotFound if it is not
// alive, and those of directory.Find. Somebody without sessions is no error.
func (s *Service) Revoke(ctx context.Context, p RevokeParams) error {
	env := p.Environment
	given := 0
	for _, is := range []bool{p.SessionID != "", p.SessionToken != "", p.SessionJWT != "", p.Person.Person != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return countersign.ErrNoSessionRevokeArguments
	case given > 1:
		return countersign.ErrTooManySessionRevokeArguments
	}
	if p.Person.Person != "" {
		_, err := s.revokeAll(ctx, p)
		return err
	}
	h, err := s.handleOf(ctx, p)
	if err != nil {
		return err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) error {
		sess, err := s.load(ctx, tx, env, rules, h)
		if err != nil {
			return err
		}
		if p.May != nil {
			who, err := tx.Person(ctx, env.ID, sess.PersonID)
			if err != nil {
				return err
			}
			if err := p.May(rules, who); err != nil {
				return err
			}
		}
		if err := tx.DeleteSession(ctx, env.ID, h.id); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "session.revoked", h.id.String(), nil)
	})
	if errors.Is(err, store.ErrNotFound) {
		return countersign.ErrSessionNotFound
	}
	if err == nil {
		s.Metrics.Sessions("revoked", 1)
	}
	return err
}

// handleOf is the session that is named in one of three ways.
func (s *Service) handleOf(ctx context.Context, p RevokeParams) (h handle, err error) {
	if p.SessionID == "" {
		return s.handle(ctx, p.Environment, p.SessionToken, p.SessionJWT)
	}
	if h.id, err = countersign.ParseID[countersign.SessionID](p.SessionID); err != nil {
		return h, countersign.ErrInvalidSessionID
	}
	return h, countersign.CheckClass(h.id.Class(), p.Environment.ID)
}

// revokeAll ends somebody's sessions, and says how many were alive.
func (s *Service) revokeAll(ctx context.Context, p RevokeParams) (ended int64, err error) {
	rules, err := s.Rules.Of(ctx, p.Environment)
	if err != nil {
		return 0, err
	}
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) error {
		who, err := find(ctx, tx, p.Environment, p.Person)
		if err != nil {
			return err
		}
		if p.May != nil {
			if err := p.May(rules, who); err != nil {
				return err
			}
		}
		list, err := tx.SessionsOf(ctx, p.Environment.ID, who.ID)
		if err != nil {
			return err
		}
		ended = int64(len(slices.DeleteFunc(list, rules.Ended)))
		if err := tx.DeleteSessionsOf(ctx, p.Environment.ID, who.ID); err != nil {
			return err
		}
		return tx.Record(ctx, p.Environment.ID, p.Environment.Vertical.Terms().Noun+".sessions_revoked", who.ID.String(), map[string]any{"sessions": ended})
	})
	if err == nil {
		s.Metrics.Sessions("revoked", ended)
	}
	return ended, err
}

// find is directory.Find, and finds a member by ID alone.
func find(ctx context.Context, tx *store.Tx, env countersign.Environment, whom directory.Whom) (countersign.Person, error) {
	if env.Vertical == countersign.B2B && whom.Organization == "" {
		return directory.FindMember(ctx, tx, env.ID, whom.Person, false)
	}
	return directory.Find(ctx, tx, env.ID, whom)
}
