package store

import (
	"context"
	"time"

	"github.com/countersign-auth/countersign"
)

const signingKeyColumns = `environment_id, key_id, ordinal, algorithm, public_key, private_key, created_at, activates_at, removed_at`

func scanSigningKey(row scanner) (k countersign.SigningKey, err error) {
	err = row.Scan(&k.EnvironmentID, &k.ID, &k.Ordinal, &k.Algorithm, &k.PublicKey, &k.PrivateKey,
		(*micros)(&k.CreatedAt), (*micros)(&k.ActivatesAt), (*micros)(&k.RemovedAt))
	return k, err
}

// SigningKeys are an environment's that are not removed yet, oldest first.
func (tx *Tx) SigningKeys(ctx context.Context, env countersign.EnvironmentID) ([]countersign.SigningKey, error) {
	return all(ctx, tx.q, scanSigningKey, `
		SELECT `+signingKeyColumns+` FROM signing_keys
		WHERE environment_id = $1 AND (removed_at IS NULL OR removed_at > $2) ORDER BY ordinal`, env, micros(tx.Now))
}

// InsertSigningKey stores a new key. Two nodes that make the same next key give
// it the same ordinal, and one of them finds the other's.
func (tx *Tx) InsertSigningKey(ctx context.Context, k countersign.SigningKey) error {
	_, err := tx.exec(ctx, `INSERT INTO signing_keys (`+signingKeyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		k.EnvironmentID, k.ID, k.Ordinal, string(k.Algorithm), k.PublicKey, k.PrivateKey,
		micros(k.CreatedAt), micros(k.ActivatesAt), micros(k.RemovedAt))
	return err
}

// RemoveSigningKeysBefore sets when the keys older than an ordinal stop being
// published, where nothing had set it.
func (tx *Tx) RemoveSigningKeysBefore(ctx context.Context, env countersign.EnvironmentID, ordinal int64, at time.Time) error {
	_, err := tx.exec(ctx, `
		UPDATE signing_keys SET removed_at = $3 WHERE environment_id = $1 AND ordinal < $2 AND removed_at IS NULL`,
		env, ordinal, micros(at))
	return err
}

// PurgeSigningKeys removes the keys of an environment that stopped being
// published before a moment, private parts and all.
func (s *Store) PurgeSigningKeys(ctx context.Context, env countersign.EnvironmentID, before time.Time) error {
	_, err := s.keep(ctx, `DELETE FROM signing_keys WHERE environment_id = $1 AND removed_at < $2`, env, micros(before))
	return err
}
