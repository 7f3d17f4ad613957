package trust

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may nest, the outermost counted.
const maxDepth = 32

// What makes a text other than the one JSON object it should be. None of them
// quotes the text: it may be anybody's claims.
var (
	errNotObject     = errors.New("not a JSON object")
	errSyntax        = errors.New("not valid JSON")
	errTrailing      = errors.New("more than one JSON value")
	errTooDeep       = errors.New("nested deeper than 32 levels")
	errDuplicate     = errors.New("a member occurs twice")
	errNotUTF8       = errors.New("not valid UTF-8")
	errLoneSurrogate = errors.New("half of a surrogate pair is escaped alone")
)

// parseObject reads text that is exactly one JSON object (RFC 8259) and means
// the same to every reader: no member twice at any depth, names compared after
// unescaping (RFC 7519 §4, RFC 8725 §2.4), valid UTF-8 throughout. Values are
// map[string]any, []any, string, json.Number, bool and nil; numbers stay as they
// were written. It is ours because encoding/json lets the last duplicate win and
// replaces what is not UTF-8. Work and memory are linear in the text, and
// strings without escapes share its memory.
func parseObject(text string) (map[string]any, error) {
	s := scanner{text: text}
	s.space()
	if s.peek() != '{' {
		return nil, errNotObject
	}
	object, err := s.object(1)
	if err != nil {
		return nil, err
	}
	s.space()
	if s.at != len(text) {
		return nil, errTrailing
	}
	return object, nil
}

// scanner reads JSON from text, of which everything before at is read.
type scanner struct {
	text string
	at   int
}

// peek is the next byte, or 0 at the end; a literal 0 is valid nowhere in JSON.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// take reads c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) value(depth int) (any, error) {
	switch c := s.peek(); {
	case c == '"':
		return s.string()
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '-' || isDigit(c):
		return s.number()
	case c == 't':
		return true, s.literal("true")
	case c == 'f':
		return false, s.literal("false")
	case c == 'n':
		return nil, s.literal("null")
	}
	return nil, errSyntax
}

func (s *scanner) literal(word string) error {
	if len(s.text)-s.at < len(word) || s.text[s.at:s.at+len(word)] != word {
		return errSyntax
	}
	s.at += len(word)
	return nil
}

func (s *scanner) object(depth int) (map[string]any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	s.at++ // the brace
	object := make(map[string]any)
	s.space()
	if s.take('}') {
		return object, nil
	}
	for {
		if s.peek() != '"' {
			return nil, errSyntax
		}
		name, err := s.string()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			return nil, errDuplicate
		}
		s.space()
		if !s.take(':') {
			return nil, errSyntax
		}
		s.space()
		value, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		object[name] = value
		s.space()
		if s.take('}') {
			return object, nil
		}
		if !s.take(',') {
			return nil, errSyntax
		}
		s.space()
	}
}

func (s *scanner) array(depth int) ([]any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	s.at++ // the bracket
	array := []any{}
	s.space()
	if s.take(']') {
		return array, nil
	}
	for {
		value, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
		s.space()
		if s.take(']') {
			return array, nil
		}
		if !s.take(',') {
			return nil, errSyntax
		}
		s.space()
	}
}

// number reads a number by the grammar of RFC 8259 §6 and keeps its text.
func (s *scanner) number() (json.Number, error) {
	start := s.at
	s.take('-')
	if !s.take('0') && !s.digits() {
		return "", errSyntax
	}
	if s.take('.') && !s.digits() {
		return "", errSyntax
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return "", errSyntax
		}
	}
	return json.Number(s.text[start:s.at]), nil
}

// digits reads as many digits as come, and reports whether any did.
func (s *scanner) digits() bool {
	start := s.at
	for isDigit(s.peek()) {
		s.at++
	}
	return s.at > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// string reads a string. Most have no escape and are returned as they stand.
func (s *scanner) string() (string, error) {
	s.at++ // the quote
	start := s.at
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			out := s.text[start:s.at]
			s.at++
			return out, nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", errSyntax
		case c < utf8.RuneSelf:
			s.at++
		default:
			if err := s.rune(); err != nil {
				return "", err
			}
		}
	}
	return "", errSyntax
}

// rune skips one character of more than one byte.
func (s *scanner) rune() error {
	r, size := utf8.DecodeRuneInString(s.text[s.at:])
	if r == utf8.RuneError && size == 1 {
		return errNotUTF8
	}
	s.at += size
	return nil
}

// escaped reads on in a string that began at start and has an escape at s.at.
func (s *scanner) escaped(start int) (string, error) {
	out := []byte(s.text[start:s.at])
	for s.at < len(s.text) {
		begin := s.at
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return string(out), nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			continue
		case c < ' ':
			return "", errSyntax
		case c < utf8.RuneSelf:
			s.at++
		default:
			if err := s.rune(); err != nil {
				return "", err
			}
		}
		out = append(out, s.text[begin:s.at]...)
	}
	return "", errSyntax
}

// escape reads one escape sequence, both halves of a surrogate pair together.
func (s *scanner) escape() (rune, error) {
	s.at++ // the backslash
	c := s.peek()
	s.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
	default:
		return 0, errSyntax
	}
	high, err := s.hex4()
	if err != nil {
		return 0, err
	}
	switch {
	case high < 0xd800 || high > 0xdfff:
		return high, nil
	case high > 0xdbff:
		return 0, errLoneSurrogate
	}
	// Not utf16.DecodeRune: its answer for a bad pair is a valid character too.
	if !s.take('\\') || !s.take('u') {
		return 0, errLoneSurrogate
	}
	low, err := s.hex4()
	if err != nil {
		return 0, err
	}
	if low < 0xdc00 || low > 0xdfff {
		return 0, errLoneSurrogate
	}
	return (high-0xd800)<<10 | (low - 0xdc00) + 0x10000, nil
}

func (s *scanner) hex4() (rune, error) {
	if len(s.text)-s.at < 4 {
		return 0, errSyntax
	}
	digits := s.text[s.at : s.at+4]
	for _, c := range []byte(digits) {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0, errSyntax // ParseUint would take an underscore or a sign
		}
	}
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		return 0, errSyntax
	}
	s.at += 4
	return rune(n), nil
}
