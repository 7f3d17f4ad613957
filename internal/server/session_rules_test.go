package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// still gives a test a place on a server whose clock stands still, on each
// engine.
func still(t *testing.T, test func(t *testing.T, p *place, clock *servertest.Clock, database string)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, database string) {
		clock := servertest.NewClock()
		test(t, arrange(t, serve(t, database, clock), clock), clock, database)
	})
}

// payload is what a JWT says.
func payload(t *testing.T, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", jwt)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var claims map[string]any
	if err := decoder.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// rebuilt is the session as a client that verifies locally builds it from a JWT
// (sessions-consumer.md §5).
func rebuilt(t *testing.T, jwt string) map[string]any {
	t.Helper()
	claims := payload(t, jwt)
	session, _ := claims["https://stytch.com/session"].(map[string]any)
	session["session_id"], session["user_id"] = session["id"], claims["sub"]
	delete(session, "id")
	var custom any
	for name, value := range claims {
		switch name {
		case "iss", "sub", "aud", "exp", "nbf", "iat", "https://stytch.com/session":
			continue
		}
		if custom == nil {
			custom = map[string]any{}
		}
		custom.(map[string]any)[name] = value
	}
	session["custom_claims"] = custom
	return session
}

// agrees checks that an answer's JWT says what the answer says, and that it was
// minted in the last minute.
func agrees(t *testing.T, what string, a servertest.Answer, clock *servertest.Clock) {
	t.Helper()
	servertest.Must(t, a)
	jwt := a.String("session_jwt")
	if diff := cmp.Diff(a.At("session"), any(rebuilt(t, jwt))); diff != "" {
		t.Errorf("%s: the answer and its JWT disagree (-answer +JWT):\n%s", what, diff)
	}
	claims := payload(t, jwt)
	var at [3]int64
	for i, name := range []string{"iat", "nbf", "exp"} {
		n, _ := claims[name].(json.Number)
		at[i], _ = n.Int64()
	}
	if age := clock.Now().Unix() - at[0]; age < 0 || age >= 60 || at[1] != at[0] || at[2] != at[0]+300 {
		t.Errorf("%s: iat, nbf, exp = %v at %d", what, at, clock.Now().Unix())
	}
}

func TestLastAccessAndTheJWTGivenAgain(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		begin := clock.Now()
		s := p.session(t, "ada@example.com", map[string]any{"session_custom_claims": map[string]any{"plan": "pro"}})
		agrees(t, "attest", s, clock)
		token := s.String("session_token")
		jwt := s.String("session_jwt")
		check := func(after time.Duration, moved, same bool) {
			t.Helper()
			clock.Advance(begin.Add(after).Sub(clock.Now()))
			a := p.authenticate(map[string]any{"session_token": token})
			agrees(t, after.String(), a, clock)
			last := shown(t, a, "session", "last_accessed_at")
			if moved != last.Equal(clock.Now()) {
				t.Errorf("after %v: last_accessed_at = %v, moved = %t, want %t", after, last, !moved, moved)
			}
			if again := a.String("session_jwt") == jwt; again != same {
				t.Errorf("after %v: the same JWT again = %t, want %t", after, again, same)
			}
			if a.String("session_token") != token {
				t.Errorf("after %v: another session token", after)
			}
			jwt = a.String("session_jwt")
		}
		check(0, true, true)
		check(59*time.Second, false, true)
		check(60*time.Second, true, false)
		check(119*time.Second, false, true)
		check(120*time.Second, true, false)
		check(30*time.Minute, true, false)

		// A change shows at once, however young the JWT.
		a := p.authenticate(map[string]any{"session_token": token, "session_custom_claims": map[string]any{"plan": "max"}})
		agrees(t, "claims", a, clock)
		b := p.authenticate(map[string]any{"session_jwt": jwt, "session_duration_minutes": 10})
		agrees(t, "duration", b, clock)
		if a.String("session_jwt") == jwt || b.String("session_jwt") == a.String("session_jwt") {
			t.Error("the JWT of before the change was given again")
		}
		c := p.authenticate(map[string]any{"session_jwt": jwt})
		agrees(t, "the old JWT", c, clock)
		if c.String("session_jwt") != b.String("session_jwt") || c.String("session_token") != token {
			t.Error("authenticate by an older JWT gives another JWT or token")
		}
	})
}

