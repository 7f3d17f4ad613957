package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
)

// A dialect is all that the engines do not share: how to open them and two
// questions about their errors. This file is the only one that knows which
// engine it is.
type dialect struct {
	goose goose.Dialect
	// groups says that writers queue for one connection and share commits.
	groups bool
	// rows is how many rows one INSERT brings at most: SQLite's driver finds each
	// parameter by walking through all names.
	rows        int
	isDuplicate func(error) bool // a unique constraint was violated
	isLostRace  func(error) bool // the transaction may succeed if it is run again
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
	rows:   8,
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
	goose: goose.DialectPostgres,
	rows:  64,
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
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, err
	}
	dsn := func(pragmas ...string) string {
		q := url.Values{"_pragma": append([]string{
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		}, pragmas...)}
		return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String()
	}
	if write, err = sql.Open("sqlite", dsn()+"&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", dsn("query_only(1)")); err != nil {
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

// openPostgres opens a pool. The URL may hold a password, so no error repeats it.
func openPostgres(database string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return nil, errors.New("the --database URL is not one that PostgreSQL understands; expected postgres://user:password@host:5432/name?sslmode=verify-full")
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
