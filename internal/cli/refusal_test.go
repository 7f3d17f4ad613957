package cli_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/cli"
)

// TestServerRefusals holds what a person reads when the server says no.
func TestServerRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		status int
		answer string
		want   string // of stderr
	}{
		{
			name: "management credentials", args: []string{"project", "list"}, status: 401,
			answer: `{"status_code":401,"request_id":"request-id-1","error_type":"unauthorized_credentials","error_message":"The credentials are missing or wrong.","error_url":"u"}`,
			want: `countersign: unauthorized_credentials: The credentials are missing or wrong.
  request_id: request-id-1
  hint: check COUNTERSIGN_WORKSPACE_KEY_ID and COUNTERSIGN_WORKSPACE_KEY_SECRET (or …_SECRET_FILE); the first start of countersign serve prints them
`,
		},
		{
			name: "API credentials", args: []string{"session", "list", "--user-id", "u"}, status: 401,
			answer: `{"status_code":401,"request_id":"r","error_type":"unauthorized_credentials","error_message":"m"}`,
			want: `countersign: unauthorized_credentials: m
  request_id: r
  hint: check COUNTERSIGN_PROJECT_ID (project-test-…, see countersign environment list) and COUNTERSIGN_SECRET (or …_FILE); countersign secret create makes one
`,
		},
		{
			name: "unknown person", args: []string{"attest", "--profile", "trusted-token-profile-test-1"}, status: 404,
			answer: `{"status_code":404,"request_id":"r","error_type":"user_not_found","error_message":"There is no such user."}`,
			want: `countersign: user_not_found: There is no such user.
  request_id: r
  hint: the profile only signs in people who exist; to have them made: countersign profile update trusted-token-profile-test-1 --jit
`,
		},
		{
			name: "a token that is not believed", args: []string{"attest", "--profile", "p"}, status: 400,
			answer: `{"status_code":400,"request_id":"request-id-test-1","error_type":"jwt_invalid_audience","error_message":"m"}`,
			want: `countersign: jwt_invalid_audience: m
  request_id: request-id-test-1
  hint: countersign explain request-id-test-1 says why, check by check; or compare the token (countersign token inspect) with the profile (countersign profile get)
`,
		},
		{
			name: "no verdict", args: []string{"explain", "request-id-test-1"}, status: 404,
			answer: `{"status_code":404,"request_id":"r","error_type":"verdict_not_found","error_message":"m"}`,
			want: `countersign: verdict_not_found: m
  request_id: r
  hint: countersign verdicts lists those that are kept; to judge a token anew: countersign explain --profile ID --token FILE
`,
		},
		{
			name: "tests that fail", args: []string{"profile", "update", "p", "--jit"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"trusted_token_profile_test_failed","error_message":"m"}`,
			want:   "countersign: trusted_token_profile_test_failed: m\n  request_id: r\n  hint: correct the profile or its test, or save it all the same with --force\n",
		},
		{
			name: "a token that names no organization", args: []string{"attest", "--profile", "p"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"token_missing_organization_id_claim","error_message":"m"}`,
			want:   "countersign: token_missing_organization_id_claim: m\n  request_id: r\n  hint: name it with --organization, or have the profile's mapping read organization_id from a claim (countersign profile update)\n",
		},
		{
			name: "a token of another organization", args: []string{"attest", "--profile", "p", "--organization", "o"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"invalid_token_organization_id_claim","error_message":"m"}`,
			want:   "countersign: invalid_token_organization_id_claim: m\n  request_id: r\n  hint: leave out --organization: the token or the profile says which one it is\n",
		},
		{
			name: "a member who is not made", args: []string{"attest", "--profile", "p", "--organization", "o"}, status: 404,
			answer: `{"status_code":404,"request_id":"r","error_type":"member_not_found","error_message":"m"}`,
			want:   "countersign: member_not_found: m\n  request_id: r\n  hint: the profile only signs in people who exist; to have them made: countersign profile update p --jit\n",
		},
		{
			name: "another member's session", args: []string{"attest", "--profile", "p"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"member_session_member_id_mismatch","error_message":"m"}`,
			want:   "countersign: member_session_member_id_mismatch: m\n  request_id: r\n  hint: to start a session instead of attaching to one, leave out the session flags and unset COUNTERSIGN_SESSION_TOKEN and COUNTERSIGN_SESSION_JWT\n",
		},
		{
			name: "no organization", args: []string{"organization", "get", "o"}, status: 404,
			answer: `{"status_code":404,"request_id":"r","error_type":"organization_not_found","error_message":"m"}`,
			want:   "countersign: organization_not_found: m\n  request_id: r\n  hint: countersign organization search shows which there are\n",
		},
		{
			name: "a slug that is used", args: []string{"organization", "create", "--name", "N", "--slug", "o"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"organization_slug_already_used","error_message":"m"}`,
			want:   "countersign: organization_slug_already_used: m\n  request_id: r\n  hint: countersign organization get with it shows which one that is\n",
		},
		{
			name: "organizations of users", args: []string{"organization", "search"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"invalid_b2b_endpoint","error_message":"m"}`,
			want:   "countersign: invalid_b2b_endpoint: m\n  request_id: r\n  hint: use a project ID and a secret of a project with vertical B2B\n",
		},
		{
			name: "users of organizations", args: []string{"user", "get", "u"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"invalid_consumer_endpoint","error_message":"m"}`,
			want:   "countersign: invalid_consumer_endpoint: m\n  request_id: r\n  hint: use a project ID and a secret of a project with vertical CONSUMER\n",
		},
		{
			name: "no member", args: []string{"member", "get", "m", "--organization", "o"}, status: 404,
			answer: `{"status_code":404,"request_id":"r","error_type":"member_not_found","error_message":"m"}`,
			want:   "countersign: member_not_found: m\n  request_id: r\n  hint: countersign member search finds members by address or role, deleted ones with --status deleted\n",
		},
		{
			name: "an address that is used", args: []string{"member", "create", "--organization", "o", "--email", "a@b.example"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"duplicate_member_email","error_message":"m"}`,
			want:   "countersign: duplicate_member_email: m\n  request_id: r\n  hint: countersign member get with that address shows who has it\n",
		},
		{
			name: "an external ID of a member that is used", args: []string{"member", "create", "--organization", "o", "--email", "a@b.example", "--external-id", "e"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"duplicate_member_external_id","error_message":"m"}`,
			want:   "countersign: duplicate_member_external_id: m\n  request_id: r\n  hint: countersign member get with that ID shows who has it\n",
		},
		{
			name: "an address of before", args: []string{"member", "create", "--organization", "o", "--email", "a@b.example"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"retired_member_email","error_message":"m"}`,
			want:   "countersign: retired_member_email: m\n  request_id: r\n  hint: the API frees it with unlink_retired_email; countersign member update --unlink-email keeps no old address in the first place\n",
		},
		{
			name: "nobody to bring back", args: []string{"member", "reactivate", "m", "--organization", "o"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"no_deleted_member_found_for_reactivation","error_message":"m"}`,
			want:   "countersign: no_deleted_member_found_for_reactivation: m\n  request_id: r\n  hint: countersign member search --status deleted shows which there are; it takes the server's ID\n",
		},
		{
			name: "somebody never seen", args: []string{"member", "reactivate", "m", "--organization", "o"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"email_unverified_for_reactivation","error_message":"m"}`,
			want:   "countersign: email_unverified_for_reactivation: m\n  request_id: r\n  hint: the address is free: countersign member create makes a new member of it\n",
		},
		{
			name: "an address of somebody else by now", args: []string{"member", "reactivate", "m", "--organization", "o"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"reactivation_email_belongs_to_another_member","error_message":"m"}`,
			want:   "countersign: reactivation_email_belongs_to_another_member: m\n  request_id: r\n  hint: countersign member get with that address shows who has it\n",
		},
		{
			name: "sessions of nobody", args: []string{"session", "revoke", "--user-id", "u"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"no_session_revoke_arguments","error_message":"m"}`,
			want:   "countersign: no_session_revoke_arguments: m\n  request_id: r\n  hint: give the session with --session-id, --session-token-file or --session-jwt-file; or somebody with --user-id, in a B2B project with --member-id\n",
		},
		{
			name: "a check in another organization", args: []string{"session", "authenticate", "--session-token-file", "-", "--resource", "d", "--action", "r", "--organization", "o"}, status: 403,
			answer: `{"status_code":403,"request_id":"r","error_type":"session_authorization_tenancy_error","error_message":"m"}`,
			want:   "countersign: session_authorization_tenancy_error: m\n  request_id: r\n  hint: give --organization the ID of the session's own organization; a slug or an external ID is none\n",
		},
		{
			name: "two ways to say which sessions end", args: []string{"revoke", "--session", "s", "--user", "u", "--yes"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"invalid_revocation","error_message":"m"}`,
			want:   "countersign: invalid_revocation: m\n  request_id: r\n  hint: give --session or --user alone, or any of --profile, --key-id and --before, which must be past\n",
		},
		{
			name: "too many revocations", args: []string{"revoke", "--before", "1h", "--yes"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"too_many_revocations","error_message":"m"}`,
			want:   "countersign: too_many_revocations: m\n  request_id: r\n  hint: countersign revocations shows which stand; each goes a day after SWEPT_AT\n",
		},
		{
			name: "no hint for what is not known", args: []string{"project", "list"}, status: 500,
			answer: `{"status_code":500,"request_id":"r","error_type":"internal_server_error","error_message":"m"}`,
			want:   "countersign: internal_server_error: m\n  request_id: r\n",
		},
		{
			name: "a terminal is not told what to do", args: []string{"project", "list"}, status: 400,
			answer: `{"status_code":400,"request_id":"r","error_type":"bad_request","error_message":"a\u001b[2Jb\u202ec\nd"}`,
			want:   "countersign: bad_request: a\uFFFD[2Jb\uFFFDc; d\n  request_id: r\n",
		},
		{
			name: "not countersign", args: []string{"project", "list"}, status: 502, answer: "<html>",
			want: "countersign: URL answered HTTP 502, and not as countersign does\n  hint: is COUNTERSIGN_URL the address of a countersign server?\n",
		},
		{
			name: "success that is not JSON", args: []string{"project", "list"}, status: 200, answer: "<html>",
			want: "countersign: URL answered HTTP 200, and not as countersign does\n  hint: is COUNTERSIGN_URL the address of a countersign server?\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.status, tt.answer)
			got := run(t, command{args: tt.args, env: s.env(), stdin: strings.NewReader("tok")})
			got.stderr = strings.ReplaceAll(got.stderr, s.URL, "URL")
			if diff := cmp.Diff(result{cli.ExitFailed, "", tt.want}, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	plain := newServer(t, 200, "{}").URL
	redirecting := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/", http.StatusPermanentRedirect))
	t.Cleanup(redirecting.Close)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake is meant to fail
	secure.StartTLS()
	t.Cleanup(secure.Close)

	tests := []struct{ name, url, message, hint string }{
		{"nobody there", closed.URL, "connection refused", "is countersign serve running there?"},
		{"TLS asked of plain HTTP", strings.Replace(plain, "http", "https", 1), "does not speak TLS", "http:// instead"},
		{"a redirect", redirecting.URL, "redirects to https://elsewhere.example/", "set COUNTERSIGN_URL"},
		{"an unknown authority", secure.URL, "certificate", "SSL_CERT_FILE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, command{
				args: []string{"project", "list", "--url", tt.url},
				env:  map[string]string{"COUNTERSIGN_WORKSPACE_KEY_ID": "wk", "COUNTERSIGN_WORKSPACE_KEY_SECRET": "planted"},
			})
			if got.code != cli.ExitFailed || !strings.Contains(got.stderr, tt.message) || !strings.Contains(got.stderr, "hint: ") || !strings.Contains(got.stderr, tt.hint) {
				t.Errorf("exit code %d, stderr %q; want %d, %q and a hint %q", got.code, got.stderr, cli.ExitFailed, tt.message, tt.hint)
			}
			if strings.Contains(got.stderr, "planted") {
				t.Errorf("stderr %q shows the secret", got.stderr)
			}
		})
	}
}

