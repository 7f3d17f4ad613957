// Package directory knows who exists: users, and how they are found, made,
// changed and deleted. It is the only way to make a person. It refuses to know
// how somebody signed in.
package directory

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// Service makes, finds, changes and deletes people.
type Service struct {
	Store *store.Store
	Rules *standing.Book
}

// Person finds a user by ID or external ID. Errors: ErrUserNotFound,
// ErrInvalidUserID for what can be neither, and those for an ID of the other
// class.
func (s *Service) Person(ctx context.Context, env countersign.Environment, ref string) (u countersign.Person, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return u, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		u, err = Find(ctx, tx, env.ID, ref)
		return err
	})
	u.Roles = rules.Roles(u.Grants)
	return u, err
}

// Known reports whether a user has an e-mail address. ErrInvalidEmail.
func (s *Service) Known(ctx context.Context, env countersign.Environment, address string) (bool, error) {
	a, err := parseEmail(address)
	if err != nil {
		return false, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.PersonByEmail(ctx, env.ID, a.Key)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Find is User as a part of somebody else's transaction, less the roles.
func Find(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, ref string) (u countersign.Person, err error) {
	if id, malformed := countersign.ParseID[countersign.PersonID](ref); malformed == nil {
		if err := countersign.CheckClass(id.Class(), env); err != nil {
			return u, err
		}
		u, err = tx.Person(ctx, env, id)
	} else if countersign.ValidExternalID(ref) {
		u, err = tx.PersonByExternalID(ctx, env, ref)
	} else {
		return u, countersign.ErrInvalidUserID
	}
	return u, or(err, countersign.ErrUserNotFound)
}

// or turns store.ErrNotFound into the contract's name for it.
func or(err error, notFound error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound
	}
	return err
}

// Delete removes a user and ends all sessions; errors as User.
func (s *Service) Delete(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref string) (id countersign.PersonID, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		u, err := Find(ctx, tx, env, ref)
		if err != nil {
			return err
		}
		id = u.ID
		if err := tx.DeletePerson(ctx, env, id); err != nil {
			return err
		}
		return tx.Record(ctx, env, "user.deleted", id.String(), nil)
	})
	return id, err
}

// change runs fn on a user, as part of a transaction, and gives back what it
// made of it with the roles that count.
func (s *Service) change(ctx context.Context, actor countersign.Actor, env countersign.Environment, fn func(*store.Tx, *standing.Rules) (countersign.Person, error)) (u countersign.Person, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return u, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) (err error) {
		u, err = fn(tx, rules)
		return err
	})
	u.Roles = rules.Roles(u.Grants)
	return u, err
}
