package cli

import (
	"context"
	"strings"
)

type secretCommand struct {
	Create secretCreate `cmd:"" help:"Create a secret and show it, once."`
	List   secretList   `cmd:"" help:"List an environment's secrets, masked."`
	Get    secretGet    `cmd:"" help:"Show one secret, masked."`
	Delete secretDelete `cmd:"" help:"Delete a secret; it stops working at once."`
}

// secret is the wire's secret (management.md §4): Secret only when created, the
// last four characters ever after.
type secret struct {
	SecretID  string `json:"secret_id"`
	Secret    string `json:"secret"`
	LastFour  string `json:"last_four"`
	CreatedAt string `json:"created_at"`
	UsedAt    string `json:"used_at"`
}

type secretAnswer struct {
	Secret secret `json:"secret"`
}

type secretCreate struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (secretCreate) Help() string {
	return `A secret and the environment's project_id are what your backend calls the API with. The server keeps only a hash:
nobody can show it a second time.

    countersign secret create --project acme --environment test --json | jq -r .secret.secret > secret.txt` + needsEnvironment
}

// Run creates.
func (c *secretCreate) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "secrets")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, struct{}{})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v secretAnswer) {
		t.field("secret_id", v.Secret.SecretID)
		t.field("secret", v.Secret.Secret)
		t.field("created", t.when(v.Secret.CreatedAt))
		t.once("secret")
	})
}

type secretList struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (secretList) Help() string {
	return `For example:

    countersign secret list --project acme --environment test` + needsEnvironment
}

// Run lists.
func (c *secretList) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "secrets")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ Secrets []secret }) {
		var rows [][]string
		for _, s := range v.Secrets {
			rows = append(rows, []string{s.SecretID, "…" + s.LastFour, s.CreatedAt, s.UsedAt})
		}
		t.table("secrets", strings.Fields("SECRET_ID SECRET CREATED LAST_USED"), rows)
	})
}

// secretArg names the secret that a command is about, by its ID.
type secretArg struct {
	SecretID string `arg:"" name:"secret-id" help:"The secret's ID, secret-test-… or secret-live-…; not the secret."`
}

type secretGet struct {
	jsonFlag
	secretArg
	environmentFlags
}

// Help teaches the command.
func (secretGet) Help() string {
	return `For example:

    countersign secret get secret-test-… --project acme --environment test` + needsEnvironment
}

// Run gets.
func (c *secretGet) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "secrets", c.SecretID)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v secretAnswer) {
		t.field("secret_id", v.Secret.SecretID)
		t.field("secret", "…"+v.Secret.LastFour)
		t.field("created", t.when(v.Secret.CreatedAt))
		t.field("last used", t.when(v.Secret.UsedAt))
	})
}

type secretDelete struct {
	jsonFlag
	confirmFlag
	secretArg
	environmentFlags
}

// Help teaches the command.
func (secretDelete) Help() string {
	return `To change a secret without an interruption: create a second one, give it to your backend, then delete the first.

    countersign secret delete secret-test-… --project acme --environment test` + needsEnvironment
}

// Run deletes.
func (c *secretDelete) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "secrets", c.SecretID)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: path, what: c.SecretID,
		question: "Delete " + c.SecretID + "? Whoever uses it is refused at once.",
		yes:      c.Yes, json: c.JSON,
	})
}
