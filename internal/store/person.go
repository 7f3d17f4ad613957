package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
)

// The kinds of rows in user_identifiers.
const (
	kindEmail = "email"
	kindPhone = "phone"
)

// A user and all identifiers are read by one statement, a row for each
// identifier, so that they always agree. It has no ORDER BY: SQLite would read
// all identifiers of the environment in that order rather than sort one user's.
const personSelect = `
	SELECT u.user_id, u.status, u.first_name, u.middle_name, u.last_name, u.external_id,
	       u.trusted_metadata, u.untrusted_metadata, u.created_at, u.roles,
	       i.kind, i.identifier_id, i.match_key, i.value, i.verified, i.created_at
	FROM users u
	LEFT JOIN user_identifiers i ON i.environment_id = u.environment_id AND i.user_id = u.user_id`

// identifier is an e-mail address or a phone number; all NULL, and with it kind
// "", for a user without any.
type identifier struct {
	kind, key, value sql.NullString
	id               []byte
	verified         sql.NullBool
	createdAt        micros
}

func (i identifier) compare(other identifier) int {
	return cmp.Or(time.Time(i.createdAt).Compare(time.Time(other.createdAt)), bytes.Compare(i.id, other.id))
}

// addTo adds an identifier to its user.
func (i identifier) addTo(u *countersign.Person) error {
	switch i.kind.String {
	case kindEmail:
		e := countersign.Email{Address: i.value.String, Key: i.key.String, Verified: i.verified.Bool}
		if err := e.ID.Scan(i.id); err != nil {
			return err
		}
		u.Emails = append(u.Emails, e)
	case kindPhone:
		p := countersign.Phone{Number: i.value.String, Verified: i.verified.Bool}
		if err := p.ID.Scan(i.id); err != nil {
			return err
		}
		u.Phones = append(u.Phones, p)
	}
	return nil
}

func (tx *Tx) people(ctx context.Context, where string, args ...any) ([]countersign.Person, error) {
	byID := map[countersign.PersonID]int{}
	var users []countersign.Person
	var identifiers [][]identifier
	_, err := all(ctx, tx.q, func(row scanner) (none struct{}, err error) {
		var u countersign.Person
		var i identifier
		err = row.Scan(&u.ID, &u.Status, &u.Name.First, &u.Name.Middle, &u.Name.Last, (*optional)(&u.ExternalID),
			jsonColumn{&u.TrustedMetadata}, jsonColumn{&u.UntrustedMetadata}, (*micros)(&u.CreatedAt), jsonColumn{&u.Grants},
			&i.kind, &i.id, &i.key, &i.value, &i.verified, &i.createdAt)
		if err != nil {
			return none, err
		}
		n, seen := byID[u.ID]
		if !seen {
			n = len(users)
			byID[u.ID] = n
			users, identifiers = append(users, u), append(identifiers, nil)
		}
		identifiers[n] = append(identifiers[n], i)
		return none, nil
	}, personSelect+where, args...)
	if err != nil {
		return nil, err
	}
	for n := range users {
		slices.SortFunc(identifiers[n], identifier.compare) // oldest first
		for _, i := range identifiers[n] {
			if err := i.addTo(&users[n]); err != nil {
				return nil, err
			}
		}
	}
	return users, nil
}

func (tx *Tx) person(ctx context.Context, where string, args ...any) (countersign.Person, error) {
	list, err := tx.people(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return countersign.Person{}, err
	}
	return list[0], nil
}

// Person finds a user; ErrNotFound if the environment has none such.
func (tx *Tx) Person(ctx context.Context, env countersign.EnvironmentID, id countersign.PersonID) (countersign.Person, error) {
	return tx.person(ctx, ` WHERE u.environment_id = $1 AND u.user_id = $2`, env, id)
}

// PersonByExternalID finds a user by the ID that the project gave; ErrNotFound if
// there is none.
func (tx *Tx) PersonByExternalID(ctx context.Context, env countersign.EnvironmentID, id string) (countersign.Person, error) {
	return tx.person(ctx, ` WHERE u.environment_id = $1 AND u.external_id = $2`, env, id)
}

// PersonByEmail finds the user of an address in its normal form; ErrNotFound if
// there is none.
func (tx *Tx) PersonByEmail(ctx context.Context, env countersign.EnvironmentID, key string) (countersign.Person, error) {
	return tx.personByIdentifier(ctx, env, kindEmail, key)
}

// PersonByPhone finds the user of a phone number; ErrNotFound if there is none.
func (tx *Tx) PersonByPhone(ctx context.Context, env countersign.EnvironmentID, number string) (countersign.Person, error) {
	return tx.personByIdentifier(ctx, env, kindPhone, number)
}

func (tx *Tx) personByIdentifier(ctx context.Context, env countersign.EnvironmentID, kind, key string) (countersign.Person, error) {
	return tx.person(ctx, ` WHERE u.environment_id = $1 AND u.user_id = (
		SELECT user_id FROM user_identifiers WHERE environment_id = $1 AND kind = $2 AND match_key = $3)`, env, kind, key)
}

// PersonByEmailID finds the user of an address by the address's ID; ErrNotFound if
// there is none.
func (tx *Tx) PersonByEmailID(ctx context.Context, env countersign.EnvironmentID, id countersign.EmailID) (countersign.Person, error) {
	return tx.personByIdentifierID(ctx, env, kindEmail, id)
}

