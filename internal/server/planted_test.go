package server_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestPlantedSecrets lives through a day of a server, good and bad requests, and
// looks for every credential that passed in all that others may read: the log at
// its most talkative, error bodies, metrics, audit events, and the database, in
// which no credential stands in the clear.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		log := &lockedLog{}
		p := &planting{inputWorld: newInputWorld(t, serverOptions{database: database, log: log})}
		p.plant("the workspace's secret", localKeySecret)
		p.liveThroughADay()

		metrics := httptest.NewRecorder()
		p.Private().ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		for _, line := range []string{
			`countersign_subject_tokens_total{reason="accepted"} `, `countersign_subject_tokens_total{reason="signature_invalid"} `,
			`countersign_sessions_total{change="started"} `, `countersign_http_request_seconds_count{route="POST /v1/sessions/attest",status="200"} `,
		} {
			if !strings.Contains(metrics.Body.String(), line) {
				t.Errorf("the metrics lack %s:\n%s", line, metrics.Body)
			}
		}
		rows := dump(t, database)
		if !strings.Contains(rows["events"], "session.started") || !strings.Contains(rows["verdicts"], "signature_invalid") || !strings.Contains(log.String(), "signature_invalid") {
			t.Fatalf("the day left no trace")
		}
		for _, secret := range p.planted {
			for place, text := range map[string]string{
				"the log": log.String(), "an error": p.errors.String(), "the metrics": metrics.Body.String(), "an audit event": rows["events"],
			} {
				expectNowhere(t, secret, place, text)
			}
			if secret.kept {
				continue // claims and metadata are what sessions and users are for
			}
			for table, text := range rows {
				expectNowhere(t, secret, "table "+table, text)
			}
		}
	})
}

// planting is a world that remembers what must not be found.
type planting struct {
	*inputWorld
	planted []secret
	errors  strings.Builder
}

type secret struct {
	what, text string
	kept       bool // in the database, where it belongs
}

func (p *planting) plant(what, text string) string {
	p.t.Helper()
	if len(text) < 12 {
		p.t.Fatalf("%s is %q, too short to look for", what, text)
	}
	p.planted = append(p.planted, secret{what: what, text: text})
	return text
}

func (p *planting) plantKept(what, text string) string {
	p.plant(what, text)
	p.planted[len(p.planted)-1].kept = true
	return text
}

// plantToken plants a JWT whole and its signature alone.
func (p *planting) plantToken(what, token string) string {
	p.plant("the signature of "+what, token[strings.LastIndexByte(token, '.')+1:])
	return p.plant(what, token)
}

func expectNowhere(t *testing.T, s secret, place, text string) {
	t.Helper()
	for _, form := range []string{s.text, jsonText(s.text), fmt.Sprintf("%x", s.text)} {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s stands in %s: …%.200s…", s.what, place, text[max(0, i-100):])
			return
		}
	}
}

// send makes a request and keeps the body of a refusal.
func (p *planting) send(method, target, authorization, body string) reply {
	a := p.call(method, target, authorization, body)
	if a.status != http.StatusOK {
		p.errors.Write(a.body)
	}
	return a
}

func (p *planting) post(target, body string, args ...any) reply {
	return p.send(http.MethodPost, target, p.authorization(target), fmt.Sprintf(body, args...))
}

