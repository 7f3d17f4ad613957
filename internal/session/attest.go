package session

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
)

// AttestParams asks to exchange a subject token.
type AttestParams struct {
	Environment countersign.Environment
	Actor       countersign.Actor
	ProfileID   countersign.ProfileID
	Token       countersign.Bearer // the issuer's JWT
	// Minutes is the lifetime of a new session from now, or the new one of the
	// session attached to. nil: no new session, and no change of lifetime.
	Minutes *int
	// DefaultMinutes is the lifetime of a new session if Minutes is nil; 0: then
	// there is none.
	DefaultMinutes int
	MaxMinutes     int // bounds Minutes; 0: only as all lifetimes are
	// SessionToken or SessionJWT names the session to attach to. At most one.
	SessionToken countersign.Bearer
	SessionJWT   countersign.Bearer
	// Present is the token of a session that the caller happens to have: attached
	// to if it is alive and the person's own, passed over if not.
	Present      countersign.Bearer
	CustomClaims countersign.Object
}

// Attested is what a subject token was exchanged for. Active is nil when no
// session was asked for.
type Attested struct {
	User   countersign.User
	Active *Active
}

// Attest judges a subject token, finds or provisions the person, and starts a
// session or adds a factor to one. Nothing changes unless all of it succeeds.
// A refused token is an *Error of the contract with a *trust.Refusal behind it.
func (s *Service) Attest(ctx context.Context, p AttestParams) (Attested, error) {
	env := p.Environment
	attaches := p.SessionToken != "" || p.SessionJWT != ""
	if p.SessionToken != "" && p.SessionJWT != "" {
		return Attested{}, countersign.ErrTooManySessionArguments
	}
	if err := checkMinutes(p.Minutes, p.MaxMinutes); err != nil {
		return Attested{}, err
	}
	claims, err := mergeClaims(nil, p.CustomClaims) // what is wrong for a new session is wrong for any
	if err != nil {
		return Attested{}, err
	}

	// Judge: cheap refusals, then keys, then the signature, then the mapping.
	profile, err := s.profile(ctx, env, p.ProfileID)
	if err != nil {
		return Attested{}, err
	}
	token, err := s.Verifier.Verify(ctx, &profile, p.Token.Reveal())
	if err != nil {
		return Attested{}, s.refused(ctx, err)
	}
	attributes, err := trust.Map(&profile, token.Claims)
	if err != nil {
		return Attested{}, s.refused(ctx, err)
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return Attested{}, err
	}
	person, err := newPerson(profile, rules, attributes)
	if err != nil {
		return Attested{}, s.refused(ctx, err)
	}
	if err := s.expected(ctx, env, person); err != nil {
		return Attested{}, s.refused(ctx, err)
	}
	var h handle
	if attaches {
		if h, err = s.handle(ctx, env, p.SessionToken, p.SessionJWT); err != nil {
			return Attested{}, err
		}
	}

	// Everything that may change, in one transaction that holds only SQL.
	var (
		user   countersign.User
		sess   countersign.Session
		change string
	)
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) (err error) {
		factor := countersign.Factor{
			ProfileID: profile.ID, TokenID: attributes.TokenID, KeyID: token.KeyID,
			LastAuthenticatedAt: tx.Now, CreatedAt: tx.Now, UpdatedAt: tx.Now,
		}
		joins := attaches
		if attaches {
			if sess, err = s.load(ctx, tx, env, h); err != nil {
				return err
			}
			if user, err = person.attachable(ctx, tx, env.ID, sess.UserID); err != nil {
				return err
			}
		} else {
			if user, err = person.provision(ctx, tx, env.ID); err != nil {
				return err
			}
			if sess, joins, err = s.own(ctx, tx, env, p.Present, user.ID); err != nil {
				return err
			}
		}
		if joins {
			change = "attached"
			if err := attach(ctx, tx, env.ID, &sess, factor, p); err != nil {
				return err
			}
			sess.CustomClaims, err = claimsOf(rules, sess, user)
			return err
		}
		change = ""
		minutes := p.lifetime()
		if minutes == 0 {
			return nil
		}
		change = "started"
		sess = start(env.ID, user.ID, factor, tx.Now, minutes, claims)
		if err := tx.InsertSession(ctx, env.ID, sess); err != nil {
			return err
		}
		if sess.CustomClaims, err = claimsOf(rules, sess, user); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "session.started", sess.ID.String(), map[string]any{
			"user_id": user.ID, "profile_id": profile.ID,
		})
	})
	if err != nil {
		return Attested{}, s.refused(ctx, err)
	}
	s.Metrics.Judged(accepted)
	if change == "" {
		return Attested{User: user}, nil
	}
	s.Metrics.Sessions(change, 1)
	active, err := s.activate(ctx, env, rules, sess, user, h)
	return Attested{User: user, Active: &active}, err
}

// lifetime is that of a new session in minutes; 0 if none is asked for.
func (p AttestParams) lifetime() int {
	if p.Minutes != nil {
		return *p.Minutes
	}
	return p.DefaultMinutes
}

// profile loads a profile of the environment; ErrProfileNotFound.
func (s *Service) profile(ctx context.Context, env countersign.Environment, id countersign.ProfileID) (profile countersign.Profile, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		profile, err = tx.Profile(ctx, env.ID, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = countersign.ErrProfileNotFound
	}
	return profile, err
}

// start is a new session with its first factor.
func start(env countersign.EnvironmentID, user countersign.UserID, f countersign.Factor, now time.Time, minutes int, claims countersign.Object) countersign.Session {
	sess := countersign.Session{
		ID: countersign.NewOrderedID[countersign.SessionID](env.Class(), now), UserID: user,
		StartedAt: now, LastAccessedAt: now, ExpiresAt: expiry(now, minutes),
		CustomClaims: claims, Factors: []countersign.Factor{f}, Nonce: make([]byte, nonceSize),
	}
	_, _ = rand.Read(sess.Nonce) // never fails (crypto/rand)
	return sess
}

// accepted is the metric label of a token that was not refused.
const accepted = "accepted"

// refused counts a refusal, notes it for the request's log line, and turns it
// into the error of the contract. Other errors pass through.
func (s *Service) refused(ctx context.Context, err error) error {
	refusal, ok := errors.AsType[*trust.Refusal](err)
	if !ok {
		return err
	}
	s.Metrics.Judged(string(refusal.Reason))
	line := telemetry.FromContext(ctx)
	line.Reason, line.Expected, line.Received = string(refusal.Reason), refusal.Expected, refusal.Received
	if named, ok := errors.AsType[*countersign.Error](err); ok {
		return named // who refused knew a better name than the reason alone gives
	}
	return wireError(refusal)
}
