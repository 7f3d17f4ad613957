package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
)

const sessionColumns = `session_id, subject_id, started_at, last_accessed_at, expires_at, nonce, attributes, custom_claims, factors`

// storedFactor is a factor as the sessions table keeps it. Factors are read and
// written with their session, never alone, so they are one column of it.
type storedFactor struct {
	Profile             countersign.ProfileID `json:"profile,omitzero"`
	TokenID             string                `json:"token,omitempty"`
	KeyID               string                `json:"kid,omitempty"`
	LastAuthenticatedAt int64                 `json:"at"`
	CreatedAt           int64                 `json:"created"`
	UpdatedAt           int64                 `json:"updated"`
}

type factorColumn []countersign.Factor

func (c factorColumn) text() (string, error) {
	list := make([]storedFactor, len(c))
	for i, f := range c {
		list[i] = storedFactor{
			Profile: f.ProfileID, TokenID: f.TokenID, KeyID: f.KeyID,
			LastAuthenticatedAt: f.LastAuthenticatedAt.UnixMicro(), CreatedAt: f.CreatedAt.UnixMicro(), UpdatedAt: f.UpdatedAt.UnixMicro(),
		}
	}
	b, err := json.Marshal(list)
	return string(b), err
}

// UnmarshalJSON reads the stored list.
func (c *factorColumn) UnmarshalJSON(b []byte) error {
	var list []storedFactor
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*c = make(factorColumn, len(list))
	for i, f := range list {
		(*c)[i] = countersign.Factor{
			ProfileID: f.Profile, TokenID: f.TokenID, KeyID: f.KeyID,
			LastAuthenticatedAt: time.UnixMicro(f.LastAuthenticatedAt).UTC(),
			CreatedAt:           time.UnixMicro(f.CreatedAt).UTC(),
			UpdatedAt:           time.UnixMicro(f.UpdatedAt).UTC(),
		}
	}
	return nil
}

func scanSession(row scanner) (s countersign.Session, err error) {
	err = row.Scan(&s.ID, &s.PersonID, (*micros)(&s.StartedAt), (*micros)(&s.LastAccessedAt), (*micros)(&s.ExpiresAt),
		&s.Nonce, jsonColumn{&s.Attributes}, jsonColumn{&s.CustomClaims}, jsonColumn{(*factorColumn)(&s.Factors)})
	return s, err
}

