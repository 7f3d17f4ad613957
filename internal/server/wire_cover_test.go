package server_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestGoldenCovers holds the golden exchanges against what they must show: a
// success of every route, every error that the contract and error.go name, and
// every reason for which a token is refused.
func TestGoldenCovers(t *testing.T) {
	t.Parallel()
	if *updateGolden {
		t.Skip("the files are being rewritten; run the tests again")
	}
	shown, succeeded := goldenResponses(t)

	var routes []string
	for _, route := range newServer(t, serverOptions{}).Routes() {
		routes = append(routes, route.Method+" "+route.Pattern)
	}
	succeeded = append(succeeded, "GET /openapi.json") // shown by docs/openapi.json
	// What this server never makes can be neither deleted nor revoked: these
	// answer "not found" to everybody (users.md §2).
	neverMade := []string{
		"DELETE /v1/users/webauthn_registrations/{webauthn_registration_id}",
		"DELETE /v1/users/biometric_registrations/{biometric_registration_id}",
		"DELETE /v1/users/totps/{totp_id}",
		"DELETE /v1/users/crypto_wallets/{crypto_wallet_id}",
		"DELETE /v1/users/passwords/{password_id}",
		"DELETE /v1/users/oauth/{oauth_user_registration_id}",
		"POST /v1/users/{user_id}/connected_apps/{connected_app_id}/revoke",
		"DELETE " + memberPath + "/totp",
		"DELETE " + organizationPath + "/members/passwords/{member_password_id}",
		"GET " + organizationPath + "/connected_apps/{connected_app_id}",
		"POST " + memberPath + "/connected_apps/{connected_app_id}/revoke",
		"DELETE /sdk/v1/users/totps/{totp_id}",
		"DELETE /sdk/v1/users/crypto_wallets/{crypto_wallet_id}",
		"DELETE /sdk/v1/users/oauth/{oauth_user_registration_id}",
		"DELETE /sdk/v1/users/webauthn_registrations/{webauthn_registration_id}",
		"DELETE /sdk/v1/users/biometric_registrations/{biometric_registration_id}",
		"DELETE " + pageMembersPath + "/deleteTOTP",
		"DELETE " + pageMembersPath + "/totp/{member_id}",
		"DELETE " + pageMembersPath + "/passwords/{member_password_id}",
		"POST " + pageMembersPath + "/start_email_update",
	}
	for _, route := range routes {
		if !slices.Contains(succeeded, route) && !slices.Contains(neverMade, route) {
			t.Errorf("no golden exchange shows a success of %s", route)
		}
	}
	for _, route := range neverMade {
		if slices.Contains(succeeded, route) {
			t.Errorf("%s succeeded; it is no longer of what is never made", route)
		}
		if !slices.Contains(routes, route) {
			t.Errorf("%s is not served", route)
		}
	}
	for route := range answers {
		if !slices.Contains(routes, route) {
			t.Errorf("wire_shape_test.go describes %s, which is not served", route)
		}
	}

	// What no request to a healthy server with a small workspace gives.
	elsewhere := map[string]string{
		"internal_server_error": "TestBrokenDatabase",
		"server_unavailable":    "TestBrokenDatabase",
		"too_many_requests":     "TestLimitByAddress, TestLimitByCredential",
		"too_many_projects":     "TestTooManyProjects: a thousand are the whole workspace's",
	}
	for _, typ := range matches(t, "../../error.go", `define\("([a-z0-9_]+)"`) {
		if !strings.Contains(shown, `"error_type": "`+typ+`"`) && elsewhere[typ] == "" {
			t.Errorf("no golden exchange shows the error %s", typ)
		}
		delete(elsewhere, typ)
	}
	for typ := range maps.Keys(elsewhere) {
		t.Errorf("error.go has no %s", typ)
	}

	for _, reason := range matches(t, "../trust/reason.go", `Reason = "([a-z_]+)"`) {
		if !strings.Contains(shown, "Reason: "+reason+".") {
			t.Errorf("no golden exchange shows a refusal for the reason %s", reason)
		}
	}
}

// goldenResponses are all responses as one text, and the routes that have
// answered a success.
func goldenResponses(t *testing.T) (shown string, succeeded []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/wire/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, path := range files {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		request := ""
		for _, f := range archive.Files {
			switch f.Name {
			case "request":
				request, _, _ = strings.Cut(string(f.Data), "\n")
			case "response":
				b.Write(f.Data)
				method, path, _ := strings.Cut(request, " ")
				path, _, _ = strings.Cut(path, "?")
				if pattern, ok := patternOf(method, path); ok && strings.HasPrefix(string(f.Data), "200\n") {
					succeeded = append(succeeded, pattern)
				}
			}
		}
	}
	return b.String(), succeeded
}

// matches is the first group of every match of a pattern in a file.
func matches(t *testing.T, path, pattern string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		list = append(list, m[1])
	}
	if len(list) == 0 {
		t.Fatalf("%s has nothing like %s", path, pattern)
	}
	return list
}
