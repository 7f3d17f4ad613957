package servertest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// TestWitnessNotices doctors exchanges that are right. The witness has nothing
// against them before, and says what is wrong after.
func TestWitnessNotices(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	w, err := servertest.NewWitness(document)
	if err != nil {
		t.Fatal(err)
	}
	const (
		profiles = "/pwa/v3/projects/p/environments/e/trusted_token_profiles"
		profile  = `{"name": "n", "audience": "a", "issuer": "i", "public_key_type": "PEM", "pem_files": ["k"]}`
		created  = `{"request_id": "r", "status_code": 200, "profile": {"profile_id": "p", "name": "n", "audience": "a", "issuer": "i",
			"public_key_type": "PEM", "jwks_url": null, "pem_files": [], "attribute_mapping": null, "can_jit_provision": true, "trust_policy": {"algorithms": null, "audiences": null,
			"required_typ": "", "clock_skew_seconds": 30, "max_token_lifetime_seconds": 0, "max_token_age_seconds": 0, "one_time_tokens": false,
			"subject_claim": "", "email_trust": "issuer", "email_domains": null, "on_sign_in": null, "role_ids_allowed": null, "organization_id": "",
			"jit_domains": null, "jit_per_hour": 0, "conditions": null, "mode": "enforce", "tests": null}}}`
		secret  = `{"request_id": "r", "status_code": 200, "secret": {"secret_id": "s", "last_four": "abcd", "created_at": "2026-01-05T10:00:00Z", "used_at": null}}`
		metrics = `{"request_id": "r", "status_code": 200, "metrics": {"user_count": 1, "organization_count": 0, "member_count": 0, "m2m_client_count": 0}}`
		refusal = `{"status_code": 404, "request_id": "r", "error_type": "t", "error_message": "m", "error_url": "u"}`
		done    = `{"request_id": "r", "status_code": 200}`
	)
	environment := "/pwa/v3/projects/p/environments/e"
	for _, c := range []struct {
		why                            string
		method, path, sent             string
		status                         int
		answer, doctored, sentDoctored string // by what "old → new" says
		want                           string
	}{
		{"null in a required text", "POST", profiles, profile, 200, created, `"name": "n" → "name": null`, "", "nullable"},
		{"null in a required list", "POST", profiles, profile, 200, created, `"pem_files": [] → "pem_files": null`, "", "profile.pem_files is required and null"},
		{"a required member is missing", "POST", profiles, profile, 200, created, `"issuer": "i", → `, "", `"issuer" is missing`},
		{"an unknown value", "POST", profiles, profile, 200, created, `"PEM" → "RAW"`, "", "allowed values"},
		{"another type", "POST", profiles, profile, 200, created, `"can_jit_provision": true → "can_jit_provision": "yes"`, "", "boolean"},
		{"a member that the document lacks", "POST", profiles, profile, 200, created, `"jwks_url": null → "jwks_url": null, "new": 1`, "", "profile.new is not in the document"},
		{"an empty moment", "GET", environment + "/secrets/s", "", 200, secret, `"2026-01-05T10:00:00Z" → ""`, "", "secret.created_at is a moment and empty"},
		{"a moment that is none", "GET", environment + "/secrets/s", "", 200, secret, `"2026-01-05T10:00:00Z" → "yesterday"`, "", "date-time"},
		{"a number out of bounds", "GET", environment + "/metrics", "", 200, metrics, `"user_count": 1 → "user_count": -1`, "", "at least 0"},
		{"a number that is not whole", "GET", environment + "/metrics", "", 200, metrics, `"user_count": 1 → "user_count": 1.5`, "", "integer"},
		{"an error without its type", "GET", environment + "/secrets/s", "", 404, refusal, `"error_type": "t", → `, "", `"error_type" is missing`},
		{"an error of an unknown path", "GET", "/v9", "", 404, refusal, `"m" → null`, "", "nullable"},
		{"not JSON", "GET", "/healthz", "", 200, done, `{ → <`, "", "not JSON"},
		{"a request that lacks what is required", "POST", profiles, profile, 200, created, "", `"name": "n", → `, `"name" is missing`},
		{"a request out of the enumeration", "POST", profiles, profile, 200, created, "", `"PEM" → "RAW"`, "allowed values"},
		{"no request where one is required", "POST", profiles, profile, 200, created, "", profile + ` → `, "requires a body"},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			exchange := servertest.Exchange{Request: httptest.NewRequest(c.method, c.path, http.NoBody), Sent: []byte(c.sent), Status: c.status, Answer: []byte(c.answer)}
			if problems := w.Problems(exchange); problems != nil {
				t.Fatalf("the exchange is right, and the witness says %q", problems)
			}
			exchange.Answer, exchange.Sent = doctor(t, c.answer, c.doctored), doctor(t, c.sent, c.sentDoctored)
			if got := strings.Join(w.Problems(exchange), "\n"); !strings.Contains(got, c.want) {
				t.Errorf("the witness says %q, want %q", got, c.want)
			}
		})
	}

	get := httptest.NewRequest(http.MethodGet, "/healthz", http.NoBody)
	for status, want := range map[int]string{http.StatusOK: "", http.StatusCreated: "no status 201"} {
		if got := strings.Join(w.Problems(servertest.Exchange{Request: get, Status: status, Answer: []byte(done)}), "\n"); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("status %d: the witness says %q, want %q", status, got, want)
		}
	}
	unknown := httptest.NewRequest(http.MethodGet, "/v9", http.NoBody)
	if got := w.Problems(servertest.Exchange{Request: unknown, Status: http.StatusOK, Answer: []byte(done)}); len(got) != 1 {
		t.Errorf("a success of an unknown path: the witness says %q", got)
	}
}

// doctor replaces what stands before the arrow by what stands after it.
func doctor(t *testing.T, text, change string) []byte {
	t.Helper()
	before, after, found := strings.Cut(change, " → ")
	if !found {
		return []byte(text)
	}
	if !strings.Contains(text, before) {
		t.Fatalf("%s is not in %s", before, text)
	}
	return []byte(strings.Replace(text, before, after, 1))
}

// TestWitnessRefusesDocuments gives it documents that are none.
func TestWitnessRefusesDocuments(t *testing.T) {
	t.Parallel()
	for _, document := range []any{
		"text",
		map[string]any{"openapi": "3.0.3", "info": map[string]any{"title": "t"}, "paths": map[string]any{}}, // no version
		map[string]any{"openapi": "3.0.3", "info": map[string]any{"title": "t", "version": "1"}, "paths": map[string]any{"/a": map[string]any{"get": map[string]any{}}}},
	} {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := servertest.NewWitness(text); err == nil {
			t.Errorf("the witness takes %s", text)
		}
	}
}
