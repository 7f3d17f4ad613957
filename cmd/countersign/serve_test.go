package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/cli"
)

// run is countersign serve, started as a user does.
type run struct {
	t      *testing.T
	addr   string
	stdout bytes.Buffer // to be read after stop
	stop   func() int
}

var listening = regexp.MustCompile(`"msg":"listening","addr":"([^"]+)"`)

// serve starts the command and waits until it listens.
func serve(t *testing.T, env map[string]string, args ...string) *run {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	logRead, logWrite := io.Pipe()
	r := &run{t: t}
	code := make(chan int, 1)
	go func() {
		code <- cli.Main(ctx, cli.Process{
			Args: append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), Stdin: strings.NewReader(""), Stdout: &r.stdout, Stderr: logWrite,
			LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Now: time.Now,
		})
		_ = logWrite.Close()
	}()
	r.stop = func() int {
		cancel()
		return <-code
	}
	var log bytes.Buffer
	chunk := make([]byte, 4096)
	for r.addr == "" {
		n, err := logRead.Read(chunk)
		log.Write(chunk[:n])
		if m := listening.FindSubmatch(log.Bytes()); m != nil {
			r.addr = string(m[1])
		} else if err != nil {
			t.Fatalf("serve %v ended with %d:\n%s", args, r.stop(), log.String())
		}
	}
	go func() { _, _ = io.Copy(io.Discard, logRead) }()
	return r
}

// projects asks the management API and gives the status.
func (r *run) projects(id, secret string) int {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.addr+"/pwa/v3/projects", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.SetBasicAuth(id, secret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

var printedKey = regexp.MustCompile(`^COUNTERSIGN_WORKSPACE_KEY_ID=(\S+)\nCOUNTERSIGN_WORKSPACE_KEY_SECRET=(\S+)\nCOUNTERSIGN_DASHBOARD_LINK=(\S+)\n$`)

func TestFirstStartPrintsAWorkspaceKeyOnce(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "countersign.db")
	first := serve(t, nil, "--database", database)
	if code := first.stop(); code != cli.ExitOK {
		t.Fatalf("the first start ended with %d", code)
	}
	key := printedKey.FindStringSubmatch(first.stdout.String())
	if key == nil {
		t.Fatalf("the first start printed %q", first.stdout.String())
	}

	second := serve(t, nil, "--database", database)
	if got := second.projects(key[1], key[2]); got != http.StatusOK {
		t.Errorf("the printed key answers %d", got)
	}
	if got := second.projects(key[1], key[2]+"x"); got != http.StatusUnauthorized {
		t.Errorf("another secret answers %d", got)
	}
	if code := second.stop(); code != cli.ExitOK || second.stdout.Len() > 0 {
		t.Errorf("the second start ended with %d and printed %q", code, second.stdout.String())
	}
}

func TestServeTakesItsSettingsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := serve(t, map[string]string{
		"COUNTERSIGN_DATABASE":             filepath.Join(dir, "env.db"),
		"COUNTERSIGN_KEYSET_FILE":          filepath.Join(dir, "keys", "keyset.json"),
		"COUNTERSIGN_WORKSPACE_KEY_ID":     "mine",
		"COUNTERSIGN_WORKSPACE_KEY_SECRET": "a secret of my own choice",
		"COUNTERSIGN_JWKS_ALLOW_PRIVATE":   "127.0.0.1, 10.0.0.0/8",
		"COUNTERSIGN_VERDICTS_KEEP":        "36h",
		"COUNTERSIGN_VERDICTS_PER_MINUTE":  "1",
		"COUNTERSIGN_LIMIT_PER_ADDRESS":    "off",
		"COUNTERSIGN_LIMIT_PER_CREDENTIAL": "100",
		"COUNTERSIGN_MAX_IN_FLIGHT":        "64",
		"COUNTERSIGN_TRUSTED_PROXY":        "10.0.0.0/8, 192.0.2.7",
	})
	if got := r.projects("mine", "a secret of my own choice"); got != http.StatusOK {
		t.Errorf("the key that was given answers %d", got)
	}
	if code := r.stop(); code != cli.ExitOK || r.stdout.Len() > 0 {
		t.Errorf("serve ended with %d and printed %q", code, r.stdout.String())
	}
	for _, file := range []string{"env.db", "keys/keyset.json"} {
		if found, err := filepath.Glob(filepath.Join(dir, file)); err != nil || len(found) != 1 {
			t.Errorf("%s is not there", file)
		}
	}
}

