package cli

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
)

type profileInit struct {
	jsonFlag
	Issuer    string  `placeholder:"URL" help:"Read the issuer's metadata."`
	FromToken string  `placeholder:"FILE" help:"Look at a sample of its tokens; it may have expired. - for standard input."`
	Create    bool    `help:"Create the profile, if nothing is missing."`
	Name      *string `placeholder:"TEXT" help:"In the place of the name that is proposed."`
	Audience  *string `placeholder:"AUDIENCE" help:"In the place of the audience that is proposed."`
	JIT       bool    `name:"jit" help:"Provision just in time: make people who are not known yet."`
	environmentFlags
}

// Help teaches the command.
func (profileInit) Help() string {
	return `Proposes a profile from what the issuer says of itself, from a token of its, or from both, says what to look at, and
prints the command that creates it. The server does the reading: it asks the issuer that is named, or else the iss of the
token. Nothing of the token is verified or kept, and of its claims only iss and aud are shown.

    countersign profile init --issuer https://idp.example.com --audience my-api --project acme --environment test
    pbpaste | countersign profile init --from-token - --create --jit --project acme --environment test

With --json the profile alone is printed, as POST …/trusted_token_profiles takes it, and the rest goes to standard error.` + needsEnvironment
}

// proposal is the wire's proposal of a profile.
type proposal struct {
	Profile proposedProfile `json:"profile"`
	Notes   []struct {
		Level   string `json:"level"`
		About   string `json:"about"`
		Message string `json:"message"`
	} `json:"notes"`
	Missing []string `json:"missing"`
}

// proposedProfile is a profile as it is sent to make one.
type proposedProfile struct {
	Name             string            `json:"name"`
	Issuer           string            `json:"issuer"`
	Audience         string            `json:"audience"`
	PublicKeyType    string            `json:"public_key_type"`
	JWKSURL          *string           `json:"jwks_url"`
	AttributeMapping map[string]string `json:"attribute_mapping"`
	CanJITProvision  bool              `json:"can_jit_provision"`
	TrustPolicy      json.RawMessage   `json:"trust_policy"`
}

// Run proposes, and creates if it is asked to.
func (c *profileInit) Run(ctx context.Context, a *app) error {
	body := map[string]string{}
	if c.Issuer != "" {
		body["issuer"] = c.Issuer
	}
	if c.FromToken != "" {
		raw, err := a.read(c.FromToken)
		if err != nil {
			return err
		}
		body["token"] = bareToken(string(raw))
	}
	if c.Issuer == "" && body["token"] == "" {
		return usage("nothing to propose a profile from", "give --issuer URL, or --from-token FILE with a token in it, or both")
	}
	api, path, err := c.open(a, "trusted_token_profiles")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, append(slices.Clone(path), "propose"), body)
	if err != nil {
		return adviseDiscovery(err)
	}
	var answer struct{ Proposal proposal }
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	p := answer.Proposal
	c.override(&p)
	if !c.Create && !c.JSON {
		return c.show(a, p)
	}
	for _, note := range p.Notes {
		a.remark("%s: %s: %s", note.Level, printable(note.About), printable(note.Message))
	}
	if !c.Create {
		return p.print(a)
	}
	if len(p.Missing) > 0 {
		return failed("not created; missing: "+strings.Join(p.Missing, ", "), "without --create, the command to fill in is printed")
	}
	if raw, err = api.post(ctx, path, p.Profile); err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v profileAnswer) { v.write(t) })
}

// override puts what the flags say in the place of what was proposed, about which
// there is nothing to note then.
func (c *profileInit) override(p *proposal) {
	p.Profile.CanJITProvision = c.JIT
	if c.Name != nil {
		p.Profile.Name = *c.Name
	}
	if c.Audience != nil {
		p.Profile.Audience = *c.Audience
		p.Missing = slices.DeleteFunc(p.Missing, func(member string) bool { return member == "audience" })
		kept := p.Notes[:0]
		for _, note := range p.Notes {
			if note.About != "audience" {
				kept = append(kept, note)
			}
		}
		p.Notes = kept
	}
}

