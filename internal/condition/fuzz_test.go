package condition_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/countersign-auth/countersign/internal/condition"
)

// Any text over any claims ends in a value or in one of the four errors, the same
// each time, and a value is JSON.
func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		`true`, `claims.a == 1 && header.alg == "RS256"`, `claims.a.exists(x, x.startsWith("a"))`, `claims.a.map(x, [x, x]).map(x, [x, x]) == claims`,
		`claims.a.matches("^a{2,5}[^b]*$")`, `claims.a.split(",").join("-").replace("a", "b").trim()`, `claims.a.substring(1, 2).upperAscii()`,
		`{"a": claims.a, "b": [claims, 1u, 1.5, null]}`, `has(claims.a.b) ? claims.a.b : claims["c"][0]`, `type(claims.a) == list && size(claims) in [1, 2.0]`,
		`int(claims.a) + 1 > 2 || uint(claims.a) * 3u == 6u`, `claims.all(k, claims[k] == dyn(b"x"))`, `claim.a`, `1 ? 2 : `, "\xff", `"\ud800"`, `[1][0x0]`,
	} {
		for _, claims := range []string{`{}`, `{"a": 1, "c": [true]}`, `{"a": ["a", "b", {"x": null}]}`, `{"a": "a,b,c"}`, `{"a": {"b": 1e400}, "c": 12345678901234567890123}`} {
			f.Add(text, claims)
		}
	}
	f.Fuzz(func(t *testing.T, text, claims string) {
		var object map[string]any
		if len(claims) > 16<<10 || !utf8.ValidString(claims) || json.Unmarshal([]byte(claims), &object) != nil || object == nil {
			return
		}
		object = decode(t, claims)
		was := fmt.Sprint(object)
		condition1, err1 := condition.Compile(text)
		condition2, err2 := condition.Compile(text)
		if fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Fatalf("Compile = %v, then %v", err1, err2)
		}
		if err1 == nil {
			holds1, err1 := condition1.Holds(object, object)
			holds2, err2 := condition2.Holds(object, object)
			if holds1 != holds2 || !errors.Is(err1, err2) || !known(err1) {
				t.Errorf("it holds: %t, %v, then %t, %v", holds1, err1, holds2, err2)
			}
		}
		value, err := condition.CompileValue(text)
		if err != nil {
			return
		}
		v1, err1 := value.Value(object, object)
		v2, err2 := value.Value(object, object)
		if !reflect.DeepEqual(v1, v2) || !errors.Is(err1, err2) || !known(err1) {
			t.Errorf("its value: %v, %v, then %v, %v", v1, err1, v2, err2)
		}
		if _, err := json.Marshal(v1); err != nil {
			t.Errorf("its value is no JSON: %v", err)
		}
		if now := fmt.Sprint(object); now != was {
			t.Errorf("the claims were %s, now %s", was, now)
		}
	})
}

func known(err error) bool {
	return err == nil || slices.Contains([]error{condition.ErrNoSuchKey, condition.ErrType, condition.ErrTooCostly, condition.ErrFailed}, err)
}
