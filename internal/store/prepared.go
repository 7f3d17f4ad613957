package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// querier is where statements run.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// prepared runs each statement text through one prepared statement. There are as
// many as the package has texts.
type prepared struct {
	stmts   sync.Map // text → *sql.Stmt
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)
	direct  querier
}

func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // it is prepared for good
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // it is prepared for good
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // it is prepared for good
	if err != nil {
		return p.direct.QueryRowContext(ctx, query, args...) // its Scan says what is wrong
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (p *prepared) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := p.stmts.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := p.prepare(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, err
	}
	if first, raced := p.stmts.LoadOrStore(query, stmt); raced {
		return first.(*sql.Stmt), stmt.Close() //nolint:sqlclosecheck // only the one that lost
	}
	return stmt, nil
}

// close closes the statements: of a connection that is closed while it has some,
// SQLite keeps the file open, and its WAL file stays behind.
func (p *prepared) close() (err error) {
	p.stmts.Range(func(_, stmt any) bool {
		err = errors.Join(err, stmt.(*sql.Stmt).Close())
		return true
	})
	return err
}
