package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// MemberByEmail finds a member of an organization by e-mail address. Errors:
// ErrMemberNotFound, ErrInvalidEmail, and those of FindOrganization.
func (s *Service) MemberByEmail(ctx context.Context, env countersign.Environment, organization, address string) (countersign.Person, error) {
	a, err := parseEmail(address)
	if err != nil {
		return countersign.Person{}, err
	}
	return s.read(ctx, env, func(tx *store.Tx) (p countersign.Person, err error) {
		o, err := FindOrganization(ctx, tx, env.ID, organization)
		if err != nil {
			return p, err
		}
		p, err = tx.PersonByEmail(ctx, countersign.Tenant{EnvironmentID: env.ID, OrganizationID: o.ID}, a.Key)
		if err == nil && Retired(p, a.Key) {
			return countersign.Person{}, countersign.ErrMemberNotFound
		}
		return p, or(err, countersign.ErrMemberNotFound)
	})
}

// AnyMember finds a member of whichever organization by ID, and a deleted one too if
// asked to. Errors: ErrMemberNotFound, ErrInvalidMemberID, and those for an ID of
// the other class.
func (s *Service) AnyMember(ctx context.Context, env countersign.Environment, ref string, deleted bool) (countersign.Person, error) {
	return s.read(ctx, env, func(tx *store.Tx) (countersign.Person, error) { return FindMember(ctx, tx, env.ID, ref, deleted) })
}

// FindMember is AnyMember as a part of somebody else's transaction, less the roles.
func FindMember(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, ref string, deleted bool) (countersign.Person, error) {
	id, err := countersign.ParseID[countersign.PersonID](ref)
	if err != nil || !countersign.IsMember(id) {
		return countersign.Person{}, countersign.ErrInvalidMemberID
	}
	if err := countersign.CheckClass(id.Class(), env); err != nil {
		return countersign.Person{}, err
	}
	p, err := tx.Person(ctx, env, id)
	if err == nil && p.Status == countersign.Deleted && !deleted {
		return countersign.Person{}, countersign.ErrMemberNotFound
	}
	return p, or(err, countersign.ErrMemberNotFound)
}

// deleteMember leaves a member to look at, to whom nothing belongs.
func deleteMember(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, p countersign.Person) error {
	if err := tx.ForgetSignIns(ctx, env, p.ID); err != nil {
		return err
	}
	if err := tx.ReleaseIdentifiers(ctx, p.Tenant(env), p.ID); err != nil {
		return err
	}
	p.Status, p.ExternalID, p.Membership.UpdatedAt = countersign.Deleted, "", tx.Now
	return tx.UpdatePerson(ctx, env, p)
}

// Reactivate makes a deleted member active again, with the address and the roles of
// before; addresses and numbers that were reserved or for a second factor are not
// kept. Errors: ErrNoDeletedMember, ErrEmailUnverifiedReactivation,
// ErrReactivationEmailTaken, and those of FindOrganization.
func (s *Service) Reactivate(ctx context.Context, actor countersign.Actor, env countersign.Environment, organization, ref string) (countersign.Person, error) {
	id, err := countersign.ParseID[countersign.PersonID](ref)
	if err != nil {
		return countersign.Person{}, countersign.ErrInvalidMemberID
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, _ *standing.Rules) (p countersign.Person, err error) {
		o, err := FindOrganization(ctx, tx, env.ID, organization)
		if err != nil {
			return p, err
		}
		p, err = tx.Person(ctx, env.ID, id)
		if err == nil && (p.Organization == nil || p.Organization.ID != o.ID || p.Status != countersign.Deleted) {
			err = store.ErrNotFound
		}
		if err != nil {
			return countersign.Person{}, or(err, countersign.ErrNoDeletedMember)
		}
		address := p.Email()
		if !address.Verified {
			return p, countersign.ErrEmailUnverifiedReactivation
		}
		if _, err := tx.PersonByEmail(ctx, p.Tenant(env.ID), address.Key); !errors.Is(err, store.ErrNotFound) {
			if err == nil {
				err = countersign.ErrReactivationEmailTaken
			}
			return p, err
		}
		if err := tx.ReclaimEmail(ctx, env.ID, address); err != nil {
			return p, err
		}
		for _, e := range p.Emails {
			if e.Retired {
				err = errors.Join(err, tx.DeleteEmail(ctx, env.ID, e.ID))
			}
		}
		for _, phone := range p.Phones {
			err = errors.Join(err, tx.DeletePhone(ctx, env.ID, phone.ID))
		}
		if err != nil {
			return p, err
		}
		p.Emails, p.Phones = []countersign.Email{address}, nil
		p.Status, p.Membership.MFAEnrolled, p.Membership.DefaultMFAMethod, p.Membership.UpdatedAt = countersign.Active, false, "", tx.Now
		if err := tx.UpdatePerson(ctx, env.ID, p); err != nil {
			return p, err
		}
		return p, tx.Record(ctx, env.ID, "member.reactivated", p.ID.String(), nil)
	})
}

// The values of Membership.DefaultMFAMethod.
const (
	mfaBySMS  = "sms_otp"
	mfaByTOTP = "totp"
)

func checkMFAMethod(method *string) error {
	if method == nil || *method == mfaBySMS || *method == mfaByTOTP {
		return nil
	}
	return countersign.ErrInvalidArgument.Saying("default_mfa_method must be %s or %s.", mfaBySMS, mfaByTOTP)
}

