package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
	"github.com/countersign-auth/countersign/internal/signing"
)

// issuerWorld is the issuer of all subject tokens: RS256, 2048 bits.
type issuerWorld struct {
	*issuer.Issuer
	listener net.Listener
}

func newIssuer() (*issuerWorld, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	core, err := issuer.New(issuer.Config{URL: "http://" + listener.Addr().String(), Now: time.Now})
	if err != nil {
		return nil, err
	}
	w := &issuerWorld{Issuer: core, listener: listener}
	server := &http.Server{Handler: core, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return w, nil
}

func (w *issuerWorld) close() { _ = w.listener.Close() }

// token is for the people's e-mail address of that name, for an hour.
func (w *issuerWorld) token(name string) (string, error) {
	return w.Mint(map[string]any{
		"aud": "countersign", "email": name + "@example.com", "sub": name, "name": "Somebody Or Other", "company": "acme", "exp": time.Now().Add(time.Hour).Unix(),
	})
}

// people are those who are known.
const people = 64

// environment is one of the server's, with its kind of people and of session JWTs.
type environment struct {
	attestPath               string
	project, secret, profile string
	known                    [][]byte // bodies of attest for people who are known
	tokens                   [][]byte // bodies of authenticate for their sessions
	forged                   [][]byte // bodies of attest whose signature is of another token
}

// engineBench is a server and a floor on one database engine.
type engineBench struct {
	engine       string
	issuer       *issuerWorld
	options      options
	binary       string
	serverArgs   []string
	serverEnv    []string
	server       *process
	floor        *process
	metrics      string
	rs256, es256 *environment
	b2b          *environment // signed by ES256
	postmaster   int          // of PostgreSQL, or 0
	cleanups     []func() error
	fresh        int // people made so far
	profiled     map[string]bool
}

func (b *engineBench) close() {
	for _, p := range []*process{b.server, b.floor} {
		if p != nil {
			_ = p.stop()
		}
	}
	for _, cleanup := range b.cleanups {
		if err := cleanup(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
}

const (
	workspaceID     = "workspace-key-bench"
	workspaceSecret = "workspace-secret-for-the-bench"
)

func startEngine(ctx context.Context, engine, dir, binary string, w *issuerWorld, o options) (*engineBench, error) {
	b := &engineBench{engine: engine, issuer: w, options: o, binary: binary, profiled: map[string]bool{}}
	database, floorDatabase := filepath.Join(dir, "server.db"), filepath.Join(dir, "floor.db")
	if engine == "postgres" {
		var err error
		if database, err = b.makeDatabase(ctx); err != nil {
			return b, err
		}
		if floorDatabase, err = b.makeDatabase(ctx); err != nil {
			return b, err
		}
	}
	keyset, err := signing.NewKeyset()
	if err != nil {
		return b, err
	}
	addr, err := freeAddr()
	if err != nil {
		return b, err
	}
	b.serverArgs = []string{
		"serve", "--addr", addr, "--database", database, "--jwks-allow-private", "127.0.0.0/8",
		"--verdicts-per-minute", "1000000000", "--limit-per-address", "off",
	} // every refusal that is measured is kept, and all come from one address
	if o.profile != "" {
		if b.metrics, err = freeAddr(); err != nil {
			return b, err
		}
		b.serverArgs = append(b.serverArgs, "--metrics-addr", b.metrics)
	}
	b.serverEnv = []string{
		"COUNTERSIGN_KEYSET=" + string(keyset),
		"COUNTERSIGN_WORKSPACE_KEY_ID=" + workspaceID, "COUNTERSIGN_WORKSPACE_KEY_SECRET=" + workspaceSecret,
	}
	if b.server, err = startProcess(ctx, addr, b.serverEnv, binary, b.serverArgs...); err != nil {
		return b, err
	}

	text, err := w.PEM(countersign.RS256, issuer.PublicKey)
	if err != nil {
		return b, err
	}
	keyFile := filepath.Join(dir, "issuer.pem")
	if err := os.WriteFile(keyFile, []byte(text), 0o600); err != nil {
		return b, err
	}
	floorAddr, err := freeAddr()
	if err != nil {
		return b, err
	}
	self, err := os.Executable()
	if err != nil {
		return b, err
	}
	if b.floor, err = startProcess(ctx, floorAddr, nil, self, "floor", floorAddr, floorDatabase, keyFile); err != nil {
		return b, err
	}
	if b.rs256, err = b.newEnvironment(ctx, "RS256", countersign.Consumer); err != nil {
		return b, err
	}
	if b.es256, err = b.newEnvironment(ctx, "ES256", countersign.Consumer); err != nil {
		return b, err
	}
	b.b2b, err = b.newEnvironment(ctx, "ES256", countersign.B2B)
	return b, err
}

// makeDatabase makes a database on the PostgreSQL of the environment, and finds
// its first process by the lock beside its socket.
func (b *engineBench) makeDatabase(ctx context.Context) (string, error) {
	server := os.Getenv("COUNTERSIGN_TEST_POSTGRES")
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("COUNTERSIGN_TEST_POSTGRES is not a URL")
	}
	if b.postmaster == 0 {
		lock, err := os.ReadFile(filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432.lock"))
		if err != nil {
			return "", fmt.Errorf("whose CPU time is PostgreSQL's? It must listen on a socket of this machine, as under scripts/postgres: %w", err)
		}
		first, _, _ := strings.Cut(string(lock), "\n")
		if b.postmaster, err = strconv.Atoi(first); err != nil {
			return "", err
		}
	}
	name := "countersign_bench_" + strings.ToLower(rand.Text())
	admin := func(statement string) error {
		db, err := sql.Open("pgx", server)
		if err != nil {
			return err
		}
		_, err = db.ExecContext(context.WithoutCancel(ctx), statement)
		return errors.Join(err, db.Close())
	}
	if err := admin("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	b.cleanups = append(b.cleanups, func() error { return admin("DROP DATABASE " + name + " WITH (FORCE)") })
	u.Path = "/" + name
	return u.String(), nil
}

// manage calls the management API and gives what stands at a path of members.
func (b *engineBench) manage(ctx context.Context, path string, body any, members ...string) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	answer, err := call{url: b.server.url + path, user: workspaceID, password: workspaceSecret, body: text}.read(ctx, http.DefaultTransport)
	if err != nil {
		return "", err
	}
	return member(answer, members...)
}

func member(answer []byte, members ...string) (string, error) {
	var v any
	if err := json.Unmarshal(answer, &v); err != nil {
		return "", err
	}
	for _, m := range members {
		object, _ := v.(map[string]any)
		v = object[m]
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("no %v in %s", members, answer)
	}
	return s, nil
}

func (b *engineBench) newEnvironment(ctx context.Context, algorithm string, vertical countersign.Vertical) (*environment, error) {
	e := &environment{attestPath: "/v1/sessions/attest"}
	slug := strings.ToLower(algorithm)
	mapping := map[string]any{"email": "email", "token_id": "jti", "external_user_id": "sub"}
	if vertical == countersign.B2B {
		e.attestPath, slug = "/v1/b2b/sessions/attest", slug+"-b2b"
		mapping = map[string]any{"email": "email", "token_id": "jti", "external_member_id": "sub", "organization_id": "company"}
	}
	if _, err := b.manage(ctx, "/pwa/v3/projects", map[string]any{"name": "Bench", "vertical": vertical, "project_slug": slug}, "project", "project_slug"); err != nil {
		return nil, err
	}
	var err error
	if e.project, err = b.manage(ctx, "/pwa/v3/projects/"+slug+"/environments",
		map[string]any{"name": "Bench", "environment_slug": "e", "type": "TEST", "session_jwt_algorithm": algorithm}, "environment", "project_id"); err != nil {
		return nil, err
	}
	path := "/pwa/v3/projects/" + slug + "/environments/e"
	if e.secret, err = b.manage(ctx, path+"/secrets", nil, "secret", "secret"); err != nil {
		return nil, err
	}
	if e.profile, err = b.manage(ctx, path+"/trusted_token_profiles", map[string]any{
		"name": "issuer", "issuer": b.issuer.URL(), "audience": "countersign", "can_jit_provision": true,
		"public_key_type": "JWK", "jwks_url": b.issuer.JWKSURL(),
		"attribute_mapping": mapping,
	}, "profile", "profile_id"); err != nil {
		return nil, err
	}
	for i := range people {
		body, err := e.attestBody(b.issuer, fmt.Sprint("known", i))
		if err != nil {
			return nil, err
		}
		token, err := b.attest(ctx, e, body)
		if err != nil {
			return nil, err
		}
		e.known = append(e.known, body)
		e.tokens = append(e.tokens, fmt.Appendf(nil, `{"session_token":%q}`, token))
	}
	for i := range people {
		body, err := e.forgedBody(b.issuer, fmt.Sprint("known", i))
		if err != nil {
			return nil, err
		}
		e.forged = append(e.forged, body)
	}
	return e, nil
}

// forgedBody is that of a token with the signature of another.
func (e *environment) forgedBody(w *issuerWorld, name string) ([]byte, error) {
	token, err := w.token(name)
	if err != nil {
		return nil, err
	}
	forged, err := forge(w, token)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"profile_id": e.profile, "token": forged, "session_duration_minutes": 60})
}

// forge gives a token the signature of another.
func forge(w *issuerWorld, token string) (string, error) {
	other, err := w.token("somebody else")
	if err != nil {
		return "", err
	}
	return token[:strings.LastIndexByte(token, '.')] + other[strings.LastIndexByte(other, '.'):], nil
}

func (e *environment) attestBody(w *issuerWorld, name string) ([]byte, error) {
	token, err := w.token(name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"profile_id": e.profile, "token": token, "session_duration_minutes": 60})
}

