package session

import (
	"context"
	"crypto/sha256"
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
	brought
	rules *standing.Rules
}

// resolved is whom a token speaks of, and what a sign-in is to change. Nothing of
// it is written yet.
type resolved struct {
	user    countersign.Person // the zero one if it is to be made
	exists  bool
	roles   []string // that the token gives; nil if they are to stay
	address bool     // the token's address is to be added to the user's
	link    bool     // the subject is to be linked to the user
}

// resolve finds the person (product §5): by the link of the policy's subject
// claim, else by e-mail address, if the policy lets the issuer find people by it.
// It writes nothing. The error is a *trust.Refusal, by itself or behind an error
// of the contract, or the store's. owner, unless it is zero, is who it must be.
func (p person) resolve(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, owner countersign.PersonID) (r resolved, err error) {
	if r, err = p.find(ctx, tx, env); err != nil {
		return r, err
	}
	if !owner.IsZero() && r.user.ID != owner {
		if r.exists || p.profile.CanJITProvision {
			return r, errOtherUser()
		}
		return r, errNobody()
	}
	if !r.exists {
		if err := p.mayProvision(ctx, tx, env); err != nil {
			return r, err
		}
	}
	if taken := p.externalID(r); taken != "" {
		if err := directory.CheckExternalIDFree(ctx, tx, env, r.user.ID, taken); err != nil {
			return r, conflict(err)
		}
	}
	r.roles, err = p.givenRoles(r)
	return r, err
}

// find looks for the person.
func (p person) find(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) (r resolved, err error) {
	subject := p.attributes.Subject
	if subject != "" {
		linked, err := tx.LinkedPerson(ctx, env, p.profile.ID, subject)
		if err != nil {
			return r, err
		}
		if !linked.IsZero() {
			if r.user, err = tx.Person(ctx, env, linked); errors.Is(err, store.ErrNotFound) { // deleted since the statement before
				return r, errNobody()
			}
			if err != nil {
				return r, err
			}
			r.exists = true
			return p.findAddress(ctx, tx, env, r)
		}
		r.link = true
	}
	holder, err := tx.PersonByEmail(ctx, env, p.attributes.EmailKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, nil
	case err != nil:
		return r, err
	case p.profile.Policy.EmailTrust == countersign.EmailTrustNever:
		return r, trust.Refuse(trust.SubjectConflict, "an e-mail address that nobody has, because email_trust is never_link", "the address of a user whom this issuer did not bring")
	}
	if subject != "" {
		// An address that the issuer gives to somebody else does not take the first
		// owner's account along.
		linked, err := tx.Linked(ctx, env, p.profile.ID, holder.ID)
		if err != nil {
			return r, err
		}
		if linked {
			return r, trust.Refuse(trust.SubjectConflict, "an e-mail address of nobody whom this issuer knows by another subject", "the address of such a user")
		}
	}
	r.user, r.exists = holder, true
	return r, nil
}

