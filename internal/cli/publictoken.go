package cli

import (
	"context"
	"strings"
)

type publicTokenCommand struct {
	Create publicTokenCreate `cmd:"" help:"Create a public token."`
	List   publicTokenList   `cmd:"" help:"List an environment's public tokens."`
	Get    publicTokenGet    `cmd:"" help:"Show one public token."`
	Delete publicTokenDelete `cmd:"" help:"Delete a public token; an environment keeps at least one."`
}

// publicToken is the wire's public token (management.md §5); it is no secret.
type publicToken struct {
	PublicToken string `json:"public_token"`
	CreatedAt   string `json:"created_at"`
}

type publicTokenAnswer struct {
	PublicToken publicToken `json:"public_token"`
}

func (v publicTokenAnswer) write(t *text) {
	t.field("public_token", v.PublicToken.PublicToken)
	t.field("created", t.when(v.PublicToken.CreatedAt))
}

type publicTokenCreate struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (publicTokenCreate) Help() string {
	return `A public token names an environment to browsers. It is no secret and opens nothing by itself; a new environment has
one already.

    countersign public-token create --project acme --environment test` + needsEnvironment
}

// Run creates.
func (c *publicTokenCreate) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "public_tokens")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, struct{}{})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v publicTokenAnswer) { v.write(t) })
}

type publicTokenList struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (publicTokenList) Help() string {
	return `For example:

    countersign public-token list --project acme --environment test` + needsEnvironment
}

// Run lists.
func (c *publicTokenList) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "public_tokens")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct {
		PublicTokens []publicToken `json:"public_tokens"`
	},
	) {
		var rows [][]string
		for _, p := range v.PublicTokens {
			rows = append(rows, []string{p.PublicToken, p.CreatedAt})
		}
		t.table("public tokens", strings.Fields("PUBLIC_TOKEN CREATED"), rows)
	})
}

// publicTokenArg names the public token that a command is about.
type publicTokenArg struct {
	PublicToken string `arg:"" name:"public-token" help:"The public token, public-token-test-… or public-token-live-…."`
}

type publicTokenGet struct {
	jsonFlag
	publicTokenArg
	environmentFlags
}

// Help teaches the command.
func (publicTokenGet) Help() string {
	return `For example:

    countersign public-token get public-token-test-… --project acme --environment test` + needsEnvironment
}

// Run gets.
func (c *publicTokenGet) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "public_tokens", c.PublicToken)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v publicTokenAnswer) { v.write(t) })
}

type publicTokenDelete struct {
	jsonFlag
	confirmFlag
	publicTokenArg
	environmentFlags
}

// Help teaches the command.
func (publicTokenDelete) Help() string {
	return `Pages that still name the token stop working at once; create and roll out another before.

    countersign public-token delete public-token-test-… --project acme --environment test` + needsEnvironment
}

// Run deletes.
func (c *publicTokenDelete) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "public_tokens", c.PublicToken)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: path, what: c.PublicToken,
		question: "Delete " + c.PublicToken + "? Pages that name it stop working at once.",
		yes:      c.Yes, json: c.JSON,
	})
}
