package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestKeySetMetrics attests by a key set and looks for its health in a scrape.
func TestKeySetMetrics(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	profile := w.manage(http.MethodPost, w.path(profilesPath), fmt.Sprintf(
		`{"name": "jwk", "issuer": %q, "audience": "countersign", "public_key_type": "JWK", "jwks_url": %q,
		  "can_jit_provision": true, "attribute_mapping": {"email": "email", "token_id": "jti"}}`, w.issuer.URL(), w.issuer.JWKSURL()))
	w.must(w.call(http.MethodPost, "/v1/sessions/attest", w.basic, fmt.Sprintf(`{"profile_id": %q, "token": %q}`, at(profile, "profile", "profile_id"), w.token)))

	scrape := httptest.NewRecorder()
	w.Private().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	source := fmt.Sprintf(`environment=%q,`, w.names["project_id"])
	url := fmt.Sprintf(`url=%q`, w.issuer.JWKSURL())
	for _, line := range []string{
		"countersign_key_set_state{" + source + `state="fresh",` + url + "} 1\n",
		"countersign_key_set_keys{" + source + `kind="usable",` + url + "} 1\n",
		"countersign_key_set_keys{" + source + `kind="skipped",` + url + "} 0\n",
		"countersign_key_set_failing{" + source + url + "} 0\n",
		"countersign_key_set_requests_total{" + source + `outcome="changed",` + url + "} 1\n",
		"countersign_key_set_age_seconds{" + source + url + "} ",
	} {
		if !strings.Contains(scrape.Body.String(), line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if t.Failed() {
		t.Log(scrape.Body)
	}
}
