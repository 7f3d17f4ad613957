package directory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
)

// A filter is refused with an error of searches, or it can be asked; and then
// alone, twice, and with OR it finds the same.
func FuzzSearchQuery(f *testing.F) {
	d, env, people := populated(f)
	for _, name := range []string{
		`"user_id"`, `"status"`, `"email_address"`, `"email_id"`, `"phone_number"`, `"phone_id"`, `"email_verified"`, `"email_address_fuzzy"`, `"phone_number_fuzzy"`,
		`"full_name_fuzzy"`, `"created_at_greater_than"`, `"created_at_less_than"`, `"created_at_between"`, `"password_exists"`, `"totp_id"`, `"nothing"`, `5`, `null`, `""`,
	} {
		for _, value := range []string{
			`["` + people[0].ID.String() + `"]`, `["crm|1", "\u0000"]`, `["ada@example.com"]`, `["+14155550100"]`, `"active"`, `true`, `"ÜNA"`, `"_%@"`, `"555"`, `"\ud800\ud800\ud800"`,
			`"2026-01-05T10:00:00Z"`, `"0000-01-01T00:00:00+23:59"`, `"9999-12-31T23:59:59-23:59"`, `"1970-01-01T00:00:00+14:00"`,
			`{"greater_than": "1969-01-01T00:00:00Z", "less_than": "2100-01-01T00:00:00Z"}`, `{}`, `[]`, `null`, `[null]`, `[[]]`, `1e400`, `"` + strings.Repeat("x", 255) + `"`,
		} {
			f.Add(name, value)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		rawName, rawValue := member(name), member(value)
		if rawName == nil || rawValue == nil {
			return
		}
		operand := directory.Operand{Name: rawName, Value: rawValue}
		var found [3][]string
		for i, q := range []directory.Query{
			{Operator: "AND", Operands: []directory.Operand{operand}}, {Operator: "AND", Operands: []directory.Operand{operand, operand}}, {Operator: "OR", Operands: []directory.Operand{operand}},
		} {
			page, err := d.SearchUsers(t.Context(), env, q)
			if err != nil {
				named, ok := errors.AsType[*countersign.Error](err)
				if !ok || !strings.HasPrefix(named.Type, "user_search_") || named.Kind != countersign.Invalid {
					t.Errorf("search %d by %s %s: %v", i, rawName, rawValue, err)
				}
				return
			}
			if page.Next != "" || page.Total != len(page.Results) {
				t.Errorf("search %d by %s %s: %d of %d, next %q", i, rawName, rawValue, len(page.Results), page.Total, page.Next)
			}
			for _, u := range page.Results {
				found[i] = append(found[i], u.ID.String())
			}
		}
		for i := range found {
			if diff := cmp.Diff(found[0], found[i]); diff != "" {
				t.Errorf("%s %s: search %d differs:\n%s", rawName, rawValue, i, diff)
			}
		}
	})
}

// member is JSON as the decoder of requests gives it; nil if it gives none.
func member(text string) json.RawMessage {
	raw := json.RawMessage(bytes.TrimSpace([]byte(text)))
	if !utf8.ValidString(text) || !json.Valid(raw) {
		return nil
	}
	return raw
}

// A cursor is one that the search gave, or it is refused.
func FuzzCursor(f *testing.F) {
	d, env, people := populated(f)
	given := map[string]bool{"": true}
	for cursor, last := "", false; !last; {
		page, err := d.SearchUsers(f.Context(), env, directory.Query{Limit: 1, Cursor: cursor})
		if err != nil {
			f.Fatal(err)
		}
		cursor, last = page.Next, page.Next == ""
		given[cursor] = true
	}
	if len(given) != len(people) {
		f.Fatalf("%d cursors of %d people", len(given), len(people))
	}
	for cursor := range given {
		f.Add(cursor)
		f.Add(cursor + "\n")
		f.Add(strings.ToLower(cursor))
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := d.SearchUsers(t.Context(), env, directory.Query{Limit: 1, Cursor: cursor})
		if given[cursor] && err != nil || !given[cursor] && !errors.Is(err, countersign.UserSearch.InvalidCursor) {
			t.Errorf("the cursor %q: %v", cursor, err)
		}
	})
}
