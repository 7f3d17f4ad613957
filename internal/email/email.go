// Package email knows what one plain e-mail address is, and when two of them
// are the same. It refuses to know whether anybody reads mail there.
package email

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Bounds of an address, in bytes of UTF-8 (RFC 5321 §4.5.3.1, RFC 3696 erratum
// 1690). They hold for the address as given and for its key.
const (
	MaxSize      = 254
	maxLocalSize = 64
)

// Address is one plain e-mail address.
type Address struct {
	Given string // as it was written
	// Key is what addresses are compared by: two with the same key are one. The
	// local part is in NFC with the letters A to Z lower-cased and nothing else
	// folded; the domain is in IDNA A-labels, lower case. Parse(Key).Key is Key.
	Key string
}

// What makes a text other than one plain address. None of them shows it.
var (
	errEmpty     = errors.New("an empty string")
	errTooLong   = errors.New("more than 254 bytes")
	errNotUTF8   = errors.New("not valid UTF-8")
	errInvisible = errors.New("a control, zero-width, bidirectional or other invisible character")
	errNoAt      = errors.New("no @")
	errSecondAt  = errors.New("more than one @")
	errLocalSize = errors.New("a local part that is not of 1 to 64 bytes")
	errDots      = errors.New("a local part that begins or ends with a dot, or has two in a row")
	errLocal     = errors.New("a character in the local part that a plain address has not: a display name, a comment or quotes")
	errMark      = errors.New("a combining mark without a letter before it")
	errDomain    = errors.New("a domain that is not a host name of two labels or more")
)

// Parse reads one bare address, as in RFC 5321's Mailbox with RFC 6531's UTF-8,
// less what no mailbox of today needs and every confusion lives on: quoted local
// parts, comments, display names, address literals and domains of one label.
// The error says what is wrong and never shows the address.
//
// The domain is mapped as UTS 46 maps it for look-up, not transitionally (ß stays
// ß): there upper case, full width and a Kelvin sign are spellings of one name,
// because DNS will not tell them apart either. In the local part they are not:
// only the receiving host knows what they mean (RFC 5321 §2.4).
func Parse(s string) (Address, error) {
	switch {
	case s == "":
		return Address{}, errEmpty
	case len(s) > MaxSize:
		return Address{}, errTooLong
	case !utf8.ValidString(s):
		return Address{}, errNotUTF8
	case strings.ContainsFunc(s, isInvisible):
		return Address{}, errInvisible
	}
	local, domain, found := strings.Cut(s, "@")
	switch {
	case !found:
		return Address{}, errNoAt
	case strings.Contains(domain, "@"):
		return Address{}, errSecondAt
	}
	if err := checkLocal(local); err != nil {
		return Address{}, err
	}
	// Normalising may lengthen, and puts an invisible character (U+034F) between
	// more than thirty marks in a row, so the key is checked once more.
	local = normalLocal(local)
	if strings.ContainsFunc(local, isInvisible) {
		return Address{}, errInvisible
	}
	if err := checkLocal(local); err != nil {
		return Address{}, err
	}
	host, err := normalDomain(domain)
	if err != nil {
		return Address{}, err
	}
	key := local + "@" + host
	if len(key) > MaxSize {
		return Address{}, errTooLong
	}
	return Address{Given: s, Key: key}, nil
}

// isInvisible reports whether r cannot be seen, so that two addresses would look
// alike: control and format characters, which include the bidirectional ones,
// separators other than the space, private use and unassigned (none of these is
// printable to unicode), and what Unicode says to draw as nothing at all
// (Default_Ignorable_Code_Point).
func isInvisible(r rune) bool {
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// checkLocal holds a local part to a dot-atom (RFC 5322 §3.2.3) in which visible
// characters beyond ASCII are letters too (RFC 6532 §3.2).
func checkLocal(local string) error {
	if local == "" || len(local) > maxLocalSize {
		return errLocalSize
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return errDots
		}
		for i, r := range atom {
			switch {
			case r < utf8.RuneSelf && !isAtomText(byte(r)):
				return errLocal
			case i == 0 && unicode.IsMark(r):
				return errMark
			}
		}
	}
	return nil
}

// isAtomText is atext of RFC 5322 §3.2.3.
func isAtomText(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// The characters beyond ASCII that NFC replaces by one within it: the Kelvin
// sign by K, the Greek question mark by a semicolon, the Greek varia by a
// backquote. They stay what they are, or one person's address could become
// another's.
const lookalikes = "\u212A\u037E\u1FEF"

// normalLocal is the local part of a key.
func normalLocal(local string) string {
	if isASCII(local) {
		return lowerASCII(local)
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(local, lookalikes)
		if i < 0 {
			b.WriteString(normalRun(local))
			return b.String()
		}
		_, size := utf8.DecodeRuneInString(local[i:])
		b.WriteString(normalRun(local[:i]))
		b.WriteString(local[i : i+size])
		local = local[i+size:]
	}
}

// normalRun normalises again after lowering: H with a line below has no
// precomposed form, h with one has.
func normalRun(s string) string { return norm.NFC.String(lowerASCII(norm.NFC.String(s))) }

// Part is the form that a part of an address has within keys, as far as one can
// say of a part: a domain that is not ASCII is searched by its A-labels.
func Part(s string) string { return normalLocal(s) }

// lowerASCII lowers the letters A to Z and no others.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// lookup maps and checks as RFC 5891 §5 and UTS 46 §4 say: letters, digits and
// hyphens only, hyphens, joiners and the bidi rule checked, A-labels decoded and
// checked too, lengths as in DNS.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.VerifyDNSLength(true))

// Domain reads a domain as Parse reads that of an address: its A-label form, in
// lower case.
func Domain(s string) (string, error) {
	if len(s) > MaxSize || !utf8.ValidString(s) {
		return "", errDomain
	}
	return normalDomain(s)
}

// DomainOf is the domain of an address's key.
func DomainOf(key string) string { return key[strings.LastIndexByte(key, '@')+1:] }

// normalDomain is the domain of a key: two labels or more, the last one not a
// number, for that would be an IPv4 address (RFC 3696 §2).
func normalDomain(domain string) (string, error) {
	host, err := lookup.ToASCII(domain)
	if err != nil {
		return "", errDomain
	}
	if host != domain {
		// The rules are checked once more on what the mapping made: a symbol may
		// become a right-to-left letter, and only then break the bidi rule.
		if again, err := lookup.ToASCII(host); err != nil || again != host {
			return "", errDomain
		}
	}
	last := strings.LastIndexByte(host, '.')
	if last < 0 || strings.Trim(host[last+1:], "0123456789") == "" {
		return "", errDomain
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isHostLabel(label) {
			return "", errDomain
		}
	}
	return host, nil
}

// isHostLabel reports whether label is one of RFC 1123 §2.1, in lower case. It
// holds whatever the IDNA tables of the day say.
func isHostLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
