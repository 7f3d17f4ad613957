package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"slices"

	"modernc.org/sqlite"
)

// sqliteURI names a file to SQLite (sqlite.org/uri.html).
func sqliteURI(path string, query url.Values) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: query.Encode()}).String(), nil
}

// readSQLite opens a file that may have a process which serves it. SQLite's own
// locks keep the two apart: readers and the writer of a WAL file do not wait for
// one another. The file is never opened by any other means, because closing it
// would give up the locks of SQLite in this process (sqlite.org/howtocorrupt.html §2.2).
func readSQLite(path string) (*sql.DB, error) {
	uri, err := sqliteURI(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}})
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", uri)
}

// Damage asks SQLite what is wrong with the file: its structure and the rows that
// constraints speak of; in full also whether the indexes say what the tables say.
// None is good. Of PostgreSQL, which answers for itself, there is always none.
func (r *Reader) Damage(ctx context.Context, full bool) ([]string, error) {
	if !r.dialect.groups {
		return nil, nil
	}
	check := `PRAGMA quick_check(20)`
	if full {
		check = `PRAGMA integrity_check(20)`
	}
	text := func(row scanner) (s string, err error) { return s, row.Scan(&s) }
	found, err := all(ctx, r.db, text, check)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(s string) bool { return s == "ok" })
	dangling, err := all(ctx, r.db, text, `SELECT "table" || ' has ' || count(*) || ' rows whose ' || "parent" || ' are not there' FROM pragma_foreign_key_check GROUP BY "table", "parent"`)
	return append(found, dangling...), err
}

// NotDatabase reports whether an error of a Reader says that the file is no
// SQLite database, or a damaged one.
func NotDatabase(err error) bool {
	const corrupt, notADatabase = 11, 26 // sqlite.org/rescode.html
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == corrupt || e.Code()&0xff == notADatabase)
}
