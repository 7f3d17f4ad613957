package userfile

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV       Format = "csv"
	JSONLines Format = "jsonl"
)

// Reader gives the users of a file, one after another.
type Reader struct {
	window *window
	format format
}

// format knows where a line ends and what it says.
type format interface {
	// end is the size of the first line of b with its line break, 0 if it ends
	// beyond b.
	end(b []byte) int
	// skip passes over a line, however long it is, and reports whether it ended.
	skip(w *window) (bool, error)
	// user reads a line, without its line break. It is never empty.
	user(line []byte) (User, *Refusal)
}

var byteOrderMark = []byte("\uFEFF") // what spreadsheets begin a file with

// NewReader begins a file. Of CSV it reads the header; what is wrong with that is
// a *HeaderError.
func NewReader(src io.Reader, f Format) (*Reader, error) {
	r := &Reader{window: newWindow(src, Position{})}
	b, err := r.window.ahead()
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(b, byteOrderMark) {
		r.window.take(len(byteOrderMark))
	}
	if f == JSONLines {
		r.format = jsonLines{}
		return r, nil
	}
	csv := newCSVFormat()
	r.format = csv
	line, _, err := r.line()
	if err == io.EOF { //nolint:errorlint // line's own, not wrapped
		return nil, &HeaderError{Problem: "the file is empty; its first line must name the columns"}
	}
	if err != nil {
		return nil, err
	}
	return r, csv.header(line)
}

// Position is behind the last line that was given.
func (r *Reader) Position() Position { return r.window.at }

// Resume goes on at a position of the file that an earlier Reader of it gave.
func (r *Reader) Resume(file io.ReadSeeker, at Position) error {
	if _, err := file.Seek(at.Offset, io.SeekStart); err != nil {
		return err
	}
	r.window = newWindow(file, at)
	return nil
}

// Next is the next line, or io.EOF. Empty lines are passed over. Any other error
// is one of reading the file.
func (r *Reader) Next() (Line, error) {
	text, number, err := r.line()
	l := Line{Number: number, End: r.window.at}
	if tooLong, ok := err.(lineError); ok { //nolint:errorlint // line's own, not wrapped
		l.Refused = &Refusal{LineTooLong, string(tooLong)}
		return l, nil
	}
	if err != nil {
		return Line{}, err
	}
	if !utf8.Valid(text) {
		l.Refused = &Refusal{InvalidField, "The line is not valid UTF-8."}
		return l, nil
	}
	l.User, l.Refused = r.format.user(text)
	return l, nil
}

// lineError is a line that is too long, and was passed over.
type lineError string

func (e lineError) Error() string { return string(e) }

// line is the next line that is not empty, without its break, and its number. It
// is good until the next call. Errors: io.EOF, a lineError, those of reading.
func (r *Reader) line() (text []byte, number int64, err error) {
	for {
		b, err := r.window.ahead()
		number = r.window.at.Line + 1
		switch {
		case err != nil:
			return nil, number, err
		case len(b) == 0:
			return nil, number, io.EOF
		}
		size := r.format.end(b)
		if size == 0 && r.window.drained && len(b) <= MaxLine {
			size = len(b) // the last line needs no break
		}
		text := unbroken(b[:size])
		if size == 0 || len(text) > MaxLine {
			return nil, number, r.overlong()
		}
		r.window.take(size)
		if len(text) > 0 {
			return text, number, nil
		}
	}
}

// overlong passes over a line that is too long.
func (r *Reader) overlong() error {
	ended, err := r.format.skip(r.window)
	switch {
	case err != nil:
		return err
	case ended:
		return lineError(fmt.Sprintf("A line may have %d bytes.", MaxLine))
	default:
		return lineError(fmt.Sprintf("A line may have %d bytes. This one goes on to the end of the file: is a quote left open? Nothing behind it was read.", MaxLine))
	}
}

// unbroken is a line without its break.
func unbroken(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}
