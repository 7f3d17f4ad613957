package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/cli"
)

const (
	refusedVerdict = `{"request_id":"r","status_code":200,"verdict":{"request_id":"request-id-test-1","judged_at":"2026-01-05T09:55:48Z","profile_id":"p","user_id":null,
 "outcome":"refused","reason":"audience_mismatch","step":"audience","expected":"aud to contain \"a\"","received":"aud is \"b\u001b[2J\"","shadow":true,"remote_address":"192.0.2.7",
 "token":{"alg":"ES256","kid":"k1","typ":"JWT","iss":"https://idp.example.com","aud":["b","c"],"exp":"2026-01-05T10:05:00Z","nbf":null,"iat":"2026-01-05T10:00:00Z","claim_names":["aud","email"]}},
 "steps":[{"step":"issuer","status":"passed","reason":null,"expected":null,"received":null,"hint":null},
 {"step":"audience","status":"failed","reason":"audience_mismatch","expected":"aud to contain \"a\"","received":"aud is \"b\u001b[2J\"","hint":"Add it."},
 {"step":"times","status":"not_reached","reason":null,"expected":null,"received":null,"hint":null}]}`

	acceptedSample = `{"explanation":{"outcome":"accepted","reason":null,"steps":[{"step":"form","status":"not_reached"},{"step":"issuer","status":"passed"}],
 "token":{"alg":"RS256","kid":null,"typ":null,"iss":"i","aud":["a"],"exp":"2026-01-05T10:05:00Z","nbf":null,"iat":null,"claim_names":[]},
 "attributes":{"email":"ada@example.com","token_id":"1"},"person":{"user_id":null,"would_be_provisioned":true}}}`

	failedTests = `{"passed":false,"results":[{"name":"ada","passed":true,"expected":"e","received":"r"},{"name":"eve","passed":false,"expected":"reason expired","received":"accepted"}]}`
)

