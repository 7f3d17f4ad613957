package doctor_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/doctor"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// ward is a database that a server has used, and the keyset.
type ward struct {
	database string
	keyset   countersign.Bearer
	server   *servertest.Server
}

func admit(t *testing.T, database string) ward {
	t.Helper()
	text, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	w := ward{database: database, keyset: countersign.Bearer(text)}
	w.server = servertest.Start(t, database, servertest.Options{Keyset: w.keyset})
	for _, call := range []struct {
		path string
		body map[string]any
	}{
		{"/pwa/v3/projects", map[string]any{"name": "Acme", "vertical": "CONSUMER", "project_slug": "acme"}},
		{"/pwa/v3/projects/acme/environments", map[string]any{"name": "Test", "type": "TEST", "environment_slug": "test", "session_jwt_algorithm": "ES256"}},
	} {
		if a := w.server.Manage("POST", call.path, call.body); a.Status != 200 {
			t.Fatalf("POST %s: %d %s", call.path, a.Status, a.Text)
		}
	}
	return w
}

// examine gives the findings, less those that depend on the machine.
func (w ward) examine(t *testing.T, change func(*doctor.Config)) []doctor.Finding {
	t.Helper()
	c := doctor.Config{Database: w.database, Keyset: w.keyset, Full: true, Now: time.Now}
	if change != nil {
		change(&c)
	}
	findings, err := doctor.Examine(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if trouble := f.Severity != doctor.OK; trouble != (f.Why != "") || trouble != (f.Do != "") || f.What == "" {
			t.Errorf("a finding says too much or too little: %+v", f)
		}
	}
	return slices.DeleteFunc(findings, func(f doctor.Finding) bool { return f.Check == "disk" || f.Check == "connections" })
}

func (w ward) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := storetest.Raw(t, w.database).ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// troubles are the findings that are not OK, as "severity check: what".
func troubles(findings []doctor.Finding) (list []string) {
	for _, f := range findings {
		if f.Severity != doctor.OK {
			list = append(list, fmt.Sprintf("%s %s: %s", f.Severity, f.Check, f.What))
		}
	}
	return list
}

// want checks that there are troubles of these beginnings, and no others.
func want(t *testing.T, findings []doctor.Finding, beginnings ...string) {
	t.Helper()
	list := troubles(findings)
	matches := len(list) == len(beginnings)
	for i := range list {
		matches = matches && strings.HasPrefix(list[i], beginnings[i])
	}
	if !matches {
		t.Errorf("Examine found\n  %s\nwant\n  %s", strings.Join(list, "\n  "), strings.Join(beginnings, "\n  "))
	}
}

func TestWell(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := admit(t, database)
		findings := w.examine(t, nil)
		want(t, findings)
		for _, check := range []string{"schema", "keyset", "signing keys", "references", "clock", "rows"} {
			if !slices.ContainsFunc(findings, func(f doctor.Finding) bool { return f.Check == check }) {
				t.Errorf("nothing is said of %s", check)
			}
		}
		w.server.Stop()
		want(t, w.examine(t, nil))
	})
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	other, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, database string) {
		w := admit(t, database)
		w.server.Stop()
		want(t, w.examine(t, func(c *doctor.Config) { c.Keyset = countersign.Bearer(other) }), "error keyset: COUNTERSIGN_KEYSET is not the keyset that this database began with.")
		want(t, w.examine(t, func(c *doctor.Config) { c.Keyset, c.KeysetFile = "", t.TempDir()+"/none" }), "error keyset: The keyset cannot be read: ")
		want(t, w.examine(t, func(c *doctor.Config) { c.Keyset = "{}" }), "error keyset: COUNTERSIGN_KEYSET: the keyset is not a Tink keyset")

		late := func(d time.Duration) func(*doctor.Config) {
			return func(c *doctor.Config) { c.Now = func() time.Time { return time.Now().Add(d) } }
		}
		overdue := []string{"warning signing keys: acme/test signs with a key of "}
		back := []string{"warning signing keys: acme/test has only keys that begin to sign in the future", "warning clock: The newest event is of "}
		if store.IsPostgres(database) {
			overdue = append([]string{"warning clock: PostgreSQL's clock and this machine's differ by "}, overdue...)
			back = append([]string{"warning clock: PostgreSQL's clock and this machine's differ by "}, back...)
		}
		want(t, w.examine(t, late(182*24*time.Hour)), overdue...)
		want(t, w.examine(t, late(-time.Hour)), back...)

		w.exec(t, `UPDATE environments SET session_token_key = private_key FROM signing_keys`)
		want(t, w.examine(t, nil), "error signing keys: acme/test: open the session token key of ")
		w.exec(t, `UPDATE signing_keys SET private_key = public_key`)
		want(t, w.examine(t, nil), "error signing keys: acme/test: open the session token key of ")
		w.exec(t, `DELETE FROM signing_keys`)
		want(t, w.examine(t, nil), "error signing keys: acme/test has no signing key")
		w.exec(t, `DELETE FROM environments`)
		want(t, w.examine(t, nil), "warning references: 1 row of public_tokens without environments.")
		w.exec(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
		want(t, w.examine(t, nil), "error schema: The schema is 9999; this binary knows schemas up to ")
	})
}

// TestReferences takes away what rows refer to, and then says that it was taken
// away in good order.
func TestReferences(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := admit(t, database)
		w.server.Stop()
		w.exec(t, `INSERT INTO users (environment_id, user_id, status, first_name, middle_name, last_name, trusted_metadata, untrusted_metadata, created_at, organization_id)
			SELECT environment_id, environment_id, 'active', '', '', '', '', '', 1, environment_id FROM environments`)
		w.exec(t, `INSERT INTO person_links SELECT environment_id, environment_id, environment_id, 's', public_key, 1 FROM signing_keys`)
		w.exec(t, `INSERT INTO operator_passes SELECT 'session', 'a', environment_id, public_key, 1, 1 FROM signing_keys`)
		want(
			t, w.examine(t, nil), "warning references: 1 row of person_links without users.",
			"warning references: 1 row of users without organizations.", "warning references: 1 row of operator_passes without operators.",
		)
		w.exec(t, `INSERT INTO departed_organizations SELECT environment_id, environment_id, 1 FROM environments`)
		w.exec(t, `DELETE FROM operator_passes; DELETE FROM person_links`)
		want(t, w.examine(t, nil))
		w.exec(t, `DELETE FROM departed_organizations`)
		w.exec(t, `INSERT INTO departed_environments SELECT environment_id, 1 FROM environments; DELETE FROM environments`)
		want(t, w.examine(t, nil))
	})
}

func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	w := admit(t, storetest.Postgres(t))
	u, err := url.Parse(w.database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	w.exec(t, `ALTER DATABASE `+name+` SET synchronous_commit = off`)
	want(t, w.examine(t, nil), "error durability: synchronous_commit is off.")
	w.exec(t, `ALTER DATABASE `+name+` RESET synchronous_commit`)

	reader := name + "_reader"
	w.exec(t, `CREATE ROLE `+reader+` LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO `+reader)
	t.Cleanup(func() {
		_, _ = storetest.Raw(t, w.database).Exec(`DROP OWNED BY ` + reader + `; DROP ROLE ` + reader)
	})
	u.User = url.User(reader)
	want(t, w.examine(t, func(c *doctor.Config) { c.Database = u.String() }), "error rights: This role may not write to all tables.")

	u.Path = "/" + name + "_not_there"
	want(t, w.examine(t, func(c *doctor.Config) { c.Database = u.String() }), "error server: PostgreSQL does not answer: ")
}
