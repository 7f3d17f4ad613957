package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/countersign-auth/countersign"
)

// Searchable is the form in which text is searched: canonically composed and in
// lower case.
func Searchable(s string) string { return strings.ToLower(norm.NFC.String(s)) }

// A Text is what a scan looks for a part of.
type Text struct {
	column textColumn
	part   string
}

type textColumn int

const (
	anyText textColumn = iota
	emailText
	phoneText
	nameText
	slugText
)

// EmailPart matches addresses whose normal form has a part, which must be
// Searchable.
func EmailPart(part string) Text { return Text{emailText, part} }

// PhonePart matches phone numbers.
func PhonePart(part string) Text { return Text{phoneText, part} }

// NamePart matches the names of users, and of organizations.
func NamePart(part string) Text { return Text{nameText, part} }

// SlugPart matches slugs of organizations, in lower case.
func SlugPart(part string) Text { return Text{slugText, part} }

// Key is an ID by which rows are in the order of their making.
type Key interface {
	Bytes() []byte
	IsZero() bool
}

// Stretch is a run of rows in the order of their IDs, newest first, which is
// the order in which they were made.
type Stretch[ID Key] struct {
	Before ID // not itself in it; zero: from the newest
	From   ID // itself in it; zero: to the oldest
}

// bounds are the keys of a stretch.
func (s Stretch[ID]) bounds() (from, before []byte) {
	from, before = s.From.Bytes(), s.Before.Bytes()
	if s.From.IsZero() {
		from = []byte{}
	}
	if s.Before.IsZero() {
		before = behindAnyID
	}
	return from, before
}

// inTenant begins the condition on users of a stretch of a tenant; its parameters are
// the tenant's and the stretch's. All users of an environment are of one tenant, and
// are found by their key; members by an index of their own.
func inTenant(t countersign.Tenant) string {
	if isOrganization(t) {
		return ` WHERE environment_id = $1 AND organization_id = $2 AND organization_id <> '' AND user_id >= $3 AND user_id < $4`
	}
	return ` WHERE environment_id = $1 AND $2 = '' AND user_id >= $3 AND user_id < $4`
}

// PersonIDs are at most limit people of a tenant and a stretch that match a text,
// newest first. The zero Text matches all. Whatever the text, the statement reads
// nothing but one index, and of that no more than the stretch. Members have no text
// but their addresses and numbers.
func (tx *Tx) PersonIDs(ctx context.Context, t countersign.Tenant, s Stretch[countersign.PersonID], text Text, limit int) ([]countersign.PersonID, error) {
	from, before := s.bounds()
	env, tenant := t.EnvironmentID, tenantColumn(t)
	switch text.column {
	case emailText, phoneText:
		kind := kindEmail
		if text.column == phoneText {
			kind = kindPhone
		}
		return all(ctx, tx.q, scanPersonID, `SELECT DISTINCT user_id FROM user_identifiers
			WHERE environment_id = $1 AND organization_id = $2 AND user_id >= $3 AND user_id < $4
			AND kind = $5 AND match_key LIKE $6 ESCAPE '\' ORDER BY user_id DESC LIMIT $7`, env, tenant, from, before, kind, like(text.part), limit)
	case nameText:
		return all(ctx, tx.q, scanPersonID, `SELECT user_id FROM users WHERE environment_id = $1 AND user_id >= $2 AND user_id < $3
			AND full_name <> '' AND full_name LIKE $4 ESCAPE '\' ORDER BY user_id DESC LIMIT $5`, env, from, before, like(text.part), limit)
	default:
		return all(ctx, tx.q, scanPersonID, `SELECT user_id FROM users`+inTenant(t)+` ORDER BY user_id DESC LIMIT $5`, env, tenant, from, before, limit)
	}
}

// PersonIDAfter is who stands a number of places after the first one of a stretch
// of a tenant; ErrNotFound if there are not so many.
func (tx *Tx) PersonIDAfter(ctx context.Context, t countersign.Tenant, s Stretch[countersign.PersonID], places int) (countersign.PersonID, error) {
	from, before := s.bounds()
	return one(tx.q.QueryRowContext(ctx, `SELECT user_id FROM users`+inTenant(t)+` ORDER BY user_id DESC LIMIT 1 OFFSET $5`,
		t.EnvironmentID, tenantColumn(t), from, before, places), scanPersonID)
}

// OrganizationIDs are at most limit organizations of a stretch that match a text,
// newest first; as PersonIDs.
func (tx *Tx) OrganizationIDs(ctx context.Context, env countersign.EnvironmentID, s Stretch[countersign.OrganizationID], text Text, limit int) ([]countersign.OrganizationID, error) {
	from, before := s.bounds()
	const stretch = `SELECT organization_id FROM organizations WHERE environment_id = $1 AND organization_id >= $2 AND organization_id < $3`
	switch text.column {
	case nameText:
		return all(ctx, tx.q, scanOrganizationID, stretch+` AND name_key LIKE $4 ESCAPE '\' ORDER BY organization_id DESC LIMIT $5`, env, from, before, like(text.part), limit)
	case slugText:
		return all(ctx, tx.q, scanOrganizationID, stretch+` AND lower(slug) LIKE $4 ESCAPE '\' ORDER BY organization_id DESC LIMIT $5`, env, from, before, like(text.part), limit)
	default:
		return all(ctx, tx.q, scanOrganizationID, stretch+` ORDER BY organization_id DESC LIMIT $4`, env, from, before, limit)
	}
}