// adviseDiscovery says what else there is to begin with.
func adviseDiscovery(err error) error {
	refused, ok := errors.AsType[*apiError](err)
	switch {
	case ok && refused.Type == "issuer_discovery_failed":
		return advise(err, "give --from-token FILE without --issuer; a private address, or http, must be allowed with countersign serve --jwks-allow-private")
	case ok && refused.Type == "issuer_discovery_mismatch":
		return advise(err, "give --issuer as the document has it, to the last slash")
	}
	return err
}

// print prints the profile as it is sent to make one.
func (p *proposal) print(a *app) error {
	if len(p.Missing) > 0 {
		a.remark("missing: %s", printable(strings.Join(p.Missing, ", ")))
	}
	raw, err := countersign.EncodeJSON(p.Profile)
	if err != nil {
		return err
	}
	return a.printJSON(raw)
}

func (c *profileInit) show(a *app, p proposal) error {
	mapping, err := countersign.EncodeJSON(p.Profile.AttributeMapping)
	if err != nil {
		return err
	}
	t := &text{colour: a.colour(a.stdout), now: a.now()}
	t.field("name", p.Profile.Name)
	t.field("issuer", p.Profile.Issuer)
	t.field("audience", p.Profile.Audience)
	t.field("keys", p.Profile.PublicKeyType)
	t.field("jwks_url", p.Profile.keys())
	t.object("attribute_mapping", mapping)
	t.object("trust_policy", p.Profile.TrustPolicy)
	t.field("jit", (&profile{CanJITProvision: p.Profile.CanJITProvision}).provisioning())
	t.field("missing", strings.Join(p.Missing, ", "))
	t.flush()
	if len(p.Notes) > 0 {
		t.line("")
	}
	for _, note := range p.Notes {
		t.line("%s: %s: %s", note.Level, note.About, note.Message)
	}
	introduction := "To create it, or the same with --create:"
	if len(p.Missing) > 0 {
		introduction = "To create it, with what is missing in the place of each …:"
	}
	t.note("%s", introduction)
	t.note("    %s", c.command(p))
	return a.printText(t)
}

func (p *proposedProfile) keys() string {
	if p.JWKSURL == nil {
		return ""
	}
	return *p.JWKSURL
}

// command is the command line that creates the profile, with … for what is
// missing.
func (c *profileInit) command(p proposal) string {
	line := "countersign profile create"
	add := func(flag, value string) {
		switch {
		case value == "":
			line += " --" + flag + " …"
		case strings.HasPrefix(value, "-"): // would be taken for a flag
			line += " " + shellWord("--"+flag+"="+value)
		default:
			line += " --" + flag + " " + shellWord(value)
		}
	}
	add("project", c.Project)
	add("environment", c.Environment)
	add("name", p.Profile.Name)
	add("issuer", p.Profile.Issuer)
	add("audience", p.Profile.Audience)
	add("jwks-url", p.Profile.keys())
	for _, attribute := range slices.Sorted(maps.Keys(p.Profile.AttributeMapping)) {
		add("map", attribute+"="+p.Profile.AttributeMapping[attribute])
	}
	for _, member := range p.Missing {
		if attribute, ok := strings.CutPrefix(member, "attribute_mapping."); ok {
			line += " --map " + attribute + "=…"
		}
	}
	add("trust-policy", string(p.Profile.TrustPolicy))
	if c.JIT {
		line += " --jit"
	}
	return line
}

// shellWord is s as one word to a POSIX shell.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// bareToken is a token without what comes along when one is copied: white space
// around it and a "Bearer " before it.
func bareToken(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 7 && strings.EqualFold(text[:7], "bearer ") {
		text = strings.TrimSpace(text[7:])
	}
	return text
}

// trustPolicyFlag is the trust policy of a profile, or its settings that change.
type trustPolicyFlag struct {
	TrustPolicy string `placeholder:"JSON" help:"The settings of the trust policy that differ from the default, as a JSON object or @FILE."`
}

// policy is the policy that was given, nil if none was.
func (f *trustPolicyFlag) policy(a *app) (json.RawMessage, error) {
	if f.TrustPolicy == "" {
		return nil, nil
	}
	raw, err := a.inlineOrFile(f.TrustPolicy)
	if err != nil {
		return nil, err
	}
	_, err = parseObject(raw, "--trust-policy")
	return raw, err
}

// forceFlag saves a profile although its own tests fail.
type forceFlag struct {
	Force bool `help:"Save the profile although its own tests fail."`
}
