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
	// Confirm, if it is not nil, reads Environment afresh, which until then is good
	// for refusing the token and for nothing else.
	Confirm   func(context.Context) (countersign.Environment, error)
	ProfileID countersign.ProfileID
	Token     countersign.Bearer // the issuer's JWT
	// Organization is the ID, external ID or slug of the one that a member is to be
	// signed in to, which need not be given if the token or the profile says it.
	Organization string
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
	Person countersign.Person
	Active *Active
}

// Attest judges a subject token, finds or provisions the person, and starts a
// session or adds a factor to one. Nothing changes unless all of it succeeds, but
// that a verdict is kept. A refused token is an *Error of the contract with a
// *trust.Refusal behind it.
func (s *Service) Attest(ctx context.Context, p AttestParams) (Attested, error) {
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
	if p.Confirm != nil {
		if err := s.refuseUnread(ctx, p); err != nil {
			return Attested{}, err
		}
		if p.Environment, err = p.Confirm(ctx); err != nil {
			return Attested{}, err
		}
	}
	profile, err := s.Rules.Profile(ctx, p.Environment, p.ProfileID)
	if err != nil {
		return Attested{}, err
	}
	// Judge: cheap refusals, then keys, then the signature, then the mapping.
	brought, err := s.judge(ctx, p.Environment, profile, p.Token)
	if err != nil {
		return Attested{}, s.conclude(ctx, p, brought, countersign.Person{}, err)
	}
	brought.organization = p.Organization
	if profile.Policy.Mode == countersign.ModeShadow {
		return Attested{}, s.shadow(ctx, p, brought)
	}
	attested, err := s.exchange(ctx, p, brought, claims)
	if err = s.conclude(ctx, p, brought, attested.Person, err); err != nil {
		return Attested{}, err
	}
	return attested, nil
}

// refuseUnread is the refusal of a token that is refused by what is in memory; nil
// says nothing of the token.
func (s *Service) refuseUnread(ctx context.Context, p AttestParams) error {
	profile, kept := s.Rules.KeptProfile(p.Environment, p.ProfileID)
	if !kept {
		return nil
	}
	brought, err := s.judge(ctx, p.Environment, profile, p.Token)
	if err == nil {
		return nil
	}
	return s.conclude(ctx, p, brought, countersign.Person{}, err)
}

// brought is a token with what its profile makes of it.
type brought struct {
	env        countersign.Environment
	profile    *countersign.Profile
	token      trust.Token
	attributes countersign.Attributes
	// organization is what the caller names beside the token, or "".
	organization string
}

// judge is every step that needs no database. What it could read by then is there
// even if it refuses.
func (s *Service) judge(ctx context.Context, env countersign.Environment, profile *countersign.Profile, token countersign.Bearer) (b brought, err error) {
	b.env, b.profile = env, profile
	if b.token, err = s.Verifier.Verify(ctx, profile, token.Reveal()); err != nil {
		return b, err
	}
	return b, s.attribute(&b)
}

// attribute finds the attributes of a token that was believed.
func (s *Service) attribute(b *brought) (err error) {
	if b.attributes, err = s.Verifier.Map(b.profile, b.token, b.env.Vertical); err != nil {
		return err
	}
	return trust.JudgeEmail(b.profile, b.token.Claims, b.attributes)
}

