package countersign

import "strings"

// MaxExternalID is how long an external ID may be, in bytes.
const MaxExternalID = 128

// ValidExternalID reports whether s may be an external ID: 1 to 128 characters
// out of A-Z, a-z, 0-9 and "._|-", and not of the shape of an ID of ours. "." and
// ".." are none: in a path they would name somebody else (RFC 3986 §5.2.4).
func ValidExternalID(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > MaxExternalID || LooksLikeID(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		default:
			return !strings.ContainsRune("._|-", r)
		}
	})
}
