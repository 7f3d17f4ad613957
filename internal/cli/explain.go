package cli

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/countersign-auth/countersign"
)

type explainCommand struct {
	jsonFlag
	RequestID    string `arg:"" optional:"" name:"request-id" help:"The request_id of an answer: the kept verdict on the token that it brought."`
	Profile      string `placeholder:"ID" help:"Judge a sample by this profile now, and change nothing."`
	Token        string `placeholder:"FILE" xor:"sample" help:"A subject token; - for standard input."`
	Claims       string `placeholder:"JSON" xor:"sample" help:"Claims without a token, as a JSON object or @FILE; iss, aud, iat and exp are added if they are absent."`
	Header       string `placeholder:"JSON" help:"Beside --claims, the header, as a JSON object or @FILE; alg, and the typ that the profile requires, are added if they are absent."`
	Organization string `placeholder:"ID" help:"Beside --token or --claims, the organization that the caller names (B2B)."`
	environmentFlags
}

// Help teaches the command.
func (explainCommand) Help() string {
	return `Says why a token was refused, or would be: every check in order, what was expected, what was received, and what to do
about it. Every answer of the API has a request_id, and the message of a refusal names the reason.

    countersign explain request-id-test-… --project acme --environment test
    pbpaste | countersign explain --profile trusted-token-profile-test-… --token - --project acme --environment test
    countersign explain --profile trusted-token-profile-test-… --claims '{"email":"ada@example.com","jti":"1"}' …

Verdicts keep no token and no claim's value but iss, aud and the times. The token that you give is sent to the server, which
keeps nothing of it. The exit code is 0 whatever the outcome.` + needsEnvironment
}

// explanation is what both ways of asking answer.
type explanation struct {
	Verdict *struct {
		JudgedAt   string     `json:"judged_at"`
		ProfileID  string     `json:"profile_id"`
		UserID     string     `json:"user_id"`
		MemberID   string     `json:"member_id"`
		Outcome    string     `json:"outcome"`
		Reason     string     `json:"reason"`
		Shadow     bool       `json:"shadow"`
		RemoteAddr string     `json:"remote_address"`
		Token      shownToken `json:"token"`
	} `json:"verdict"`
	Steps       []shownStep `json:"steps"`
	Explanation *struct {
		Outcome    string          `json:"outcome"`
		Reason     string          `json:"reason"`
		Steps      []shownStep     `json:"steps"`
		Token      shownToken      `json:"token"`
		Attributes json.RawMessage `json:"attributes"`
		Person     *struct {
			UserID         string `json:"user_id"`
			MemberID       string `json:"member_id"`
			OrganizationID string `json:"organization_id"`
			Provisioned    bool   `json:"would_be_provisioned"`
		} `json:"person"`
	} `json:"explanation"`
}

type shownStep struct {
	Step     string `json:"step"`
	Status   string `json:"status"`
	Expected string `json:"expected"`
	Received string `json:"received"`
	Hint     string `json:"hint"`
}

type shownToken struct {
	Algorithm string   `json:"alg"`
	KeyID     string   `json:"kid"`
	Type      string   `json:"typ"`
	Issuer    string   `json:"iss"`
	Audiences []string `json:"aud"`
	IssuedAt  string   `json:"iat"`
	NotBefore string   `json:"nbf"`
	ExpiresAt string   `json:"exp"`
	Names     []string `json:"claim_names"`
}

// Run explains.
func (c *explainCommand) Run(ctx context.Context, a *app) error {
	sample := c.Token != "" || c.Claims != ""
	switch {
	case c.RequestID != "" && (c.Profile != "" || c.Header != "" || c.Organization != "" || sample):
		return usage("a request ID stands alone", "leave out --profile, --token, --claims, --header and --organization, or the request ID")
	case c.RequestID == "" && (c.Profile == "" || !sample):
		return usage("what shall be explained?", "give a request ID, or --profile with --token FILE or --claims JSON")
	case c.Header != "" && c.Claims == "":
		return usage("--header goes with --claims", "a token has a header of its own")
	}
	raw, err := c.ask(ctx, a)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v explanation) { v.write(t) })
}

func (c *explainCommand) ask(ctx context.Context, a *app) (json.RawMessage, error) {
	if c.RequestID != "" {
		api, path, err := c.open(a, "verdicts", c.RequestID)
		if err != nil {
			return nil, err
		}
		return api.get(ctx, path)
	}
	sample, err := c.sample(a)
	if err != nil {
		return nil, err
	}
	api, path, err := c.open(a, "trusted_token_profiles", c.Profile, "explain")
	if err != nil {
		return nil, err
	}
	return api.post(ctx, path, sample)
}

