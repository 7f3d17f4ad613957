package store

import (
	"context"

	"github.com/countersign-auth/countersign"
)

const operatorColumns = `operator_id, name, role, created_at, seen_at`

func scanOperator(row scanner) (o countersign.Operator, err error) {
	err = row.Scan(&o.ID, &o.Name, &o.Role, (*micros)(&o.CreatedAt), (*micros)(&o.SeenAt))
	return o, err
}

// Operators are all operators, by name.
func (tx *Tx) Operators(ctx context.Context) ([]countersign.Operator, error) {
	return all(ctx, tx.q, scanOperator, `SELECT `+operatorColumns+` FROM operators ORDER BY name`)
}

// Operator finds an operator; ErrNotFound if there is none of that ID.
func (tx *Tx) Operator(ctx context.Context, id countersign.OperatorID) (countersign.Operator, error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT `+operatorColumns+` FROM operators WHERE operator_id = $1`, id), scanOperator)
}

// OperatorByName finds an operator; ErrNotFound if there is none of that name.
func (tx *Tx) OperatorByName(ctx context.Context, name string) (countersign.Operator, error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT `+operatorColumns+` FROM operators WHERE name = $1`, name), scanOperator)
}

// PutOperator stores an operator, in place of one of the same ID.
func (tx *Tx) PutOperator(ctx context.Context, o countersign.Operator) error {
	_, err := tx.exec(ctx, `
		INSERT INTO operators (`+operatorColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (operator_id) DO UPDATE SET name = excluded.name, role = excluded.role, seen_at = excluded.seen_at`,
		o.ID, o.Name, string(o.Role), micros(o.CreatedAt), micros(o.SeenAt))
	return err
}

// DeleteOperator removes an operator with all passes; ErrNotFound if there is none
// of that ID.
func (tx *Tx) DeleteOperator(ctx context.Context, id countersign.OperatorID) error {
	if err := tx.DeleteOperatorPasses(ctx, id); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM operators WHERE operator_id = $1`, id)
}

// PassKind tells what signs an operator in from what they are signed in by.
type PassKind string

// The kinds of passes.
const (
	PassLink    PassKind = "link"
	PassSession PassKind = "session"
)

// OperatorPass finds a pass that has not expired; ErrNotFound if there is none
// such.
func (tx *Tx) OperatorPass(ctx context.Context, kind PassKind, id string) (countersign.OperatorPass, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT pass_id, operator_id, hash, created_at, expires_at FROM operator_passes
		WHERE kind = $1 AND pass_id = $2 AND expires_at > $3`, string(kind), id, micros(tx.Now)),
		func(row scanner) (p countersign.OperatorPass, err error) {
			err = row.Scan(&p.ID, &p.OperatorID, &p.Hash, (*micros)(&p.CreatedAt), (*micros)(&p.ExpiresAt))
			return p, err
		})
}

// InsertOperatorPass stores a pass, and removes those that have expired.
func (tx *Tx) InsertOperatorPass(ctx context.Context, kind PassKind, p countersign.OperatorPass) error {
	if _, err := tx.exec(ctx, `DELETE FROM operator_passes WHERE expires_at <= $1`, micros(tx.Now)); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `
		INSERT INTO operator_passes (kind, pass_id, operator_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		string(kind), p.ID, p.OperatorID, p.Hash, micros(p.CreatedAt), micros(p.ExpiresAt))
	return err
}

// DeleteOperatorPass removes a pass; ErrNotFound if it is gone.
func (tx *Tx) DeleteOperatorPass(ctx context.Context, kind PassKind, id string) error {
	return tx.execOne(ctx, `DELETE FROM operator_passes WHERE kind = $1 AND pass_id = $2`, string(kind), id)
}

// DeleteOperatorPasses removes all passes of an operator.
func (tx *Tx) DeleteOperatorPasses(ctx context.Context, id countersign.OperatorID) error {
	_, err := tx.exec(ctx, `DELETE FROM operator_passes WHERE operator_id = $1`, id)
	return err
}

// CountOperatorSessions is how many sessions each operator has.
func (tx *Tx) CountOperatorSessions(ctx context.Context) (map[countersign.OperatorID]int, error) {
	counts := map[countersign.OperatorID]int{}
	_, err := all(ctx, tx.q, func(row scanner) (none struct{}, err error) {
		var id countersign.OperatorID
		var n int
		err = row.Scan(&id, &n)
		counts[id] = n
		return none, err
	}, `SELECT operator_id, count(*) FROM operator_passes WHERE kind = $1 AND expires_at > $2 GROUP BY operator_id`,
		string(PassSession), micros(tx.Now))
	return counts, err
}
