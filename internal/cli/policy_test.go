package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// routes is a server that answers by method and path, "GET /v1/users/u".
func routes(t *testing.T, answers map[string]string) *server {
	t.Helper()
	s := newServer(t, 200, "{}")
	s.Close()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.seen = append(s.seen, exchange{Method: r.Method, Target: r.URL.RequestURI(), Body: string(body)})
		answer, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"error_type":"route_not_found","error_message":"m"}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

const storedPolicy = `{"policy":{"stytch_user":{"permissions":[]},"stytch_resources":[],
 "custom_roles":[{"role_id":"editor","description":"Edits.","permissions":[{"resource_id":"documents","actions":["read","write"]},{"resource_id":"images","actions":["*"]}]},{"role_id":"viewer","description":"","permissions":[]}],
 "custom_resources":[{"resource_id":"documents","description":"","available_actions":["read","write"]},{"resource_id":"images","description":"","available_actions":["draw"]}],
 "custom_scopes":[{"scope":"docs","description":"","permissions":[{"resource_id":"documents","actions":["read"]}]}]}}`

const wantedPolicy = `{"stytch_user":{"permissions":[{"resource_id":"documents","actions":["read"]}]},
 "custom_roles":[{"role_id":"editor","description":"","permissions":[{"resource_id":"documents","actions":["*"]},{"resource_id":"images","actions":["*"]}]},{"role_id":"admin","permissions":[{"resource_id":"documents","actions":["*"]}]}],
 "custom_resources":[{"resource_id":"documents","available_actions":["read","write"]},{"resource_id":"images","available_actions":["draw"]}]}`

const policyDiff = `- role viewer
- scope docs
~ role stytch_user
    + documents: read
~ role editor
    - documents: read, write
    - description: "Edits."
    + documents: *
+ role admin
    + documents: *
`

const policyPath = "/pwa/v3/projects/acme/environments/test/rbac_policy"

func TestPolicyGet(t *testing.T) {
	t.Parallel()
	s := routes(t, map[string]string{"GET " + policyPath: storedPolicy})
	const want = `ROLE         RESOURCE   ACTIONS      DESCRIPTION
stytch_user  -          -            default role
editor       documents  read, write  Edits.
             images     *
viewer       -          -            -

RESOURCE   ACTIONS      DESCRIPTION
documents  read, write  -
images     draw         -

SCOPE  RESOURCE   ACTIONS  DESCRIPTION
docs   documents  read     -
`
	got := run(t, command{args: []string{"policy", "get"}, env: s.env()})
	if diff := cmp.Diff(result{0, want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestPolicySet(t *testing.T) {
	t.Parallel()
	const question = "Replace the policy of environment test of project acme? [y/N] "
	tests := []struct {
		name   string
		policy string
		args   []string
		stdin  io.Reader
		want   result
		sent   bool
	}{
		{"a dry run", wantedPolicy, []string{"--dry-run"}, strings.NewReader(""), result{0, policyDiff, ""}, false},
		{"yes", wantedPolicy, nil, typing("y\n"), result{0, "The policy is replaced.\n", policyDiff + question}, true},
		{"no", wantedPolicy, nil, typing("n\n"), result{1, "", policyDiff + question + "countersign: not confirmed; nothing was changed\n"}, false},
		{"without a person", wantedPolicy, []string{"--yes"}, strings.NewReader(""), result{0, "The policy is replaced.\n", policyDiff}, true},
		{"what policy get printed", storedPolicy, []string{"--yes"}, strings.NewReader(""), result{0, "Nothing changes: environment test of project acme has this policy.\n", ""}, false},
		{"a default role that is left out stays", `{"custom_roles":[]}`, []string{"--dry-run"}, strings.NewReader(""), result{0, "- role editor\n- role viewer\n- resource documents\n- resource images\n- scope docs\n", ""}, false},
		{"changes as JSON", `{"policy":` + strings.Replace(strings.TrimSuffix(strings.TrimPrefix(storedPolicy, `{"policy":`), "}"), `"docs"`, `"d"`, 1) + `}`, []string{"--dry-run", "--json"}, strings.NewReader(""), result{0, `{
  "changes": [
    {
      "change": "removed",
      "kind": "scope",
      "name": "docs",
      "detail": []
    },
    {
      "change": "added",
      "kind": "scope",
      "name": "d",
      "detail": [
        "+ documents: read"
      ]
    }
  ]
}
`, ""}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := routes(t, map[string]string{"GET " + policyPath: storedPolicy, "PUT " + policyPath: storedPolicy})
			got := run(t, command{args: append([]string{"policy", "set", file(t, "policy.json", tt.policy)}, tt.args...), env: s.env(), stdin: tt.stdin})
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if sent := len(s.seen) == 2; sent != tt.sent {
				t.Errorf("sent: %v", s.seen)
			}
		})
	}
}

func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	s := routes(t, map[string]string{
		"GET /v1/users/u": `{"user_id":"u","roles":["stytch_user","viewer"]}`,
		"GET /v1/rbac/policy": `{"policy":{"roles":[{"role_id":"stytch_user","permissions":[]},{"role_id":"viewer","permissions":[{"resource_id":"documents","actions":["read"]}]},{"role_id":"editor","permissions":[{"resource_id":"documents","actions":["*"]}]}],
		 "resources":[{"resource_id":"documents","actions":["read","write","burn"]},{"resource_id":"images","actions":["draw"]}],"scopes":[]}}`,
	})
	tests := []struct {
		args string
		want result
	}{
		{"--resource documents --action read --user-id u", result{0, "allowed     yes\nroles       stytch_user, viewer\ngranted by  viewer\n", ""}},
		{"--resource documents --action read --role editor --role viewer --json", result{0, "{\n  \"allowed\": true,\n  \"roles\": [\n    \"editor\",\n    \"viewer\"\n  ],\n  \"granting_roles\": [\n    \"viewer\",\n    \"editor\"\n  ]\n}\n", ""}},
		{"--resource documents --action write --user-id u", result{1, "allowed     no\nroles       stytch_user, viewer\ngranted by  -\n", "countersign: not allowed: write on documents\n  hint: roles that permit it: editor\n"}},
		{"--resource images --action draw --role editor", result{1, "allowed     no\nroles       editor\ngranted by  -\n", "countersign: not allowed: draw on images\n  hint: no role permits it; countersign policy set changes that\n"}},
		{"--resource documents --action draw --role viewer", result{1, "allowed     no\nroles       viewer\ngranted by  -\n", "countersign: not allowed: draw on documents\n  hint: documents has no action draw, only read, write, burn\n"}},
		{"--resource papers --action read --role boss", result{1, "allowed     no\nroles       boss\ngranted by  -\n", "The policy has no role boss.\ncountersign: not allowed: read on papers\n  hint: the policy has no resource papers; countersign policy get shows which there are\n"}},
	}
	for _, tt := range tests {
		got := run(t, command{args: append([]string{"policy", "check"}, strings.Fields(tt.args)...), env: s.env()})
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
	}
}
