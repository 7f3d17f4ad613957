package openapi

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
)

// builder makes the schemas of Go types, each named one once.
type builder struct {
	schemas map[string]*schema
	types   map[string]reflect.Type // whose the name is
	err     error                   // all that cannot be described
}

// direction is which way a value goes: an answer's is as the server writes it, a
// request's is anything that the server takes.
type direction int

const (
	answer direction = iota
	request
)

var (
	declares     = reflect.TypeFor[interface{ OpenAPI() string }]()
	holds        = reflect.TypeFor[interface{ Holds() reflect.Type }]()
	rawJSON      = reflect.TypeFor[json.RawMessage]()
	marshalsText = reflect.TypeFor[encoding.TextMarshaler]()
	marshals     = reflect.TypeFor[json.Marshaler]()
	unmarshals   = reflect.TypeFor[json.Unmarshaler]()
)

func (b *builder) complain(format string, args ...any) {
	b.err = errors.Join(b.err, fmt.Errorf(format, args...))
}

// of is the schema of the values of a type that are not null.
func (b *builder) of(t reflect.Type, d direction) *schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return b.of(t.Elem(), d)
	case t.Implements(holds):
		inner := reflect.Zero(t).Interface().(interface{ Holds() reflect.Type }).Holds()
		return b.of(inner, d)
	case t == rawJSON:
		return &schema{}
	case t.Implements(declares):
		text := reflect.Zero(t).Interface().(interface{ OpenAPI() string }).OpenAPI()
		said, err := parse(text)
		if err != nil {
			b.complain("%v: %w", t, err)
		}
		if said.typ != "" {
			return said.on(&schema{})
		}
		return said.on(b.kind(t, d))
	case t.Implements(marshalsText):
		return &schema{Type: "string"}
	case t.Implements(marshals), reflect.PointerTo(t).Implements(unmarshals):
		b.complain("%v has JSON of its own and no method OpenAPI", t)
	}
	return b.kind(t, d)
}

// kind is the schema that encoding/json gives a type by itself.
func (b *builder) kind(t reflect.Type, d direction) *schema {
	switch t.Kind() {
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return &schema{Type: "integer"}
	case reflect.Slice:
		return &schema{Type: "array", Items: b.element(t.Elem(), d)}
	case reflect.Map:
		return &schema{Type: "object", AdditionalProperties: b.element(t.Elem(), d)}
	case reflect.Struct:
		if t.Name() == "" {
			return b.object(t, d)
		}
		return b.named(t, d)
	default:
		b.complain("%v cannot be described", t)
		return &schema{}
	}
}

// element is the schema of what is in a list or a map: raw JSON there may be null.
func (b *builder) element(t reflect.Type, d direction) *schema {
	s := b.of(t, d)
	if t == rawJSON {
		s = s.orNull()
	}
	return s
}

// named is a reference to the schema of a type, which it makes the first time.
func (b *builder) named(t reflect.Type, d direction) *schema {
	name := nameOf(t, d)
	switch other := b.types[name]; other {
	case nil:
		b.types[name] = t
		b.schemas[name] = b.object(t, d)
	case t:
	default:
		b.complain("%v and %v are both called %s", t, other, name)
	}
	return &schema{Ref: "#/components/schemas/" + name}
}

// nameOf is the name of a type in the document: its own; after that of its
// package if only the package knows it. What a request holds may be less than
// what answers do, so that it has another name.
func nameOf(t reflect.Type, d direction) string {
	name := t.Name()
	if first := name[:1]; strings.ToLower(first) == first {
		name = capital(path.Base(t.PkgPath())) + capital(name)
	}
	if d == request && !strings.HasSuffix(name, "Request") {
		name += "Input"
	}
	return name
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (b *builder) object(t reflect.Type, d direction) *schema {
	s := &schema{Type: "object"}
	fields, err := fieldsOf(t)
	if err != nil {
		b.complain("%w", err)
	}
	for _, f := range fields {
		said, err := parse(f.Tag.Get("openapi"))
		if err != nil {
			b.complain("%v.%s: %w", t, f.Name, err)
		}
		property := said.on(b.of(f.Type, d))
		required, nullable := said.required, !said.required
		if d == answer {
			nullable = said.nullable || f.Type.Kind() == reflect.Pointer && !said.required
			required = !nullable && !f.omitted
		}
		if nullable {
			property = property.orNull()
		}
		if required {
			s.Required = append(s.Required, f.name)
		}
		if s.Properties == nil {
			s.Properties = map[string]*schema{}
		}
		s.Properties[f.name] = property.described(f.Tag.Get("doc"))
	}
	slices.Sort(s.Required)
	return s
}
