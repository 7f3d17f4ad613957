package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// rounds is n, or a few in a short run.
func rounds(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

func TestSixteenFirstSignInsAreOnePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		raw := storetest.Raw(t, database)
		n := rounds(200)
		for round := range n {
			email := fmt.Sprintf("ada%d@example.com", round)
			tokens := make([]string, 16)
			for i := range tokens {
				tokens[i] = p.token(email, map[string]any{"sub": fmt.Sprint("ext-", round)})
			}
			answers := make([]servertest.Answer, len(tokens))
			race(len(tokens), func(i int) { answers[i] = p.attest(tokens[i], nil) })
			for i, a := range answers {
				if a.Status != http.StatusOK || a.String("user_id") == "" || a.String("user_id") != answers[0].String("user_id") ||
					a.String("session", "user_id") != answers[0].String("user_id") || a.String("user", "external_id") != fmt.Sprint("ext-", round) {
					t.Fatalf("round %d, request %d: %d %s", round, i, a.Status, a.Text)
				}
			}
			if got := len(list(servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id="+answers[0].String("user_id"), nil)), "sessions")); got != 16 {
				t.Errorf("round %d: %d sessions, want 16", round, got)
			}
		}
		var users, identifiers int
		if err := raw.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM user_identifiers)`).Scan(&users, &identifiers); err != nil {
			t.Fatal(err)
		}
		if users != n || identifiers != n {
			t.Errorf("%d users with %d identifiers, want %d", users, identifiers, n)
		}
	})
}

func TestTwoPeopleClaimOneExternalID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		for round := range rounds(60) {
			claims := map[string]any{"sub": fmt.Sprint("ext-", round)}
			emails := []string{fmt.Sprintf("ada%d@example.com", round), fmt.Sprintf("bob%d@example.com", round)}
			if round%2 == 1 { // existing people without an external ID, every other round
				for _, email := range emails {
					p.session(t, email, nil)
				}
			}
			tokens := make([]string, 8)
			for i := range tokens {
				tokens[i] = p.token(emails[i%2], claims)
			}
			answers := make([]servertest.Answer, len(tokens))
			race(len(tokens), func(i int) { answers[i] = p.attest(tokens[i], nil) })
			winners := map[int]string{}
			for i, a := range answers {
				if a.Status == http.StatusOK {
					if known := winners[i%2]; known != "" && known != a.String("user_id") {
						t.Errorf("round %d: one person is %s and %s", round, known, a.String("user_id"))
					}
					winners[i%2] = a.String("user_id")
				} else {
					refusedAs(t, fmt.Sprintf("round %d, request %d", round, i), a, http.StatusBadRequest, "duplicate_user_external_id")
				}
			}
			if len(winners) != 1 {
				t.Errorf("round %d: %d people have the external ID", round, len(winners))
			}
			for _, id := range winners {
				holder := servertest.Must(t, p.API(http.MethodGet, fmt.Sprint("/v1/users/ext-", round), nil))
				if holder.String("user_id") != id {
					t.Errorf("round %d: the external ID is %s's, the answers say %s", round, holder.String("user_id"), id)
				}
			}
		}
	})
}

func factorIDs(a servertest.Answer) map[string]bool {
	ids := map[string]bool{}
	for _, f := range list(a, "session", "authentication_factors") {
		factor, _ := f.(map[string]any)
		token, _ := factor["trusted_auth_token_factor"].(map[string]any)
		id, _ := token["token_id"].(string)
		ids[id] = true
	}
	return ids
}

func TestRacingAttaches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		const most = 32
		begin := servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"jti": "t-0"}), nil))
		token := begin.String("session_token")
		attach := func(n, from int) {
			t.Helper()
			tokens := make([]string, n)
			for i := range tokens {
				tokens[i] = p.token("ada@example.com", map[string]any{"jti": fmt.Sprint("t-", from+i)})
			}
			race(n, func(i int) {
				a := p.attest(tokens[i], map[string]any{"session_token": token})
				id := fmt.Sprint("t-", from+i)
				if a.Status != http.StatusOK || !factorIDs(a)[id] || a.String("session_token") != token {
					t.Errorf("attach %s: %d %s", id, a.Status, a.Text)
				}
			})
		}
		attach(most-1, 1)
		full := factorIDs(servertest.Must(t, p.authenticate(map[string]any{"session_token": token})))
		for i := range most {
			if !full[fmt.Sprint("t-", i)] {
				t.Errorf("factor t-%d was lost: %v", i, full)
			}
		}
		attach(most+1, most)
		after := servertest.Must(t, p.authenticate(map[string]any{"session_token": token}))
		if got := len(list(after, "session", "authentication_factors")); got != most || len(factorIDs(after)) != most {
			t.Errorf("%d factors, %d different ones, want %d", got, len(factorIDs(after)), most)
		}
		for i := range most { // every one of them is older than any of the later 33
			if factorIDs(after)[fmt.Sprint("t-", i)] {
				t.Errorf("t-%d is still there, although 33 came after it", i)
			}
		}
	})
}

// TestRevokedStaysRevoked races everything that writes a session against its end.
func TestRevokedStaysRevoked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		attached := 0
		for round := range rounds(60) {
			s := p.session(t, "ada@example.com", nil)
			token, jwt := s.String("session_token"), s.String("session_jwt")
			tokens := []string{p.token("ada@example.com", nil), p.token("ada@example.com", nil)}
			answers := make([]servertest.Answer, 5)
			race(len(answers), func(i int) {
				switch i {
				case 0, 1:
					answers[i] = p.attest(tokens[i], map[string]any{"session_jwt": jwt})
				case 2:
					answers[i] = p.authenticate(map[string]any{"session_token": token, "session_duration_minutes": 600})
				case 3:
					answers[i] = p.authenticate(map[string]any{"session_jwt": jwt, "session_custom_claims": map[string]any{"a": 1}})
				case 4:
					answers[i] = p.revoke(map[string]any{"session_token": token})
				}
			})
			servertest.Must(t, answers[4])
			for i, a := range answers[:4] {
				if a.Status != http.StatusOK {
					refusedAs(t, fmt.Sprintf("round %d, request %d", round, i), a, http.StatusNotFound, "session_not_found")
				} else {
					attached++
				}
			}
			refusedAs(t, "by token", p.authenticate(map[string]any{"session_token": token}), http.StatusNotFound, "session_not_found")
			refusedAs(t, "by JWT", p.authenticate(map[string]any{"session_jwt": jwt}), http.StatusNotFound, "session_not_found")
			refusedAs(t, "revoked twice", p.revoke(map[string]any{"session_id": s.String("session", "session_id")}), http.StatusNotFound, "session_not_found")
			if left := list(servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id="+s.String("user_id"), nil)), "sessions"); len(left) != 0 {
				t.Fatalf("round %d: the session came back: %v", round, left)
			}
		}
		t.Logf("%d of the racing writes came first", attached)
	})
}
