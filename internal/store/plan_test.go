package store

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
)

// largeTables hold rows in numbers; the aliases are those of statements.
var largeTables = map[string]bool{
	"users": true, "u": true, "user_identifiers": true, "i": true, "sessions": true, "events": true,
	"person_links": true, "organizations": true, "o": true, "used_tokens": true, "verdicts": true, "verdict_gaps": true, "verdict_hours": true,
}

// readAll are the statements that mean to read, or begin to read, all that an
// environment has in a large table.
var readAll = []string{
	`SELECT count(*) FROM users WHERE environment_id = $1`,
	`SELECT count(*) FROM organizations WHERE environment_id = $1`,
	`ORDER BY event_id DESC LIMIT $2`,                              // in the order of the index
	`ORDER BY session_id DESC LIMIT 1`,                             // likewise
	`FROM verdict_gaps WHERE environment_id = $1 AND minute >= $2`, // a row for a minute of trouble
	`WHERE environment_id = $1 LIMIT $2`,
	`WHERE environment_id = $1 ORDER BY user_id LIMIT $2`, // no more than the limit
	`WHERE environment_id = $1 ORDER BY organization_id LIMIT $2`,
}

// TestEveryStatementUsesItsKey calls every method, whatever comes of it, and
// asks SQLite, which has no statistics to be misled by, how it runs each
// statement: never by reading all rows of an environment to find a few.
func TestEveryStatementUsesItsKey(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), openEmpty(t)
	env := countersign.NewID[countersign.EnvironmentID](countersign.Test)
	err := s.Update(ctx, countersign.System(), func(tx *Tx) error {
		return errors.Join(tx.InsertProject(ctx, countersign.Project{Slug: "p", CreatedAt: time.Now()}),
			tx.InsertEnvironment(ctx, countersign.Environment{ID: env, ProjectSlug: "p", SessionTokenKey: []byte{}, CreatedAt: time.Now()}),
			tx.DeleteEnvironment(ctx, env), tx.Record(ctx, env, "environment.deleted", "e", nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	for _, run := range []func(context.Context, func(*Tx) error) error{
		s.View,
		func(ctx context.Context, fn func(*Tx) error) error { return s.Update(ctx, countersign.System(), fn) },
	} {
		err := run(ctx, func(tx *Tx) error {
			callAll(ctx, reflect.ValueOf(tx))
			searchAll(ctx, tx)
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
	}
	callAll(ctx, reflect.ValueOf(s))

	texts := map[string]bool{}
	for _, p := range []*prepared{s.viewer, s.group.q} {
		for text := range p.stmts.Range {
			texts[text.(string)] = true
		}
	}
	if len(texts) < 60 {
		t.Errorf("only %d statements were seen", len(texts))
	}
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		for _, step := range plan(t, s, text) {
			if searchesAll(step) && !slices.ContainsFunc(readAll, func(part string) bool { return strings.Contains(text, part) }) {
				t.Errorf("%s\n\t%s", step, strings.TrimSpace(text))
			}
		}
	}
}

// callAll calls every method but those that end things or need a function, with
// zero arguments: the text of a statement does not depend on them.
func callAll(ctx context.Context, v reflect.Value) {
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		if name == "Close" || name == "View" || name == "Update" {
			continue
		}
		args := []reflect.Value{reflect.ValueOf(ctx)}
		for n := 1; n < method.Type().NumIn(); n++ {
			arg := reflect.Zero(method.Type().In(n))
			if arg.Type() == reflect.TypeFor[time.Time]() {
				arg = reflect.ValueOf(time.Now().Add(time.Hour))
			}
			args = append(args, arg)
		}
		method.Call(args)
	}
}

// searchAll runs the searches whose text depends on what is searched for.
func searchAll(ctx context.Context, tx *Tx) {
	var env countersign.EnvironmentID
	users := countersign.Tenant{EnvironmentID: env}
	members := countersign.Tenant{EnvironmentID: env, OrganizationID: countersign.NewID[countersign.OrganizationID](countersign.Test)}
	for _, t := range []countersign.Tenant{users, members} {
		searchTenant(ctx, tx, t)
	}
	for _, text := range []Text{{}, NamePart("abc"), SlugPart("abc")} {
		_, _ = tx.OrganizationIDs(ctx, env, Stretch[countersign.OrganizationID]{}, text, 1)
	}
	_, _ = tx.OrganizationsByIDs(ctx, env, make([]countersign.OrganizationID, 70))
	_, _ = tx.OrganizationIDsByExternalIDs(ctx, env, make([]string, 70))
	_, _ = tx.OrganizationIDsBySlugs(ctx, env, make([]string, 70))
	_, _ = tx.OrganizationIDsByEmails(ctx, env, make([]string, 70))
	_, _ = tx.OrganizationIDsWithEmailPart(ctx, env, make([]countersign.OrganizationID, 70), "abc")
	_, _ = tx.CountMembers(ctx, members, 1)
	_, _ = tx.PeopleByIDs(ctx, env, make([]countersign.PersonID, 70))
	_, _ = tx.PeopleByIDs(ctx, env, []countersign.PersonID{countersign.PersonIDIn(countersign.B2B, countersign.PersonID{})})
	_, _ = tx.UserIDsByEmailIDs(ctx, env, make([]countersign.EmailID, 70))
	_, _ = tx.UserIDsByPhoneIDs(ctx, env, make([]countersign.PhoneID, 70))
}

func searchTenant(ctx context.Context, tx *Tx, t countersign.Tenant) {
	for _, text := range []Text{EmailPart("abc"), PhonePart("123"), NamePart("abc")} {
		_, _ = tx.PersonIDs(ctx, t, Stretch[countersign.PersonID]{}, text, 1)
	}
	_, _ = tx.PersonIDs(ctx, t, Stretch[countersign.PersonID]{}, Text{}, 1)
	_, _ = tx.PersonIDAfter(ctx, t, Stretch[countersign.PersonID]{}, 1)
	_, _ = tx.PersonIDsByExternalIDs(ctx, t, make([]string, 70))
	_, _ = tx.PersonIDsByEmails(ctx, t, make([]string, 70))
	_, _ = tx.PersonIDsByPhones(ctx, t, make([]string, 70))
	_, _ = tx.PersonByEmail(ctx, t, "")
	_, _ = tx.PersonByExternalID(ctx, t, "")
}

var parameter = regexp.MustCompile(`\$\d+`)

func plan(t *testing.T, s *Store, text string) (steps []string) {
	t.Helper()
	if strings.HasPrefix(text, "BEGIN") || strings.HasPrefix(text, "COMMIT") || strings.HasPrefix(text, "ROLLBACK") {
		return nil
	}
	seen := map[string]bool{}
	for _, p := range parameter.FindAllString(text, -1) {
		seen[p] = true
	}
	rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, len(seen))...)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

var step = regexp.MustCompile(`^(SCAN|SEARCH) (\w+)(.*)`)

// searchesAll reports whether a step reads all rows of an environment, or all
// there are, in a large table.
func searchesAll(detail string) bool {
	m := step.FindStringSubmatch(detail)
	if m == nil || !largeTables[m[2]] {
		return false
	}
	return m[1] == "SCAN" || strings.Contains(m[3], "(environment_id=?)")
}

// TestFilteredVerdictsUseTheirIndex holds the plans of filters that few verdicts may
// pass: to look for those among all would take a minute.
func TestFilteredVerdictsUseTheirIndex(t *testing.T) {
	t.Parallel()
	reason := "expired"
	for index, filter := range map[string]VerdictFilter{
		"verdicts_by_profile": {ProfileID: countersign.NewID[countersign.ProfileID](countersign.Test)},
		"verdicts_by_user":    {PersonID: countersign.NewID[countersign.PersonID](countersign.Test)},
		"verdicts_by_reason":  {Reason: &reason},
	} {
		s := openEmpty(t)
		err := s.View(t.Context(), func(tx *Tx) error {
			_, err := tx.Verdicts(t.Context(), countersign.EnvironmentID{}, filter, countersign.RequestID{}, countersign.RequestID{}, 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for text := range s.viewer.stmts.Range {
			seen++
			if steps := strings.Join(plan(t, s, text.(string)), "\n"); !strings.Contains(steps, index+" ") {
				t.Errorf("%s\n\tnot %s", steps, index)
			}
		}
		if seen != 1 {
			t.Errorf("%d statements", seen)
		}
	}
}

// openEmpty is a store of a SQLite file of its own.
func openEmpty(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Database: filepath.Join(t.TempDir(), "countersign.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
