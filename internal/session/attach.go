package session

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// own is the session that a token names, if it is alive and the person's own.
func (s *Service) own(ctx context.Context, tx *store.Tx, env countersign.Environment, rules *standing.Rules, token countersign.Bearer, user countersign.PersonID) (sess countersign.Session, own bool, err error) {
	if token == "" {
		return sess, false, nil
	}
	h, err := s.handle(ctx, env, token, "")
	if err == nil {
		sess, err = s.load(ctx, tx, env, rules, h)
	}
	if errors.Is(err, countersign.ErrSessionNotFound) {
		return sess, false, nil
	}
	return sess, sess.PersonID == user, err
}

// attach adds a factor to a session of the same person, and stores it.
func attach(ctx context.Context, tx *store.Tx, sess *countersign.Session, f countersign.Factor, p AttestParams) error {
	claims, err := mergeClaims(sess.CustomClaims, p.CustomClaims)
	if err != nil {
		return err
	}
	sess.CustomClaims = claims
	sess.Factors = withFactor(sess.Factors, f)
	sess.LastAccessedAt = tx.Now
	if p.Minutes != nil {
		sess.ExpiresAt = expiry(tx.Now, *p.Minutes)
	}
	if err := tx.UpdateSession(ctx, p.Environment.ID, *sess); err != nil {
		return err
	}
	return tx.Record(ctx, p.Environment.ID, "session.attached", sess.ID.String(), map[string]any{
		p.Environment.Vertical.Terms().IDField: sess.PersonID, "profile_id": f.ProfileID,
	})
}

// withFactor appends a factor; the same profile and token ID again moves that
// factor's times instead. Of MaxFactors and one more, the oldest of the same
// profile gives way, or the oldest of all if the profile has none.
func withFactor(factors []countersign.Factor, f countersign.Factor) []countersign.Factor {
	factors = slices.Clone(factors)
	for i := range factors {
		if old := &factors[i]; old.ProfileID == f.ProfileID && old.TokenID == f.TokenID {
			old.LastAuthenticatedAt, old.UpdatedAt, old.KeyID = f.LastAuthenticatedAt, f.UpdatedAt, f.KeyID
			return factors
		}
	}
	if len(factors) >= countersign.MaxFactors {
		oldest := max(0, slices.IndexFunc(factors, func(o countersign.Factor) bool { return o.ProfileID == f.ProfileID }))
		factors = slices.Delete(factors, oldest, oldest+1)
	}
	return append(factors, f)
}
