package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// withUserinfo points an environment at another provider.
func (p *place) withUserinfo(t *testing.T) *userinfo {
	t.Helper()
	u := newUserinfo(t)
	servertest.Must(t, p.Administer(http.MethodPatch, "", object{"zero_downtime_session_migration_url": u.URL + "/userinfo?tenant=1"}))
	return u
}

// migrate exchanges another provider's token; more joins the request and wins.
func (p *place) migrate(token string, more object) servertest.Answer {
	body := object{"session_token": token, "session_duration_minutes": 60}
	for name, value := range more {
		body[name] = value
	}
	return p.API(http.MethodPost, "/v1/sessions/migrate", body)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		u := p.withUserinfo(t)
		id := p.user(t, object{"email": "ADA@Example.com", "create_user_as_pending": true, "external_id": "crm|7"})
		p.putTemplate(t, `{"external": {{ user.external_id }}}`, "")
		db := storetest.Raw(t, database)

		none := servertest.Must(t, p.migrate("opaque-token", object{"session_duration_minutes": nil}))
		if none.String("user_id") != id || none.At("session") != nil || none.String("session_token") != "" || none.String("session_jwt") != "" {
			t.Errorf("without a duration: %s", none.Text)
		}
		if none.String("user", "status") != "active" || at(list(none, "user", "emails")[0], "verified") != true {
			t.Errorf("the provider vouched for nobody: %s", none.Text)
		}
		if diff := cmp.Diff([]string{"secret: user.updated"}, recorded(t, db, none)); diff != "" {
			t.Errorf("without a duration (-want +recorded):\n%s", diff)
		}
		s := p.migrate("opaque-token", object{"session_custom_claims": object{"plan": "pro"}})
		agrees(t, "migrate", s, clock)
		if diff := cmp.Diff([]string{"secret: session.migrated"}, recorded(t, db, s)); diff != "" {
			t.Errorf("migrate (-want +recorded):\n%s", diff)
		}
		if diff := cmp.Diff(none.At("user"), s.At("user")); diff != "" {
			t.Errorf("the user with a session (-without +with):\n%s", diff)
		}
		if diff := cmp.Diff(decoded(t, `{"plan": "pro", "external": "crm|7"}`), s.At("session", "custom_claims")); diff != "" {
			t.Errorf("custom claims (-want +got):\n%s", diff)
		}
		now := clock.Now().Format(time.RFC3339)
		if diff := cmp.Diff([]any{object{
			"type": "imported", "delivery_method": "imported_auth0", "created_at": now, "updated_at": now, "last_authenticated_at": now,
		}}, list(s, "session", "authentication_factors")); diff != "" {
			t.Errorf("factors (-want +got):\n%s", diff)
		}
		by := object{"session_token": s.String("session_token")}
		again := p.authenticate(by)
		agrees(t, "authenticate", again, clock)
		if diff := cmp.Diff(s.At("session"), again.At("session")); diff != "" {
			t.Errorf("authenticate (-migrated +got):\n%s", diff)
		}
		attached := servertest.Must(t, p.attest(p.token("ada@example.com", nil), by))
		if factors := list(attached, "session", "authentication_factors"); len(factors) != 2 || at(factors[1], "type") != "trusted_auth_token" {
			t.Errorf("attach to a migrated session: %s", attached.Text)
		}
		servertest.Must(t, p.revoke(by))
		refusedAs(t, "after revoke", p.authenticate(by), http.StatusNotFound, "session_not_found")

		for _, r := range u.asked() {
			if got := r.Header.Get("Authorization"); got != "Bearer opaque-token" || r.Method != http.MethodGet || r.URL.String() != "/userinfo?tenant=1" || r.Header.Get("Cookie") != "" {
				t.Errorf("%s %s with Authorization %q", r.Method, r.URL, got)
			}
		}
	})
}

