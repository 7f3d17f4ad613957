package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notOurs are places of the contract's answers that ours never have, and why.
var notOurs = []struct {
	place  *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`\b(biometric_registrations|crypto_wallets|providers|totps|webauthn_registrations)\[\]\.`), "these lists are always empty"},
	{regexp.MustCompile(`\b(sso_registrations|oauth_registrations|sso_active_connections)\[\]\.|\b(scim_registration|scim_active_connection)\.`), "a member or an organization has none of these: they are always empty"},
	{regexp.MustCompile(`^(mfa_required|primary_required)\.`), "a trusted token is all that a sign-in needs: they are always null"},
	{regexp.MustCompile(`\bpassword\.`), "nobody has a password: it is always null"},
	{regexp.MustCompile(`^(user|member)_device\.`), "devices are not told apart: it is always null"},
	{regexp.MustCompile(`^(attributes|telemetry_id)$`), "devices are not told apart: these of a request are ignored"},
	{regexp.MustCompile(`^locale$`), "nothing is sent to anybody: that of a request is ignored"},
	{regexp.MustCompile(`active_members\[\]\.`), "this list is always empty"},
	{regexp.MustCompile(`\bauthentication_factors\[\]\.\w+_factor$`), "these factors are never made"},
}

// TestDocumentKeepsContract holds the answers of our document against those of
// the contract's documents, where they stand beside the repository: what the
// contract requires is required and never null in ours, what it has is there or
// in notOurs, and the types are the same.
func TestDocumentKeepsContract(t *testing.T) {
	t.Parallel()
	contract := openAPI()
	if contract == nil {
		t.Skipf("the contract's documents are not at %s", contractFolder)
	}
	theirs := openAPIDocument{}
	theirs.Components.Schemas = contract.schemas
	c := &comparison{ours: ownDocument(t, newServer(t, serverOptions{})), theirs: theirs, excused: map[string]bool{}}
	shared := 0
	for name, operation := range c.ours.operations() {
		if contract.operations[name] == nil {
			continue
		}
		shared++
		problems := c.answers("", contract.operations[name], operation.Responses["200"].schema())
		problems = append(problems, c.requests("", contract.requests[name], operation.RequestBody.schema())...)
		for _, problem := range problems {
			t.Errorf("%s: %s", name, problem)
		}
	}
	if shared < 30 {
		t.Errorf("only %d operations are both in the contract and in our document", shared)
	}
	for _, n := range notOurs {
		if !c.excused[n.reason] {
			t.Errorf("we have everything at %v: it needs no excuse", n.place)
		}
	}
}

// TestComparisonNotices compares schemas that differ in one thing each.
func TestComparisonNotices(t *testing.T) {
	t.Parallel()
	const theirs = `{"type": "object", "required": ["name"], "properties": {
		"name": {"type": "string"}, "kind": {"type": "string", "enum": ["A", "B"]}, "at": {"type": "string", "format": "date-time", "nullable": true},
		"list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}, "totps": {"type": "array", "items": {}}}}`
	for _, c := range []struct{ answer, request, old, new string }{
		{"", "", "", ""},
		{": name is required in the contract", "", `["name"]`, `[]`},
		{"", "we require at", `["name"]`, `["name", "at"]`},
		{"name: null in ours", "", `"name": {"type": "string"`, `"name": {"type": "string", "nullable": true`},
		{"name: the contract has the type string, we have boolean", "name: the contract takes the type string, we take boolean", `"name": {"type": "string"`, `"name": {"type": "boolean"`},
		{"kind: the contract has no value C", "", `["A", "B"]`, `["A", "C"]`},
		{"kind: an enumeration", "", `, "enum": ["A", "B"]`, ``},
		{"at: a moment", "", `"format": "date-time", `, ``},
		{": the contract has name", ": the contract takes name", `"name": {"type": "string"}, `, ``},
		{"list[]: the contract has n", "", `"n"`, `"m"`},
	} {
		ours := strings.Replace(theirs, c.old, c.new, 1)
		if c.old != "" && ours == theirs {
			t.Fatalf("%s is not in %s", c.old, theirs)
		}
		var their, our schema
		if err := errors.Join(json.Unmarshal([]byte(theirs), &their), json.Unmarshal([]byte(ours), &our)); err != nil {
			t.Fatal(err)
		}
		both := &comparison{excused: map[string]bool{}}
		for _, side := range []struct{ got, want string }{
			{strings.Join(both.answers("", their, our), "; "), c.answer}, {strings.Join(both.requests("", their, our), "; "), c.request},
		} {
			if (side.want == "") != (side.got == "") || !strings.Contains(side.got, side.want) {
				t.Errorf("%s instead of %s: the comparison says %q, want %q", c.new, c.old, side.got, side.want)
			}
		}
	}
}

