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
	home
	person  countersign.Person // nobody if they are to be made
	exists  bool
	roles   []string // that the token gives; nil if they are to stay
	address bool     // the token's address is to be added to the person's
	link    bool     // the subject is to be linked to the person
}

// resolve finds the person (product §5): by the link of the policy's subject
// claim, else by e-mail address, if the policy lets the issuer find people by it; a
// member within the organization that the token is for. It writes nothing. The
// error is a *trust.Refusal, by itself or behind an error of the contract, or the
// store's. owner, unless it is zero, is who it must be.
func (p person) resolve(ctx context.Context, tx *store.Tx, owner countersign.PersonID) (r resolved, err error) {
	if r.home, err = p.findHome(ctx, tx, owner); err != nil {
		return r, err
	}
	if r, err = p.find(ctx, tx, r); err != nil {
		return r, err
	}
	if !owner.IsZero() && r.person.ID != owner {
		if r.exists || p.profile.CanJITProvision {
			return r, p.errOther()
		}
		return r, p.errNobody()
	}
	if !r.exists {
		if err := p.mayProvision(ctx, tx); err != nil {
			return r, err
		}
	}
	if taken := p.externalID(r); taken != "" && !r.isNew() {
		if err := directory.CheckExternalIDFree(ctx, tx, r.tenant(p.env.ID), r.person.ID, taken); err != nil {
			return r, p.conflict(err)
		}
	}
	r.roles, err = p.givenRoles(r)
	return r, err
}

// find looks for the person at home.
func (p person) find(ctx context.Context, tx *store.Tx, r resolved) (resolved, error) {
	subject := p.attributes.Subject
	if r.isNew() {
		r.link = subject != ""
		return r, nil
	}
	t := r.tenant(p.env.ID)
	if subject != "" {
		linked, err := tx.LinkedPerson(ctx, t, p.profile.ID, subject)
		if err != nil {
			return r, err
		}
		if !linked.IsZero() {
			if r.person, err = tx.Person(ctx, p.env.ID, linked); errors.Is(err, store.ErrNotFound) { // deleted since the statement before
				return r, p.errNobody()
			}
			if err != nil {
				return r, err
			}
			r.exists = true
			return p.findAddress(ctx, tx, r)
		}
		r.link = true
	}
	holder, err := tx.PersonByEmail(ctx, t, p.attributes.EmailKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, nil
	case err != nil:
		return r, err
	case directory.Retired(holder, p.attributes.EmailKey):
		return r, errRetired()
	case p.profile.Policy.EmailTrust == countersign.EmailTrustNever:
		return r, trust.Refuse(trust.SubjectConflict, "an e-mail address that nobody has, because email_trust is never_link", "the address of somebody whom this issuer did not bring")
	}
	if subject != "" {
		// An address that the issuer gives to somebody else does not take the first
		// owner's account along.
		linked, err := tx.Linked(ctx, p.env.ID, p.profile.ID, holder.ID)
		if err != nil {
			return r, err
		}
		if linked {
			return r, trust.Refuse(trust.SubjectConflict, "an e-mail address of nobody whom this issuer knows by another subject", "the address of such a person")
		}
	}
	r.person, r.exists = holder, true
	return r, nil
}

// errRetired is a token with an address that a member had before.
func errRetired() error {
	return refusedAs(countersign.ErrRetiredMemberEmail, trust.Refuse(trust.SubjectConflict, "an e-mail address that is in use or free", "one that a member had before and that is still reserved"))
}

// findAddress says whether the address of somebody found by link is to be added.
func (p person) findAddress(ctx context.Context, tx *store.Tx, r resolved) (resolved, error) {
	has := func(e countersign.Email) bool { return e.Key == p.attributes.EmailKey }
	if slices.ContainsFunc(r.person.Emails, has) || !p.updates(countersign.AttributeEmail, r.person.Email().Key == "") {
		return r, nil
	}
	holder, err := tx.PersonByEmail(ctx, r.tenant(p.env.ID), p.attributes.EmailKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		r.address = true
		return r, nil
	case err != nil:
		return r, err
	case directory.Retired(holder, p.attributes.EmailKey):
		return r, errRetired()
	}
	return r, trust.Refuse(trust.SubjectConflict, "an e-mail address that is free or the person's own", "one that somebody else has")
}

