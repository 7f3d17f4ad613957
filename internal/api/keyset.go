package api

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/signing"
)

// KeySet answers anybody with the keys that an environment signs with. It is the same
// for both verticals: who looks may not know which the project is of.
func KeySet(keyring *signing.Keyring) Handler {
	return Call(Anybody, func(ctx context.Context, r *Request[None]) (*wire.KeySet, error) {
		env, err := countersign.ParseID[countersign.EnvironmentID](r.Path("project_id"))
		if err != nil {
			return nil, countersign.ErrProjectNotFound
		}
		keys, err := keyring.PublicKeys(ctx, env)
		if errors.Is(err, signing.ErrNoKey) {
			err = countersign.ErrProjectNotFound
		}
		return &wire.KeySet{Keys: keys}, err
	})
}