func TestServeOverHTTPS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := serve(t, nil, "--database", filepath.Join(dir, "countersign.db"), "--dev-tls", "--dev-tls-folder", filepath.Join(dir, "tls"))
	authority, err := os.ReadFile(filepath.Join(dir, "tls", "dev-ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(client.CloseIdleConnections)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+r.addr+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("over https: %d", answer.StatusCode)
	}
	if _, err := http.DefaultClient.Do(request); err == nil {
		t.Error("who does not trust the authority is served")
	}
	if got := r.projects("", ""); got != http.StatusBadRequest {
		t.Errorf("over plain http: %d", got)
	}
	if code := r.stop(); code != cli.ExitOK || !strings.Contains(r.stdout.String(), "COUNTERSIGN_DASHBOARD_LINK=https://"+r.addr+"/") {
		t.Errorf("serve ended with %d and printed %q", code, r.stdout.String())
	}
}

func TestServeRefusesToStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, want string
		env        map[string]string
		args       []string
	}{
		{name: "half a workspace key", env: map[string]string{"COUNTERSIGN_WORKSPACE_KEY_ID": "mine"}, want: "needs both its ID and its secret"},
		{name: "a short secret", env: map[string]string{"COUNTERSIGN_WORKSPACE_KEY_ID": "mine", "COUNTERSIGN_WORKSPACE_KEY_SECRET": "short"}, want: "shorter than 16 bytes"},
		{name: "a network that is none", args: []string{"--jwks-allow-private", "10.0.0.0/99"}, want: "--jwks-allow-private: "},
		{name: "a proxy that is none", args: []string{"--trusted-proxy", "10.0.0.0/99"}, want: "--trusted-proxy \"10.0.0.0/99\" is neither an address nor a network"},
		{name: "a limit of nothing", args: []string{"--limit-per-address", "0"}, want: "expected a number from 1 to 1000000, or off"},
		{name: "a limit that is no number", env: map[string]string{"COUNTERSIGN_LIMIT_PER_CREDENTIAL": "many"}, want: "expected a number from 1 to 1000000, or off"},
		{name: "less than nothing at once", args: []string{"--max-in-flight=-1"}, want: "--max-in-flight must be more than 0"},
		{name: "a keyset that is none", env: map[string]string{"COUNTERSIGN_KEYSET": "{}"}, want: "the keyset"},
		{name: "a URL with a password", env: map[string]string{"COUNTERSIGN_DATABASE": "postgres://u:planted-secret@[/x"}, want: "expected postgres://"},
		{name: "development TLS for everybody", args: []string{"--addr", "0.0.0.0:0", "--dev-tls"}, want: "--dev-tls is for this machine alone"},
		{name: "development TLS for a name", args: []string{"--addr", "example.com:443", "--dev-tls"}, want: "--addr localhost:8443"},
		{name: "both forms of a secret", env: map[string]string{"COUNTERSIGN_DATABASE": "a", "COUNTERSIGN_DATABASE_FILE": "b"}, want: "COUNTERSIGN_DATABASE and COUNTERSIGN_DATABASE_FILE are both set"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "--addr", "127.0.0.1:0"}, test.args...)
			if test.env["COUNTERSIGN_DATABASE"] == "" {
				args = append(args, "--database", filepath.Join(t.TempDir(), "countersign.db"))
			}
			var stdout, stderr bytes.Buffer
			code := cli.Main(t.Context(), cli.Process{
				Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now,
				LookupEnv: func(name string) (string, bool) { v, ok := test.env[name]; return v, ok },
			})
			if code == cli.ExitOK || !strings.Contains(stderr.String(), test.want) || strings.Contains(stderr.String(), "planted-secret") {
				t.Errorf("serve = %d:\n%s", code, stderr.String())
			}
		})
	}
}
