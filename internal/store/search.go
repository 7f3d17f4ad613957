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
	Before countersign.UserID // not itself in it; zero: from the newest
	From   countersign.UserID // itself in it; zero: to the oldest
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

// UserIDs are at most limit users of a stretch that match a text, newest first.
// The zero Text matches all. Whatever the text, the statement reads nothing but
// one index, and of that no more than the stretch.
func (tx *Tx) UserIDs(ctx context.Context, env countersign.EnvironmentID, s Stretch, t Text, limit int) ([]countersign.UserID, error) {
	from, before := s.bounds()
	const stretch = ` WHERE environment_id = $1 AND user_id >= $2 AND user_id < $3`
	switch t.column {
	case emailText, phoneText:
		kind := kindEmail
		if t.column == phoneText {
			kind = kindPhone
		}
		return all(ctx, tx.q, scanUserID, `SELECT DISTINCT user_id FROM user_identifiers`+stretch+`
			AND kind = $4 AND match_key LIKE $5 ESCAPE '\' ORDER BY user_id DESC LIMIT $6`, env, from, before, kind, like(t.part), limit)
	case nameText:
		return all(ctx, tx.q, scanUserID, `SELECT user_id FROM users`+stretch+`
			AND full_name <> '' AND full_name LIKE $4 ESCAPE '\' ORDER BY user_id DESC LIMIT $5`, env, from, before, like(t.part), limit)
	default:
		return all(ctx, tx.q, scanUserID, `SELECT user_id FROM users`+stretch+` ORDER BY user_id DESC LIMIT $4`, env, from, before, limit)
	}
}

// UserIDAfter is the user that stands a number of places after the first one of
// a stretch; ErrNotFound if there are not so many.
func (tx *Tx) UserIDAfter(ctx context.Context, env countersign.EnvironmentID, s Stretch, places int) (countersign.UserID, error) {
	from, before := s.bounds()
	return one(tx.q.QueryRowContext(ctx, `
		SELECT user_id FROM users WHERE environment_id = $1 AND user_id >= $2 AND user_id < $3
		ORDER BY user_id DESC LIMIT 1 OFFSET $4`, env, from, before, places), scanUserID)
}

// CountUsersUpTo is how many users an environment has, or limit if it has more. In
// their order, so that PostgreSQL reads the index whatever its statistics say.
func (tx *Tx) CountUsersUpTo(ctx context.Context, env countersign.EnvironmentID, limit int) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM (SELECT 1 FROM users WHERE environment_id = $1 ORDER BY user_id LIMIT $2) AS counted`, env, limit)
}

func scanUserID(row scanner) (id countersign.UserID, err error) {
	err = row.Scan(&id)
	return id, err
}

// like is a pattern for text that has a part somewhere.
func like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}

// UsersByIDs are those of a list of users that an environment has, in no order.
func (tx *Tx) UsersByIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.UserID) ([]countersign.User, error) {
	return among(ids, func(in string, args []any) ([]countersign.User, error) {
		return tx.users(ctx, ` WHERE u.environment_id = $1 AND u.user_id IN `+in, append([]any{env}, args...)...)
	})
}

// UserIDsByExternalIDs are the users of a list of external IDs, in no order.
func (tx *Tx) UserIDsByExternalIDs(ctx context.Context, env countersign.EnvironmentID, ids []string) ([]countersign.UserID, error) {
	return among(ids, func(in string, args []any) ([]countersign.UserID, error) {
		return all(ctx, tx.q, scanUserID, `SELECT user_id FROM users WHERE environment_id = $1 AND external_id IN `+in, append([]any{env}, args...)...)
	})
}

// UserIDsByEmails are the users of a list of addresses in their normal form.
func (tx *Tx) UserIDsByEmails(ctx context.Context, env countersign.EnvironmentID, keys []string) ([]countersign.UserID, error) {
	return userIDsByKeys(ctx, tx, env, kindEmail, keys)
}

// UserIDsByPhones are the users of a list of phone numbers.
func (tx *Tx) UserIDsByPhones(ctx context.Context, env countersign.EnvironmentID, numbers []string) ([]countersign.UserID, error) {
	return userIDsByKeys(ctx, tx, env, kindPhone, numbers)
}

// UserIDsByEmailIDs are the users of a list of e-mail IDs.
func (tx *Tx) UserIDsByEmailIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.EmailID) ([]countersign.UserID, error) {
	return userIDsByIdentifiers(ctx, tx, env, kindEmail, ids)
}

// UserIDsByPhoneIDs are the users of a list of phone IDs.
func (tx *Tx) UserIDsByPhoneIDs(ctx context.Context, env countersign.EnvironmentID, ids []countersign.PhoneID) ([]countersign.UserID, error) {
	return userIDsByIdentifiers(ctx, tx, env, kindPhone, ids)
}

func userIDsByIdentifiers[T any](ctx context.Context, tx *Tx, env countersign.EnvironmentID, kind string, ids []T) ([]countersign.UserID, error) {
	return among(ids, func(in string, args []any) ([]countersign.UserID, error) {
		return all(ctx, tx.q, scanUserID, `
			SELECT user_id FROM user_identifiers WHERE environment_id = $1 AND kind = '`+kind+`' AND identifier_id IN `+in, append([]any{env}, args...)...)
	})
}

// userIDsByKeys looks each key up by itself: with IN, SQLite takes a longer list
// for a reason to read all identifiers of the environment.
func userIDsByKeys(ctx context.Context, tx *Tx, env countersign.EnvironmentID, kind string, keys []string) ([]countersign.UserID, error) {
	return among(keys, func(in string, args []any) ([]countersign.UserID, error) {
		rows := strings.ReplaceAll(in, ", ", "), (")
		return all(ctx, tx.q, scanUserID, `
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
