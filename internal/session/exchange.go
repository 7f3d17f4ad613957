package session

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/store"
)

// ExchangeParams asks to take a member's session into another organization.
type ExchangeParams struct {
	Environment  countersign.Environment
	Actor        countersign.Actor
	Organization string             // ID, external ID or slug
	SessionToken countersign.Bearer // exactly one of the two
	SessionJWT   countersign.Bearer // its exp does not matter
	Minutes      int                // the new session's lifetime
	MaxMinutes   int                // bounds Minutes; 0: only as all lifetimes are
	CustomClaims countersign.Object
}

// Exchange starts a session of the member whom another organization knows by the
// address of a session's member; that session stays as it is. The address must be
// verified where the session is: an organization may write any into its members.
// Factors are taken along whose profile could have signed the member in there.
//
// Errors: as Authenticate, those of directory.FindOrganization,
// ErrMemberNotInOrganization and ErrInsufficientFactorsForExchange.
func (s *Service) Exchange(ctx context.Context, p ExchangeParams) (Active, error) {
	env := p.Environment
	switch {
	case p.SessionToken == "" && p.SessionJWT == "":
		return Active{}, countersign.ErrNoSessionArguments
	case p.SessionToken != "" && p.SessionJWT != "":
		return Active{}, countersign.ErrTooManySessionArguments
	}
	if err := checkMinutes(&p.Minutes, p.MaxMinutes); err != nil {
		return Active{}, err
	}
	claims, err := mergeClaims(nil, p.CustomClaims)
	if err != nil {
		return Active{}, err
	}
	h, err := s.handle(ctx, env, p.SessionToken, p.SessionJWT)
	if err != nil {
		return Active{}, err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return Active{}, err
	}
	from, _, err := s.alive(ctx, env, rules, h)
	if err != nil {
		return Active{}, err
	}
	profiles, err := s.profilesOf(ctx, env, from.Factors)
	if err != nil {
		return Active{}, err
	}
	var who countersign.Person
	var sess countersign.Session
	err = s.Store.Update(ctx, p.Actor, func(tx *store.Tx) error {
		if from, err = s.load(ctx, tx, env, rules, h); err != nil {
			return err
		}
		member, err := tx.Person(ctx, env.ID, from.PersonID)
		if errors.Is(err, store.ErrNotFound) {
			return countersign.ErrSessionNotFound
		}
		if err != nil {
			return err
		}
		target, err := directory.FindOrganization(ctx, tx, env.ID, p.Organization)
		if err != nil {
			return err
		}
		factors := carried(from.Factors, profiles, target.ID)
		address := member.Email()
		if len(factors) == 0 || !address.Verified {
			return countersign.ErrInsufficientFactorsForExchange
		}
		t := countersign.Tenant{EnvironmentID: env.ID, OrganizationID: target.ID}
		who, err = tx.PersonByEmail(ctx, t, address.Key)
		if errors.Is(err, store.ErrNotFound) || err == nil && directory.Retired(who, address.Key) {
			return countersign.ErrMemberNotInOrganization
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
		sess = start(env.ID, who.ID, factors[0], tx.Now, p.Minutes, claims)
		sess.Factors = factors
		if err := tx.InsertSession(ctx, env.ID, sess); err != nil {
			return err
		}
		if sess.CustomClaims, err = claimsOf(rules, sess, who); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "session.exchanged", sess.ID.String(), map[string]any{
			"member_id": who.ID, "from_session_id": from.ID, "from_member_id": member.ID,
		})
	})
	if err != nil {
		return Active{}, err
	}
	s.Metrics.Sessions("exchanged", 1)
	return s.activate(ctx, env, rules, sess, who, handle{})
}

// profilesOf are the profiles that vouched for factors, as far as they are there.
func (s *Service) profilesOf(ctx context.Context, env countersign.Environment, factors []countersign.Factor) (map[countersign.ProfileID]*countersign.Profile, error) {
	found := map[countersign.ProfileID]*countersign.Profile{}
	for _, f := range factors {
		if f.Imported() {
			continue
		}
		profile, err := s.Rules.Profile(ctx, env, f.ProfileID)
		if err != nil && !errors.Is(err, countersign.ErrProfileNotFound) {
			return nil, err
		}
		found[f.ProfileID] = profile
	}
	return found, nil
}

// carried are the factors that an organization takes: those that came with a
// migrated session, and of a profile that is pinned to no other organization,
// enforced, and may find people by address.
func carried(factors []countersign.Factor, profiles map[countersign.ProfileID]*countersign.Profile, to countersign.OrganizationID) []countersign.Factor {
	return slices.DeleteFunc(slices.Clone(factors), func(f countersign.Factor) bool {
		profile := profiles[f.ProfileID]
		if f.Imported() || profile == nil {
			return !f.Imported()
		}
		policy := profile.Policy
		elsewhere := policy.OrganizationID != "" && policy.OrganizationID != to.String()
		return elsewhere || policy.Mode != countersign.ModeEnforce || policy.EmailTrust == countersign.EmailTrustNever
	})
}
