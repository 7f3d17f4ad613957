package openapi

import (
	"fmt"
	"strconv"
	"strings"
)

// declaration is what a tag or a type says beyond Go.
type declaration struct {
	nullable, required bool
	typ, format        string
	enum               []any
	minimum, maximum   *int64
}

// parse reads the text of a tag: words and name=value, with commas between.
func parse(text string) (d declaration, err error) {
	if text == "" {
		return d, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		word, value, _ := strings.Cut(part, "=")
		switch word {
		case "nullable":
			d.nullable = true
		case "required":
			d.required = true
		case "type":
			d.typ = value
		case "format":
			d.format = value
		case "enum":
			for v := range strings.SplitSeq(value, "|") {
				d.enum = append(d.enum, v)
			}
		case "minimum":
			d.minimum, err = bound(value)
		case "maximum":
			d.maximum, err = bound(value)
		default:
			err = fmt.Errorf("the tag openapi has no %q", part)
		}
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

func bound(text string) (*int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return &n, err
}

// on adds to a schema what a declaration says of its values.
func (d declaration) on(s *schema) *schema {
	if d.typ == "" && d.format == "" && d.enum == nil && d.minimum == nil && d.maximum == nil {
		return s
	}
	s = s.open()
	if d.typ != "" {
		s.Type = d.typ
	}
	if d.format != "" {
		s.Format = d.format
	}
	if d.enum != nil {
		s.Enum = d.enum
	}
	if d.minimum != nil {
		s.Minimum = d.minimum
	}
	if d.maximum != nil {
		s.Maximum = d.maximum
	}
	return s
}