func (e *environment) call(b *engineBench, path string, body []byte) call {
	return call{url: b.server.url + path, user: e.project, password: e.secret, body: body}
}

// attest is a session for a measurement to use, and gives its token.
func (b *engineBench) attest(ctx context.Context, e *environment, body []byte) (string, error) {
	answer, err := e.call(b, e.attestPath, body).read(ctx, http.DefaultTransport)
	if err != nil {
		return "", err
	}
	return member(answer, "session_token")
}

// strangers are bodies of attest for people who are not known yet.
func (b *engineBench) strangers(e *environment, n int) ([][]byte, error) {
	bodies := make([][]byte, n)
	failed := make([]error, n)
	var group sync.WaitGroup
	for part := range 2 {
		group.Go(func() {
			for i := part; i < n; i += 2 {
				bodies[i], failed[i] = e.attestBody(b.issuer, fmt.Sprint("stranger", b.fresh+i))
			}
		})
	}
	group.Wait()
	b.fresh += n
	return bodies, errors.Join(failed...)
}

// sessions are bodies of revoke, one for each of n new sessions.
func (b *engineBench) sessions(ctx context.Context, e *environment, n int) ([][]byte, error) {
	bodies := make([][]byte, n)
	failed := make([]error, n)
	var group sync.WaitGroup
	const parts = 16
	for part := range parts {
		group.Go(func() {
			for i := part; i < n && failed[part] == nil; i += parts {
				var token string
				token, failed[part] = b.attest(ctx, e, e.known[i%people])
				bodies[i] = fmt.Appendf(nil, `{"session_token":%q}`, token)
			}
		})
	}
	group.Wait()
	return bodies, errors.Join(failed...)
}

