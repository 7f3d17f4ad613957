package server_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// verdict is the verdict on the token that a request brought.
func (p *place) verdict(t *testing.T, a servertest.Answer) servertest.Answer {
	t.Helper()
	return servertest.Must(t, p.Administer(http.MethodGet, "/verdicts/"+a.String("request_id"), nil))
}

// verdicts are the request IDs of the verdicts that a query finds, page by page,
// and how many were not kept.
func (p *place) verdicts(t *testing.T, query url.Values) (ids []string, notKept int) {
	t.Helper()
	for {
		page := servertest.Must(t, p.Administer(http.MethodGet, "/verdicts?"+query.Encode(), nil))
		for _, v := range list(page, "verdicts") {
			ids = append(ids, text(at(v, "request_id")))
		}
		if page.At("next_cursor") == nil {
			return ids, number(t, page, "not_kept")
		}
		query.Set("cursor", page.String("next_cursor"))
	}
}

// sweep is a visit of the server's janitor.
func (p *place) sweep(t *testing.T) {
	t.Helper()
	if err := p.Running.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestVerdictFilters asks for the same verdicts in every way.
func TestVerdictFilters(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		other := *p
		other.profile = p.profileOf(object{"name": "other"})
		begin := clock.Now()
		var ids []string // oldest first
		note := func(a servertest.Answer) servertest.Answer {
			ids = append(ids, a.String("request_id"))
			clock.Advance(time.Minute)
			return a
		}
		ada := note(p.session(t, "ada@example.com", nil)).String("user_id")                       // 0
		note(p.attest(p.token("ada@example.com", object{"aud": "x"}), nil))                       // 1
		note(other.attest(p.token("ada@example.com", object{"aud": "x"}), nil))                   // 2
		note(other.attest(p.token("ada@example.com", object{"roles": "root"}), nil))              // 3
		bob := note(other.session(t, "bob@example.com", object{"session_duration_minutes": nil})) // 4
		note(p.attest(p.token("bob@example.com", object{"email": nil}), nil))                     // 5
		note(p.attest(p.token("ada@example.com", nil), object{"session_token": "of nobody"}))     // no verdict: the token is not what is wrong
		note(arrangeBeside(t, p).attest(p.token("ada@example.com", object{"aud": "x"}), nil))     // another environment's
		moment := func(minutes int) string { return begin.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
		for _, row := range []struct {
			query string
			want  []int // newest first
		}{
			{"", []int{5, 4, 3, 2, 1, 0}},
			{"limit=1", []int{5, 4, 3, 2, 1, 0}},
			{"limit=2&reason=audience_mismatch", []int{2, 1}},
			{"reason=accepted", []int{4, 0}},
			{"reason=expired", nil},
			{"profile_id=" + p.profile, []int{5, 1, 0}},
			{"profile_id=" + other.profile + "&reason=audience_mismatch", []int{2}},
			{"user_id=" + ada, []int{3, 0}},
			{"user_id=" + ada + "&reason=accepted", []int{0}},
			{"user_id=" + ada + "&profile_id=" + other.profile, []int{3}},
			{"user_id=" + bob.String("user_id"), []int{4}},
			{"since=" + moment(1) + "&until=" + moment(3), []int{2, 1}},
			{"since=" + moment(3), []int{5, 4, 3}},
			{"until=" + moment(1) + "&limit=1", []int{0}},
			{"since=" + moment(3) + "&until=" + moment(3), nil},
		} {
			query, err := url.ParseQuery(row.query)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, i := range row.want {
				want = append(want, ids[i])
			}
			got, _ := p.verdicts(t, query)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", row.query, diff)
			}
		}
		for _, id := range ids[6:] {
			refusedAs(t, "no verdict of this environment", p.Administer(http.MethodGet, "/verdicts/"+id, nil), http.StatusNotFound, "verdict_not_found")
		}
		for query, errorType := range map[string]string{
			"limit=1001": "bad_request", "limit=-1": "bad_request", "limit=0": "bad_request", "limit=x": "bad_request", "cursor=x": "bad_request",
			"since=x": "bad_request", "until=1969-12-31T23:59:59Z": "bad_request", "reason=x": "bad_request", "profile_id=x": "bad_request", "user_id=x": "invalid_user_id",
		} {
			refusedAs(t, query, p.Administer(http.MethodGet, "/verdicts?"+query, nil), http.StatusBadRequest, errorType)
		}
	})
}

