package openapi

import (
	"fmt"
	"reflect"
	"strings"
)

// field is a member of a JSON object.
type field struct {
	reflect.StructField
	name    string
	omitted bool // when it is empty
}

// fieldsOf are the members that encoding/json makes of a struct: those of an
// embedded struct are among the others, and give way to one of the same name that
// is less deep. Two at the same depth, of which it would write neither, are an
// error.
func fieldsOf(t reflect.Type) (list []field, err error) {
	seen := map[string]bool{}
	for level := []reflect.Type{t}; len(level) > 0; {
		var next []reflect.Type
		var here []field
		for _, t := range level {
			for f := range t.Fields() {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				switch {
				case name == "-" && options == "":
				case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
					next = append(next, f.Type)
				case f.Anonymous && name == "":
					return nil, fmt.Errorf("%v embeds %v, which is not a struct", t, f.Type)
				case !f.IsExported():
				case name == "":
					return nil, fmt.Errorf("%v.%s has no name in JSON", t, f.Name)
				case !seen[name]:
					here = append(here, field{f, name, strings.Contains(options, "omit")})
				}
			}
		}
		for _, f := range here {
			if seen[f.name] {
				return nil, fmt.Errorf("%v has two members %q", t, f.name)
			}
			seen[f.name] = true
		}
		list, level = append(list, here...), next
	}
	return list, nil
}
