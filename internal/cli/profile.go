package cli

import (
	"context"
	"strings"
)

type profileCommand struct {
	Init   profileInit   `cmd:"" help:"Propose a profile, from an issuer or from a sample of its tokens."`
	Create profileCreate `cmd:"" help:"Believe an issuer: create a trusted-token profile."`
	List   profileList   `cmd:"" help:"List an environment's profiles."`
	Get    profileGet    `cmd:"" help:"Show one profile."`
	Update profileUpdate `cmd:"" help:"Change a profile."`
	Test   profileTest   `cmd:"" help:"Run a profile's own tests."`
	Replay profileReplay `cmd:"" help:"Say which kept verdicts a change of a profile would change."`
	Delete profileDelete `cmd:"" help:"Delete a profile: its issuer is not believed any more."`
	Key    profileKey    `cmd:"" help:"The public keys of a PEM profile."`
}

type profileCreate struct {
	jsonFlag
	Name      string   `required:"" placeholder:"TEXT" help:"A name for people; need not be unique."`
	Issuer    string   `required:"" env:"COUNTERSIGN_ISSUER" placeholder:"ISSUER" help:"What iss must be, byte for byte."`
	Audience  string   `required:"" env:"COUNTERSIGN_AUDIENCE" placeholder:"AUDIENCE" help:"What aud must name."`
	JWKSURL   string   `name:"jwks-url" placeholder:"URL" xor:"keys" help:"Where the issuer publishes its keys (a JWK profile)."`
	PublicKey []string `sep:"none" placeholder:"FILE" xor:"keys" help:"Public key, PEM (a PEM profile). Repeatable, up to five."`
	profileFlags
	trustPolicyFlag
	forceFlag
	environmentFlags
}

// Help teaches the command.
func (profileCreate) Help() string {
	return `A profile says whose tokens are believed: their iss, their aud, their keys, and which claims become which
attributes. Keys come from the issuer's key set, or from PEM files:

    countersign profile create --project acme --environment test --name idp \
        --issuer https://idp.example.com --audience countersign --jwks-url https://idp.example.com/.well-known/jwks.json
    countersign profile create --project acme --environment test --name mine \
        --issuer mine --audience countersign --public-key key.public.pem --jit

Without a mapping of your own it is email from the claim email, token_id from jti.` + needsEnvironment
}

// Run creates.
func (c *profileCreate) Run(ctx context.Context, a *app) error {
	body := profileBody{Name: &c.Name, Issuer: &c.Issuer, Audience: &c.Audience, CanJITProvision: c.JIT}
	switch {
	case c.JWKSURL != "":
		body.PublicKeyType, body.JWKSURL = "JWK", &c.JWKSURL
	case len(c.PublicKey) > 0:
		body.PublicKeyType = "PEM"
		for _, path := range c.PublicKey {
			pem, err := a.publicKey(path)
			if err != nil {
				return err
			}
			body.PEMFiles = append(body.PEMFiles, pem)
		}
	default:
		return usage("no keys to check the issuer's tokens with", "give --jwks-url URL, or --public-key FILE (countersign keys generate makes one)")
	}
	var err error
	if body.AttributeMapping, err = c.mapping(a); err != nil {
		return err
	}
	if body.AttributeMapping == nil {
		body.AttributeMapping = defaultMapping()
	}
	if body.TrustPolicy, err = c.policy(a); err != nil {
		return err
	}
	body.Force = c.Force
	api, path, err := c.open(a, "trusted_token_profiles")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v profileAnswer) { v.write(t) })
}

type profileList struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (profileList) Help() string {
	return `For example:

    countersign profile list --project acme --environment test` + needsEnvironment
}

// Run lists.
func (c *profileList) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "trusted_token_profiles")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ Profiles []profile }) {
		var rows [][]string
		for _, p := range v.Profiles {
			rows = append(rows, []string{p.ProfileID, p.Name, p.Issuer, p.Audience, p.PublicKeyType, p.provisioning()})
		}
		t.table("profiles", strings.Fields("PROFILE_ID NAME ISSUER AUDIENCE KEYS JIT"), rows)
	})
}

// profileArg names the profile that a command is about.
type profileArg struct {
	ProfileID string `arg:"" name:"profile-id" help:"The profile's ID, trusted-token-profile-…."`
}

type profileGet struct {
	jsonFlag
	profileArg
	environmentFlags
}

// Help teaches the command.
func (profileGet) Help() string {
	return `For example:

    countersign profile get trusted-token-profile-test-… --project acme --environment test` + needsEnvironment
}

// Run gets.
func (c *profileGet) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v profileAnswer) { v.write(t) })
}

type profileUpdate struct {
	jsonFlag
	profileArg
	Name     *string `placeholder:"TEXT" help:"A name for people."`
	Issuer   *string `placeholder:"ISSUER" help:"What iss must be, byte for byte."`
	Audience *string `placeholder:"AUDIENCE" help:"What aud must name."`
	JWKSURL  *string `name:"jwks-url" placeholder:"URL" help:"Where the issuer publishes its keys; only of a JWK profile."`
	profileFlags
	trustPolicyFlag
	forceFlag
	environmentFlags
}

// Help teaches the command.
func (profileUpdate) Help() string {
	return `Changes what is given and leaves the rest; a mapping is replaced as a whole, of a trust policy the settings that are given:
null makes one the default again. The keys of a PEM profile are changed with "profile key".

    countersign profile update trusted-token-profile-test-… --jit --project acme --environment test
    countersign profile update trusted-token-profile-test-… --trust-policy '{"email_trust":"verified_claim","conditions":null}' …` + needsEnvironment
}

// Run updates.
func (c *profileUpdate) Run(ctx context.Context, a *app) error {
	body := profileBody{Name: c.Name, Issuer: c.Issuer, Audience: c.Audience, JWKSURL: c.JWKSURL, CanJITProvision: c.JIT}
	var err error
	if body.AttributeMapping, err = c.mapping(a); err != nil {
		return err
	}
	if body.TrustPolicy, err = c.policy(a); err != nil {
		return err
	}
	body.Force = c.Force
	if body.empty() {
		return usage("nothing to change", "see countersign profile update --help")
	}
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID)
	if err != nil {
		return err
	}
	raw, err := api.patch(ctx, path, body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v profileAnswer) { v.write(t) })
}

type profileDelete struct {
	jsonFlag
	confirmFlag
	profileArg
	environmentFlags
}

// Help teaches the command.
func (profileDelete) Help() string {
	return `Tokens of its issuer are refused at once; people and sessions that it brought in stay.

    countersign profile delete trusted-token-profile-test-… --project acme --environment test` + needsEnvironment
}

// Run deletes.
func (c *profileDelete) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: path, what: c.ProfileID,
		question: "Delete " + c.ProfileID + "? Tokens of its issuer are refused at once.",
		yes:      c.Yes, json: c.JSON,
	})
}
