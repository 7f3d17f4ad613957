package session

import (
	"context"
	"errors"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// MigrateParams asks to continue a session of another provider.
type MigrateParams struct {
	Environment  countersign.Environment
	Actor        countersign.Actor
	Token        countersign.Bearer // the other provider's
	Minutes      *int               // the new session's lifetime; nil: no session
	CustomClaims countersign.Object
}

// Migrate asks the environment's userinfo endpoint whom a token of another
// provider belongs to, and starts a session for that user, who must exist.
// Errors: ErrMigrateMissingUserinfo, ErrMigrateUnexpectedResponse,
// ErrMigrateEmailDoesNotExist, and those of durations and claims.
func (s *Service) Migrate(ctx context.Context, p MigrateParams) (Attested, error) {
	env := p.Environment
	if err := checkMinutes(p.Minutes, 0); err != nil {
		return Attested{}, err
	}
	claims, err := mergeClaims(nil, p.CustomClaims)
	if err != nil {
		return Attested{}, err
	}
	if env.Settings.ZeroDowntimeSessionMigrationURL == "" {
		return Attested{}, countersign.ErrMigrateMissingUserinfo
	}
	if strings.ContainsFunc(p.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) { // RFC 6750 §2.1
		return Attested{}, countersign.ErrBadRequest.Saying("session_token is not a bearer token.")
	}
	address, err := s.Userinfo.Email(ctx, env.Settings.ZeroDowntimeSessionMigrationURL, p.Token)
	if err != nil {
		return Attested{}, countersign.ErrMigrateUnexpectedResponse.Saying("Reason: %v.", err).Because(err)
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return Attested{}, err
	}
	var user countersign.Person
	var sess countersign.Session
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) (err error) {
		user, err = tx.PersonByEmail(ctx, env.ID, address.Key)
		if errors.Is(err, store.ErrNotFound) {
			return countersign.ErrMigrateEmailDoesNotExist
		}
		if err != nil {
			return err
		}
		changed, err := vouch(ctx, tx, env.ID, &user, address.Key)
		if err != nil {
			return err
		}
		if err := keepChanges(ctx, tx, env.ID, user, changed); err != nil {
			return err
		}
		user.Roles = rules.Roles(user.Grants)
		if p.Minutes == nil {
			return nil
		}
		imported := countersign.Factor{LastAuthenticatedAt: tx.Now, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		sess = start(env.ID, user.ID, imported, tx.Now, *p.Minutes, claims)
		if err := tx.InsertSession(ctx, env.ID, sess); err != nil {
			return err
		}
		if sess.CustomClaims, err = claimsOf(rules, sess, user); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "session.migrated", sess.ID.String(), map[string]any{"user_id": user.ID})
	})
	if err != nil || p.Minutes == nil {
		return Attested{Person: user}, err
	}
	s.Metrics.Sessions("migrated", 1)
	active, err := s.activate(ctx, env, rules, sess, user, handle{})
	return Attested{Person: user, Active: &active}, err
}
