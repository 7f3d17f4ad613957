package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
)

// The kinds of rows in user_identifiers.
const (
	kindEmail = "email"
	kindPhone = "phone"
)

// A person and all identifiers are read by one statement, a row for each
// identifier, so that they always agree; a member with the organization, without
// which there is none. It has no ORDER BY: SQLite would read all identifiers of the
// environment in that order rather than sort one person's.
const (
	personColumns = `
	SELECT u.user_id, u.status, u.first_name, u.middle_name, u.last_name, u.external_id,
	       u.trusted_metadata, u.untrusted_metadata, u.created_at, u.roles,
	       i.kind, i.identifier_id, i.match_key, i.value, i.verified, i.created_at`
	personIdentifiers = `
	LEFT JOIN user_identifiers i ON i.environment_id = u.environment_id AND i.organization_id = u.organization_id AND i.user_id = u.user_id`
	userSelect   = personColumns + ` FROM users u` + personIdentifiers
	memberSelect = personColumns + `, i.retired, u.membership, ` + organizationColumns + ` FROM users u
	JOIN organizations o ON o.environment_id = u.environment_id AND o.organization_id = u.organization_id` + personIdentifiers
)

// identifier is an e-mail address or a phone number; all NULL, and with it kind
// "", for a user without any.
type identifier struct {
	kind, key, value sql.NullString
	id               []byte
	verified         sql.NullBool
	retired          sql.NullBool
	createdAt        micros
}

func (i identifier) compare(other identifier) int {
	return cmp.Or(time.Time(i.createdAt).Compare(time.Time(other.createdAt)), bytes.Compare(i.id, other.id))
}

// releasedMark begins what follows the key of an identifier that its person gave
// back when they were deleted. No key has one in it.
const releasedMark = " "