// findAddress says whether the address of somebody found by link is to be added.
func (p person) findAddress(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, r resolved) (resolved, error) {
	has := func(e countersign.Email) bool { return e.Key == p.attributes.EmailKey }
	if slices.ContainsFunc(r.user.Emails, has) || !p.updates(countersign.AttributeEmail, len(r.user.Emails) == 0) {
		return r, nil
	}
	_, err := tx.PersonByEmail(ctx, env, p.attributes.EmailKey)
	if errors.Is(err, store.ErrNotFound) {
		r.address = true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r, trust.Refuse(trust.SubjectConflict, "an e-mail address that is free or the user's own", "one that another user has")
}

// updates reports whether a sign-in changes an attribute of somebody who exists.
func (p person) updates(attribute string, empty bool) bool {
	when := p.profile.Policy.Updates(attribute)
	return when == countersign.UpdateAlways || when == countersign.UpdateIfEmpty && empty
}

// externalID is the one that the user is to have after the sign-in and has not
// yet, or "".
func (p person) externalID(r resolved) string {
	id := p.attributes.ExternalUserID
	if id == r.user.ExternalID || r.exists && !p.updates(countersign.AttributeExternalUserID, r.user.ExternalID == "") {
		return ""
	}
	return id
}

// givenRoles are the roles that the token gives, and refuses those that it may
// not. A role that everybody has is given to nobody.
func (p person) givenRoles(r resolved) ([]string, error) {
	if p.attributes.RoleIDs == nil {
		return nil, nil
	}
	allowed := p.profile.Policy.RoleIDsAllowed
	roles := []string{}
	for _, role := range p.attributes.RoleIDs {
		switch {
		case !rbac.Defines(p.rules.Policy, role):
			return nil, trust.Refuse(trust.RoleNotAllowed, "roles that the policy defines", fmt.Sprintf("%.128q", role))
		case allowed != nil && !rbac.Automatic(role) && !slices.Contains(allowed, role):
			return nil, trust.Refuse(trust.RoleNotAllowed, fmt.Sprintf("roles out of the profile's role_ids_allowed, %q", allowed), fmt.Sprintf("%.128q", role))
		case !rbac.Automatic(role) && !slices.Contains(roles, role):
			roles = append(roles, role)
		}
	}
	byProfile := func(g countersign.Grant) bool { return slices.Contains(g.Profiles, p.profile.ID) }
	if r.exists && !p.updates(countersign.AttributeRoleIDs, !slices.ContainsFunc(r.user.Grants, byProfile)) {
		return nil, nil
	}
	return roles, nil
}

// mayProvision refuses a person who does not exist and may not be made.
func (p person) mayProvision(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) error {
	policy := p.profile.Policy
	switch {
	case !p.profile.CanJITProvision:
		return errNobody()
	case policy.JITDomains != nil && !trust.InDomains(policy.JITDomains, p.attributes.EmailKey):
		return trust.Refuse(trust.JITDomainNotAllowed, fmt.Sprintf("for somebody new, an address in %q", policy.JITDomains), "an address elsewhere")
	case policy.JITPerHour == 0:
		return nil
	}
	made, err := tx.Provisioned(ctx, env, p.profile.ID)
	if err == nil && made >= policy.JITPerHour {
		err = trust.Refuse(trust.JITLimitReached, fmt.Sprintf("at most %d new people in a clock hour", policy.JITPerHour), "one more")
	}
	return err
}

// errNobody is a token whose person does not exist and may not be made.
func errNobody() error {
	return trust.Refuse(trust.SubjectUnknown, "the e-mail address of a user, because the profile does not provision", "an address that no user has")
}

// errOtherUser is a token for a session of somebody else.
func errOtherUser() error {
	return refusedAs(countersign.ErrUserIDMismatch, trust.Refuse(trust.SessionMismatch, "a token of the session's own user", "a token of somebody else"))
}

// signIn uses up a one-time token, finds or makes the person, and updates what a
// sign-in updates. owner, unless it is zero, is who it must be.
func (p person) signIn(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, owner countersign.PersonID) (countersign.Person, error) {
	if err := p.use(ctx, tx, env); err != nil {
		return countersign.Person{}, err
	}
	r, err := p.resolve(ctx, tx, env, owner)
	if err != nil {
		return r.user, err
	}
	var user countersign.Person
	if r.exists {
		user, err = p.update(ctx, tx, env, r)
	} else {
		user, err = p.provision(ctx, tx, env, r)
	}
	if err == nil && r.link {
		err = tx.InsertLink(ctx, env, p.profile.ID, p.attributes.Subject, user.ID)
		if err == nil {
			err = tx.Record(ctx, env, "user.linked", user.ID.String(), map[string]any{"profile_id": p.profile.ID})
		}
	}
	return user, err
}

// use uses up the token, if the profile's tokens are for one time.
func (p person) use(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) error {
	if !p.profile.Policy.OneTimeTokens {
		return nil
	}
	until := p.token.ExpiresAt().Add(p.profile.Policy.ClockSkew.Duration())
	fresh, err := tx.UseToken(ctx, env, p.profile.ID, p.tokenHash(), until)
	if err == nil && !fresh {
		err = errUsed()
	}
	return err
}

// tokenHash stands for the token's ID in the ledger of those that were used.
func (p person) tokenHash() []byte {
	hash := sha256.Sum256([]byte(p.attributes.TokenID))
	return hash[:]
}

func errUsed() error {
	return trust.Refuse(trust.AlreadyUsed, "a token that was not used before, because one_time_tokens is set", "one whose token_id was used")
}

func (p person) provision(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, r resolved) (countersign.Person, error) {
	if p.profile.Policy.JITPerHour > 0 {
		if err := tx.CountProvisioning(ctx, env, p.profile.ID); err != nil {
			return r.user, err
		}
	}
	return directory.CreateInside(ctx, tx, env, p.rules, directory.NewPerson{
		Email: p.attributes.Email, EmailVerified: true, ExternalID: p.externalID(r),
		Roles: r.roles, Profile: p.profile.ID,
	})
}

func (p person) update(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, r resolved) (countersign.Person, error) {
	user := r.user
	var changed []string
	if id := p.externalID(r); id != "" {
		user.ExternalID = id
		changed = append(changed, "external_id")
	}
	if r.address {
		if err := directory.AddEmail(ctx, tx, env, &user, p.attributes.Email); err != nil {
			return user, err
		}
		changed = append(changed, "emails")
	}
	vouched, err := vouch(ctx, tx, env, &user, p.attributes.EmailKey)
	if err != nil {
		return user, err
	}
	changed = append(changed, vouched...)
	user.Roles = p.rules.Roles(user.Grants)
	if r.roles != nil {
		if changed, err = directory.GiveRoles(&user, p.rules, p.profile.ID, r.roles, changed); err != nil {
			return user, err
		}
	}
	return user, keepChanges(ctx, tx, env, user, changed)
}

// vouch notes that somebody vouched for a user and an address: the address is
// verified and a pending user becomes active. It says what changed in user.
func vouch(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user *countersign.Person, emailKey string) (changed []string, err error) {
	if user.Status == countersign.Pending {
		user.Status = countersign.Active
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
func keepChanges(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.Person, changed []string) error {
	if len(changed) == 0 {
		return nil
	}
	if err := tx.UpdatePerson(ctx, env, user); err != nil {
		return err
	}
	return tx.Record(ctx, env, "user.updated", user.ID.String(), map[string]any{"changed": changed})
}

// conflict names the reason behind an external ID that somebody else has.
func conflict(err error) error {
	if !errors.Is(err, countersign.ErrDuplicateUserExternalID) {
		return err
	}
	return refusedAs(countersign.ErrDuplicateUserExternalID,
		trust.Refuse(trust.SubjectConflict, "an external ID that is free or the user's own", "one that another user has"))
}