// TestVerdictNamesThePerson holds that a verdict says whom a token speaks of
// whenever that is known, also if it was refused.
func TestVerdictNamesThePerson(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		p.profile = p.profileOf(object{"name": "with roles"})
		ada := p.session(t, "ada@example.com", nil)
		bob := p.session(t, "bob@example.com", object{})
		servertest.Must(t, p.API(http.MethodPut, "/v1/users/"+bob.String("user_id"), object{"external_id": "bob"}))
		strangers := *p
		strangers.profile = p.profileOf(object{"name": "no strangers", "can_jit_provision": false})
		for what, row := range map[string]struct {
			at     *place
			claims object
			more   object
			reason string
			user   any
		}{
			"accepted":                        {at: p, user: ada.String("user_id")},
			"a session of somebody else":      {at: p, more: object{"session_token": bob.String("session_token")}, reason: "session_mismatch", user: ada.String("user_id")},
			"a role that there is not":        {at: p, claims: object{"roles": "root"}, reason: "role_not_allowed", user: ada.String("user_id")},
			"a role, without provisioning":    {at: &strangers, claims: object{"roles": "root"}, reason: "role_not_allowed", user: ada.String("user_id")},
			"an external ID of somebody else": {at: p, claims: object{"sub": "bob"}, reason: "subject_conflict", user: ada.String("user_id")},
			"nobody":                          {at: &strangers, claims: object{"email": "eve@example.com"}, reason: "subject_unknown"},
			"refused before anybody looked":   {at: p, claims: object{"aud": "x"}, reason: "audience_mismatch"},
		} {
			v := p.verdict(t, row.at.attest(p.token("ada@example.com", row.claims), row.more))
			if got := v.String("verdict", "reason"); got != row.reason || v.At("verdict", "user_id") != row.user {
				t.Errorf("%s: %s of user %v, want %s of %v", what, got, v.At("verdict", "user_id"), row.reason, row.user)
			}
		}
	})
}

// TestVerdictsAreBounded refuses more tokens in a minute than are kept.
func TestVerdictsAreBounded(t *testing.T) {
	t.Parallel()
	const kept = 5
	storetest.Each(t, func(t *testing.T, database string) {
		clock := servertest.NewClock()
		clock.Advance(clock.Now().Truncate(time.Minute).Add(time.Minute).Sub(clock.Now()))
		p := arrange(t, servertest.Start(t, database, servertest.Options{Now: clock.Now, VerdictsPerMinute: kept}), clock)
		other := *p
		other.profile = p.profileOf(object{"name": "other"})
		of := func(q *place, more url.Values) (int, int) {
			query := url.Values{"profile_id": {q.profile}}
			for name, values := range more {
				query[name] = values
			}
			ids, notKept := p.verdicts(t, query)
			return len(ids), notKept
		}
		expect := func(what string, q *place, more url.Values, wantKept, wantNot int) {
			t.Helper()
			if got, not := of(q, more); got != wantKept || not != wantNot {
				t.Errorf("%s: %d verdicts and %d not kept, want %d and %d", what, got, not, wantKept, wantNot)
			}
		}
		refuse := func(q *place, n int) (last servertest.Answer) {
			for range n {
				last = q.attest(p.token("ada@example.com", object{"aud": "x"}), nil)
				refusedAs(t, "refused", last, http.StatusBadRequest, "jwt_invalid_audience")
			}
			return last
		}
		first := clock.Now()
		refuse(p, kept)
		expect("as many as are kept", p, nil, kept, 0)
		lost := refuse(p, 7)
		expect("more", p, nil, kept, 7)
		refusedAs(t, "one that was not kept", p.Administer(http.MethodGet, "/verdicts/"+lost.String("request_id"), nil), http.StatusNotFound, "verdict_not_found")
		for range 3 { // what was accepted is always kept
			p.verdict(t, p.session(t, "ada@example.com", nil))
		}
		expect("with accepted ones", p, nil, kept+3, 7)
		refuse(&other, 2)
		expect("another profile", &other, nil, 2, 0)
		clock.Advance(59*time.Second + 999*time.Millisecond)
		refuse(p, 1)
		expect("at the end of the minute", p, nil, kept+3, 8)
		clock.Advance(time.Millisecond)
		refuse(p, kept+1)
		expect("in the next minute", p, nil, 2*kept+3, 9)
		expect("the next minute alone", p, url.Values{"since": {clock.Now().Format(time.RFC3339)}}, kept, 1)
		expect("the minute before alone", p, url.Values{"since": {first.Format(time.RFC3339)}, "until": {clock.Now().Format(time.RFC3339)}}, kept+3, 8)
		if ids, notKept := p.verdicts(t, url.Values{}); len(ids) != 2*kept+5 || notKept != 9 {
			t.Errorf("of all profiles: %d and %d not kept", len(ids), notKept)
		}
	})
}

