package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/cli"
)

const (
	acme = `{"organization_id":"organization-test-1","organization_name":"Acme\u001b[2J","organization_slug":"acme","organization_external_id":null,"created_at":"2026-01-05T10:00:00Z",
 "email_allowed_domains":["acme.example","a.example"],"rbac_email_implicit_role_assignments":[{"domain":"acme.example","role_id":"reader"}],
 "custom_roles":[{"role_id":"clerk","description":"","permissions":[]}],"trusted_metadata":{"plan":"pro"}}`

	grace = `{"organization_id":"organization-test-1","member_id":"member-test-1","external_id":"hr-1","status":"active","name":"Grace","email_address":"grace@acme.example","email_address_verified":true,
 "mfa_phone_number":"","is_breakglass":true,"retired_email_addresses":[{"email_id":"e","email_address":"old@acme.example"}],
 "roles":[{"role_id":"stytch_member","sources":[{"type":"direct_assignment","details":{}}]},{"role_id":"reader","sources":[{"type":"email_assignment","details":{"email_domain":"acme.example"}}]}],
 "created_at":"2026-01-05T10:00:00Z","trusted_metadata":{},"untrusted_metadata":{"theme":"dark"}}`
)

// TestOrganizationText holds what a person reads of organizations and members.
func TestOrganizationText(t *testing.T) {
	t.Parallel()
	const (
		organization = "organization_id   organization-test-1\nname              Acme\uFFFD[2J\nslug              acme\nexternal_id       -\ncreated           2026-01-05 10:00:00 UTC (now)\n" +
			"allowed domains   acme.example, a.example\nown role          clerk\nrole of a domain  acme.example: reader\ntrusted_metadata  {\"plan\":\"pro\"}\n"
		member = "member_id           member-test-1\norganization_id     organization-test-1\nexternal_id         hr-1\nstatus              active\nname                Grace\n" +
			"email               grace@acme.example (verified)\nretired email       old@acme.example\nbreakglass          yes\nrole                stytch_member\n" +
			"role                reader, by the domain acme.example\ncreated             2026-01-05 10:00:00 UTC (now)\ntrusted_metadata    {}\nuntrusted_metadata  {\"theme\":\"dark\"}\n"
		one, several = `{"organization":` + acme + `}`, `"results_metadata":{"total":1,"next_cursor":null}}`
		of           = `{"member_id":"member-test-1","member":` + grace + `,"organization":` + acme + `}`
	)
	for _, tt := range []struct{ args, answer, want string }{
		{"organization get o", one, organization},
		{"organization create --name N", one, organization},
		{"organization update o --name N", one, organization},
		{"organization delete o --yes", `{}`, "Deleted organization o.\n"},
		{
			"organization search", `{"organizations":[` + acme + `],` + several,
			"ORGANIZATION_ID      CREATED               SLUG  EXTERNAL_ID  NAME\norganization-test-1  2026-01-05T10:00:00Z  acme  -            Acme\uFFFD[2J\n",
		},
		{"organization search", `{"organizations":[],` + several, "There are no such organizations.\n"},
		{
			"organization roles o", `{"org_policy":{"roles":[{"role_id":"clerk","permissions":[{"resource_id":"docs","actions":["read","write"]}]},{"role_id":"idle","permissions":[]}]}}`,
			"ROLE   RESOURCE  ACTIONS      DESCRIPTION\nclerk  docs      read, write  -\nidle   -         -            -\n",
		},
		{"organization roles o", `{"org_policy":{"roles":[]}}`, "There are no roles of its own.\n"},
		{"member get m --organization o", of, member},
		{"member create --organization o --email a@b.example", of, member},
		{"member update m --organization o --name N", of, member},
		{"member reactivate m --organization o", of, member},
		{"member delete m --organization o --yes", `{}`, "Deleted member m.\n"},
		{
			"member search --organization o", `{"members":[` + grace + `],"organizations":{},` + several,
			"MEMBER_ID      CREATED               STATUS  EXTERNAL_ID  EMAIL               ROLES                 NAME\n" +
				"member-test-1  2026-01-05T10:00:00Z  active  hr-1         grace@acme.example  stytch_member,reader  Grace\n",
		},
	} {
		s := newServer(t, http.StatusOK, tt.answer)
		got := run(t, command{args: strings.Fields(tt.args), env: s.env()})
		if diff := cmp.Diff(result{0, tt.want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
	}
}

// TestSessionsOfMembers holds that what sessions have in both verticals turns to the
// B2B API when the server says that the project is one, and to it alone then.
func TestSessionsOfMembers(t *testing.T) {
	t.Parallel()
	const (
		signedIn = `{"member_id":"member-test-1","member":` + grace + `,"organization":` + acme + `,"session_token":"st","session_jwt":"jwt","verdict":{"authorized":true,"granting_roles":["reader"]},
 "member_session":{"member_session_id":"session-test-1","started_at":"2026-01-05T10:00:00Z","last_accessed_at":"2026-01-05T10:00:00Z","expires_at":"2026-01-05T11:00:00Z","roles":["stytch_member","reader"],"authentication_factors":[]}}`
		text = "session_id     session-test-1\nmember_id      member-test-1\nexternal_id    hr-1\nemail          grace@acme.example\norganization   organization-test-1 (acme)\n" +
			"started        2026-01-05 10:00:00 UTC (now)\nexpires        2026-01-05 11:00:00 UTC (in 1h0m)\nroles          stytch_member, reader\nauthorized by  reader\nsession_token  st\nsession_jwt    jwt\n"
	)
	for _, tt := range []struct{ action, args, body, answer, want string }{
		{"attest", "attest --profile p --organization o", `{"profile_id":"p","token":"in","organization_id":"o"}`, signedIn, text},
		{
			"authenticate", "session authenticate --session-token-file - --resource d --action r --organization o",
			`{"session_token":"in","authorization_check":{"organization_id":"o","resource_id":"d","action":"r"}}`, signedIn, text,
		},
		{"revoke", "session revoke --session-id s", `{"member_session_id":"s"}`, `{}`, "The session is revoked.\n"},
		{"revoke", "session revoke --member-id m", `{"member_id":"m"}`, `{}`, "All sessions of the person are revoked.\n"},
		{"revoke", "session revoke --session-jwt-file -", `{"session_jwt":"in"}`, `{}`, "The session is revoked.\n"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			var seen []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				seen = append(seen, r.URL.Path)
				if !strings.HasPrefix(r.URL.Path, "/v1/b2b/") {
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"status_code":400,"error_type":"invalid_consumer_endpoint","error_message":"m"}`)
					return
				}
				if diff := cmp.Diff(tt.body, string(body)); diff != "" {
					t.Errorf("body (-want +got):\n%s", diff)
				}
				_, _ = io.WriteString(w, tt.answer)
			}))
			t.Cleanup(server.Close)
			env := map[string]string{"COUNTERSIGN_URL": server.URL, "COUNTERSIGN_PROJECT_ID": "project-test-1", "COUNTERSIGN_SECRET": "s"}
			got := run(t, command{args: strings.Fields(tt.args), env: env, stdin: strings.NewReader("in")})
			if diff := cmp.Diff(result{cli.ExitOK, tt.want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"/v1/sessions/" + tt.action, "/v1/b2b/sessions/" + tt.action}, seen); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}