// OrganizationIDAfter is the one that stands a number of places after the first one
// of a stretch; ErrNotFound if there are not so many.
func (tx *Tx) OrganizationIDAfter(ctx context.Context, env countersign.EnvironmentID, s Stretch[countersign.OrganizationID], places int) (countersign.OrganizationID, error) {
	from, before := s.bounds()
	return one(tx.q.QueryRowContext(ctx, `
		SELECT organization_id FROM organizations WHERE environment_id = $1 AND organization_id >= $2 AND organization_id < $3
		ORDER BY organization_id DESC LIMIT 1 OFFSET $4`, env, from, before, places), scanOrganizationID)
}

func scanOrganizationID(row scanner) (id countersign.OrganizationID, err error) {
	err = row.Scan(&id)
	return id, err
}

// CountOrganizationsUpTo is how many organizations an environment has, or limit if it
// has more.
func (tx *Tx) CountOrganizationsUpTo(ctx context.Context, env countersign.EnvironmentID, limit int) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM (SELECT 1 FROM organizations WHERE environment_id = $1 ORDER BY organization_id LIMIT $2) AS counted`, env, limit)
}

// OrganizationsByIDs are those of a list of organizations that an environment has, in
// no order.
func (tx *Tx) OrganizationsByIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.OrganizationID) ([]countersign.Organization, error) {
	return among(ids, func(in string, args []any) ([]countersign.Organization, error) {
		return all(ctx, tx.q, scanOrganization, `
			SELECT `+organizationColumns+` FROM organizations o WHERE o.environment_id = $1 AND o.organization_id IN `+in, append([]any{env}, args...)...)
	})
}

// OrganizationIDsByExternalIDs are the organizations of a list of external IDs, in no
// order.
func (tx *Tx) OrganizationIDsByExternalIDs(ctx context.Context, env countersign.EnvironmentID, ids []string) ([]countersign.OrganizationID, error) {
	return among(ids, func(in string, args []any) ([]countersign.OrganizationID, error) {
		return all(ctx, tx.q, scanOrganizationID, `
			SELECT organization_id FROM organizations WHERE environment_id = $1 AND external_id IN `+in, append([]any{env}, args...)...)
	})
}

// OrganizationIDsBySlugs are the organizations of a list of slugs, in no order. Each
// slug is looked up by itself, as in personIDsByKeys.
func (tx *Tx) OrganizationIDsBySlugs(ctx context.Context, env countersign.EnvironmentID, slugs []string) ([]countersign.OrganizationID, error) {
	return among(slugs, func(in string, args []any) ([]countersign.OrganizationID, error) {
		return all(ctx, tx.q, scanOrganizationID, `
			WITH wanted (slug) AS (VALUES `+rowsOf(in)+`)
			SELECT o.organization_id FROM wanted CROSS JOIN organizations o
			WHERE o.environment_id = $1 AND o.slug = wanted.slug`, append([]any{env}, args...)...)
	})
}

// OrganizationIDsByEmails are the organizations in which any of some addresses, in
// their normal form, is somebody's or reserved.
func (tx *Tx) OrganizationIDsByEmails(ctx context.Context, env countersign.EnvironmentID, keys []string) ([]countersign.OrganizationID, error) {
	return among(keys, func(in string, args []any) ([]countersign.OrganizationID, error) {
		return all(ctx, tx.q, scanOrganizationID, `
			SELECT organization_id FROM user_identifiers
			WHERE environment_id = $1 AND kind = '`+kindEmail+`' AND organization_id <> '' AND match_key IN `+in, append([]any{env}, args...)...)
	})
}

// OrganizationIDsWithEmailPart are those of a list of organizations in which an
// address with a part, in its normal form, is somebody's or reserved.
func (tx *Tx) OrganizationIDsWithEmailPart(ctx context.Context, env countersign.EnvironmentID, ids []countersign.OrganizationID, part string) ([]countersign.OrganizationID, error) {
	return among(ids, func(in string, args []any) ([]countersign.OrganizationID, error) {
		return all(ctx, tx.q, scanOrganizationID, fmt.Sprintf(`
			SELECT DISTINCT organization_id FROM user_identifiers
			WHERE environment_id = $1 AND organization_id IN %s AND kind = '`+kindEmail+`'
			  AND match_key LIKE $%d ESCAPE '\' AND match_key NOT LIKE '%%`+releasedMark+`%%'`, in, len(args)+2),
			slices.Concat([]any{env}, args, []any{like(part)})...)
	})
}

