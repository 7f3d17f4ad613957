package project

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// WorkspaceKey is a key of the management API, with its secret.
type WorkspaceKey struct {
	ID     string
	Secret countersign.Bearer
}

// minWorkspaceSecret is how long a secret that an operator chose must be, in
// bytes. Anybody who guesses it owns every environment.
const minWorkspaceSecret = 16

// EnsureWorkspaceKey stores the key that the operator gave, or, if there is none
// at all and none was given, makes one. made is true only for one that it made:
// it is shown once, now or never.
func (s *Service) EnsureWorkspaceKey(ctx context.Context, given WorkspaceKey) (key WorkspaceKey, made bool, err error) {
	if (given.ID == "") != (given.Secret == "") {
		return key, false, errors.New("a workspace key needs both its ID and its secret: set COUNTERSIGN_WORKSPACE_KEY_ID and COUNTERSIGN_WORKSPACE_KEY_SECRET")
	}
	if given.ID != "" && len(given.Secret) < minWorkspaceSecret {
		return key, false, errors.New("COUNTERSIGN_WORKSPACE_KEY_SECRET is shorter than 16 bytes; whoever guesses it owns every environment")
	}
	if strings.Contains(given.ID, ":") {
		return key, false, errors.New("COUNTERSIGN_WORKSPACE_KEY_ID must not contain a colon, which ends the user name in Basic credentials")
	}
	fresh := WorkspaceKey{
		ID:     "workspace-key-" + strings.ToLower(rand.Text()),
		Secret: newSecret("workspace-secret-"),
	}
	err = s.Store.Update(ctx, countersign.System(), func(tx *store.Tx) error {
		key, made = given, false
		if given.ID != "" {
			stored, err := tx.WorkspaceKey(ctx, given.ID)
			if err == nil && subtle.ConstantTimeCompare(stored.Hash, Hash(given.Secret)) == 1 {
				return nil
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		} else {
			n, err := tx.CountWorkspaceKeys(ctx)
			if err != nil || n > 0 {
				return err
			}
			key, made = fresh, true
		}
		if err := tx.PutWorkspaceKey(ctx, countersign.WorkspaceKey{ID: key.ID, Hash: Hash(key.Secret), CreatedAt: tx.Now}); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "workspace_key.stored", key.ID, nil)
	})
	return key, made, err
}

// CheckWorkspaceKey is ErrUnauthorizedCredentials unless the key is one of the
// workspace's. An unknown ID costs the same as a wrong secret.
func (s *Service) CheckWorkspaceKey(ctx context.Context, id string, secret countersign.Bearer) error {
	stored, err := view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.WorkspaceKey, error) { return tx.WorkspaceKey(ctx, id) })
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(stored.Hash, Hash(secret)) != 1 { // an unknown ID has an empty hash
		return countersign.ErrUnauthorizedCredentials
	}
	return nil
}
