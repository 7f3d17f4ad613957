package claimtemplate_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/claimtemplate"
)

// Whatever stands in the place of the placeholders, a template makes an object of
// the names that it has, in which each value stays where it was put.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a": {{user.user_id}}}`, `{"a": [{{ x }}, {"b": {{y}}}], "c": "}}"}`, `{"a": "{{x}}"}`, `{{x}}`, `{"a": {{x}`, `{"\u0061": {{x}}, "b": "\\"}`,
		`{"a": 1{{x}}}`, `{{{x}}: 1}`, `{"\ud800": {{x}}}`,
	} {
		for _, value := range []string{`1`, `"\", \"admin\": true, \"x\": \""`, `{"a": [null]}`, `"{{ x }}"`, `not JSON }}, "admin": true`, ``} {
			f.Add(text, value)
		}
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		template, err := claimtemplate.Parse(text)
		if err != nil {
			if !errors.Is(err, countersign.ErrJWTTemplateInvalidJSON) && !errors.Is(err, countersign.ErrJWTTemplateInvalidTag) && !errors.Is(err, countersign.ErrJWTTemplateMismatchedTag) {
				t.Errorf("Parse(%q) = %v", text, err)
			}
			return
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) || nestedDeep(value) {
			if raw, err = json.Marshal(value); err != nil {
				t.Fatal(err)
			}
		}
		const mark = "the value of a placeholder"
		if strings.Contains(text, mark) || nestedDeep(text) {
			return
		}
		marked := render(t, template, json.RawMessage(`"`+mark+`"`))
		got := render(t, template, raw)
		names := slices.Sorted(slices.Values(template.Names()))
		var have []string
		for name := range got {
			have = append(have, name)
		}
		slices.Sort(have)
		if !slices.Equal(names, have) {
			t.Errorf("%q with %s has the names %q, want %q", text, raw, have, names)
		}
		var put any
		if err := json.Unmarshal(raw, &put); err != nil {
			return // a number that no float holds; the names were compared
		}
		if want := replace(marked, mark, put); !reflect.DeepEqual(want, any(got)) {
			t.Errorf("%q with %s is %v, want %v", text, raw, got, want)
		}
	})
}

// nestedDeep reports whether text could nest deeper than encoding/json reads.
func nestedDeep(text string) bool { return strings.Count(text, "[")+strings.Count(text, "{") > 4000 }

func render(t *testing.T, template *claimtemplate.Template, value json.RawMessage) map[string]any {
	t.Helper()
	claims, err := template.Render(func(claimtemplate.Path) json.RawMessage { return value })
	if err != nil {
		t.Fatalf("Render with %s: %v", value, err)
	}
	decoded := map[string]any{}
	for name, raw := range claims {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			var number *json.UnmarshalTypeError
			if !errors.As(err, &number) { // 1e999 is JSON all the same
				t.Fatalf("the claim %q is %s: %v", name, raw, err)
			}
		}
		decoded[name] = v
	}
	return decoded
}

// replace puts a value wherever a mark stands.
func replace(in any, mark string, value any) any {
	switch v := in.(type) {
	case string:
		if v == mark {
			return value
		}
	case []any:
		for i := range v {
			v[i] = replace(v[i], mark, value)
		}
	case map[string]any:
		for name := range v {
			v[name] = replace(v[name], mark, value)
		}
	}
	return in
}
