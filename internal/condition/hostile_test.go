package condition_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/condition"
)

// maxAllocated is what one expression may make of memory, garbage included. It is
// generous: measured are 4 MiB.
const maxAllocated = 16 << 20

// allocated is what f allocates, and everything else that runs meanwhile: its
// callers are not parallel.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// hostileTokens are as bad as 16 KiB can be, each in its way.
func hostileTokens(t testing.TB) map[string]map[string]any {
	t.Helper()
	names := make([]string, 1200)
	for i := range names {
		names[i] = fmt.Sprintf(`"k%05d": 1`, i)
	}
	n := strings.Repeat
	tokens := make(map[string]map[string]any)
	for name, text := range map[string]string{
		"numbers": `{"l": [` + n("1,", 8000) + `1], "s": "x", "m": {}}`,
		"text":    `{"l": [1], "s": "` + n("a", 16000) + `", "m": {}}`,
		"both":    `{"l": [` + n("1,", 4000) + `1], "s": "` + n("a", 8000) + `", "m": {}}`,
		"objects": `{"l": [` + n(`{"a":1},`, 1900) + `{}], "s": "x", "m": {}}`,
		"deep":    `{"l": [` + n("[[]],", 1500) + n("[", 29) + n("]", 29) + `], "s": "x", "m": {}}`,
		"names":   `{"l": [1], "s": "x", "m": {` + strings.Join(names, ",") + `}}`,
		"claims":  `{"l": [1], "s": "x", "m": {}, ` + strings.Join(names, ",") + `}`,
	} {
		if len(text) > 16<<10 {
			t.Fatalf("%s is a token of %d bytes", name, len(text))
		}
		tokens[name] = decode(t, text)
	}
	return tokens
}

