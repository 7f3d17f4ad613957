package claimtemplate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/claimtemplate"
)

func ExampleTemplate_Render() {
	template, err := claimtemplate.Parse(`{"plan": {{ user.trusted_metadata.plan }}, "tags": [{{user.status}}, "fixed"], "gone": {{ user.nobody }}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	root := json.RawMessage(`{"user": {"status": "active", "trusted_metadata": {"plan": {"name": "pro"}}}}`)
	claims, err := template.Render(func(p claimtemplate.Path) json.RawMessage { return claimtemplate.Lookup(root, p) })
	text, _ := json.Marshal(claims)
	fmt.Println(string(text), err)
	// Output:
	// {"gone":null,"plan":{"name":"pro"},"tags":["active","fixed"]} <nil>
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text    string
		refusal error // nil: the template is well formed
		names   []string
		paths   []string
	}{
		{text: `{}`},
		{text: " {\n} "},
		{text: `{"a": 1}`, names: []string{"a"}},
		{text: `{"a": {{user.user_id}}}`, names: []string{"a"}, paths: []string{"user.user_id"}},
		{text: `{"a": {{ user.user_id }}, "b": [{{a}}, {"c": {{	b-c.D_1
		}}}]}`, names: []string{"a", "b"}, paths: []string{"user.user_id", "a", "b-c.D_1"}},
		{text: `{"a": "} { }} \" \\", "b": {{x}}}`, names: []string{"a", "b"}, paths: []string{"x"}},
		{text: `{"\u0061": {{x}}}`, names: []string{"a"}, paths: []string{"x"}},
		{text: `{"a": {"b": {}}}`, names: []string{"a"}},

		{text: ``, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `null`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `[]`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{{x}}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": 1,}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": 1} {"b": 1}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": 1, "a": 2}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": 1, "\u0061": {{x}}}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{ {{x}}: 1}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": 1{{x}}}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": {{x}}1}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": -{{x}}}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": {{x}}{{y}}}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": {{x}}}}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": "` + strings.Repeat("x", claimtemplate.MaxSize) + `"}`, refusal: countersign.ErrJWTTemplateInvalidJSON},
		{text: `{"a": "{{x}}"}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"{{x}}": 1}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{.}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{x.}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{x y}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{x[0]}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{"x"}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{ü}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{{x}}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{a` + strings.Repeat(".a", 16) + `}}}`, refusal: countersign.ErrJWTTemplateInvalidTag},
		{text: `{"a": {{x}`, refusal: countersign.ErrJWTTemplateMismatchedTag},
		{text: `{"a": {{x`, refusal: countersign.ErrJWTTemplateMismatchedTag},
	} {
		template, err := claimtemplate.Parse(test.text)
		if !errors.Is(err, test.refusal) || (err == nil) != (test.refusal == nil) {
			t.Errorf("Parse(%.80q) = %v, want %v", test.text, err, test.refusal)
		}
		if err != nil {
			continue
		}
		var paths []string
		for _, p := range template.Paths() {
			paths = append(paths, p.String())
		}
		if diff := cmp.Diff(test.paths, paths); diff != "" {
			t.Errorf("Paths of %q (-want +got):\n%s", test.text, diff)
		}
		if diff := cmp.Diff(test.names, slices.Sorted(slices.Values(template.Names()))); diff != "" {
			t.Errorf("Names of %q (-want +got):\n%s", test.text, diff)
		}
		if template.Empty() != (len(test.names) == 0) {
			t.Errorf("Empty of %q is %t", test.text, template.Empty())
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	const root = `{"a": {"b": {"c": 1}, "list": [{"c": 2}], "null": null, "text": "{\"c\": 3}"}, "": {"": 4}}`
	for _, test := range []struct{ path, want string }{
		{"a.b.c", "1"},
		{"a.b", `{"c": 1}`},
		{"a.list", `[{"c": 2}]`},
		{"a.null", "null"},
		{"a.text", `"{\"c\": 3}"`},
		{"a.list.0", ""},
		{"a.list.c", ""},
		{"a.text.c", ""},
		{"a.null.c", ""},
		{"a.b.c.d", ""},
		{"A.b", ""},
		{"b", ""},
		{"a.nobody", ""},
	} {
		if got := string(claimtemplate.Lookup(json.RawMessage(root), strings.Split(test.path, "."))); got != test.want {
			t.Errorf("Lookup(%s) = %s, want %s", test.path, got, test.want)
		}
	}
	if got := claimtemplate.Lookup(json.RawMessage(`not JSON`), claimtemplate.Path{"a"}); got != nil {
		t.Errorf("Lookup in what is not JSON = %s", got)
	}
}
