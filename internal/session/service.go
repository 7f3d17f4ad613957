// Package session is the heart: it turns a judged subject token into a session,
// or into a further factor of one, and checks, extends and ends sessions. It
// refuses to know HTTP and the shapes of the wire.
package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/telemetry"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// Config is what a Service needs. Every field is required.
type Config struct {
	Store    *store.Store
	Verifier *trust.Verifier
	Keyring  *signing.Keyring
	Keyset   *signing.Keyset
	Rules    *standing.Book
	Userinfo *trust.Userinfo
	Verdicts *verdict.Book
	Metrics  *telemetry.Metrics
	Logger   *slog.Logger
	Now      func() time.Time
}

// Service is the only thing that makes, changes and ends sessions.
type Service struct {
	Config
	signatures signatureCache
}

// New is a Service.
func New(c Config) *Service { return &Service{Config: c} }

// Active is a session that has just been made or checked, with the two things
// that stand for it. Person is whose it is.
type Active struct {
	Session countersign.Session
	Person  countersign.Person
	Token   countersign.Bearer // the same for as long as the session lives
	JWT     countersign.Bearer
}

// activate adds the token and the JWT to a session, whose custom claims are by
// then those that it has now. The token that h came with, checked by then, is
// the session's own and is not made again.
func (s *Service) activate(ctx context.Context, env countersign.Environment, rules *standing.Rules, sess countersign.Session, user countersign.Person, h handle) (_ Active, err error) {
	var token countersign.Bearer
	if h.token != nil {
		token = h.token.text
	} else if token, err = s.tokenOf(env, sess); err != nil {
		return Active{}, err
	}
	jwt, err := s.mint(ctx, env, rules, sess, user)
	return Active{Session: sess, Person: user, Token: token, JWT: jwt}, err
}

// handle is how a caller names a session: by token or by JWT.
type handle struct {
	id    countersign.SessionID
	token *opaque // to be checked against the session's row; nil if a JWT's signature vouched
}

// handle reads a session token or a session JWT, of which exactly one is given.
// Errors: ErrSessionNotFound for a token that can be none of ours,
// ErrUnableToParseSessionJWT.
func (s *Service) handle(ctx context.Context, env countersign.Environment, token, jwt countersign.Bearer) (handle, error) {
	if jwt == "" {
		parsed, err := parseToken(env.ID, token)
		if err != nil {
			return handle{}, countersign.ErrSessionNotFound.Because(err)
		}
		return handle{id: parsed.id, token: &parsed}, nil
	}
	payload, err := s.Keyring.Verify(ctx, env.ID, jwt)
	if errors.Is(err, signing.ErrNotOurs) {
		return handle{}, countersign.ErrUnableToParseSessionJWT.Because(err)
	}
	if err != nil {
		return handle{}, err
	}
	id, err := sessionOf(env.ID, payload)
	if err != nil {
		return handle{}, countersign.ErrUnableToParseSessionJWT.Because(err)
	}
	return handle{id: id}, nil
}

// load reads the session that a handle names, and checks the token.
// ErrSessionNotFound if it is gone, expired, ended by a revocation, or the token
// is not its own.
func (s *Service) load(ctx context.Context, tx *store.Tx, env countersign.Environment, rules *standing.Rules, h handle) (countersign.Session, error) {
	sess, err := tx.Session(ctx, env.ID, h.id)
	if errors.Is(err, store.ErrNotFound) || err == nil && rules.Ended(sess) {
		return countersign.Session{}, countersign.ErrSessionNotFound
	}
	if err != nil || h.token == nil {
		return sess, err
	}
	if err := s.checkToken(env, sess, *h.token); err != nil {
		return countersign.Session{}, err
	}
	return sess, nil
}

// checkMinutes refuses a duration out of bounds, and one of more than most unless
// that is 0; nil says nothing about duration.
func checkMinutes(minutes *int, most int) error {
	switch {
	case minutes == nil:
		return nil
	case *minutes < countersign.MinSessionMinutes || *minutes > countersign.MaxSessionMinutes:
		return countersign.ErrInvalidSessionDurationMinutes
	case most > 0 && *minutes > most:
		return countersign.ErrInvalidSessionDuration
	}
	return nil
}

// lifetime is that of a new session in minutes; 0 if there is none by default.
func lifetime(minutes *int, byDefault int) int {
	if minutes != nil {
		return *minutes
	}
	return byDefault
}

func expiry(now time.Time, minutes int) time.Time {
	return now.Add(time.Duration(minutes) * time.Minute)
}
