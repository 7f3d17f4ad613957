package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/countersign-auth/countersign"
)

// A profile and its PEM files are read by one statement, a row for each file, so
// that they always agree.
const profileSelect = `
	SELECT p.environment_id, p.profile_id, p.name, p.issuer, p.audience, p.public_key_type, p.jwks_url,
	       p.attribute_mapping, p.can_jit_provision, p.trust_policy, p.created_at, f.pem_file_id, f.public_key
	FROM profiles p
	LEFT JOIN pem_files f ON f.environment_id = p.environment_id AND f.profile_id = p.profile_id`

type profileRow struct {
	profile countersign.Profile
	pem     countersign.PEMFile
}

func scanProfileRow(row scanner) (r profileRow, err error) {
	var mapping, key sql.NullString
	p := &r.profile
	p.Policy = countersign.DefaultTrustPolicy()
	err = row.Scan(&p.EnvironmentID, &p.ID, &p.Name, &p.Issuer, &p.Audience, &p.KeyType, &p.JWKSURL,
		&mapping, &p.CanJITProvision, jsonColumn{&p.Policy}, (*micros)(&p.CreatedAt), &r.pem.ID, &key)
	if mapping.Valid {
		p.AttributeMapping = []byte(mapping.String)
	}
	r.pem.PublicKey = key.String
	return r, err
}

func (tx *Tx) profiles(ctx context.Context, query string, args ...any) ([]countersign.Profile, error) {
	rows, err := all(ctx, tx.q, scanProfileRow, query, args...)
	if err != nil {
		return nil, err
	}
	var list []countersign.Profile
	for _, r := range rows {
		if n := len(list); n == 0 || list[n-1].ID != r.profile.ID {
			list = append(list, r.profile)
		}
		if p := &list[len(list)-1]; !r.pem.ID.IsZero() {
			p.PEMFiles = append(p.PEMFiles, r.pem)
		}
	}
	return list, nil
}

// Profiles are an environment's, oldest first.
func (tx *Tx) Profiles(ctx context.Context, env countersign.EnvironmentID) ([]countersign.Profile, error) {
	return tx.profiles(ctx, profileSelect+` WHERE p.environment_id = $1 ORDER BY p.created_at, p.profile_id, f.ordinal`, env)
}

// Profile finds a profile; ErrNotFound if the environment has none such.
func (tx *Tx) Profile(ctx context.Context, env countersign.EnvironmentID, id countersign.ProfileID) (countersign.Profile, error) {
	list, err := tx.profiles(ctx, profileSelect+` WHERE p.environment_id = $1 AND p.profile_id = $2 ORDER BY f.ordinal`, env, id)
	if err != nil {
		return countersign.Profile{}, err
	}
	if len(list) == 0 {
		return countersign.Profile{}, ErrNotFound
	}
	return list[0], nil
}

// CountProfiles is how many profiles an environment has.
func (tx *Tx) CountProfiles(ctx context.Context, env countersign.EnvironmentID) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM profiles WHERE environment_id = $1`, env)
}

// InsertProfile stores a new profile with its PEM files.
func (tx *Tx) InsertProfile(ctx context.Context, p countersign.Profile) error {
	_, err := tx.exec(ctx, `
		INSERT INTO profiles (environment_id, profile_id, name, issuer, audience, public_key_type, jwks_url,
		                      attribute_mapping, can_jit_provision, trust_policy, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		p.EnvironmentID, p.ID, p.Name, p.Issuer, p.Audience, string(p.KeyType), p.JWKSURL,
		optional(p.AttributeMapping), p.CanJITProvision, jsonColumn{p.Policy}, micros(p.CreatedAt))
	if err != nil {
		return err
	}
	for _, f := range p.PEMFiles {
		if err := tx.insertPEMFile(ctx, p.EnvironmentID, p.ID, f); err != nil {
			return err
		}
	}
	return tx.moveRevision(ctx, p.EnvironmentID)
}