// Session finds a session that has not expired; ErrNotFound if the environment
// has none such.
func (tx *Tx) Session(ctx context.Context, env countersign.EnvironmentID, id countersign.SessionID) (countersign.Session, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT `+sessionColumns+` FROM sessions
		WHERE environment_id = $1 AND session_id = $2 AND expires_at > $3`, env, id, micros(tx.Now)), scanSession)
}

// SessionsOf are a user's that have not expired, oldest first. They are
// sorted here: for an ORDER BY, SQLite may rather read all sessions of the
// environment.
func (tx *Tx) SessionsOf(ctx context.Context, env countersign.EnvironmentID, user countersign.PersonID) ([]countersign.Session, error) {
	list, err := all(ctx, tx.q, scanSession, `
		SELECT `+sessionColumns+` FROM sessions
		WHERE environment_id = $1 AND subject_id = $2 AND expires_at > $3`, env, user, micros(tx.Now))
	slices.SortFunc(list, func(a, b countersign.Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), bytes.Compare(a.ID.Bytes(), b.ID.Bytes()))
	})
	return list, err
}

// InsertSession stores a new session.
func (tx *Tx) InsertSession(ctx context.Context, env countersign.EnvironmentID, s countersign.Session) error {
	factors, err := factorColumn(s.Factors).text()
	if err != nil {
		return err
	}
	var attributes any
	if s.Attributes != (countersign.SessionAttributes{}) {
		attributes = jsonColumn{s.Attributes}
	}
	_, err = tx.exec(ctx, `
		INSERT INTO sessions (environment_id, `+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		env, s.ID, s.PersonID, micros(s.StartedAt), micros(s.LastAccessedAt), micros(s.ExpiresAt),
		s.Nonce, attributes, jsonColumn{s.CustomClaims}, factors)
	return err
}

// UpdateSession stores what may change of a session; ErrNotFound if it is gone.
func (tx *Tx) UpdateSession(ctx context.Context, env countersign.EnvironmentID, s countersign.Session) error {
	factors, err := factorColumn(s.Factors).text()
	if err != nil {
		return err
	}
	return tx.execOne(ctx, `
		UPDATE sessions SET last_accessed_at = $3, expires_at = $4, custom_claims = $5, factors = $6
		WHERE environment_id = $1 AND session_id = $2`,
		env, s.ID, micros(s.LastAccessedAt), micros(s.ExpiresAt), jsonColumn{s.CustomClaims}, factors)
}

// DeleteSession ends a session that has not expired; ErrNotFound if there is
// none such.
func (tx *Tx) DeleteSession(ctx context.Context, env countersign.EnvironmentID, id countersign.SessionID) error {
	return tx.execOne(ctx, `DELETE FROM sessions WHERE environment_id = $1 AND session_id = $2 AND expires_at > $3`,
		env, id, micros(tx.Now))
}

// DeleteSessionsOf ends all sessions of a user.
func (tx *Tx) DeleteSessionsOf(ctx context.Context, env countersign.EnvironmentID, user countersign.PersonID) error {
	_, err := tx.exec(ctx, `DELETE FROM sessions WHERE environment_id = $1 AND subject_id = $2`, env, user)
	return err
}

// NewestSession is when the newest session of an environment began; ErrNotFound
// if there is none.
func (tx *Tx) NewestSession(ctx context.Context, env countersign.EnvironmentID) (at time.Time, err error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT started_at FROM sessions WHERE environment_id = $1 ORDER BY session_id DESC LIMIT 1`, env),
		func(row scanner) (at time.Time, err error) { return at, row.Scan((*micros)(&at)) })
}

// SessionsBefore are at most limit of an environment's sessions, expired ones
// too, newest first: those before one, or with the zero ID the newest.
func (tx *Tx) SessionsBefore(ctx context.Context, env countersign.EnvironmentID, before countersign.SessionID, limit int) ([]countersign.Session, error) {
	end := before.Bytes()
	if before.IsZero() {
		end = behindAnyID
	}
	return all(ctx, tx.q, scanSession, `
		SELECT `+sessionColumns+` FROM sessions
		WHERE environment_id = $1 AND session_id < $2 ORDER BY session_id DESC LIMIT $3`, env, end, limit)
}

// PurgeRevoked removes sessions that no caller can use any more.
func (s *Store) PurgeRevoked(ctx context.Context, env countersign.EnvironmentID, ids []countersign.SessionID) error {
	_, err := among(ids, func(in string, args []any) ([]struct{}, error) {
		_, err := s.keep(ctx, `DELETE FROM sessions WHERE environment_id = $1 AND session_id IN `+in, append([]any{env}, args...)...)
		return nil, err
	})
	return err
}

// TouchSession moves the last access of a session forward. A session that is
// gone stays gone.
func (s *Store) TouchSession(ctx context.Context, env countersign.EnvironmentID, id countersign.SessionID, at time.Time) error {
	_, err := s.keep(ctx, `
		UPDATE sessions SET last_accessed_at = $3
		WHERE environment_id = $1 AND session_id = $2 AND last_accessed_at < $3`, env, id, micros(at))
	return err
}

// PurgeSessions removes at most limit sessions that had expired before a
// moment, of any environment, and says how many it removed.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.keep(ctx, `
		DELETE FROM sessions WHERE (environment_id, session_id) IN (
			SELECT environment_id, session_id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
		micros(before), limit)
}
