package store

import (
	"context"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
)

// LinkedPerson is whom in a tenant the issuer of a profile means by a subject; the
// zero ID if it has brought nobody of that subject yet.
func (tx *Tx) LinkedPerson(ctx context.Context, t countersign.Tenant, profile countersign.ProfileID, subject string) (countersign.PersonID, error) {
	id, err := one(tx.q.QueryRowContext(ctx, `
		SELECT user_id FROM person_links WHERE environment_id = $1 AND profile_id = $2 AND organization_id = $3 AND subject = $4`,
		t.EnvironmentID, profile, tenantColumn(t), subject),
		func(row scanner) (id countersign.PersonID, err error) { return id, row.Scan(&id) })
	if errors.Is(err, ErrNotFound) {
		return countersign.PersonID{}, nil
	}
	return id, err
}

// Linked reports whether the issuer of a profile knows somebody by any subject.
func (tx *Tx) Linked(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, user countersign.PersonID) (bool, error) {
	n, err := tx.count(ctx, `
		SELECT count(*) FROM person_links WHERE environment_id = $1 AND user_id = $2 AND profile_id = $3`, env, user, profile)
	return n > 0, err
}

// InsertLink records whom the issuer of a profile means by a subject.
func (tx *Tx) InsertLink(ctx context.Context, t countersign.Tenant, profile countersign.ProfileID, subject string, person countersign.PersonID) error {
	_, err := tx.exec(ctx, `
		INSERT INTO person_links (environment_id, profile_id, organization_id, subject, user_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.EnvironmentID, profile, tenantColumn(t), subject, person, micros(tx.Now))
	return err
}

// TokenUsed reports whether a one-time token was used and cannot be used again
// yet. hash stands for its token ID.
func (tx *Tx) TokenUsed(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, hash []byte) (bool, error) {
	n, err := tx.count(ctx, `
		SELECT count(*) FROM used_tokens WHERE environment_id = $1 AND profile_id = $2 AND token_hash = $3 AND expires_at > $4`,
		env, profile, hash, micros(tx.Now))
	return n > 0, err
}

// UseToken records the use of a one-time token until a moment, and reports
// false, having changed nothing, if it is used already. Of two transactions that
// use one token at once one fails to commit and, run again, finds the other's
// row.
func (tx *Tx) UseToken(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, hash []byte, until time.Time) (bool, error) {
	n, err := tx.exec(ctx, `
		INSERT INTO used_tokens (environment_id, profile_id, token_hash, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (environment_id, profile_id, token_hash) DO UPDATE SET expires_at = excluded.expires_at
		WHERE used_tokens.expires_at <= $5`, env, profile, hash, micros(until), micros(tx.Now))
	return n > 0, err
}

// PurgeUsedTokens forgets at most limit one-time tokens that expired before a
// moment, of any environment, and says how many it removed.
func (s *Store) PurgeUsedTokens(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.keep(ctx, `
		DELETE FROM used_tokens WHERE (environment_id, profile_id, token_hash) IN (
			SELECT environment_id, profile_id, token_hash FROM used_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
		micros(before), limit)
}

// Provisioned is how many people a profile provisioned in the clock hour of now.
func (tx *Tx) Provisioned(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID) (int, error) {
	return tx.count(ctx, `
		SELECT CAST(coalesce(sum(people), 0) AS BIGINT) FROM provisionings WHERE environment_id = $1 AND profile_id = $2 AND hour = $3`,
		env, profile, clockHour(tx.Now))
}

// CountProvisioning counts one more, and forgets the hours before the last.
func (tx *Tx) CountProvisioning(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID) error {
	hour := clockHour(tx.Now)
	if _, err := tx.exec(ctx, `
		DELETE FROM provisionings WHERE environment_id = $1 AND profile_id = $2 AND hour < $3`, env, profile, hour-1); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `
		INSERT INTO provisionings (environment_id, profile_id, hour, people) VALUES ($1, $2, $3, 1)
		ON CONFLICT (environment_id, profile_id, hour) DO UPDATE SET people = provisionings.people + 1`, env, profile, hour)
	return err
}

// clockHour numbers the hours since 1970.
func clockHour(t time.Time) int64 { return t.Unix() / int64(time.Hour/time.Second) }
