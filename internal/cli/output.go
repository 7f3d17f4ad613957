package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// show prints an answer: as it came if JSON was asked for, otherwise as text,
// written by write from the members that T names.
func show[T any](a *app, asJSON bool, raw json.RawMessage, write func(*text, T)) error {
	if asJSON {
		return a.printJSON(raw)
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	t := &text{colour: a.colour(a.stdout), now: a.now()}
	write(t, v)
	return a.printText(t)
}

// printText prints what t has gathered.
func (a *app) printText(t *text) error {
	t.flush()
	_, err := a.stdout.Write(t.out.Bytes())
	return err
}

// printJSON prints raw, indented; order and digits stay as they are.
func (a *app) printJSON(raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err := fmt.Fprintln(a.stdout, escapeJSON(b.String()))
	return err
}

// printLines prints each member of a list as a line of JSON.
func (a *app) printLines(list []json.RawMessage) error {
	var b bytes.Buffer
	for _, raw := range list {
		if err := json.Compact(&b, raw); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		b.WriteByte('\n')
	}
	_, err := a.stdout.Write([]byte(escapeJSON(b.String())))
	return err
}

// escapeJSON writes what a terminal would act on, or hide, as JSON escapes.
// Outside of strings JSON is ASCII, so the meaning stays.
func escapeJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf && r != 0x7f || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// printable is s without anything that a terminal would act on: names and
// claims are written by others.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

// text gathers the human form of an answer: aligned fields, tables, notes.
type text struct {
	out    bytes.Buffer
	fields [][]string
	colour bool
	now    time.Time
}

// field adds a line "name  value"; an empty value is shown as "-".
func (t *text) field(name, value string) {
	t.fields = append(t.fields, []string{name, value})
}

// object adds a line with JSON in it, compact.
func (t *text) object(name string, raw json.RawMessage) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil { // absent
		t.field(name, "")
		return
	}
	t.field(name, b.String())
}

// line adds a line of its own.
func (t *text) line(format string, args ...any) {
	t.flush()
	t.out.WriteString(printable(fmt.Sprintf(format, args...)) + "\n")
}

// note adds a line of its own after an empty one.
func (t *text) note(format string, args ...any) {
	t.line("")
	t.line(format, args...)
}

// once says of the field before it that it will never be shown again.
func (t *text) once(what string) {
	t.flush()
	line := "This is the only time that the " + what + " is shown: keep it now."
	if t.colour {
		line = "\x1b[1m" + line + "\x1b[0m"
	}
	t.out.WriteString("\n" + line + "\n")
}

// table adds a list under its header; an empty one is said in a sentence.
func (t *text) table(what string, header []string, rows [][]string) {
	t.flush()
	if len(rows) == 0 {
		fmt.Fprintf(&t.out, "There are no %s.\n", what)
		return
	}
	t.columns(append([][]string{header}, rows...))
}

func (t *text) flush() {
	t.columns(t.fields)
	t.fields = nil
}

// columns writes rows, made printable, with two spaces between columns that are as wide as their
// widest cell.
func (t *text) columns(rows [][]string) {
	shown := make([][]string, len(rows))
	var widths []int
	for r, row := range rows {
		for i, cell := range row {
			cell = strings.ReplaceAll(printable(cmp.Or(cell, "-")), "\n", " ")
			shown[r] = append(shown[r], cell)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range shown {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+2))
		}
		t.out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
