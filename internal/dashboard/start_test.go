package dashboard_test

import (
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestQuickStartOfMembers finds the calls of the vertical, and the organization in
// them only where the profile does not say which.
func TestQuickStartOfMembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		b := newBusiness(t, database)
		ada := b.operator("Ada", "viewer")
		p := ada.get(b.base + "/start")
		code := content(p.root)
		for _, want := range []string{"/v1/b2b/sessions/attest", "b2bstytchapi.NewClient", "stytch.B2BClient", `["member_session"]["member_session_id"]`, b.profile, "as the token or the profile says"} {
			if !strings.Contains(code, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		for _, word := range []string{b.organization, "BASE", "PROJECT", "PROFILE", "PATH", "CLIENT", "stytch/consumer"} {
			if strings.Contains(code, word) {
				t.Errorf("the page says %s", word)
			}
		}
		id := b.Profile("https://other.example", map[string]any{"public_key_type": "JWK", "jwks_url": "https://other.example/keys", "attribute_mapping": map[string]any{"email": "email", "token_id": "jti"}})
		if code := content(ada.get(b.base + "/start").root); strings.Count(code, b.organization) != 7 || !strings.Contains(code, id) {
			t.Errorf("the organization is named %d times", strings.Count(code, b.organization))
		}
	})
}
