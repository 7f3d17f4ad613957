package cli_test

import (
	"strings"
	"testing"
)

// leaves are the commands that the top help lists.
func leaves(t *testing.T) [][]string {
	t.Helper()
	top := run(t, command{args: []string{"--help"}})
	if top.code != 0 || top.stderr != "" {
		t.Fatalf("--help: exit code %d, stderr %q", top.code, top.stderr)
	}
	var found [][]string
	for line := range strings.Lines(top.stdout) {
		name, _, ok := strings.Cut(strings.TrimPrefix(line, "  "), "    ")
		if ok && strings.HasPrefix(line, "  ") && line[2] != ' ' && !strings.HasPrefix(name, "-") {
			found = append(found, strings.Fields(name))
		}
	}
	if len(found) < 30 {
		t.Fatalf("--help lists %d commands: %v", len(found), found)
	}
	return found
}

// TestEveryHelpTeaches holds that each command says what it is for, shows an
// example that names it, and, if it needs a server, which variables.
func TestEveryHelpTeaches(t *testing.T) {
	t.Parallel()
	for _, args := range leaves(t) {
		name := strings.Join(args, " ")
		got := run(t, command{args: append(args, "--help")})
		if got.code != 0 || got.stderr != "" {
			t.Errorf("%s --help: exit code %d, stderr %q", name, got.code, got.stderr)
		}
		if !strings.Contains(got.stdout, "\n    ") || !strings.Contains(got.stdout, "countersign "+name) {
			t.Errorf("%s --help shows no example:\n%s", name, got.stdout)
		}
		if strings.Contains(got.stdout, "--url=") && !strings.Contains(got.stdout, "Needs COUNTERSIGN_") {
			t.Errorf("%s --help does not say which variables it needs:\n%s", name, got.stdout)
		}
		for _, broken := range []string{"STRING", "”", "“"} {
			if strings.Contains(got.stdout, broken) {
				t.Errorf("%s --help contains %q:\n%s", name, broken, got.stdout)
			}
		}
	}
}

// TestNoSecretFlags holds that no flag takes a secret as its value.
func TestNoSecretFlags(t *testing.T) {
	t.Parallel()
	for _, args := range leaves(t) {
		got := run(t, command{args: append(args, "--help")})
		for line := range strings.Lines(got.stdout) {
			flag, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			for _, word := range []string{"secret", "--token=", "session-token", "session-jwt-file", "--key="} {
				if strings.HasPrefix(flag, "--") && strings.Contains(flag, word) && !strings.HasSuffix(flag, "=FILE") {
					t.Errorf("%s takes a secret on the command line: %s", strings.Join(args, " "), flag)
				}
			}
		}
	}
}
