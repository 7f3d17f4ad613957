package project

import (
	"context"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// usedResolution is how exactly a secret knows when it was last used.
const usedResolution = time.Hour

// CheckSecret is the environment that a project ID and a secret open, and the
// secret's ID; ErrUnauthorizedCredentials otherwise. It reads the database every
// time: a deleted secret opens nothing from the next request on.
func (s *Service) CheckSecret(ctx context.Context, env countersign.EnvironmentID, secret countersign.Bearer) (countersign.Environment, countersign.SecretID, error) {
	hash := Hash(secret)
	var (
		e     countersign.Environment
		found store.Credential
		now   time.Time
	)
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now
		if found, err = tx.SecretByHash(ctx, env, hash); err == nil {
			e, err = s.environment(ctx, tx, env, found.Revision)
		}
		return err
	})
	if err != nil {
		return e, countersign.SecretID{}, or(err, countersign.ErrUnauthorizedCredentials)
	}
	if now.Sub(found.UsedAt) >= usedResolution {
		if err := s.Store.SecretUsed(ctx, e.ID, found.SecretID, now); err != nil {
			return e, found.SecretID, err
		}
	}
	s.floods.read(credential{env, string(hash)}, now, e, found.SecretID)
	return e, found.SecretID, nil
}

// environment is one at least as new as a revision. Of one that is kept, a request
// reads no more than that.
func (s *Service) environment(ctx context.Context, tx *store.Tx, id countersign.EnvironmentID, revision int64) (countersign.Environment, error) {
	if e, ok := s.environments.Of(id, revision); ok {
		return e, nil
	}
	e, err := tx.Environment(ctx, id)
	if err == nil {
		s.environments.Keep(id, e.Revision, e)
	}
	return e, err
}

// CreateSecret makes a secret and gives its value, which is never shown again.
// ErrTooManySecrets.
func (s *Service) CreateSecret(ctx context.Context, actor countersign.Actor, e countersign.Environment) (countersign.Secret, countersign.Bearer, error) {
	value := newSecret("secret-" + e.Type.Class().String() + "-")
	stored := countersign.Secret{
		ID: countersign.NewID[countersign.SecretID](e.Type.Class()), EnvironmentID: e.ID,
		Hash: Hash(value), LastFour: lastFour(value),
	}
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if _, err := tx.Environment(ctx, e.ID); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		stored.CreatedAt = tx.Now
		have, err := tx.Secrets(ctx, e.ID)
		if err := atMost(maxSecrets, len(have), err, countersign.ErrTooManySecrets); err != nil {
			return err
		}
		if err := tx.InsertSecret(ctx, stored); err != nil {
			return err
		}
		return tx.Record(ctx, e.ID, "secret.created", stored.ID.String(), map[string]string{"last_four": stored.LastFour})
	})
	return stored, value, err
}

// Secrets are an environment's, oldest first.
func (s *Service) Secrets(ctx context.Context, env countersign.EnvironmentID) ([]countersign.Secret, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.Secret, error) { return tx.Secrets(ctx, env) })
}

// Secret finds a secret by the text of its ID; ErrSecretNotFound.
func (s *Service) Secret(ctx context.Context, env countersign.EnvironmentID, ref string) (countersign.Secret, error) {
	id, err := countersign.ParseID[countersign.SecretID](ref)
	if err != nil {
		return countersign.Secret{}, countersign.ErrSecretNotFound
	}
	return view(ctx, s.Store, countersign.ErrSecretNotFound, func(tx *store.Tx) (countersign.Secret, error) { return tx.Secret(ctx, env, id) })
}

// DeleteSecret makes a secret useless at once; ErrSecretNotFound.
func (s *Service) DeleteSecret(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref string) error {
	id, err := countersign.ParseID[countersign.SecretID](ref)
	if err != nil {
		return countersign.ErrSecretNotFound
	}
	return or(s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if err := tx.DeleteSecret(ctx, env, id); err != nil {
			return err
		}
		return tx.Record(ctx, env, "secret.deleted", id.String(), nil)
	}), countersign.ErrSecretNotFound)
}

// CheckPublicToken is the environment that a public token names, and its SDK
// configuration, which lets calls from there in. It reads the database every
// time, as CheckSecret does. Errors: ErrUnauthorizedCredentials, and those of
// SDKConfig.Admit.
func (s *Service) CheckPublicToken(ctx context.Context, token string, from SDKOrigin) (e countersign.Environment, c SDKConfig, err error) {
	id, err := countersign.ParseID[countersign.PublicTokenID](token)
	if err != nil {
		return e, c, countersign.ErrUnauthorizedCredentials
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		if e, err = tx.EnvironmentByPublicToken(ctx, id); err != nil {
			return or(err, countersign.ErrUnauthorizedCredentials)
		}
		c, err = sdkConfig(ctx, tx, e)
		return err
	})
	if err != nil {
		return e, c, err
	}
	return e, c, c.Admit(from)
}

func newPublicToken(env countersign.EnvironmentID, now time.Time) countersign.PublicToken {
	return countersign.PublicToken{ID: countersign.NewID[countersign.PublicTokenID](env.Class()), CreatedAt: now}
}

// CreatePublicToken makes a public token; ErrTooManyPublicTokens.
func (s *Service) CreatePublicToken(ctx context.Context, actor countersign.Actor, e countersign.Environment) (t countersign.PublicToken, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if _, err := tx.Environment(ctx, e.ID); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		have, err := tx.PublicTokens(ctx, e.ID)
		if err := atMost(maxPublicTokens, len(have), err, countersign.ErrTooManyPublicTokens); err != nil {
			return err
		}
		t = newPublicToken(e.ID, tx.Now)
		if err := tx.InsertPublicToken(ctx, e.ID, t); err != nil {
			return err
		}
		return tx.Record(ctx, e.ID, "public_token.created", t.ID.String(), nil)
	})
	return t, err
}

// PublicTokens are an environment's, oldest first.
func (s *Service) PublicTokens(ctx context.Context, env countersign.EnvironmentID) ([]countersign.PublicToken, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.PublicToken, error) { return tx.PublicTokens(ctx, env) })
}

// PublicToken finds a public token; ErrPublicTokenNotFound.
func (s *Service) PublicToken(ctx context.Context, env countersign.EnvironmentID, ref string) (countersign.PublicToken, error) {
	id, err := countersign.ParseID[countersign.PublicTokenID](ref)
	if err != nil {
		return countersign.PublicToken{}, countersign.ErrPublicTokenNotFound
	}
	return view(ctx, s.Store, countersign.ErrPublicTokenNotFound, func(tx *store.Tx) (countersign.PublicToken, error) { return tx.PublicToken(ctx, env, id) })
}

// DeletePublicToken removes a public token. Errors: ErrPublicTokenNotFound,
// ErrUnableToDeleteLastPublicToken.
func (s *Service) DeletePublicToken(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref string) error {
	id, err := countersign.ParseID[countersign.PublicTokenID](ref)
	if err != nil {
		return countersign.ErrPublicTokenNotFound
	}
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if _, err := tx.PublicToken(ctx, env, id); err != nil {
			return or(err, countersign.ErrPublicTokenNotFound)
		}
		have, err := tx.PublicTokens(ctx, env)
		if err != nil {
			return err
		}
		if len(have) == 1 {
			return countersign.ErrUnableToDeleteLastPublicToken
		}
		if err := tx.DeletePublicToken(ctx, env, id); err != nil {
			return err
		}
		return tx.Record(ctx, env, "public_token.deleted", id.String(), nil)
	})
}
