package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden exchanges in testdata/wire, and docs/openapi.json")

// TestGolden replays the exchanges of testdata/wire on both engines, which must
// give the same text. A file is a comment and a sequence of sections:
//
//	request      method, path, headers if any, body; then
//	response     status, the headers that matter, body: rewritten by -update
//	session_jwt  header and payload of the last session JWT: rewritten by -update
//	setup [xN]   a request that must succeed, N times, and is not shown
//	issuer       down | up | body and a key set: how $ISSUER behaves from now on
//	userinfo     status and body that $USERINFO_URL answers with from now on
//	clock        a duration, by which the clock moves
//	server       nothing: the file gets a server of its own; so does one with clock
//
// A request without Authorization has $BASIC on /v1, $B2B_BASIC on /v1/b2b,
// $WORKSPACE on /pwa, $PUBLIC on /sdk and $B2B_PUBLIC on /sdk/v1/b2b; an empty one sends none. wire_fixture_test.go has
// the placeholders of requests, wire_label_test.go the labels that stand for IDs and tokens in responses.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/wire/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden exchanges: %v", err)
	}
	storetest.Each(t, func(t *testing.T, database string) {
		fresh, rewrite := storetest.SQLite, *updateGolden
		if store.IsPostgres(database) {
			fresh, rewrite = storetest.Postgres, false
		}
		shared := startGolden(t, database)
		for _, path := range files {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
				t.Parallel()
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				want := txtar.Parse(text)
				server := shared
				if ownServer(want) {
					server = startGolden(t, fresh(t))
				}
				got := txtar.Format(newGolden(t, server).replay(want))
				if rewrite && !bytes.Equal(got, text) {
					err = os.WriteFile(path, got, 0o600)
				} else if diff := cmp.Diff(strings.Split(string(text), "\n"), strings.Split(string(got), "\n")); diff != "" {
					t.Errorf("the exchange differs from its file (-file +now); make golden rewrites it:\n%s", diff)
				}
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

func ownServer(a *txtar.Archive) bool {
	for _, f := range a.Files {
		if f.Name == "server" || f.Name == "clock" {
			return true
		}
	}
	return false
}

// goldenStart is when the exchanges take place.
var goldenStart = time.Date(2026, time.January, 5, 10, 0, 0, 0, time.UTC)

// steppingClock goes a microsecond further at each look: what is made later is
// younger, and yet everything happens within one second.
type steppingClock struct{ micros atomic.Int64 }

func (c *steppingClock) Now() time.Time {
	return goldenStart.Add(time.Duration(c.micros.Add(1)) * time.Microsecond)
}

func (c *steppingClock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

type goldenServer struct {
	*servertest.Server
	clock *steppingClock
}

func startGolden(t *testing.T, database string) *goldenServer {
	t.Helper()
	s := &goldenServer{clock: &steppingClock{}}
	s.Server = servertest.Start(t, database, servertest.Options{Now: s.clock.Now})
	return s
}

// golden is one file being replayed.
type golden struct {
	t      *testing.T
	server *goldenServer
	labels *labels
	issuer *issuertest.Issuer // made when it is first named
	// userinfo is made when it is first named.
	userinfo *userinfo
	jwt      string   // the last session JWT that was answered
	number   int      // the last $NUMBER
	requests []string // the IDs that the responses had
}

func newGolden(t *testing.T, s *goldenServer) *golden {
	return &golden{t: t, server: s, labels: newLabels()}
}

// remember keeps the ID that an answer names its request by.
func (g *golden) remember(answer reply) {
	var body struct {
		RequestID string `json:"request_id"`
	}
	_ = json.Unmarshal(answer.body, &body) // what is no JSON has none
	g.requests = append(g.requests, body.RequestID)
}

// replay does what a file says and gives the file as it should be.
func (g *golden) replay(want *txtar.Archive) *txtar.Archive {
	got := &txtar.Archive{Comment: want.Comment}
	for _, f := range want.Files {
		name, argument, _ := strings.Cut(f.Name, " ")
		if name != "response" {
			got.Files = append(got.Files, f)
		}
		switch name {
		case "request":
			answer := g.exchange(string(f.Data))
			g.remember(answer)
			got.Files = append(got.Files, txtar.File{Name: "response", Data: []byte(g.show(answer))})
		case "response", "server":
		case "session_jwt":
			got.Files[len(got.Files)-1].Data = []byte(g.labels.apply(showJWT(g.t, g.jwt)))
		case "setup":
			times, err := strconv.Atoi(strings.TrimPrefix(argument, "x"))
			if err != nil {
				times = 1
			}
			for range times {
				answer := g.exchange(string(f.Data))
				if answer.status != http.StatusOK {
					g.t.Fatalf("setup: %s%d\n%s", f.Data, answer.status, answer.body)
				}
				g.show(answer) // which labels what it made
			}
		case "issuer":
			g.instruct(string(f.Data))
		case "userinfo":
			g.value("USERINFO_URL", nil)
			line, body, _ := strings.Cut(string(f.Data), "\n")
			status, err := strconv.Atoi(line)
			if err != nil {
				g.t.Fatal(err)
			}
			g.userinfo.answers(status, body)
		case "clock":
			d, err := time.ParseDuration(strings.TrimSpace(string(f.Data)))
			if err != nil {
				g.t.Fatal(err)
			}
			g.server.clock.Advance(d)
		default:
			g.t.Fatalf("unknown section %q", f.Name)
		}
	}
	return got
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// exchange makes the request of a section, and holds the answer to the rules
// that all answers obey.
func (g *golden) exchange(section string) reply {
	g.t.Helper()
	line, rest, _ := strings.Cut(section, "\n")
	method, path, ok := strings.Cut(line, " ")
	if !ok {
		g.t.Fatalf("no method and path in %q", line)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	switch {
	case strings.HasPrefix(strings.TrimLeft(path, "/"), "v1/sessions/jwks/"), strings.HasPrefix(path, "/v1/b2b/sessions/jwks/"):
	case strings.HasPrefix(path, "/v1/b2b/"):
		header.Set("Authorization", "$B2B_BASIC")
	case strings.HasPrefix(path, "/v1/"):
		header.Set("Authorization", "$BASIC")
	case strings.HasPrefix(path, "/pwa/"):
		header.Set("Authorization", "$WORKSPACE")
	case strings.HasPrefix(path, "/sdk/v1/b2b/"):
		header.Set("Authorization", "$B2B_PUBLIC")
	case strings.HasPrefix(path, "/sdk/v1/") && path != "/sdk/v1/events":
		header.Set("Authorization", "$PUBLIC")
	}
	for {
		line, below, _ := strings.Cut(rest, "\n")
		name, value, found := strings.Cut(line, ":")
		if !found || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") != "" {
			break
		}
		header.Set(name, strings.TrimSpace(value))
		rest = below
	}
	body := g.expand(strings.TrimSuffix(rest, "\n"), jsonText)
	r, err := http.NewRequestWithContext(g.t.Context(), method, g.server.URL+g.expand(path, verbatim), strings.NewReader(body))
	if err != nil {
		g.t.Fatalf("%s: %v", line, err)
	}
	for name := range header {
		if value := g.expand(header.Get(name), verbatim); value != "" {
			r.Header.Set(name, value)
		}
	}
	answer := g.do(r)
	for _, problem := range append(answer.problems(), answer.shapeProblems(method, r.URL.EscapedPath())...) {
		g.t.Errorf("%s %s: %s\n%s", method, r.URL.Path, problem, answer.body)
	}
	return answer
}

func (g *golden) do(r *http.Request) reply {
	g.t.Helper()
	response, err := g.server.RoundTrip(r)
	if err != nil {
		g.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatalf("read the answer: %v", err)
	}
	return reply{response.StatusCode, response.Header, body}
}

var (
	jwtText     = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)
	cookieToken = regexp.MustCompile(`stytch_session=([\w-]+)`)
)

// show is an answer as its section shows it.
func (g *golden) show(a reply) string {
	g.t.Helper()
	var b strings.Builder
	b.WriteString(strconv.Itoa(a.status) + "\n")
	for _, name := range []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin",
		"Allow", "Cache-Control", "Retry-After", "Set-Cookie", "Vary", "WWW-Authenticate",
	} {
		switch value := strings.Join(a.header.Values(name), "\n"+name+": "); {
		case value == "", name == "Cache-Control" && value == "no-store":
		case name == "Retry-After":
			b.WriteString(name + ": $SECONDS\n")
		case name == "Set-Cookie":
			if token := cookieToken.FindStringSubmatch(value); token != nil {
				g.labels.label("SESSION_TOKEN", token[1])
			}
			b.WriteString(g.labels.apply(jwtText.ReplaceAllString(name+": "+value+"\n", "$$JWT")))
		default:
			b.WriteString(name + ": " + value + "\n")
		}
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(a.body), "", "  "); err != nil {
		g.t.Fatalf("the answer is not JSON: %v\n%s", err, a.body)
	}
	var body map[string]any
	if err := json.Unmarshal(a.body, &body); err != nil {
		g.t.Fatal(err)
	}
	if jwt := text(unwrapped(body)["session_jwt"]); jwt != "" {
		g.jwt = jwt
	}
	return b.String() + g.labels.apply(indented.String()) + "\n"
}