func TestExpiredJWTIsExchanged(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		s := p.session(t, "ada@example.com", nil)
		jwt := s.String("session_jwt")
		clock.Advance(59 * time.Minute)
		a := p.authenticate(map[string]any{"session_jwt": jwt})
		agrees(t, "an expired JWT", a, clock)
		if a.String("session_token") != s.String("session_token") {
			t.Error("authenticate by JWT gives another session token")
		}
		clock.Advance(time.Minute) // the session ends now
		for _, by := range []map[string]any{{"session_jwt": jwt}, {"session_jwt": a.String("session_jwt")}, {"session_token": s.String("session_token")}} {
			refusedAs(t, fmt.Sprint(by), p.authenticate(by), http.StatusNotFound, "session_not_found")
		}
		refusedAs(t, "extend what has ended", p.authenticate(map[string]any{"session_jwt": jwt, "session_duration_minutes": 60}), http.StatusNotFound, "session_not_found")
		refusedAs(t, "attach to what has ended", p.attest(p.token("ada@example.com", nil), map[string]any{"session_jwt": jwt}), http.StatusNotFound, "session_not_found")
		refusedAs(t, "revoke what has ended", p.revoke(map[string]any{"session_jwt": jwt}), http.StatusNotFound, "session_not_found")
	})
}

func TestRevokeByExpiredJWT(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		s := p.session(t, "ada@example.com", nil)
		clock.Advance(30 * time.Minute)
		servertest.Must(t, p.revoke(map[string]any{"session_jwt": s.String("session_jwt")}))
		refusedAs(t, "after revoke", p.authenticate(map[string]any{"session_token": s.String("session_token")}), http.StatusNotFound, "session_not_found")
	})
}

