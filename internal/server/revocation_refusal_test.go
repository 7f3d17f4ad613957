package server_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestRevocationsThatCannotBe goes through what a revocation cannot name, in
// earnest and as a dry run. Nothing changes.
func TestRevocationsThatCannotBe(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		s := p.session(t, "ada@example.com", object{})
		clock.Advance(time.Second)
		over := p.session(t, "bob@example.com", object{"session_duration_minutes": 5})
		servertest.Must(t, p.revoke(object{"session_id": over.String("session", "session_id")}))
		beside := arrangeBeside(t, p).session(t, "eve@example.com", object{})
		id, user, moment := s.String("session", "session_id"), s.String("user_id"), clock.Now().Format(time.RFC3339Nano)
		state := func() map[string]string {
			all := dump(t, database)
			return map[string]string{"sessions": all["sessions"], "configurations": all["configurations"], "events": all["events"]}
		}
		before := state()
		for _, row := range []struct {
			body      object
			status    int
			errorType string
		}{
			{object{}, http.StatusBadRequest, "invalid_revocation"},
			{object{"session_id": id, "user_id": user}, http.StatusBadRequest, "invalid_revocation"},
			{object{"session_id": id, "profile_id": p.profile}, http.StatusBadRequest, "invalid_revocation"},
			{object{"session_id": id, "key_id": "k"}, http.StatusBadRequest, "invalid_revocation"},
			{object{"session_id": id, "attested_before": moment}, http.StatusBadRequest, "invalid_revocation"},
			{object{"user_id": user, "profile_id": p.profile}, http.StatusBadRequest, "invalid_revocation"},
			{object{"user_id": user, "key_id": "k"}, http.StatusBadRequest, "invalid_revocation"},
			{object{"user_id": user, "attested_before": moment}, http.StatusBadRequest, "invalid_revocation"},
			{object{"session_id": id, "user_id": user, "profile_id": p.profile, "key_id": "k", "attested_before": moment}, http.StatusBadRequest, "invalid_revocation"},
			{object{"attested_before": clock.Now().Add(time.Microsecond).Format(time.RFC3339Nano)}, http.StatusBadRequest, "invalid_revocation"},
			{object{"profile_id": p.profile, "attested_before": "9999-12-31T23:59:59Z"}, http.StatusBadRequest, "invalid_revocation"},
			{object{"attested_before": ""}, http.StatusBadRequest, "bad_request"},
			{object{"attested_before": "0001-01-01T00:00:00Z"}, http.StatusBadRequest, "bad_request"},
			{object{"attested_before": 1700000000}, http.StatusBadRequest, "bad_request"},
			{object{"session_id": "x"}, http.StatusBadRequest, "invalid_session_id"},
			{object{"session_id": user}, http.StatusBadRequest, "invalid_session_id"},
			{object{"session_id": over.String("session", "session_id")}, http.StatusNotFound, "session_not_found"},
			{object{"session_id": beside.String("session", "session_id")}, http.StatusNotFound, "session_not_found"},
			{object{"session_id": "session-live-00000000-0000-4000-8000-000000000001"}, http.StatusBadRequest, "live_id_used_in_test_environment"},
			{object{"user_id": beside.String("user_id")}, http.StatusNotFound, "user_not_found"},
			{object{"user_id": "ext-nobody"}, http.StatusNotFound, "user_not_found"},
			{object{"profile_id": "x"}, http.StatusNotFound, "trusted_token_profile_not_found"},
		} {
			dry := maps.Clone(row.body)
			dry["dry_run"] = true
			refusedAs(t, encoded(t, row.body), p.Administer(http.MethodPost, "/revocations", row.body), row.status, row.errorType)
			refusedAs(t, encoded(t, dry), p.Administer(http.MethodPost, "/revocations", dry), row.status, row.errorType)
		}
		if diff := cmp.Diff(before, state()); diff != "" {
			t.Errorf("refusals changed the database:\n%s", diff)
		}
		if alive(p, s) != 1 {
			t.Error("the session is dead")
		}
	})
}

