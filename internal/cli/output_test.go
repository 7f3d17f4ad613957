package cli_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/cli"
)

const attested = `{"status_code":200,"request_id":"r","user_id":"user-test-1","session_token":"opaque","session_jwt":"eyJ.a.b",
 "session":{"session_id":"session-test-1","user_id":"user-test-1","started_at":"2026-01-05T10:00:00Z",
  "last_accessed_at":"2026-01-05T10:00:00Z","expires_at":"2026-01-05T11:00:00Z","custom_claims":{"plan":"pro"},"roles":["stytch_user"],
  "authentication_factors":[{"type":"trusted_auth_token","last_authenticated_at":"2026-01-05T09:55:48Z","trusted_auth_token_factor":{"token_id":"t-1"}}]},
 "user":{"user_id":"user-test-1","emails":[{"email":"ada@example.com"}],"external_id":"ext-7"}}`

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		env    map[string]string
		answer string
		want   string
	}{
		{
			"attest",
			[]string{"attest", "--profile", "p"},
			nil, attested,
			`session_id     session-test-1
user_id        user-test-1
external_id    ext-7
email          ada@example.com
started        2026-01-05 10:00:00 UTC (now)
expires        2026-01-05 11:00:00 UTC (in 1h0m)
roles          stytch_user
custom_claims  {"plan":"pro"}
factor         trusted_auth_token t-1, 2026-01-05 09:55:48 UTC (4m12s ago)
session_token  opaque
session_jwt    eyJ.a.b
`,
		},
		{
			"attest to a session",
			[]string{"attest", "--profile", "p"},
			map[string]string{"COUNTERSIGN_SESSION_TOKEN": "opaque"},
			`{"user":{"user_id":"u"},"session":{"session_id":"s"},"session_token":"opaque","session_jwt":"j"}`,
			"session_id     s\nuser_id        u\nstarted        -\nexpires        -\nroles          -\nsession_token  opaque\nsession_jwt    j\n" +
				"\nThe token was attached to the session that was given.\n",
		},
		{
			"attest without a session",
			[]string{"attest", "--profile", "p"},
			nil, `{"user":{"user_id":"u"},"session":null,"session_token":"","session_jwt":""}`,
			"user_id  u\n\nNo session was started: add --session-duration-minutes to start one.\n",
		},
		{
			"a secret shown once",
			[]string{"secret", "create"},
			nil, `{"secret":{"secret_id":"secret-test-1","secret":"full","created_at":"2026-01-05T10:00:00Z"}}`,
			"secret_id  secret-test-1\nsecret     full\ncreated    2026-01-05 10:00:00 UTC (now)\n\nThis is the only time that the secret is shown: keep it now.\n",
		},
		{
			"secrets",
			[]string{"secret", "list"},
			nil,
			`{"secrets":[{"secret_id":"secret-test-1","last_four":"abcd","created_at":"2026-01-05T10:00:00Z","used_at":null},{"secret_id":"s2","last_four":"wxyz","created_at":"c","used_at":"u"}]}`,
			"SECRET_ID      SECRET  CREATED               LAST_USED\nsecret-test-1  …abcd   2026-01-05T10:00:00Z  -\ns2             …wxyz   c                     u\n",
		},
		{"an empty list", []string{"project", "list"}, nil, `{"projects":[]}`, "There are no projects.\n"},
		{
			"a name that plays with the terminal",
			[]string{"project", "get", "a"},
			nil,
			`{"project":{"project_slug":"a","name":"x\u001b]0;pwned\u0007\u202e\ny","vertical":"CONSUMER","created_at":"2026-01-05T09:00:00Z"}}`,
			"project_slug  a\nname          x\uFFFD]0;pwned\uFFFD\uFFFD y\nvertical      CONSUMER\ncreated       2026-01-05 09:00:00 UTC (1h0m ago)\n",
		},
		{
			"metrics",
			[]string{"environment", "metrics", "test"},
			nil, `{"metrics":{"user_count":2,"organization_count":0,"member_count":0,"m2m_client_count":0}}`,
			"users          2\norganizations  0\nmembers        0\nm2m clients    0\n",
		},
		{
			"a profile",
			[]string{"profile", "get", "p"},
			nil,
			`{"profile":{"profile_id":"p","name":"n","issuer":"i","audience":"a","public_key_type":"PEM","jwks_url":null,"pem_files":[{"pem_file_id":"k1"},{"pem_file_id":"k2"}],"attribute_mapping":{"email":"email"},"can_jit_provision":true}}`,
			"profile_id         p\nname               n\nissuer             i\naudience           a\nkeys               PEM\npem_file_id        k1\npem_file_id        k2\nattribute_mapping  {\"email\":\"email\"}\njit                on\n",
		},
		{
			"a public key",
			[]string{"profile", "key", "get", "p", "k"},
			nil, `{"pem_file":{"pem_file_id":"k","public_key":"-----BEGIN\nAA\n"}}`,
			"pem_file_id  k\n\n-----BEGIN\nAA\n",
		},
		{
			"rotation",
			[]string{"signing-key", "rotate"},
			nil,
			`{"signing_key":{"signing_key_id":"jwk-test-1","algorithm":"ES256","state":"next","created_at":"2026-01-05T10:00:00Z","activates_at":"2026-01-05T11:00:00Z","removed_at":null}}`,
			"signing_key_id  jwk-test-1\nalgorithm       ES256\nstate           next\nsigns from      2026-01-05 11:00:00 UTC (in 1h0m)\n\nIt is published now. Until it signs, the active key goes on.\n",
		},
		{"a deletion", []string{"secret", "delete", "secret-test-1", "--yes"}, nil, `{}`, "Deleted secret-test-1.\n"},
		{
			"JSON as it came, digits and order kept",
			[]string{"project", "list", "--json"},
			nil, `{"z":12345678901234567890,"a":1.10,"n":"<\u009b31m` + "\u009b\u202e\U000E0041" + `>"}`,
			"{\n  \"z\": 12345678901234567890,\n  \"a\": 1.10,\n  \"n\": \"<\\u009b31m\\u009b\\u202e\\udb40\\udc41>\"\n}\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, 200, tt.answer)
			env := s.env()
			for name, value := range tt.env {
				env[name] = value
			}
			got := run(t, command{args: tt.args, env: env, stdin: strings.NewReader("tok")})
			if diff := cmp.Diff(result{0, tt.want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

// screen is a standard output or error with a person before it.
type screen struct {
	terminal
	bytes.Buffer
}

// Read is never asked of a screen; it is here because two embedded types have it.
func (*screen) Read([]byte) (int, error) { return 0, io.EOF }

func TestColour(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"on a terminal", nil, "\x1b[31mcountersign:\x1b[0m "},
		{"NO_COLOR", map[string]string{"NO_COLOR": "1"}, "countersign: "},
		{"dumb terminal", map[string]string{"TERM": "dumb"}, "countersign: "},
	}
	for _, tt := range tests {
		var stderr screen
		code := cli.Main(t.Context(), cli.Process{
			Args: []string{"nonsense"}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr,
			LookupEnv: func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }, Now: nil,
		})
		if got := stderr.String(); code != cli.ExitUsage || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: exit code %d, stderr %q; want %d and prefix %q", tt.name, code, got, cli.ExitUsage, tt.want)
		}
	}
}

// TestPrivateKeyOnScreen holds that nobody shows a private key by accident.
func TestPrivateKeyOnScreen(t *testing.T) {
	t.Chdir(t.TempDir())
	var stdout screen
	var stderr bytes.Buffer
	code := cli.Main(t.Context(), cli.Process{
		Args: []string{"keys", "generate", "--type", "ed25519", "--env"}, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		LookupEnv: func(string) (string, bool) { return "", false }, Now: nil,
	})
	if code != cli.ExitUsage || stdout.Len() != 0 || !strings.Contains(stderr.String(), ">> .env") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want %d, nothing and the way out", code, stdout.String(), stderr.String(), cli.ExitUsage)
	}
}
