package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBashCompletion asks a real bash, word by word, as Tab would.
func TestBashCompletion(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash on this machine")
	}
	script := run(t, command{args: []string{"completion", "bash"}})
	if script.code != 0 {
		t.Fatal(script.stderr)
	}
	path := file(t, "completion.bash", script.stdout+`
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _countersign; echo "${COMPREPLY[*]}"
`)
	for _, tt := range []struct{ line, want string }{
		{"countersign pro", "project profile"},
		{"countersign profile k", "key"},
		{"countersign profile key ", "add get delete --help"},
		{"countersign keys generate --type e", "ec ed25519"},
		{"countersign keys generate --type = e", "ec ed25519"},
		{"countersign attest --profile x --sess", "--session-duration-minutes --session-token-file --session-jwt-file"},
		{"countersign completion ", "bash zsh fish --help"},
		{"countersign project create --name ", ""},
		{"countersign profile update p --no-j", "--no-jit"},
		{"countersign user ", "create get search update delete import --help"},
		{"countersign user search --status ", "active pending"},
		{"countersign organization ", "create get search update delete roles --help"},
		{"countersign member ", "create get search update delete reactivate --help"},
		{"countersign member update --unl", "--unlink-email"},
		{"countersign session list --org", "--organization"},
		{"countersign user import completion_te", "completion_test.go"},
		{"countersign policy set --dr", "--dry-run"},
	} {
		out, err := exec.CommandContext(t.Context(), bash, append([]string{path}, strings.Split(tt.line, " ")...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", tt.line, err, out)
		}
		if got := strings.TrimSpace(string(out)); got != tt.want {
			t.Errorf("%q completes to %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestCompletionQuoting holds that no help text breaks out of its quotes: every
// line of fish has an even number of them, and zsh's words come one a line.
func TestCompletionQuoting(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"zsh", "fish"} {
		got := run(t, command{args: []string{"completion", shell}})
		if got.code != 0 || !strings.Contains(got.stdout, "signing-key") {
			t.Fatalf("%s: exit code %d, stdout %q", shell, got.code, got.stdout)
		}
		for line := range strings.Lines(got.stdout) {
			if strings.Count(line, "'")%2 != 0 || strings.Contains(line, "`") {
				t.Errorf("%s: a quote is left open in %q", shell, line)
			}
		}
	}
}
