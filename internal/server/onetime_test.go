package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// explained is the reason for which a token would be refused now, or "accepted".
func (p *place) explained(t *testing.T, token string) string {
	t.Helper()
	a := servertest.Must(t, p.onProfile("/explain", object{"token": token}))
	if a.String("explanation", "outcome") == "accepted" {
		return "accepted"
	}
	return a.String("explanation", "reason")
}

// TestUsedTokensAreForgotten keeps a used token in mind for as long as it could
// be used again, and its row until the janitor comes.
func TestUsedTokensAreForgotten(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		p.setPolicy(t, object{"one_time_tokens": true, "clock_skew_seconds": 60})
		rows := func() int { return counted(t, database, `SELECT count(*) FROM used_tokens`) }
		token := p.token("ada@example.com", nil) // for five minutes
		if got := p.explained(t, token); got != "accepted" {
			t.Errorf("before it is used: %s", got)
		}
		servertest.Must(t, p.attest(token, nil))
		for _, step := range []struct {
			after time.Duration // the last step
			want  string
			rows  int // after the janitor
		}{
			{0, "already_used", 1},
			{5*time.Minute + 59*time.Second, "already_used", 1}, // expired, within the skew
			{time.Second, "expired", 1},
			{10*time.Minute - time.Second, "expired", 1}, // the janitor disturbs nobody
			{2 * time.Second, "expired", 0},
		} {
			clock.Advance(step.after)
			a := p.attest(token, nil)
			refusedAs(t, step.after.String(), a, http.StatusBadRequest, "invalid_trusted_auth_token")
			if got := p.verdict(t, a).String("verdict", "reason"); got != step.want || p.explained(t, token) != step.want {
				t.Errorf("%v later: %s, and explain says %s, want %s", step.after, got, p.explained(t, token), step.want)
			}
			p.sweep(t)
			if got := rows(); got != step.rows {
				t.Errorf("%v later: %d rows, want %d", step.after, got, step.rows)
			}
		}
	})
}

// TestRefusedTokensAreNotUsedUp refuses a one-time token for every reason that
// comes after the one-time check, and lets it in afterwards.
func TestRefusedTokensAreNotUsedUp(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, database string) {
		p.profile = p.profileOf(object{"trust_policy": object{"one_time_tokens": true}})
		bob := p.session(t, "bob@example.com", object{}).String("session_token")
		used := func() int { return counted(t, database, `SELECT count(*) FROM used_tokens`) }
		before := used()
		token := p.token("ada@example.com", object{"sub": "taken", "roles": "reader"})
		holder := servertest.Must(t, p.API(http.MethodPost, "/v1/users", object{"email": "eve@example.com", "external_id": "taken"})).String("user_id")
		refuse := func(reason string, more object) {
			t.Helper()
			v := p.verdict(t, p.attest(token, more))
			if got := v.String("verdict", "reason"); got != reason {
				t.Errorf("%s, want %s", got, reason)
			}
		}
		refuse("subject_conflict", nil)
		servertest.Must(t, p.API(http.MethodDelete, "/v1/users/"+holder, nil))
		refuse("role_not_allowed", nil)
		p.putPolicy(t, policyOf("reader"))
		refuse("session_mismatch", object{"session_token": bob})
		refusedAs(t, "no such session", p.attest(token, object{"session_token": "of nobody"}), http.StatusNotFound, "session_not_found")
		servertest.Must(t, p.patch(object{"can_jit_provision": false}))
		refuse("subject_unknown", nil)
		servertest.Must(t, p.patch(object{"can_jit_provision": true, "trust_policy": object{"jit_domains": []string{"example.org"}}}))
		refuse("jit_domain_not_allowed", nil)
		p.setPolicy(t, object{"jit_domains": nil, "jit_per_hour": 1})
		p.session(t, "first@example.com", object{})
		refuse("jit_limit_reached", nil)
		p.setPolicy(t, object{"jit_per_hour": 0, "mode": "shadow"})
		refuse("", nil)
		p.setPolicy(t, object{"mode": "enforce"})
		if got := used(); got != before+1 { // that of the first of the hour
			t.Errorf("%d tokens are used up, want %d", got, before+1)
		}
		servertest.Must(t, p.attest(token, nil))
		refuse("already_used", nil)
	})
}

// TestShadowChangesNothing holds the whole database but for the verdicts before
// and after tokens of every sort came to a profile that only tries them.
func TestShadowChangesNothing(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		p.putPolicy(t, policyOf("reader"))
		p.profile = p.profileOf(object{"trust_policy": object{"subject_claim": "sub", "one_time_tokens": true, "jit_per_hour": 10}})
		ada := servertest.Must(t, p.attest(p.token("ada@example.com", object{"sub": "1"}), nil))
		p.setPolicy(t, object{"mode": "shadow", "on_sign_in": object{"email": "always", "external_user_id": "always"}})
		tables := []string{"users", "user_identifiers", "sessions", "person_links", "used_tokens", "provisionings", "events"}
		state := func() map[string]string {
			all, kept := dump(t, database), map[string]string{}
			for _, table := range tables {
				kept[table] = all[table]
			}
			return kept
		}
		before := state()
		for what, row := range map[string]struct {
			email  string
			claims object
			more   object
			reason string
			user   any
		}{
			"her":            {"ada@example.com", object{"sub": "1", "roles": "reader"}, nil, "", ada.String("user_id")},
			"to attach":      {"ada@example.com", object{"sub": "1"}, object{"session_token": ada.String("session_token")}, "", ada.String("user_id")},
			"a new address":  {"ada@new.example", object{"sub": "1"}, nil, "", ada.String("user_id")},
			"somebody new":   {"bob@example.com", object{"sub": "2"}, nil, "", nil},
			"another's":      {"ada@example.com", object{"sub": "3"}, nil, "subject_conflict", nil},
			"a role":         {"ada@example.com", object{"sub": "1", "roles": "root"}, nil, "role_not_allowed", ada.String("user_id")},
			"no subject":     {"ada@example.com", object{"sub": nil}, nil, "claim_missing", nil},
			"other audience": {"ada@example.com", object{"sub": "1", "aud": "x"}, nil, "audience_mismatch", nil},
		} {
			a := p.attest(p.token(row.email, row.claims), row.more)
			v := p.verdict(t, a)
			if a.Status == http.StatusOK || v.At("verdict", "shadow") != true || v.String("verdict", "reason") != row.reason || v.At("verdict", "user_id") != row.user {
				t.Errorf("%s: %d %s\n%s", what, a.Status, a.Text, v.Text)
			}
			if row.reason == "" {
				refusedAs(t, what, a, http.StatusBadRequest, "invalid_trusted_auth_token")
			}
		}
		if diff := cmp.Diff(before, state()); diff != "" {
			t.Errorf("tokens that were only tried changed the database:\n%s", diff)
		}
		p.setPolicy(t, object{"mode": "enforce"})
		clock.Advance(time.Minute)
		if v := p.verdict(t, p.attest(p.token("ada@example.com", object{"sub": "1"}), nil)); v.At("verdict", "shadow") != false {
			t.Errorf("in earnest again: %s", v.Text)
		}
	})
}