// explainRequest is the body of POST …/explain.
type explainRequest struct {
	Token  string          `json:"token,omitempty"`
	Header json.RawMessage `json:"header,omitempty"`
	Claims json.RawMessage `json:"claims,omitempty"`
	// Organization is what the caller of attest would name beside the token.
	Organization string `json:"organization_id,omitempty"`
}

func (c *explainCommand) sample(a *app) (r explainRequest, err error) {
	r.Organization = c.Organization
	if c.Token != "" {
		if c.Token == "-" && a.askable {
			a.remark("paste the token, then press Enter and Ctrl-D")
		}
		token, err := a.secret("", c.Token)
		r.Token = bareToken(token.Reveal())
		return r, err
	}
	for _, part := range []struct {
		flag, value string
		into        *json.RawMessage
	}{{"--claims", c.Claims, &r.Claims}, {"--header", c.Header, &r.Header}} {
		if part.value == "" {
			continue
		}
		if *part.into, err = a.inlineOrFile(part.value); err != nil {
			return r, err
		}
		if _, err = parseObject(*part.into, part.flag); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (v explanation) write(t *text) {
	switch {
	case v.Verdict != nil:
		t.field("outcome", outcome(v.Verdict.Outcome, v.Verdict.Reason))
		if v.Verdict.Shadow {
			t.field("shadow", "yes: nobody was signed in, whatever the outcome")
		}
		t.field("judged_at", t.when(v.Verdict.JudgedAt))
		t.field("profile_id", v.Verdict.ProfileID)
		t.optional("user_id", v.Verdict.UserID)
		t.optional("member_id", v.Verdict.MemberID)
		t.field("remote_address", v.Verdict.RemoteAddr)
		v.Verdict.Token.write(t)
		t.steps(v.Steps)
	case v.Explanation != nil:
		e := v.Explanation
		t.field("outcome", outcome(e.Outcome, e.Reason))
		e.Token.write(t)
		if string(e.Attributes) != "null" {
			t.object("attributes", e.Attributes)
		}
		switch {
		case e.Person == nil:
		case e.Person.Provisioned:
			t.field("person", "somebody new, who would be provisioned")
		default:
			t.field("person", e.Person.UserID+e.Person.MemberID)
		}
		if e.Person != nil {
			t.optional("organization_id", e.Person.OrganizationID)
		}
		t.steps(e.Steps)
	}
}

func outcome(word, reason string) string {
	if reason == "" {
		return word
	}
	return word + ": " + reason
}

func (s shownToken) write(t *text) {
	t.optional("alg", s.Algorithm)
	t.optional("kid", s.KeyID)
	t.optional("typ", s.Type)
	t.optional("iss", s.Issuer)
	t.optional("aud", strings.Join(s.Audiences, " "))
	for _, at := range []struct{ name, value string }{{"iat", s.IssuedAt}, {"nbf", s.NotBefore}, {"exp", s.ExpiresAt}} {
		if at.value != "" {
			t.field(at.name, t.when(at.value))
		}
	}
	t.optional("claims", strings.Join(s.Names, " "))
}

// optional is field, but for "".
func (t *text) optional(name, value string) {
	if value != "" {
		t.field(name, value)
	}
}

// steps shows each check with a mark; of the one that failed, all there is to
// say.
func (t *text) steps(list []shownStep) {
	t.line("")
	for _, s := range list {
		switch s.Status {
		case "passed":
			t.marked("\x1b[32m", "✓", s.Step)
		case "failed":
			t.marked("\x1b[31m", "✗", s.Step)
			for _, part := range []struct{ name, value string }{{"expected", s.Expected}, {"received", s.Received}, {"hint", s.Hint}} {
				if part.value != "" {
					t.line("    %-8s  %s", part.name, part.value)
				}
			}
		default:
			t.marked("\x1b[2m", "·", s.Step+" (not reached)")
		}
	}
}

// marked is a line behind a mark, in a colour on a terminal.
func (t *text) marked(colour, mark, line string) {
	if !t.colour {
		t.line("%s %s", mark, line)
		return
	}
	t.flush()
	t.out.WriteString(colour + mark + " " + printable(line) + "\x1b[0m\n")
}

// differing are the settings of a trust policy that differ from the default.
func differing(policy json.RawMessage) (json.RawMessage, error) {
	encoded, err := countersign.EncodeJSON(countersign.DefaultTrustPolicy())
	if err != nil {
		return nil, err
	}
	var defaults, settings countersign.Object
	if err := json.Unmarshal(encoded, &defaults); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(policy, &settings); err != nil {
		return nil, err
	}
	for name, value := range settings {
		if string(value) == string(defaults[name]) {
			delete(settings, name)
		}
	}
	return countersign.EncodeJSON(settings)
}