// PersonByPhoneID finds the user of a phone number by the number's ID; ErrNotFound
// if there is none.
func (tx *Tx) PersonByPhoneID(ctx context.Context, env countersign.EnvironmentID, id countersign.PhoneID) (countersign.Person, error) {
	return tx.personByIdentifierID(ctx, env, kindPhone, id)
}

func (tx *Tx) personByIdentifierID(ctx context.Context, env countersign.EnvironmentID, kind string, id any) (countersign.Person, error) {
	return tx.person(ctx, ` WHERE u.environment_id = $1 AND u.user_id = (
		SELECT user_id FROM user_identifiers WHERE environment_id = $1 AND identifier_id = $2 AND kind = $3)`, env, id, kind)
}

// CountPeople is how many users an environment has.
func (tx *Tx) CountPeople(ctx context.Context, env countersign.EnvironmentID) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM users WHERE environment_id = $1`, env)
}

// InsertPerson stores a new user without identifiers.
func (tx *Tx) InsertPerson(ctx context.Context, env countersign.EnvironmentID, u countersign.Person) error {
	_, err := tx.exec(ctx, `
		INSERT INTO users (environment_id, user_id, status, first_name, middle_name, last_name, full_name, external_id,
		                   trusted_metadata, untrusted_metadata, created_at, roles)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		env, u.ID, string(u.Status), u.Name.First, u.Name.Middle, u.Name.Last, Searchable(u.Name.String()), optional(u.ExternalID),
		jsonColumn{u.TrustedMetadata}, jsonColumn{u.UntrustedMetadata}, micros(u.CreatedAt), jsonColumn{u.Grants})
	return err
}

// InsertEmail adds an address, whose key is unique in the environment.
func (tx *Tx) InsertEmail(ctx context.Context, env countersign.EnvironmentID, user countersign.PersonID, e countersign.Email) error {
	return tx.insertIdentifier(ctx, env, user, kindEmail, e.ID, e.Key, e.Address, e.Verified)
}

// InsertPhone adds a phone number, unique in the environment.
func (tx *Tx) InsertPhone(ctx context.Context, env countersign.EnvironmentID, user countersign.PersonID, p countersign.Phone) error {
	return tx.insertIdentifier(ctx, env, user, kindPhone, p.ID, p.Number, p.Number, p.Verified)
}

func (tx *Tx) insertIdentifier(ctx context.Context, env countersign.EnvironmentID, user countersign.PersonID, kind string, id any, key, value string, verified bool) error {
	_, err := tx.exec(ctx, `
		INSERT INTO user_identifiers (environment_id, identifier_id, user_id, kind, match_key, value, verified, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, env, id, user, kind, key, value, verified, micros(tx.Now))
	return err
}

// UpdatePerson stores everything that may change of a user but the identifiers;
// ErrNotFound if the environment has no such user.
func (tx *Tx) UpdatePerson(ctx context.Context, env countersign.EnvironmentID, u countersign.Person) error {
	return tx.execOne(ctx, `
		UPDATE users SET status = $3, first_name = $4, middle_name = $5, last_name = $6, full_name = $7, external_id = $8,
		                 trusted_metadata = $9, untrusted_metadata = $10, roles = $11
		WHERE environment_id = $1 AND user_id = $2`,
		env, u.ID, string(u.Status), u.Name.First, u.Name.Middle, u.Name.Last, Searchable(u.Name.String()), optional(u.ExternalID),
		jsonColumn{u.TrustedMetadata}, jsonColumn{u.UntrustedMetadata}, jsonColumn{u.Grants})
}

// VerifyEmail marks an address as verified; ErrNotFound if the environment has
// none such.
func (tx *Tx) VerifyEmail(ctx context.Context, env countersign.EnvironmentID, id countersign.EmailID) error {
	return tx.execOne(ctx, `UPDATE user_identifiers SET verified = $3 WHERE environment_id = $1 AND identifier_id = $2`, env, id, true)
}

// DeleteEmail removes an address; ErrNotFound if the environment has none such.
func (tx *Tx) DeleteEmail(ctx context.Context, env countersign.EnvironmentID, id countersign.EmailID) error {
	return tx.deleteIdentifier(ctx, env, kindEmail, id)
}

// DeletePhone removes a phone number; ErrNotFound if the environment has none
// such.
func (tx *Tx) DeletePhone(ctx context.Context, env countersign.EnvironmentID, id countersign.PhoneID) error {
	return tx.deleteIdentifier(ctx, env, kindPhone, id)
}

func (tx *Tx) deleteIdentifier(ctx context.Context, env countersign.EnvironmentID, kind string, id any) error {
	return tx.execOne(ctx, `DELETE FROM user_identifiers WHERE environment_id = $1 AND identifier_id = $2 AND kind = $3`, env, id, kind)
}

// DeletePerson removes a user with all identifiers, links and sessions; ErrNotFound
// if the environment has none such.
func (tx *Tx) DeletePerson(ctx context.Context, env countersign.EnvironmentID, id countersign.PersonID) error {
	if _, err := tx.exec(ctx, `DELETE FROM sessions WHERE environment_id = $1 AND subject_id = $2`, env, id); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM subject_links WHERE environment_id = $1 AND user_id = $2`, env, id); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM user_identifiers WHERE environment_id = $1 AND user_id = $2`, env, id); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM users WHERE environment_id = $1 AND user_id = $2`, env, id)
}
