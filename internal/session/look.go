package session

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/claimtemplate"
	"github.com/countersign-auth/countersign/internal/store"
)

// How much one look at the sessions of an environment may read. Most of what lies
// among the newest is alive.
const (
	maxListed = 1000
	maxActive = 2000
)

// Listed is a page of sessions that are alive, newest first.
type Listed struct {
	Sessions []countersign.Session
	// Next asks for the part that follows; "" if there is none. A page may be
	// short, or empty, and yet have a next one.
	Next string
}

// List is a page of an environment's sessions, newest first, after the one that
// cursor names; limit is 1 to 1000. ErrBadRequest for a cursor that is none.
func (s *Service) List(ctx context.Context, env countersign.Environment, limit int, cursor string) (list Listed, err error) {
	var before countersign.SessionID
	if cursor != "" {
		if before, err = countersign.ParseID[countersign.SessionID](cursor); err != nil || before.Class() != env.ID.Class() {
			return list, countersign.ErrBadRequest.Saying("cursor is not one that this server gave.")
		}
	}
	limit = min(max(limit, 1), maxListed)
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return list, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		found, err := tx.SessionsBefore(ctx, env.ID, before, maxListed)
		for i, sess := range found {
			if !sess.ExpiresAt.After(tx.Now) || rules.Ended(sess) {
				continue
			}
			if list.Sessions = append(list.Sessions, sess); len(list.Sessions) == limit {
				if i < len(found)-1 {
					list.Next = sess.ID.String()
				}
				return err
			}
		}
		if len(found) == maxListed {
			list.Next = found[maxListed-1].ID.String()
		}
		return err
	})
	return list, err
}

// Active is how many sessions of an environment are alive. all is false if there
// are too many to count: then there are at least as many.
func (s *Service) Active(ctx context.Context, env countersign.Environment) (n int, all bool, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return 0, false, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		found, err := tx.SessionsBefore(ctx, env.ID, countersign.SessionID{}, maxActive)
		all = len(found) < maxActive
		n = len(slices.DeleteFunc(found, func(sess countersign.Session) bool { return !sess.ExpiresAt.After(tx.Now) || rules.Ended(sess) }))
		return err
	})
	return n, all, err
}

// Shown is all there is to see of a session: what nobody could use.
type Shown struct {
	Session countersign.Session // with the custom claims that it has now
	User    countersign.Person
	Payload json.RawMessage // of a session JWT, without its times
}

// Show finds a session that is alive. Nothing about it changes. Errors:
// ErrSessionNotFound, ErrInvalidSessionID.
func (s *Service) Show(ctx context.Context, env countersign.Environment, ref string) (shown Shown, err error) {
	h, err := s.handleOf(ctx, RevokeParams{Environment: env, SessionID: ref})
	if err != nil {
		return shown, err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return shown, err
	}
	if shown.Session, shown.User, err = s.alive(ctx, env, rules, h); err != nil {
		return shown, err
	}
	if shown.Session.CustomClaims, err = claimsOf(rules, shown.Session, shown.User); err != nil {
		return shown, err
	}
	shown.Payload, err = content(env, rules, shown.Session, shown.User)
	return shown, err
}

// Render is what a template, which need not be stored, makes of a user. Errors:
// those of claimtemplate.Parse, and ErrCustomClaimsTooLarge.
func (s *Service) Render(template string, user countersign.Person) (countersign.Object, error) {
	parsed, err := claimtemplate.Parse(template)
	if err != nil {
		return nil, err
	}
	rendered, err := parsed.Render(valuesOf(user))
	if err != nil {
		return nil, err
	}
	for name := range rendered {
		if reservedClaim(name) {
			delete(rendered, name)
		}
	}
	return bounded(rendered)
}
