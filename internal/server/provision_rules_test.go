package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// counted is how many rows a query counts.
func counted(t *testing.T, database, query string, args ...any) (n int) {
	t.Helper()
	if err := storetest.Raw(t, database).QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEmailDomains says whom an issuer may speak for.
func TestEmailDomains(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.session(t, "ada@example.org", nil) // who exists is of no use to an issuer that may not speak for her
		p.setPolicy(t, object{"email_domains": []string{"Example.com", "xn--bcher-kva.example"}})
		for _, email := range []string{"a@example.com", "a@EXAMPLE.COM", "a@BÜCHER.example", "a@bu\u0308cher.example", "a@ｅxample.com"} {
			p.session(t, email, nil)
		}
		for _, email := range []string{
			"ada@example.org", "a@sub.example.com", "a@example.com.evil.example", "a@evilexample.com", "a@bucher.example", "a@ex\u0430mple.com", "example.com@evil.example",
		} {
			if got := p.outcome(t, email, object{"sub": nil}); got != "email_domain_not_allowed" {
				t.Errorf("%s: %s", email, got)
			}
		}
		p.setPolicy(t, object{"subject_claim": "sub"})
		if got := p.outcome(t, "bob@example.org", object{"sub": "1"}); got != "email_domain_not_allowed" {
			t.Errorf("with a subject: %s", got)
		}
	})
}

// TestTwoIssuersOneAddress has a second issuer, whose subjects are unknown,
// claim the address of somebody whom the first one brought.
func TestTwoIssuersOneAddress(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		ada := p.session(t, "ada@example.com", nil).String("user_id")
		for what, row := range map[string]struct {
			policy object
			claims object
			want   string
		}{
			"believed":                        {object{"email_trust": "issuer"}, nil, ada},
			"verified":                        {object{"email_trust": "verified_claim"}, object{"email_verified": true}, ada},
			"said to be verified":             {object{"email_trust": "verified_claim"}, object{"email_verified": "true"}, "email_not_verified"},
			"verified, with a subject":        {object{"email_trust": "verified_claim", "subject_claim": "oid"}, object{"email_verified": true, "oid": "1"}, ada},
			"never, verified or not":          {object{"email_trust": "never_link", "subject_claim": "oid"}, object{"email_verified": true, "oid": "1"}, "subject_conflict"},
			"never, and without provisioning": {object{"email_trust": "never_link", "subject_claim": "oid", "jit_domains": []string{"example.org"}}, object{"oid": "1"}, "subject_conflict"},
		} {
			if got := p.another(t, clock, row.policy).outcome(t, "ada@example.com", row.claims); got != row.want {
				t.Errorf("%s: %s, want %s", what, got, row.want)
			}
		}
		// never_link finds those again whom it brought, and gives nobody's address away.
		apart := p.another(t, clock, object{"email_trust": "never_link", "subject_claim": "oid", "on_sign_in": object{"email": "always"}})
		eve := apart.outcome(t, "eve@example.com", object{"oid": "2"})
		if again := apart.outcome(t, "eve@new.example", object{"oid": "2"}); again != eve {
			t.Errorf("the same subject is %s and %s", eve, again)
		}
		if got := apart.outcome(t, "ada@example.com", object{"oid": "2"}); got != "subject_conflict" {
			t.Errorf("somebody else's address, to be added: %s", got)
		}
		if got := apart.outcome(t, "eve@example.com", object{"oid": "3"}); got != "subject_conflict" {
			t.Errorf("her address under another subject: %s", got)
		}
	})
}

// TestLinksAreOneAPerson counts the links that sign-ins leave, and that
// deletions do not.
func TestLinksAreOneAPerson(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		p.setPolicy(t, object{"subject_claim": "sub"})
		n := rounds(40)
		for round := range n {
			tokens := make([]string, 8)
			for i := range tokens {
				tokens[i] = p.token(fmt.Sprintf("ada%d@example.com", round), object{"sub": fmt.Sprint("s", round)})
			}
			race(len(tokens), func(i int) { servertest.Must(t, p.attest(tokens[i], nil)) })
		}
		const links = `SELECT count(*) FROM person_links`
		if people, got := counted(t, database, `SELECT count(*) FROM users`), counted(t, database, links); people != n || got != n {
			t.Errorf("%d people and %d links, want %d", people, got, n)
		}
		// Of two subjects that race for one address, one has it.
		for round := range rounds(40) {
			answers := make([]servertest.Answer, 8)
			tokens := make([]string, len(answers))
			for i := range tokens {
				tokens[i] = p.token(fmt.Sprintf("eve%d@example.com", round), object{"sub": fmt.Sprint("e", round, ".", i%2)})
			}
			race(len(tokens), func(i int) { answers[i] = p.attest(tokens[i], nil) })
			winners := map[int]string{}
			for i, a := range answers {
				if a.Status == http.StatusOK {
					winners[i%2] = a.String("user_id")
					continue
				}
				if reason := p.verdict(t, a).String("verdict", "reason"); reason != "subject_conflict" {
					t.Errorf("round %d: %s", round, reason)
				}
			}
			if len(winners) != 1 {
				t.Errorf("round %d: %d subjects have the address: %v", round, len(winners), winners)
			}
		}
		other := p.another(t, clock, object{"subject_claim": "sub"})
		id := other.outcome(t, "ada0@example.com", object{"sub": "elsewhere"})
		before := counted(t, database, links)
		servertest.Must(t, p.API(http.MethodDelete, "/v1/users/"+id, nil))
		if after := counted(t, database, links); after != before-2 {
			t.Errorf("%d links before and %d after the deletion of somebody whom two issuers brought", before, after)
		}
	})
}

// TestRacingStrangersAreCounted has more people sign in for the first time than
// may be provisioned in an hour, at once.
func TestRacingStrangersAreCounted(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, here, there *place, clock *servertest.Clock, _ func() *servertest.Server) {
		clock.Advance(clock.Now().Truncate(time.Hour).Add(time.Hour).Sub(clock.Now())) // the first moment of an hour
		const most = 3
		here.setPolicy(t, object{"jit_per_hour": most})
		other := here.another(t, clock, object{"jit_per_hour": 1})
		fill := func(hour int) {
			t.Helper()
			answers := make([]servertest.Answer, 12)
			tokens := make([]string, len(answers))
			for i := range tokens {
				tokens[i] = here.token(fmt.Sprintf("p%d.%d@example.com", hour, i), nil)
			}
			race(len(answers), func(i int) {
				answers[i] = []*place{here, there}[i%2].attest(tokens[i], object{"session_duration_minutes": nil})
			})
			in := 0
			for _, a := range answers {
				if a.Status == http.StatusOK {
					in++
					continue
				}
				refusedAs(t, "too many", a, http.StatusNotFound, "user_not_found")
			}
			if in != most {
				t.Errorf("hour %d: %d people were provisioned, want %d", hour, in, most)
			}
		}
		fill(1)
		other.session(t, "other@example.com", nil) // another profile counts for itself
		clock.Advance(time.Hour - time.Second)
		if got := here.outcome(t, "late@example.com", nil); got != "jit_limit_reached" {
			t.Errorf("at the end of the hour: %s", got)
		}
		clock.Advance(time.Second)
		fill(2)
		refused := here.attest(here.token("p9@example.com", object{"jti": ""}), nil) // refused for another reason, and not counted
		refusedAs(t, "no token ID", refused, http.StatusBadRequest, "jwt_invalid_claims")
	})
}