// CountUsersUpTo is how many users an environment has, or limit if it has more. In
// their order, so that PostgreSQL reads the index whatever its statistics say.
func (tx *Tx) CountUsersUpTo(ctx context.Context, env countersign.EnvironmentID, limit int) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM (SELECT 1 FROM users WHERE environment_id = $1 ORDER BY user_id LIMIT $2) AS counted`, env, limit)
}

func scanPersonID(row scanner) (id countersign.PersonID, err error) {
	err = row.Scan(&id)
	return id, err
}

// like is a pattern for text that has a part somewhere.
func like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}

// PeopleByIDs are those of a list of users, or of a list of members, that an
// environment has, in no order.
func (tx *Tx) PeopleByIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.PersonID) ([]countersign.Person, error) {
	return among(ids, func(in string, args []any) ([]countersign.Person, error) {
		return tx.people(ctx, countersign.IsMember(ids[0]), ` WHERE u.environment_id = $1 AND u.user_id IN `+in, append([]any{env}, args...)...)
	})
}

// PersonIDsByExternalIDs are the people of a list of external IDs, in no order.
func (tx *Tx) PersonIDsByExternalIDs(ctx context.Context, t countersign.Tenant, ids []string) ([]countersign.PersonID, error) {
	return among(ids, func(in string, args []any) ([]countersign.PersonID, error) {
		return all(ctx, tx.q, scanPersonID, fmt.Sprintf(`SELECT user_id FROM users WHERE environment_id = $1 AND organization_id = $%d AND external_id IN %s`, len(args)+2, in),
			slices.Concat([]any{t.EnvironmentID}, args, []any{tenantColumn(t)})...)
	})
}

// PersonIDsByEmails are the people of a list of addresses in their normal form, of
// retired ones too.
func (tx *Tx) PersonIDsByEmails(ctx context.Context, t countersign.Tenant, keys []string) ([]countersign.PersonID, error) {
	return personIDsByKeys(ctx, tx, t, kindEmail, keys)
}

// PersonIDsByPhones are the people of a list of phone numbers.
func (tx *Tx) PersonIDsByPhones(ctx context.Context, t countersign.Tenant, numbers []string) ([]countersign.PersonID, error) {
	return personIDsByKeys(ctx, tx, t, kindPhone, numbers)
}

// UserIDsByEmailIDs are the users of a list of e-mail IDs.
func (tx *Tx) UserIDsByEmailIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.EmailID) ([]countersign.PersonID, error) {
	return personIDsByIdentifiers(ctx, tx, env, kindEmail, ids)
}

// UserIDsByPhoneIDs are the users of a list of phone IDs.
func (tx *Tx) UserIDsByPhoneIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.PhoneID) ([]countersign.PersonID, error) {
	return personIDsByIdentifiers(ctx, tx, env, kindPhone, ids)
}

func personIDsByIdentifiers[T any](ctx context.Context, tx *Tx, env countersign.EnvironmentID, kind string, ids []T) ([]countersign.PersonID, error) {
	return among(ids, func(in string, args []any) ([]countersign.PersonID, error) {
		return all(ctx, tx.q, scanPersonID, `
			SELECT user_id FROM user_identifiers WHERE environment_id = $1 AND kind = '`+kind+`' AND identifier_id IN `+in, append([]any{env}, args...)...)
	})
}

// personIDsByKeys looks each key up by itself: with IN, SQLite takes a longer list
// for a reason to read all identifiers of the environment.
func personIDsByKeys(ctx context.Context, tx *Tx, t countersign.Tenant, kind string, keys []string) ([]countersign.PersonID, error) {
	return among(keys, func(in string, args []any) ([]countersign.PersonID, error) {
		return all(ctx, tx.q, scanPersonID, fmt.Sprintf(`
			WITH wanted (match_key) AS (VALUES %s)
			SELECT i.user_id FROM wanted CROSS JOIN user_identifiers i
			WHERE i.environment_id = $1 AND i.organization_id = $%d AND i.kind = '%s' AND i.match_key = wanted.match_key`, rowsOf(in), len(args)+2, kind),
			slices.Concat([]any{t.EnvironmentID}, args, []any{tenantColumn(t)})...)
	})
}

// rowsOf makes of a list of parameters as many rows of one.
func rowsOf(in string) string { return strings.ReplaceAll(in, ", ", "), (") }

// amongSizes are the lengths of the lists that statements take, so that there
// are only a few statements to prepare. A shorter list repeats its last value.
var amongSizes = [...]int{1, 8, 64, 512}

// among runs a statement over a list of values, in as many parts as it needs. in
// is the list of its parameters, which begin with $2.
func among[V, R any](values []V, run func(in string, args []any) ([]R, error)) (list []R, err error) {
	for part := range slices.Chunk(values, amongSizes[len(amongSizes)-1]) {
		size, _ := slices.BinarySearch(amongSizes[:], len(part))
		args := make([]any, amongSizes[size])
		marks := make([]string, len(args))
		for i := range args {
			args[i] = part[min(i, len(part)-1)]
			marks[i] = fmt.Sprintf("$%d", i+2)
		}
		found, err := run("("+strings.Join(marks, ", ")+")", args)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}