// UpdateProfile stores everything that may change but the PEM files; ErrNotFound
// if the environment has no such profile.
func (tx *Tx) UpdateProfile(ctx context.Context, p countersign.Profile) error {
	err := tx.execOne(ctx, `
		UPDATE profiles SET name = $3, issuer = $4, audience = $5, jwks_url = $6, attribute_mapping = $7, can_jit_provision = $8,
		                    trust_policy = $9
		WHERE environment_id = $1 AND profile_id = $2`,
		p.EnvironmentID, p.ID, p.Name, p.Issuer, p.Audience, p.JWKSURL, optional(p.AttributeMapping), p.CanJITProvision, jsonColumn{p.Policy})
	if err != nil {
		return err
	}
	return tx.moveRevision(ctx, p.EnvironmentID)
}

// DeleteProfile removes a profile and its PEM files; ErrNotFound if the
// environment has none such.
func (tx *Tx) DeleteProfile(ctx context.Context, env countersign.EnvironmentID, id countersign.ProfileID) error {
	if _, err := tx.exec(ctx, `DELETE FROM pem_files WHERE environment_id = $1 AND profile_id = $2`, env, id); err != nil {
		return err
	}
	if err := tx.execOne(ctx, `DELETE FROM profiles WHERE environment_id = $1 AND profile_id = $2`, env, id); err != nil {
		return err
	}
	return tx.moveRevision(ctx, env)
}

// InsertPEMFile adds a public key behind those that the profile has.
func (tx *Tx) InsertPEMFile(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, f countersign.PEMFile) error {
	if err := tx.insertPEMFile(ctx, env, profile, f); err != nil {
		return err
	}
	return tx.moveRevision(ctx, env)
}

func (tx *Tx) insertPEMFile(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, f countersign.PEMFile) error {
	_, err := tx.exec(ctx, `
		INSERT INTO pem_files (environment_id, profile_id, pem_file_id, ordinal, public_key)
		SELECT $1, $2, $3, coalesce(max(ordinal), 0) + 1, $4 FROM pem_files WHERE environment_id = $1 AND profile_id = $2`,
		env, profile, f.ID, f.PublicKey)
	return err
}

// DeletePEMFile removes a public key; ErrNotFound if the profile has none such.
func (tx *Tx) DeletePEMFile(ctx context.Context, env countersign.EnvironmentID, profile countersign.ProfileID, id countersign.PEMFileID) error {
	err := tx.execOne(ctx, `DELETE FROM pem_files WHERE environment_id = $1 AND profile_id = $2 AND pem_file_id = $3`, env, profile, id)
	if err != nil {
		return err
	}
	return tx.moveRevision(ctx, env)
}

// LoadKeySet is the last good answer of a key set URL; false if none is kept.
func (s *Store) LoadKeySet(ctx context.Context, env countersign.EnvironmentID, url string) (countersign.KeySetSnapshot, bool, error) {
	snapshot, err := one(s.viewer.QueryRowContext(ctx, `
		SELECT environment_id, jwks_url, body, etag, fetched_at, fresh_until FROM key_sets
		WHERE environment_id = $1 AND jwks_url = $2`, env, url),
		func(row scanner) (k countersign.KeySetSnapshot, err error) {
			err = row.Scan(&k.EnvironmentID, &k.URL, &k.Body, &k.ETag, (*micros)(&k.FetchedAt), (*micros)(&k.FreshUntil))
			return k, err
		})
	if errors.Is(err, ErrNotFound) {
		return countersign.KeySetSnapshot{}, false, nil
	}
	return snapshot, err == nil, err
}

// SaveKeySet keeps a good answer, unless a newer one is kept or the environment
// is gone.
func (s *Store) SaveKeySet(ctx context.Context, k countersign.KeySetSnapshot) error {
	_, err := s.keep(ctx, `
		INSERT INTO key_sets (environment_id, jwks_url, body, etag, fetched_at, fresh_until)
		SELECT environment_id, $2, $3, $4, $5, $6 FROM environments WHERE environment_id = $1
		ON CONFLICT (environment_id, jwks_url) DO UPDATE
		SET body = excluded.body, etag = excluded.etag, fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until
		WHERE key_sets.fetched_at <= excluded.fetched_at`,
		k.EnvironmentID, k.URL, k.Body, k.ETag, micros(k.FetchedAt), micros(k.FreshUntil))
	return err
}
