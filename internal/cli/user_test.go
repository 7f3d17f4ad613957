package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ada = `{"user_id":"user-test-1","external_id":null,"status":"active","name":{"first_name":"Ada","middle_name":"","last_name":"Lovelace"},"emails":[{"email":"ada@example.com","verified":true},{"email":"a@b.example","verified":false}],
 "phone_numbers":[{"phone_number":"+15005550006","verified":false}],"roles":["stytch_user","editor"],"created_at":"2026-01-05T10:00:00Z","trusted_metadata":{"plan":"pro"},"untrusted_metadata":{}}`

func TestUserText(t *testing.T) {
	t.Parallel()
	const want = `user_id             user-test-1
external_id         -
status              active
name                Ada Lovelace
email               ada@example.com (verified)
email               a@b.example (not verified)
phone_number        +15005550006 (not verified)
roles               stytch_user, editor
created             2026-01-05 10:00:00 UTC (now)
trusted_metadata    {"plan":"pro"}
untrusted_metadata  {}
`
	for args, answer := range map[string]string{
		"user get u":                        ada,
		"user create --email a":             `{"user_id":"user-test-1","user":` + ada + `}`,
		"user update u --last-name=X":       `{"user":` + ada + `}`,
		"user delete u --yes":               `{}`,
		"user search --email-contains abcd": `{"results":[` + ada + `],"results_metadata":{"total":1,"next_cursor":null}}`,
	} {
		want := want
		switch {
		case strings.Contains(args, "delete"):
			want = "Deleted user u.\n"
		case strings.Contains(args, "search"):
			want = "USER_ID      CREATED               STATUS  EXTERNAL_ID  EMAIL                        PHONE_NUMBER  NAME\n" +
				"user-test-1  2026-01-05T10:00:00Z  active  -            ada@example.com,a@b.example  +15005550006  Ada Lovelace\n"
		}
		s := newServer(t, 200, answer)
		got := run(t, command{args: strings.Fields(args), env: s.env()})
		if diff := cmp.Diff(result{0, want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", args, diff)
		}
	}
}

// pages is a server with pages of users, of which the first may be empty.
func pages(t *testing.T, list ...string) *server {
	t.Helper()
	s := newServer(t, 200, "{}")
	s.Close()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.seen = append(s.seen, exchange{Body: string(body)})
		n := len(s.seen)
		cursor := fmt.Sprintf(`"c%d"`, n)
		if n == len(list) {
			cursor = "null"
		}
		_, _ = fmt.Fprintf(w, `{"results":[%s],"results_metadata":{"total":-1,"next_cursor":%s},"status_code":200}`, list[n-1], cursor)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestSearchPages holds that empty pages end nothing, and that the limit is one of
// all pages together.
func TestSearchPages(t *testing.T) {
	t.Parallel()
	const one, two = `{"user_id":"u1"}`, `{"user_id":"u2"}`
	const header = "USER_ID  CREATED  STATUS  EXTERNAL_ID  EMAIL  PHONE_NUMBER  NAME\n"
	const u1, u2 = "u1       -        -       -            -      -             -\n", "u2       -        -       -            -      -             -\n"
	tests := []struct {
		args  string
		pages []string
		want  string
		sent  []string
	}{
		{"--limit 2", []string{"", one, "", two, one}, header + u1 + u2 + "\nThere are more: --all shows them.\n", []string{`{"limit":2}`, `{"cursor":"c1","limit":2}`, `{"cursor":"c2","limit":1}`, `{"cursor":"c3","limit":1}`}},
		{"--limit 2", []string{"", ""}, "There are no such users.\n", []string{`{"limit":2}`, `{"cursor":"c1","limit":2}`}},
		{"--limit 2 --json", []string{one, "", two}, "{\n  \"results\": [\n    {\n      \"user_id\": \"u1\"\n    },\n    {\n      \"user_id\": \"u2\"\n    }\n  ],\n  \"results_metadata\": {\n    \"total\": -1,\n    \"next_cursor\": null\n  },\n  \"status_code\": 200\n}\n", []string{`{"limit":2}`, `{"cursor":"c1","limit":1}`, `{"cursor":"c2","limit":1}`}},
		{"--json", []string{""}, "{\n  \"results\": [],\n  \"results_metadata\": {\n    \"total\": -1,\n    \"next_cursor\": null\n  },\n  \"status_code\": 200\n}\n", []string{`{"limit":100}`}},
		{"--all --json", []string{"", one, "", two}, one + "\n" + two + "\n", []string{`{"limit":1000}`, `{"cursor":"c1","limit":1000}`, `{"cursor":"c2","limit":1000}`, `{"cursor":"c3","limit":1000}`}},
		{"--all", []string{"", one, two}, header + u1 + "u2  -  -  -  -  -  -\n", []string{`{"limit":1000}`, `{"cursor":"c1","limit":1000}`, `{"cursor":"c2","limit":1000}`}},
		{"--all", []string{"", ""}, "There are no such users.\n", []string{`{"limit":1000}`, `{"cursor":"c1","limit":1000}`}},
	}
	for _, tt := range tests {
		s := pages(t, tt.pages...)
		got := run(t, command{args: append([]string{"user", "search"}, strings.Fields(tt.args)...), env: s.env()})
		if diff := cmp.Diff(result{0, tt.want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s of %q (-want +got):\n%s", tt.args, tt.pages, diff)
		}
		var sent []string
		for _, e := range s.seen {
			sent = append(sent, e.Body)
		}
		if diff := cmp.Diff(tt.sent, sent); diff != "" {
			t.Errorf("%s of %q sends (-want +got):\n%s", tt.args, tt.pages, diff)
		}
	}
}