// TestTrustText holds what a person reads of verdicts, tests, replays and
// revocations.
func TestTrustText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   string
		answer string
		want   result
	}{
		{"a verdict", "explain request-id-test-1", refusedVerdict, result{0, `outcome         refused: audience_mismatch
shadow          yes: nobody was signed in, whatever the outcome
judged_at       2026-01-05 09:55:48 UTC (4m12s ago)
profile_id      p
remote_address  192.0.2.7
alg             ES256
kid             k1
typ             JWT
iss             https://idp.example.com
aud             b c
iat             2026-01-05 10:00:00 UTC (now)
exp             2026-01-05 10:05:00 UTC (in 5m0s)
claims          aud email

✓ issuer
✗ audience
    expected  aud to contain "a"
    received  aud is "b` + "\uFFFD" + `[2J"
    hint      Add it.
· times (not reached)
`, ""}},
		{"a sample", "explain --profile p --claims {}", acceptedSample, result{0, `outcome     accepted
alg         RS256
iss         i
aud         a
exp         2026-01-05 10:05:00 UTC (in 5m0s)
attributes  {"email":"ada@example.com","token_id":"1"}
person      somebody new, who would be provisioned

· form (not reached)
✓ issuer
`, ""}},
		{
			"a sample of somebody who exists", "explain --profile p --token -",
			`{"explanation":{"outcome":"refused","reason":"already_used","steps":[],"token":{},"attributes":null,"person":{"user_id":"user-test-1","would_be_provisioned":false}}}`,
			result{0, "outcome  refused: already_used\nperson   user-test-1\n\n", ""},
		},
		{"tests, one of which fails", "profile test p", failedTests, result{
			1, "\n✓ ada\n✗ eve\n    expected  reason expired\n    received  accepted\n\n1 passed, 1 failed\n",
			"countersign: 1 test of the profile fails\n  hint: correct the profile or the test with countersign profile update --trust-policy\n",
		}},
		{"tests that are none", "profile test p", `{"passed":true,"results":[]}`, result{0, "The profile has no tests; countersign profile test --help shows one.\n", ""}},
		{
			"a replay", "profile replay p --audience a",
			`{"judged":50000,"same":49990,"changes":[{"from":"audience_mismatch","to":"unknown","count":10,"example_request_id":"request-id-test-1"}],"complete":false}`,
			result{0, "COUNT  FROM               TO       EXAMPLE\n10     audience_mismatch  unknown  request-id-test-1\n\n50000 verdicts, of which 49990 would be the same.\nThere are older ones, which were not looked at.\n", ""},
		},
		{
			"a replay that changes nothing", "profile replay p --audience a", `{"judged":1,"same":1,"changes":[],"complete":true}`,
			result{0, "There are no outcomes that would change.\n\n1 verdict, of which 1 would be the same.\n", ""},
		},
		{"a count of sessions", "revoke --profile p --dry-run", `{"revocation":null,"sessions":1,"complete":true,"dry_run":true}`, result{0, "It would end 1 session.\n", ""}},
		{
			"too many sessions to count", "revoke --before 1h --yes", `{"revocation":{"revocation_id":"revocation-test-1"},"sessions":200000,"complete":false,"dry_run":false}`,
			result{0, "Ended at least 200000 sessions.\nIt stands as revocation-test-1 until their rows are gone.\n", ""},
		},
		{
			"revocations", "revocations",
			`{"revocations":[{"revocation_id":"revocation-test-1","profile_id":"p","key_id":null,"attested_before":"2026-01-05T09:00:00Z","created_at":"2026-01-05T09:30:00Z","swept_at":null}]}`,
			result{0, "REVOCATION_ID      ATTESTED_BEFORE       PROFILE_ID  KEY_ID  SWEPT_AT\nrevocation-test-1  2026-01-05T09:00:00Z  p           -       -\n", ""},
		},
		{"no revocations", "revocations", `{"revocations":[]}`, result{0, "There are no revocations.\n", ""}},
		{
			"a profile's policy", "profile get p",
			`{"profile":{"profile_id":"p","pem_files":[],"attribute_mapping":null,"trust_policy":{"algorithms":null,"clock_skew_seconds":60,"email_trust":"issuer","mode":"shadow","one_time_tokens":false}}}`,
			result{0, "profile_id         p\nname               -\nissuer             -\naudience           -\nkeys               -\nattribute_mapping  null\njit                off\ntrust_policy       {\"clock_skew_seconds\":60,\"mode\":\"shadow\"}\n", ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, 200, tt.answer)
			got := run(t, command{args: strings.Fields(tt.args), env: s.env(), stdin: strings.NewReader("planted.token.x")})
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProfileTestJSON holds that a script is told of a failed test as a person is.
func TestProfileTestJSON(t *testing.T) {
	t.Parallel()
	s := newServer(t, 200, failedTests)
	got := run(t, command{args: []string{"profile", "test", "p", "--json"}, env: s.env()})
	if got.code != cli.ExitFailed || !strings.Contains(got.stdout, `"passed": false`) {
		t.Errorf("exit code %d, stdout %q; want %d and the answer", got.code, got.stdout, cli.ExitFailed)
	}
}

// TestExplainColour holds that marks are coloured on a terminal, and only there.
func TestExplainColour(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{"a terminal": nil, "NO_COLOR": {"NO_COLOR": "1"}} {
		s := newServer(t, 200, refusedVerdict)
		variables := s.env()
		for name, value := range env {
			variables[name] = value
		}
		var stdout, stderr screen
		code := cli.Main(t.Context(), cli.Process{
			Args: []string{"explain", "request-id-test-1"}, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			LookupEnv: func(name string) (string, bool) { v, ok := variables[name]; return v, ok }, Now: func() time.Time { return now },
		})
		if coloured := strings.Contains(stdout.String(), "\n\x1b[31m✗ audience\x1b[0m\n"); code != 0 || coloured != (env == nil) || strings.Contains(stdout.String(), "\x1b[2J") {
			t.Errorf("%s: exit code %d, stdout %q", name, code, stdout.String())
		}
	}
}

// TestVerdicts holds that pages are followed up to the limit, short ones too, and
// that those which were not kept are told of beside the answer.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	const (
		accepted = `{"request_id":"r1","judged_at":"2026-01-05T10:00:00Z","outcome":"accepted","reason":null,"received":null,"shadow":true,"remote_address":"192.0.2.7"}`
		refused  = `{"request_id":"r2","judged_at":"2026-01-05T09:00:00Z","outcome":"refused","reason":"expired","received":"exp is past","shadow":false,"remote_address":"192.0.2.8"}`
		header   = "JUDGED_AT             OUTCOME            RECEIVED     FROM       REQUEST_ID\n"
		missed   = "7 more refusals of that time and profile were only counted: too many came in a minute (serve --verdicts-per-minute).\n"
	)
	pages := map[string]string{
		"":   `{"verdicts":[` + accepted + `],"next_cursor":"c1","not_kept":7}`,
		"c1": `{"verdicts":[],"next_cursor":"c2","not_kept":7}`,
		"c2": `{"verdicts":[` + refused + `],"next_cursor":"c3","not_kept":7}`,
	}
	tests := []struct {
		args  string
		want  result
		asked []string // limit and cursor of each request
	}{
		{
			"--limit 2",
			result{0, header + "2026-01-05T10:00:00Z  accepted (shadow)  -            192.0.2.7  r1\n2026-01-05T09:00:00Z  refused: expired   exp is past  192.0.2.8  r2\n", missed},
			[]string{"2 ", "1 c1", "1 c2"},
		},
		{"--limit 1 --json", result{0, accepted + "\n", missed}, []string{"1 "}},
	}
	for _, tt := range tests {
		s := newServer(t, 200, "{}")
		s.Close()
		var asked []string
		pager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query()
			asked = append(asked, query.Get("limit")+" "+query.Get("cursor"))
			_, _ = w.Write([]byte(pages[query.Get("cursor")]))
		}))
		s.Server = pager
		t.Cleanup(pager.Close)
		got := run(t, command{args: append([]string{"verdicts"}, strings.Fields(tt.args)...), env: s.env()})
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("verdicts %s (-want +got):\n%s", tt.args, diff)
		}
		if diff := cmp.Diff(tt.asked, asked); diff != "" {
			t.Errorf("verdicts %s asked (-want +got):\n%s", tt.args, diff)
		}
	}
}

