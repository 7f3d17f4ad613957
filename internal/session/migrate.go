package session

import (
	"context"
	"errors"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/store"
)

// MigrateParams asks to continue a session of another provider.
type MigrateParams struct {
	Environment  countersign.Environment
	Actor        countersign.Actor
	Token        countersign.Bearer // the other provider's
	Organization string             // the ID, external ID or slug of the member's; "" for a user
	Minutes      *int               // the new session's lifetime
	// DefaultMinutes is the lifetime if Minutes is nil; 0: then there is no session.
	DefaultMinutes int
	CustomClaims   countersign.Object
}

// Migrate asks the environment's userinfo endpoint whom a token of another
// provider belongs to, and starts a session for that person, who must exist.
// Errors: ErrMigrateMissingUserinfo, ErrMigrateUnexpectedResponse,
// ErrMigrateEmailDoesNotExist, and those of durations, claims and
// directory.FindOrganization.
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
	minutes := lifetime(p.Minutes, p.DefaultMinutes)
	var who countersign.Person
	var sess countersign.Session
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) (err error) {
		t := countersign.Tenant{EnvironmentID: env.ID}
		if p.Organization != "" {
			o, err := directory.FindOrganization(ctx, tx, env.ID, p.Organization)
			if err != nil {
				return err
			}
			t.OrganizationID = o.ID
		}
		who, err = tx.PersonByEmail(ctx, t, address.Key)
		if errors.Is(err, store.ErrNotFound) || err == nil && directory.Retired(who, address.Key) {
			return countersign.ErrMigrateEmailDoesNotExist
		}
		if err != nil {
			return err
		}
		changed, err := vouch(ctx, tx, env.ID, &who, address.Key)
		if err != nil {
			return err
		}
		if err := directory.Keep(ctx, tx, env.ID, &who, changed); err != nil {
			return err
		}
		rules.For(who.Organization).Settle(&who)
		if minutes == 0 {
			return nil
		}
		imported := countersign.Factor{LastAuthenticatedAt: tx.Now, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		sess = start(env.ID, who.ID, imported, tx.Now, minutes, claims)
		if err := tx.InsertSession(ctx, env.ID, sess); err != nil {
			return err
		}
		if sess.CustomClaims, err = claimsOf(rules, sess, who); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "session.migrated", sess.ID.String(), map[string]any{env.Vertical.Terms().IDField: who.ID})
	})
	if err != nil || minutes == 0 {
		return Attested{Person: who}, err
	}
	s.Metrics.Sessions("migrated", 1)
	active, err := s.activate(ctx, env, rules, sess, who, handle{})
	return Attested{Person: who, Active: &active}, err
}