// comparison is between two documents.
type comparison struct {
	ours, theirs openAPIDocument
	excused      map[string]bool // the reasons of notOurs that were needed
}

// answers is where our schema of an answer differs from theirs.
func (c *comparison) answers(at string, theirs, ours schema) (list []string) {
	theirs, ours = c.theirs.resolve(theirs), c.ours.resolve(ours)
	complain := func(format string, args ...any) { list = append(list, at+": "+fmt.Sprintf(format, args...)) }
	if theirs["type"] != ours["type"] {
		complain("the contract has the type %v, we have %v", theirs["type"], ours["type"])
	}
	if theirs["format"] == "date-time" && ours["format"] != "date-time" {
		complain("a moment in the contract, %v in ours", ours["format"])
	}
	if allowed, ok := theirs["enum"].([]any); ok {
		values, _ := ours["enum"].([]any)
		if values == nil {
			complain("an enumeration in the contract, and not in ours")
		}
		for _, v := range values {
			if !slices.Contains(allowed, v) {
				complain("the contract has no value %v", v)
			}
		}
	}
	if theirs["nullable"] != true && ours["nullable"] == true {
		complain("null in ours, and never in the contract")
	}
	if items, ok := theirs["items"].(map[string]any); ok {
		own, _ := ours["items"].(map[string]any)
		list = append(list, c.answers(at+"[]", items, own)...)
	}
	required, _ := theirs["required"].([]any)
	ourRequired, _ := ours["required"].([]any)
	properties, _ := theirs["properties"].(map[string]any)
	own, _ := ours["properties"].(map[string]any)
	for name, property := range properties {
		place := strings.TrimPrefix(at+"."+name, ".")
		mine, has := own[name].(map[string]any)
		switch {
		case !has && !c.excuse(place):
			complain("the contract has %s, and we do not", name)
		case has:
			if slices.Contains(required, any(name)) && !slices.Contains(ourRequired, any(name)) {
				complain("%s is required in the contract, and not in ours", name)
			}
			theirProperty, _ := property.(map[string]any)
			list = append(list, c.answers(place, theirProperty, mine)...)
		}
	}
	return list
}

// requests is where our schema of a request differs from theirs: we know every
// member, and require none that they do not. Their documents mark no enumeration
// as required, not even one that their prose does.
func (c *comparison) requests(at string, theirs, ours schema) (list []string) {
	theirs, ours = c.theirs.resolve(theirs), c.ours.resolve(ours)
	properties, _ := theirs["properties"].(map[string]any)
	own, _ := ours["properties"].(map[string]any)
	if ours == nil && len(properties) == 0 {
		return nil // an object without members, which we do not read
	}
	complain := func(format string, args ...any) { list = append(list, at+": "+fmt.Sprintf(format, args...)) }
	if theirs["type"] != nil && theirs["type"] != ours["type"] {
		complain("the contract takes the type %v, we take %v", theirs["type"], ours["type"])
	}
	required, _ := theirs["required"].([]any)
	ourRequired, _ := ours["required"].([]any)
	for _, name := range ourRequired {
		property, _ := properties[text(name)].(map[string]any)
		if !slices.Contains(required, name) && c.theirs.resolve(property)["enum"] == nil {
			complain("we require %v, and the contract does not", name)
		}
	}
	for name, property := range properties {
		place := strings.TrimPrefix(at+"."+name, ".")
		theirProperty, _ := property.(map[string]any)
		mine, has := own[name].(map[string]any)
		if has {
			list = append(list, c.requests(place, theirProperty, mine)...)
		} else if !c.excuse(place) {
			complain("the contract takes %s, and we do not", name)
		}
	}
	return list
}

// excuse reports whether notOurs has a place.
func (c *comparison) excuse(place string) bool {
	for _, n := range notOurs {
		if n.place.MatchString(place) {
			c.excused[n.reason] = true
			return true
		}
	}
	return false
}