// round gives bodies again and again.
func round(bodies [][]byte, send func([]byte) call) func(int64) (call, bool) {
	return func(i int64) (call, bool) { return send(bodies[i%int64(len(bodies))]), true }
}

// once gives each body once.
func once(bodies [][]byte, send func([]byte) call) func(int64) (call, bool) {
	return func(i int64) (call, bool) {
		if i >= int64(len(bodies)) {
			return call{}, false
		}
		return send(bodies[i]), true
	}
}

// measure does one run of everything with n connections, the server's runs
// between those of the floor.
func (b *engineBench) measure(ctx context.Context, r *report, n, round_ int) error {
	run := func(row string, p *process, next func(int64) (call, bool)) error {
		if !b.options.wants(row) {
			return nil
		}
		l := load{
			connections: n, most: b.options.run, next: next,
			account: func() (time.Duration, error) { return b.account(p) },
		}
		wait := b.profileRun(ctx, row, n, &l)
		m, err := l.run(ctx)
		if err = errors.Join(err, wait()); err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		r.add(row, b.engine, n, m)
		if n == 32 && p == b.server {
			r.busy(b.engine, memory(p.cmd.Process.Pid))
		}
		return nil
	}
	floor := func(path string) func(int64) (call, bool) {
		return round(b.rs256.known, func(body []byte) call { return call{url: b.floor.url + path, body: body} })
	}
	attest := func(e *environment) func([]byte) call {
		return func(body []byte) call { return e.call(b, e.attestPath, body) }
	}
	most := int(b.options.run.Seconds() * 900) // what two cores can do at most with RSA
	if n == 1 {
		most /= 2
	}
	var newRS, newES, toRevoke [][]byte
	var err error
	if b.options.wants(provisionRS256) {
		if newRS, err = b.strangers(b.rs256, most); err != nil {
			return err
		}
		if newES, err = b.strangers(b.es256, most); err != nil {
			return err
		}
	}
	if b.options.wants(revoked) {
		if toRevoke, err = b.sessions(ctx, b.es256, 2*most); err != nil {
			return err
		}
	}
	revoke := func(body []byte) call { return b.es256.call(b, "/v1/sessions/revoke", body) }
	verify := func(body []byte) call {
		return call{url: b.floor.url + "/verify", body: body, status: http.StatusBadRequest}
	}
	refuse := func(body []byte) call {
		c := b.rs256.call(b, "/v1/sessions/attest", body)
		c.status = http.StatusBadRequest
		return c
	}
	explain := func(body []byte) call {
		path := "/pwa/v3/projects/rs256/environments/e/trusted_token_profiles/" + b.rs256.profile + "/explain"
		return call{url: b.server.url + path, user: workspaceID, password: workspaceSecret, body: body}
	}
	authenticate := func(body []byte) call { return b.rs256.call(b, "/v1/sessions/authenticate", body) }
	for _, step := range []func() error{
		func() error { return run(floorRS256, b.floor, floor("/rs256")) },
		func() error { return run(attestRS256, b.server, round(b.rs256.known, attest(b.rs256))) },
		func() error { return run(provisionRS256, b.server, once(newRS, attest(b.rs256))) },
		func() error { return run(floorES256, b.floor, floor("/es256")) },
		func() error { return run(attestES256, b.server, round(b.es256.known, attest(b.es256))) },
		func() error { return run(attestMember, b.server, round(b.b2b.known, attest(b.b2b))) },
		func() error { return run(provisionES256, b.server, once(newES, attest(b.es256))) },
		func() error { return run(floorConstant, b.floor, floor("/constant")) },
		func() error { return run(authenticated, b.server, round(b.rs256.tokens, authenticate)) },
		func() error { return run(floorUpdate, b.floor, floor("/update")) },
		func() error { return run(revoked, b.server, once(toRevoke, revoke)) },
		func() error { return run(floorVerify, b.floor, round(b.rs256.forged, verify)) },
		func() error { return run(refused, b.server, round(b.rs256.forged, refuse)) },
		func() error {
			if n > 1 {
				return nil // it is measured by its time
			}
			return run(explained, b.server, round(b.rs256.known, explain))
		},
	} {
		if err := step(); err != nil {
			return fmt.Errorf("round %d: %w", round_, err)
		}
	}
	return nil
}

