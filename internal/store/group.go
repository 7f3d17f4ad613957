package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// group lets writers that wait at the same moment share one transaction and one
// fsync. Each has a savepoint and an answer of its own; none can tell. There is
// no goroutine: the first to come leads, and hands over when its batch is done.
type group struct {
	conn *sql.Conn
	q    *prepared // on conn

	mu      sync.Mutex
	busy    bool
	waiting []*write
}

func newGroup(ctx context.Context, db *sql.DB) (*group, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &group{conn: conn, q: &prepared{prepare: conn.PrepareContext, direct: conn}}, nil
}

// maxBatch bounds how long the first of a batch waits for the last.
const maxBatch = 64

type write struct {
	ctx  context.Context //nolint:containedctx // it lives as long as the call that brought it
	fn   func(querier) error
	err  error
	lead chan bool // true: lead the next batch; closed: err is the answer
	// panicked is what fn panicked with, to be thrown again where it belongs.
	panicked any
}

// do runs fn within a transaction of the group and returns when it is durable.
func (g *group) do(ctx context.Context, fn func(querier) error) error {
	w := &write{ctx: ctx, fn: fn, lead: make(chan bool, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	leads := !g.busy
	g.busy = true
	g.mu.Unlock()
	if !leads {
		leads = <-w.lead
	}
	if leads {
		g.run() //nolint:contextcheck // a batch has the context of its first write
	}
	if w.panicked != nil {
		panic(w.panicked)
	}
	return w.err
}

// run takes a batch, in which the caller is the first, commits it, answers the
// others, and hands the lead to whoever came meanwhile.
func (g *group) run() {
	g.mu.Lock()
	n := min(len(g.waiting), maxBatch)
	batch := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	g.mu.Unlock()

	g.commit(batch)

	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range batch[1:] {
		close(w.lead)
	}
	if len(g.waiting) == 0 {
		g.busy, g.waiting = false, nil
		return
	}
	g.waiting[0].lead <- true
}

// commit runs every write of the batch and commits. Statements are not
// interrupted when a caller leaves: SQLite would take the whole transaction
// back, and with it the work of the others.
func (g *group) commit(batch []*write) {
	ctx := context.WithoutCancel(batch[0].ctx)
	if err := g.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		fail(batch, err)
		return
	}
	alive := 0
	for _, w := range batch {
		if w.err = w.ctx.Err(); w.err != nil {
			continue
		}
		if err := g.call(ctx, w, len(batch) > 1); err != nil {
			_ = g.exec(ctx, "ROLLBACK") // the first error says more
			fail(batch, err)
			return
		}
		if w.err == nil {
			alive++
		}
	}
	if alive == 0 {
		_ = g.exec(ctx, "ROLLBACK")
		return
	}
	if err := g.exec(ctx, "COMMIT"); err != nil {
		_ = g.exec(ctx, "ROLLBACK")
		fail(batch, err)
	}
}

func (g *group) exec(ctx context.Context, statement string) error {
	if _, err := g.q.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// call runs one write. What it returns is an error of the transaction itself;
// the write's own goes to w.err and takes back only the write.
func (g *group) call(ctx context.Context, w *write, shared bool) error {
	if shared {
		if err := g.exec(ctx, "SAVEPOINT w"); err != nil {
			return err
		}
	}
	w.err = w.call(uncancelled{g.q})
	if !shared {
		return nil
	}
	if w.err != nil {
		if err := g.exec(ctx, "ROLLBACK TO w"); err != nil {
			return err
		}
	}
	return g.exec(ctx, "RELEASE w")
}

func (w *write) call(q querier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.panicked = p
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return w.fn(q)
}

// fail gives err to all who had no answer of their own.
func fail(batch []*write, err error) {
	for _, w := range batch {
		if w.err == nil {
			w.err = err
		}
	}
}

// uncancelled runs statements to their end.
type uncancelled struct{ q querier }

func (u uncancelled) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return u.q.ExecContext(context.WithoutCancel(ctx), query, args...)
}

func (u uncancelled) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return u.q.QueryContext(context.WithoutCancel(ctx), query, args...)
}

func (u uncancelled) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return u.q.QueryRowContext(context.WithoutCancel(ctx), query, args...)
}
