package cli

import (
	"context"
	"encoding/json"
	"strings"
)

type revokeCommand struct {
	jsonFlag
	confirmFlag
	Session string `placeholder:"ID" help:"One session; stands alone."`
	User    string `placeholder:"ID" help:"All sessions of a user, by ID or external ID, or of a member, by ID; stands alone."`
	Profile string `placeholder:"ID" help:"Sessions with a factor of this profile, which may be deleted."`
	KeyID   string `placeholder:"KID" help:"Sessions with a factor that this key of the issuer vouched for: a kid, or the ID of a PEM file."`
	Before  string `placeholder:"TIME" help:"Only what was attested before then: a moment (RFC 3339), or a span before now such as 2h. By itself, sessions that began before it."`
	DryRun  bool   `help:"Count, and change nothing."`
	environmentFlags
}

// Help teaches the command.
func (revokeCommand) Help() string {
	return `Ends sessions on every node by their next request, however many they are. It counts first and asks.

    countersign revoke --profile trusted-token-profile-test-… --dry-run --project acme --environment test
    countersign revoke --key-id 2026-01 --before 2h --yes --project acme --environment test

--profile, --key-id and --before may be combined. New sign-ins go on: to stop them, delete or change the profile. A session
JWT that somebody checks without asking the server is believed for at most five minutes more.` + needsEnvironment
}

// revocationRequest is the body of POST …/revocations.
type revocationRequest struct {
	SessionID string `json:"session_id,omitempty"`
	UserID    string `json:"user_id,omitempty"`
	MemberID  string `json:"member_id,omitempty"`
	ProfileID string `json:"profile_id,omitempty"`
	KeyID     string `json:"key_id,omitempty"`
	Before    string `json:"attested_before,omitempty"`
	DryRun    bool   `json:"dry_run,omitempty"`
}

func (c *revokeCommand) request(a *app) (r revocationRequest, err error) {
	r = revocationRequest{SessionID: c.Session, ProfileID: c.Profile, KeyID: c.KeyID}
	if personField(c.User) == "member_id" {
		r.MemberID = c.User
	} else {
		r.UserID = c.User
	}
	if c.Before != "" {
		r.Before, err = givenTime("--before", c.Before, a.now())
	}
	return r, err
}

// which is what the sessions have in common, for whoever is asked.
func (r revocationRequest) which() string {
	var parts []string
	for _, p := range []struct{ name, value string }{
		{"session", r.SessionID}, {"user", r.UserID}, {"member", r.MemberID}, {"profile", r.ProfileID}, {"key", r.KeyID}, {"attested before", r.Before},
	} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// revocationAnswer is the answer of POST …/revocations.
type revocationAnswer struct {
	Sessions   int64 `json:"sessions"`
	Complete   bool  `json:"complete"`
	Revocation *struct {
		ID string `json:"revocation_id"`
	} `json:"revocation"`
}

func (v revocationAnswer) count() string {
	n := plural(v.Sessions, "session", "sessions")
	if !v.Complete {
		n = "at least " + n
	}
	return n
}

// Run revokes.
func (c *revokeCommand) Run(ctx context.Context, a *app) error {
	body, err := c.request(a)
	if err != nil {
		return err
	}
	if body == (revocationRequest{}) {
		return usage("which sessions shall end?", "give --session, --user, --profile, --key-id or --before")
	}
	api, path, err := c.open(a, "revocations")
	if err != nil {
		return err
	}
	if c.DryRun || !c.Yes {
		body.DryRun = true
		raw, err := api.post(ctx, path, body)
		if err != nil {
			return err
		}
		if c.DryRun {
			return show(a, c.JSON, raw, func(t *text, v revocationAnswer) { t.line("It would end %s.", v.count()) })
		}
		var v revocationAnswer
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		if err := a.confirm(false, printable("End "+v.count()+" "+body.which()+"?")); err != nil {
			return err
		}
		body.DryRun = false
	}
	raw, err := api.post(ctx, path, body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v revocationAnswer) {
		t.line("Ended %s.", v.count())
		if v.Revocation != nil {
			t.line("It stands as %s until their rows are gone.", v.Revocation.ID)
		}
	})
}

type revocationsCommand struct {
	jsonFlag
	environmentFlags
}

// Help teaches the command.
func (revocationsCommand) Help() string {
	return `Lists the revocations that sessions are held against, oldest first. One stands until a day after the last row was gone.

    countersign revocations --project acme --environment test` + needsEnvironment
}

// Run lists.
func (c *revocationsCommand) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "revocations")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct {
		Revocations []struct {
			ID        string `json:"revocation_id"`
			ProfileID string `json:"profile_id"`
			KeyID     string `json:"key_id"`
			Before    string `json:"attested_before"`
			SweptAt   string `json:"swept_at"`
		} `json:"revocations"`
	},
	) {
		var rows [][]string
		for _, r := range v.Revocations {
			rows = append(rows, []string{r.ID, r.Before, r.ProfileID, r.KeyID, r.SweptAt})
		}
		t.table("revocations", strings.Fields("REVOCATION_ID ATTESTED_BEFORE PROFILE_ID KEY_ID SWEPT_AT"), rows)
	})
}
