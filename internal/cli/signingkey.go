package cli

import (
	"context"
	"strings"
)

type signingKeyCommand struct {
	List   signingKeyList   `cmd:"" help:"List an environment's signing keys: next, active and retired."`
	Rotate signingKeyRotate `cmd:"" help:"Make the next signing key; it signs an hour later."`
}

// signingKey is the public side of a signing key; our extension of the wire.
type signingKey struct {
	ID          string `json:"signing_key_id"`
	Algorithm   string `json:"algorithm"`
	State       string `json:"state"` // next, active or retired
	CreatedAt   string `json:"created_at"`
	ActivatesAt string `json:"activates_at"`
	RemovedAt   string `json:"removed_at"`
}

type signingKeyList struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (signingKeyList) Help() string {
	return `The active key signs session JWTs; the next one is published already and takes over later; a retired one stays
published for thirty days.

    countersign signing-key list --project acme --environment test` + needsEnvironment
}

// Run lists.
func (c *signingKeyList) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "signing_keys")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct {
		SigningKeys []signingKey `json:"signing_keys"`
	},
	) {
		var rows [][]string
		for _, k := range v.SigningKeys {
			rows = append(rows, []string{k.ID, k.Algorithm, k.State, t.when(k.ActivatesAt), t.when(k.RemovedAt)})
		}
		t.table("signing keys", strings.Fields("SIGNING_KEY_ID ALGORITHM STATE SIGNS_FROM REMOVED"), rows)
	})
}

type signingKeyRotate struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (signingKeyRotate) Help() string {
	return `Makes a new key of the environment's session_jwt_algorithm and publishes it at once. It begins to sign after an hour,
when every client library has seen it; until then the active key goes on, and nobody notices the change.

    countersign signing-key rotate --project acme --environment test` + needsEnvironment
}

// Run rotates.
func (c *signingKeyRotate) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "signing_keys", "rotate")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, struct{}{})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct {
		SigningKey signingKey `json:"signing_key"`
	},
	) {
		t.field("signing_key_id", v.SigningKey.ID)
		t.field("algorithm", v.SigningKey.Algorithm)
		t.field("state", v.SigningKey.State)
		t.field("signs from", t.when(v.SigningKey.ActivatesAt))
		t.note("It is published now. Until it signs, the active key goes on.")
	})
}