// TestUsage holds what is refused before anything is sent.
func TestUsage(t *testing.T) {
	t.Parallel()
	private := file(t, "key.private.pem", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
	tests := []struct {
		name string
		args []string
		env  map[string]string // on top of everything set; "" unsets
		code int
		want string // within stderr
	}{
		{"no key ID", []string{"project", "list"}, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_ID": ""}, 2, "set COUNTERSIGN_WORKSPACE_KEY_ID"},
		{"no key secret", []string{"project", "list"}, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_SECRET": ""}, 2, "set COUNTERSIGN_WORKSPACE_KEY_SECRET"},
		{"two secrets", []string{"project", "list"}, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE": "f"}, 2, "COUNTERSIGN_WORKSPACE_KEY_SECRET and COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE are both set"},
		{"no project ID", []string{"session", "list", "--user-id", "u"}, map[string]string{"COUNTERSIGN_PROJECT_ID": ""}, 2, "set COUNTERSIGN_PROJECT_ID"},
		{"no project", []string{"environment", "list"}, map[string]string{"COUNTERSIGN_PROJECT": ""}, 2, "give --project"},
		{"no environment", []string{"secret", "list"}, map[string]string{"COUNTERSIGN_ENVIRONMENT": ""}, 2, "give --environment"},
		{"password in the URL", []string{"project", "list", "--url", "http://u:planted@h/"}, nil, 2, "may not hold a user name or password"},
		{"no URL", []string{"project", "list", "--url", "localhost:8080"}, nil, 2, "is not an http or https address"},
		{"empty slug", []string{"project", "delete", "", "--yes"}, nil, 2, `"" is no slug or ID`},
		{"dots", []string{"environment", "delete", "..", "--yes"}, nil, 2, `".." is no slug or ID`},
		{"delete without a person", []string{"project", "delete", "acme"}, nil, 2, "add --yes"},
		{"nothing to change", []string{"environment", "update", "test"}, nil, 2, "nothing to change"},
		{"no profile change", []string{"profile", "update", "p"}, nil, 2, "nothing to change"},
		{"no user change", []string{"user", "update", "u"}, nil, 2, "nothing to change"},
		{"roles and none", []string{"user", "update", "u", "--role", "x", "--no-roles"}, nil, 2, "give --role for those that stay, or --no-roles"},
		{"metadata that is no object", []string{"user", "create", "--email", "a", "--trusted-metadata", "[]"}, nil, 2, "--trusted-metadata is not a JSON object"},
		{"delete a user without a person", []string{"user", "delete", "u"}, nil, 2, "add --yes"},
		{"too large a limit", []string{"user", "search", "--limit", "1001"}, nil, 2, "--all shows all of them"},
		{"all and some", []string{"user", "search", "--limit", "1", "--all"}, nil, 2, "can't be used together"},
		{"two kinds of query", []string{"user", "search", "--query", "-", "--status", "active"}, nil, 2, "put all of them into the query"},
		{"no moment", []string{"user", "search", "--created-after", "yesterday"}, nil, 2, "for example 2026-01-05 or 2026-01-05T10:00:00Z"},
		{"a misspelled member of a policy", []string{"policy", "set", file(t, "p", `{"policy":{"custom_role":[]}}`)}, nil, 2, "has a member \"custom_role\", which no policy has\n  hint: a policy has stytch_user"},
		{"a policy of wrong types", []string{"policy", "set", file(t, "p", `{"custom_roles":[{"role_id":1}]}`)}, nil, 2, "custom_roles.role_id may not be a JSON number"},
		{"nobody to check", []string{"policy", "check", "--resource", "r", "--action", "a"}, nil, 2, "missing flags: --user-id=ID or --role=ROLE"},
		{"too many events", []string{"events", "--limit", "10001"}, nil, 2, "--limit must be from 1 to 10000"},
		{"profile without keys", []string{"profile", "create", "--name", "n", "--issuer", "i", "--audience", "a"}, nil, 2, "--jwks-url URL, or --public-key FILE"},
		{"profile with both keys", []string{"profile", "create", "--name", "n", "--issuer", "i", "--audience", "a", "--jwks-url", "u", "--public-key", private}, nil, 2, "can't be used together"},
		{"a trust policy that is none", []string{"profile", "update", "p", "--trust-policy", "[]"}, nil, 2, "--trust-policy is not a JSON object"},
		{"nothing but force", []string{"profile", "update", "p", "--force"}, nil, 2, "nothing to change"},
		{"nothing to try", []string{"profile", "replay", "p"}, nil, 2, "give --trust-policy, --issuer or --audience"},
		{"a replay of no time", []string{"profile", "replay", "p", "--audience", "a", "--since", "1d"}, nil, 2, "--since is neither a moment nor a span"},
		{"nothing to explain", []string{"explain"}, nil, 2, "give a request ID, or --profile with --token FILE or --claims JSON"},
		{"a sample without a profile", []string{"explain", "--token", "-"}, nil, 2, "give a request ID, or --profile"},
		{"a request ID and a sample", []string{"explain", "r", "--claims", "{}"}, nil, 2, "a request ID stands alone"},
		{"a request ID and an organization", []string{"explain", "r", "--organization", "o"}, nil, 2, "a request ID stands alone"},
		{"nothing to change of an organization", []string{"organization", "update", "o"}, nil, 2, "nothing to change"},
		{"settings that are none", []string{"organization", "create", "--name", "N", "--settings", "[]"}, nil, 2, "--settings is not a JSON object"},
		{"roles that are none", []string{"organization", "roles", "o", "--set", file(t, "roles", "[]")}, nil, 2, "is not a JSON object"},
		{"an organization is not deleted unasked", []string{"organization", "delete", "o"}, nil, 2, "add --yes"},
		{"a member of nothing", []string{"member", "get", "m"}, nil, 2, "missing flags: --organization=ID"},
		{"members of nothing", []string{"member", "search"}, nil, 2, "missing flags: --organization=ID"},
		{"too many members", []string{"member", "search", "--organization", "o", "--limit", "1001"}, nil, 2, "--limit must be from 1 to 1000"},
		{"a query and a flag", []string{"member", "search", "--organization", "o", "--role", "r", "--query", "-"}, nil, 2, "--query and other conditions were both given"},
		{"nothing to change of a member", []string{"member", "update", "m", "--organization", "o"}, nil, 2, "nothing to change"},
		{"no address in place of the old one", []string{"member", "update", "m", "--organization", "o", "--unlink-email"}, nil, 2, "--unlink-email goes with --email"},
		{"roles and none", []string{"member", "update", "m", "--organization", "o", "--role", "r", "--no-roles"}, nil, 2, "--role and --no-roles were both given"},
		{"a member's sessions, of no organization", []string{"session", "list", "--member-id", "m"}, nil, 2, "--member-id and --organization go together"},
		{"a user's sessions, of an organization", []string{"session", "list", "--user-id", "u", "--organization", "o"}, nil, 2, "--member-id and --organization go together"},
		{"sessions of two", []string{"session", "list", "--user-id", "u", "--member-id", "m"}, nil, 2, "can't be used together"},
		{"an organization without a check", []string{"session", "authenticate", "--organization", "o"}, nil, 2, "--organization goes with --resource and --action"},
		{"a token and claims", []string{"explain", "--profile", "p", "--token", "-", "--claims", "{}"}, nil, 2, "can't be used together"},
		{"a header of a token", []string{"explain", "--profile", "p", "--token", "-", "--header", "{}"}, nil, 2, "--header goes with --claims"},
		{"a header that is none", []string{"explain", "--profile", "p", "--claims", "{}", "--header", "RS256"}, nil, 2, "--header is not a JSON object"},
		{"a sample that is the token", []string{"explain", "--profile", "p", "--token", "eyJa.planted.c"}, nil, 2, "looks like a token itself"},
		{"an empty token", []string{"explain", "--profile", "p", "--token", file(t, "empty.jwt", " \n")}, nil, 1, "empty.jwt is empty"},
		{"too many verdicts", []string{"verdicts", "--limit", "10001"}, nil, 2, "--limit must be from 1 to 10000"},
		{"verdicts since no time", []string{"verdicts", "--since=-1h"}, nil, 2, "for example 2026-01-31T12:00:00Z, or 24h for a day ago"},
		{"no sessions to end", []string{"revoke", "--yes"}, nil, 2, "give --session, --user, --profile, --key-id or --before"},
		{"sessions of no time", []string{"revoke", "--before", "yesterday", "--yes"}, nil, 2, "--before is neither a moment nor a span"},
		{"verdicts kept for no time", []string{"serve", "--verdicts-keep", "0s"}, nil, 2, "must be more than 0"},
		{"no verdicts in a minute", []string{"serve"}, map[string]string{"COUNTERSIGN_VERDICTS_PER_MINUTE": "0"}, 2, "must be more than 0"},
		{"verdicts kept for no duration", []string{"serve"}, map[string]string{"COUNTERSIGN_VERDICTS_KEEP": "30 days"}, 2, "--verdicts-keep"},
		{"private key", []string{"profile", "key", "add", "p", "--public-key", private}, nil, 1, "holds a private key, which stays with you"},
		{"private key in a new profile", []string{"profile", "create", "--name", "n", "--issuer", "i", "--audience", "a", "--public-key", private}, nil, 1, "it was not sent"},
		{"mapping that is none", []string{"profile", "update", "p", "--attribute-mapping", "[]"}, nil, 2, "--attribute-mapping is not a JSON object"},
		{"mapping without claim", []string{"profile", "update", "p", "--map", "email"}, nil, 2, "no ATTRIBUTE=CLAIM"},
		{"two sessions", []string{"session", "authenticate"}, map[string]string{"COUNTERSIGN_SESSION_TOKEN": "a", "COUNTERSIGN_SESSION_JWT": "b"}, 2, "both set"},
		{"no session", []string{"session", "authenticate"}, nil, 2, "give --session-token-file"},
		{"nothing to revoke", []string{"session", "revoke"}, nil, 2, "give --session-id"},
		{"standard input twice", []string{"attest", "--profile", "p", "--token", "-", "--session-token-file", "-"}, nil, 2, "asked for twice"},
		{"a token as an argument", []string{"attest", "--profile", "p", "--token", "eyJa.planted.c"}, nil, 2, "looks like a token itself"},
		{"claims that are none", []string{"attest", "--profile", "p", "--claims", "{"}, nil, 2, "--claims is not a JSON object"},
		{"action without resource", []string{"session", "authenticate", "--action", "a"}, nil, 2, "--resource"},
		{"unknown algorithm", []string{"environment", "update", "test", "--session-jwt-algorithm", "HS256"}, nil, 2, "must be one of"},
		{"unknown command", []string{"nonsense"}, nil, 2, "see: countersign --help"},
		{"half a command", []string{"profile", "key"}, nil, 2, "see: countersign profile key --help"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, 200, "{}")
			env := s.env()
			for name, value := range tt.env {
				env[name] = value
			}
			got := run(t, command{args: tt.args, env: env, stdin: strings.NewReader("text")})
			if got.code != tt.code || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("exit code %d, stderr %q; want %d and %q", got.code, got.stderr, tt.code, tt.want)
			}
			for _, secret := range []string{"planted", "wk-secret", "api-secret"} {
				if strings.Contains(got.stderr, secret) {
					t.Errorf("stderr %q shows a secret", got.stderr)
				}
			}
			if len(s.seen) != 0 || got.stdout != "" {
				t.Errorf("sent %v, printed %q; want nothing", s.seen, got.stdout)
			}
		})
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]struct {
		code int
		sent int
	}{"y\n": {0, 1}, "YES\n": {0, 1}, "n\n": {1, 0}, "\n": {1, 0}, "": {1, 0}} {
		s := newServer(t, 200, `{"request_id":"r","status_code":200}`)
		got := run(t, command{args: []string{"project", "delete", "acme"}, env: s.env(), stdin: typing(typed)})
		if got.code != want.code || len(s.seen) != want.sent {
			t.Errorf("answered %q: exit code %d, %d requests; want %d, %d", typed, got.code, len(s.seen), want.code, want.sent)
		}
		const question = "Delete project acme with all its environments, people and sessions? [y/N] "
		if !strings.HasPrefix(got.stderr, question) {
			t.Errorf("asked %q, want %q", got.stderr, question)
		}
	}
}

// TestSecretForms holds the three ways in which a secret arrives.
func TestSecretForms(t *testing.T) {
	t.Parallel()
	held := file(t, "secret", "from-file\r\n")
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"variable", nil, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_SECRET": "from-env\n"}, "from-env"},
		{"file variable", nil, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE": held}, "from-file"},
		{"empty variable beside the file", nil, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_SECRET": "", "COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE": held}, "from-file"},
		{"flag over both", []string{"--workspace-key-secret-file", held}, map[string]string{"COUNTERSIGN_WORKSPACE_KEY_SECRET": "x", "COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE": "/none"}, "from-file"},
		{"standard input", []string{"--workspace-key-secret-file", "-"}, nil, "from-stdin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, 200, `{"projects":[]}`)
			env := map[string]string{"COUNTERSIGN_URL": s.URL + "/", "COUNTERSIGN_WORKSPACE_KEY_ID": "wk"}
			for name, value := range tt.env {
				env[name] = value
			}
			got := run(t, command{args: append([]string{"project", "list"}, tt.args...), env: env, stdin: strings.NewReader("from-stdin\n")})
			if got.code != 0 {
				t.Fatalf("exit code %d, stderr %q; want 0", got.code, got.stderr)
			}
			if got := s.seen[0].Secret; got != tt.want {
				t.Errorf("sent secret %q, want %q", got, tt.want)
			}
		})
	}
}
