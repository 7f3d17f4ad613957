package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/countersign-auth/countersign"
)

// ErrNotFound is what a method answers for a row that is not there. Its callers
// know which of the contract's errors that is.
var ErrNotFound = errors.New("no such row")

// errUnrecorded is a programming error: a change without an audit event.
var errUnrecorded = errors.New("a transaction changed rows and recorded no event")

// Config says what to open.
type Config struct {
	// Database is the path of a SQLite file, made if it is missing, or a
	// postgres:// URL. Required.
	Database string
	// Now is the clock. Required.
	Now func() time.Time
}

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	dialect dialect
	write   *sql.DB
	read    *sql.DB // the same as write on PostgreSQL
	now     func() time.Time
	viewer  *prepared // on read
	claim   *os.File  // of a SQLite file
	group   *group    // of a SQLite file
}

// Open opens the database, brings its schema up to date and leaves it ready. It
// refuses a file that another process serves, a network file system, a schema
// newer than this binary, and a database that does not write before it answers.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{now: c.Now}
	if err := s.open(c.Database); err != nil {
		return nil, err
	}
	if err := s.dialect.checkDurable(ctx, s.write); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := migrate(ctx, s.dialect, s.write); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.dialect.groups { // the group keeps the one writing connection to itself
		var err error
		if s.group, err = newGroup(ctx, s.write); err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", c.Database, err), s.Close())
		}
	}
	return s, nil
}

func (s *Store) open(database string) (err error) {
	defer func() {
		if err == nil {
			s.viewer = &prepared{prepare: s.read.PrepareContext, direct: s.read}
		}
	}()
	if IsPostgres(database) {
		s.dialect = postgresDialect
		s.write, err = openPostgres(database)
		s.read = s.write
		return err
	}
	s.dialect = sqliteDialect
	if s.claim, err = claimFile(database); err != nil {
		return err
	}
	if s.write, s.read, err = openSQLite(database); err != nil {
		return errors.Join(err, s.claim.Close())
	}
	return nil
}

// Close closes the connections and gives up the claim on a SQLite file.
func (s *Store) Close() error {
	var err error
	if s.group != nil {
		err = errors.Join(s.group.q.close(), s.group.conn.Close())
	}
	err = errors.Join(err, s.read.Close())
	if s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	if s.claim != nil {
		err = errors.Join(err, s.claim.Close())
	}
	return err
}

// Tx is where statements run: inside Update a transaction, inside View the
// database itself. Now is the one moment of all that it writes.
type Tx struct {
	Now      time.Time
	q        querier
	actor    countersign.Actor
	changed  bool
	recorded bool
}

// View runs fn over the newest committed state. Each statement sees that state
// by itself: what must agree is one statement, or stands in an Update.
func (s *Store) View(ctx context.Context, fn func(tx *Tx) error) error {
	return fn(&Tx{Now: s.now(), q: s.viewer})
}

// Update runs fn in a SERIALIZABLE transaction and commits what it did, or does
// nothing. A race lost to another transaction runs fn again, until ctx ends, so
// fn does nothing but SQL and keeps no state of an earlier run. actor is who
// makes the change; fn must record an event if it changes anything.
func (s *Store) Update(ctx context.Context, actor countersign.Actor, fn func(tx *Tx) error) error {
	checked := func(tx *Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if tx.changed && !tx.recorded {
			return errUnrecorded
		}
		return nil
	}
	return s.transact(ctx, actor, checked)
}

// keep runs one statement that changes nothing a person would call a change: a
// last access, a kept key set, rows already gone for every reader. It is durable
// and leaves no event.
func (s *Store) keep(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	run := func(tx *Tx) error {
		result, err := tx.q.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	}
	if s.dialect.groups {
		return n, s.transact(ctx, countersign.System(), run)
	}
	// One statement at the engine's default isolation never loses a race.
	return n, run(&Tx{q: s.write})
}

// transact runs fn until it neither loses a race nor meets, once, a row that
// was not there when it looked.
func (s *Store) transact(ctx context.Context, actor countersign.Actor, fn func(tx *Tx) error) error {
	duplicates := 0
	for attempt := 0; ; attempt++ {
		err := s.once(ctx, actor, fn)
		switch {
		case err == nil:
			return nil
		case s.dialect.isDuplicate(err) && duplicates < 3:
			duplicates++ // somebody was faster; a second look finds their row
		case !s.dialect.isLostRace(err):
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func (s *Store) once(ctx context.Context, actor countersign.Actor, fn func(tx *Tx) error) error {
	if s.dialect.groups {
		return s.group.do(ctx, func(q querier) error {
			return fn(&Tx{Now: s.now(), q: q, actor: actor})
		})
	}
	tx, err := s.write.BeginTx(ctx, s.dialect.isolation())
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // even if fn panics; after a commit it does nothing
	if err = fn(&Tx{Now: s.now(), q: tx, actor: actor}); err == nil {
		err = tx.Commit()
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // database/sql rolled back because the caller left
		err = ctx.Err()
	}
	return err
}

// pause waits between attempts: a random part of 1 ms, doubling up to 64 ms, so
// that racers part.
func pause(ctx context.Context, attempt int) error {
	t := time.NewTimer(rand.N(time.Millisecond << min(attempt, 6))) //nolint:gosec // only to part racers
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
