package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// two gives a test a place on one of two servers that share a database, and the
// same place on the other. SQLite has one process: there the two are one.
func two(t *testing.T, test func(t *testing.T, here, there *place, clock *servertest.Clock, again func() *servertest.Server)) {
	t.Helper()
	keyset, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, database string, both bool) {
		clock := servertest.NewClock()
		options := servertest.Options{Now: clock.Now, Keyset: countersign.Bearer(keyset)}
		server := servertest.Start(t, database, options)
		here := arrange(t, server, clock)
		there := here
		if both {
			copied, environment := *here, *here.Environment
			environment.Server = servertest.Start(t, database, options)
			copied.Environment = &environment
			there = &copied
		}
		// again starts a server that sweeps first of all.
		again := func() *servertest.Server {
			if !both {
				server.Stop()
			}
			return servertest.Start(t, database, options)
		}
		test(t, here, there, clock, again)
	}
	t.Run("sqlite", func(t *testing.T) { run(t, storetest.SQLite(t), false) })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.Postgres(t), true) })
}

// kill revokes, and says how many sessions that ended.
func (p *place) kill(t *testing.T, body map[string]any) int {
	t.Helper()
	a := servertest.Must(t, p.Administer(http.MethodPost, "/revocations", body))
	return number(t, a, "sessions")
}

// number is a whole number that an answer shows.
func number(t *testing.T, a servertest.Answer, members ...string) int {
	t.Helper()
	n, err := strconv.Atoi(fmt.Sprint(a.At(members...)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// alive says which of these sessions the other server still accepts.
func alive(p *place, sessions ...servertest.Answer) (n int) {
	for _, s := range sessions {
		if p.authenticate(map[string]any{"session_token": s.String("session_token")}).Status == http.StatusOK {
			n++
		}
	}
	return n
}

// TestKillSwitches ends sessions in every way, here, and looks there.
func TestKillSwitches(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, here, there *place, clock *servertest.Clock, _ func() *servertest.Server) {
		kid := here.profileKeyID(t)
		for name, criteria := range map[string]func(s servertest.Answer) map[string]any{
			"session": func(s servertest.Answer) map[string]any {
				return map[string]any{"session_id": s.String("session", "session_id")}
			},
			"user":    func(s servertest.Answer) map[string]any { return map[string]any{"user_id": s.String("user_id")} },
			"profile": func(servertest.Answer) map[string]any { return map[string]any{"profile_id": here.profile} },
			"key":     func(servertest.Answer) map[string]any { return map[string]any{"key_id": kid} },
			"key of the profile": func(servertest.Answer) map[string]any {
				return map[string]any{"key_id": kid, "profile_id": here.profile}
			},
			"moment": func(servertest.Answer) map[string]any {
				return map[string]any{"attested_before": clock.Now().UTC().Format(time.RFC3339Nano)}
			},
		} {
			victim, other := here.session(t, "ada@example.com", nil), here.another(t, clock, nil)
			bystander := other.session(t, "bob@example.com", nil)
			clock.Advance(time.Second)
			body := criteria(victim)
			want := 1
			if name == "moment" {
				want = 2
			}
			body["dry_run"] = true
			if got := here.kill(t, body); got != want || alive(there, victim, bystander) != 2 {
				t.Errorf("%s, dry run: %d sessions, %d alive", name, got, alive(there, victim, bystander))
			}
			delete(body, "dry_run")
			if got := here.kill(t, body); got != want {
				t.Errorf("%s: %d sessions, want %d", name, got, want)
			}
			if alive(there, victim) != 0 || alive(there, bystander) != 2-want {
				t.Errorf("%s: the victim lives on: %d, the other lives on: %d", name, alive(there, victim), alive(there, bystander))
			}
			token := map[string]any{"session_token": victim.String("session_token")}
			refusedAs(t, name+": by JWT", there.authenticate(map[string]any{"session_jwt": victim.String("session_jwt")}), http.StatusNotFound, "session_not_found")
			refusedAs(t, name+": attach", there.attest(there.token("ada@example.com", nil), token), http.StatusNotFound, "session_not_found")
			refusedAs(t, name+": revoke", there.revoke(token), http.StatusNotFound, "session_not_found")
			refusedAs(t, name+": revoke by ID", there.revoke(map[string]any{"session_id": victim.String("session", "session_id")}), http.StatusNotFound, "session_not_found")
			listed := servertest.Must(t, there.API(http.MethodGet, "/v1/sessions?user_id="+victim.String("user_id"), nil))
			if n := len(list(listed, "sessions")); n != 0 {
				t.Errorf("%s: %d sessions are listed", name, n)
			}
			clock.Advance(time.Second)
			again := there.session(t, "ada@example.com", nil)
			if alive(here, again) != 1 {
				t.Errorf("%s: a session that was attested afterwards is dead", name)
			}
			here.kill(t, map[string]any{"session_id": again.String("session", "session_id")})
			if want == 1 {
				here.kill(t, map[string]any{"session_id": bystander.String("session", "session_id")})
			}
		}
		events := servertest.Must(t, here.Administer(http.MethodGet, "/events?limit=1000", nil))
		seen := 0
		for _, e := range list(events, "events") {
			if event, _ := e.(map[string]any); event["action"] == "sessions.revoked" {
				seen++
			}
		}
		if seen != 4 {
			t.Errorf("%d events of revocations, want 4", seen)
		}
	})
}

// profileKeyID is what sessions remember the profile's PEM file by.
func (p *place) profileKeyID(t *testing.T) string {
	t.Helper()
	a := servertest.Must(t, p.Administer(http.MethodGet, "/trusted_token_profiles/"+p.profile, nil))
	file, _ := list(a, "profile", "pem_files")[0].(map[string]any)
	id, _ := file["pem_file_id"].(string)
	return id
}

// TestRevocationsAreSwept finds the rows gone after the janitor came, and the
// revocation forgotten a day later.
func TestRevocationsAreSwept(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, here, _ *place, clock *servertest.Clock, again func() *servertest.Server) {
		victim := here.session(t, "ada@example.com", map[string]any{"session_duration_minutes": 100000})
		clock.Advance(time.Second)
		here.kill(t, map[string]any{"profile_id": here.profile})
		clock.Advance(time.Second)
		survivor := here.session(t, "ada@example.com", map[string]any{"session_duration_minutes": 100000})
		standing := func() []any {
			return list(servertest.Must(t, here.Administer(http.MethodGet, "/revocations", nil)), "revocations")
		}
		until := func(what string, done func() bool) {
			t.Helper()
			for !done() {
				select {
				case <-t.Context().Done():
					t.Fatalf("%s: never", what)
				default:
				}
			}
		}
		here.Server = again()
		until("swept", func() bool {
			list := standing()
			r, _ := list[0].(map[string]any)
			return len(list) == 1 && r["swept_at"] != nil
		})
		if alive(here, victim) != 0 || alive(here, survivor) != 1 {
			t.Errorf("after the sweep: %d and %d alive", alive(here, victim), alive(here, survivor))
		}
		clock.Advance(25 * time.Hour)
		here.Stop()
		here.Server = again()
		until("forgotten", func() bool { return len(standing()) == 0 })
		if alive(here, victim) != 0 || alive(here, survivor) != 1 {
			t.Errorf("after it was forgotten: %d and %d alive", alive(here, victim), alive(here, survivor))
		}
	})
}

