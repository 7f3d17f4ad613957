package store

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
)

// Revocations are those that stand in an environment, oldest first.
func (tx *Tx) Revocations(ctx context.Context, env countersign.EnvironmentID) ([]countersign.Revocation, error) {
	list, err := configuration[[]countersign.Revocation](ctx, tx, env, revocationsName)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return list, err
}

// PutRevocations replaces those that stand in an environment.
func (tx *Tx) PutRevocations(ctx context.Context, env countersign.EnvironmentID, list []countersign.Revocation) error {
	if list == nil {
		list = []countersign.Revocation{}
	}
	return tx.putConfiguration(ctx, env, revocationsName, list)
}

// AllRevocations are those that stand in any environment.
func (s *Store) AllRevocations(ctx context.Context) (map[countersign.EnvironmentID][]countersign.Revocation, error) {
	found := map[countersign.EnvironmentID][]countersign.Revocation{}
	_, err := all(ctx, s.viewer, func(row scanner) (none struct{}, err error) {
		var env countersign.EnvironmentID
		var list []countersign.Revocation
		if err := row.Scan(&env, jsonColumn{&list}); err != nil {
			return none, err
		}
		if len(list) > 0 {
			found[env] = list
		}
		return none, nil
	}, `SELECT environment_id, body FROM configurations WHERE name = $1`, revocationsName)
	return found, err
}
