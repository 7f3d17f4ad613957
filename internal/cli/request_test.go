package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestManagementRequests holds what each command of the workspace sends.
func TestManagementRequests(t *testing.T) {
	t.Parallel()
	pem := file(t, "key.public.pem", "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n")
	policy := file(t, "policy.json", "{}")
	trustPolicy := file(t, "trust.json", `{"email_trust":"verified_claim","conditions":null}`)
	jwt := file(t, "token.jwt", "Bearer eyJh.eyJi.c\n")
	const e = "/pwa/v3/projects/acme/environments/test"
	tests := []struct {
		args   string // split at spaces; ␣ stands for one inside
		method string
		target string
		body   string
	}{
		{"project create --name A␣B", "POST", "/pwa/v3/projects", `{"name":"A B","vertical":"CONSUMER"}`},
		{"project create --name A --slug a --vertical B2B", "POST", "/pwa/v3/projects", `{"name":"A","project_slug":"a","vertical":"B2B"}`},
		{"project list", "GET", "/pwa/v3/projects", ""},
		{"project get a/../b", "GET", "/pwa/v3/projects/a%2F..%2Fb", ""},
		{"project update acme --name N", "PATCH", "/pwa/v3/projects/acme", `{"name":"N"}`},
		{"project delete acme --yes", "DELETE", "/pwa/v3/projects/acme", ""},

		{"environment create --name T", "POST", "/pwa/v3/projects/acme/environments", `{"name":"T","type":"TEST"}`},
		{
			"environment create --name L --type LIVE --slug live --user-lock-threshold 5", "POST", "/pwa/v3/projects/acme/environments",
			`{"name":"L","type":"LIVE","environment_slug":"live","user_lock_threshold":5}`,
		},
		{"environment list --project other", "GET", "/pwa/v3/projects/other/environments", ""},
		{"environment get test", "GET", e, ""},
		{"environment metrics test", "GET", e + "/metrics", ""},
		{"environment delete test -y", "DELETE", e, ""},
		{"environment update test --name N", "PATCH", e, `{"name":"N"}`},
		{"environment update test --session-jwt-algorithm ES256", "PATCH", e, `{"session_jwt_algorithm":"ES256"}`},
		{"environment update test --no-user-impersonation-enabled --idp-authorization-url=", "PATCH", e, `{"user_impersonation_enabled":false,"idp_authorization_url":""}`},
		{
			"environment update test --cross-org-passwords-enabled --zero-downtime-session-migration-url u --user-lock-self-serve-enabled --user-lock-ttl 60" +
				" --idp-dynamic-client-registration-enabled --idp-dynamic-client-registration-access-token-template-content t --use-custom-domain-in-magic-link-emails",
			"PATCH", e,
			`{"cross_org_passwords_enabled":true,"zero_downtime_session_migration_url":"u","user_lock_self_serve_enabled":true,"user_lock_ttl":60,` +
				`"idp_dynamic_client_registration_enabled":true,"idp_dynamic_client_registration_access_token_template_content":"t","use_custom_domain_in_magic_link_emails":true}`,
		},

		{"secret create", "POST", e + "/secrets", "{}"},
		{"secret list --environment live", "GET", "/pwa/v3/projects/acme/environments/live/secrets", ""},
		{"secret get secret-test-1", "GET", e + "/secrets/secret-test-1", ""},
		{"secret delete secret-test-1 --yes", "DELETE", e + "/secrets/secret-test-1", ""},

		{"public-token create", "POST", e + "/public_tokens", "{}"},
		{"public-token list", "GET", e + "/public_tokens", ""},
		{"public-token get public-token-test-1", "GET", e + "/public_tokens/public-token-test-1", ""},
		{"public-token delete public-token-test-1 --yes", "DELETE", e + "/public_tokens/public-token-test-1", ""},

		{
			"profile create --name n --issuer i --audience a --jwks-url https://i/jwks", "POST", e + "/trusted_token_profiles",
			`{"name":"n","issuer":"i","audience":"a","public_key_type":"JWK","jwks_url":"https://i/jwks","attribute_mapping":{"email":"email","token_id":"jti"}}`,
		},
		{
			"profile create --name n --issuer i --audience a --jit --map email=mail --map token_id=a=b --public-key " + pem, "POST", e + "/trusted_token_profiles",
			`{"name":"n","issuer":"i","audience":"a","public_key_type":"PEM","pem_files":["-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"],` +
				`"attribute_mapping":{"email":"mail","token_id":"a=b"},"can_jit_provision":true}`,
		},
		{"profile list", "GET", e + "/trusted_token_profiles", ""},
		{"profile get p", "GET", e + "/trusted_token_profiles/p", ""},
		{"profile update p --no-jit --attribute-mapping null", "PATCH", e + "/trusted_token_profiles/p", `{"attribute_mapping":null,"can_jit_provision":false}`},
		{
			`profile update p --name n --issuer i --audience a --jwks-url u --attribute-mapping {"x":[1.0]}`, "PATCH", e + "/trusted_token_profiles/p",
			`{"name":"n","issuer":"i","audience":"a","jwks_url":"u","attribute_mapping":{"x":[1.0]}}`,
		},
		{"profile delete p --yes", "DELETE", e + "/trusted_token_profiles/p", ""},
		{"profile key add p --public-key " + pem, "POST", e + "/trusted_token_profiles/p/keys", `{"public_key":"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"}`},
		{"profile key get p k", "GET", e + "/trusted_token_profiles/p/keys/k", ""},
		{"profile key delete p k --yes", "DELETE", e + "/trusted_token_profiles/p/keys/k", ""},

		{"policy get", "GET", e + "/rbac_policy", ""},
		{"policy set --dry-run " + policy, "GET", e + "/rbac_policy", ""},
		{"events", "GET", e + "/events?limit=50", ""},
		{"events --limit 10000 --action a --object b --json", "GET", e + "/events?limit=1000", ""},

		{
			"profile create --name n --issuer i --audience a --jwks-url u --trust-policy @" + trustPolicy + " --force", "POST", e + "/trusted_token_profiles",
			`{"name":"n","issuer":"i","audience":"a","public_key_type":"JWK","jwks_url":"u","attribute_mapping":{"email":"email","token_id":"jti"},` +
				`"trust_policy":{"email_trust":"verified_claim","conditions":null},"force":true}`,
		},
		{`profile update p --trust-policy {"mode":"shadow"}`, "PATCH", e + "/trusted_token_profiles/p", `{"trust_policy":{"mode":"shadow"}}`},
		{
			"profile replay p --audience a --issuer i --trust-policy @" + trustPolicy, "POST", e + "/trusted_token_profiles/p/replay",
			`{"profile":{"issuer":"i","audience":"a","trust_policy":{"email_trust":"verified_claim","conditions":null}},"since":"2026-01-04T10:00:00Z"}`,
		},
		{"profile replay p --audience a --since 2025-12-24T00:00:00+01:00", "POST", e + "/trusted_token_profiles/p/replay", `{"profile":{"audience":"a"},"since":"2025-12-24T00:00:00+01:00"}`},

		{"explain request-id-test-1", "GET", e + "/verdicts/request-id-test-1", ""},
		{"explain --profile p --token " + jwt, "POST", e + "/trusted_token_profiles/p/explain", `{"token":"eyJh.eyJi.c"}`},
		{
			`explain --profile p --claims {"n":12345678901234567890} --header {"typ":"at+jwt"}`, "POST", e + "/trusted_token_profiles/p/explain",
			`{"header":{"typ":"at+jwt"},"claims":{"n":12345678901234567890}}`,
		},
		{`explain --profile p --claims {} --organization o`, "POST", e + "/trusted_token_profiles/p/explain", `{"claims":{},"organization_id":"o"}`},
		{"verdicts", "GET", e + "/verdicts?limit=50", ""},
		{"verdicts --user member-test-1", "GET", e + "/verdicts?limit=50&member_id=member-test-1", ""},
		{
			"verdicts --profile p --reason expired --user u --since 90m --until 2026-01-05T09:59:00+01:00 --limit 10000 --json", "GET",
			e + "/verdicts?limit=1000&profile_id=p&reason=expired&since=2026-01-05T08%3A30%3A00Z&until=2026-01-05T09%3A59%3A00%2B01%3A00&user_id=u", "",
		},
		{"revoke --session s --yes", "POST", e + "/revocations", `{"session_id":"s"}`},
		{"revoke --user u --dry-run", "POST", e + "/revocations", `{"user_id":"u","dry_run":true}`},
		{"revoke --user member-test-1 --yes", "POST", e + "/revocations", `{"member_id":"member-test-1"}`},
		{"revoke --profile p --key-id k --before 2h -y", "POST", e + "/revocations", `{"profile_id":"p","key_id":"k","attested_before":"2026-01-05T08:00:00Z"}`},
		{"revocations", "GET", e + "/revocations", ""},

		{"signing-key list", "GET", e + "/signing_keys", ""},
		{"signing-key rotate", "POST", e + "/signing_keys/rotate", "{}"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, http.StatusOK, `{"request_id":"r","status_code":200}`)
			args := strings.Fields(tt.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "␣", " ")
			}
			got := run(t, command{args: args, env: s.env()})
			if got.code != 0 || got.stderr != "" {
				t.Fatalf("exit code %d, stderr %q; want 0 and none", got.code, got.stderr)
			}
			want := []exchange{{tt.method, tt.target, "wk", "wk-secret", "application/json", tt.body}}
			if diff := cmp.Diff(want, s.seen); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAPIRequests holds what each command of a backend sends.
func TestAPIRequests(t *testing.T) {
	t.Parallel()
	session := file(t, "session", "st-file\n")
	metadata := file(t, "metadata.json", `{"file":true}`)
	tests := []struct {
		name   string
		args   []string
		env    map[string]string
		stdin  string
		method string
		target string
		body   string
	}{
		{
			name: "attest, token piped", args: []string{"attest", "--profile", "p"}, stdin: "tok\n",
			method: "POST", target: "/v1/sessions/attest", body: `{"profile_id":"p","token":"tok"}`,
		},
		{
			name: "attest, all from the environment", args: []string{"attest"},
			env:    map[string]string{"COUNTERSIGN_PROFILE": "p", "COUNTERSIGN_TOKEN": "tok", "COUNTERSIGN_SESSION_JWT": "jwt"},
			method: "POST", target: "/v1/sessions/attest", body: `{"profile_id":"p","token":"tok","session_jwt":"jwt"}`,
		},
		{
			name:  "attest to a session, flag over environment",
			args:  []string{"attest", "--profile", "p", "--token", "-", "--session-token-file", session, "--session-duration-minutes", "60", "--claims", `{"n":1.10,"gone":null}`},
			env:   map[string]string{"COUNTERSIGN_SESSION_JWT": "left over", "COUNTERSIGN_TOKEN": "left over"},
			stdin: "tok", method: "POST", target: "/v1/sessions/attest",
			body: `{"profile_id":"p","token":"tok","session_token":"st-file","session_duration_minutes":60,"session_custom_claims":{"gone":null,"n":1.10}}`,
		},
		{
			name: "authenticate", args: []string{"session", "authenticate", "--session-token-file", session, "--resource", "docs", "--action", "read"},
			method: "POST", target: "/v1/sessions/authenticate", body: `{"session_token":"st-file","authorization_check":{"resource_id":"docs","action":"read"}}`,
		},
		{
			name: "revoke by ID, whatever the environment", args: []string{"session", "revoke", "--session-id", "s"},
			env:    map[string]string{"COUNTERSIGN_SESSION_TOKEN": "left over"},
			method: "POST", target: "/v1/sessions/revoke", body: `{"session_id":"s"}`,
		},
		{
			name: "revoke by JWT", args: []string{"session", "revoke", "--session-jwt-file", "-"}, stdin: "jwt",
			method: "POST", target: "/v1/sessions/revoke", body: `{"session_jwt":"jwt"}`,
		},
		{
			name:   "create a user",
			args:   []string{"user", "create", "--email", "a@b.example", "--phone", "+15005550006", "--first-name", "A", "--middle-name", "B", "--last-name", "C", "--external-id", "e", "--role", "x,y", "--role", "z", "--trusted-metadata", `{"n":1.10}`, "--untrusted-metadata", "-", "--pending"},
			stdin:  `{"u":null}`,
			method: "POST", target: "/v1/users",
			body: `{"email":"a@b.example","phone_number":"+15005550006","name":{"first_name":"A","middle_name":"B","last_name":"C"},"external_id":"e","roles":["x,y","z"],"trusted_metadata":{"n":1.10},"untrusted_metadata":{"u":null},"create_user_as_pending":true}`,
		},
		{name: "create the least user", args: []string{"user", "create", "--email", "a@b.example"}, method: "POST", target: "/v1/users", body: `{"email":"a@b.example"}`},
		{name: "get a user", args: []string{"user", "get", "a|b"}, method: "GET", target: "/v1/users/a%7Cb"},
		{
			name: "update a user", args: []string{"user", "update", "u", "--first-name=", "--last-name", "L", "--external-id", "e", "--role", "x", "--trusted-metadata", "@" + metadata},
			method: "PUT", target: "/v1/users/u", body: `{"name":{"first_name":"","last_name":"L"},"external_id":"e","roles":["x"],"trusted_metadata":{"file":true}}`,
		},
		{name: "take all roles", args: []string{"user", "update", "u", "--no-roles"}, method: "PUT", target: "/v1/users/u", body: `{"roles":[]}`},
		{name: "delete a user", args: []string{"user", "delete", "u", "--yes"}, method: "DELETE", target: "/v1/users/u"},
		{name: "search everybody", args: []string{"user", "search"}, method: "POST", target: "/v1/users/search", body: `{"limit":100}`},
		{
			name: "search by everything",
			args: []string{
				"user", "search", "--user-id", "u", "--email", "a@b.example", "--email", "c@d.example", "--email-contains", "abc", "--no-email-verified", "--phone", "+1", "--phone-contains", "500",
				"--name-contains", "ada", "--status", "pending", "--created-after", "2026-01-05", "--created-before", "2026-01-06T01:00:00.5+01:00", "--limit", "7",
			},
			method: "POST", target: "/v1/users/search",
			body: `{"limit":7,"query":{"operator":"AND","operands":[{"filter_name":"user_id","filter_value":["u"]},{"filter_name":"email_address","filter_value":["a@b.example","c@d.example"]},` +
				`{"filter_name":"email_address_fuzzy","filter_value":"abc"},{"filter_name":"email_verified","filter_value":false},{"filter_name":"phone_number","filter_value":["+1"]},` +
				`{"filter_name":"phone_number_fuzzy","filter_value":"500"},{"filter_name":"full_name_fuzzy","filter_value":"ada"},{"filter_name":"status","filter_value":"pending"},` +
				`{"filter_name":"created_at_greater_than","filter_value":"2026-01-05T00:00:00Z"},{"filter_name":"created_at_less_than","filter_value":"2026-01-06T00:00:00.5Z"}]}}`,
		},
		{
			name: "search by a query", args: []string{"user", "search", "--query", "-", "--all"}, stdin: `{"operator":"OR","operands":[]}`,
			method: "POST", target: "/v1/users/search", body: `{"limit":1000,"query":{"operator":"OR","operands":[]}}`,
		},
		{
			name:   "create an organization",
			args:   []string{"organization", "create", "--name", "N", "--slug", "s", "--external-id", "e", "--trusted-metadata", "@" + metadata, "--settings", `{"email_allowed_domains":["a.example"]}`},
			method: "POST", target: "/v1/b2b/organizations",
			body: `{"email_allowed_domains":["a.example"],"organization_external_id":"e","organization_name":"N","organization_slug":"s","trusted_metadata":{"file":true}}`,
		},
		{name: "get an organization", args: []string{"organization", "get", "a|b"}, method: "GET", target: "/v1/b2b/organizations/a%7Cb"},
		{
			name: "update an organization, a flag over the settings", args: []string{"organization", "update", "o", "--name", "N", "--settings", `{"organization_name":"M","mfa_policy":"OPTIONAL"}`},
			method: "PUT", target: "/v1/b2b/organizations/o", body: `{"mfa_policy":"OPTIONAL","organization_name":"N"}`,
		},
		{name: "delete an organization", args: []string{"organization", "delete", "o", "--yes"}, method: "DELETE", target: "/v1/b2b/organizations/o"},
		{
			name: "search organizations", args: []string{"organization", "search", "--name-contains", "abc", "--slug-contains", "def", "--member-email", "a@b.example", "--allowed-domain", "b.example", "--limit", "7"},
			method: "POST", target: "/v1/b2b/organizations/search",
			body: `{"limit":7,"query":{"operator":"AND","operands":[{"filter_name":"organization_name_fuzzy","filter_value":"abc"},{"filter_name":"organization_slug_fuzzy","filter_value":"def"},` +
				`{"filter_name":"member_emails","filter_value":["a@b.example"]},{"filter_name":"allowed_domains","filter_value":["b.example"]}]}}`,
		},
		{name: "roles of an organization", args: []string{"organization", "roles", "o"}, method: "GET", target: "/v1/b2b/rbac/organizations/o"},
		{
			name: "what roles of an organization would change", args: []string{"organization", "roles", "o", "--set", "-", "--dry-run"}, stdin: `{"roles":[]}`,
			method: "GET", target: "/v1/b2b/rbac/organizations/o",
		},
		{
			name: "create a member", stdin: `{"u":null}`,
			args:   []string{"member", "create", "--organization", "o", "--email", "a@b.example", "--name", "A", "--phone", "+1", "--external-id", "e", "--pending", "--breakglass", "--role", "x", "--role", "y", "--trusted-metadata", `{"n":1.10}`, "--untrusted-metadata", "-"},
			method: "POST", target: "/v1/b2b/organizations/o/members",
			body: `{"email_address":"a@b.example","name":"A","external_id":"e","mfa_phone_number":"+1","is_breakglass":true,"create_member_as_pending":true,"roles":["x","y"],"trusted_metadata":{"n":1.10},"untrusted_metadata":{"u":null}}`,
		},
		{
			name: "create the least member", args: []string{"member", "create", "--email", "a@b.example"}, env: map[string]string{"COUNTERSIGN_ORGANIZATION": "o"},
			method: "POST", target: "/v1/b2b/organizations/o/members", body: `{"email_address":"a@b.example"}`,
		},
		{name: "get a member", args: []string{"member", "get", "--organization", "o", "a&b"}, method: "GET", target: "/v1/b2b/organizations/o/member?member_id=a%26b"},
		{name: "get a member by address", args: []string{"member", "get", "--organization", "o", "a@b.example"}, method: "GET", target: "/v1/b2b/organizations/o/member?email_address=a%40b.example"},
		{
			name: "update a member", args: []string{"member", "update", "m", "--organization", "o", "--name=", "--email", "c@d.example", "--unlink-email", "--no-breakglass", "--no-roles"},
			method: "PUT", target: "/v1/b2b/organizations/o/members/m", body: `{"email_address":"c@d.example","unlink_email":true,"name":"","is_breakglass":false,"roles":[]}`,
		},
		{name: "delete a member", args: []string{"member", "delete", "m", "--organization", "o", "-y"}, method: "DELETE", target: "/v1/b2b/organizations/o/members/m"},
		{name: "reactivate a member", args: []string{"member", "reactivate", "m", "--organization", "o"}, method: "PUT", target: "/v1/b2b/organizations/o/members/m/reactivate", body: `{}`},
		{
			name: "search members", args: []string{"member", "search", "--organization", "o", "--organization", "p", "--email", "a@b.example", "--email-contains", "abc", "--role", "r", "--status", "deleted", "--status", "active"},
			method: "POST", target: "/v1/b2b/organizations/members/search",
			body: `{"organization_ids":["o","p"],"limit":100,"query":{"operator":"AND","operands":[{"filter_name":"member_emails","filter_value":["a@b.example"]},` +
				`{"filter_name":"member_email_fuzzy","filter_value":"abc"},{"filter_name":"member_roles","filter_value":["r"]},{"filter_name":"statuses","filter_value":["deleted","active"]}]}}`,
		},
		{
			name: "attest for an organization", args: []string{"attest", "--profile", "p", "--organization", "o"}, stdin: "tok",
			method: "POST", target: "/v1/sessions/attest", body: `{"profile_id":"p","token":"tok","organization_id":"o"}`,
		},
		{
			name: "authenticate a member", args: []string{"session", "authenticate", "--session-token-file", session, "--organization", "o", "--resource", "docs", "--action", "read"},
			method: "POST", target: "/v1/sessions/authenticate", body: `{"session_token":"st-file","authorization_check":{"organization_id":"o","resource_id":"docs","action":"read"}}`,
		},
		{name: "revoke a member's sessions", args: []string{"session", "revoke", "--member-id", "m"}, method: "POST", target: "/v1/sessions/revoke", body: `{"member_id":"m"}`},
		{
			name: "list a member's sessions", args: []string{"session", "list", "--member-id", "m", "--organization", "o"},
			method: "GET", target: "/v1/b2b/sessions?member_id=m&organization_id=o",
		},
		{
			name: "list", args: []string{"session", "list", "--user-id", "a&b=c"},
			method: "GET", target: "/v1/sessions?user_id=a%26b%3Dc",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, http.StatusOK, `{"request_id":"r","status_code":200}`)
			env := s.env()
			for name, value := range tt.env {
				env[name] = value
			}
			got := run(t, command{args: tt.args, env: env, stdin: strings.NewReader(tt.stdin)})
			if got.code != 0 || got.stderr != "" {
				t.Fatalf("exit code %d, stderr %q; want 0 and none", got.code, got.stderr)
			}
			want := []exchange{{tt.method, tt.target, "project-test-1", "api-secret", "application/json", tt.body}}
			if diff := cmp.Diff(want, s.seen); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}
