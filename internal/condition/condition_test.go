package condition_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/condition"
)

var (
	header = map[string]any{"alg": "RS256", "typ": "JWT"}
	claims = map[string]any{
		"sub": "ada", "email_verified": true, "none": nil, "groups": []any{"staff", "ops"},
		"https://idp.example/org": map[string]any{"id": json.Number("7"), "tier": "gold"},
		"n":                       json.Number("1"), "float": json.Number("1.0"), "exponent": json.Number("1e0"), "negative": json.Number("-3"),
		"int64": json.Number("9223372036854775807"), "uint64": json.Number("18446744073709551615"), "huge": json.Number("123456789012345678901234567890"),
		"infinite": json.Number("1e999"),
	}
)

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want bool
		err  error
	}{
		{text: `claims.sub == "ada"`, want: true},
		{text: `claims.sub == "Ada"`},
		{text: `header.alg in ["RS256", "ES256"]`, want: true},
		{text: `"ops" in claims.groups && size(claims.groups) == 2`, want: true},
		{text: `claims.groups.exists(g, g.startsWith("st"))`, want: true},
		{text: `claims["https://idp.example/org"].tier == "gold"`, want: true},
		{text: `has(claims.nobody)`},
		{text: `has(claims.none) && claims.none == null`, want: true},
		{text: `claims.email_verified`, want: true}, // a boolean, as it turns out
		{text: `claims.sub`, err: condition.ErrType},
		{text: `claims.nobody == "x"`, err: condition.ErrNoSuchKey},
		{text: `claims.groups[2] == "x"`, err: condition.ErrNoSuchKey},
		{text: `claims.sub.nobody == "x"`, err: condition.ErrNoSuchKey},
		{text: `claims.sub + 1 == claims.sub`, err: condition.ErrType},
		{text: `int(claims.sub) == 1`, err: condition.ErrType},
		{text: `claims.n / 0 == 1`, err: condition.ErrFailed},
		{text: `claims.int64 + 1 > 0`, err: condition.ErrFailed},
		{text: `claims.nobody == "x" || claims.sub == "ada"`, want: true}, // CEL: an error on one side does not decide

		{text: `claims.n == 1 && claims.n == 1.0 && claims.float == 1 && claims.exponent == 1`, want: true},
		{text: `claims.negative < 0`, want: true},
		{text: `claims.int64 == 9223372036854775807`, want: true},
		{text: `claims.int64 == 9223372036854775806`},
		{text: `claims.uint64 == 18446744073709551615u`, want: true},
		{text: `claims.uint64 == 18446744073709551614u`},
		{text: `claims.huge == "123456789012345678901234567890"`, want: true},
		{text: `claims.infinite > 1.0`, want: true},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			p, err := condition.Compile(test.text)
			if err != nil {
				t.Fatalf("Compile = %v", err)
			}
			got, err := p.Holds(header, claims)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("Holds = %t, %v, want %t, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want any
		err  error
	}{
		{text: `claims.sub + "@example.com"`, want: "ada@example.com"},
		{text: `claims.sub.upperAscii()`, want: "ADA"},
		{text: `claims.groups.filter(g, g != "ops")`, want: []any{"staff"}},
		{text: `claims.huge`, want: "123456789012345678901234567890"},
		{text: `claims.int64`, want: json.Number("9223372036854775807")},
		{text: `claims.uint64`, want: json.Number("18446744073709551615")},
		{text: `claims.float`, want: json.Number("1")},
		{text: `claims.none`, want: nil},
		{text: `{"a": [claims.n, true]}`, want: map[string]any{"a": []any{json.Number("1"), true}}},
		{text: `{1: 2}`, err: condition.ErrType},
		{text: `duration("1s")`, err: condition.ErrType},
		{text: `b"x"`, err: condition.ErrType},
		{text: `claims.infinite`, err: condition.ErrType},
		{text: `claims.nobody`, err: condition.ErrNoSuchKey},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			p, err := condition.CompileValue(test.text)
			if err != nil {
				t.Fatalf("CompileValue = %v", err)
			}
			got, err := p.Value(header, claims)
			if !errors.Is(err, test.err) {
				t.Fatalf("Value = %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"nothing":             {" ", "empty"},
		"too long":            {strings.Repeat(" ", condition.MaxSize) + "true", "4100 bytes"},
		"no boolean":          {`1`, "an int"},
		"a misspelt name":     {"true &&\n  claim.x", "line 2, column 3: undeclared reference to 'claim' (did you mean 'claims'?)"},
		"a syntax error":      {`claims.`, "line 1, column 8"},
		"no such function":    {`now() > 1`, "undeclared reference to 'now'"},
		"another type":        {`"a" == 1`, "no matching overload"},
		"a bad regex":         {`claims.sub.matches("(")`, "regexp"},
		"a regex that grows":  {`claims.sub.matches("((a{100}){100}){100}")`, "regexp"},
		"replace":             {`claims.sub.replace("a", "b") == ""`, "replace is not available"},
		"deep parentheses":    {strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000), "recursion"},
		"deep negation":       {strings.Repeat("!", 4000) + "true", ""},
		"deep lists":          {strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + " == []", "recursion"},
		"more nodes than may": {"[" + strings.Repeat("1,", 2040) + "1] == []", "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := condition.Compile(test.text)
			if test.want == "" && err == nil { // what folds is no harm
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Compile = %v, %v, want an error with %q", p, err, test.want)
			}
			if len(err.Error()) > 700 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// hostile are expressions that would take long or hold much, over a token of 16
// KiB made to make it worse.
var hostile = []string{
	`claims.list.all(a, claims.list.all(b, claims.list.all(c, a == b)))`,
	`claims.list.map(a, claims.list.map(b, claims.text)).size() > 0`,
	`claims.list.map(a, claims.text).join(claims.text).size() > 0`,
	`[claims.text, claims.text].map(x, x+x).map(x, x+x).map(x, x+x).map(x, x+x).map(x, x+x).map(x, x+x).map(x, x+x).map(x, x+x).map(x, x+x).size() > 0`,
	`claims.list.map(a, [claims.list, claims.list]).size() > 0`,
	`claims.list.map(a, claims.text.upperAscii()).size() > 0`,
	`claims.list.filter(a, claims.text.matches("(a|aa)+b")).size() > 0`,
	`claims.list.all(a, !claims.text.contains("b"))`,
	`claims.list.map(a, claims.text.split("")).size() > 0`,
	`claims.text.split("").map(a, claims.text.split("")).size() > 0`,
	`sets.contains(claims.list, claims.list) && sets.equivalent(claims.list, claims.list)`,
	`claims.list.map(a, claims.text.lastIndexOf("aab")).size() > 0`,
	`claims.list.map(a, claims.text.substring(1)).size() > 0`,
	`claims.list.all(a, claims.text.charAt(14000) == "a")`,
	`claims.list.all(a, claims.text.trim() == claims.text)`,
	`claims.list.map(a, strings.quote(claims.text)).size() > 0`,
	`claims.list.all(a, claims.list.all(b, string(claims.list) == a))`,
}

// TestHostile holds expressions against their bounds: each is ended by them, and
// holds no more memory than a few requests do.
func TestHostile(t *testing.T) {
	list := make([]any, 1500)
	for i := range list {
		list[i] = "aaaaaa"
	}
	claims := map[string]any{"list": list, "text": strings.Repeat("a", 15<<10)}
	for _, text := range hostile {
		p, err := condition.Compile(text)
		if err != nil {
			t.Errorf("Compile(%s) = %v", text, err)
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = p.Holds(header, claims)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, condition.ErrTooCostly) {
			t.Errorf("%s: %v, want %v", text, err, condition.ErrTooCostly)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d KiB allocated", text, used>>10)
		}
	}
	for _, text := range []string{`claims.text.matches(claims.text)`, `claims.text.matches("(a*)*b")`} { // one call each: linear
		p, err := condition.Compile(text)
		if err != nil {
			t.Errorf("Compile(%s) = %v", text, err)
			continue
		}
		if holds, err := p.Holds(header, claims); holds && err == nil {
			t.Errorf("%s holds", text)
		}
	}
}

// TestErrorsShowNoValue looks for the token's values in every error.
func TestErrorsShowNoValue(t *testing.T) {
	t.Parallel()
	const secret = "planted-claim-value"
	claims := map[string]any{"s": secret, "l": []any{secret}}
	for _, text := range []string{
		`int(claims.s) == 1`, `claims.l[claims.s] == 1`, `claims[claims.s] == 1`, `timestamp(claims.s) == timestamp(claims.s)`,
		`claims.s.matches("[" + claims.s + "[")`, `{claims.s: 1}[claims.s + "x"] == 1`, `claims.s.charAt(100) == ""`, `{claims.s: 1, claims.s: 2}.size() == 1`,
	} {
		p, err := condition.Compile(text)
		if err != nil {
			t.Errorf("Compile(%s) = %v", text, err)
			continue
		}
		if _, err := p.Holds(header, claims); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v shows the value", text, err)
		}
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	var c condition.Cache
	for range 2 {
		if holds, err := c.Holds(`claims.n == 1`, header, claims); !holds || err != nil {
			t.Errorf("Holds = %t, %v", holds, err)
		}
		if _, err := c.Holds(`claims.n + 1`, header, claims); err == nil {
			t.Error("a number holds")
		}
		if v, err := c.Value(`claims.n + 1`, header, claims); v != json.Number("2") || err != nil {
			t.Errorf("Value = %v, %v: the same text, compiled for its value", v, err)
		}
	}
	for i := range 5000 {
		if holds, err := c.Holds(fmt.Sprintf("%d == %d", i, i), nil, nil); !holds || err != nil {
			t.Fatalf("expression %d: %t, %v", i, holds, err)
		}
	}
}

func FuzzCondition(f *testing.F) {
	f.Add(`claims.sub == "ada"`, `{"sub":"ada"}`)
	f.Add(`claims.l.all(a, claims.l.exists(b, a == b))`, `{"l":[1,2.5,null,{"a":1e400}]}`)
	f.Add(`cel.bind(x, 1, x == 1) || has(claims.a.b)`, `{}`)
	for _, text := range hostile {
		f.Add(text, `{"list":["a","b"],"text":"aaaa"}`)
	}
	f.Fuzz(func(t *testing.T, text, payload string) {
		var claims map[string]any
		decoder := json.NewDecoder(strings.NewReader(payload))
		decoder.UseNumber()
		if len(payload) > 16<<10 || decoder.Decode(&claims) != nil {
			return
		}
		p, err := condition.Compile(text)
		again, errAgain := condition.Compile(text)
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("Compile = %v, and then %v", err, errAgain)
		}
		if err == nil {
			holds, err := p.Holds(header, claims)
			if holdsAgain, errAgain := again.Holds(header, claims); holds != holdsAgain || (err == nil) != (errAgain == nil) {
				t.Errorf("Holds = %t, %v, and then %t, %v", holds, err, holdsAgain, errAgain)
			}
		}
		if p, err := condition.CompileValue(text); err == nil {
			if v, err := p.Value(header, claims); err == nil {
				if _, err := json.Marshal(v); err != nil {
					t.Errorf("Value = %v, which is no JSON: %v", v, err)
				}
			}
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	p, err := condition.Compile(`claims.email_verified && "ops" in claims.groups && claims["https://idp.example/org"].tier == "gold"`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if holds, err := p.Holds(header, claims); !holds || err != nil {
			b.Fatal(holds, err)
		}
	}
}

func Example() {
	p, err := condition.Compile(`claims.email_verified && claims.groups.exists(g, g == "staff")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Holds(nil, map[string]any{"email_verified": true, "groups": []any{"staff"}}))
	fmt.Println(p.Holds(nil, map[string]any{"email_verified": true}))
	_, err = condition.Compile(`claim.sub == "x"`)
	fmt.Println(err)
	// Output:
	// true <nil>
	// false it names a claim or a member that the token does not have
	// line 1, column 1: undeclared reference to 'claim' (did you mean 'claims'?)
}
