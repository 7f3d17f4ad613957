package store

import (
	"context"

	"github.com/countersign-auth/countersign"
)

// CountWorkspaceKeys is how many workspace keys there are.
func (tx *Tx) CountWorkspaceKeys(ctx context.Context) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM workspace_keys`)
}

// WorkspaceKey finds a workspace key; ErrNotFound if there is none of that ID.
func (tx *Tx) WorkspaceKey(ctx context.Context, id string) (countersign.WorkspaceKey, error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT key_id, hash, created_at FROM workspace_keys WHERE key_id = $1`, id),
		func(row scanner) (k countersign.WorkspaceKey, err error) {
			err = row.Scan(&k.ID, &k.Hash, (*micros)(&k.CreatedAt))
			return k, err
		})
}

// PutWorkspaceKey stores a workspace key, in place of one of the same ID.
func (tx *Tx) PutWorkspaceKey(ctx context.Context, k countersign.WorkspaceKey) error {
	_, err := tx.exec(ctx, `
		INSERT INTO workspace_keys (key_id, hash, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (key_id) DO UPDATE SET hash = excluded.hash`, k.ID, k.Hash, micros(k.CreatedAt))
	return err
}

// WorkspaceFact is a value that the workspace keeps under a name; ErrNotFound if
// there is none.
func (tx *Tx) WorkspaceFact(ctx context.Context, name string) (value []byte, err error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT value FROM workspace_facts WHERE name = $1`, name),
		func(row scanner) (v []byte, err error) { return v, row.Scan(&v) })
}

// InsertWorkspaceFact keeps a value that will not change.
func (tx *Tx) InsertWorkspaceFact(ctx context.Context, name string, value []byte) error {
	_, err := tx.exec(ctx, `INSERT INTO workspace_facts (name, value) VALUES ($1, $2)`, name, value)
	return err
}
