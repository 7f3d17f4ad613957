package cli

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
)

// attestCommand exchanges a subject token for a session, or adds a factor to one.
type attestCommand struct {
	jsonFlag
	Profile      string `required:"" env:"COUNTERSIGN_PROFILE" placeholder:"ID" help:"The profile that believes the token's issuer, trusted-token-profile-…."`
	Token        string `placeholder:"FILE" help:"File with the subject token, or - for standard input; otherwise COUNTERSIGN_TOKEN holds it or COUNTERSIGN_TOKEN_FILE names the file. Without any of them: standard input, if it is not a terminal."`
	Organization string `placeholder:"ID" help:"The organization to sign in to (B2B), unless the token or the profile names it: an ID, your own ID (external ID) or a slug."`
	extendFlags
	sessionFlags
	apiFlags
}

// Help teaches the command.
func (attestCommand) Help() string {
	return `Your issuer vouches for a person with a signed token; the server judges it by the profile, finds or makes the
person, and starts a session, if you say how long it shall live:

    countersign token mint … | countersign attest --profile trusted-token-profile-test-… --session-duration-minutes 60

With the token or JWT of a session that exists, the token becomes a further factor of that session:

    countersign attest --profile … --token badge.jwt --session-token-file session.txt

In a B2B project the session is a member's, and lives an hour if nothing is said. The organization is the one that the
token or the profile names; if neither does, say it:

    countersign attest --profile … --token badge.jwt --organization acme` + needsSecret
}

// attestRequest is the body of POST /v1/sessions/attest.
type attestRequest struct {
	ProfileID      string `json:"profile_id"`
	Token          string `json:"token"`
	OrganizationID string `json:"organization_id,omitempty"`
	sessionProof
	extension
}

// Run attests.
func (c *attestCommand) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	req := attestRequest{ProfileID: c.Profile, OrganizationID: c.Organization}
	if req.sessionProof, err = c.proof(a); err != nil {
		return err
	}
	token, err := c.subjectToken(a)
	if err != nil {
		return err
	}
	req.Token = token.Reveal()
	if req.extension, err = c.extension(a); err != nil {
		return err
	}
	raw, err := api.session(ctx, "attest", req, req)
	if err != nil {
		return c.explain(err)
	}
	attached := req.sessionProof != sessionProof{}
	return show(a, c.JSON, raw, func(t *text, v sessionAnswer) {
		v.write(t)
		switch {
		case v.Session == nil && v.MemberSession == nil:
			t.note("No session was started: add --session-duration-minutes to start one.")
		case attached:
			t.note("The token was attached to the session that was given.")
		}
	})
}

func (c *attestCommand) subjectToken(a *app) (countersign.Bearer, error) {
	path := c.Token
	if path == "" && !a.given("COUNTERSIGN_TOKEN") {
		if a.askable {
			return "", usage("no subject token", "pipe one (countersign token mint … | countersign attest …), give --token FILE or set COUNTERSIGN_TOKEN")
		}
		path = "-"
	}
	return a.secret("COUNTERSIGN_TOKEN", path)
}

// explain names the way out where it depends on the profile.
func (c *attestCommand) explain(err error) error {
	if refused, ok := errors.AsType[*apiError](err); ok && (refused.Type == "user_not_found" || refused.Type == "member_not_found") {
		return advise(err, "the profile only signs in people who exist; to have them made: countersign profile update %s --jit", printable(c.Profile))
	}
	return err
}
