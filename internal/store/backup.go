package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"

	"modernc.org/sqlite"
)

// Copy is what BackUp has written and read again.
type Copy struct {
	Bytes  int64
	Schema int64
	Rows   []TableRows
}

// backupPages is how much is copied between two looks at the context: 4 MiB of
// SQLite's pages.
const backupPages = 1024

// BackUp copies a SQLite file, as it is at one moment, into the file to, which
// must be empty and nobody else's. It needs no claim: the process that serves the
// file goes on reading and writing, and only its WAL file grows meanwhile. Then it
// reads the copy again: its structure, its indexes, and as many rows in each table
// as there were. progress is told of pages. ErrNoSchema.
func BackUp(ctx context.Context, from, to string, progress func(done, total int)) (Copy, error) {
	var c Copy
	source, err := OpenReader(Config{Database: from})
	if err != nil {
		return c, err
	}
	defer func() { _ = source.Close() }()
	if c.Schema, err = source.Schema(ctx); err != nil {
		return c, err
	}
	conn, err := source.db.Conn(ctx)
	if err != nil {
		return c, err
	}
	defer func() { _ = conn.Close() }()
	// One transaction around counting and copying, or SQLite would begin anew
	// whenever the server writes (sqlite.org/c3ref/backup_finish.html).
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return c, err
	}
	defer func() { _ = tx.Rollback() }() // which has read, and nothing else
	if c.Rows, err = source.rows(ctx, tx); err != nil {
		return c, err
	}
	if err := conn.Raw(func(raw any) error { return copyPages(ctx, raw, to, progress) }); err != nil {
		return c, fmt.Errorf("copy the database: %w", err)
	}
	return c, c.verify(ctx, to)
}

// copyPages copies all pages of a connection's database.
func copyPages(ctx context.Context, raw any, to string, progress func(done, total int)) (err error) {
	source, ok := raw.(interface {
		NewBackup(uri string) (*sqlite.Backup, error)
	})
	if !ok {
		return driver.ErrBadConn
	}
	// No locks, which a network file system might not have, and no journal: until
	// it is done the file is nobody else's, and nothing to recover.
	uri, err := sqliteURI(to, url.Values{"nolock": {"1"}, "_pragma": {"journal_mode(OFF)", "synchronous(OFF)"}})
	if err != nil {
		return err
	}
	backup, err := source.NewBackup(uri)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backup.Finish()) }()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if more, err = backup.Step(backupPages); err != nil {
			return err
		}
		progress(backup.PageCount()-backup.Remaining(), backup.PageCount())
	}
	return nil
}

// verify makes the copy durable, and holds what can be read of it against what
// was copied.
func (c *Copy) verify(ctx context.Context, path string) (err error) {
	if c.Bytes, err = synced(path); err != nil {
		return err
	}
	r, err := readCopy(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	found, err := r.Damage(ctx, true)
	if err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	if len(found) > 0 {
		return fmt.Errorf("the copy is damaged, and so, likely, is the database: %s", found[0])
	}
	schema, err := r.Schema(ctx)
	if err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	rows, err := r.Rows(ctx)
	if err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	if schema != c.Schema || !slices.Equal(rows, c.Rows) {
		return fmt.Errorf("the copy has schema %d and rows %v; the database has schema %d and rows %v", schema, rows, c.Schema, c.Rows)
	}
	return nil
}

// synced writes a file through to the disk and gives its size.
func synced(path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// readCopy opens a file that nobody else has open, and leaves no other beside it.
func readCopy(path string) (*Reader, error) {
	uri, err := sqliteURI(path, url.Values{"immutable": {"1"}, "_pragma": {"query_only(1)"}})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", uri)
	return &Reader{dialect: sqliteDialect, db: db}, err
}

// CopiedFact is a workspace fact of a file that nobody has open; ErrNotFound.
func CopiedFact(ctx context.Context, path, name string) (value []byte, err error) {
	r, err := readCopy(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return (&Tx{q: r.db}).WorkspaceFact(ctx, name)
}
