package session

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/store"
)

// RevokeParams names the session to end, in exactly one of three ways, or the
// user whose sessions all end.
type RevokeParams struct {
	Environment  countersign.Environment
	Actor        countersign.Actor
	SessionID    string
	SessionToken countersign.Bearer
	SessionJWT   countersign.Bearer // its exp does not matter
	UserID       string             // or external ID
}

// Revoke ends a session, or all of a user's, at once and on every node. Errors:
// ErrNoSessionRevokeArguments, ErrTooManySessionRevokeArguments,
// ErrInvalidSessionID, ErrUnableToParseSessionJWT, ErrSessionNotFound if it is not
// alive, and those of directory.Find. A user without sessions is no error.
func (s *Service) Revoke(ctx context.Context, p RevokeParams) error {
	env := p.Environment
	given := 0
	for _, is := range []bool{p.SessionID != "", p.SessionToken != "", p.SessionJWT != "", p.UserID != ""} {
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
	if p.UserID != "" {
		_, err := s.revokeOfUser(ctx, p)
		return err
	}
	h, err := s.named(ctx, p)
	if err != nil {
		return err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) error {
		if _, err := s.load(ctx, tx, env, rules, h); err != nil {
			return err
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

// named is the session that is named in one of three ways.
func (s *Service) named(ctx context.Context, p RevokeParams) (h handle, err error) {
	if p.SessionID == "" {
		return s.handle(ctx, p.Environment, p.SessionToken, p.SessionJWT)
	}
	if h.id, err = countersign.ParseID[countersign.SessionID](p.SessionID); err != nil {
		return h, countersign.ErrInvalidSessionID
	}
	return h, countersign.CheckClass(h.id.Class(), p.Environment.ID)
}

// revokeOfUser ends a user's sessions, and says how many were alive.
func (s *Service) revokeOfUser(ctx context.Context, p RevokeParams) (ended int64, err error) {
	rules, err := s.Rules.Of(ctx, p.Environment)
	if err != nil {
		return 0, err
	}
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) error {
		user, err := directory.Find(ctx, tx, p.Environment.ID, p.UserID)
		if err != nil {
			return err
		}
		list, err := tx.SessionsOf(ctx, p.Environment.ID, user.ID)
		if err != nil {
			return err
		}
		ended = int64(len(slices.DeleteFunc(list, rules.Ended)))
		if err := tx.DeleteSessionsOf(ctx, p.Environment.ID, user.ID); err != nil {
			return err
		}
		return tx.Record(ctx, p.Environment.ID, "user.sessions_revoked", user.ID.String(), map[string]any{"sessions": ended})
	})
	if err == nil {
		s.Metrics.Sessions("revoked", ended)
	}
	return ended, err
}
