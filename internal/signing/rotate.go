package signing

import (
	"context"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// State is where a key is in its life.
type State string

// The states of a key.
const (
	Next    State = "next"    // published, not signing yet
	Active  State = "active"  // signing
	Retired State = "retired" // published, not signing any more
)

// KeyState is a key and where it is in its life.
type KeyState struct {
	countersign.SigningKey
	State State
}

// States are an environment's keys, oldest first.
func (k *Keyring) States(ctx context.Context, env countersign.EnvironmentID) ([]KeyState, error) {
	k.forget(env) // an operator who looks wants to see what is stored
	r, err := k.ring(ctx, env, "")
	if err != nil {
		return nil, err
	}
	now := k.Now()
	active := r.active(now)
	list := make([]KeyState, len(r.keys))
	for i := range r.keys {
		s := KeyState{SigningKey: r.keys[i].SigningKey, State: Next}
		switch {
		case &r.keys[i] == active:
			s.State = Active
		case r.keys[i].Ordinal < active.Ordinal:
			s.State = Retired
		}
		list[i] = s
	}
	return list, nil
}

// Rotate makes a next key, which signs after Lead. If there is one already that
// has not begun to sign and is of that algorithm, it is the answer.
func (k *Keyring) Rotate(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, alg countersign.Algorithm) (KeyState, error) {
	made, err := newKey(k.Keyset, env, alg, 0, time.Time{}, time.Time{}) // before the transaction: it takes long
	if err != nil {
		return KeyState{}, err
	}
	var next countersign.SigningKey
	err = k.Store.Update(ctx, actor, func(tx *store.Tx) error {
		stored, err := tx.SigningKeys(ctx, env)
		if err != nil {
			return err
		}
		if len(stored) == 0 {
			return ErrNoKey
		}
		newest := stored[len(stored)-1]
		if newest.ActivatesAt.After(tx.Now) && newest.Algorithm == alg {
			next = newest
			return nil
		}
		next = made
		next.Ordinal = newest.Ordinal + 1
		next.CreatedAt = tx.Now
		next.ActivatesAt = tx.Now.Add(Lead)
		if err := tx.InsertSigningKey(ctx, next); err != nil {
			return err
		}
		if err := tx.RemoveSigningKeysBefore(ctx, env, next.Ordinal, next.ActivatesAt.Add(Retention)); err != nil {
			return err
		}
		return tx.Record(ctx, env, "signing_key.created", next.ID.String(), map[string]string{
			"algorithm": string(alg), "activates_at": next.ActivatesAt.Format(time.RFC3339),
		})
	})
	k.forget(env)
	return KeyState{SigningKey: next, State: Next}, err
}

// Maintain makes next keys where they are due and removes what is past its
// retention. Many nodes may do it at once: they agree on one next key.
func (k *Keyring) Maintain(ctx context.Context) error {
	var envs []countersign.Environment
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		envs, err = tx.AllEnvironments(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, env := range envs {
		err = errors.Join(err, k.maintain(ctx, env))
	}
	return err
}

func (k *Keyring) maintain(ctx context.Context, env countersign.Environment) error {
	var keys []countersign.SigningKey
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		keys, err = tx.SigningKeys(ctx, env.ID)
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	if newest := keys[len(keys)-1]; k.Now().After(newest.ActivatesAt.Add(Lifetime - Lead)) {
		if _, err := k.Rotate(ctx, countersign.System(), env.ID, env.Settings.SessionJWTAlgorithm); err != nil {
			return err
		}
	}
	return k.Store.PurgeSigningKeys(ctx, env.ID, k.Now())
}

// Run maintains the keys once an hour until ctx ends.
func (k *Keyring) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := k.Maintain(ctx); err != nil && ctx.Err() == nil {
			k.Logger.ErrorContext(ctx, "maintain signing keys", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
