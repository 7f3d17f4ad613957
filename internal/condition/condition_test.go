package condition_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/condition"
)

// decode reads a JSON object as package trust does: numbers keep their digits.
func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		t.Fatalf("decode %.80s: %v", text, err)
	}
	return object
}

func compile(t testing.TB, text string) *condition.Program {
	t.Helper()
	p, err := condition.Compile(text)
	if err != nil {
		t.Fatalf("Compile(%.120q) = %v", text, err)
	}
	return p
}

func compileValue(t testing.TB, text string) *condition.Program {
	t.Helper()
	p, err := condition.CompileValue(text)
	if err != nil {
		t.Fatalf("CompileValue(%.120q) = %v", text, err)
	}
	return p
}

const (
	header = `{"alg": "RS256", "kid": "k1", "typ": "at+jwt"}`
	claims = `{
		"iss": "https://issuer.example", "sub": "auth0|ä1234", "email": "Ada@Example.com", "email_verified": true,
		"groups": ["admin", "app-billing", "app-mail"], "none": [], "nothing": null,
		"aud": ["a", "b"], "iat": 1700000000, "exp": 1700003600,
		"https://issuer.example/y": {"plan": "gold", "seats": 5},
		"members": [{"id": 1, "role": "owner"}, {"id": 2}],
		"one": 1, "onePointZero": 1.0, "oneE0": 1e0, "half": 0.5, "minus": -7, "zero": -0,
		"i64": 9223372036854775807, "u64": 18446744073709551615, "digits20": 12345678901234567890, "digits25": 1234567890123456789012345,
		"huge": 1e999, "long": 12345678901234567890123.0
	}`
)

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want bool
	}{
		{`true`, true},
		{`claims.iss == 'https://issuer.example' && header.alg == "RS256"`, true},
		{`header.typ in ["at+jwt", "application/at+jwt"]`, true},
		{`claims.email_verified`, true},
		{`!claims.email_verified`, false},
		{`claims.email.lowerAscii().endsWith("@example.com")`, true},
		{`claims.email.upperAscii() == "ADA@EXAMPLE.COM"`, true},
		{`claims.email.split("@")[1].matches("(?i)^(.+\\.)?example\\.com$")`, true},
		{`matches(claims.email, "^x")`, false},
		{`claims["https://issuer.example/y"].plan == "gold"`, true},
		{`claims["https://issuer.example/y"].seats >= 5`, true},
		{`claims.exp - claims.iat <= 3600`, true},
		{`size(claims.groups) == 3 && claims.groups.size() == 3 && claims.none.size() == 0`, true},

		{`has(claims.sub)`, true},
		{`has(claims.nope)`, false},
		{`has(claims.nothing)`, true}, // null is there
		{`claims.nothing == null`, true},
		{`has(claims.sub.x)`, false}, // in a string there is nothing
		{`"sub" in claims && !("nope" in claims)`, true},
		{`"admin" in claims.groups`, true},
		{`"root" in claims.groups`, false},
		{`"a" in claims.aud && !has(claims.azp)`, true},
		{`claims.nope == 1 || true`, true}, // as CEL has it: the other side decides
		{`false && claims.nope == 1`, false},

		{`claims.groups.exists(g, g.startsWith("app-"))`, true},
		{`claims.groups.all(g, g.startsWith("app-"))`, false},
		{`claims.groups.exists_one(g, g == "admin")`, true},
		{`claims.groups.filter(g, g.startsWith("app-")).map(g, g.substring(4)) == ["billing", "mail"]`, true},
		{`claims.groups.map(g, g != "admin", g).size() == 2`, true},
		{`claims.members.exists(m, m.id == 1 && m.role == "owner")`, true},
		{`claims.members.all(m, has(m.role))`, false},
		{`claims.members == claims.members && claims == claims && claims != header`, true},
		{`claims.exists(name, name.startsWith("https://") && claims[name].seats == 5)`, true},
		{`{"plan": "gold", "seats": 5} == claims["https://issuer.example/y"]`, true},
		{`claims["https://issuer.example/y"] == {"plan": "gold", "seats": 5.0}`, true},
		{`claims["https://issuer.example/y"] == {"plan": "gold", "seats": 6}`, false},
		{`[{"id": 1, "role": "owner"}, {"id": 2}] == claims.members`, true},
		{`claims.groups + ["x"] == ["admin", "app-billing", "app-mail", "x"] && (claims.groups + []).size() == 3`, true},

		{`claims.sub.replace("auth0|", "") == "ä1234"`, true},
		{`claims.sub.indexOf("1") == 7 && claims.sub.indexOf("x") == -1`, true}, // characters, not bytes
		{`claims.sub.substring(6, 8) == "ä1" && claims.sub.substring(7) == "1234"`, true},
		{`" a ".trim() == "a" && "a,b".split(",").join("-") == "a-b" && ["a", "b"].join() == "ab"`, true},
		{`"aa".replace("a", "aba") == "abaaba" && "ab".replace("", "-") == "-a-b-"`, true},
		{`claims.email_verified ? claims.one == 1 : false`, true},
		{`type(claims.one) == int && type(claims.half) == double && type(claims.u64) == uint && type(claims.nothing) == null_type`, true},
	} {
		got, err := compile(t, row.text).Holds(decode(t, header), decode(t, claims))
		if err != nil || got != row.want {
			t.Errorf("%s holds = %t, %v, want %t", row.text, got, err, row.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`claims.one == 1 && claims.one == 1.0 && claims.one == 1u`,
		`claims.one == claims.onePointZero && claims.one == claims.oneE0 && claims.one in [1.0]`,
		`claims.half < claims.one && claims.half > 0 && claims.minus == -7 && claims.zero == 0`,
		`claims.i64 == 9223372036854775807 && claims.i64 < claims.u64`,
		`claims.u64 == 18446744073709551615u`,
		// Twenty digits are no double: their neighbours are others.
		`claims.digits20 == 12345678901234567890u && claims.digits20 != 12345678901234567891u`,
		`string(claims.digits20) == "12345678901234567890"`,
		// What no number holds is its text, and never compares as another number.
		`claims.digits25 == "1234567890123456789012345" && string(claims.digits25) == claims.digits25`,
		`claims.digits25 != 1234567890123456789012345.0 && claims.huge == "1e999"`,
		`int("5") + 1 == 6 && double(claims.one) / 2.0 == claims.half && uint(claims.one) == 1u`,
	} {
		if holds, err := compile(t, text).Holds(nil, decode(t, claims)); !holds || err != nil {
			t.Errorf("%s holds = %t, %v", text, holds, err)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want any
	}{
		{`claims.email.lowerAscii()`, "ada@example.com"},
		{`claims.email_verified`, true},
		{`claims.nothing`, nil},
		{`null`, nil},
		{`claims.one`, json.Number("1")},
		{`claims.minus`, json.Number("-7")},
		{`claims.i64`, json.Number("9223372036854775807")},
		{`claims.digits20`, json.Number("12345678901234567890")},
		{`claims.digits25`, "1234567890123456789012345"},
		{`claims.half`, json.Number("0.5")},
		// A double never looks like an integer: it may have lost digits.
		{`claims.onePointZero`, json.Number("1.0")},
		{`claims.long`, json.Number("1.2345678901234568e+22")},
		{`claims.one + 1`, json.Number("2")},
		{`claims.groups.filter(g, g != "admin")`, []any{"app-billing", "app-mail"}},
		{`claims.none`, []any{}},
		{`claims.members`, []any{map[string]any{"id": json.Number("1"), "role": "owner"}, map[string]any{"id": json.Number("2")}}},
		{`claims["https://issuer.example/y"]`, map[string]any{"plan": "gold", "seats": json.Number("5")}},
		{`{"a": [claims.one, 2u, 1.5], "b": {"c": null}}`, map[string]any{"a": []any{json.Number("1"), json.Number("2"), json.Number("1.5")}, "b": map[string]any{"c": nil}}},
		{`header.map(name, name)`, []any{"alg", "kid", "typ"}}, // in order, not by chance
		{`has(claims.oid) ? claims.oid : claims.sub`, "auth0|ä1234"},
		{`"t-" + string(claims.one) + "-" + header.kid`, "t-1-k1"},
	} {
		got, err := compileValue(t, row.text).Value(decode(t, header), decode(t, claims))
		if err != nil {
			t.Errorf("the value of %s: %v", row.text, err)
		} else if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("the value of %s (-want +got)\n%s", row.text, diff)
		}
	}
}

// An evaluation that fails says why in one of four sentences, and never what is
// in the token.
func TestFails(t *testing.T) {
	t.Parallel()
	secret := decode(t, `{"s": "hunter2", "l": ["hunter2"], "n": 5, "hunter2": "hunter2", "big": 9223372036854775807, "o": {"a": 1}}`)
	for _, row := range []struct {
		text string
		want error
	}{
		{`claims.nope == 1`, condition.ErrNoSuchKey},
		{`claims.nope.further == 1`, condition.ErrNoSuchKey},
		{`claims.o.b == 1`, condition.ErrNoSuchKey},
		{`claims[claims.s + "x"] == 1`, condition.ErrNoSuchKey},
		{`claims.o[claims.s] == 1`, condition.ErrNoSuchKey},
		{`claims.s.nope == 1`, condition.ErrNoSuchKey},
		{`{"a": 1}[claims.s] == 1`, condition.ErrNoSuchKey},
		{`claims.l[1] == "x"`, condition.ErrNoSuchKey},
		{`claims.l[claims.s] == "x"`, condition.ErrType},
		{`claims.n`, condition.ErrType},
		{`claims.nope || false`, condition.ErrNoSuchKey},
		{`claims.s && true`, condition.ErrType},
		{`claims.s ? true : false`, condition.ErrType},
		{`claims.s + 1 == 1`, condition.ErrType},
		{`claims.s < 1`, condition.ErrType},
		{`claims.n.startsWith("x")`, condition.ErrType},
		{`claims.n.matches("x")`, condition.ErrType},
		{`claims.n.all(x, true)`, condition.ErrType},
		{`claims.n.join() == ""`, condition.ErrType},
		{`[claims.n].join() == ""`, condition.ErrType},
		{`"a" in claims.n`, condition.ErrType},
		{`int(claims.s) == 1`, condition.ErrType},
		{`double(claims.s) == 1.0`, condition.ErrType},
		{`bool(claims.s)`, condition.ErrType},
		{`string(claims.l) == ""`, condition.ErrType},
		{`claims.big + 1 > 0`, condition.ErrFailed},
		{`claims.n / 0 == 1`, condition.ErrFailed},
		{`claims.n % 0 == 1`, condition.ErrFailed},
		{`claims.s.substring(8) == ""`, condition.ErrFailed},
		{`claims.s.substring(-1) == ""`, condition.ErrFailed},
		{`claims.s.substring(3, 2) == ""`, condition.ErrFailed},
	} {
		holds, err := compile(t, row.text).Holds(nil, secret)
		if holds || err != row.want { //nolint:errorlint // the very error, with nothing around it
			t.Errorf("%s holds = %t, %v, want %v", row.text, holds, err, row.want)
		}
	}
	for _, row := range []struct {
		text string
		want error
	}{
		{`dyn(b"bytes")`, condition.ErrType},
		{`dyn(int)`, condition.ErrType},
		{`[dyn(type(claims.s))]`, condition.ErrType},
		{`1.0 / 0.0`, condition.ErrType},
		{`double("NaN")`, condition.ErrType},
		{`claims.l.map(a, [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]])`, condition.ErrTooCostly},
		{`[claims.s]` + strings.Repeat(".map(a, a + a)", 13), condition.ErrTooCostly},
		{`[claims]` + strings.Repeat(".map(a, [a, a, a, a])", 5), condition.ErrTooCostly},
		{`claims.nope`, condition.ErrNoSuchKey},
	} {
		value, err := compileValue(t, row.text).Value(nil, secret)
		if value != nil || err != row.want { //nolint:errorlint // the very error, with nothing around it
			t.Errorf("the value of %s = %v, %v, want %v", row.text, value, err, row.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, want string }{
		{``, `unexpected end`},
		{`claim.sub == "x"`, `line 1, column 1: undeclared 'claim'; did you mean 'claims'?`},
		{"has(claims.a) &&\n  headers.alg == 'x'", `line 2, column 3: undeclared 'headers'; did you mean 'header'?`},
		{`claims.email.toLowerCase() == "x"`, `line 1, column 25: undeclared 'toLowerCase'`},
		{`claims.email.lowerASCII() == "x"`, `line 1, column 24: undeclared 'lowerASCII'; did you mean 'lowerAscii'?`},
		{`claims.groups.contain("x")`, `line 1, column 22: undeclared 'contain'; did you mean 'contains'?`},
		{`now() > 1`, `line 1, column 4: undeclared 'now'`},
		{`timestamp(claims.iat) > timestamp(0)`, `line 1, column 10: undeclared 'timestamp'`},
		{`claims.all(x, x == "a") && x`, `line 1, column 28: undeclared 'x'`},
		{`claims.sub = "x"`, "line 1, column 12: unexpected '= '\nline 1, column 14: unexpected '\"x\"'"},
		{`claims.sub == "x`, "line 1, column 15: unexpected '\"x'\nline 1, column 17: unexpected end"},
		{`claims.sub ==`, `line 1, column 14: unexpected end`},
		{`1 + "a" == 2`, `line 1, column 3: '+' does not go with (int, string)`},
		{`1 == "a"`, `line 1, column 3: '==' does not go with (int, string)`},
		{`"a".startsWith(1)`, `line 1, column 15: 'startsWith' does not go with string.(int)`},
		{`claims.email`, ``},
		{`claims.size()`, `a condition gives true or false, this gives int`},
		{`"a"`, `a condition gives true or false, this gives string`},
		{`claims`, `a condition gives true or false, this gives map(string, dyn)`},
		{`google.protobuf.Value{string_value: "a"} == "a"`, `line 1, column 22: there are no message types here`},
		{`{claims.sub: 1} == claims`, `line 1, column 8: a key of a map is a string that is written out`},
		{`{1: 1} == claims`, `line 1, column 2: a key of a map is a string that is written out`},
		{`claims.a.matches(claims.b)`, `line 1, column 24: matches needs a pattern that is written out: a string, not something that gives one`},
		{`claims.a.matches("(")`, "line 1, column 18: not a pattern of RE2: missing closing ): ("},
		{`claims.a.matches("a{1001}")`, "line 1, column 18: not a pattern of RE2: invalid repeat count: {1001}"},
		{`claims.a.matches("(a{100}){10}b")`, `line 1, column 18: the patterns repeat too much: more than 1000 characters or classes, repetitions multiplied`},
		{`claims.a.matches("a{600}") || claims.a.matches("b{600}")`, `line 1, column 48: the patterns repeat too much: more than 1000 characters or classes, repetitions multiplied`},
		{`claims.a.matches("` + strings.Repeat("a", 513) + `")`, `line 1, column 18: a pattern of 513 bytes, it has at most 512`},
		{strings.Repeat(" ", condition.MaxSize) + "a", `4097 bytes, an expression has at most 4096`},
		{strings.Repeat("(", 60) + "1" + strings.Repeat(")", 60), `nested deeper than 48`},
		{"claims.a" + strings.Repeat("+claims.a", 60) + " == 1", `nested deeper than 48`},
		{"claims.a.all(a, a.all(b, b.all(c, c.all(d, d))))", `line 1, column 40: all, exists, exists_one, map and filter nest deeper than 3`},
		{"[1]" + strings.Repeat(".map(a,a)", 25) + " == [1]", `line 1, column 8: more than 24 of all, exists, exists_one, map and filter`},
		{strings.Repeat("claims.a&&", 20) + strings.Repeat("a.all(a,a)&&", 320) + "true", "line 1, column 3146: more than 3000 parts, those of all, exists, exists_one, map and filter counted too"},
		{`has(claims) || claims.exists("x", true)`, "line 1, column 5: invalid argument to has() macro\nline 1, column 30: argument must be a simple name"},
		{`claims.x == 99999999999999999999`, `line 1, column 13: invalid int literal`},
		{`"a" in 5 && "a".x == 1`, "line 1, column 5: 'in' does not go with (string, int)\nline 1, column 16: type 'string' does not support field selection"},
		{"\u202e\x00", "line 1, column 1: unexpected '?'\nline 1, column 3: unexpected end"},
	} {
		p, err := condition.Compile(row.text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != row.want || (p == nil) != (err != nil) {
			t.Errorf("Compile(%.80q):\n%s\nwant\n%s", row.text, got, row.want)
		}
	}
	for _, row := range []struct{ text, want string }{
		{`b"x"`, `an attribute is a JSON value, this gives bytes`},
		{`type(claims)`, `an attribute is a JSON value, this gives type(map(string, dyn))`},
		{`claims.emial +`, `line 1, column 15: unexpected end`},
	} {
		if _, err := condition.CompileValue(row.text); err == nil || err.Error() != row.want {
			t.Errorf("CompileValue(%q) = %v, want %s", row.text, err, row.want)
		}
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	var c condition.Cache
	first, err := c.Compile(`claims.a == 1`)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := c.Compile(`claims.a == 1`)
	if first != again {
		t.Error("one text was compiled twice")
	}
	if value, _ := c.CompileValue(`claims.a == 1`); value == first {
		t.Error("a condition was taken for a value")
	}
	_, err = c.Compile(`1`)
	if _, again := c.Compile(`1`); err == nil || !errors.Is(again, err) {
		t.Errorf("Compile(1) = %v, then %v, want the same error", err, again)
	}
	if _, err := c.CompileValue(`1`); err != nil {
		t.Errorf("CompileValue(1) = %v, after Compile has refused it", err)
	}
}

// A cache that many texts go through stays within its bound and answers right.
func TestCacheEvicts(t *testing.T) {
	t.Parallel()
	c := condition.NewSmallCache(20 << 10)
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 100 {
				want := i%2 == 0
				text := `claims.a == ` + strings.Repeat(" ", i%10) + map[bool]string{true: "1", false: "2"}[want]
				p, err := c.Compile(text)
				if err != nil {
					t.Errorf("Compile(%s) = %v", text, err)
					return
				}
				if holds, err := p.Holds(nil, map[string]any{"a": json.Number("1")}); err != nil || holds != want {
					t.Errorf("%s holds = %t, %v", text, holds, err)
				}
			}
		}()
	}
	for range 4 {
		<-done
	}
	if size, count := c.Size(); size > 20<<10 || count == 0 || count > 10 {
		t.Errorf("the cache has %d entries of %d bytes", count, size)
	}
}
