// Package claimtemplate reads and renders JWT templates: JSON objects with
// placeholders, {{ user.trusted_metadata.plan }}, in the place of values
// (sessions-consumer.md §7). It is pure and refuses to know what a user is: a
// caller brings the values.
package claimtemplate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
)

// Bounds of templates.
const (
	MaxSize      = 8192 // bytes
	maxTags      = 256
	maxPathParts = 16
)

// Template is a parsed template. It never changes.
type Template struct {
	literals [][]byte // one more than tags
	tags     []Path
	names    []string // of the object, in no order
}

// Path names a value: "user", "trusted_metadata", "plan".
type Path []string

// String is the path as it is written.
func (p Path) String() string { return strings.Join(p, ".") }

// Empty reports whether the template adds no claim.
func (t *Template) Empty() bool { return len(t.names) == 0 }

// Paths are the placeholders, in the order in which they stand.
func (t *Template) Paths() []Path { return t.tags }

// Names are the claims that the template adds, in no order.
func (t *Template) Names() []string { return t.names }

// Parse reads a template. Errors: ErrJWTTemplateMismatchedTag for a {{ without its }},
// ErrJWTTemplateInvalidTag for a placeholder that is no path or stands inside a string or
// in the place of a name, ErrJWTTemplateInvalidJSON for text that is no JSON object around
// its placeholders.
func Parse(text string) (*Template, error) {
	if len(text) > MaxSize {
		return nil, countersign.ErrJWTTemplateInvalidJSON.Saying("A template may have %d bytes.", MaxSize)
	}
	t := &Template{}
	if err := t.split(text); err != nil {
		return nil, err
	}
	nulls := make([]json.RawMessage, len(t.tags))
	for i := range nulls {
		nulls[i] = json.RawMessage("null")
	}
	var object countersign.Object
	if err := unmarshal(t.join(nulls), &object); err != nil {
		return nil, countersign.ErrJWTTemplateInvalidJSON.Saying("With every placeholder replaced by null: %v.", err)
	}
	t.names = slices.Collect(maps.Keys(object))
	return t, nil
}

// split takes the text apart at its placeholders. A brace within a string is
// just a brace, but two opening ones are almost certainly a placeholder that was
// put in quotes.
func (t *Template) split(text string) error {
	start, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case inString && text[i] == '\\':
			i++
		case text[i] == '"':
			inString = !inString
		case strings.HasPrefix(text[i:], "{{"):
			if inString {
				return countersign.ErrJWTTemplateInvalidTag.Saying("The placeholder at byte %d stands inside a string; write it without quotes, it renders as a JSON value.", i)
			}
			length := strings.Index(text[i+2:], "}}")
			if length < 0 {
				return countersign.ErrJWTTemplateMismatchedTag.Saying("The {{ at byte %d has no }}.", i)
			}
			path, err := parsePath(text[i+2:i+2+length], i)
			if err != nil {
				return err
			}
			if len(t.tags) == maxTags {
				return countersign.ErrJWTTemplateInvalidTag.Saying("A template may have %d placeholders.", maxTags)
			}
			t.literals = append(t.literals, []byte(text[start:i]))
			t.tags = append(t.tags, path)
			i += 2 + length + 1
			start = i + 1
		}
	}
	t.literals = append(t.literals, []byte(text[start:]))
	return nil
}

func parsePath(text string, at int) (Path, error) {
	path := Path(strings.Split(strings.TrimSpace(text), "."))
	if len(path) > maxPathParts || slices.ContainsFunc(path, func(part string) bool {
		return part == "" || strings.ContainsFunc(part, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
		})
	}) {
		return nil, countersign.ErrJWTTemplateInvalidTag.Saying("The placeholder at byte %d must be a dotted path like user.trusted_metadata.plan, of at most %d parts.", at, maxPathParts)
	}
	return path, nil
}

// join is the text with values in the place of the placeholders.
func (t *Template) join(values []json.RawMessage) []byte {
	var b bytes.Buffer
	for i, literal := range t.literals {
		b.Write(literal)
		if i < len(values) {
			b.Write(values[i])
		}
	}
	return b.Bytes()
}

// Render is the template's object with the values of its placeholders; a value
// that is nil, because there is none, renders as null.
func (t *Template) Render(value func(Path) json.RawMessage) (countersign.Object, error) {
	values := make([]json.RawMessage, len(t.tags))
	for i, path := range t.tags {
		if values[i] = value(path); values[i] == nil {
			values[i] = json.RawMessage("null")
		}
	}
	var object countersign.Object
	if err := unmarshal(t.join(values), &object); err != nil {
		return nil, fmt.Errorf("render a template: %w", err)
	}
	return object, nil
}

var (
	errNotObject = errors.New("the text is not a JSON object")
	errDuplicate = errors.New("a name stands twice in the object")
)

// unmarshal reads a JSON object without duplicate names at the top.
func unmarshal(text []byte, object *countersign.Object) error {
	if err := json.Unmarshal(text, object); err != nil {
		if _, other := errors.AsType[*json.UnmarshalTypeError](err); other {
			return errNotObject
		}
		return err
	}
	if *object == nil {
		return errNotObject
	}
	names, err := topLevelNames(text)
	if err == nil && names != len(*object) {
		err = errDuplicate
	}
	return err
}

// topLevelNames counts the names of a JSON object.
func topLevelNames(text []byte) (n int, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return 0, err
	}
	for ; d.More(); n++ {
		if _, err := d.Token(); err != nil {
			return 0, err
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Lookup is the value at a path of names within a JSON object; nil if there is
// none. It never looks into arrays.
func Lookup(root json.RawMessage, p Path) json.RawMessage {
	for _, name := range p {
		var object countersign.Object
		if json.Unmarshal(root, &object) != nil {
			return nil
		}
		root = object[name]
	}
	return root
}
