package trust_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

func claimsOf(tb testing.TB, text string) trust.Claims {
	tb.Helper()
	claims, err := trust.ParseObject(text)
	if err != nil {
		tb.Fatalf("claims %s: %v", text, err)
	}
	return claims
}

func TestMap(t *testing.T) {
	t.Parallel()
	const plain = `{"email":"email","token_id":"jti","external_user_id":"sub","role_ids":"roles"}`
	// claim is the good claims and one more or another.
	claim := func(name, value string) string {
		members := object{"email": "Ada@Example.com", "jti": "t1"}
		members[name] = json.RawMessage(value)
		return text(t, members)
	}
	quoted := func(s string) string { return text(t, s) }
	good := countersign.Attributes{Email: "Ada@Example.com", EmailKey: "ada@example.com", TokenID: "t1"}
	but := func(change func(*countersign.Attributes)) countersign.Attributes {
		a := good
		change(&a)
		return a
	}
	id := func(s string) countersign.Attributes {
		return but(func(a *countersign.Attributes) { a.ExternalID = s })
	}
	tokenID := func(s string) countersign.Attributes { return but(func(a *countersign.Attributes) { a.TokenID = s }) }
	roles := func(list ...string) countersign.Attributes {
		return but(func(a *countersign.Attributes) { a.RoleIDs = append([]string{}, list...) })
	}

	for _, test := range []struct {
		name, mapping, claims string
		want                  countersign.Attributes
		reason                trust.Reason
	}{
		{name: "required only", mapping: plain, claims: claim("x", "1"), want: good},
		{name: "no mapping", claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "mapping is null", mapping: `null`, claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "mapping is empty", mapping: `{}`, claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "mapping is an array", mapping: `[]`, claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "no token_id mapped", mapping: `{"email":"email"}`, claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "email mapped to a number", mapping: `{"email":1,"token_id":"jti"}`, claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "names of attributes have a case", mapping: `{"Email":"email","token_id":"jti"}`, claims: claim("x", "1"), reason: trust.AttributeNotMapped},
		{name: "unknown and odd members", mapping: `{"email":"email","token_id":"jti","name":["x"],"external_user_id":{},"role_ids":7}`, claims: claim("sub", `"u"`), want: good},

		{name: "email absent", mapping: plain, claims: `{"jti":"t1"}`, reason: trust.ClaimMissing},
		{name: "email null", mapping: plain, claims: claim("email", "null"), reason: trust.ClaimMissing},
		{name: "email is a number", mapping: plain, claims: claim("email", "1"), reason: trust.ClaimType},
		{name: "email is an array", mapping: plain, claims: claim("email", `["ada@example.com"]`), reason: trust.ClaimType},
		{name: "email is empty", mapping: plain, claims: claim("email", `""`), reason: trust.EmailInvalid},
		{name: "email with a display name", mapping: plain, claims: claim("email", `"Ada <ada@example.com>"`), reason: trust.EmailInvalid},
		{name: "two emails", mapping: plain, claims: claim("email", `"a@example.com,b@example.com"`), reason: trust.EmailInvalid},

		{name: "token_id absent", mapping: plain, claims: `{"email":"ada@example.com"}`, reason: trust.ClaimMissing},
		{name: "token_id empty", mapping: plain, claims: claim("jti", `""`), reason: trust.ClaimType},
		{name: "token_id of 256 bytes", mapping: plain, claims: claim("jti", quoted(strings.Repeat("t", 256))), want: tokenID(strings.Repeat("t", 256))},
		{name: "token_id of 257 bytes", mapping: plain, claims: claim("jti", quoted(strings.Repeat("t", 257))), reason: trust.ClaimType},
		{name: "token_id with a NUL", mapping: plain, claims: claim("jti", `"t\u0000"`), reason: trust.ClaimType},
		{name: "token_id of 20 digits", mapping: plain, claims: claim("jti", "12345678901234567890"), want: tokenID("12345678901234567890")},
		{name: "token_id negative", mapping: plain, claims: claim("jti", "-7"), want: tokenID("-7")},
		{name: "token_id minus zero", mapping: plain, claims: claim("jti", "-0"), reason: trust.ClaimType},
		{name: "token_id with a fraction", mapping: plain, claims: claim("jti", "1.0"), reason: trust.ClaimType},
		{name: "token_id with an exponent", mapping: plain, claims: claim("jti", "1e9"), reason: trust.ClaimType},
		{name: "token_id of 257 digits", mapping: plain, claims: claim("jti", strings.Repeat("1", 257)), reason: trust.ClaimType},
		{name: "token_id is true", mapping: plain, claims: claim("jti", "true"), reason: trust.ClaimType},

		{name: "external id", mapping: plain, claims: claim("sub", `"auth0|A.b_c-1"`), want: id("auth0|A.b_c-1")},
		{name: "external id null", mapping: plain, claims: claim("sub", `null`), want: good},
		{name: "external id of 20 digits", mapping: plain, claims: claim("sub", `18446744073709551616`), want: id("18446744073709551616")},
		{name: "external id empty", mapping: plain, claims: claim("sub", `""`), reason: trust.ClaimType},
		{name: "external id with a line break at the end", mapping: plain, claims: claim("sub", `"u\n"`), reason: trust.ClaimType},
		{name: "external id with a space", mapping: plain, claims: claim("sub", `"u 1"`), reason: trust.ClaimType},
		{name: "external id of 128 bytes", mapping: plain, claims: claim("sub", quoted(strings.Repeat("u", 128))), want: id(strings.Repeat("u", 128))},
		{name: "external id of 129 bytes", mapping: plain, claims: claim("sub", quoted(strings.Repeat("u", 129))), reason: trust.ClaimType},
		{name: "external id in the form of ours", mapping: plain, claims: claim("sub", `"user-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6"`), reason: trust.ClaimType},
		{name: "external id is an object", mapping: plain, claims: claim("sub", `{}`), reason: trust.ClaimType},

		{name: "roles", mapping: plain, claims: claim("roles", `["a","b"]`), want: roles("a", "b")},
		{name: "one role", mapping: plain, claims: claim("roles", `"a"`), want: roles("a")},
		{name: "no roles", mapping: plain, claims: claim("roles", `[]`), want: roles()},
		{name: "roles null", mapping: plain, claims: claim("roles", `null`), want: good},
		{name: "role is empty", mapping: plain, claims: claim("roles", `["a",""]`), reason: trust.ClaimType},
		{name: "role is a number", mapping: plain, claims: claim("roles", `["a",1]`), reason: trust.ClaimType},
		{name: "roles are a number", mapping: plain, claims: claim("roles", `1`), reason: trust.ClaimType},
		{name: "64 roles", mapping: plain, claims: claim("roles", text(t, slices.Repeat([]string{"a"}, 64))), want: roles(slices.Repeat([]string{"a"}, 64)...)},
		{name: "65 roles", mapping: plain, claims: claim("roles", text(t, slices.Repeat([]string{"a"}, 65))), reason: trust.ClaimType},
		{name: "role of 129 bytes", mapping: plain, claims: claim("roles", text(t, []string{strings.Repeat("a", 129)})), reason: trust.ClaimType},

		{name: "a path", mapping: `{"email":"user.email","token_id":"jti"}`, claims: claim("user", `{"email":"Ada@Example.com"}`), want: good},
		{name: "a pointer", mapping: `{"email":"/emails/0","token_id":"jti"}`, claims: claim("emails", `["Ada@Example.com"]`), want: good},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := &countersign.Profile{AttributeMapping: json.RawMessage(test.mapping)}
			if test.mapping == "" {
				p.AttributeMapping = nil
			}
			got, err := new(trust.Verifier).Map(p, trust.Token{Claims: claimsOf(t, test.claims)}, countersign.Consumer)
			wantReason(t, "Map", err, test.reason)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Map (-want +got)\n%s", diff)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	claims := claimsOf(t, `{
		"plain": "p", "null": null, "a.b": "literal", "a": {"b": "nested", "c": {"d": "deep", "": "nameless"}},
		"/a/b": "a name with slashes", "https://x.example/email": "namespaced", "cel:a": "no expression",
		"list": ["zero", {"n": "one"}], "m~n": {"x/y": "escaped"}, "": {"": "empty"}, "/p": {"q": "dotted after a slash"}
	}`)
	for path, want := range map[string]any{
		"plain":                   "p",
		"Plain":                   nil,
		"null":                    nil,
		"a.b":                     "literal",
		"a.c.d":                   "deep",
		"a.c.":                    "nameless",
		"a.c.d.e":                 nil,
		"a..b":                    nil,
		"list.0":                  nil,
		"/a/b":                    "a name with slashes",
		"/a/c/d":                  "deep",
		"/a.b":                    "literal",
		"/plain":                  "p",
		"/plain/x":                nil,
		"/list/0":                 "zero",
		"/list/1/n":               "one",
		"/list/2":                 nil,
		"/list/-":                 nil,
		"/list/-1":                nil,
		"/list/00":                nil,
		"/list/+1":                nil,
		"/list/0x0":               nil,
		"/list/99999999999999999": nil,
		"/m~0n/x~1y":              "escaped",
		"/m~n/x~1y":               nil,
		"/m~0n/x~2y":              nil,
		"/m~0n/x~":                nil,
		"//":                      "empty",
		"/p.q":                    "dotted after a slash",
		"https://x.example/email": "namespaced",
		"cel:a":                   "no expression",
	} {
		if diff := cmp.Diff(want, claims.Lookup(path)); diff != "" {
			t.Errorf("lookup(%q) (-want +got)\n%s", path, diff)
		}
	}
}

// Fits says of a value what Map does with it.
func TestFits(t *testing.T) {
	t.Parallel()
	values := []any{
		nil, true, "", "x", "a b", "a@example.com", "a@example", "f:1:ada", "..", "t\x00", strings.Repeat("x", 129), strings.Repeat("x", 257),
		json.Number("7"), json.Number("1.5"),
		[]any{},
		[]any{"a"},
		[]any{"a", json.Number("1")},
		[]any{""},
		map[string]any{"a": "b"},
		"user-test-00000000-0000-4000-8000-000000000001",
	}
	for attribute, fitting := range map[string]int{
		countersign.AttributeEmail: 1, countersign.AttributeTokenID: 9, countersign.AttributeExternalUserID: 2, countersign.AttributeRoleIDs: 9,
	} {
		fit := 0
		for _, value := range values {
			mapping := map[string]string{"email": "e", "token_id": "t", attribute: "x"}
			p := &countersign.Profile{AttributeMapping: json.RawMessage(text(t, mapping))}
			_, err := new(trust.Verifier).Map(p, trust.Token{Claims: trust.Claims{"e": "b@example.com", "t": "t", "x": value}}, countersign.Consumer)
			if want := err == nil && value != nil; trust.Fits(attribute, value) != want {
				t.Errorf("Fits(%s, %v) = %t; Map: %v", attribute, value, !want, err)
			} else if want {
				fit++
			}
		}
		if fit != fitting {
			t.Errorf("%d values fit %s, want %d", fit, attribute, fitting)
		}
	}
	for attribute, like := range map[string]string{
		countersign.AttributeExternalMemberID: countersign.AttributeExternalUserID, countersign.AttributeOrganizationID: countersign.AttributeTokenID,
	} {
		for _, value := range values {
			if got := trust.Fits(attribute, value); got != trust.Fits(like, value) {
				t.Errorf("Fits(%s, %v) = %t, unlike %s", attribute, value, got, like)
			}
		}
	}
	if trust.Fits("name", "Ada") {
		t.Error("something fits an attribute that there is not")
	}
}

// A refusal names the claim and the types, and never shows the value.
func TestMapShowsNoValues(t *testing.T) {
	t.Parallel()
	const planted = "planted-5f3e"
	for _, claims := range []string{
		`{"email":"` + planted + `","jti":"t"}`,
		`{"email":{"` + planted + `":1},"jti":"t"}`,
		`{"email":"a@example.com","jti":["` + planted + `"]}`,
		`{"email":"a@example.com","jti":"t","sub":"` + planted + ` "}`,
		`{"email":"a@example.com","jti":"t","roles":["` + planted + `\u0000"]}`,
	} {
		p := &countersign.Profile{AttributeMapping: json.RawMessage(`{"email":"email","token_id":"jti","external_user_id":"sub","role_ids":"roles"}`)}
		_, err := new(trust.Verifier).Map(p, trust.Token{Claims: claimsOf(t, claims)}, countersign.Consumer)
		if err == nil || strings.Contains(fmt.Sprintf("%+v", err), planted) {
			t.Errorf("Map(%s) = %v, want a refusal without the value", claims, err)
		}
	}
}
