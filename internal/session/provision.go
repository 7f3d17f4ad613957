package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// person is whom a judged token speaks of, not resolved yet.
type person struct {
	attributes countersign.Attributes
	roles      []string // that the token gives; nil if it says nothing about roles
	profile    countersign.ProfileID
	provisions bool
	rules      *standing.Rules
}

// newPerson prepares resolution, and refuses roles that do not exist. A role that
// everybody has is given to nobody.
func newPerson(profile countersign.Profile, rules *standing.Rules, a countersign.Attributes) (person, error) {
	p := person{attributes: a, profile: profile.ID, provisions: profile.CanJITProvision, rules: rules}
	if a.RoleIDs == nil {
		return p, nil
	}
	p.roles = []string{}
	for _, role := range a.RoleIDs {
		if !rbac.Defines(rules.Policy, role) {
			return person{}, &trust.Refusal{Reason: trust.RoleNotAllowed, Expected: "roles that the policy defines", Received: fmt.Sprintf("%.128q", role)}
		}
		if !rbac.Automatic(role) && !slices.Contains(p.roles, role) {
			p.roles = append(p.roles, role)
		}
	}
	return p, nil
}

// errNobody is a token whose person does not exist and may not be made.
func errNobody() error {
	return &trust.Refusal{
		Reason:   trust.SubjectUnknown,
		Expected: "the e-mail address of a user, because the profile does not provision",
		Received: "an address that no user has",
	}
}

// provision finds the person by e-mail address, or makes one if the profile may,
// and updates what a sign-in updates (product: an external ID only where there
// is none yet; the address is vouched for; a pending user becomes active).
func (p person) provision(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) (countersign.User, error) {
	user, err := tx.UserByEmail(ctx, env, p.attributes.EmailKey)
	switch {
	case errors.Is(err, store.ErrNotFound) && p.provisions:
		user, err = directory.CreateInside(ctx, tx, env, p.rules, directory.NewUser{
			Email: p.attributes.Email, EmailVerified: true, ExternalID: p.attributes.ExternalUserID,
			Roles: p.roles, Profile: p.profile,
		})
		return user, conflict(err)
	case errors.Is(err, store.ErrNotFound):
		return user, errNobody()
	case err != nil:
		return user, err
	}
	return p.update(ctx, tx, env, user)
}

// attachable is the person, who must be the session's own.
func (p person) attachable(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, owner countersign.UserID) (countersign.User, error) {
	user, err := tx.UserByEmail(ctx, env, p.attributes.EmailKey)
	if errors.Is(err, store.ErrNotFound) && !p.provisions {
		return user, errNobody()
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return user, err
	}
	if err != nil || user.ID != owner {
		return user, refusedAs(countersign.ErrUserIDMismatch, &trust.Refusal{
			Reason: trust.SubjectConflict, Expected: "a token of the session's own user", Received: "a token of somebody else",
		})
	}
	return p.update(ctx, tx, env, user)
}

func (p person) update(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.User) (countersign.User, error) {
	var changed []string
	if user.ExternalID == "" && p.attributes.ExternalUserID != "" {
		if err := directory.CheckExternalIDFree(ctx, tx, env, user.ID, p.attributes.ExternalUserID); err != nil {
			return user, conflict(err)
		}
		user.ExternalID = p.attributes.ExternalUserID
		changed = append(changed, "external_id")
	}
	vouched, err := vouch(ctx, tx, env, &user, p.attributes.EmailKey)
	if err != nil {
		return user, err
	}
	changed = append(changed, vouched...)
	user.Roles = p.rules.Roles(user.Grants)
	if p.roles != nil {
		if changed, err = directory.GiveRoles(&user, p.rules, p.profile, p.roles, changed); err != nil {
			return user, err
		}
	}
	return user, keepChanges(ctx, tx, env, user, changed)
}

// vouch notes that somebody vouched for a user and an address: the address is
// verified and a pending user becomes active. It says what changed in user.
func vouch(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user *countersign.User, emailKey string) (changed []string, err error) {
	if user.Status == countersign.UserPending {
		user.Status = countersign.UserActive
		changed = append(changed, "status")
	}
	for i := range user.Emails {
		e := &user.Emails[i]
		if e.Key != emailKey || e.Verified {
			continue
		}
		e.Verified = true
		changed = append(changed, "email_verified")
		if err := tx.VerifyEmail(ctx, env, e.ID); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// keepChanges stores a user of whom something changed.
func keepChanges(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.User, changed []string) error {
	if len(changed) == 0 {
		return nil
	}
	if err := tx.UpdateUser(ctx, env, user); err != nil {
		return err
	}
	return tx.Record(ctx, env, "user.updated", user.ID.String(), map[string]any{"changed": changed})
}

// conflict names the reason behind an external ID that somebody else has.
func conflict(err error) error {
	if !errors.Is(err, countersign.ErrDuplicateUserExternalID) {
		return err
	}
	return refusedAs(countersign.ErrDuplicateUserExternalID, &trust.Refusal{
		Reason: trust.SubjectConflict, Expected: "an external ID that is free or the user's own", Received: "one that another user has",
	})
}