// Whatever 4 KiB of expression do to 16 KiB of token, the cost ends it before it
// has taken much memory. What a unit costs in time is in the ADR.
func TestHostile(t *testing.T) { //nolint:paralleltest // it measures
	n := strings.Repeat
	tokens := hostileTokens(t)
	for _, row := range []struct{ text, with string }{ // with: the token that must be too costly, if there is one
		{`claims.l.all(a, claims.l.all(b, claims.l.all(c, a != b + c)))`, "numbers"},
		{`claims.l.exists(a, claims.l.exists(b, a == 0 && b == 0))`, "numbers"},
		{`claims.l.map(a, claims.l.map(b, claims.l.map(c, c))) == []`, "numbers"},
		{`claims.l.filter(a, claims.l.filter(b, true) == []) == []`, "numbers"},
		{`claims.m.all(a, claims.m.all(b, claims.m.all(c, true)))`, "names"},
		{`claims.all(a, claims.all(b, a == b || true))`, "claims"},
		{`claims.all(a, claims.exists(b, true))`, ""}, // ends at the first: opening a map must not cost its size
		{`claims.l.map(a, claims.l) == []`, "numbers"},
		{`claims.l.map(a, claims) == []`, "numbers"},
		{`claims.l.map(a, [claims.s, claims.s]) == []`, "both"},
		{`claims.l.all(a, claims == claims)`, "objects"},
		{`claims.l.all(a, claims.l == claims.l)`, "numbers"},
		{`claims.l.all(a, [claims.l] != [claims.l, claims.l])`, ""},
		{`claims.l.all(a, !(0 in claims.l))`, "numbers"},
		{`claims.l.all(a, !([[0]] in claims.l))`, "deep"},
		{`claims.l.all(a, !(a in [claims.l, claims.l]))`, "numbers"},
		{`claims.l.all(a, claims.s == claims.s)`, "both"},
		{`claims.l.all(a, claims.s <= claims.s)`, "both"},
		{`claims.l.all(a, claims.s.size() > 0)`, "both"},

		// Errors that the other side of || covers.
		{`claims.l.all(a, claims.nope || true)`, ""},
		{`claims.l.all(a, claims[claims.s] || true)`, ""},
		{`claims.l.all(a, a.nope.nope.nope || true)`, ""},
		{`claims.l.all(a, int(claims.s) == 1 || true)`, "both"},
		{`claims.l.all(a, double(claims.s) == 1.0 || true)`, "both"},
		{`claims.l.all(a, claims.s + 1 == 1 || true)`, ""},

		// Steps that the library does not charge.
		{`claims.l.all(a, ` + n("true && ", 450) + `true)`, "numbers"},
		{`claims.l.all(a, ` + n("false || ", 400) + `true)`, "numbers"},
		{`claims.l.all(a, claims.l.all(b, ` + n("(true ? ", 15) + "true" + n(" : false)", 15) + `))`, "numbers"},
		{`claims.l.all(a, [` + n("0,", 1300) + `0] != [])`, "numbers"},
		{`claims.l.all(a, {` + n("'a':0,", 500) + `'b':0} != {})`, "numbers"},
		{`claims.l.map(a, [` + n("0,", 1300) + `0]) == []`, "numbers"},
		{`[{` + n("'a':0,", 500) + `'b':0}].all(m, claims.l.all(a, m.exists(b, true)))`, "numbers"},

		// Growth by doubling: of trees, of texts, of lists.
		{`[0]` + n(".map(a,[a,a])", 20) + `.all(a, a == a)`, "numbers"},
		{`[0]` + n(".map(a,[a,a,a,a,a,a,a,a,a,a,a,a])", 5) + `.all(a, a == a)`, "numbers"},
		{`[0]` + n(`.map(a,{"a":a,"b":a})`, 20) + `.all(a, a == a)`, "numbers"},
		{`[claims]` + n(".map(a,[a,a])", 12) + `.all(a, a == a)`, "numbers"},
		{`[claims.s]` + n(".map(a,a+a)", 23) + `.all(a, a == a)`, "text"},
		{`[claims.l]` + n(".map(a,a+a)", 23) + `.all(a, a == a)`, "numbers"},
		{`claims.l.all(a, claims.s + claims.s != "")`, "both"},
		{`claims.l.all(a, claims.l + claims.l != [])`, "numbers"},
		{`([1]` + n("+[1]", 40) + `).all(a, claims.l.all(b, a == b))`, "numbers"},

		// The functions of strings.
		{`claims.s.replace("", claims.s) == ""`, "text"},
		{`claims.s.replace("a", claims.s) == ""`, "text"},
		{`claims.l.all(a, claims.s.replace("", "a") != "")`, "both"},
		{`claims.l.all(a, claims.s.split("") != [])`, "both"},
		{`claims.s.split("").map(a, claims.s).join(claims.s) == ""`, "text"},
		{`claims.s.split("").map(a, claims.s).join() == ""`, "text"},
		{`claims.s.split("").join(claims.s) == ""`, "text"},
		{`claims.l.all(a, claims.s.contains(claims.s))`, "both"},
		{`claims.l.all(a, claims.s.indexOf("` + n("a", 2000) + `b") < 0)`, "both"},
		{`claims.l.all(a, claims.s.lowerAscii().upperAscii().trim() != "")`, "both"},
		{`claims.l.all(a, claims.s.substring(0, 1) != "")`, "both"},

		// Patterns.
		{`claims.l.all(a, claims.s.substring(0, 200).matches("^(a|a|aa)*[b-z]{100}$") || true)`, "both"},
		{`claims.l.all(a, claims.s.matches("(a*)*b") || true)`, "both"},
		{`claims.s.matches("(a|b|ab){100}c")`, "text"}, // refused before it is tried
		{`claims.l.all(a, claims.s.substring(0, 260).matches("(a?){200}b") || true)`, "both"},
		{`claims.l.all(a, claims.s.matches("` + n(`\\pL`, 12) + `1") || true)`, ""},
	} {
		if len(row.text) > condition.MaxSize {
			t.Fatalf("%.60s… is of %d bytes", row.text, len(row.text))
		}
		p, err := condition.Compile(row.text)
		if err != nil {
			t.Errorf("Compile(%.80s…) = %v", row.text, err)
			continue
		}
		for name, claims := range tokens {
			var err error
			if n := allocated(func() { _, err = p.Holds(nil, claims) }); n > maxAllocated {
				t.Errorf("%.80s… over %s allocates %d KiB", row.text, name, n>>10)
			}
			if name == row.with && !errors.Is(err, condition.ErrTooCostly) {
				t.Errorf("%.80s… over %s: %v, want ErrTooCostly", row.text, name, err)
			}
		}
	}
}