// TestOldVerdictsGo keeps verdicts for thirty days, and not longer.
func TestOldVerdictsGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		clock := servertest.NewClock()
		p := arrange(t, servertest.Start(t, database, servertest.Options{Now: clock.Now, VerdictsPerMinute: 1}), clock)
		refuse := func() servertest.Answer { return p.attest(p.token("ada@example.com", object{"aud": "x"}), nil) }
		old := refuse()
		refuse() // only counted
		accepted := p.session(t, "ada@example.com", nil)
		p.verdict(t, old)
		clock.Advance(time.Hour)
		young := refuse()
		clock.Advance(30*24*time.Hour - time.Hour)
		p.sweep(t)
		for _, a := range []servertest.Answer{old, accepted, young} {
			p.verdict(t, a)
		}
		clock.Advance(time.Hour - time.Minute)
		p.sweep(t) // less than an hour after the last: nothing is looked at
		p.verdict(t, old)
		clock.Advance(time.Minute)
		p.sweep(t)
		for _, a := range []servertest.Answer{old, accepted} {
			refusedAs(t, "after 30 days and an hour", p.Administer(http.MethodGet, "/verdicts/"+a.String("request_id"), nil), http.StatusNotFound, "verdict_not_found")
		}
		p.verdict(t, young)
		if ids, notKept := p.verdicts(t, url.Values{}); len(ids) != 1 || notKept != 0 {
			t.Errorf("%d verdicts, %d not kept, want 1 and 0", len(ids), notKept)
		}
	})
}

// TestRefusalsWaitForNoWriter locks the verdicts. Tokens are refused all the
// same, and their verdicts are written when the lock is gone.
func TestRefusalsWaitForNoWriter(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, database string) {
		p.session(t, "ada@example.com", nil)
		lock, err := storetest.Raw(t, database).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = lock.Rollback() }()
		lockVerdicts(t, lock, database)
		var answers []servertest.Answer
		for i := range 50 {
			a := p.attest(p.token("ada@example.com", object{"aud": fmt.Sprint(i)}), nil)
			refusedAs(t, "while verdicts are locked", a, http.StatusBadRequest, "jwt_invalid_audience")
			answers = append(answers, a)
		}
		if err := lock.Rollback(); err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			p.verdict(t, a)
		}
	})
}

// lockVerdicts keeps everybody else from writing verdicts until tx ends.
func lockVerdicts(t *testing.T, tx *sql.Tx, database string) {
	t.Helper()
	statement := `DELETE FROM verdict_gaps` // on SQLite, one writer keeps out all others
	if store.IsPostgres(database) {
		statement = `LOCK TABLE verdicts IN EXCLUSIVE MODE`
	}
	if _, err := tx.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestHints holds what an operator is advised to do about a refusal.
func TestHints(t *testing.T) {
	t.Parallel()
	clock := servertest.NewClock()
	p := arrange(t, serve(t, storetest.SQLite(t), clock), clock)
	servertest.Must(t, p.patch(object{"audience": "https://api.example.com/"}))
	good := p.token("ada@example.com", object{"aud": "https://api.example.com/"})
	now := clock.Now().Unix()
	claims := func(more object) string { return p.token("ada@example.com", more) }
	for _, row := range []struct{ what, token, hint string }{
		{"a header value", "Bearer " + good, "neither \"Bearer \" before it"},
		{"quotes", `"` + good + `"`, "nor quotes around it"},
		{"an opaque token", "ya29.a0AfH6SMBx", "the JWT itself"},
		{"stray bits", "eyJ.e30.AA", "the JWT itself"},
		{"no alg", p.issuer.MintRaw("ES256", `{}`, `{"aud":"x"}`), "have it fixed there"}, // it is a JWT
		{"a member twice", p.issuer.MintRaw("ES256", `{"alg":"ES256"}`, `{"aud":"x","aud":"x"}`), "have it fixed there"},
		{"a shared secret", p.issuer.MintRaw("ES256", `{"alg":"HS256"}`, `{}`), "key pair"},
		{"no slash at the end", claims(object{"aud": "https://api.example.com"}), "by a slash at the end"},
		{"http", claims(object{"aud": []string{"x", "http://api.example.com/"}}), "by http and https"},
		{"upper case", claims(object{"aud": "https://API.example.com/"}), "upper and lower case"},
		{"no audience", claims(object{"aud": nil}), "names no audience"},
		{"seconds taken for milliseconds", claims(object{"aud": "https://api.example.com/", "iat": now, "exp": now / 1000}), "before it was issued"},
		{"an old token", claims(object{"aud": "https://api.example.com/", "iat": now - 7200, "exp": now - 3600}), "came 2 h after it was issued"},
		{"a clock ahead", claims(object{"aud": "https://api.example.com/", "iat": now + 600}), "10 min ahead"},
		{"no address", claims(object{"aud": "https://api.example.com/", "email": nil, "upn": "ada"}), "upn"},
	} {
		for what, steps := range map[string][]any{
			"verdict":     list(p.verdict(t, p.attest(row.token, nil)), "steps"),
			"explanation": list(servertest.Must(t, p.onProfile("/explain", object{"token": row.token})), "explanation", "steps"),
		} {
			failed := slices.IndexFunc(steps, func(s any) bool { return at(s, "status") == "failed" })
			if failed < 0 {
				t.Fatalf("%s: %s of no refusal", row.what, what)
			}
			hint := text(at(steps[failed], "hint"))
			if !strings.Contains(hint, row.hint) || row.hint == "" && hint != "" {
				t.Errorf("%s, %s: %q, want %q in it", row.what, what, hint, row.hint)
			}
		}
	}
}
