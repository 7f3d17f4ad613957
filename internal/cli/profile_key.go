package cli

import (
	"context"
	"strings"
)

type profileKey struct {
	Add    profileKeyAdd    `cmd:"" help:"Add a public key to a PEM profile."`
	Get    profileKeyGet    `cmd:"" help:"Show one public key."`
	Delete profileKeyDelete `cmd:"" help:"Delete a public key: what it signed is refused."`
}

// pemFile is the wire's public key of a profile.
type pemFile struct {
	ID        string `json:"pem_file_id"`
	PublicKey string `json:"public_key"`
}

type pemFileAnswer struct {
	PEMFile pemFile `json:"pem_file"`
}

// publicKey reads a public key to send as it is, byte for byte. Whether it is a
// usable key the server judges; only a private key is held back here, since it
// must not leave the machine.
func (s *settings) publicKey(path string) (string, error) {
	text, err := s.read(path)
	if err != nil {
		return "", err
	}
	if strings.Contains(string(text), "PRIVATE KEY-----") {
		return "", failed(path+" holds a private key, which stays with you; it was not sent", "give the public one; keys generate wrote it as NAME.public.pem")
	}
	return string(text), nil
}

type profileKeyAdd struct {
	jsonFlag
	profileArg
	PublicKey string `required:"" placeholder:"FILE" help:"Public key, PEM; - for standard input."`
	environmentFlags
}

// Help teaches the command.
func (profileKeyAdd) Help() string {
	return `To change an issuer's key without an interruption: add the new one, sign with it, then delete the old one.

    countersign profile key add trusted-token-profile-test-… --public-key new.public.pem --project acme --environment test` + needsEnvironment
}

// Run adds.
func (c *profileKeyAdd) Run(ctx context.Context, a *app) error {
	pem, err := a.publicKey(c.PublicKey)
	if err != nil {
		return err
	}
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID, "keys")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, map[string]string{"public_key": pem})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v pemFileAnswer) { t.field("pem_file_id", v.PEMFile.ID) })
}

// pemFileArg names the public key that a command is about.
type pemFileArg struct {
	profileArg
	PEMFileID string `arg:"" name:"pem-file-id" help:"The key's ID, pem-file-…; profile get shows it."`
}

type profileKeyGet struct {
	jsonFlag
	pemFileArg
	environmentFlags
}

// Help teaches the command.
func (profileKeyGet) Help() string {
	return `For example:

    countersign profile key get trusted-token-profile-test-… pem-file-test-… --project acme --environment test` + needsEnvironment
}

// Run gets.
func (c *profileKeyGet) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID, "keys", c.PEMFileID)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v pemFileAnswer) {
		t.field("pem_file_id", v.PEMFile.ID)
		t.note("%s", strings.TrimRight(v.PEMFile.PublicKey, "\n"))
	})
}

type profileKeyDelete struct {
	jsonFlag
	confirmFlag
	pemFileArg
	environmentFlags
}

// Help teaches the command.
func (profileKeyDelete) Help() string {
	return `For example:

    countersign profile key delete trusted-token-profile-test-… pem-file-test-… --project acme --environment test` + needsEnvironment
}

// Run deletes.
func (c *profileKeyDelete) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID, "keys", c.PEMFileID)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: path, what: c.PEMFileID,
		question: "Delete " + c.PEMFileID + "? Tokens signed with that key are refused at once.",
		yes:      c.Yes, json: c.JSON,
	})
}
