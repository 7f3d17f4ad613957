package userfile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign/internal/spelling"
)

// csvFormat is CSV as in RFC 4180. Where a record ends is found here, so that one
// quote that is left open does not bring the whole file into memory; what a
// record says is read by encoding/csv.
type csvFormat struct {
	columns []column // of the header
	record  bytes.Reader
	reader  *csv.Reader // of record
}

func newCSVFormat() *csvFormat {
	f := &csvFormat{}
	f.renew()
	return f
}

// renew forgets a record that could not be read to its end.
func (f *csvFormat) renew() {
	f.reader = csv.NewReader(&f.record)
	f.reader.FieldsPerRecord = -1
	f.reader.ReuseRecord = true
}

// HeaderError is a first line that does not name the columns.
type HeaderError struct {
	Problem string
	Nearest string // the column that was probably meant, "" if nobody can tell
}

func (e *HeaderError) Error() string { return e.Problem }

// header reads the first line.
func (f *csvFormat) header(line []byte) error {
	names, err := f.fields(line)
	if err != nil {
		return &HeaderError{Problem: "the first line is not CSV: " + err.Error()}
	}
	for _, text := range names {
		name := strings.ToLower(strings.TrimSpace(text))
		i := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		switch {
		case i < 0 && len(names) == 1 && strings.ContainsAny(name, ";\t|"):
			return &HeaderError{Problem: "the columns of the first line are not separated by commas"}
		case i < 0:
			return &HeaderError{Problem: fmt.Sprintf("there is no column %.64q", text), Nearest: spelling.Nearest(name, Columns())}
		case slices.ContainsFunc(f.columns, func(c column) bool { return c.name == name }):
			return &HeaderError{Problem: fmt.Sprintf("the column %s stands twice in the first line", name)}
		}
		f.columns = append(f.columns, columns[i])
	}
	if !slices.ContainsFunc(f.columns, func(c column) bool { return c.name == "email" || c.name == "phone_number" }) {
		return &HeaderError{Problem: "the first line names neither email nor phone_number, and a user needs one of them"}
	}
	return nil
}

// fields are the texts of a record; good until the next call.
func (f *csvFormat) fields(line []byte) ([]string, error) {
	f.record.Reset(line)
	fields, err := f.reader.Read()
	if err == nil || err == io.EOF {
		return fields, nil
	}
	f.renew()
	if wrong, ok := err.(*csv.ParseError); ok { //nolint:errorlint // csv's own, not wrapped
		err = wrong.Err // without a line number, which is not the file's
	}
	return nil, err
}

func (f *csvFormat) user(line []byte) (u User, refused *Refusal) {
	fields, err := f.fields(line)
	if err != nil {
		return User{}, &Refusal{InvalidCSV, "The line is not CSV: " + err.Error() + "."}
	}
	if len(fields) != len(f.columns) {
		return User{}, &Refusal{InvalidCSV, fmt.Sprintf("The line has %d fields, the first line of the file %d.", len(fields), len(f.columns))}
	}
	for i, c := range f.columns {
		if text := strings.TrimSpace(fields[i]); text != "" {
			if err := c.set(&u, text); err != nil {
				return User{}, c.refusal()
			}
		}
	}
	return u, nil
}

func (f *csvFormat) end(b []byte) int {
	var at csvState
	for i, c := range b {
		if at.next(c) {
			return i + 1
		}
	}
	return 0
}

func (f *csvFormat) skip(w *window) (bool, error) {
	var at csvState
	ended, err := w.drop(func(c byte) bool { return at.next(c) })
	return ended || at != inQuotes, err
}

// csvState is where in a record a byte stands.
type csvState int

const (
	atField    csvState = iota // before the first byte of a field
	inField                    // in one without quotes
	inQuotes                   // line breaks are text here
	afterQuote                 // the end of the field, or the first half of a quote in it
	broken                     // behind what is no CSV: only the end of the line helps
)

// next goes on by a byte, and reports whether it ends the record.
func (s *csvState) next(c byte) bool {
	switch {
	case *s == inQuotes:
		if c == '"' {
			*s = afterQuote
		}
	case c == '\n':
		return true
	case *s == broken:
	case c == ',':
		*s = atField
	case c == '"' && *s != inField:
		*s = inQuotes
	case *s == afterQuote || c == '"':
		*s = broken
	default:
		*s = inField
	}
	return false
}
