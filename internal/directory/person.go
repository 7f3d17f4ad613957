// Package directory knows who exists: organizations and people, who are users or
// members, and how they are found, made, changed and deleted. It is the only way to
// make a person. It refuses to know how somebody signed in.
package directory

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// Service makes, finds, changes and deletes organizations and people.
type Service struct {
	Store *store.Store
	Rules *standing.Book
}

// Whom names somebody as callers do.
type Whom struct {
	// Organization is the ID, external ID or slug of a member's organization; "" for
	// a user.
	Organization string
	Person       string // ID or external ID
}

// User names a user, or a member by ID where the organization need not be named.
func User(ref string) Whom { return Whom{Person: ref} }

// Person finds somebody. Errors: as Find.
func (s *Service) Person(ctx context.Context, env countersign.Environment, whom Whom) (countersign.Person, error) {
	return s.read(ctx, env, func(tx *store.Tx) (countersign.Person, error) { return Find(ctx, tx, env.ID, whom) })
}

// read is whom fn finds, with the roles that count.
func (s *Service) read(ctx context.Context, env countersign.Environment, fn func(*store.Tx) (countersign.Person, error)) (p countersign.Person, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return p, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		p, err = fn(tx)
		return err
	})
	rules.For(p.Organization).Settle(&p)
	return p, err
}

// Known reports whether a user has an e-mail address. ErrInvalidEmail.
func (s *Service) Known(ctx context.Context, env countersign.Environment, address string) (bool, error) {
	a, err := parseEmail(address)
	if err != nil {
		return false, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.PersonByEmail(ctx, countersign.Tenant{EnvironmentID: env.ID}, a.Key)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Find finds somebody who is not deleted, as a part of somebody else's transaction
// and less the roles. Errors: ErrUserNotFound or ErrMemberNotFound, ErrInvalidUserID
// or ErrInvalidMemberID for what can be neither kind of ID, those for an ID of the
// other class, and those of FindOrganization.
func Find(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, whom Whom) (p countersign.Person, err error) {
	t := countersign.Tenant{EnvironmentID: env}
	if whom.Organization != "" {
		o, err := FindOrganization(ctx, tx, env, whom.Organization)
		if err != nil {
			return p, err
		}
		t.OrganizationID = o.ID
	}
	called := t.Terms()
	if id, malformed := countersign.ParseID[countersign.PersonID](whom.Person); malformed == nil {
		if err := countersign.CheckClass(id.Class(), env); err != nil {
			return p, err
		}
		p, err = tx.Person(ctx, env, id)
	} else if countersign.ValidExternalID(whom.Person) {
		p, err = tx.PersonByExternalID(ctx, t, whom.Person)
	} else {
		return p, called.InvalidID
	}
	if err == nil && (p.Tenant(env) != t || p.Status == countersign.Deleted) {
		return countersign.Person{}, called.NotFound
	}
	return p, or(err, called.NotFound)
}

// or turns store.ErrNotFound into the contract's name for it.
func or(err error, notFound error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound
	}
	return err
}

// Delete ends all sessions of somebody and removes them: a user for good; a member
// is deleted from now on, and can be reactivated. Errors: as Find.
func (s *Service) Delete(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, whom Whom) (id countersign.PersonID, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		p, err := Find(ctx, tx, env, whom)
		if err != nil {
			return err
		}
		id = p.ID
		if p.Organization == nil {
			err = tx.DeleteUser(ctx, env, id)
		} else {
			err = deleteMember(ctx, tx, env, p)
		}
		if err != nil {
			return err
		}
		return tx.Record(ctx, env, p.Tenant(env).Terms().Noun+".deleted", id.String(), nil)
	})
	return id, err
}

// change runs fn on somebody, as part of a transaction, and gives back what it
// made of them with the roles that count.
func (s *Service) change(ctx context.Context, actor countersign.Actor, env countersign.Environment, fn func(*store.Tx, *standing.Rules) (countersign.Person, error)) (p countersign.Person, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return p, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) (err error) {
		p, err = fn(tx, rules)
		return err
	})
	rules.For(p.Organization).Settle(&p)
	return p, err
}

// edit is change of somebody who is there. fn changes them in memory and writes what
// is not a column of theirs; it says what it changed.
func (s *Service) edit(ctx context.Context, actor countersign.Actor, env countersign.Environment, whom Whom, fn func(*store.Tx, *standing.Rules, *countersign.Person) (changed []string, err error)) (countersign.Person, error) {
	return s.change(ctx, actor, env, func(tx *store.Tx, rules *standing.Rules) (countersign.Person, error) {
		p, err := Find(ctx, tx, env.ID, whom)
		if err != nil {
			return p, err
		}
		changed, err := fn(tx, rules.For(p.Organization), &p)
		if err != nil {
			return p, err
		}
		return p, Keep(ctx, tx, env.ID, &p, changed)
	})
}

// Keep stores somebody of whom something changed, as a part of somebody else's
// transaction.
func Keep(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, p *countersign.Person, changed []string) error {
	if len(changed) == 0 {
		return nil
	}
	p.Membership.UpdatedAt = tx.Now
	if err := tx.UpdatePerson(ctx, env, *p); err != nil {
		return err
	}
	return tx.Record(ctx, env, p.Tenant(env).Terms().Noun+".updated", p.ID.String(), map[string]any{"changed": changed})
}
