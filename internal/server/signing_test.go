package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/server"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/storetest"
	"github.com/countersign-auth/countersign/internal/trust"
)

// kidOf is the key that a JWT names.
func kidOf(t *testing.T, jwt string) string {
	t.Helper()
	head, _, _ := strings.Cut(jwt, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		t.Fatal(err)
	}
	var header struct {
		KeyID string `json:"kid"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	return header.KeyID
}

// published are the kids of the key set, after checking a JWT against it as a
// client would.
func (p *place) published(t *testing.T, jwt string) []string {
	t.Helper()
	answer := servertest.Must(t, p.Call(http.MethodGet, "/v1/sessions/jwks/"+p.ProjectID, "", "", nil))
	keys, skipped, err := trust.ParseKeySet([]byte(answer.Text))
	if err != nil || len(skipped) > 0 {
		t.Fatalf("the published key set: %v, skipped %v", err, skipped)
	}
	var ids []string
	verified := false
	cut := strings.LastIndexByte(jwt, '.')
	signature, err := base64.RawURLEncoding.DecodeString(jwt[cut+1:])
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		ids = append(ids, k.ID)
		if k.ID == kidOf(t, jwt) {
			verified = trust.VerifySignature(k.Algorithm, k.Public, []byte(jwt[:cut]), signature)
		}
	}
	if !verified {
		t.Errorf("the published key set %v does not verify a JWT of %s", ids, kidOf(t, jwt))
	}
	return ids
}

func TestRotation(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		const days = 24 * time.Hour
		token := p.session(t, "ada@example.com", map[string]any{"session_duration_minutes": 527040}).String("session_token")
		mint := func() string {
			t.Helper()
			clock.Advance(time.Minute) // or the last one is given again
			return servertest.Must(t, p.authenticate(map[string]any{"session_token": token})).String("session_jwt")
		}
		old := mint()
		first := kidOf(t, old)
		if diff := cmp.Diff([]string{first}, p.published(t, old)); diff != "" {
			t.Fatalf("at the beginning (-want +published):\n%s", diff)
		}
		made := clock.Now()
		rotated := servertest.Must(t, p.Administer(http.MethodPost, "/signing_keys/rotate", nil))
		next := rotated.String("signing_key", "signing_key_id")
		both := []string{first, next}
		if again := servertest.Must(t, p.Administer(http.MethodPost, "/signing_keys/rotate", nil)); again.String("signing_key", "signing_key_id") != next {
			t.Errorf("a second rotation made another next key: %s", again.Text)
		}

		// Published at once, signing only an hour later, to the second.
		if diff := cmp.Diff(both, p.published(t, old)); diff != "" {
			t.Errorf("after the rotation (-want +published):\n%s", diff)
		}
		clock.Advance(made.Add(59 * time.Minute).Add(-time.Minute).Sub(clock.Now()))
		last := mint()
		if kidOf(t, last) != first {
			t.Error("the next key signed before its hour")
		}
		young := mint()
		if clock.Now().Sub(made) != time.Hour || kidOf(t, young) != next {
			t.Errorf("%v after the rotation %s signs, want %s", clock.Now().Sub(made), kidOf(t, young), next)
		}

		// Old JWTs are exchanged for as long as their key is published, which is
		// far longer than an hour.
		for _, after := range []time.Duration{time.Hour, 2 * time.Hour, 29 * days} {
			clock.Advance(after - clock.Now().Sub(made.Add(time.Hour)))
			if diff := cmp.Diff(both, p.published(t, last)); diff != "" {
				t.Errorf("%v after the last JWT (-want +published):\n%s", after, diff)
			}
			for _, jwt := range []string{old, last} {
				a := servertest.Must(t, p.authenticate(map[string]any{"session_jwt": jwt}))
				if kidOf(t, a.String("session_jwt")) != next {
					t.Errorf("%v after the last JWT: %s signs", after, kidOf(t, a.String("session_jwt")))
				}
			}
		}
		clock.Advance(2 * days)
		if diff := cmp.Diff([]string{next}, p.published(t, mint())); diff != "" {
			t.Errorf("31 days after (-want +published):\n%s", diff)
		}
		refusedAs(t, "a JWT of a key that is gone", p.authenticate(map[string]any{"session_jwt": last}), http.StatusBadRequest, "unable_to_parse_session_jwt")

		// Another algorithm is a rotation, too.
		servertest.Must(t, p.Administer(http.MethodPatch, "", map[string]any{"session_jwt_algorithm": "EdDSA"}))
		if got := kidOf(t, mint()); got != next {
			t.Errorf("another algorithm signs at once: %s", got)
		}
		clock.Advance(time.Hour)
		edwards := mint()
		if diff := cmp.Diff([]string{next, kidOf(t, edwards)}, p.published(t, edwards)); diff != "" {
			t.Errorf("after another algorithm (-want +published):\n%s", diff)
		}
	})
}

func TestTwoNodesAgreeOnOneNextKey(t *testing.T) {
	t.Parallel()
	keyset, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	clock := servertest.NewClock()
	database := storetest.Postgres(t)
	options := servertest.Options{Now: clock.Now, Keyset: countersign.Bearer(keyset)}
	a := arrange(t, servertest.Start(t, database, options), clock)
	b := *a
	environment := *a.Environment
	environment.Server = servertest.Start(t, database, options)
	b.Environment = &environment
	nodes := []*place{a, &b}

	session := a.session(t, "ada@example.com", map[string]any{"session_duration_minutes": 527040})
	token := session.String("session_token")
	signed := map[string]bool{}
	for round := range 4 {
		answers := make([]servertest.Answer, 6)
		race(len(answers), func(i int) { answers[i] = nodes[i%2].Administer(http.MethodPost, "/signing_keys/rotate", nil) })
		for i, answer := range answers {
			servertest.Must(t, answer)
			if answer.String("signing_key", "signing_key_id") != answers[0].String("signing_key", "signing_key_id") {
				t.Errorf("round %d: node %d has %s, node 0 has %s", round, i%2, answer.String("signing_key", "signing_key_id"), answers[0].String("signing_key", "signing_key_id"))
			}
		}
		clock.Advance(time.Hour)
		// What one node signs the other takes, from the first second of a key.
		for i, node := range nodes {
			other := nodes[1-i]
			jwt := servertest.Must(t, node.authenticate(map[string]any{"session_token": token})).String("session_jwt")
			servertest.Must(t, other.authenticate(map[string]any{"session_jwt": jwt}))
			if got := kidOf(t, jwt); got != answers[0].String("signing_key", "signing_key_id") {
				t.Errorf("round %d: node %d signs with %s", round, i, got)
			}
			signed[kidOf(t, jwt)] = true
			if diff := cmp.Diff(node.published(t, jwt), other.published(t, jwt)); diff != "" {
				t.Errorf("round %d: the nodes publish different keys:\n%s", round, diff)
			}
		}
	}
	if len(signed) != 4 {
		t.Errorf("%d keys have signed, want 4", len(signed))
	}
	// A session revoked on one is refused on the other at once.
	servertest.Must(t, b.revoke(map[string]any{"session_token": token}))
	refusedAs(t, "revoked on the other node", a.authenticate(map[string]any{"session_token": token}), http.StatusNotFound, "session_not_found")
}

func TestKeysetMustBeTheRightOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		path := filepath.Join(t.TempDir(), "keyset.json")
		config := func() server.Config {
			return server.Config{Database: database, KeysetFile: path, Logger: slog.New(slog.DiscardHandler)}
		}
		start := func(c server.Config) error {
			s, err := server.New(t.Context(), c)
			if err == nil {
				err = s.Close()
			}
			return err
		}
		for range 2 { // it is made once and then used
			if err := start(config()); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("the keyset file: %v, %v", info, err)
		}
		right, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := signing.NewKeyset()
		if err != nil {
			t.Fatal(err)
		}

		c := config()
		c.Keyset = countersign.Bearer(wrong)
		if err := start(c); err == nil || !strings.Contains(err.Error(), "encrypted under another keyset") {
			t.Errorf("another keyset: %v", err)
		}
		c.Keyset = "{}"
		if err := start(c); err == nil || !strings.Contains(err.Error(), "keyset") {
			t.Errorf("no keyset at all: %v", err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := start(config()); err == nil || !strings.Contains(err.Error(), "is missing") {
			t.Errorf("a missing keyset: %v", err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("a start that was refused made a new keyset")
		}
		c.Keyset = countersign.Bearer(right)
		if err := start(c); err != nil {
			t.Errorf("the right keyset from the environment: %v", err)
		}
	})
}

// TestNothingSecretInTheFile reads every byte that SQLite keeps.
func TestNothingSecretInTheFile(t *testing.T) {
	t.Parallel()
	text, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := signing.ParseKeyset(text)
	if err != nil {
		t.Fatal(err)
	}
	database := storetest.SQLite(t)
	running := servertest.Start(t, database, servertest.Options{Keyset: countersign.Bearer(text)})
	planted := map[string][]byte{"the workspace secret": []byte(running.WorkspaceKeySecret)}
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		p := arrange(t, running, nil)
		servertest.Must(t, p.Administer(http.MethodPatch, "", map[string]any{"session_jwt_algorithm": algorithm}))
		subject := p.token("ada@example.com", nil)
		s := servertest.Must(t, p.attest(subject, nil))
		mac, err := base64.RawURLEncoding.DecodeString(s.String("session_token"))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(planted, map[string][]byte{
			algorithm + " secret": []byte(p.Secret), algorithm + " session token": []byte(s.String("session_token")),
			algorithm + " session JWT": []byte(s.String("session_jwt")), algorithm + " subject token": []byte(subject),
			algorithm + " subject token's signature": []byte(subject[strings.LastIndexByte(subject, '.')+1:]),
			algorithm + " MAC":                       mac[len(mac)-16:],
		})
	}

	// The private keys, opened as only the keyset can.
	raw := storetest.Raw(t, database)
	rows, err := raw.QueryContext(t.Context(), `SELECT environment_id, key_id, private_key FROM signing_keys`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	keys := 0
	for rows.Next() {
		var (
			env    countersign.EnvironmentID
			id     countersign.SigningKeyID
			sealed []byte
		)
		if err := rows.Scan(&env, &id, &sealed); err != nil {
			t.Fatal(err)
		}
		der, err := keyset.Open(sealed, env.String(), id.String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keyset.Open(sealed, env.String(), countersign.NewID[countersign.SigningKeyID](countersign.Test).String()); err == nil {
			t.Error("a private key opens under the name of another")
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		keys++
		planted[fmt.Sprint("private key ", keys)] = der
		planted[fmt.Sprint("beginning of private key ", keys)] = der[:16]
		switch k := private.(type) {
		case *rsa.PrivateKey:
			planted[fmt.Sprint("prime ", keys)] = k.Primes[0].Bytes()
		case *ecdsa.PrivateKey:
			planted[fmt.Sprint("scalar ", keys)], _ = k.Bytes()
		case ed25519.PrivateKey:
			planted[fmt.Sprint("seed ", keys)] = k.Seed()
		}
	}
	if err := rows.Err(); err != nil || keys != 5 {
		t.Fatalf("%d private keys, %v", keys, err)
	}
	running.Stop()

	size := 0
	for _, suffix := range []string{"", "-wal", "-shm"} {
		file, err := os.ReadFile(database + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		size += len(file)
		for what, secret := range planted {
			if len(secret) < 16 || bytes.Contains(file, secret) {
				t.Errorf("%s stands in %s in the clear", what, filepath.Base(database+suffix))
			}
		}
	}
	log := running.Log()
	for what, secret := range planted {
		if strings.Contains(log, string(secret)) {
			t.Errorf("%s stands in the log", what)
		}
	}
	if size < 1<<16 || len(log) == 0 {
		t.Errorf("%d bytes of database and %d of log are too few to have looked at anything", size, len(log))
	}
}

func TestTamperedSessionToken(t *testing.T) {
	t.Parallel()
	p := arrange(t, serve(t, storetest.SQLite(t), nil), nil)
	s, other := p.session(t, "ada@example.com", nil), p.session(t, "ada@example.com", nil)
	token := s.String("session_token")
	try := func(what, forged string) {
		t.Helper()
		by := map[string]any{"session_token": forged}
		refusedAs(t, what, p.authenticate(by), http.StatusNotFound, "session_not_found")
		refusedAs(t, what+", revoke", p.revoke(by), http.StatusNotFound, "session_not_found")
		refusedAs(t, what+", attach", p.attest(p.token("ada@example.com", nil), by), http.StatusNotFound, "session_not_found")
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token {
		forged := []byte(token)
		at := strings.IndexByte(alphabet, forged[i])
		forged[i] = alphabet[at^1] // one bit
		try(fmt.Sprintf("character %d", i), string(forged))
	}
	try("the MAC of another session", token[:22]+other.String("session_token")[22:])
	for what, forged := range map[string]string{
		"cut": token[:len(token)-1], "longer": token + "A", "padded": token + "=", "a space": " " + token, "a line": token + "\n", "the session's ID": s.String("session", "session_id"),
	} {
		try(what, forged)
	}
	// Another environment of the same server does not know it.
	foreign := arrange(t, p.Server, nil)
	for _, by := range []map[string]any{{"session_token": token}, {"session_id": s.String("session", "session_id")}} {
		refusedAs(t, "from a foreign environment", foreign.revoke(by), http.StatusNotFound, "session_not_found")
	}
	refusedAs(t, "a JWT from a foreign environment", foreign.authenticate(map[string]any{"session_jwt": s.String("session_jwt")}), http.StatusBadRequest, "unable_to_parse_session_jwt")
	if a := p.authenticate(map[string]any{"session_token": token}); a.Status != http.StatusOK {
		t.Errorf("the true token: %d %s", a.Status, a.Text)
	}
}

// TestTamperedSessionJWT flips every character of a JWT.
func TestTamperedSessionJWT(t *testing.T) {
	t.Parallel()
	p := arrange(t, serve(t, storetest.SQLite(t), nil), nil)
	jwt := p.session(t, "ada@example.com", nil).String("session_jwt")
	for i := range jwt {
		forged := []byte(jwt)
		if forged[i] == 'A' {
			forged[i] = 'B'
		} else {
			forged[i] = 'A'
		}
		refusedAs(t, fmt.Sprintf("character %d", i), p.authenticate(map[string]any{"session_jwt": string(forged)}), http.StatusBadRequest, "unable_to_parse_session_jwt")
	}
}