// applyToMember changes what only members have, and says which fields it changed.
func (p Patch) applyToMember(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, m *countersign.Person, changed []string) ([]string, error) {
	for _, flag := range []struct {
		name string
		to   *bool
		from *bool
	}{{"is_breakglass", &m.Membership.Breakglass, p.Breakglass}, {"mfa_enrolled", &m.Membership.MFAEnrolled, p.MFAEnrolled}} {
		if flag.from != nil && *flag.from != *flag.to {
			*flag.to = *flag.from
			changed = append(changed, flag.name)
		}
	}
	if p.Phone != "" {
		if err := giveFirstPhone(ctx, tx, env, m, p.Phone); err != nil {
			return nil, err
		}
		changed = append(changed, "mfa_phone_number")
	}
	if p.Email != "" {
		replaced, err := p.giveEmail(ctx, tx, env, m)
		if err != nil {
			return nil, err
		}
		if replaced {
			changed = append(changed, "email_address")
		}
	}
	if p.DefaultMFAMethod == nil || *p.DefaultMFAMethod == m.Membership.DefaultMFAMethod {
		return changed, nil
	}
	if *p.DefaultMFAMethod != mfaBySMS || len(m.Phones) == 0 { // this server makes no TOTP
		return nil, countersign.ErrDefaultMFAMissingFactor
	}
	m.Membership.DefaultMFAMethod = *p.DefaultMFAMethod
	return append(changed, "default_mfa_method"), nil
}

func giveFirstPhone(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, m *countersign.Person, number string) error {
	switch {
	case !validPhone(number):
		return countersign.ErrInvalidPhoneNumber
	case len(m.Phones) > 0:
		return countersign.ErrDuplicatePhoneForMember
	}
	t := m.Tenant(env)
	if err := checkPhoneFree(ctx, tx, t, m.ID, number); err != nil {
		return err
	}
	m.Phones = []countersign.Phone{newPhone(env, number, false)}
	return tx.InsertPhone(ctx, t, m.ID, m.Phones[0])
}

// giveEmail gives a member another address, about which nothing is known.
func (p Patch) giveEmail(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, m *countersign.Person) (replaced bool, err error) {
	parsed, err := parseEmail(p.Email)
	if err != nil {
		return false, err
	}
	if parsed.Key == m.Email().Key {
		return false, nil
	}
	if err := checkEmailFree(ctx, tx, m.Tenant(env), m.ID, parsed); err != nil {
		return false, err
	}
	return true, replaceEmail(ctx, tx, env, m, newEmail(env, parsed, false), p.UnlinkEmail)
}

// replaceEmail gives a member an address in the place of the old one, which is
// retired or, if it is to be unlinked, gone.
func replaceEmail(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, m *countersign.Person, next countersign.Email, unlink bool) (err error) {
	current := func(e countersign.Email) bool { return !e.Retired }
	if i := slices.IndexFunc(m.Emails, current); i >= 0 {
		if unlink {
			err = tx.DeleteEmail(ctx, env, m.Emails[i].ID)
			m.Emails = slices.Delete(m.Emails, i, i+1)
		} else {
			err = tx.RetireEmail(ctx, env, m.Emails[i].ID)
			m.Emails[i].Retired = true
		}
		if err != nil {
			return err
		}
	}
	m.Emails = append(m.Emails, next)
	return tx.InsertEmail(ctx, m.Tenant(env), m.ID, next)
}

// UnlinkRetiredEmail frees an address that a member had before, named by ID, by
// address, or by both. Errors: ErrRetiredEmailMissing, ErrInvalidEmail,
// ErrEmailNotFound, and as Find.
func (s *Service) UnlinkRetiredEmail(ctx context.Context, actor countersign.Actor, env countersign.Environment, whom Whom, emailID, address string) (countersign.Person, error) {
	if emailID == "" && address == "" {
		return countersign.Person{}, countersign.ErrRetiredEmailMissing
	}
	var wanted email.Address
	if address != "" {
		var err error
		if wanted, err = parseEmail(address); err != nil {
			return countersign.Person{}, err
		}
	}
	return s.edit(ctx, actor, env, whom, func(tx *store.Tx, _ *standing.Rules, p *countersign.Person) ([]string, error) {
		i := slices.IndexFunc(p.Emails, func(e countersign.Email) bool {
			return e.Retired && (emailID == "" || e.ID.String() == emailID) && (address == "" || e.Key == wanted.Key)
		})
		if i < 0 {
			return nil, countersign.ErrEmailNotFound.Saying("The member had no such address before.")
		}
		gone := p.Emails[i]
		p.Emails = slices.Delete(p.Emails, i, i+1)
		return []string{"retired_email_addresses"}, tx.DeleteEmail(ctx, env.ID, gone.ID)
	})
}

// DeleteMFAPhone takes a member's phone number away, and with it what rests on it;
// errors as Find.
func (s *Service) DeleteMFAPhone(ctx context.Context, actor countersign.Actor, env countersign.Environment, whom Whom) (countersign.Person, error) {
	return s.edit(ctx, actor, env, whom, func(tx *store.Tx, _ *standing.Rules, p *countersign.Person) (changed []string, err error) {
		for _, phone := range p.Phones {
			if err := tx.DeletePhone(ctx, env.ID, phone.ID); err != nil {
				return nil, err
			}
			changed = []string{"mfa_phone_number"}
		}
		p.Phones = nil
		if p.Membership.DefaultMFAMethod == mfaBySMS {
			p.Membership.DefaultMFAMethod = ""
		}
		return changed, nil
	})
}
