package trust

import (
	"encoding/json"
	"strings"
	"time"
)

// The seconds of the years 1 to 9999, which RFC 3339 can write. Milliseconds
// taken for seconds, the usual mistake, lie beyond.
const (
	minUnix = -62135596800
	maxUnix = 253402300799
)

// numericDate is the moment that n means (RFC 7519 §2: seconds since 1970, with
// or without a fraction), to the nanosecond; further digits are dropped. It
// works on the digits as they were written: nothing is rounded, and 1e999999999
// costs no more than 1. ok is false outside the years 1 to 9999.
func numericDate(n json.Number) (t time.Time, ok bool) {
	text, negative := strings.CutPrefix(n.String(), "-")
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], smallInt(text[i+1:])
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")

	// The digits, with the decimal point after the first point of them.
	digits := whole + fraction
	point := len(whole) + exponent
	significant := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(significant)
	if significant == "" {
		return time.Unix(0, 0), true
	}
	if point > 12 { // 10¹² seconds is beyond maxUnix
		return time.Time{}, false
	}
	seconds := decimal(significant, 0, point)
	nanos := decimal(significant, point, point+9)
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	if seconds < minUnix || seconds > maxUnix {
		return time.Time{}, false
	}
	return time.Unix(seconds, nanos), true
}

// decimal reads digits[from:to] as a number; beyond either end there are zeros.
// to − from is at most 12.
func decimal(digits string, from, to int) int64 {
	n := int64(0)
	for i := from; i < to; i++ {
		n *= 10
		if 0 <= i && i < len(digits) {
			n += int64(digits[i] - '0')
		}
	}
	return n
}

// smallInt reads the exponent of a JSON number, held within ±10⁶: a token is
// too short to write more digits than that, so beyond it nothing changes.
func smallInt(s string) int {
	const limit = 1_000_000
	digits := strings.TrimLeft(s, "+-")
	n := 0
	for _, c := range []byte(digits) {
		n = min(10*n+int(c-'0'), limit)
	}
	if strings.HasPrefix(s, "-") {
		return -n
	}
	return n
}

// isPlainInteger reports whether n is written as an integer: with neither
// fraction nor exponent, so that its digits are its one spelling. "-0" is not.
func isPlainInteger(n json.Number) bool {
	return !strings.ContainsAny(n.String(), ".eE") && n != "-0"
}