// A result is bounded as well: it becomes a row.
func TestHostileValue(t *testing.T) { //nolint:paralleltest // it measures
	tokens := hostileTokens(t)
	for _, row := range []struct{ text, with string }{
		{`[claims.s, claims.s, claims.s]`, "text"},
		{`[claims.l, claims.l, claims.l]`, "numbers"},
		{`[claims, claims, claims]`, "numbers"},
		{`claims.s.split("")`, ""},
		{`claims.s.split("").map(a, {"aaaa": a})`, "text"},
		{`[0]` + strings.Repeat(".map(a,[a,a])", 16), "text"},
	} {
		p := compileValue(t, row.text)
		for name, claims := range tokens {
			var err error
			if n := allocated(func() { _, err = p.Value(nil, claims) }); n > maxAllocated {
				t.Errorf("%s over %s allocates %d KiB", row.text, name, n>>10)
			}
			if name == row.with && !errors.Is(err, condition.ErrTooCostly) {
				t.Errorf("%s over %s: %v, want ErrTooCostly", row.text, name, err)
			}
		}
	}
}

// Compiling is bounded too: whoever may save a profile may try a thousand texts.
func TestHostileText(t *testing.T) { //nolint:paralleltest // it measures
	n := strings.Repeat
	many := func(format string, count int) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	compile(t, "true") // the environment is made once
	for _, text := range []string{
		"claims" + n(".a", 2000), n("(", 4000), n("[", 4000), n("{", 4000), n("-", 4000) + "1", n("!", 4001) + "true",
		n("[", 40) + n("]", 40) + " == []",
		"1" + n("+1", 2000), "claims.a" + n("||claims.a", 360), n("claims.a?true:", 250) + "true",
		n("claims.all(a,", 300), n("has(claims.a)&&", 250) + "true", n("claims.all(a,a==a)&&", 180) + "true",
		"[" + n("1,", 2000) + "1]", "[" + n("a,", 2000) + "a]", "[" + n("a(),", 1000) + "a()]", "[" + n("{},", 1300) + "{}]",
		"{" + n("'a':1,", 670) + "'a':1}",
		n("a", 4096), `"` + n("a", 4094) + `"`, `"` + n(`\u00e4`, 680) + `"`, n("\x00", 4096), n("\xff", 4096), n("é", 2048), n("\n", 4095) + "x",
		n("/*", 2048), n(`"""`, 1365), n("`", 4096), n("a.b(", 1000), n("a?b:", 1000), n("1 ", 2048), n(".", 4096),
		`[1]` + n(`.map(a,{"a":a,"b":a})`, 24) + " == []", `[1]` + n(`.map(a,[{"a":a,"b":[a,[a]]}])`, 24) + " == []",
		`[1]` + n(`.map(a,{a:a})`, 24) + " == []", `[[]]` + n(`.map(a,[a,a])`, 24) + ` == [[]]` + n(`.map(a,[a,a])`, 24),
		"claims.s.matches('" + n(`\\pL`, 120) + "')", "claims.s.matches('(?i)" + n(`[^\\pL\\pN]`, 50) + "')",
		"claims.s.matches('" + n("(", 250) + n(")*", 130) + "')", "claims.s.matches('" + n("x{9}", 120) + "')", "claims.s.matches('((x{10}){10}){10}')",
		many(`claims.s.matches('%d\\pL\\pL\\pL\\pL')||`, 90) + "true", many("'a'.matches('%dx{990}')||", 150) + "true",
	} {
		var first, again error
		if n := allocated(func() { _, first = condition.Compile(text) }); n > maxAllocated {
			t.Errorf("Compile(%.60q…) allocates %d KiB", text, n>>10)
		}
		if _, again = condition.Compile(text); fmt.Sprint(first) != fmt.Sprint(again) {
			t.Errorf("Compile(%.60q…) = %v, then %v", text, first, again)
		}
		if first != nil && len(first.Error()) > 1000 {
			t.Errorf("Compile(%.60q…) explains itself in %d bytes", text, len(first.Error()))
		}
	}
}
