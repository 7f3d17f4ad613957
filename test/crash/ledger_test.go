package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
)

// workspace is what the test set up once, on a database that outlives servers.
type workspace struct {
	issuer  *issuertest.Issuer
	project string
	secret  string
	pem     string // a profile with the issuer's key
	keySet  string // a profile with the issuer's key set
}

func setUp(t *testing.T, p *process) *workspace {
	t.Helper()
	w := &workspace{issuer: issuertest.New(t, issuertest.Algorithms(countersign.ES256))}
	manage := p.api(workspaceID, workspaceSecret)
	project := "/pwa/v3/projects/" + manage.must(t, "/pwa/v3/projects", map[string]any{"name": "Crash", "vertical": "CONSUMER"}).get("project", "project_slug")
	environment := manage.must(t, project+"/environments", map[string]any{"name": "Test", "type": "TEST", "session_jwt_algorithm": "ES256"})
	w.project = environment.get("environment", "project_id")
	path := project + "/environments/" + environment.get("environment", "environment_slug")
	w.secret = manage.must(t, path+"/secrets", nil).get("secret", "secret")
	profile := func(keys map[string]any) string {
		t.Helper()
		body := map[string]any{
			"name": "issuer", "issuer": w.issuer.URL(), "audience": "countersign", "can_jit_provision": true,
			"attribute_mapping": map[string]any{"email": "email", "token_id": "jti"},
		}
		maps.Copy(body, keys)
		return manage.must(t, path+"/trusted_token_profiles", body).get("profile", "profile_id")
	}
	w.pem = profile(map[string]any{"public_key_type": "PEM", "pem_files": []string{w.issuer.PEM(countersign.ES256, issuertest.PublicKey)}})
	w.keySet = profile(map[string]any{"public_key_type": "JWK", "jwks_url": w.issuer.JWKSURL()})
	return w
}

func (w *workspace) attestBody(profile, email, tokenID string, more map[string]any) map[string]any {
	body := map[string]any{
		"profile_id": profile, "session_duration_minutes": 600,
		"token": w.issuer.Mint(map[string]any{"aud": "countersign", "email": email, "jti": tokenID}),
	}
	maps.Copy(body, more)
	return body
}

// held is a session as one client knows it from answers.
type held struct {
	email      string
	token, jwt string
	factors    []string // acknowledged
	revoked    bool     // acknowledged
	unsure     bool     // a revocation was sent and not answered
}

// people sign in from many clients, so that first sign-ins race, too.
const people = 150

// worker is one client with the sessions that are its own.
type worker struct {
	name     string
	sessions []*held
	made     int
}

// work does one thing after another until the server is gone or ctx ends. It
// believes answers, and only answers.
func (k *worker) work(ctx context.Context, t *testing.T, c *api, w *workspace, acknowledged *atomic.Int64) {
	for ctx.Err() == nil {
		var alive []*held
		for _, s := range k.sessions {
			if !s.revoked && !s.unsure && len(s.factors) < 20 {
				alive = append(alive, s)
			}
		}
		k.made++
		tokenID := fmt.Sprintf("%s-%d", k.name, k.made)
		dice := rand.IntN(100)
		if len(alive) == 0 || dice < 35 {
			email := fmt.Sprintf("person%d@example.com", rand.IntN(people))
			a, err := c.post(ctx, "/v1/sessions/attest", w.attestBody(w.pem, email, tokenID, nil))
			if err != nil {
				return
			}
			if a.status != http.StatusOK {
				t.Errorf("attest: %d %s", a.status, a.text)
				return
			}
			k.sessions = append(k.sessions, &held{email: email, token: a.get("session_token"), jwt: a.get("session_jwt"), factors: []string{tokenID}})
			acknowledged.Add(1)
			continue
		}
		s := alive[rand.IntN(len(alive))]
		var a answer
		var err error
		switch {
		case dice < 60:
			a, err = c.post(ctx, "/v1/sessions/attest", w.attestBody(w.pem, s.email, tokenID, map[string]any{"session_token": s.token}))
			if err == nil && a.status == http.StatusOK {
				s.factors = append(s.factors, tokenID)
			}
		case dice < 80:
			a, err = c.post(ctx, "/v1/sessions/authenticate", map[string]any{"session_token": s.token})
		default:
			s.unsure = true
			a, err = c.post(ctx, "/v1/sessions/revoke", map[string]any{"session_jwt": s.jwt})
			if err == nil && a.status == http.StatusOK {
				s.unsure, s.revoked = false, true
			}
		}
		if err != nil {
			return
		}
		if a.status != http.StatusOK {
			t.Errorf("an acknowledged session was refused: %d %s", a.status, a.text)
			return
		}
		acknowledged.Add(1)
	}
}

// audit asks for every session, each time in another way, and settles what was
// unsure.
func (k *worker) audit(t *testing.T, c *api, round int) {
	for i, s := range k.sessions {
		by := map[string]any{"session_token": s.token}
		if (i+round)%2 == 1 {
			by = map[string]any{"session_jwt": s.jwt}
		}
		a, err := c.post(t.Context(), "/v1/sessions/authenticate", by)
		switch {
		case err != nil:
			t.Errorf("round %d: %v", round, err)
			return
		case s.unsure:
			s.unsure, s.revoked = false, a.status != http.StatusOK
			if a.status != http.StatusOK && a.get("error_type") != "session_not_found" {
				t.Errorf("round %d: an unsure session: %d %s", round, a.status, a.text)
			}
		case s.revoked && a.get("error_type") != "session_not_found":
			t.Errorf("round %d: an acknowledged revocation was lost: %d %s", round, a.status, a.text)
		case !s.revoked && a.status != http.StatusOK:
			t.Errorf("round %d: an acknowledged session was lost: %d %s", round, a.status, a.text)
		case !s.revoked && a.get("session_token") != s.token:
			t.Errorf("round %d: a session came back under another token", round)
		case !s.revoked:
			have := a.factors()
			for _, id := range s.factors {
				if _, found := slices.BinarySearch(have, id); !found {
					t.Errorf("round %d: the acknowledged factor %s was lost; there are %v", round, id, have)
				}
			}
		}
	}
}

// all runs one thing for every worker at once.
func all(workers []*worker, do func(*worker)) {
	var wg sync.WaitGroup
	for _, k := range workers {
		wg.Go(func() { do(k) })
	}
	wg.Wait()
}

// counts are sessions that should be there, and revoked ones.
func counts(workers []*worker) (alive, revoked int) {
	for _, k := range workers {
		for _, s := range k.sessions {
			if s.revoked {
				revoked++
			} else {
				alive++
			}
		}
	}
	return alive, revoked
}
