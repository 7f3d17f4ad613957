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
)

// EmailPart matches addresses whose normal form has a part, which must be
// Searchable.
func EmailPart(part string) Text { return Text{emailText, part} }

// PhonePart matches phone numbers.
func PhonePart(part string) Text { return Text{phoneText, part} }

// NamePart matches names.
func NamePart(part string) Text { return Text{nameText, part} }

// Stretch is a run of users in the order of their IDs, newest first, which is
// the order in which they were made.
type Stretch struct {
	Before countersign.PersonID // not itself in it; zero: from the newest
	From   countersign.PersonID // itself in it; zero: to the oldest
}

// bounds are the keys of a stretch.
func (s Stretch) bounds() (from, before []byte) {
	from, before = s.From.Bytes(), s.Before.Bytes()
	if s.From.IsZero() {
		from = []byte{}
	}
	if s.Before.IsZero() {
		before = behindAnyID
	}
	return from, before
}

// PersonIDs are at most limit users of a stretch that match a text, newest first.
// The zero Text matches all. Whatever the text, the statement reads nothing but
// one index, and of that no more than the stretch.
func (tx *Tx) PersonIDs(ctx context.Context, env countersign.EnvironmentID, s Stretch, t Text, limit int) ([]countersign.PersonID, error) {
	from, before := s.bounds()
	const stretch = ` WHERE environment_id = $1 AND user_id >= $2 AND user_id < $3`
	switch t.column {
	case emailText, phoneText:
		kind := kindEmail
		if t.column == phoneText {
			kind = kindPhone
		}
		return all(ctx, tx.q, scanPersonID, `SELECT DISTINCT user_id FROM user_identifiers`+stretch+`
			AND kind = $4 AND match_key LIKE $5 ESCAPE '\' ORDER BY user_id DESC LIMIT $6`, env, from, before, kind, like(t.part), limit)
	case nameText:
		return all(ctx, tx.q, scanPersonID, `SELECT user_id FROM users`+stretch+`
			AND full_name <> '' AND full_name LIKE $4 ESCAPE '\' ORDER BY user_id DESC LIMIT $5`, env, from, before, like(t.part), limit)
	default:
		return all(ctx, tx.q, scanPersonID, `SELECT user_id FROM users`+stretch+` ORDER BY user_id DESC LIMIT $4`, env, from, before, limit)
	}
}

// PersonIDAfter is the user that stands a number of places after the first one of
// a stretch; ErrNotFound if there are not so many.
func (tx *Tx) PersonIDAfter(ctx context.Context, env countersign.EnvironmentID, s Stretch, places int) (countersign.PersonID, error) {
	from, before := s.bounds()
	return one(tx.q.QueryRowContext(ctx, `
		SELECT user_id FROM users WHERE environment_id = $1 AND user_id >= $2 AND user_id < $3
		ORDER BY user_id DESC LIMIT 1 OFFSET $4`, env, from, before, places), scanPersonID)
}

// CountPeopleUpTo is how many users an environment has, or limit if it has more. In
// their order, so that PostgreSQL reads the index whatever its statistics say.
func (tx *Tx) CountPeopleUpTo(ctx context.Context, env countersign.EnvironmentID, limit int) (int, error) {
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

// PeopleByIDs are those of a list of users that an environment has, in no order.
func (tx *Tx) PeopleByIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.PersonID) ([]countersign.Person, error) {
	return among(ids, func(in string, args []any) ([]countersign.Person, error) {
		return tx.people(ctx, ` WHERE u.environment_id = $1 AND u.user_id IN `+in, append([]any{env}, args...)...)
	})
}

// PersonIDsByExternalIDs are the users of a list of external IDs, in no order.
func (tx *Tx) PersonIDsByExternalIDs(ctx context.Context, env countersign.EnvironmentID, ids []string) ([]countersign.PersonID, error) {
	return among(ids, func(in string, args []any) ([]countersign.PersonID, error) {
		return all(ctx, tx.q, scanPersonID, `SELECT user_id FROM users WHERE environment_id = $1 AND external_id IN `+in, append([]any{env}, args...)...)
	})
}

// PersonIDsByEmails are the users of a list of addresses in their normal form.
func (tx *Tx) PersonIDsByEmails(ctx context.Context, env countersign.EnvironmentID, keys []string) ([]countersign.PersonID, error) {
	return personIDsByKeys(ctx, tx, env, kindEmail, keys)
}

// PersonIDsByPhones are the users of a list of phone numbers.
func (tx *Tx) PersonIDsByPhones(ctx context.Context, env countersign.EnvironmentID, numbers []string) ([]countersign.PersonID, error) {
	return personIDsByKeys(ctx, tx, env, kindPhone, numbers)
}

// PersonIDsByEmailIDs are the users of a list of e-mail IDs.
func (tx *Tx) PersonIDsByEmailIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.EmailID) ([]countersign.PersonID, error) {
	return personIDsByIdentifiers(ctx, tx, env, kindEmail, ids)
}

// PersonIDsByPhoneIDs are the users of a list of phone IDs.
func (tx *Tx) PersonIDsByPhoneIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.PhoneID) ([]countersign.PersonID, error) {
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
func personIDsByKeys(ctx context.Context, tx *Tx, env countersign.EnvironmentID, kind string, keys []string) ([]countersign.PersonID, error) {
	return among(keys, func(in string, args []any) ([]countersign.PersonID, error) {
		rows := strings.ReplaceAll(in, ", ", "), (")
		return all(ctx, tx.q, scanPersonID, `
			WITH wanted (match_key) AS (VALUES `+rows+`)
			SELECT i.user_id FROM wanted CROSS JOIN user_identifiers i
			WHERE i.environment_id = $1 AND i.kind = '`+kind+`' AND i.match_key = wanted.match_key`, append([]any{env}, args...)...)
	})
}

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
