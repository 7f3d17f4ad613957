package trust

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxShown bounds what a refusal shows of a token or a profile, in bytes.
const maxShown = 256

// clip cuts s to at most limit bytes, between characters, and marks the cut.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// quote shows s in ASCII without control characters, so that it can neither
// forge a log line nor turn the reader's text around.
func quote(s string) string {
	const limit = 100 // of s: two of them fit into maxShown
	return strconv.QuoteToASCII(clip(s, limit))
}

// quoteAll shows a list, and as much of a long one as can be seen anyway.
func quoteAll(list []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > maxShown {
			break
		}
		b.WriteString(quote(s))
	}
	b.WriteByte(']')
	return b.String()
}

// typeOf is the JSON type of a value of parseObject, with its article.
func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

// instant shows a time in UTC.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// span shows a duration as whole units: "41 s", "3 h".
func span(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, " d"}, {time.Hour, " h"}, {time.Minute, " min"}, {time.Second, " s"}} {
		if d >= 10*unit.of || d >= unit.of && d%unit.of == 0 {
			return strconv.FormatInt(int64(d/unit.of), 10) + unit.name
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
}
