package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// repeated is a JSON array of n items, each made by fmt of its number.
func repeated(n int, format string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = strings.ReplaceAll(format, "#", fmt.Sprint(i))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// TestBounds sends what is just within each bound, and what is just beyond it.
func TestBounds(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	update, search, policy, template := w.path("/v1/users/{user_id}"), "/v1/users/search", w.path(policyPath), w.path(templatePath)
	console, redirects := w.path(consumerSDKPath), w.path(redirectURLsPath)
	x := func(n int) string { return strings.Repeat("x", n) }
	filter := func(name, value string) string {
		return fmt.Sprintf(`{"query": {"operator": "OR", "operands": [{"filter_name": %q, "filter_value": %s}]}}`, name, value)
	}
	const documents = `"custom_resources": [{"resource_id": "documents", "available_actions": ["read"]}]`
	const read = `[{"resource_id": "documents", "actions": ["read"]}]`
	placeholders := func(n int) string {
		return fmt.Sprintf(`{"template_content": %q}`, `{"a": [`+strings.TrimSuffix(strings.Repeat("{{user.name}},", n), ",")+`]}`)
	}
	for _, row := range []struct {
		what, method, target string
		body                 func(n int) string
		most                 int
		refusal              string
	}{
		{"part of a name", "PUT", update, func(n int) string { return `{"name": {"first_name": "` + x(n) + `"}}` }, 128, "invalid_argument"},
		{"external ID", "PUT", update, func(n int) string { return `{"external_id": "` + x(n) + `"}` }, 128, "invalid_argument"},
		{"metadata", "PUT", update, func(n int) string { return `{"trusted_metadata": {"a": "` + x(n) + `"}}` }, 4096 - len(`{"a":""}`), "metadata_too_large"},
		{"metadata that HTML would escape", "PUT", update, func(n int) string { return `{"untrusted_metadata": {"a": "` + strings.Repeat("<", n) + `"}}` }, 4096 - len(`{"a":""}`), "metadata_too_large"},
		{"keys of metadata", "PUT", update, func(n int) string {
			return `{"untrusted_metadata": {"a": null, ` + strings.Trim(repeated(n, `"k#": 1`), "[]") + `}}`
		}, 20, "metadata_too_many_keys"},
		{"address", "POST", "/v1/users", func(n int) string {
			return `{"email": "` + x(64) + "@" + strings.Repeat(x(49)+".", 3) + x(n-64-1-150-4) + `.com"}`
		}, 254, "invalid_email"},
		{"digits of a number", "POST", "/v1/users", func(n int) string { return `{"phone_number": "+` + strings.Repeat("4", n) + `"}` }, 15, "invalid_phone_number"},
		{"lines of an import", "POST", "/v1/users/import", func(n int) string { return `{"users": ` + repeated(n, `{}`) + `}` }, 500, "bad_request"},

		{"page", "POST", search, func(n int) string { return fmt.Sprintf(`{"limit": %d}`, n) }, 1000, "user_search_invalid_limit"},
		{"operands", "POST", search, func(n int) string {
			return `{"query": {"operator": "AND", "operands": ` + repeated(n, `{"filter_name": "status", "filter_value": "active"}`) + `}}`
		}, 10, "user_search_maximum_filter_value_count_exceeded"},
		{"values of a filter", "POST", search, func(n int) string { return filter("email_address", repeated(n, `"a#@example.com"`)) }, 500, "user_search_maximum_filter_value_count_exceeded"},
		{"external IDs of a filter", "POST", search, func(n int) string { return filter("user_id", repeated(n, `"a#"`)) }, 500, "user_search_maximum_filter_value_count_exceeded"},
		{"part of an address", "POST", search, func(n int) string { return filter("email_address_fuzzy", `"`+x(n)+`"`) }, 254, "user_search_expected_string"},
		{"part of a name", "POST", search, func(n int) string { return filter("full_name_fuzzy", `"`+x(n)+`"`) }, 254, "user_search_expected_string"},

		{"ID of a role", "PUT", policy, func(n int) string { return `{"custom_roles": [{"role_id": "` + x(n) + `", "permissions": []}]}` }, 128, "rbac_role_id_too_long"},
		{"ID of a resource", "PUT", policy, func(n int) string {
			return `{"custom_resources": [{"resource_id": "` + x(n) + `", "available_actions": ["a"]}]}`
		}, 128, "rbac_resource_id_too_long"},
		{"action", "PUT", policy, func(n int) string {
			return `{"custom_resources": [{"resource_id": "a", "available_actions": ["` + x(n) + `"]}]}`
		}, 128, "rbac_action_too_long"},
		{"action of what is built in", "PUT", policy, func(n int) string {
			return `{"stytch_user": {"permissions": [{"resource_id": "stytch.user", "actions": ["` + x(n) + `"]}]}}`
		}, 128, "rbac_action_too_long"},
		{"scope", "PUT", policy, func(n int) string {
			return `{` + documents + `, "custom_scopes": [{"scope": "` + x(n) + `", "permissions": ` + read + `}]}`
		}, 128, "rbac_scope_too_long"},
		{"description of a role", "PUT", policy, func(n int) string {
			return `{"custom_roles": [{"role_id": "a", "description": "` + x(n) + `", "permissions": []}]}`
		}, 1024, "rbac_description_too_long"},
		{"description of a resource", "PUT", policy, func(n int) string {
			return `{"custom_resources": [{"resource_id": "a", "description": "` + x(n) + `", "available_actions": ["a"]}]}`
		}, 1024, "rbac_description_too_long"},
		{"description of a scope", "PUT", policy, func(n int) string {
			return `{` + documents + `, "custom_scopes": [{"scope": "a", "description": "` + x(n) + `", "permissions": ` + read + `}]}`
		}, 1024, "rbac_description_too_long"},
		{"roles", "PUT", policy, func(n int) string {
			return `{"custom_roles": ` + repeated(n, `{"role_id": "a#", "permissions": []}`) + `}`
		}, 100, "too_many_roles"},
		{"resources", "PUT", policy, func(n int) string {
			return `{"custom_resources": ` + repeated(n, `{"resource_id": "a#", "available_actions": ["a"]}`) + `}`
		}, 200, "invalid_argument"},
		{"scopes", "PUT", policy, func(n int) string {
			return `{` + documents + `, "custom_scopes": ` + repeated(n, `{"scope": "a#", "permissions": `+read+`}`) + `}`
		}, 100, "invalid_argument"},
		{"actions of a resource", "PUT", policy, func(n int) string {
			return `{"custom_resources": [{"resource_id": "a", "available_actions": ` + repeated(n, `"a#"`) + `}]}`
		}, 200, "invalid_argument"},
		{"actions of a permission", "PUT", policy, func(n int) string {
			return `{"stytch_user": {"permissions": [{"resource_id": "stytch.user", "actions": ` + repeated(n, `"a#"`) + `}]}}`
		}, 200, "invalid_argument"},

		{"template", "PUT", template, func(n int) string { return `{"template_content": "{` + strings.Repeat(" ", n-2) + `}"}` }, 8192, "jwt_template_invalid_json"},
		{"placeholders", "PUT", template, placeholders, 256, "jwt_template_invalid_tag"},
		{"parts of a placeholder", "PUT", template, func(n int) string {
			return fmt.Sprintf(`{"template_content": %q}`, `{"a": {{user`+strings.Repeat(".a", n-1)+`}}}`)
		}, 16, "jwt_template_invalid_tag"},
		{"audience", "PUT", template, func(n int) string { return `{"template_content": "{}", "custom_audience": "` + x(n) + `"}` }, 256, "invalid_argument"},

		{"minutes of a session", "PUT", console, func(n int) string {
			return fmt.Sprintf(`{"config": {"sessions": {"max_session_duration_minutes": %d}}}`, n)
		}, 527040, "invalid_session_duration_minutes"},
		{"domains", "PUT", console, func(n int) string {
			return `{"config": {"basic": {"domains": ` + repeated(n, `"https://a#.example.com"`) + `}}}`
		}, 100, "too_many_domains"},
		{"domain", "PUT", console, func(n int) string {
			return `{"config": {"basic": {"domains": ["` + x(n-len(".example.com")) + `.example.com"]}}}`
		}, 256, "invalid_argument"},
		{"bundle IDs", "PUT", console, func(n int) string {
			return `{"config": {"basic": {"bundle_ids": ` + repeated(n, `"com.example.a#"`) + `}}}`
		}, 100, "invalid_argument"},
		{"bundle ID", "PUT", console, func(n int) string { return `{"config": {"basic": {"bundle_ids": ["` + x(n) + `"]}}}` }, 256, "invalid_argument"},
		{"autofill metadata", "PUT", console, func(n int) string {
			return `{"config": {"otps": {"sms_autofill_metadata": ` + repeated(n, `{"metadata_type": "hash", "metadata_value": "a#", "bundle_id": "b"}`) + `}}}`
		}, 100, "invalid_argument"},
		{"value of autofill metadata", "PUT", console, func(n int) string {
			return `{"config": {"otps": {"sms_autofill_metadata": [{"metadata_type": "domain", "metadata_value": "` + x(n) + `"}]}}}`
		}, 256, "invalid_argument"},
		{"bundle ID of autofill metadata", "PUT", console, func(n int) string {
			return `{"config": {"otps": {"sms_autofill_metadata": [{"metadata_type": "domain", "bundle_id": "` + x(n) + `"}]}}}`
		}, 256, "invalid_argument"},
		{"redirect URL", "POST", redirects, func(n int) string { return `{"url": "https://example.com/` + x(n-len("https://example.com/")) + `"}` }, 2048, "invalid_argument"},
	} {
		send := func(n int) reply {
			a := w.call(row.method, row.target, w.authorization(row.target), row.body(n))
			expectOrderly(t, row.what, a)
			return a
		}
		if a := send(row.most); a.status != http.StatusOK {
			t.Errorf("%s of %d: %d %s, want 200", row.what, row.most, a.status, a.body)
		}
		if a := send(row.most + 1); a.status != http.StatusBadRequest || errorType(a) != row.refusal {
			t.Errorf("%s of %d: %d %s, want 400 %s", row.what, row.most+1, a.status, a.body, row.refusal)
		}
	}
	if a := w.call(http.MethodPut, policy, w.authorization(policy), `{"custom_resources": `+repeated(200, `{"resource_id": "a#", "description": "`+x(1000)+`", "available_actions": ["a"]}`)+`}`); a.status != http.StatusOK {
		t.Errorf("a policy of 200 KB: %d %s, want 200", a.status, a.body)
	}
	texts := repeated(100, `"`+x(250)+`#"`)
	if a := w.call(http.MethodPut, console, w.authorization(console), `{"config": {"basic": {"domains": `+texts+`, "bundle_ids": `+texts+`},
		"otps": {"sms_autofill_metadata": `+repeated(100, `{"metadata_type": "hash", "metadata_value": "`+x(250)+`#", "bundle_id": "`+x(250)+`#"}`)+`}}}`); a.status != http.StatusOK {
		t.Errorf("an SDK configuration with full lists: %d %s, want 200", a.status, a.body)
	}
}

// TestTamperedCursors changes each byte of a cursor, and takes cursors elsewhere.
func TestTamperedCursors(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t, serverOptions{})
	for i := range 3 {
		w.must(w.call(http.MethodPost, "/v1/users", w.basic, fmt.Sprintf(`{"email": "user%d@example.com"}`, i)))
	}
	ask := func(cursor, rest string) reply {
		a := w.call(http.MethodPost, "/v1/users/search", w.basic, fmt.Sprintf(`{"limit": 1, "cursor": %q%s}`, cursor, rest))
		expectOrderly(t, cursor, a)
		return a
	}
	active := `, "query": {"operator": "AND", "operands": [{"filter_name": "status", "filter_value": "active"}]}`
	either := `, "query": {"operator": "OR", "operands": [{"filter_name": "status", "filter_value": "active"}]}`
	cursors := map[string]string{}
	for _, rest := range []string{"", active, either} {
		cursors[rest] = text(at(w.must(ask("", rest)), "results_metadata", "next_cursor"))
	}
	for own, cursor := range cursors {
		for rest := range cursors {
			if a := ask(cursor, rest); (a.status == http.StatusOK) != (rest == own) {
				t.Errorf("the cursor of %q for %q: %d %s", own, rest, a.status, a.body)
			}
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursors[""])
	if err != nil {
		t.Fatal(err)
	}
	refused := func(why, cursor string) {
		t.Helper()
		if a := ask(cursor, ""); errorType(a) != "user_search_invalid_cursor" {
			t.Errorf("%s: %d %s, want user_search_invalid_cursor", why, a.status, a.body)
		}
	}
	for i := range raw {
		bent := append([]byte(nil), raw...)
		bent[i] ^= 1
		refused(fmt.Sprintf("byte %d", i), base64.RawURLEncoding.EncodeToString(bent))
	}
	refused("cut off", base64.RawURLEncoding.EncodeToString(raw[:len(raw)-1]))
	refused("longer", base64.RawURLEncoding.EncodeToString(append(raw, 0)))
	refused("padded", cursors[""]+"=")
	refused("stray bits", cursors[""][:42]+string(cursors[""][42]+1))
	refused("a line end", cursors[""][:20]+"\n"+cursors[""][20:])
	refused("long", strings.Repeat("A", 50_000))
	refused("not ASCII", "é")
}
