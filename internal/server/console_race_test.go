package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// TestRacingRedirectURLs adds different URLs at the same moment: none is lost,
// and the default is the one that came first, although a transaction that has to
// run again finds another list than before.
func TestRacingRedirectURLs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := serve(t, database, nil)
		for round := range rounds(40) {
			e := s.NewEnvironmentOf("CONSUMER", "TEST", object{"session_jwt_algorithm": "EdDSA"})
			const writers = 8
			address := func(i int) string { return fmt.Sprintf("https://app%d.example.com/back", i) }
			race(writers, func(i int) {
				a := e.Administer(http.MethodPost, "/redirect_urls", object{"url": address(i), "valid_types": []any{object{"type": "LOGIN"}, object{"type": "SIGNUP"}}})
				if a.Status != http.StatusOK {
					t.Errorf("round %d: add %s: %d %s", round, address(i), a.Status, a.Text)
				}
			})
			expectRedirectURLs(t, e, writers)

			// The default goes, others come, and one loses what it was for.
			first := text(at(list(servertest.Must(t, e.Administer(http.MethodGet, "/redirect_urls/all", nil)), "redirect_urls")[0], "url"))
			race(writers, func(i int) {
				a := e.Administer(http.MethodPost, "/redirect_urls", object{"url": address(writers + i), "valid_types": []any{object{"type": "LOGIN"}, object{"type": "SIGNUP"}}})
				if i == 0 {
					a = e.Administer(http.MethodDelete, "/redirect_urls?url="+url.QueryEscape(first), nil)
				}
				if a.Status != http.StatusOK {
					t.Errorf("round %d, request %d: %d %s", round, i, a.Status, a.Text)
				}
			})
			expectRedirectURLs(t, e, 2*writers-1)
		}
	})
}

// expectRedirectURLs holds an environment against what these races leave: so
// many URLs, each for both types, the oldest their default and no other.
func expectRedirectURLs(t *testing.T, e *servertest.Environment, n int) {
	t.Helper()
	all := list(servertest.Must(t, e.Administer(http.MethodGet, "/redirect_urls/all", nil)), "redirect_urls")
	if len(all) != n {
		t.Errorf("%d redirect URLs, want %d: %v", len(all), n, all)
	}
	for i, u := range all {
		types, _ := at(u, "valid_types").([]any)
		if len(types) != 2 {
			t.Errorf("%v is for %v, want two types", at(u, "url"), types)
		}
		for _, typ := range types {
			if got := at(typ, "is_default") == true; got != (i == 0) {
				t.Errorf("URL %d of %d, %v, is the default of %v: %t", i+1, len(all), at(u, "url"), at(typ, "type"), got)
			}
		}
	}
}

// TestRacingTypesOfOneURL adds one type each to one URL.
func TestRacingTypesOfOneURL(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := serve(t, database, nil)
		types := []string{"LOGIN", "INVITE", "SIGNUP", "RESET_PASSWORD", "DISCOVERY"}
		for round := range rounds(40) {
			e := s.NewEnvironmentOf("CONSUMER", "TEST", object{"session_jwt_algorithm": "EdDSA"})
			race(len(types), func(i int) {
				servertest.Must(t, e.Administer(http.MethodPost, "/redirect_urls", object{"url": "https://app.example.com", "valid_types": []any{object{"type": types[i]}}}))
			})
			got := list(servertest.Must(t, e.Administer(http.MethodGet, "/redirect_urls?url=https://app.example.com", nil)), "redirect_url", "valid_types")
			if len(got) != len(types) {
				t.Errorf("round %d: %v, want all of %v", round, got, types)
			}
		}
	})
}

// TestRacingSDKBlocks changes each block of a configuration at the same moment.
func TestRacingSDKBlocks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := serve(t, database, nil)
		for path, blocks := range map[string][]string{
			"CONSUMER": {"basic", "oauth", "totps", "webauthn", "crypto_wallets", "biometrics", "passwords", "user_impersonation"},
			"B2B":      {"basic", "oauth", "totps", "magic_links", "sso", "passwords", "user_impersonation"},
		} {
			vertical, path := path, map[string]string{"CONSUMER": "/sdk/consumer", "B2B": "/sdk/b2b"}[path]
			for round := range rounds(40) {
				e := s.NewEnvironmentOf(vertical, "TEST", object{"session_jwt_algorithm": "EdDSA"})
				race(len(blocks), func(i int) {
					servertest.Must(t, e.Administer(http.MethodPut, path, object{"config": object{blocks[i]: object{"enabled": true}}}))
				})
				config := servertest.Must(t, e.Administer(http.MethodGet, path, nil))
				for _, block := range blocks {
					if config.At("config", block, "enabled") != true {
						t.Errorf("%s, round %d: %s was lost", vertical, round, block)
					}
				}
			}
		}
	})
}

// TestConfigurationOfAVanishingEnvironment writes configurations while their
// environment is deleted: a write comes before, or finds no environment.
func TestConfigurationOfAVanishingEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := serve(t, database, nil)
		writes := []struct {
			method, path string
			body         any
		}{
			{http.MethodPut, "/sdk/consumer", object{"config": object{"basic": object{"enabled": true}}}},
			{http.MethodPost, "/redirect_urls", object{"url": "https://app.example.com"}},
			{http.MethodPut, "/rbac_policy", object{}},
			{http.MethodPut, "/jwt_templates/SESSION", object{"template_content": "{}"}},
			{http.MethodDelete, "", nil},
		}
		for round := range rounds(60) {
			e := s.NewEnvironmentOf("CONSUMER", "TEST", object{"session_jwt_algorithm": "EdDSA"})
			answers := make([]servertest.Answer, len(writes))
			race(len(writes), func(i int) { answers[i] = e.Administer(writes[i].method, writes[i].path, writes[i].body) })
			for i, a := range answers {
				if a.Status != http.StatusOK {
					refusedAs(t, fmt.Sprintf("round %d, %s %s", round, writes[i].method, writes[i].path), a, http.StatusNotFound, "environment_not_found")
				}
			}
		}
	})
}
