package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"countersign": main})
}

// TestScripts runs the command as a user types it, without a server.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Files: scripts(t, false), RequireUniqueNames: true, Cmds: commands()})
}

// TestOnlineScripts runs the command against a real server, one for all scripts.
func TestOnlineScripts(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	testscript.Run(t, testscript.Params{
		Files:              scripts(t, true),
		RequireUniqueNames: true,
		Cmds:               commands(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("COUNTERSIGN_URL", server.url)
			env.Setenv("COUNTERSIGN_WORKSPACE_KEY_ID", server.workspaceKeyID)
			env.Setenv("COUNTERSIGN_WORKSPACE_KEY_SECRET", server.workspaceKeySecret)
			return nil
		},
	})
}

// testServer is a server with nothing in it, and the key that opens it.
type testServer struct {
	url                string
	workspaceKeyID     string
	workspaceKeySecret string
}

// startServer starts a server that stops when the test ends.
func startServer(t *testing.T) testServer {
	t.Helper()
	s := servertest.Start(t, storetest.SQLite(t), servertest.Options{})
	return testServer{url: s.CheckedURL(), workspaceKeyID: s.WorkspaceKeyID, workspaceKeySecret: s.WorkspaceKeySecret}
}

// scripts are the script files that need a server, or those that do not.
func scripts(t *testing.T, online bool) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var chosen []string
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), "online_") == online {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// commands are what scripts can do beyond testscript's own.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"await":    await,
		"capture":  capture,
		"cut":      cut,
		"database": database,
		"issuer":   startIssuer,
		"mode":     mode,
		"query":    query,
		"users":    users,
	}
}

// capture NAME [member …] sets a variable to what the last command printed, or
// to the member of the JSON that it printed; numbers pick from lists.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: capture NAME [member …]")
	}
	value, err := pick([]byte(ts.ReadFile("stdout")), args[1:])
	ts.Check(err)
	ts.Setenv(args[0], value)
}

func pick(raw []byte, members []string) (string, error) {
	if len(members) == 0 {
		return strings.TrimSpace(string(raw)), nil
	}
	var v any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&v); err != nil {
		return "", err
	}
	for _, member := range members {
		switch at := v.(type) {
		case map[string]any:
			v = at[member]
		case []any:
			var i int
			if _, err := fmt.Sscan(member, &i); err != nil || i < 0 || i >= len(at) {
				return "", fmt.Errorf("a list of %d has no %q", len(at), member)
			}
			v = at[i]
		default:
			v = nil
		}
	}
	text, ok := v.(string)
	if !ok || text == "" {
		return "", fmt.Errorf("no text at %q in %s", members, raw)
	}
	return text, nil
}
