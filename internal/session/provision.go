package session

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// person is whom a judged token speaks of, not resolved yet.
type person struct {
	attributes countersign.Attributes
	provisions bool
}

// newPerson prepares resolution, and refuses roles that do not exist.
func newPerson(profile countersign.Profile, a countersign.Attributes) (person, error) {
	for _, role := range a.RoleIDs {
		if !rbac.Defines(countersign.DefaultPolicy(), role) {
			return person{}, &trust.Refusal{Reason: trust.RoleNotAllowed, Expected: "a role that the policy defines", Received: "another one"}
		}
	}
	return person{attributes: a, provisions: profile.CanJITProvision}, nil
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
		user, err = directory.CreateInside(ctx, tx, env, directory.NewUser{
			Email: p.attributes.Email, EmailVerified: true, ExternalID: p.attributes.ExternalUserID,
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
	changes := map[string]any{}
	if user.ExternalID == "" && p.attributes.ExternalUserID != "" {
		if err := directory.CheckExternalIDFree(ctx, tx, env, user.ID, p.attributes.ExternalUserID); err != nil {
			return user, conflict(err)
		}
		user.ExternalID = p.attributes.ExternalUserID
		changes["external_id"] = user.ExternalID
	}
	if user.Status == countersign.UserPending {
		user.Status = countersign.UserActive
		changes["status"] = user.Status
	}
	for i := range user.Emails {
		e := &user.Emails[i]
		if e.Key != p.attributes.EmailKey || e.Verified {
			continue
		}
		e.Verified = true
		changes["verified"] = e.ID
		if err := tx.VerifyEmail(ctx, env, e.ID); err != nil {
			return user, err
		}
	}
	if len(changes) == 0 {
		return user, nil
	}
	if err := tx.UpdateUser(ctx, env, user); err != nil {
		return user, err
	}
	return user, tx.Record(ctx, env, "user.updated", user.ID.String(), changes)
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
