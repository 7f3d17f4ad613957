package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"

	"github.com/countersign-auth/countersign"
)

// A dialect is all that the engines do not share: how to open them, two
// questions about their errors and two about their tables. This file, and beside
// it read_sqlite.go, read_postgres.go and backup.go, are the only ones that know which
// engine it is.
type dialect struct {
	goose goose.Dialect
	// tables and environmentTables are queries for the names of all tables, and of
	// those whose rows belong to an environment.
	tables, environmentTables string
	// groups says that writers queue for one connection and share commits.
	groups bool
	// insertVerdicts inserts many rows, with a suffix of the statement.
	insertVerdicts func(ctx context.Context, q querier, list []countersign.Verdict, suffix string) error
	isDuplicate    func(error) bool // a unique constraint was violated
	isLostRace     func(error) bool // the transaction may succeed if it is run again
}

// SQLite's result codes (sqlite.org/rescode.html).
const (
	sqliteBusy                 = 5
	sqliteConstraintPrimaryKey = 1555
	sqliteConstraintUnique     = 2067
)

// PostgreSQL's error codes (appendix A of its manual).
const (
	pgUniqueViolation      = "23505"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
)

var sqliteDialect = dialect{
	goose:  goose.DialectSQLite3,
	groups: true,
	tables: `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`,
	environmentTables: `SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.name = 'environment_id' ORDER BY m.name`,
	insertVerdicts: insertVerdictRows,
	isDuplicate: func(err error) bool {
		e, ok := errors.AsType[*sqlite.Error](err)
		return ok && (e.Code() == sqliteConstraintUnique || e.Code() == sqliteConstraintPrimaryKey)
	},
	isLostRace: func(err error) bool {
		e, ok := errors.AsType[*sqlite.Error](err)
		return ok && e.Code()&0xff == sqliteBusy
	},
}

var postgresDialect = dialect{
	goose:  goose.DialectPostgres,
	tables: `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name COLLATE "C"`,
	environmentTables: `SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.column_name = 'environment_id' ORDER BY c.table_name COLLATE "C"`,
	insertVerdicts: insertVerdictColumns,
	isDuplicate: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == pgUniqueViolation
	},
	isLostRace: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && (e.Code == pgSerializationFailure || e.Code == pgDeadlockDetected)
	},
}

// IsPostgres reports whether a --database setting names a PostgreSQL database
// rather than a file.
func IsPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// openSQLite opens one writing connection and a few reading ones on a file.
// Full synchronisation in WAL mode makes every commit durable (sqlite.org/wal.html).
func openSQLite(path string) (write, read *sql.DB, err error) {
	open := func(query url.Values) (*sql.DB, error) {
		query["_pragma"] = append([]string{
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		}, query["_pragma"]...)
		uri, err := sqliteURI(path, query)
		if err != nil {
			return nil, err
		}
		return sql.Open("sqlite", uri)
	}
	if write, err = open(url.Values{"_txlock": {"immediate"}}); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if read, err = open(url.Values{"_pragma": {"query_only(1)"}}); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return write, read, nil
}

// postgresConns bounds the connections of one process; more would only queue in
// the database instead of here.
const postgresConns = 32

// openPostgres opens a pool.
func openPostgres(database string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return nil, errPostgresURL
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	return db, nil
}

// migrationLock keeps two processes from migrating one PostgreSQL at once. A
// SQLite file has one process.
func (d dialect) migrationLock() ([]goose.ProviderOption, error) {
	if d.groups {
		return nil, nil
	}
	// Whoever finds it taken looks again every second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, fmt.Errorf("prepare the migration lock: %w", err)
	}
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}

// isolation of an Update. SQLite's writers are one after another anyway.
func (d dialect) isolation() *sql.TxOptions {
	if d.groups {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelSerializable}
}

// checkDurable refuses a PostgreSQL that acknowledges before it has written.
func (d dialect) checkDurable(ctx context.Context, db *sql.DB) error {
	if d.groups {
		return nil
	}
	var setting string
	if err := db.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&setting); err != nil {
		return fmt.Errorf("ask for synchronous_commit: %w", err)
	}
	if setting == "off" {
		return errors.New("the database has synchronous_commit = off and would lose acknowledged sessions; set it to on for this database or role")
	}
	return nil
}