func TestCustomClaims(t *testing.T) {
	t.Parallel()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for _, row := range []struct{ name, stored, patch, want, refusal string }{
		{name: "set", stored: `{}`, patch: `{"a":1}`, want: `{"a":1}`},
		{name: "keys not mentioned stay", stored: `{"a":1,"b":2}`, patch: `{"b":3}`, want: `{"a":1,"b":3}`},
		{name: "null deletes", stored: `{"a":1,"b":2}`, patch: `{"a":null}`, want: `{"b":2}`},
		{name: "null of what is not there", stored: `{"a":1}`, patch: `{"b":null}`, want: `{"a":1}`},
		{name: "the last one goes", stored: `{"a":1}`, patch: `{"a":null}`, want: `null`},
		{name: "objects merge", stored: `{"o":{"a":1,"b":{"c":2,"d":3}}}`, patch: `{"o":{"b":{"c":null,"e":4}}}`, want: `{"o":{"a":1,"b":{"d":3,"e":4}}}`},
		{name: "null inside a new object is nothing", stored: `{}`, patch: `{"o":{"a":null,"b":1}}`, want: `{"o":{"b":1}}`},
		{name: "an object replaces a value", stored: `{"o":1}`, patch: `{"o":{"a":1}}`, want: `{"o":{"a":1}}`},
		{name: "a value replaces an object", stored: `{"o":{"a":1}}`, patch: `{"o":[1,{"x":null}]}`, want: `{"o":[1,{"x":null}]}`},
		{name: "lists do not merge", stored: `{"l":[1,2]}`, patch: `{"l":[3]}`, want: `{"l":[3]}`},
		{name: "digits stay", stored: `{}`, patch: `{"n":12345678901234567890,"f":1.10}`, want: `{"n":12345678901234567890,"f":1.10}`},
		{name: "registered claims are passed over", stored: `{"a":1}`, patch: `{"iss":"x","sub":"x","aud":"x","exp":1,"nbf":1,"iat":1,"jti":"x","b":2}`, want: `{"a":1,"b":2}`},
		{name: "registered names are free further in", stored: `{}`, patch: `{"o":{"sub":"x"}}`, want: `{"o":{"sub":"x"}}`},
		{name: "our namespace", stored: `{"a":1}`, patch: `{"https://stytch.com/session":{}}`, refusal: "stytch_claims_in_custom_claims"},
		{name: "4096 bytes", stored: `{}`, patch: `{"a":"` + strings.Repeat("x", 4096-8) + `"}`, want: `{"a":"` + strings.Repeat("x", 4096-8) + `"}`},
		{name: "4097 bytes", stored: `{"b":1}`, patch: `{"a":"` + strings.Repeat("x", 4097-8) + `"}`, refusal: "custom_claims_too_large"},
		{name: "4096 bytes that HTML would escape", stored: `{"b":"<"}`, patch: `{"b":null,"a":"` + strings.Repeat("<", 4096-8) + `"}`, want: `{"a":"` + strings.Repeat("<", 4096-8) + `"}`},
		{name: "what is stored is not escaped either", stored: `{"a":"` + strings.Repeat("&", 4096-20) + `"}`, patch: `{"b":1}`, want: `{"a":"` + strings.Repeat("&", 4096-20) + `","b":1}`},
		{name: "4096 bytes with what is there", stored: `{"b":1}`, patch: `{"a":"` + strings.Repeat("x", 4096-8) + `"}`, refusal: "custom_claims_too_large"},
		{name: "not an object", stored: `{"a":1}`, patch: `[1]`, refusal: "bad_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			clock := servertest.NewClock()
			p := arrange(t, serve(t, storetest.SQLite(t), clock), clock)
			var want any
			decoder := json.NewDecoder(strings.NewReader(row.want))
			decoder.UseNumber()
			_ = decoder.Decode(&want)
			for _, door := range []string{"authenticate", "attach"} {
				s := p.session(t, "ada@example.com", map[string]any{"session_custom_claims": raw(row.stored)})
				body := map[string]any{"session_token": s.String("session_token"), "session_custom_claims": raw(row.patch)}
				var a servertest.Answer
				if door == "attach" {
					a = p.attest(p.token("ada@example.com", nil), body)
				} else {
					a = p.authenticate(body)
				}
				if row.refusal != "" {
					refusedAs(t, door, a, http.StatusBadRequest, row.refusal)
					again := p.authenticate(map[string]any{"session_token": s.String("session_token")})
					if diff := cmp.Diff(s.At("session"), again.At("session")); diff != "" {
						t.Errorf("%s: a refusal changed the session:\n%s", door, diff)
					}
					continue
				}
				agrees(t, door, a, clock)
				if diff := cmp.Diff(want, a.At("session", "custom_claims")); diff != "" {
					t.Errorf("%s (-want +got):\n%s", door, diff)
				}
			}
		})
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		token := p.session(t, "ada@example.com", nil).String("session_token")
		for _, row := range []struct {
			minutes any
			ok      bool
		}{{4, false}, {5, true}, {527040, true}, {527041, false}, {0, false}, {-1, false}} {
			attested := p.attest(p.token("ada@example.com", nil), map[string]any{"session_duration_minutes": row.minutes})
			extended := p.authenticate(map[string]any{"session_token": token, "session_duration_minutes": row.minutes})
			attached := p.attest(p.token("ada@example.com", nil), map[string]any{"session_token": token, "session_duration_minutes": row.minutes})
			for what, a := range map[string]servertest.Answer{"attest": attested, "authenticate": extended, "attach": attached} {
				what = fmt.Sprintf("%s for %v minutes", what, row.minutes)
				if !row.ok {
					refusedAs(t, what, a, http.StatusBadRequest, "invalid_session_duration_minutes")
					continue
				}
				agrees(t, what, a, clock)
				minutes, _ := row.minutes.(int)
				if until := shown(t, a, "session", "expires_at"); !until.Equal(clock.Now().Add(time.Duration(minutes) * time.Minute)) {
					t.Errorf("%s: expires_at = %v at %v", what, until, clock.Now())
				}
			}
		}
		// Without one: no session from attest, no change from authenticate and attach.
		none := servertest.Must(t, p.attest(p.token("ada@example.com", nil), map[string]any{"session_duration_minutes": nil}))
		if none.At("session") != nil || none.String("session_token") != "" || none.String("session_jwt") != "" {
			t.Errorf("attest without a duration: %s", none.Text)
		}
		servertest.Must(t, p.authenticate(map[string]any{"session_token": token, "session_duration_minutes": 60}))
		until := clock.Now().Add(time.Hour)
		clock.Advance(10 * time.Minute)
		for what, a := range map[string]servertest.Answer{
			"authenticate": p.authenticate(map[string]any{"session_token": token}),
			"attach":       p.attest(p.token("ada@example.com", nil), map[string]any{"session_token": token, "session_duration_minutes": nil}),
		} {
			agrees(t, what, a, clock)
			if got := shown(t, a, "session", "expires_at"); !got.Equal(until) {
				t.Errorf("%s without a duration moved expires_at from %v to %v", what, until, got)
			}
		}
	})
}