func (p *planting) liveThroughADay() {
	base := p.path(environmentPath)
	profile := p.names["profile_id"]

	// Secrets: made, used, guessed at, deleted.
	made := p.must(p.post(base+"/secrets", ""))
	value := p.plant("a secret", text(at(made, "secret", "secret")))
	p.send(http.MethodGet, "/v1/sessions?user_id="+p.names["user_id"], basicHeader(p.names["project_id"], value), "")
	p.send(http.MethodGet, "/v1/sessions", basicHeader(p.names["project_id"], p.plant("a wrong secret", "secret-test-wrong-guess-0123456789")), "")
	p.send(http.MethodGet, "/v1/sessions", basicHeader(p.plant("a secret in the place of a user name", value+"-as-user"), value), "")
	p.send(http.MethodGet, "/v1/sessions", "Bearer "+value, "")
	p.send(http.MethodGet, projectsPath, "Bearer "+localKeyID+":"+p.plant("a wrong workspace secret", "workspace-secret-wrong-0123456789"), "")
	p.send(http.MethodGet, projectsPath, basicHeader(p.plant("a workspace secret in the place of its ID", localKeySecret+"-as-id"), "x"), "")
	p.send(http.MethodDelete, base+"/secrets/"+text(at(made, "secret", "secret_id")), p.authorization(base), "")
	p.send(http.MethodGet, "/v1/users/ext-7", basicHeader(p.names["project_id"], value), "")
	p.send(http.MethodGet, "/v1/users/"+value, p.basic, "")
	p.send(http.MethodGet, "/v1/no-such-route/"+value+"?session_token="+value, p.basic, "")
	p.send(value, "/v1/users", p.basic, "")

	// Subject tokens: believed, and refused for each kind of reason.
	claims := func(more map[string]any) map[string]any {
		all := map[string]any{"aud": "countersign", "email": "ada@example.com", "ssn": p.plant("a claim that nobody maps", "claim-value-078-05-1120")}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	attest := func(token, more string) reply {
		return p.post("/v1/sessions/attest", `{"profile_id": %q, "token": %q%s}`, profile, token, more)
	}
	misplaced := "-----BEGIN PRIVATE " + "KEY-----\n" + p.plant("a private key in the place of a token", "MC4CAQAwBQYDK2VwBCIEIHb0OrbIPxS7RtOyXxZIUqJTA0o2") + "\n-----END PRIVATE " + "KEY-----\n"
	good := p.plantToken("a subject token", p.issuer.Mint(claims(nil)))
	custom := p.plantKept("a custom claim", "custom-claim-value-4711")
	begun := p.must(attest(good, `, "session_duration_minutes": 60, "session_custom_claims": {"card": "`+custom+`"}`))
	// Explained and tried: neither says it back, nor keeps it.
	sample := p.plantToken("an explained token", p.issuer.Mint(claims(nil)))
	for _, a := range []reply{
		p.post(base+"/trusted_token_profiles/"+profile+"/explain", `{"token": %q}`, sample),
		p.post(base+"/trusted_token_profiles/"+profile+"/explain", `{"claims": {"ssn": "claim-value-078-05-1120"}}`),
		p.post(base+"/trusted_token_profiles/"+profile+"/replay", `{"since": "2020-01-01T00:00:00Z", "profile": {"audience": "other"}}`),
		p.send(http.MethodGet, base+"/verdicts", p.authorization(base), ""),
	} {
		p.must(a)
		p.errors.Write(a.body) // which must hold as little
	}
	for what, token := range map[string]string{
		"an expired token":          p.issuer.Mint(claims(nil), issuertest.Expired()),
		"a forged token":            p.issuer.Mint(claims(nil), issuertest.WrongKey()),
		"a token without address":   p.issuer.Mint(claims(map[string]any{"email": nil})),
		"a token of a bad address":  p.issuer.Mint(claims(map[string]any{"email": p.plant("a bad address", "not an address at all <x@y>")})),
		"a token of a bad token_id": p.issuer.Mint(claims(map[string]any{"jti": map[string]any{"x": p.plant("a claim of the wrong type", "nested-claim-value-99")}})),
		"a token of no algorithm":   p.issuer.Mint(claims(nil), issuertest.Header("alg", "none")),
		"a critical token":          p.issuer.Mint(claims(nil), issuertest.Header("crit", []string{"x"})),
	} {
		if a := attest(p.plantToken(what, token), `, "session_duration_minutes": 60`); a.status == http.StatusOK {
			p.t.Errorf("%s was believed", what)
		}
		p.must(p.post(base+"/trusted_token_profiles/propose", `{"token": %q}`, token))
	}
	for _, token := range []string{good, p.issuer.Mint(claims(nil)), p.issuer.Mint(claims(map[string]any{"aud": "elsewhere"})), misplaced} {
		p.sayWhy(profile, token)
	}
	p.post(base+"/trusted_token_profiles/propose", `{"token": %q}`, p.plant("words in the place of a sample", "my password is swordfish"))
	attest(p.plant("a token of the wrong form", good+".and-more"), "")
	attest(p.plant("words in the place of a token", "my password is hunter2hunter2"), "")

	// Session tokens and JWTs: used, mixed up, broken, revoked.
	token := p.plant("a session token", text(begun["session_token"]))
	jwt := p.plantToken("a session JWT", text(begun["session_jwt"]))
	authenticate := "/v1/sessions/authenticate"
	p.post(authenticate, `{"session_token": %q, "session_custom_claims": {"card": "%s"}, "session_duration_minutes": 90}`, token, custom)
	p.post(authenticate, `{"session_jwt": %q}`, jwt)
	p.post(authenticate, `{"session_jwt": %q}`, token)
	p.post(authenticate, `{"session_token": %q}`, jwt)
	p.post(authenticate, `{"session_token": %q, "session_jwt": %q}`, token, jwt)
	p.post(authenticate, `{"session_token": [%q]}`, token)
	p.post(authenticate, `{"session_token": %q`, token)
	p.post(authenticate, `{"session_token": %q, "authorization_check": {"resource_id": "documents", "action": "read"}}`, token)
	p.post(authenticate, `{"session_token": %q, "session_custom_claims": {"big": "%s"}}`, token, strings.Repeat(p.plant("a claim too large", "too-large-claim-value"), 300))
	p.post(authenticate, `{"session_jwt": %q}`, p.plant("a JWT that is not ours", good+"x"))
	attest(jwt, "")
	attest(good, `, "session_token": "`+token+`"`)
	p.post("/v1/sessions/revoke", `{"session_id": %q}`, token)
	p.send(http.MethodGet, "/v1/sessions?user_id="+token, p.basic, "")
	p.post("/v1/sessions/revoke", `{"session_token": %q}`, token)
	p.post(authenticate, `{"session_token": %q}`, token)

	// Pages: the session stands in a header, and what is refused is told to nobody but the log.
	page := func(session string) string { return basicHeader(p.names["public_token"], session) }
	attestPage := "/sdk/v1/sessions/attest"
	w := p.send(http.MethodPost, attestPage, page(p.names["public_token"]), fmt.Sprintf(`{"profile_id": %q, "token": %q}`, profile, good))
	pageToken := p.plant("a page's session token", text(at(p.must(w), "data", "session_token")))
	p.plantToken("a page's session JWT", text(at(p.must(w), "data", "session_jwt")))
	for _, session := range []string{pageToken, p.plant("a page's token that is none", "page-session-token-0815"), good} {
		p.send(http.MethodPost, attestPage, page(session), fmt.Sprintf(`{"profile_id": %q, "token": %q}`, profile, good+"x"))
		p.send(http.MethodGet, "/sdk/v1/users/me", page(session), "")
		p.send(http.MethodPut, "/sdk/v1/users/me", page(session), fmt.Sprintf(`{"trusted_metadata": {"note": "%s"}}`, p.plant("trusted metadata of a page", "trusted-metadata-of-a-page")))
		p.send(http.MethodDelete, "/sdk/v1/users/emails/"+session, page(session), "")
		p.send(http.MethodGet, "/sdk/v1/projects/bootstrap/"+session, "", "")
		p.send(http.MethodPost, "/sdk/v1/events", "", session)
	}
	p.send(http.MethodPost, "/sdk/v1/sessions/revoke", page(pageToken), "")
	p.send(http.MethodPost, "/sdk/v1/sessions/authenticate", page(pageToken), "{}")

	// People: metadata is theirs.
	p.post("/v1/users", `{"email": "grace@example.com", "trusted_metadata": {"note": "%s"}}`, p.plantKept("metadata", "metadata-value-of-grace"))
	p.post("/v1/users", `{"email": "%s"}`, "grace@example.com")
	p.post("/v1/users", `{"phone_number": %q}`, p.plant("a number that is none", "call me on +1 650 555 0100"))

	p.post("/v1/users/import", `{"users": [{"email": "eve@example.com", "trusted_metadata": {"note": "%s"}}, {"email": "grace@example.com", "untrusted_metadata": {"note": "%s"}},
		{"phone_number": "%s"}, {"email": ["%s"]}, "%s"]}`, p.plantKept("metadata of an import", "metadata-value-of-eve"), p.plant("metadata of a line that was refused", "metadata-value-refused"),
		p.plant("a number of an import that is none", "phone me at 555 0199"), p.plant("an address of the wrong type", "address-in-a-list"), p.plant("a line of the wrong type", "line-that-is-a-string"))
	p.send(http.MethodPut, p.path("/v1/users/{user_id}"), p.basic, fmt.Sprintf(`{"trusted_metadata": {"note": "%s"}}`, p.plantKept("metadata of an update", "metadata-value-of-ada")))
	p.send(http.MethodPut, p.path("/v1/users/{user_id}"), p.basic, fmt.Sprintf(`{"trusted_metadata": "%s"}`, p.plant("metadata that is none", "metadata-that-is-text")))
	p.post("/v1/users/search", `{"query": {"operator": "AND", "operands": [{"filter_name": "email_address", "filter_value": ["%s"]}]}}`, p.plant("an address that is searched", "looked-for@example.com"))
	p.post("/v1/users/search", `{"query": {"operator": "AND", "operands": [{"filter_name": "status", "filter_value": "%s"}]}}`, p.plant("a status that is none", "status-value-0815"))
	p.post("/v1/users/search", `{"cursor": "%s"}`, p.plant("a cursor that is none", "cursor-value-0815"))

	// Profiles: a private key that was sent by mistake must not stay.
	private := p.plant("the body of a private key", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg")
	begin, end := "-----BEGIN PRIVATE "+`KEY-----\n`, `\n-----END PRIVATE `+`KEY-----\n`
	p.post(p.path(profilePath)+"/keys", `{"public_key": "%s%s%s"}`, begin, private, end)
	p.post(p.path(profilesPath), `{"name": "x", "issuer": "i", "audience": "a", "public_key_type": "PEM", "pem_files": ["%s%s%s"]}`, begin, private, end)
	p.post(p.path(profilesPath), `{"name": "x", "issuer": "i", "audience": "a", "public_key_type": "JWK", "jwks_url": "https://u:%s@idp.example.com/"}`,
		p.plant("the password of a URL", "url-password-0123456789"))
	p.post(base+"/signing_keys/rotate", "")

	// Destinations of events: shown to who gives them, and to nobody later.
	for _, config := range []string{
		`"DATADOG", "destination_config": {"datadog": {"api_key": "` + p.plant("an API key", "0123456789abcdef0123456789abcdef") + `"}}`,
		`"GRAFANA_LOKI", "destination_config": {"grafana_loki": {"hostname": "logs.example.com", "username": "u", "password": "` + p.plant("a password", "loki-password-0123456789") + `"}}`,
	} {
		typ := strings.Split(config, `"`)[1]
		p.must(p.post(base+"/event_log_streaming", `{"destination_type": %s}`, config))
		p.must(p.post(base+"/event_log_streaming/"+typ+"/enable", ""))
		p.post(base+"/event_log_streaming", `{"destination_type": %s}`, config)
		p.must(p.send(http.MethodPut, base+"/event_log_streaming/"+typ, p.authorization(base), `{"destination_type": `+config+`}`))
		p.errors.Write(p.send(http.MethodGet, base+"/event_log_streaming/"+typ, p.authorization(base), "").body)
		if typ == "DATADOG" {
			p.must(p.send(http.MethodDelete, base+"/event_log_streaming/"+typ, p.authorization(base), ""))
		}
	}
}

// sayWhy sends a token to everything that says why one is refused, and keeps
// every answer, which nobody who has none of the tokens may learn one from.
func (p *planting) sayWhy(profile, token string) {
	base := p.path(environmentPath)
	path := base + "/trusted_token_profiles/" + profile
	if strings.Count(token, ".") == 2 {
		p.plantToken("a token to be explained", token)
	}
	keep := func(a reply) { p.errors.Write(a.body) }
	attested := p.post("/v1/sessions/attest", `{"profile_id": %q, "token": %q}`, profile, token)
	var body map[string]any
	if err := json.Unmarshal(attested.body, &body); err != nil {
		p.t.Fatal(err)
	}
	found := p.send(http.MethodGet, base+"/verdicts/"+text(body["request_id"]), p.authorization(base), "")
	explained := p.post(path+"/explain", `{"token": %q}`, token)
	p.must(found)
	p.must(explained)
	keep(found)
	keep(explained)
	keep(p.send(http.MethodGet, base+"/verdicts", p.authorization(base), ""))
	keep(p.send(http.MethodGet, base+"/verdicts/"+url.PathEscape(token), p.authorization(base), ""))
	keep(p.send(http.MethodGet, base+"/verdicts?cursor="+url.QueryEscape(token), p.authorization(base), ""))
	keep(p.post(path+"/explain", `{"token": %q, "profile": {"trust_policy": {"conditions": ["int(claims.ssn) > 1"]}}}`, token))
	keep(p.post(path+"/explain", `{"token": %q, "profile": {"attribute_mapping": {"email": "ssn", "token_id": "cel:string(int(claims.ssn))"}}}`, token))
	keep(p.post(path+"/explain", `{"token": %q, "profile": {"audience": ""}}`, token))
	keep(p.post(path+"/explain", `{"token": [%q]}`, token))
	keep(p.post(path+"/explain", `{"claims": {"ssn": %q, "email": "ada@example.com"}}`, token))
	keep(p.post(path+"/explain", `{"claims": {"ssn": %q, "ssn": 1}}`, token))
	keep(p.post(path+"/explain", `{"claims": %q}`, token))
	keep(p.post(path+"/replay", `{"since": "2020-01-01T00:00:00Z", "profile": {"audience": "elsewhere"}}`))
	keep(p.post(path+"/replay", `{"since": %q}`, token))
	keep(p.post(path+"/test", `{"profile": {"trust_policy": {"tests": [{"name": "a", "claims": {"ssn": %q}, "expect": {"reason": "expired"}}]}}}`, token))
	keep(p.post(base+"/revocations", `{"session_id": %q}`, token))
	keep(p.post(base+"/revocations", `{"user_id": %q}`, token))
	keep(p.post(base+"/revocations", `{"profile_id": %q, "dry_run": true}`, token))
	keep(p.post(base+"/revocations", `{"attested_before": %q}`, token))
	keep(p.send(http.MethodGet, base+"/revocations", p.authorization(base), ""))
}

// dump is every row of every table as text, bytes also as they are.
func dump(t *testing.T, database string) map[string]string {
	t.Helper()
	db := storetest.Raw(t, database)
	all := map[string]string{}
	for _, table := range tables(t, db, database) {
		all[table] = dumpTable(t, db, table)
	}
	return all
}

// tables are the names of all tables.
func tables(t *testing.T, db *sql.DB, database string) (names []string) {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if store.IsPostgres(database) {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func dumpTable(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	var b strings.Builder
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, column := range row {
			fmt.Fprintf(&b, "%s %x\n", column, column)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