// account is the CPU time that a process and the database have used.
func (b *engineBench) account(p *process) (time.Duration, error) {
	var families []int
	if b.postmaster != 0 {
		families = []int{b.postmaster}
	}
	return cpu([]int{p.cmd.Process.Pid}, families)
}

// profileRun takes a CPU profile beside the first run of a row, which it makes
// longer for that.
func (b *engineBench) profileRun(ctx context.Context, row string, n int, l *load) (wait func() error) {
	const seconds = 4
	if b.options.profile == "" || n != 8 || b.profiled[row] || strings.HasPrefix(row, "floor") {
		return func() error { return nil }
	}
	b.profiled[row] = true
	l.most = (seconds + 1) * time.Second
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", b.metrics, seconds), nil)
			if err != nil {
				return err
			}
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return err
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				return err
			}
			name := strings.ReplaceAll(b.engine+" "+row, " ", "-") + ".pprof"
			return os.WriteFile(filepath.Join(b.options.profile, name), body, 0o600)
		}()
	}()
	return func() error { return <-done }
}

// measureStarts starts the server again on the database that it leaves.
func (b *engineBench) measureStarts(ctx context.Context, r *report) error {
	for range 5 {
		if err := b.server.stop(); err != nil {
			return err
		}
		addr := strings.TrimPrefix(b.server.url, "http://")
		var err error
		if b.server, err = startProcess(ctx, addr, b.serverEnv, b.binary, b.serverArgs...); err != nil {
			return err
		}
		r.started(b.engine, b.server.ready)
		time.Sleep(300 * time.Millisecond) // what it does at start is done
		r.idle(b.engine, memory(b.server.cmd.Process.Pid))
	}
	return nil
}
