package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// TestReplay asks what an edit would have changed, and changes nothing.
func TestReplay(t *testing.T) {
	t.Parallel()
	each(t, servertest.Options{}, func(t *testing.T, r *rig) {
		s := newScene(t, r)
		b := r.operator("Ada", "editor")
		edit := r.base + "/profiles/" + s.profile
		form := fields(b.get(edit + "/edit"))
		for _, test := range []struct{ field, value, want string }{
			{"audience", "countersign", "2 verdicts, of which 2 would be the same."},
			{"audience", "elsewhere", "2 verdicts, of which 1 would be the same."},
			{"since", "1ns", "0 verdicts, of which 0 would be the same."},
		} {
			form.Set(test.field, test.value)
			p := b.post(edit+"/replay", form)
			if text := content(p.root); p.status != http.StatusOK || !strings.Contains(text, test.want) || strings.Contains(text, "audience mismatch") != strings.Contains(test.want, "which 1") {
				t.Errorf("%s=%s: %d lacks %q: %s", test.field, test.value, p.status, test.want, text)
			}
		}
		for field, want := range map[string]string{"since": "bad_request", "trust_policy": "trust_policy_invalid_setting", "issuer": "trusted_token_profile_invalid_request"} {
			bad := fields(b.get(edit + "/edit"))
			bad.Set(field, map[string]string{"since": "soon", "trust_policy": "{", "issuer": ""}[field])
			if p := b.post(edit+"/replay", bad); p.status != http.StatusBadRequest || p.problem() != want {
				t.Errorf("%s: %d %s, want %s", field, p.status, p.problem(), want)
			}
		}
		if a := r.Administer(http.MethodGet, "/trusted_token_profiles/"+s.profile, nil); a.String("profile", "audience") != "countersign" {
			t.Errorf("the replay saved: %s", a.Text)
		}
	})
}
