package store

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
)

const verdictColumns = `environment_id, request_id, at, profile_id, user_id, reason, step, expected, received, shadow, address, facts`

func scanVerdict(row scanner) (v countersign.Verdict, err error) {
	err = row.Scan(&v.EnvironmentID, &v.RequestID, (*micros)(&v.At), &v.ProfileID, &v.PersonID, &v.Reason, &v.Step,
		&v.Expected, &v.Received, &v.Shadow, &v.Address, jsonColumn{&v.Facts})
	return v, err
}

// verdictValues appends the values of a row as the drivers have them: what is none of
// theirs, database/sql makes one of by reflection, and in a flood there are many.
func verdictValues(to []any, v countersign.Verdict) ([]any, error) {
	facts, err := countersign.EncodeJSON(v.Facts)
	if err != nil {
		return to, err
	}
	var person any
	if !v.PersonID.IsZero() {
		person = v.PersonID.Bytes()
	}
	return append(to, v.EnvironmentID.Bytes(), v.RequestID.Bytes(), v.At.UnixMicro(), v.ProfileID.Bytes(), person, v.Reason, v.Step,
		v.Expected, v.Received, v.Shadow, v.Address, string(facts)), nil
}

// verdictInsert is a statement that inserts so many rows.
type verdictInsert struct {
	rows int
	text string
}

// verdictInserts are such statements for several rows at once, the most first. There
// are few, so that they stay prepared. parameter is how the engine has the nth one.
func verdictInserts(parameter func(n int) string) (list []verdictInsert) {
	columns := strings.Count(verdictColumns, ",") + 1
	for _, rows := range []int{64, 8, 1} {
		var values []string
		for n := 1; n <= rows*columns; n += columns {
			var row []string
			for i := range columns {
				row = append(row, parameter(n+i))
			}
			values = append(values, "("+strings.Join(row, ", ")+")")
		}
		list = append(list, verdictInsert{rows, `INSERT INTO verdicts (` + verdictColumns + `) VALUES ` + strings.Join(values, ", ")})
	}
	return list
}

// unlessThere makes such a statement pass over rows that are there. PostgreSQL
// then enters each row twice, so it is only for those who met one.
const unlessThere = ` ON CONFLICT (environment_id, request_id) DO NOTHING`