func TestFactors(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		first := *p
		second := *p
		second.profile = p.Profile(p.issuer.URL(), map[string]any{
			"name": "second", "public_key_type": "PEM", "pem_files": []string{p.issuer.PEM("ES256", "PUBLIC KEY")},
		})
		token := ""
		add := func(from *place, id string) servertest.Answer {
			t.Helper()
			clock.Advance(time.Second)
			more := map[string]any{"session_token": token, "session_duration_minutes": 600}
			a := servertest.Must(t, from.attest(from.token("ada@example.com", map[string]any{"jti": id}), more))
			agrees(t, id, a, clock)
			token = a.String("session_token")
			return a
		}
		ids := func(a servertest.Answer) (ids []string) {
			for _, f := range list(a, "session", "authentication_factors") {
				ids = append(ids, f.(map[string]any)["trusted_auth_token_factor"].(map[string]any)["token_id"].(string))
			}
			return ids
		}
		begin := clock.Now().Add(time.Second)
		add(&first, "a")
		add(&second, "a") // another profile: another factor
		repeated := add(&first, "a")
		if diff := cmp.Diff([]string{"a", "a"}, ids(repeated)); diff != "" {
			t.Fatalf("the same factor again (-want +got):\n%s", diff)
		}
		factor, _ := list(repeated, "session", "authentication_factors")[0].(map[string]any)
		at := func(v any) string { return v.(time.Time).UTC().Format(time.RFC3339) }
		if factor["created_at"] != at(begin) || factor["updated_at"] != at(clock.Now()) || factor["last_authenticated_at"] != at(clock.Now()) {
			t.Errorf("the same factor again at %v: %v", clock.Now(), factor)
		}

		want := []string{"a", "a"}
		for i := range 30 {
			from, id := &first, fmt.Sprint("first-", i)
			if i%10 == 9 {
				from, id = &second, fmt.Sprint("second-", i)
			}
			add(from, id)
			want = append(want, id)
		}
		if diff := cmp.Diff(want, ids(add(&first, "first-0"))); diff != "" {
			t.Errorf("at 32 factors, one of them again (-want +got):\n%s", diff)
		}
		// The oldest of the same profile gives way: of the second, its "a".
		want = append(append([]string{"a"}, want[2:]...), "second-new")
		if diff := cmp.Diff(want, ids(add(&second, "second-new"))); diff != "" {
			t.Errorf("the 33rd, of the second profile (-want +got):\n%s", diff)
		}
		third := *p // none of this profile there: the oldest of all gives way
		third.profile = p.Profile(p.issuer.URL(), map[string]any{
			"name": "third", "public_key_type": "PEM", "pem_files": []string{p.issuer.PEM("ES256", "PUBLIC KEY")},
		})
		want = append(want[1:], "third")
		if diff := cmp.Diff(want, ids(add(&third, "third"))); diff != "" {
			t.Errorf("the 33rd, of a third profile (-want +got):\n%s", diff)
		}
	})
}
