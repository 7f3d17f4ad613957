package cli

import (
	"context"
	"encoding/json"
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
	var answer testAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if err := show(a, c.JSON, raw, func(t *text, v testAnswer) { v.write(t) }); err != nil || answer.Passed {
		return err
	}
	return failed(plural(answer.lost(), "test of the profile fails", "tests of the profile fail"), "correct the profile or the test with countersign profile update --trust-policy")
}

// lost is how many tests failed.
func (v testAnswer) lost() (n int64) {
	for _, r := range v.Results {
		if !r.Passed {
			n++
		}
	}
	return n
}

func (v testAnswer) write(t *text) {
	if len(v.Results) == 0 {
		t.line("The profile has no tests; countersign profile test --help shows one.")
		return
	}
	list := make([]shownStep, len(v.Results))
	for i, r := range v.Results {
		list[i] = shownStep{Step: r.Name, Status: "passed"}
		if !r.Passed {
			list[i] = shownStep{Step: r.Name, Status: "failed", Expected: r.Expected, Received: r.Received}
		}
	}
	t.steps(list)
	t.note("%d passed, %d failed", int64(len(list))-v.lost(), v.lost())
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
	Judged  int64 `json:"judged"`
	Same    int   `json:"same"`
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
		t.note("%s, of which %d would be the same.", plural(v.Judged, "verdict", "verdicts"), v.Same)
		if !v.Complete {
			t.line("There are older ones, which were not looked at.")
		}
	})
}
