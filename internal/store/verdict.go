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

// verdictRow is a row as the drivers have it: what is none of theirs, database/sql
// makes one of by reflection, and in a flood there are many.
type verdictRow struct {
	environment, request []byte
	at                   int64
	profile, person      []byte // a nil person is NULL
	facts                string
}

func newVerdictRow(v countersign.Verdict) (r verdictRow, err error) {
	facts, err := countersign.EncodeJSON(v.Facts)
	r = verdictRow{v.EnvironmentID.Bytes(), v.RequestID.Bytes(), v.At.UnixMicro(), v.ProfileID.Bytes(), nil, string(facts)}
	if !v.PersonID.IsZero() {
		r.person = v.PersonID.Bytes()
	}
	return r, err
}

// verdictInserts are SQLite's statements that insert several rows at once, by how
// many, the most first; there are few, so that they stay prepared. Their parameters
// have no numbers: the driver finds each number by walking through all before it.
var verdictInserts = [...]struct {
	rows int
	text string
}{{64, insertVerdicts(64)}, {8, insertVerdicts(8)}, {1, insertVerdicts(1)}}

func insertVerdicts(rows int) string {
	row := "(" + strings.Repeat("?, ", strings.Count(verdictColumns, ",")) + "?)"
	return `INSERT INTO verdicts (` + verdictColumns + `) VALUES ` + strings.Repeat(row+", ", rows-1) + row
}

func insertVerdictRows(ctx context.Context, q querier, list []countersign.Verdict, suffix string) error {
	var args []any
	for _, insert := range verdictInserts {
		for ; len(list) >= insert.rows; list = list[insert.rows:] {
			args = args[:0]
			for _, v := range list[:insert.rows] {
				r, err := newVerdictRow(v)
				if err != nil {
					return err
				}
				args = append(args, r.environment, r.request, r.at, r.profile, r.person, v.Reason, v.Step,
					v.Expected, v.Received, v.Shadow, v.Address, r.facts)
			}
			if _, err := q.ExecContext(ctx, insert.text+suffix, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertVerdictColumns does the same on PostgreSQL, with an array for each column: it
// reads a dozen parameters faster than thousands.
func insertVerdictColumns(ctx context.Context, q querier, list []countersign.Verdict, suffix string) error {
	var (
		environments, requests, profiles, people             [][]byte
		at                                                   []int64
		reasons, steps, expected, received, addresses, facts []string
		shadow                                               []bool
	)
	for _, v := range list {
		r, err := newVerdictRow(v)
		if err != nil {
			return err
		}
		environments, requests, at = append(environments, r.environment), append(requests, r.request), append(at, r.at)
		profiles, people = append(profiles, r.profile), append(people, r.person)
		reasons, steps, expected, received = append(reasons, v.Reason), append(steps, v.Step), append(expected, v.Expected), append(received, v.Received)
		shadow, addresses, facts = append(shadow, v.Shadow), append(addresses, v.Address), append(facts, r.facts)
	}
	_, err := q.ExecContext(ctx, `
		INSERT INTO verdicts (`+verdictColumns+`)
		SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::boolean[], $11::text[], $12::text[])`+suffix,
		environments, requests, at, profiles, people, reasons, steps, expected, received, shadow, addresses, facts)
	return err
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
		if len(list) > 0 {
			if err := s.dialect.insertVerdicts(ctx, tx.q, list, pass); err != nil {
				return err
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

// Verdicts are at most limit of an environment's, newest first: those from an ID on
// and before another, neither of which need exist. With BETWEEN SQLite takes the index
// of what is filtered by; with two comparisons it takes the primary key, and reads all
// there is for a filter that few or none pass.
func (tx *Tx) Verdicts(ctx context.Context, env countersign.EnvironmentID, f VerdictFilter, from, before countersign.RequestID, limit int) ([]countersign.Verdict, error) {
	query, args := `SELECT `+verdictColumns+` FROM verdicts WHERE environment_id = $1 AND request_id BETWEEN $2 AND $3 AND request_id <> $3`, []any{env, from, before, limit}
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