// TestRevocationsCount holds what a revocation counts, dry or not, against what
// it ends.
func TestRevocationsCount(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		db := storetest.Raw(t, database)
		second := *p
		second.profile = p.profileOf(object{"name": "second"})
		begin := clock.Now()
		sessions := map[string]servertest.Answer{}
		for _, name := range []string{"first", "both", "other"} {
			clock.Advance(time.Second)
			sessions[name] = p.session(t, name+"@example.com", object{"session_duration_minutes": 600})
		}
		clock.Advance(time.Second)
		joined := servertest.Must(t, second.attest(second.token("both@example.com", nil), object{"session_token": sessions["both"].String("session_token")}))
		sessions["both"] = joined
		at := func(seconds int) string {
			return begin.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339Nano)
		}
		names := func() (list []string) {
			for _, name := range []string{"first", "both", "other"} {
				if alive(p, sessions[name]) == 1 {
					list = append(list, name)
				}
			}
			return list
		}
		for _, step := range []struct {
			body object
			ends int
			left []string
		}{
			{object{"attested_before": at(1)}, 0, []string{"first", "both", "other"}},                               // the moment itself is not before it
			{object{"profile_id": second.profile, "attested_before": at(4)}, 0, []string{"first", "both", "other"}}, // its factor came then
			{object{"profile_id": second.profile, "key_id": p.profileKeyID(t)}, 0, []string{"first", "both", "other"}},
			{object{"key_id": "unknown"}, 0, []string{"first", "both", "other"}},
			{object{"attested_before": at(2)}, 1, []string{"both", "other"}},
			{object{"attested_before": at(2)}, 0, []string{"both", "other"}}, // those are dead already
			{object{"profile_id": second.profile}, 1, []string{"other"}},
			{object{"key_id": p.profileKeyID(t)}, 1, nil},
		} {
			dry := maps.Clone(step.body)
			dry["dry_run"] = true
			a := servertest.Must(t, p.Administer(http.MethodPost, "/revocations", dry))
			if number(t, a, "sessions") != step.ends || a.At("revocation") != nil || a.At("complete") != true || len(recorded(t, db, a)) != 0 {
				t.Errorf("%s, dry run: %s", encoded(t, step.body), a.Text)
			}
			a = servertest.Must(t, p.Administer(http.MethodPost, "/revocations", step.body))
			if number(t, a, "sessions") != step.ends || a.String("revocation", "revocation_id") == "" {
				t.Errorf("%s: %s", encoded(t, step.body), a.Text)
			}
			if diff := cmp.Diff([]string{"workspace_key: sessions.revoked"}, recorded(t, db, a)); diff != "" {
				t.Errorf("%s (-want +recorded):\n%s", encoded(t, step.body), diff)
			}
			if diff := cmp.Diff(step.left, names()); diff != "" {
				t.Errorf("%s left (-want +got):\n%s", encoded(t, step.body), diff)
			}
		}
		clock.Advance(time.Second)
		p.session(t, "first@example.com", object{"session_duration_minutes": 600})
		p.sweep(t)
		if n := counted(t, database, `SELECT count(*) FROM sessions`); n != 1 {
			t.Errorf("%d rows after the janitor, want 1", n)
		}
		standing := func() int {
			return len(list(servertest.Must(t, p.Administer(http.MethodGet, "/revocations", nil)), "revocations"))
		}
		clock.Advance(24*time.Hour - time.Second)
		p.sweep(t)
		if n := standing(); n != 8 {
			t.Errorf("%d revocations stand after a day less a second, want 8", n)
		}
		clock.Advance(time.Second)
		p.sweep(t)
		if n := standing(); n != 0 {
			t.Errorf("%d revocations stand after a day", n)
		}
	})
}
