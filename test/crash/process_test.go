package crash

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
)

const (
	workspaceID     = "workspace-key-test"
	workspaceSecret = "workspace-secret-for-tests"
)

// binary is built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "countersign-crash-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "countersign")
	build := exec.Command("go", "build", "-o", binary, "github.com/countersign-auth/countersign/cmd/countersign")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the server:", err)
		return 1
	}
	return m.Run()
}

// process is a running server.
type process struct {
	t    *testing.T
	url  string
	cmd  *exec.Cmd
	read chan struct{} // closed when the log has ended

	mu   sync.Mutex
	tail []string // of the log
}

// start runs the server on a database and waits until it listens. Without a
// keyset, it has the one beside the database.
func start(t *testing.T, database, keyset string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--database", database), read: make(chan struct{})}
	p.cmd.Env = []string{
		"HOME=" + t.TempDir(), "COUNTERSIGN_JWKS_ALLOW_PRIVATE=127.0.0.0/8",
		"COUNTERSIGN_WORKSPACE_KEY_ID=" + workspaceID, "COUNTERSIGN_WORKSPACE_KEY_SECRET=" + workspaceSecret,
	}
	if keyset != "" {
		p.cmd.Env = append(p.cmd.Env, "COUNTERSIGN_KEYSET="+keyset)
	}
	log, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	listening := make(chan string, 1)
	go func() {
		defer close(p.read)
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			var line struct{ Msg, Addr string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line.Addr
			}
			p.mu.Lock()
			p.tail = append(p.tail[max(0, len(p.tail)-20):], lines.Text())
			p.mu.Unlock()
		}
	}()
	select {
	case addr := <-listening:
		p.url = "http://" + addr
	case <-p.read:
		t.Fatalf("the server ended: %v\n%s", p.cmd.Wait(), p.log())
	case <-time.After(time.Minute):
		t.Fatalf("the server does not listen\n%s", p.log())
	}
	return p
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

// kill ends the process as a power cut would.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill: %v\n%s", err, p.log())
	}
	<-p.read
	if _, ok := errors.AsType[*exec.ExitError](p.cmd.Wait()); !ok {
		t.Fatalf("the server had ended by itself\n%s", p.log())
	}
}

// interrupt sends SIGTERM.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end and gives the exit code.
func (p *process) ended(t *testing.T) int {
	t.Helper()
	<-p.read
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func newKeyset(t *testing.T) string {
	t.Helper()
	text, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// document is the witness to the server's OpenAPI document.
var document = sync.OnceValues(func() (*servertest.Witness, error) {
	text, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		return nil, err
	}
	return servertest.NewWitness(text)
})

// api calls a server. Answers that are not as the OpenAPI document says fail the
// test.
type api struct {
	t              *testing.T
	witness        *servertest.Witness
	url            string
	user, password string
	client         *http.Client
}

func (p *process) api(user, password string) *api {
	p.t.Helper()
	w, err := document()
	if err != nil {
		p.t.Fatal(err)
	}
	return &api{t: p.t, witness: w, url: p.url, user: user, password: password, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// answer is a decoded answer.
type answer struct {
	status int
	body   map[string]any
	text   string
}

// get is the text at a path of members.
func (a answer) get(members ...string) string {
	var v any = a.body
	for _, m := range members {
		object, _ := v.(map[string]any)
		v = object[m]
	}
	s, _ := v.(string)
	return s
}

// factors are the token IDs of the session's factors.
func (a answer) factors() (ids []string) {
	session, _ := a.body["session"].(map[string]any)
	list, _ := session["authentication_factors"].([]any)
	for _, f := range list {
		factor, _ := f.(map[string]any)
		token, _ := factor["trusted_auth_token_factor"].(map[string]any)
		id, _ := token["token_id"].(string)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// post gives an error for what is no whole answer.
func (c *api) post(ctx context.Context, path string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	r.GetBody = nil // a lost request is lost: the transport must not repeat it
	r.SetBasicAuth(c.user, c.password)
	response, err := c.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{status: response.StatusCode}
	var b bytes.Buffer
	if _, err := b.ReadFrom(response.Body); err != nil {
		return answer{}, err
	}
	a.text = b.String()
	for _, problem := range c.witness.Problems(servertest.Exchange{Request: r, Sent: text, Status: a.status, Answer: b.Bytes()}) {
		c.t.Errorf("POST %s: %d: %s", path, a.status, problem)
	}
	return a, json.Unmarshal(b.Bytes(), &a.body)
}

func (c *api) must(t *testing.T, path string, body any) answer {
	t.Helper()
	a, err := c.post(t.Context(), path, body)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("POST %s: %d %s %v", path, a.status, a.text, err)
	}
	return a
}