// TestMigrateRefuses has the other provider answer in every way that vouches for
// nobody, and a few that do.
func TestMigrateRefuses(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, database string) {
		u := p.withUserinfo(t)
		elsewhere := newUserinfo(t)
		id := p.user(t, object{"email": "ada@example.com"})
		answer := func(status int, body string) func() { return func() { u.answers(status, body) } }
		good := `{"email": "ada@example.com", "email_verified": true}`
		for what, row := range map[string]struct {
			prepare func()
			refusal string // "" for none
		}{
			"verified":                {answer(200, good), ""},
			"nothing about verifying": {answer(200, `{"email": "ada@example.com"}`), ""},
			"verified as a string":    {answer(200, `{"email": "ADA@example.com", "email_verified": "true"}`), ""},
			"spaces around":           {answer(200, " \r\n"+good+"\n"), ""},
			"nobody of ours":          {answer(200, `{"email": "eve@example.com", "email_verified": true}`), "migrate_from_external_email_does_not_exist"},
			"not verified":            {answer(200, `{"email": "ada@example.com", "email_verified": false}`), "unexpected"},
			"not verified, a string":  {answer(200, `{"email": "ada@example.com", "email_verified": "false"}`), "unexpected"},
			"verified as a number":    {answer(200, `{"email": "ada@example.com", "email_verified": 1}`), "unexpected"},
			"verified is null":        {answer(200, `{"email": "ada@example.com", "email_verified": null}`), "unexpected"},
			"a member twice":          {answer(200, `{"email": "ada@example.com", "email": "ada@example.com"}`), "unexpected"},
			"verified twice":          {answer(200, `{"email": "ada@example.com", "email_verified": false, "email_verified": true}`), "unexpected"},
			"a name in disguise":      {answer(200, `{"email": "ada@example.com", "\u0065mail": "eve@example.com"}`), "unexpected"},
			"two documents":           {answer(200, good+good), "unexpected"},
			"an array":                {answer(200, `[`+good+`]`), "unexpected"},
			"null":                    {answer(200, `null`), "unexpected"},
			"empty":                   {answer(200, ``), "unexpected"},
			"HTML":                    {answer(200, `<!DOCTYPE html><p>Sign in`), "unexpected"},
			"no email":                {answer(200, `{"sub": "auth0|7", "Email": "ada@example.com"}`), "unexpected"},
			"an email that is a list": {answer(200, `{"email": ["ada@example.com"]}`), "unexpected"},
			"an email of a name":      {answer(200, `{"email": "Ada <ada@example.com>"}`), "unexpected"},
			"deep":                    {answer(200, `{"email": "ada@example.com", "x": `+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`), "unexpected"},
			"not UTF-8":               {answer(200, "{\"email\": \"ada@example.com\", \"x\": \"\xff\"}"), "unexpected"},
			"huge":                    {answer(200, `{"email": "ada@example.com", "x": "`+strings.Repeat("x", 64<<10)+`"}`), "unexpected"},
			"401":                     {answer(401, good), "unexpected"},
			"403":                     {answer(403, good), "unexpected"},
			"404":                     {answer(404, good), "unexpected"},
			"500":                     {answer(500, good), "unexpected"},
			"201":                     {answer(201, good), "unexpected"},
			"204":                     {func() { u.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }) }, "unexpected"},
			"a redirect": {func() {
				u.does(func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
				})
			}, "unexpected"},
			"gzip": {func() {
				u.does(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Encoding", "gzip")
					_, _ = w.Write([]byte("\x1f\x8b\x08\x00"))
				})
			}, "unexpected"},
			"cut off": {func() {
				u.does(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Length", "1000")
					_, _ = w.Write([]byte(good))
				})
			}, "unexpected"},
			"a connection that breaks": {func() { u.does(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }) }, "unexpected"},
		} {
			row.prepare()
			a := p.migrate("opaque-token", nil)
			if row.refusal == "" {
				if servertest.Must(t, a).String("user_id") != id {
					t.Errorf("%s: %s", what, a.Text)
				}
				servertest.Must(t, p.revoke(object{"session_token": a.String("session_token")}))
				continue
			}
			refusedAs(t, what, a, http.StatusBadRequest, map[string]string{"unexpected": "migrate_from_external_unexpected_response"}[row.refusal]+strings.TrimPrefix(row.refusal, "unexpected"))
			if contains := strings.Contains(a.Text, "ada@") || strings.Contains(a.Text, "opaque-token"); contains {
				t.Errorf("%s: the refusal names the person or the token: %s", what, a.Text)
			}
			if got := recorded(t, storetest.Raw(t, database), a); len(got) > 0 {
				t.Errorf("%s recorded %v", what, got)
			}
		}
		if asked := elsewhere.asked(); len(asked) > 0 {
			t.Errorf("the redirect was followed, with Authorization %q", asked[0].Header.Get("Authorization"))
		}
		if left := list(servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id="+id, nil)), "sessions"); len(left) > 0 {
			t.Errorf("a refusal left %v", left)
		}
		u.Close()
		refusedAs(t, "nobody listens", p.migrate("opaque-token", nil), http.StatusBadRequest, "migrate_from_external_unexpected_response")
		servertest.Must(t, p.Administer(http.MethodPatch, "", object{"zero_downtime_session_migration_url": ""}))
		refusedAs(t, "no endpoint", p.migrate("opaque-token", nil), http.StatusBadRequest, "migrate_from_external_missing_userinfo")
	})
}

// TestMigrateWaitsOnlySoLong has the other provider say nothing, or never end.
func TestMigrateWaitsOnlySoLong(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for eight seconds")
	}
	p := arrange(t, serve(t, storetest.SQLite(t), nil), nil)
	u := p.withUserinfo(t)
	for what, handler := range map[string]http.HandlerFunc{
		"no answer within 3": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"no complete answer within 5": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		},
	} {
		u.does(handler)
		start := time.Now()
		a := p.migrate("opaque-token", nil)
		refusedAs(t, what, a, http.StatusBadRequest, "migrate_from_external_unexpected_response")
		if took := time.Since(start); took > 7*time.Second || !strings.Contains(a.String("error_message"), what) {
			t.Errorf("after %v: %s", took, a.Text)
		}
	}
}

// TestMigrateIsGuarded asks nobody on an address that the operator did not open.
func TestMigrateIsGuarded(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, storetest.SQLite(t), servertest.Options{JWKSAllowPrivate: []string{}})
	p := arrange(t, s, nil)
	u := p.withUserinfo(t)
	p.user(t, object{"email": "ada@example.com"})
	tls := httptest.NewTLSServer(u.Config.Handler)
	t.Cleanup(tls.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(u.URL, "http://"), ":")
	for _, url := range []string{
		u.URL, tls.URL, "http://localhost:" + port, "http://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port, "http://2130706433:" + port,
	} {
		servertest.Must(t, p.Administer(http.MethodPatch, "", object{"zero_downtime_session_migration_url": url}))
		refusedAs(t, url, p.migrate("opaque-token", nil), http.StatusBadRequest, "migrate_from_external_unexpected_response")
	}
	if asked := u.asked(); len(asked) > 0 {
		t.Errorf("loopback was asked %d times", len(asked))
	}
}

// TestMigratedTokenLeavesNoTrace looks for another provider's token in all that
// is written.
func TestMigratedTokenLeavesNoTrace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		log := &lockedLog{}
		w := newInputWorld(t, serverOptions{database: database, log: log})
		u := newUserinfo(t)
		w.must(w.call(http.MethodPatch, w.path(environmentPath), w.authorization("/pwa/"), fmt.Sprintf(`{"zero_downtime_session_migration_url": %q}`, u.URL)))
		const token = "other-providers-token-0815"
		var refusals strings.Builder
		migrate := func(body string) {
			if a := w.call(http.MethodPost, "/v1/sessions/migrate", w.basic, body); a.status != http.StatusOK {
				refusals.Write(a.body)
			}
		}
		whole := fmt.Sprintf(`{"session_token": %q, "session_duration_minutes": 60}`, token)
		migrate(whole)
		u.answers(http.StatusUnauthorized, `{"error_description": "`+token+` has expired"}`)
		migrate(whole)
		u.answers(http.StatusOK, `{"email": "`+token+`"}`)
		migrate(whole)
		u.answers(http.StatusOK, token)
		migrate(whole)
		u.does(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://example.com/?token="+token)
			w.WriteHeader(http.StatusFound)
		})
		migrate(whole)
		migrate(fmt.Sprintf(`{"session_token": "%s with spaces"}`, token))
		migrate(fmt.Sprintf(`{"session_token": [%q]}`, token))
		u.Close()
		migrate(whole)
		if refusals.Len() == 0 || !strings.Contains(log.String(), "/v1/sessions/migrate") {
			t.Fatalf("nothing was refused, or nothing logged: %s", refusals.String())
		}
		planted := secret{what: "another provider's token", text: token}
		expectNowhere(t, planted, "the log", log.String())
		expectNowhere(t, planted, "an error", refusals.String())
		for table, text := range dump(t, database) {
			expectNowhere(t, planted, "table "+table, text)
		}
	})
}
