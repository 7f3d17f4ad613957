package directory

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// DeleteEmail takes an address from its user, who may be left without any.
// Errors: ErrEmailNotFound, and those for an ID of the other class.
func (s *Service) DeleteEmail(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string) (countersign.Person, error) {
	return s.deleteEmail(ctx, actor, env, ref, anybodys)
}

// DeleteOwnEmail is DeleteEmail for the user, to whom nobody else's address
// exists, and who keeps one address or number: ErrDeleteLastPrimaryFactor.
func (s *Service) DeleteOwnEmail(ctx context.Context, actor countersign.Actor, env countersign.Environment, user countersign.PersonID, ref string) (countersign.Person, error) {
	return s.deleteEmail(ctx, actor, env, ref, own(user, countersign.ErrEmailNotFound))
}

func (s *Service) deleteEmail(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string, may func(countersign.Person) error) (countersign.Person, error) {
	id, err := countersign.ParseID[countersign.EmailID](ref)
	if err != nil {
		return countersign.Person{}, countersign.ErrEmailNotFound
	}
	if err := countersign.CheckClass(id.Class(), env.ID); err != nil {
		return countersign.Person{}, err
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, _ *standing.Rules) (u countersign.Person, err error) {
		if u, err = tx.UserByEmailID(ctx, env.ID, id); err != nil {
			return u, or(err, countersign.ErrEmailNotFound)
		}
		if err := may(u); err != nil {
			return u, err
		}
		if err := tx.DeleteEmail(ctx, env.ID, id); err != nil {
			return u, err
		}
		return s.identifierDeleted(ctx, tx, env.ID, u.ID, id.String())
	})
}

// DeletePhone takes a phone number from its user, who may be left without any.
// Errors: ErrPhoneNumberNotFound, and those for an ID of the other class.
func (s *Service) DeletePhone(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string) (countersign.Person, error) {
	return s.deletePhone(ctx, actor, env, ref, anybodys)
}

// DeleteOwnPhone is DeleteOwnEmail for a phone number.
func (s *Service) DeleteOwnPhone(ctx context.Context, actor countersign.Actor, env countersign.Environment, user countersign.PersonID, ref string) (countersign.Person, error) {
	return s.deletePhone(ctx, actor, env, ref, own(user, countersign.ErrPhoneNumberNotFound))
}

func (s *Service) deletePhone(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string, may func(countersign.Person) error) (countersign.Person, error) {
	id, err := countersign.ParseID[countersign.PhoneID](ref)
	if err != nil {
		return countersign.Person{}, countersign.ErrPhoneNumberNotFound
	}
	if err := countersign.CheckClass(id.Class(), env.ID); err != nil {
		return countersign.Person{}, err
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, _ *standing.Rules) (u countersign.Person, err error) {
		if u, err = tx.UserByPhoneID(ctx, env.ID, id); err != nil {
			return u, or(err, countersign.ErrPhoneNumberNotFound)
		}
		if err := may(u); err != nil {
			return u, err
		}
		if err := tx.DeletePhone(ctx, env.ID, id); err != nil {
			return u, err
		}
		return s.identifierDeleted(ctx, tx, env.ID, u.ID, id.String())
	})
}

// anybodys is for callers who act on all users.
func anybodys(countersign.Person) error { return nil }

// own is for a caller who acts on one user, and may not take the last address or
// number from them.
func own(user countersign.PersonID, notFound error) func(countersign.Person) error {
	return func(u countersign.Person) error {
		switch {
		case u.ID != user:
			return notFound
		case len(u.Emails)+len(u.Phones) == 1:
			return countersign.ErrDeleteLastPrimaryFactor
		}
		return nil
	}
}

// identifierDeleted records that a user has an identifier less, and reads the
// user as it is now.
func (s *Service) identifierDeleted(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.PersonID, identifier string) (countersign.Person, error) {
	if err := tx.Record(ctx, env, "user.updated", user.String(), map[string]any{"deleted": identifier}); err != nil {
		return countersign.Person{}, err
	}
	return tx.Person(ctx, env, user)
}

// ExchangePrimaryFactor gives a user another address, or another number, in the
// place of the only one there is. The kind may change; nothing about the new one
// is verified. Errors: ErrInvalidExchangeFields unless exactly one of the two is
// given, ErrInvalidExchangeUser unless the user has exactly one, and as User and
// CreateUser.
func (s *Service) ExchangePrimaryFactor(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref, newAddress, newNumber string) (u countersign.Person, err error) {
	if (newAddress == "") == (newNumber == "") {
		return u, countersign.ErrInvalidExchangeFields
	}
	var address email.Address
	if newAddress != "" {
		if address, err = parseEmail(newAddress); err != nil {
			return u, err
		}
	} else if !validPhone(newNumber) {
		return u, countersign.ErrInvalidPhoneNumber
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, _ *standing.Rules) (u countersign.Person, err error) {
		if u, err = Find(ctx, tx, env.ID, User(ref)); err != nil {
			return u, err
		}
		t := u.Tenant(env.ID)
		if len(u.Emails)+len(u.Phones) != 1 {
			return u, countersign.ErrInvalidExchangeUser.Saying("This one has %d addresses and %d numbers.", len(u.Emails), len(u.Phones))
		}
		if err := checkEmailFree(ctx, tx, t, u.ID, address); err != nil {
			return u, err
		}
		if err := checkPhoneFree(ctx, tx, t, u.ID, newNumber); err != nil {
			return u, err
		}
		for _, e := range u.Emails {
			err = tx.DeleteEmail(ctx, env.ID, e.ID)
		}
		for _, p := range u.Phones {
			err = tx.DeletePhone(ctx, env.ID, p.ID)
		}
		if err != nil {
			return u, err
		}
		u.Emails, u.Phones = nil, nil
		if newAddress != "" {
			u.Emails = []countersign.Email{newEmail(env.ID, address, false)}
			err = tx.InsertEmail(ctx, t, u.ID, u.Emails[0])
		} else {
			u.Phones = []countersign.Phone{newPhone(env.ID, newNumber, false)}
			err = tx.InsertPhone(ctx, t, u.ID, u.Phones[0])
		}
		if err != nil {
			return u, err
		}
		return u, tx.Record(ctx, env.ID, "user.updated", u.ID.String(), map[string]any{"changed": []string{"primary_factor"}})
	})
}
