package dashboard_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestSDKSettings saves what pages and apps may, and leaves what the form does not have.
func TestSDKSettings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		consumer := newRig(t, database, servertest.Options{})
		business := consumer.business()
		for _, test := range []struct {
			name, vertical, domains string
			r                       *rig
			domain                  any
			before                  map[string]any
			kept                    []string
		}{
			{
				"users", "consumer", "https://app.example.com\n\n", consumer, "https://app.example.com",
				map[string]any{"passwords": map[string]any{"enabled": true}},
				[]string{"passwords", "enabled"},
			},
			{
				"members", "b2b", "https://app.example.com  https://{{slug}}.example.com\r\n", business,
				map[string]any{"domain": "https://app.example.com", "slug_pattern": "https://{{slug}}.example.com"},
				map[string]any{"basic": map[string]any{"allow_self_onboarding": true}},
				[]string{"basic", "allow_self_onboarding"},
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				path := "/sdk/" + test.vertical
				test.r.Administer(http.MethodPut, path, map[string]any{"config": test.before})
				b := test.r.operator("Ada "+test.name, "owner")
				form := url.Values{"enabled": {"on"}, "domains": {test.domains}, "bundles": {"com.example.app"}, "minutes": {"90"}, "cookies": {"ENFORCED"}}
				if p := b.post(test.r.base+"/settings/sdk", form); p.status != http.StatusSeeOther {
					t.Fatalf("%d %s", p.status, p.heading())
				}
				saved := test.r.Administer(http.MethodGet, path, nil)
				domains, _ := saved.At("config", "basic", "domains").([]any)
				if len(domains) != 1 || !reflect.DeepEqual(domains[0], test.domain) || saved.At("config", "basic", "enabled") != true ||
					saved.At("config", "cookies", "http_only") != "ENFORCED" || saved.At(append([]string{"config"}, test.kept...)...) != true {
					t.Errorf("saved %v", saved.At("config"))
				}
				shown := b.get(test.r.base + "/settings")
				for _, part := range []string{strings.Join(strings.Fields(test.domains), " "), "com.example.app", `value="90"`, "<option selected>ENFORCED"} {
					if !strings.Contains(shown.text, part) {
						t.Errorf("the page lacks %s", part)
					}
				}
			})
		}
	})
}
