package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// accessResolution is how exactly a session knows its last access. Between two
// steps nothing is written and the same JWT may be given back.
const accessResolution = time.Minute

// AuthenticateParams asks whether a session is alive, and may change it.
type AuthenticateParams struct {
	Environment  countersign.Environment
	Actor        countersign.Actor
	SessionToken countersign.Bearer // exactly one of the two
	SessionJWT   countersign.Bearer // its exp does not matter
	Minutes      *int               // the session's new lifetime from now; nil: unchanged
	MaxMinutes   int                // bounds Minutes; 0: only as all lifetimes are
	CustomClaims countersign.Object
	Check        *Check
}

// Check asks whether the person's roles permit an action.
type Check struct {
	OrganizationID string // that of a member's session; unused in a consumer project
	ResourceID     string
	Action         string
}

// Authenticated is a session that is alive. GrantingRoles answers Check.
type Authenticated struct {
	Active
	GrantingRoles []string
}

// Authenticate answers with the session if it is alive, and moves its last
// access. It always reads the database: a session revoked anywhere is refused
// here. Errors: ErrNoSessionArguments, ErrTooManySessionArguments,
// ErrSessionNotFound, ErrUnableToParseSessionJWT, ErrConsumerSessionAuthorization or
// ErrSessionAuthorization, ErrSessionTenancy,
// ErrInvalidSessionDuration, and those of durations and claims.
func (s *Service) Authenticate(ctx context.Context, p AuthenticateParams) (Authenticated, error) {
	env := p.Environment
	switch {
	case p.SessionToken == "" && p.SessionJWT == "":
		return Authenticated{}, countersign.ErrNoSessionArguments
	case p.SessionToken != "" && p.SessionJWT != "":
		return Authenticated{}, countersign.ErrTooManySessionArguments
	}
	if err := checkMinutes(p.Minutes, p.MaxMinutes); err != nil {
		return Authenticated{}, err
	}
	h, err := s.handle(ctx, env, p.SessionToken, p.SessionJWT)
	if err != nil {
		return Authenticated{}, err
	}

	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return Authenticated{}, err
	}
	sess, user, err := s.alive(ctx, env, rules, h)
	if err != nil {
		return Authenticated{}, err
	}
	var granting []string
	if p.Check != nil {
		if granting, err = Permit(rules, user, *p.Check); err != nil {
			return Authenticated{}, err
		}
	}
	if sess, err = s.access(ctx, p, rules, h, sess, user); err != nil {
		return Authenticated{}, err
	}
	active, err := s.activate(ctx, env, rules, sess, user, h)
	return Authenticated{Active: active, GrantingRoles: granting}, err
}

// Permit is the person's roles that permit an action. Errors:
// ErrConsumerSessionAuthorization or, of a member, ErrSessionAuthorization if there
// is none, and ErrSessionTenancy for another organization than the member's.
func Permit(rules *standing.Rules, p countersign.Person, c Check) ([]string, error) {
	if p.Organization != nil && c.OrganizationID != p.Organization.ID.String() {
		return nil, countersign.ErrSessionTenancy
	}
	granting := rbac.Granting(rules.For(p.Organization).Policy, p.Roles, c.ResourceID, c.Action)
	if len(granting) == 0 {
		return nil, p.Tenant(countersign.EnvironmentID{}).Terms().NotPermitted
	}
	return granting, nil
}

// Holder is a session that is alive, by its token or its JWT, and whose it is.
// Nothing about the session changes. Errors: ErrSessionNotFound,
// ErrUnableToParseSessionJWT.
func (s *Service) Holder(ctx context.Context, env countersign.Environment, token, jwt countersign.Bearer) (sess countersign.Session, user countersign.Person, err error) {
	h, err := s.handle(ctx, env, token, jwt)
	if err != nil {
		return sess, user, err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return sess, user, err
	}
	return s.alive(ctx, env, rules, h)
}

// alive reads the session that a handle names and its user, always from the
// database. ErrSessionNotFound.
func (s *Service) alive(ctx context.Context, env countersign.Environment, rules *standing.Rules, h handle) (sess countersign.Session, user countersign.Person, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if sess, err = s.load(ctx, tx, env, rules, h); err != nil {
			return err
		}
		user, err = tx.Person(ctx, env.ID, sess.PersonID)
		if errors.Is(err, store.ErrNotFound) {
			err = countersign.ErrSessionNotFound
		}
		return err
	})
	rules.For(user.Organization).Settle(&user)
	return sess, user, err
}

// access notes that a session was used, and stores what the caller changes. The
// custom claims of its answer are those that the session has now.
func (s *Service) access(ctx context.Context, p AuthenticateParams, rules *standing.Rules, h handle, sess countersign.Session, user countersign.Person) (countersign.Session, error) {
	env := p.Environment
	if p.Minutes != nil || len(p.CustomClaims) > 0 {
		err := s.Store.Update(ctx, p.Actor, func(tx *store.Tx) (err error) {
			if sess, err = s.load(ctx, tx, env, rules, h); err != nil {
				return err
			}
			if err := change(ctx, tx, env.ID, &sess, p); err != nil {
				return err
			}
			sess.CustomClaims, err = claimsOf(rules, sess, user)
			return err
		})
		if err == nil {
			s.Metrics.Sessions("updated", 1)
		}
		return sess, err
	}
	var err error
	if sess.CustomClaims, err = claimsOf(rules, sess, user); err != nil {
		return sess, err
	}
	if now := s.Now(); now.Sub(sess.LastAccessedAt) >= accessResolution {
		if err := s.Store.TouchSession(ctx, env.ID, sess.ID, now); err != nil {
			return sess, err
		}
		sess.LastAccessedAt = now.UTC().Truncate(time.Microsecond) // as it is stored
	}
	return sess, nil
}

func change(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, sess *countersign.Session, p AuthenticateParams) error {
	claims, err := mergeClaims(sess.CustomClaims, p.CustomClaims)
	if err != nil {
		return err
	}
	sess.CustomClaims = claims
	sess.LastAccessedAt = tx.Now
	if p.Minutes != nil {
		sess.ExpiresAt = expiry(tx.Now, *p.Minutes)
	}
	if err := tx.UpdateSession(ctx, env, *sess); err != nil {
		return err
	}
	return tx.Record(ctx, env, "session.updated", sess.ID.String(), map[string]any{
		"expires_at": sess.ExpiresAt.UTC().Format(time.RFC3339),
	})
}

// Of are somebody's sessions that are alive, oldest first.
func (s *Service) Of(ctx context.Context, env countersign.Environment, user countersign.Person) (list []countersign.Session, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.SessionsOf(ctx, env.ID, user.ID)
		return err
	})
	list = slices.DeleteFunc(list, rules.Ended)
	for i := range list {
		if list[i].CustomClaims, err = claimsOf(rules, list[i], user); err != nil {
			return nil, err
		}
	}
	return list, err
}
