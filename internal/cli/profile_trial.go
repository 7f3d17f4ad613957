package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

type profileTest struct {
	jsonFlag
	profileArg
	environmentFlags
}

// Help teaches the command.
func (profileTest) Help() string {
	return `Runs the tests in the profile's trust policy: claims, and what the profile must make of them. They also run whenever the
profile is saved. A test that fails is exit code 1.

    countersign profile update trusted-token-profile-test-… --trust-policy '{"tests":[{"name":"ada",
        "claims":{"email":"ada@example.com","jti":"1"},"expect":{"attributes":{"email":"ada@example.com"}}}]}' …
    countersign profile test trusted-token-profile-test-… --project acme --environment test` + needsEnvironment
}

type testAnswer struct {
	Passed  bool `json:"passed"`
	Results []struct {
		Name     string `json:"name"`
		Passed   bool   `json:"passed"`
		Expected string `json:"expected"`
		Received string `json:"received"`
	} `json:"results"`
}

// Run tests.
func (c *profileTest) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID, "test")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, nil)
	if err != nil {
		return err
	}
	lost := 0
	err = show(a, c.JSON, raw, func(t *text, v testAnswer) {
		var list []shownStep
		for _, r := range v.Results {
			s := shownStep{Step: r.Name, Status: "passed"}
			if !r.Passed {
				lost++
				s.Status, s.Expected, s.Received = "failed", r.Expected, r.Received
			}
			list = append(list, s)
		}
		t.steps(list)
		t.line("%d passed, %d failed", len(list)-lost, lost)
	})
	if err == nil && lost > 0 {
		err = failed(fmt.Sprintf("%d tests of the profile fail", lost), "")
	}
	return err
}

type profileReplay struct {
	jsonFlag
	profileArg
	Since    string  `default:"24h" placeholder:"TIME" help:"Verdicts from then on: a moment (RFC 3339), or a span before now; default 24h."`
	Issuer   *string `placeholder:"ISSUER" help:"Try another issuer."`
	Audience *string `placeholder:"AUDIENCE" help:"Try another audience."`
	trustPolicyFlag
	environmentFlags
}

// Help teaches the command.
func (profileReplay) Help() string {
	return `Holds the verdicts that were kept against an edited profile, which is not saved, and says which outcomes would change.
What depends on claims whose values are not kept is unknown.

    countersign profile replay trusted-token-profile-test-… --since 24h --trust-policy '{"max_token_lifetime_seconds":600}' \
        --project acme --environment test` + needsEnvironment
}

type replayAnswer struct {
	Judged  int `json:"judged"`
	Same    int `json:"same"`
	Changes []struct {
		From    string `json:"from"`
		To      string `json:"to"`
		Count   int    `json:"count"`
		Example string `json:"example_request_id"`
	} `json:"changes"`
	Complete bool `json:"complete"`
}

// Run replays.
func (c *profileReplay) Run(ctx context.Context, a *app) error {
	since, err := givenTime("--since", c.Since, a.now())
	if err != nil {
		return err
	}
	edit := profileBody{Issuer: c.Issuer, Audience: c.Audience}
	if edit.TrustPolicy, err = c.policy(a); err != nil {
		return err
	}
	if edit.empty() {
		return usage("nothing to try", "give --trust-policy, --issuer or --audience")
	}
	api, path, err := c.open(a, "trusted_token_profiles", c.ProfileID, "replay")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, map[string]any{"since": since, "profile": edit})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v replayAnswer) {
		var rows [][]string
		for _, change := range v.Changes {
			rows = append(rows, []string{strconv.Itoa(change.Count), change.From, change.To, change.Example})
		}
		t.table("outcomes that would change", strings.Fields("COUNT FROM TO EXAMPLE"), rows)
		t.note("%d verdicts, of which %d would be the same.", v.Judged, v.Same)
		if !v.Complete {
			t.line("There are older ones, which were not looked at.")
		}
	})
}
