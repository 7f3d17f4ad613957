package cli_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The command that is printed makes the very profile that was proposed, whatever
// its parts look like to a shell.
func TestProfileInitCommand(t *testing.T) {
	t.Parallel()
	const profile = `{
		"name": "it's $HOME; \"a\" ` + "`b`" + `", "issuer": "-x", "audience": "--jit", "public_key_type": "JWK", "jwks_url": "https://idp.example.com/keys?a=b&c=*",
		"attribute_mapping": {"email": "https://acme.example/e mail", "role_ids": "/realm_access/roles", "token_id": "a=b"},
		"can_jit_provision": true, "trust_policy": {"algorithms": ["RS256"]}
	}`
	s := newServer(t, http.StatusOK, `{"proposal": {"profile": `+profile+`, "notes": [{"level": "info", "about": "issuer", "message": "\u001b[31m"}], "missing": []}}`)
	got := run(t, command{args: []string{"profile", "init", "--issuer", "https://idp.example.com", "--jit"}, env: s.env()})
	if got.code != 0 || got.stderr != "" || strings.Contains(got.stdout, "\x1b") {
		t.Fatalf("exit code %d, stderr %q, stdout %q", got.code, got.stderr, got.stdout)
	}
	sent := []exchange{{"POST", "/pwa/v3/projects/acme/environments/test/trusted_token_profiles/propose", "wk", "wk-secret", "application/json", `{"issuer":"https://idp.example.com"}`}}
	if diff := cmp.Diff(sent, s.seen); diff != "" {
		t.Errorf("request (-want +got)\n%s", diff)
	}

	_, line, found := strings.Cut(got.stdout, "    countersign ")
	if !found {
		t.Fatalf("no command in %s", got.stdout)
	}
	words, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\n' `+line).Output()
	if err != nil {
		t.Skipf("no POSIX shell: %v", err)
	}
	maker := newServer(t, http.StatusOK, `{}`)
	made := run(t, command{args: strings.Split(strings.TrimSuffix(string(words), "\n"), "\n"), env: maker.env()})
	if made.code != 0 || len(maker.seen) != 1 {
		t.Fatalf("exit code %d, stderr %q: %s", made.code, made.stderr, line)
	}
	var want, body any
	if err := json.Unmarshal([]byte(profile), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(maker.seen[0].Body), &body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("profile that is made (-proposed +made)\n%s", diff)
	}
}
