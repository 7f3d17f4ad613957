package store

import (
	"context"
	"time"

	"github.com/countersign-auth/countersign"
)

const secretColumns = `secret_id, environment_id, hash, last_four, created_at, used_at` //nolint:gosec // names of columns, no secrets

func scanSecret(row scanner) (s countersign.Secret, err error) {
	err = row.Scan(&s.ID, &s.EnvironmentID, &s.Hash, &s.LastFour, (*micros)(&s.CreatedAt), (*micros)(&s.UsedAt))
	return s, err
}

// Secrets are an environment's, oldest first.
func (tx *Tx) Secrets(ctx context.Context, env countersign.EnvironmentID) ([]countersign.Secret, error) {
	return all(ctx, tx.q, scanSecret, `SELECT `+secretColumns+` FROM secrets WHERE environment_id = $1 ORDER BY created_at, secret_id`, env)
}

// Secret finds a secret by its ID; ErrNotFound if the environment has none such.
func (tx *Tx) Secret(ctx context.Context, env countersign.EnvironmentID, id countersign.SecretID) (countersign.Secret, error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT `+secretColumns+` FROM secrets WHERE environment_id = $1 AND secret_id = $2`, env, id), scanSecret)
}

// Credential is what every request reads of the secret that it brings, and the
// revision that the secret's environment has now.
type Credential struct {
	SecretID countersign.SecretID
	UsedAt   time.Time
	Revision int64
}

// SecretByHash finds a credential by the whole hash of its secret; ErrNotFound if
// the environment is gone or the secret is none of its own.
func (tx *Tx) SecretByHash(ctx context.Context, env countersign.EnvironmentID, hash []byte) (Credential, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT s.secret_id, s.used_at, e.revision
		FROM secrets s JOIN environments e ON e.environment_id = s.environment_id
		WHERE s.environment_id = $1 AND s.hash = $2`, env, hash),
		func(row scanner) (c Credential, err error) {
			return c, row.Scan(&c.SecretID, (*micros)(&c.UsedAt), &c.Revision)
		})
}

// InsertSecret stores a new secret.
func (tx *Tx) InsertSecret(ctx context.Context, s countersign.Secret) error {
	_, err := tx.exec(ctx, `INSERT INTO secrets (`+secretColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.ID, s.EnvironmentID, s.Hash, s.LastFour, micros(s.CreatedAt), micros(s.UsedAt))
	return err
}

// DeleteSecret removes a secret; ErrNotFound if the environment has none such.
func (tx *Tx) DeleteSecret(ctx context.Context, env countersign.EnvironmentID, id countersign.SecretID) error {
	return tx.execOne(ctx, `DELETE FROM secrets WHERE environment_id = $1 AND secret_id = $2`, env, id)
}

// SecretUsed notes that a secret was used at a moment.
func (s *Store) SecretUsed(ctx context.Context, env countersign.EnvironmentID, id countersign.SecretID, at time.Time) error {
	_, err := s.keep(ctx, `UPDATE secrets SET used_at = $3 WHERE environment_id = $1 AND secret_id = $2`, env, id, micros(at))
	return err
}

func scanPublicToken(row scanner) (t countersign.PublicToken, err error) {
	err = row.Scan(&t.ID, (*micros)(&t.CreatedAt))
	return t, err
}

// PublicTokens are an environment's, oldest first.
func (tx *Tx) PublicTokens(ctx context.Context, env countersign.EnvironmentID) ([]countersign.PublicToken, error) {
	return all(ctx, tx.q, scanPublicToken, `
		SELECT public_token_id, created_at FROM public_tokens
		WHERE environment_id = $1 ORDER BY created_at, public_token_id`, env)
}

// PublicToken finds a public token; ErrNotFound if the environment has none such.
func (tx *Tx) PublicToken(ctx context.Context, env countersign.EnvironmentID, id countersign.PublicTokenID) (countersign.PublicToken, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT public_token_id, created_at FROM public_tokens
		WHERE environment_id = $1 AND public_token_id = $2`, env, id), scanPublicToken)
}

// EnvironmentByPublicToken resolves a public token to its environment;
// ErrNotFound if there is no such token.
func (tx *Tx) EnvironmentByPublicToken(ctx context.Context, id countersign.PublicTokenID) (countersign.Environment, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT `+environmentColumns+`
		FROM public_tokens t
		JOIN environments e ON e.environment_id = t.environment_id
		JOIN projects p ON p.project_slug = e.project_slug
		WHERE t.public_token_id = $1`, id), scanEnvironment)
}

// InsertPublicToken stores a new public token.
func (tx *Tx) InsertPublicToken(ctx context.Context, env countersign.EnvironmentID, t countersign.PublicToken) error {
	_, err := tx.exec(ctx, `INSERT INTO public_tokens (environment_id, public_token_id, created_at) VALUES ($1, $2, $3)`,
		env, t.ID, micros(t.CreatedAt))
	return err
}

// DeletePublicToken removes a public token; ErrNotFound if the environment has
// none such.
func (tx *Tx) DeletePublicToken(ctx context.Context, env countersign.EnvironmentID, id countersign.PublicTokenID) error {
	return tx.execOne(ctx, `DELETE FROM public_tokens WHERE environment_id = $1 AND public_token_id = $2`, env, id)
}
