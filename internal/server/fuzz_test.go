package server_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// FuzzJSONBody sends bodies to the two endpoints that read the most of them. No
// body is the server's fault, and every answer obeys the rules of all answers.
func FuzzJSONBody(f *testing.F) {
	w := newInputWorld(f, serverOptions{})
	bodies := w.bodies()
	for _, route := range []string{"POST /v1/sessions/attest", "POST " + profilesPath} {
		f.Add(bodies[route])
	}
	for _, body := range notObjects(64 << 10) {
		if len(body) < 100 { // the fuzzer takes its time over long ones
			f.Add(body)
		}
	}
	for _, seed := range []string{
		`{"profile_id": "trusted-token-profile-test-00000000-0000-4000-8000-000000000001", "token": "a.b.c"}`,
		`{"session_custom_claims": {"a": {"b": null}, "https://stytch.com/": 1}, "session_duration_minutes": 1e2}`,
		`{"name": "n", "issuer": "i", "audience": "a", "public_key_type": "PEM", "pem_files": ["-----BEGIN PUBLIC KEY-----"], "attribute_mapping": {"email": ["\u0000"]}}`,
		`{"NAME": "n", "naMe": "m", "name": null, "attribute_mapping": null, "pem_files": null}`,
	} {
		f.Add(seed)
	}
	targets := []string{"/v1/sessions/attest", w.path(profilesPath)}
	f.Fuzz(func(t *testing.T, body string) {
		for _, target := range targets {
			answer := w.call(http.MethodPost, target, w.authorization(target), body)
			expectOrderly(t, target, answer)
			if !json.Valid([]byte(body)) && body != "" && answer.status != http.StatusBadRequest {
				t.Errorf("%s takes what is not JSON: %d %s", target, answer.status, answer.body)
			}
		}
	})
}