// TestOneTimeTokens has many use one token at once, on two servers; exactly one
// may, and one that did not get in used nothing up.
func TestOneTimeTokens(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, here, there *place, clock *servertest.Clock, _ func() *servertest.Server) {
		here.setPolicy(t, map[string]any{"one_time_tokens": true})
		for range rounds(20) {
			token := here.token("ada@example.com", nil)
			answers := make([]servertest.Answer, 16)
			race(len(answers), func(i int) { answers[i] = []*place{here, there}[i%2].attest(token, nil) })
			in := 0
			for _, a := range answers {
				if a.Status == http.StatusOK {
					in++
					continue
				}
				refusedAs(t, "the same token again", a, http.StatusBadRequest, "invalid_trusted_auth_token")
			}
			if in != 1 {
				t.Fatalf("%d of %d got in with a one-time token", in, len(answers))
			}
		}
		servertest.Must(t, here.Administer(http.MethodPatch, "/trusted_token_profiles/"+here.profile, map[string]any{"can_jit_provision": false}))
		token := here.token("eve@example.com", nil)
		refusedAs(t, "nobody", here.attest(token, nil), http.StatusNotFound, "user_not_found")
		servertest.Must(t, here.Administer(http.MethodPatch, "/trusted_token_profiles/"+here.profile, map[string]any{"can_jit_provision": true}))
		servertest.Must(t, there.attest(token, nil))

		reused := map[string]any{"jti": "the same", "exp": clock.Now().Add(time.Minute).Unix()}
		servertest.Must(t, here.attest(here.token("ada@example.com", reused), nil))
		other := here.another(t, clock, map[string]any{"one_time_tokens": true})
		servertest.Must(t, other.attest(other.token("ada@example.com", reused), nil)) // of another profile
		clock.Advance(2 * time.Minute)
		reused["exp"] = clock.Now().Add(time.Minute).Unix()
		servertest.Must(t, here.attest(here.token("ada@example.com", reused), nil)) // the first can no longer be replayed
	})
}

// TestShadow judges, records, and changes nothing.
func TestShadow(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.setPolicy(t, map[string]any{"mode": "shadow", "one_time_tokens": true, "conditions": []string{`claims.email != "eve@example.com"`}})
		token := p.token("ada@example.com", nil)
		for range 2 { // nor is the token used up
			a := p.attest(token, nil)
			refusedAs(t, "shadow", a, http.StatusBadRequest, "invalid_trusted_auth_token")
			v := servertest.Must(t, p.Administer(http.MethodGet, "/verdicts/"+a.String("request_id"), nil))
			if v.String("verdict", "outcome") != "accepted" || v.At("verdict", "shadow") != true {
				t.Errorf("the verdict: %s", v.Text)
			}
		}
		if got := p.outcome(t, "eve@example.com", nil); got != "condition_failed" {
			t.Errorf("a token that the profile would refuse: %s", got)
		}
		if n := number(t, servertest.Must(t, p.Administer(http.MethodGet, "/metrics", nil)), "metrics", "user_count"); n != 0 {
			t.Errorf("%d users were provisioned", n)
		}
	})
}