// SaveVerdicts keeps verdicts, and adds to the number of those that were not
// kept, all or nothing. Verdicts that are there already, because nobody could tell
// whether an earlier try had saved them, stay as they are.
func (s *Store) SaveVerdicts(ctx context.Context, list []countersign.Verdict, gaps []VerdictGap) error {
	pass := ""
	return s.transact(ctx, countersign.System(), func(tx *Tx) (err error) {
		defer func() {
			if s.dialect.isDuplicate(err) {
				pass = unlessThere // when transact runs this again
			}
		}()
		rest := list
		var args []any
		for _, insert := range s.dialect.verdictInserts {
			for ; len(rest) >= insert.rows; rest = rest[insert.rows:] {
				args = args[:0]
				for _, v := range rest[:insert.rows] {
					if args, err = verdictValues(args, v); err != nil {
						return err
					}
				}
				if _, err := tx.q.ExecContext(ctx, insert.text+pass, args...); err != nil {
					return err
				}
			}
		}
		for _, g := range gaps {
			_, err := tx.q.ExecContext(ctx, `
				INSERT INTO verdict_gaps (environment_id, profile_id, minute, missed) VALUES ($1, $2, $3, $4)
				ON CONFLICT (environment_id, profile_id, minute) DO UPDATE SET missed = verdict_gaps.missed + excluded.missed`,
				g.EnvironmentID, g.ProfileID, micros(g.Minute), g.Missed)
			if err != nil {
				return err
			}
		}
		for key, n := range hours(list) {
			_, err := tx.q.ExecContext(ctx, `
				INSERT INTO verdict_hours (environment_id, hour, reason, verdicts) VALUES ($1, $2, $3, $4)
				ON CONFLICT (environment_id, hour, reason) DO UPDATE SET verdicts = verdict_hours.verdicts + excluded.verdicts`,
				key.environment, micros(key.hour), key.reason, n)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type hourKey struct {
	environment countersign.EnvironmentID
	hour        time.Time
	reason      string
}

// hours counts verdicts by hour and reason. Those of profiles that are only tried
// are no sign-ins.
func hours(list []countersign.Verdict) map[hourKey]int64 {
	counts := map[hourKey]int64{}
	for _, v := range list {
		if !v.Shadow {
			counts[hourKey{v.EnvironmentID, v.At.UTC().Truncate(time.Hour), v.Reason}]++
		}
	}
	return counts
}

// VerdictHour is how many verdicts of an hour had a reason, "" of those that were
// accepted.
type VerdictHour struct {
	Hour     time.Time
	Reason   string
	Verdicts int64
}

// VerdictHours are an environment's counts from a moment on, oldest first.
func (tx *Tx) VerdictHours(ctx context.Context, env countersign.EnvironmentID, since time.Time) ([]VerdictHour, error) {
	return all(ctx, tx.q, func(row scanner) (h VerdictHour, err error) {
		err = row.Scan((*micros)(&h.Hour), &h.Reason, &h.Verdicts)
		return h, err
	}, `SELECT hour, reason, verdicts FROM verdict_hours WHERE environment_id = $1 AND hour >= $2 ORDER BY hour, reason`, env, micros(since))
}

// VerdictGap is how many refusals of a profile in a minute were not kept.
type VerdictGap struct {
	EnvironmentID countersign.EnvironmentID
	ProfileID     countersign.ProfileID
	Minute        time.Time
	Missed        int64
}

// Verdict finds a verdict; ErrNotFound if the environment has none such.
func (tx *Tx) Verdict(ctx context.Context, env countersign.EnvironmentID, id countersign.RequestID) (countersign.Verdict, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT `+verdictColumns+` FROM verdicts WHERE environment_id = $1 AND request_id = $2`, env, id), scanVerdict)
}

// VerdictFilter narrows a list of verdicts to what lies in one index; at most
// one of its members is set.
type VerdictFilter struct {
	ProfileID countersign.ProfileID
	PersonID  countersign.PersonID
	Reason    *string // "" of those that were accepted
}

// Verdicts are at most limit of an environment's, newest first: those after an ID
// and before another, neither of which need exist.
func (tx *Tx) Verdicts(ctx context.Context, env countersign.EnvironmentID, f VerdictFilter, after, before countersign.RequestID, limit int) ([]countersign.Verdict, error) {
	query, args := `SELECT `+verdictColumns+` FROM verdicts WHERE environment_id = $1 AND request_id > $2 AND request_id < $3`, []any{env, after, before, limit}
	switch {
	case !f.ProfileID.IsZero():
		query, args = query+` AND profile_id = $5`, append(args, f.ProfileID)
	case !f.PersonID.IsZero():
		query, args = query+` AND user_id = $5`, append(args, f.PersonID)
	case f.Reason != nil:
		query, args = query+` AND reason = $5`, append(args, *f.Reason)
	}
	return all(ctx, tx.q, scanVerdict, query+` ORDER BY request_id DESC LIMIT $4`, args...)
}

// MissedVerdicts is how many refusals were not kept between two moments, of a
// profile or, with the zero ID, of all. A zero moment is no bound.
func (tx *Tx) MissedVerdicts(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, since, until time.Time) (int, error) {
	if since.IsZero() {
		since = time.UnixMicro(0)
	}
	if until.IsZero() {
		until = time.UnixMicro(math.MaxInt64)
	}
	if profile.IsZero() {
		return tx.count(ctx, `
			SELECT CAST(coalesce(sum(missed), 0) AS BIGINT) FROM verdict_gaps WHERE environment_id = $1 AND minute >= $2 AND minute < $3`,
			env, micros(since), micros(until))
	}
	return tx.count(ctx, `
		SELECT CAST(coalesce(sum(missed), 0) AS BIGINT) FROM verdict_gaps WHERE environment_id = $1 AND profile_id = $2 AND minute >= $3 AND minute < $4`,
		env, profile, micros(since), micros(until))
}

// PurgeVerdicts removes at most limit verdicts of an environment from before a
// moment, and says how many it removed.
func (s *Store) PurgeVerdicts(ctx context.Context, env countersign.EnvironmentID, before time.Time, limit int) (int64, error) {
	first := countersign.FirstOrderedID[countersign.RequestID](env.Class(), before)
	n, err := s.keep(ctx, `
		DELETE FROM verdicts WHERE environment_id = $1 AND request_id IN (
			SELECT request_id FROM verdicts WHERE environment_id = $1 AND request_id < $2 ORDER BY request_id LIMIT $3)`, env, first, limit)
	if err != nil || n == int64(limit) {
		return n, err
	}
	if _, err := s.keep(ctx, `DELETE FROM verdict_gaps WHERE environment_id = $1 AND minute < $2`, env, micros(before)); err != nil {
		return n, err
	}
	_, err = s.keep(ctx, `DELETE FROM verdict_hours WHERE environment_id = $1 AND hour < $2`, env, micros(before))
	return n, err
}