// TestRevokeAsks holds that sessions are counted before anybody is asked, and end
// only after.
func TestRevokeAsks(t *testing.T) {
	t.Parallel()
	const (
		dry  = `{"profile_id":"p","attested_before":"2026-01-05T08:00:00Z","dry_run":true}`
		ends = `{"profile_id":"p","attested_before":"2026-01-05T08:00:00Z"}`
	)
	args := []string{"revoke", "--profile", "p", "--before", "2h"}
	for typed, want := range map[string]struct {
		code int
		sent []string
	}{"y\n": {0, []string{dry, ends}}, "n\n": {1, []string{dry}}, "": {1, []string{dry}}} {
		s := newServer(t, 200, `{"revocation":null,"sessions":3,"complete":true,"dry_run":true}`)
		got := run(t, command{args: args, env: s.env(), stdin: typing(typed)})
		var sent []string
		for _, e := range s.seen {
			sent = append(sent, e.Body)
		}
		if diff := cmp.Diff(want.sent, sent); got.code != want.code || diff != "" {
			t.Errorf("answered %q: exit code %d, want %d; sent (-want +got):\n%s", typed, got.code, want.code, diff)
		}
		if !strings.HasPrefix(got.stderr, "End 3 sessions (profile p, attested before 2026-01-05T08:00:00Z)? [y/N] ") {
			t.Errorf("asked %q", got.stderr)
		}
	}
	s := newServer(t, 200, `{"sessions":3,"complete":true}`)
	got := run(t, command{args: args, env: s.env()})
	if got.code != cli.ExitUsage || !strings.Contains(got.stderr, "End 3 sessions (") || !strings.Contains(got.stderr, "add --yes") || len(s.seen) != 1 || s.seen[0].Body != dry {
		t.Errorf("without a terminal: exit code %d, stderr %q, sent %v", got.code, got.stderr, s.seen)
	}
}