// exchange is what may change, in one transaction that holds only SQL, and the
// answer. User is whom the token speaks of even if it is refused, the zero user if
// that is not known.
func (s *Service) exchange(ctx context.Context, p AttestParams, b brought, claims countersign.Object) (Attested, error) {
	env := p.Environment
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return Attested{}, err
	}
	var h handle
	attaches := p.SessionToken != "" || p.SessionJWT != ""
	if attaches {
		if h, err = s.handle(ctx, env, p.SessionToken, p.SessionJWT); err != nil {
			return Attested{}, err
		}
	} else if expected, err := s.expected(ctx, b); err != nil {
		return Attested{Person: expected}, err
	}
	var (
		who    countersign.Person
		sess   countersign.Session
		change string
	)
	person := person{brought: b, rules: rules}
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) (err error) {
		factor := countersign.Factor{
			ProfileID: b.profile.ID, TokenID: b.attributes.TokenID, KeyID: b.token.KeyID,
			LastAuthenticatedAt: tx.Now, CreatedAt: tx.Now, UpdatedAt: tx.Now,
		}
		var owner countersign.PersonID // of the session that the factor joins
		if attaches {
			if sess, err = s.load(ctx, tx, env, rules, h); err != nil {
				return err
			}
			owner = sess.PersonID
		}
		if who, err = person.signIn(ctx, tx, owner); err != nil {
			return err
		}
		joins := attaches
		if !attaches {
			if sess, joins, err = s.own(ctx, tx, env, rules, p.Present, who.ID); err != nil {
				return err
			}
		}
		minutes := lifetime(p.Minutes, p.DefaultMinutes)
		switch {
		case joins:
			change = "attached"
			if err := attach(ctx, tx, &sess, factor, p); err != nil {
				return err
			}
			sess.CustomClaims, err = claimsOf(rules, sess, who)
			return err
		case minutes == 0:
			change = ""
			return nil
		}
		change = "started"
		sess = start(env.ID, who.ID, factor, tx.Now, minutes, claims)
		if err := tx.InsertSession(ctx, env.ID, sess); err != nil {
			return err
		}
		if sess.CustomClaims, err = claimsOf(rules, sess, who); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "session.started", sess.ID.String(), map[string]any{
			env.Vertical.Terms().IDField: who.ID, "profile_id": b.profile.ID,
		})
	})
	if err != nil {
		return Attested{Person: who}, err
	}
	if change == "" {
		return Attested{Person: who}, nil
	}
	s.Metrics.Sessions(change, 1)
	active, err := s.activate(ctx, env, rules, sess, who, h)
	return Attested{Person: who, Active: &active}, err
}

// shadow is the end of a token that a profile only tries out: it is held against
// what the database knows, and refused whatever comes of it.
func (s *Service) shadow(ctx context.Context, p AttestParams, b brought) error {
	r, err := s.foresee(ctx, b)
	if err = s.conclude(ctx, p, b, r.person, err); err == nil {
		err = countersign.ErrInvalidTrustedAuthToken.Saying("The profile is in shadow mode: this token would have been accepted, and nobody is signed in by it.")
	}
	return err
}

// start is a new session with its first factor.
func start(env countersign.EnvironmentID, user countersign.PersonID, f countersign.Factor, now time.Time, minutes int, claims countersign.Object) countersign.Session {
	sess := countersign.Session{
		ID: countersign.NewOrderedID[countersign.SessionID](env.Class(), now), PersonID: user,
		StartedAt: now, LastAccessedAt: now, ExpiresAt: expiry(now, minutes),
		CustomClaims: claims, Factors: []countersign.Factor{f}, Nonce: make([]byte, nonceSize),
	}
	_, _ = rand.Read(sess.Nonce) // never fails (crypto/rand)
	return sess
}

// conclude keeps the verdict on a token, counts it, notes a refusal for the
// request's log line and turns it into the error of the contract. An error that is
// no refusal passes through, and there is no verdict: the token was not what was
// wrong.
func (s *Service) conclude(ctx context.Context, p AttestParams, b brought, user countersign.Person, err error) error {
	refusal, refused := errors.AsType[*trust.Refusal](err)
	if err != nil && !refused {
		return err
	}
	line := telemetry.FromContext(ctx)
	v := countersign.Verdict{
		EnvironmentID: p.Environment.ID, RequestID: p.Actor.RequestID, At: s.Now(), ProfileID: b.profile.ID, PersonID: user.ID,
		Shadow: b.profile.Policy.Mode == countersign.ModeShadow, Address: line.RemoteAddress, Facts: b.token.Facts(),
	}
	label := countersign.VerdictAccepted
	if refused {
		label = string(refusal.Reason)
		v.Reason, v.Step, v.Expected, v.Received = string(refusal.Reason), string(refusal.Step), refusal.Expected, refusal.Received
		line.Reason, line.Expected, line.Received = v.Reason, v.Expected, v.Received
	}
	s.Verdicts.Record(v)
	s.Metrics.Judged(label)
	if !refused {
		return nil
	}
	if named, ok := errors.AsType[*countersign.Error](err); ok {
		return named // who refused knew a better name than the reason alone gives
	}
	return wireError(p.Environment.Vertical, refusal)
}
