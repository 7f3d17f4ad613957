package server_test

import (
	"cmp"
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// recorded are the events of one request, each "actor kind: action", in order.
func recorded(t *testing.T, db *sql.DB, a servertest.Answer) []string {
	t.Helper()
	id, err := countersign.ParseID[countersign.RequestID](cmp.Or(a.String("request_id"), a.String("data", "request_id")))
	if err != nil {
		t.Fatalf("request_id: %v\n%s", err, a.Text)
	}
	rows, err := db.QueryContext(t.Context(), `SELECT actor_kind, action, object FROM events WHERE request_id = $1 ORDER BY action`, id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var kind, action, object string
		if err := rows.Scan(&kind, &action, &object); err != nil {
			t.Fatal(err)
		}
		if object == "" {
			t.Errorf("%s without an object", action)
		}
		list = append(list, kind+": "+action)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestEveryChangeLeavesAnEvent makes every kind of change once, and every kind
// of refusal and read, and looks for the events of each request.
func TestEveryChangeLeavesAnEvent(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, database string) {
		db := storetest.Raw(t, database)
		events := 0
		leaves := func(what string, a servertest.Answer, want ...string) servertest.Answer {
			t.Helper()
			servertest.Must(t, a)
			if diff := gocmp.Diff(want, recorded(t, db, a)); diff != "" {
				t.Errorf("%s (-want +recorded):\n%s", what, diff)
			}
			events += len(want)
			return a
		}
		nothing := func(what string, a servertest.Answer) servertest.Answer {
			t.Helper()
			if got := recorded(t, db, a); len(got) > 0 {
				t.Errorf("%s (%d) recorded %v", what, a.Status, got)
			}
			return a
		}
		count := func() (n int) {
			if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM events`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := count()
		ada := map[string]any{"jti": "ada-1", "sub": "ext-ada"}

		// Sessions and people.
		s := leaves("first sign-in", p.attest(p.token("ada@example.com", ada), nil), "secret: session.started", "secret: user.created")
		token := map[string]any{"session_token": s.String("session_token")}
		leaves("sign-in", p.attest(p.token("ada@example.com", ada), nil), "secret: session.started")
		nothing("sign-in without a session", p.attest(p.token("ada@example.com", ada), map[string]any{"session_duration_minutes": nil}))
		leaves("attach", p.attest(p.token("ada@example.com", nil), token), "secret: session.attached")
		nothing("authenticate", p.authenticate(token))
		leaves("extend", p.authenticate(map[string]any{"session_token": s.String("session_token"), "session_duration_minutes": 5}), "secret: session.updated")
		nothing("authenticate, refused", p.authenticate(map[string]any{"session_token": s.String("session_token"), "session_duration_minutes": 1}))
		nothing("attach somebody else", p.attest(p.token("bob@example.com", nil), token))
		nothing("attest, refused", p.attest(p.token("bob@example.com", map[string]any{"aud": "elsewhere"}), nil))
		nothing("attest, conflict", p.attest(p.token("bob@example.com", map[string]any{"sub": "ext-ada"}), nil))
		nothing("list", p.API(http.MethodGet, "/v1/sessions?user_id=ext-ada", nil))
		leaves("revoke", p.revoke(token), "secret: session.revoked")
		nothing("revoke again", p.revoke(token))
		nothing("attach to nothing", p.attest(p.token("ada@example.com", nil), token))
		leaves("create a user", p.API(http.MethodPost, "/v1/users", map[string]any{"email": "eve@example.com", "create_user_as_pending": true}), "secret: user.created")
		leaves("first sign-in of a pending user", p.attest(p.token("eve@example.com", map[string]any{"sub": "ext-eve"}), nil), "secret: session.started", "secret: user.updated")
		nothing("create a user twice", p.API(http.MethodPost, "/v1/users", map[string]any{"email": "EVE@example.com"}))
		nothing("get a user", p.API(http.MethodGet, "/v1/users/ext-eve", nil))
		leaves("delete a user", p.API(http.MethodDelete, "/v1/users/ext-eve", nil), "secret: user.deleted")
		nothing("delete a user twice", p.API(http.MethodDelete, "/v1/users/ext-eve", nil))

		kim := p.user(t, object{"email": "kim@example.com", "phone_number": "+442071838750", "external_id": "kim"})
		events++
		email := text(at(list(servertest.Must(t, p.get(kim)), "emails")[0], "email_id"))
		leaves("update a user", p.update(kim, object{"name": object{"first_name": "Kim"}, "trusted_metadata": object{"a": 1}}), "secret: user.updated")
		nothing("update nothing", p.update(kim, object{}))
		nothing("update to what is there", p.update(kim, object{"name": object{"first_name": "Kim"}, "external_id": "kim", "roles": []string{}}))
		nothing("update, refused", p.update(kim, object{"name": object{"first_name": "Eve"}, "emails": []any{}}))
		nothing("exchange one of two factors", p.API(http.MethodPut, "/v1/users/kim/exchange_primary_factor", object{"email_address": "new@example.com"}))
		leaves("delete an address", p.API(http.MethodDelete, "/v1/users/emails/"+email, nil), "secret: user.updated")
		nothing("delete an address twice", p.API(http.MethodDelete, "/v1/users/emails/"+email, nil))
		exchanged := leaves("exchange", p.API(http.MethodPut, "/v1/users/kim/exchange_primary_factor", object{"phone_number": "+442071838751"}), "secret: user.updated")
		leaves("delete a number", p.API(http.MethodDelete, "/v1/users/phone_numbers/"+text(at(list(exchanged, "user", "phone_numbers")[0], "phone_id")), nil), "secret: user.updated")
		leaves("delete an external ID", p.API(http.MethodDelete, "/v1/users/kim/external_id", nil), "secret: user.updated")
		nothing("delete an external ID twice", p.API(http.MethodDelete, "/v1/users/"+kim+"/external_id", nil))
		leaves("import", p.API(http.MethodPost, "/v1/users/import", object{"users": []object{{"email": "one@example.com"}, {"email": "one@example.com"}, {}, {"email": "two@example.com"}}}),
			"secret: user.created", "secret: user.created")
		nothing("search", p.search(object{"limit": 1}))
		nothing("connected apps", p.API(http.MethodGet, "/v1/users/"+kim+"/connected_apps", nil))
		nothing("policy for clients", p.API(http.MethodGet, "/v1/rbac/policy", nil))
		nothing("metrics", p.API(http.MethodGet, "/v1/projects/metrics", nil))
		leaves("set a migration URL", p.Administer(http.MethodPatch, "", object{"zero_downtime_session_migration_url": newUserinfo(t).URL}), "workspace_key: environment.updated")
		leaves("migrate", p.migrate("opaque-token", nil), "secret: session.migrated")
		nothing("migrate without a session", p.migrate("opaque-token", object{"session_duration_minutes": nil}))
		nothing("migrate, refused", p.migrate("opaque-token", object{"session_duration_minutes": 1}))

		// Configuration.
		leaves("set a policy", p.putPolicy(t, policyOf("a")), "workspace_key: policy.updated")
		nothing("set a policy, refused", p.Administer(http.MethodPut, "/rbac_policy", object{"custom_roles": []object{{}}}))
		nothing("read a policy", p.Administer(http.MethodGet, "/rbac_policy", nil))
		template := "/jwt_templates/SESSION"
		leaves("set a template", p.Administer(http.MethodPut, template, object{"template_content": "{}"}), "workspace_key: jwt_template.updated")
		nothing("set a template, refused", p.Administer(http.MethodPut, template, object{"template_content": "["}))
		nothing("read a template", p.Administer(http.MethodGet, template, nil))
		leaves("change an SDK configuration", p.Administer(http.MethodPut, "/sdk/consumer", object{"config": object{"oauth": object{}}}), "workspace_key: sdk_config.updated")
		nothing("change an SDK configuration, refused", p.Administer(http.MethodPut, "/sdk/consumer", object{"config": object{"sessions": object{"max_session_duration_minutes": 1}}}))
		nothing("change that of the other vertical", p.Administer(http.MethodPut, "/sdk/b2b", object{"config": object{}}))
		nothing("read an SDK configuration", p.Administer(http.MethodGet, "/sdk/consumer", nil))
		redirect := "/redirect_urls?url=https://app.example.com"
		leaves("add a redirect URL", p.Administer(http.MethodPost, "/redirect_urls", object{"url": "https://app.example.com"}), "workspace_key: redirect_urls.updated")
		nothing("add a redirect URL, refused", p.Administer(http.MethodPost, "/redirect_urls", object{"url": "http://app.example.com"}))
		leaves("change a redirect URL", p.Administer(http.MethodPut, redirect, object{"valid_types": []object{{"type": "LOGIN"}}}), "workspace_key: redirect_urls.updated")
		nothing("change a redirect URL, refused", p.Administer(http.MethodPut, redirect, object{"valid_types": []object{{"type": "LOGOUT"}}}))
		nothing("read a redirect URL", p.Administer(http.MethodGet, redirect, nil))
		nothing("read redirect URLs", p.Administer(http.MethodGet, "/redirect_urls/all", nil))
		leaves("delete a redirect URL", p.Administer(http.MethodDelete, redirect, nil), "workspace_key: redirect_urls.updated")
		nothing("delete a redirect URL twice", p.Administer(http.MethodDelete, redirect, nil))
		nothing("read events", p.Administer(http.MethodGet, "/events", nil))
		const projects = "/pwa/v3/projects"
		made := leaves("create a project", p.Manage(http.MethodPost, projects, map[string]any{"name": "Other", "vertical": "CONSUMER"}), "workspace_key: project.created")
		project := projects + "/" + made.String("project", "project_slug")
		nothing("create a project twice", p.Manage(http.MethodPost, projects, map[string]any{"name": "Other", "vertical": "CONSUMER", "project_slug": made.String("project", "project_slug")}))
		leaves("rename a project", p.Manage(http.MethodPatch, project, map[string]any{"name": "Renamed"}), "workspace_key: project.updated")
		environment := project + "/environments/" + leaves("create an environment",
			p.Manage(http.MethodPost, project+"/environments", map[string]any{"name": "E", "type": "TEST", "session_jwt_algorithm": "ES256"}),
			"workspace_key: environment.created").String("environment", "environment_slug")
		nothing("create an environment, refused", p.Manage(http.MethodPost, project+"/environments", map[string]any{"name": "E", "type": "TEST", "user_lock_ttl": 1}))
		leaves("change an environment", p.Manage(http.MethodPatch, environment, map[string]any{"user_lock_ttl": 600}), "workspace_key: environment.updated")
		leaves("change its algorithm", p.Manage(http.MethodPatch, environment, map[string]any{"session_jwt_algorithm": "EdDSA"}),
			"workspace_key: environment.updated", "workspace_key: signing_key.created")
		nothing("rotate with a next key there", p.Manage(http.MethodPost, environment+"/signing_keys/rotate", nil))
		leaves("rotate", p.Administer(http.MethodPost, "/signing_keys/rotate", nil), "workspace_key: signing_key.created")
		secret := leaves("create a secret", p.Manage(http.MethodPost, environment+"/secrets", nil), "workspace_key: secret.created")
		leaves("delete a secret", p.Manage(http.MethodDelete, environment+"/secrets/"+secret.String("secret", "secret_id"), nil), "workspace_key: secret.deleted")
		nothing("delete a secret twice", p.Manage(http.MethodDelete, environment+"/secrets/"+secret.String("secret", "secret_id"), nil))
		public := leaves("create a public token", p.Manage(http.MethodPost, environment+"/public_tokens", nil), "workspace_key: public_token.created")
		leaves("delete a public token", p.Manage(http.MethodDelete, environment+"/public_tokens/"+public.String("public_token", "public_token"), nil), "workspace_key: public_token.deleted")
		key := p.issuer.PEM(countersign.ES256, issuertest.PublicKey)
		profile := environment + "/trusted_token_profiles/" + leaves("create a profile",
			p.Manage(http.MethodPost, environment+"/trusted_token_profiles", map[string]any{
				"name": "p", "issuer": "i", "audience": "a", "public_key_type": "PEM", "pem_files": []string{key}, "attribute_mapping": map[string]any{"email": "email"},
			}), "workspace_key: profile.created").String("profile", "profile_id")
		nothing("create a profile, refused", p.Manage(http.MethodPost, environment+"/trusted_token_profiles", map[string]any{"name": "p", "issuer": "i", "audience": "a", "public_key_type": "PEM"}))
		leaves("change a profile", p.Manage(http.MethodPatch, profile, map[string]any{"name": "q"}), "workspace_key: profile.updated")
		file := leaves("add a key", p.Manage(http.MethodPost, profile+"/keys", map[string]any{"public_key": key}), "workspace_key: profile.key_added")
		leaves("remove a key", p.Manage(http.MethodDelete, profile+"/keys/"+file.String("pem_file", "pem_file_id"), nil), "workspace_key: profile.key_removed")
		leaves("delete a profile", p.Manage(http.MethodDelete, profile, nil), "workspace_key: profile.deleted")
		leaves("delete an environment", p.Manage(http.MethodDelete, environment, nil), "workspace_key: environment.deleted")
		leaves("delete a project", p.Manage(http.MethodDelete, project, nil), "workspace_key: project.deleted")
		nothing("delete a project twice", p.Manage(http.MethodDelete, project, nil))

		if after := count(); after-before != events {
			t.Errorf("%d events came to be, %d were expected", after-before, events)
		}
		secrets := []string{p.Secret, s.String("session_token"), s.String("session_jwt"), secret.String("secret", "secret"), p.WorkspaceKeySecret}
		assertNowhere(t, db, secrets)
	})
}

// TestPagesLeaveEvents makes every change that a page can make, each of which
// names the credential that made it, and refusals.
func TestPagesLeaveEvents(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, database string) {
		db := storetest.Raw(t, database)
		public := text(at(list(servertest.Must(t, p.Administer(http.MethodGet, "/public_tokens", nil)), "public_tokens")[0], "public_token"))
		servertest.Must(t, p.Administer(http.MethodPut, "/sdk/consumer", object{"config": object{"basic": object{"enabled": true}}}))
		session := public // of the page
		leaves := func(what string, a servertest.Answer, want ...string) servertest.Answer {
			t.Helper()
			if got := recorded(t, db, a); !slices.Equal(got, want) {
				t.Errorf("%s (%d) recorded %v, want %v", what, a.Status, got, want)
			}
			return a
		}
		page := func(method, path string, body any) servertest.Answer {
			return p.Call(method, "/sdk/v1"+path, public, session, body)
		}
		attest := func(email, sub string) servertest.Answer {
			return page(http.MethodPost, "/sessions/attest", object{"profile_id": p.profile, "token": p.token(email, object{"sub": sub})})
		}
		begun := leaves("first sign-in", attest("ada@example.com", "ext-ada"), "public_token: session.started", "public_token: user.created")
		session = begun.String("data", "session_token")
		leaves("sign-in again", attest("ada@example.com", "ext-ada"), "public_token: session.attached")
		leaves("sign-in, conflict", attest("bob@example.com", "ext-ada"))
		leaves("authenticate", page(http.MethodPost, "/sessions/authenticate", nil))
		leaves("extend", page(http.MethodPost, "/sessions/authenticate", object{"session_duration_minutes": 5}), "public_token: session.updated")
		leaves("extend too far", page(http.MethodPost, "/sessions/authenticate", object{"session_duration_minutes": 61}))
		leaves("read", page(http.MethodGet, "/users/me", nil))
		leaves("update", page(http.MethodPut, "/users/me", object{"name": object{"first_name": "Ada"}}), "session: user.updated")
		leaves("update, refused", page(http.MethodPut, "/users/me", object{"name": object{"first_name": "Eve"}, "trusted_metadata": object{}}))
		email := text(at(list(begun, "data", "user", "emails")[0], "email_id"))
		leaves("delete the last address", page(http.MethodDelete, "/users/emails/"+email, nil))
		leaves("events", page(http.MethodPost, "/events", []any{}))
		leaves("revoke", page(http.MethodPost, "/sessions/revoke", nil), "public_token: session.revoked")
		leaves("revoke again", page(http.MethodPost, "/sessions/revoke", nil))

		kim := servertest.Must(t, p.API(http.MethodPost, "/v1/users", object{"email": "kim@example.com", "phone_number": "+442071838750"}))
		session = attest("kim@example.com", "ext-kim").String("data", "session_token")
		leaves("delete an address", page(http.MethodDelete, "/users/emails/"+kim.String("email_id"), nil), "session: user.updated")
		leaves("delete the last number", page(http.MethodDelete, "/users/phone_numbers/"+kim.String("phone_id"), nil))
		assertNowhere(t, db, []string{p.Secret, session, begun.String("data", "session_token"), begun.String("data", "session_jwt")})
	})
}

// assertNowhere checks that no event holds a secret.
func assertNowhere(t *testing.T, db *sql.DB, secrets []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT action, actor_id, object, coalesce(detail, '') FROM events`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var action, actor, object, detail string
		if err := rows.Scan(&action, &actor, &object, &detail); err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if secret == "" || strings.Contains(actor+object+detail, secret) {
				t.Errorf("%s holds a secret: %s %s %s", action, actor, object, detail)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
