package trust

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// maxTokenSize is the most bytes a subject token may have.
const maxTokenSize = 16 << 10

// compact is a JWS in compact serialisation (RFC 7515 §3.1), taken apart.
type compact struct {
	signed    []byte // header and payload as they were sent, the dot between them: what is signed
	header    string // decoded
	payload   string // decoded
	signature []byte // decoded; empty is possible here, and then no algorithm accepts it
}

// parseCompact takes a token apart. Each token has one text only: the base64url
// is without padding, line breaks and stray bits in the last character (RFC 7515
// §2, RFC 4648 §3.5), so that nobody makes a second one out of it. A JWE and the
// JSON serialisations are Malformed like anything else that is not three
// segments; more than 16 KiB is TokenTooLarge and not looked at.
func parseCompact(token string) (compact, error) {
	if len(token) > maxTokenSize {
		return compact{}, Refuse(TokenTooLarge, fmt.Sprintf("at most %d bytes", maxTokenSize), fmt.Sprintf("%d bytes", len(token)))
	}
	var dots [2]int
	n := 0
	for i := range len(token) {
		c := token[i]
		if c != '.' {
			if !isBase64URL(c) {
				return compact{}, malformedForm(token)
			}
			continue
		}
		if n == len(dots) {
			return compact{}, malformedForm(token)
		}
		dots[n] = i
		n++
	}
	if n != len(dots) {
		return compact{}, malformedForm(token)
	}

	text := []byte(token)
	decoded := make([]byte, base64.RawURLEncoding.DecodedLen(len(text)))
	header, rest, err := decodeSegment(decoded, text[:dots[0]])
	if err != nil {
		return compact{}, malformed(StepForm, "the header", err)
	}
	payload, rest, err := decodeSegment(rest, text[dots[0]+1:dots[1]])
	if err != nil {
		return compact{}, malformed(StepForm, "the payload", err)
	}
	signature, _, err := decodeSegment(rest, text[dots[1]+1:])
	if err != nil {
		return compact{}, malformed(StepForm, "the signature", err)
	}
	return compact{
		signed:    text[:dots[1]],
		header:    string(header),
		payload:   string(payload),
		signature: signature,
	}, nil
}

// strictBase64 refuses stray bits in the last character. It ignores CR and LF,
// which isBase64URL has refused by then.
var strictBase64 = base64.RawURLEncoding.Strict()

// The decoder's own error would tell nothing more but an offset.
var errBase64 = errors.New("not strict unpadded base64url")

// decodeSegment decodes src into the front of buf and gives both parts of buf.
func decodeSegment(buf, src []byte) (segment, rest []byte, err error) {
	n, err := strictBase64.Decode(buf, src)
	if err != nil {
		return nil, nil, errBase64
	}
	return buf[:n:n], buf[n:], nil
}

func isBase64URL(c byte) bool { return base64URL[c] }

// base64URL are the characters of RFC 4648 §5, by themselves.
var base64URL = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[c] = true
	}
	return table
}()

// malformed says what is wrong with one part of a token.
func malformed(step Step, part string, err error) *Refusal {
	expected := "strict unpadded base64url in each segment of the JWS"
	if step == StepJSON {
		expected = "a JSON object that everybody reads alike"
	}
	return malformedAt(step, expected, part+": "+err.Error())
}

// malformedForm says in what way token is not three segments of base64url: an
// operator who sent something else altogether should be told so. It shows
// nothing of the token.
func malformedForm(token string) *Refusal {
	r := Refuse(Malformed, "a JWS in compact serialisation: header.payload.signature, unpadded base64url", "")
	switch dots := strings.Count(token, "."); {
	case token == "":
		r.Received = "nothing"
	case strings.HasPrefix(strings.TrimLeft(token, " \t\r\n"), "{"):
		r.Received = "JSON"
	case dots == 4:
		r.Received = "five segments: an encrypted token (JWE)"
	case dots != 2:
		r.Received = fmt.Sprintf("%d segment(s)", dots+1)
	case strings.ContainsAny(token, " \t\r\n"):
		r.Received = "white space"
	case strings.ContainsRune(token, '='):
		r.Received = "base64 padding"
	default:
		r.Received = "a character outside base64url"
	}
	return r
}
