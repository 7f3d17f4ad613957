package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// Reader is a database that is only looked at: beside the process that serves
// it, or although no process could. It takes no claim, migrates nothing and
// writes nothing (docs/adr/0023). Its methods may be called from many goroutines.
type Reader struct {
	dialect dialect
	db      *sql.DB
	now     func() time.Time
}

// OpenReader prepares to read a database. That there is one, and one that can be
// read, shows with the first question.
func OpenReader(c Config) (r *Reader, err error) {
	r = &Reader{now: c.Now}
	if IsPostgres(c.Database) {
		r.dialect = postgresDialect
		r.db, err = readPostgres(c.Database)
	} else {
		r.dialect = sqliteDialect
		r.db, err = readSQLite(c.Database)
	}
	return r, err
}

// Close closes the connections.
func (r *Reader) Close() error { return r.db.Close() }

// View is Store.View.
func (r *Reader) View(ctx context.Context, fn func(tx *Tx) error) error {
	return fn(&Tx{Now: r.now(), q: r.db})
}

// KnownSchema is the schema that this binary brings a database to.
func KnownSchema() int64 {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		return 0 // the files are embedded: neither happens
	}
	version, err := goose.NumericComponent(files[len(files)-1])
	if err != nil {
		return 0
	}
	return version
}

// ErrNoSchema is a database without countersign's tables. It may have others.
var ErrNoSchema = errors.New("the database has none of countersign's tables")

// schemaTable is where goose keeps the version.
const schemaTable = "goose_db_version"

// Schema is the version of the database's schema; ErrNoSchema.
func (r *Reader) Schema(ctx context.Context) (version int64, err error) {
	names, err := r.tables(ctx, r.db)
	if err != nil {
		return 0, err
	}
	if !slices.Contains(names, schemaTable) || !slices.Contains(names, "environments") {
		return 0, ErrNoSchema
	}
	err = r.db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+schemaTable+` WHERE is_applied`).Scan(&version)
	return version, err
}

// tables are the names of all tables, in order.
func (r *Reader) tables(ctx context.Context, q querier) ([]string, error) {
	return all(ctx, q, func(row scanner) (name string, err error) { return name, row.Scan(&name) }, r.dialect.tables)
}

// TableRows is how many rows a table has.
type TableRows struct {
	Table string
	Rows  int64
}

// Rows counts the rows of every table, which reads them all.
func (r *Reader) Rows(ctx context.Context) ([]TableRows, error) { return r.rows(ctx, r.db) }

func (r *Reader) rows(ctx context.Context, q querier) ([]TableRows, error) {
	names, err := r.tables(ctx, q)
	if err != nil {
		return nil, err
	}
	counts := make([]TableRows, len(names))
	for i, name := range names {
		counts[i].Table = name
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM `+quoted(name)).Scan(&counts[i].Rows); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", name, err)
		}
	}
	return counts, nil
}

// quoted is a name of the database's own as SQL has it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Orphans are rows that refer to a row which is not there.
type Orphans struct {
	Table string
	Rows  int64
	Of    string // what is missing
}

// keptForGood are tables whose rows outlive their environment on purpose.
var keptForGood = []string{"events", "environments", "departed_environments"}

// orphans are the references that no constraint holds. A member is a row of users.
var orphans = []struct{ table, of, where string }{
	{"user_identifiers", "users", remains + ` AND NOT EXISTS (SELECT 1 FROM users u WHERE u.environment_id = t.environment_id AND u.user_id = t.user_id)`},
	{"pem_files", "profiles", remains + ` AND NOT EXISTS (SELECT 1 FROM profiles p WHERE p.environment_id = t.environment_id AND p.profile_id = t.profile_id)`},
	{"sessions", "users", remains + ` AND NOT EXISTS (SELECT 1 FROM users u WHERE u.environment_id = t.environment_id AND u.user_id = t.subject_id)`},
	{"person_links", "users", remains + ` AND NOT EXISTS (SELECT 1 FROM users u WHERE u.environment_id = t.environment_id AND u.user_id = t.user_id)`},
	{"users", "organizations", remains + ` AND t.organization_id <> ''
		AND NOT EXISTS (SELECT 1 FROM organizations o WHERE o.environment_id = t.environment_id AND o.organization_id = t.organization_id)
		AND NOT EXISTS (SELECT 1 FROM departed_organizations d WHERE d.environment_id = t.environment_id AND d.organization_id = t.organization_id)`},
	{"operator_passes", "operators", `NOT EXISTS (SELECT 1 FROM operators o WHERE o.operator_id = t.operator_id)`},
}

// remains leaves out what the janitor is at.
const remains = `t.environment_id NOT IN (SELECT environment_id FROM departed_environments)`

// Orphans finds rows that refer to others which are not there. Of an environment
// or an organization that was deleted, what the janitor has not come to yet is
// none. It reads whole tables.
func (r *Reader) Orphans(ctx context.Context) ([]Orphans, error) {
	owned, err := all(ctx, r.db, func(row scanner) (name string, err error) { return name, row.Scan(&name) }, r.dialect.environmentTables)
	if err != nil {
		return nil, err
	}
	var found []Orphans
	count := func(table, of, where string) error {
		o := Orphans{Table: table, Of: of}
		if err := r.db.QueryRowContext(ctx, `SELECT count(*) FROM `+quoted(table)+` t WHERE `+where).Scan(&o.Rows); err != nil {
			return fmt.Errorf("look for rows of %s without %s: %w", table, of, err)
		}
		if o.Rows > 0 {
			found = append(found, o)
		}
		return nil
	}
	for _, table := range owned {
		if slices.Contains(keptForGood, table) {
			continue
		}
		if err := count(table, "environments", `t.environment_id NOT IN (
			SELECT environment_id FROM environments UNION ALL SELECT environment_id FROM departed_environments)`); err != nil {
			return nil, err
		}
	}
	names, err := r.tables(ctx, r.db)
	if err != nil {
		return nil, err
	}
	for _, o := range orphans {
		if !slices.Contains(names, o.table) || !slices.Contains(names, o.of) { // an older schema
			continue
		}
		if err := count(o.table, o.of, o.where); err != nil {
			return nil, err
		}
	}
	return found, nil
}