// addTo adds an identifier to its person.
func (i identifier) addTo(u *countersign.Person) error {
	switch i.kind.String {
	case kindEmail:
		key, _, _ := strings.Cut(i.key.String, releasedMark)
		e := countersign.Email{Address: i.value.String, Key: key, Verified: i.verified.Bool, Retired: i.retired.Bool}
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

// people are those of one vertical: users, or members.
func (tx *Tx) people(ctx context.Context, members bool, where string, args ...any) ([]countersign.Person, error) {
	query := userSelect
	if members {
		query = memberSelect
	}
	var organizations organizationReader
	byID := map[countersign.PersonID]int{}
	var users []countersign.Person
	var identifiers [][]identifier
	_, err := all(ctx, tx.q, func(row scanner) (none struct{}, err error) {
		var u countersign.Person
		var i identifier
		to := []any{
			&u.ID, &u.Status, &u.Name.First, &u.Name.Middle, &u.Name.Last, (*optional)(&u.ExternalID),
			jsonColumn{&u.TrustedMetadata},
			jsonColumn{&u.UntrustedMetadata},
			(*micros)(&u.CreatedAt),
			jsonColumn{&u.Grants},
			&i.kind, &i.id, &i.key, &i.value, &i.verified, &i.createdAt,
		}
		if members {
			to = append(to, &i.retired, jsonColumn{&u.Membership})
			to = append(to, organizations.columns()...)
		}
		if err = row.Scan(to...); err != nil {
			return none, err
		}
		if members {
			if u.Organization, err = organizations.read(); err != nil {
				return none, err
			}
		}
		n, seen := byID[u.ID]
		if !seen {
			n = len(users)
			byID[u.ID] = n
			users, identifiers = append(users, u), append(identifiers, nil)
		}
		identifiers[n] = append(identifiers[n], i)
		return none, nil
	}, query+where, args...)
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

func (tx *Tx) person(ctx context.Context, members bool, where string, args ...any) (countersign.Person, error) {
	list, err := tx.people(ctx, members, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return countersign.Person{}, err
	}
	return list[0], nil
}

// Person finds somebody, a deleted member, too; ErrNotFound if the environment has
// none such.
func (tx *Tx) Person(ctx context.Context, env countersign.EnvironmentID, id countersign.PersonID) (countersign.Person, error) {
	return tx.person(ctx, countersign.IsMember(id), ` WHERE u.environment_id = $1 AND u.user_id = $2`, env, id)
}

// PersonByExternalID finds somebody by the ID that the project gave; ErrNotFound if
// there is none.
func (tx *Tx) PersonByExternalID(ctx context.Context, t countersign.Tenant, id string) (countersign.Person, error) {
	return tx.person(ctx, isOrganization(t), ` WHERE u.environment_id = $1 AND u.organization_id = $2 AND u.external_id = $3`,
		t.EnvironmentID, tenantColumn(t), id)
}

// PersonByEmail finds whom an address in its normal form belongs to, and for whom
// a retired one is reserved; ErrNotFound if there is none.
func (tx *Tx) PersonByEmail(ctx context.Context, t countersign.Tenant, key string) (countersign.Person, error) {
	return tx.personByIdentifier(ctx, t, kindEmail, key)
}

// PersonByPhone finds whom a phone number belongs to; ErrNotFound if there is none.
func (tx *Tx) PersonByPhone(ctx context.Context, t countersign.Tenant, number string) (countersign.Person, error) {
	return tx.personByIdentifier(ctx, t, kindPhone, number)
}

func (tx *Tx) personByIdentifier(ctx context.Context, t countersign.Tenant, kind, key string) (countersign.Person, error) {
	return tx.person(ctx, isOrganization(t), ` WHERE u.environment_id = $1 AND u.user_id = (
		SELECT user_id FROM user_identifiers WHERE environment_id = $1 AND organization_id = $2 AND kind = $3 AND match_key = $4)`,
		t.EnvironmentID, tenantColumn(t), kind, key)
}

// UserByEmailID finds the user of an address by the address's ID; ErrNotFound if
// there is none.
func (tx *Tx) UserByEmailID(ctx context.Context, env countersign.EnvironmentID, id countersign.EmailID) (countersign.Person, error) {
	return tx.userByIdentifierID(ctx, env, kindEmail, id)
}

// UserByPhoneID finds the user of a phone number by the number's ID; ErrNotFound
// if there is none.
func (tx *Tx) UserByPhoneID(ctx context.Context, env countersign.EnvironmentID, id countersign.PhoneID) (countersign.Person, error) {
	return tx.userByIdentifierID(ctx, env, kindPhone, id)
}

func (tx *Tx) userByIdentifierID(ctx context.Context, env countersign.EnvironmentID, kind string, id any) (countersign.Person, error) {
	return tx.person(ctx, false, ` WHERE u.environment_id = $1 AND u.user_id = (
		SELECT user_id FROM user_identifiers WHERE environment_id = $1 AND identifier_id = $2 AND kind = $3)`, env, id, kind)
}

// CountPeople is how many people an environment has who are not deleted.
func (tx *Tx) CountPeople(ctx context.Context, env countersign.EnvironmentID) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM users WHERE environment_id = $1 AND status <> $2`, env, string(countersign.Deleted))
}

// NoLimit is a limit that nothing reaches.
const NoLimit = math.MaxInt32

// CountMembers is how many members an organization has who are not deleted, or limit
// if it has more.
func (tx *Tx) CountMembers(ctx context.Context, t countersign.Tenant, limit int) (int, error) {
	return tx.count(ctx, `
		SELECT count(*) FROM (
			SELECT 1 FROM users WHERE environment_id = $1 AND organization_id = $2 AND organization_id <> '' AND status <> $3
			ORDER BY user_id LIMIT $4) AS counted`,
		t.EnvironmentID, tenantColumn(t), string(countersign.Deleted), limit)
}

// InsertPerson stores somebody new without identifiers.
func (tx *Tx) InsertPerson(ctx context.Context, env countersign.EnvironmentID, p countersign.Person) error {
	_, err := tx.exec(ctx, `
		INSERT INTO users (environment_id, user_id, status, first_name, middle_name, last_name, full_name, external_id,
		                   trusted_metadata, untrusted_metadata, created_at, roles, organization_id, membership)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		env, p.ID, string(p.Status), p.Name.First, p.Name.Middle, p.Name.Last, Searchable(p.Name.String()), optional(p.ExternalID),
		jsonColumn{p.TrustedMetadata}, jsonColumn{p.UntrustedMetadata}, micros(p.CreatedAt), jsonColumn{p.Grants},
		tenantColumn(p.Tenant(env)), membershipColumn(p))
	return err
}

// membershipColumn is NULL for a user.
func membershipColumn(p countersign.Person) any {
	if p.Organization == nil {
		return nil
	}
	return jsonColumn{p.Membership}
}

// InsertEmail adds an address, whose key is unique in the tenant.
func (tx *Tx) InsertEmail(ctx context.Context, t countersign.Tenant, person countersign.PersonID, e countersign.Email) error {
	return tx.insertIdentifier(ctx, t, person, kindEmail, e.ID, e.Key, e.Address, e.Verified)
}

// InsertPhone adds a phone number, unique in the tenant.
func (tx *Tx) InsertPhone(ctx context.Context, t countersign.Tenant, person countersign.PersonID, p countersign.Phone) error {
	return tx.insertIdentifier(ctx, t, person, kindPhone, p.ID, p.Number, p.Number, p.Verified)
}

func (tx *Tx) insertIdentifier(ctx context.Context, t countersign.Tenant, person countersign.PersonID, kind string, id any, key, value string, verified bool) error {
	_, err := tx.exec(ctx, `
		INSERT INTO user_identifiers (environment_id, identifier_id, user_id, kind, match_key, value, verified, created_at, organization_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, t.EnvironmentID, id, person, kind, key, value, verified, micros(tx.Now), tenantColumn(t))
	return err
}

// UpdatePerson stores everything that may change of a person but the identifiers;
// ErrNotFound if the environment has none such.
func (tx *Tx) UpdatePerson(ctx context.Context, env countersign.EnvironmentID, p countersign.Person) error {
	return tx.execOne(ctx, `
		UPDATE users SET status = $3, first_name = $4, middle_name = $5, last_name = $6, full_name = $7, external_id = $8,
		                 trusted_metadata = $9, untrusted_metadata = $10, roles = $11, membership = $12
		WHERE environment_id = $1 AND user_id = $2`,
		env, p.ID, string(p.Status), p.Name.First, p.Name.Middle, p.Name.Last, Searchable(p.Name.String()), optional(p.ExternalID),
		jsonColumn{p.TrustedMetadata}, jsonColumn{p.UntrustedMetadata}, jsonColumn{p.Grants}, membershipColumn(p))
}

// VerifyEmail marks an address as verified; ErrNotFound if the environment has
// none such.
func (tx *Tx) VerifyEmail(ctx context.Context, env countersign.EnvironmentID, id countersign.EmailID) error {
	return tx.execOne(ctx, `UPDATE user_identifiers SET verified = $3 WHERE environment_id = $1 AND identifier_id = $2`, env, id, true)
}

// RetireEmail makes an address one that its member had before; ErrNotFound if the
// environment has none such.
func (tx *Tx) RetireEmail(ctx context.Context, env countersign.EnvironmentID, id countersign.EmailID) error {
	return tx.execOne(ctx, `UPDATE user_identifiers SET retired = $3 WHERE environment_id = $1 AND identifier_id = $2`, env, id, true)
}

// ReleaseIdentifiers gives back the addresses and numbers of somebody, who keeps
// them to look at.
func (tx *Tx) ReleaseIdentifiers(ctx context.Context, t countersign.Tenant, id countersign.PersonID) error {
	_, err := tx.exec(ctx, `
		UPDATE user_identifiers SET match_key = match_key || $4
		WHERE environment_id = $1 AND organization_id = $2 AND user_id = $3`, t.EnvironmentID, tenantColumn(t), id, releasedMark+id.String())
	return err
}

// ReclaimEmail undoes the release of an address, which must be free; ErrNotFound if
// there is none such.
func (tx *Tx) ReclaimEmail(ctx context.Context, env countersign.EnvironmentID, e countersign.Email) error {
	return tx.execOne(ctx, `UPDATE user_identifiers SET match_key = $3 WHERE environment_id = $1 AND identifier_id = $2`, env, e.ID, e.Key)
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

// ForgetSignIns ends all sessions of somebody, and forgets by which subjects
// issuers know them.
func (tx *Tx) ForgetSignIns(ctx context.Context, env countersign.EnvironmentID, id countersign.PersonID) error {
	if err := tx.DeleteSessionsOf(ctx, env, id); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM person_links WHERE environment_id = $1 AND user_id = $2`, env, id)
	return err
}

// DeleteUser removes a user with all identifiers, links and sessions; ErrNotFound
// if the environment has none such.
func (tx *Tx) DeleteUser(ctx context.Context, env countersign.EnvironmentID, id countersign.PersonID) error {
	if err := tx.ForgetSignIns(ctx, env, id); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM user_identifiers WHERE environment_id = $1 AND organization_id = '' AND user_id = $2`, env, id); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM users WHERE environment_id = $1 AND user_id = $2`, env, id)
}