// updates reports whether a sign-in changes an attribute of somebody who exists.
func (p person) updates(attribute string, empty bool) bool {
	when := p.profile.Policy.Updates(attribute)
	return when == countersign.UpdateAlways || when == countersign.UpdateIfEmpty && empty
}

// externalID is the one that the person is to have after the sign-in and has not
// yet, or "".
func (p person) externalID(r resolved) string {
	id := p.attributes.ExternalID
	if id == r.person.ExternalID || r.exists && !p.updates(countersign.ExternalIDAttribute(p.env.Vertical), r.person.ExternalID == "") {
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
	policy, allowed := p.rules.For(r.organization).Policy, p.profile.Policy.RoleIDsAllowed
	roles := []string{}
	for _, role := range p.attributes.RoleIDs {
		switch {
		case !rbac.Defines(policy, role):
			return nil, trust.Refuse(trust.RoleNotAllowed, "roles that the policy defines", fmt.Sprintf("%.128q", role))
		case allowed != nil && !rbac.Automatic(role) && !slices.Contains(allowed, role):
			return nil, trust.Refuse(trust.RoleNotAllowed, fmt.Sprintf("roles out of the profile's role_ids_allowed, %q", allowed), fmt.Sprintf("%.128q", role))
		case !rbac.Automatic(role) && !slices.Contains(roles, role):
			roles = append(roles, role)
		}
	}
	byProfile := func(g countersign.Grant) bool { return slices.Contains(g.Profiles, p.profile.ID) }
	if r.exists && !p.updates(countersign.AttributeRoleIDs, !slices.ContainsFunc(r.person.Grants, byProfile)) {
		return nil, nil
	}
	return roles, nil
}

// mayProvision refuses a person who does not exist and may not be made.
func (p person) mayProvision(ctx context.Context, tx *store.Tx) error {
	policy := p.profile.Policy
	switch {
	case !p.profile.CanJITProvision:
		return p.errNobody()
	case p.env.Vertical == countersign.B2B && policy.OrganizationID == "" && p.attributes.OrganizationID == "":
		return p.errNoOrganization()
	case policy.JITDomains != nil && !trust.InDomains(policy.JITDomains, p.attributes.EmailKey):
		return trust.Refuse(trust.JITDomainNotAllowed, fmt.Sprintf("for somebody new, an address in %q", policy.JITDomains), "an address elsewhere")
	case policy.JITPerHour == 0:
		return nil
	}
	made, err := tx.Provisioned(ctx, p.env.ID, p.profile.ID)
	if err == nil && made >= policy.JITPerHour {
		err = trust.Refuse(trust.JITLimitReached, fmt.Sprintf("at most %d new people in a clock hour", policy.JITPerHour), "one more")
	}
	return err
}

// errNobody is a token whose person does not exist and may not be made.
func (p person) errNobody() error {
	noun := p.env.Vertical.Terms().Noun
	return trust.Refuse(trust.SubjectUnknown, "the e-mail address of a "+noun+", because the profile does not provision", "an address that no "+noun+" has")
}

// errOther is a token for a session of somebody else.
func (p person) errOther() error {
	called := p.env.Vertical.Terms()
	return refusedAs(called.SessionMismatch, trust.Refuse(trust.SessionMismatch, "a token of the session's own "+called.Noun, "a token of somebody else"))
}

// signIn uses up a one-time token, finds or makes the person, and updates what a
// sign-in updates. owner, unless it is zero, is who it must be.
func (p person) signIn(ctx context.Context, tx *store.Tx, owner countersign.PersonID) (countersign.Person, error) {
	if err := p.use(ctx, tx); err != nil {
		return countersign.Person{}, err
	}
	r, err := p.resolve(ctx, tx, owner)
	if err != nil {
		return r.person, err
	}
	var who countersign.Person
	if r.exists {
		who, err = p.update(ctx, tx, r)
	} else {
		who, err = p.provision(ctx, tx, r)
	}
	if err == nil && r.link {
		err = tx.InsertLink(ctx, who.Tenant(p.env.ID), p.profile.ID, p.attributes.Subject, who.ID)
		if err == nil {
			err = tx.Record(ctx, p.env.ID, p.env.Vertical.Terms().Noun+".linked", who.ID.String(), map[string]any{"profile_id": p.profile.ID})
		}
	}
	return who, err
}

// use uses up the token, if the profile's tokens are for one time.
func (p person) use(ctx context.Context, tx *store.Tx) error {
	if !p.profile.Policy.OneTimeTokens {
		return nil
	}
	until := p.token.ExpiresAt().Add(p.profile.Policy.ClockSkew.Duration())
	fresh, err := tx.UseToken(ctx, p.env.ID, p.profile.ID, p.tokenHash(), until)
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

func (p person) provision(ctx context.Context, tx *store.Tx, r resolved) (countersign.Person, error) {
	if p.profile.Policy.JITPerHour > 0 {
		if err := tx.CountProvisioning(ctx, p.env.ID, p.profile.ID); err != nil {
			return r.person, err
		}
	}
	if r.isNew() {
		made, err := directory.CreateOrganizationInside(ctx, tx, p.env.ID, r.fresh)
		if err != nil {
			return r.person, p.conflict(err)
		}
		r.organization = &made
	}
	return directory.CreateInside(ctx, tx, p.env.ID, p.rules, r.organization, directory.NewPerson{
		Email: p.attributes.Email, EmailVerified: true, ExternalID: p.externalID(r),
		Roles: r.roles, Profile: p.profile.ID,
	})
}

func (p person) update(ctx context.Context, tx *store.Tx, r resolved) (countersign.Person, error) {
	who := r.person
	rules := p.rules.For(r.organization)
	var changed []string
	if id := p.externalID(r); id != "" {
		who.ExternalID = id
		changed = append(changed, "external_id")
	}
	if r.address {
		if err := directory.AddEmail(ctx, tx, p.env.ID, &who, p.attributes.Email); err != nil {
			return who, err
		}
		changed = append(changed, "emails")
	}
	vouched, err := vouch(ctx, tx, p.env.ID, &who, p.attributes.EmailKey)
	if err != nil {
		return who, err
	}
	changed = append(changed, vouched...)
	rules.Settle(&who)
	if r.roles != nil {
		if changed, err = directory.GiveRoles(&who, rules, p.profile.ID, r.roles, changed); err != nil {
			return who, err
		}
	}
	return who, directory.Keep(ctx, tx, p.env.ID, &who, changed)
}

// vouch notes that somebody vouched for a person and an address: the address is
// verified, and who is pending or invited becomes active. It says what changed.
func vouch(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, p *countersign.Person, emailKey string) (changed []string, err error) {
	if p.Status == countersign.Pending || p.Status == countersign.Invited {
		p.Status = countersign.Active
		changed = append(changed, "status")
	}
	for i := range p.Emails {
		e := &p.Emails[i]
		if e.Key != emailKey || e.Verified || e.Retired {
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

// conflict names the reason behind an external ID that somebody else has.
func (p person) conflict(err error) error {
	taken := p.env.Vertical.Terms().DuplicateExternalID
	switch {
	case errors.Is(err, taken):
		return refusedAs(taken, trust.Refuse(trust.SubjectConflict, "an external ID that is free or the person's own", "one that somebody else has"))
	case errors.Is(err, countersign.ErrOrganizationExternalIDUsed):
		return p.errUnknownOrganization("the slug of an organization, which is no name for it in a token")
	}
	return err
}
