package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
)

// decodedToken is a JWT taken apart, without a judgement. The server decodes
// more strictly; what it would mind is in oddities.
type decodedToken struct {
	size      int
	header    countersign.Object
	claims    countersign.Object
	rawHeader json.RawMessage
	rawClaims json.RawMessage
	signature []byte
	oddities  []string
}

// decodeToken takes a token apart, and overlooks what comes along when one is
// copied.
func decodeToken(text string) (*decodedToken, error) {
	text = bareToken(text)
	d := &decodedToken{size: len(text)}
	segments := strings.Split(text, ".")
	switch {
	case text == "":
		return nil, failed("there is no token", "give a file, or pipe one: countersign token mint … | countersign token inspect")
	case strings.HasPrefix(text, "{"):
		return nil, failed("this is JSON, not a JWT in compact form", "a JWT has three parts with dots between: header.claims.signature")
	case len(segments) == 5:
		return nil, failed("this token is encrypted (JWE); only its receiver can read it", "have the issuer send a signed JWT, not an encrypted one")
	case len(segments) != 3:
		return nil, failed(fmt.Sprintf("this is not a JWT: %d parts instead of three", len(segments)), "a JWT has three parts with dots between: header.claims.signature")
	}
	var err error
	if d.rawHeader, d.header, err = d.object("header", segments[0]); err != nil {
		return nil, err
	}
	if d.rawClaims, d.claims, err = d.object("claims", segments[1]); err != nil {
		return nil, err
	}
	d.signature, err = d.base64("signature", segments[2])
	return d, err
}

// object decodes one segment that must hold a JSON object.
func (d *decodedToken) object(part, segment string) (json.RawMessage, countersign.Object, error) {
	raw, err := d.base64(part, segment)
	if err != nil {
		return nil, nil, err
	}
	var object countersign.Object
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, nil, failed("the token's "+part+" cannot be read: not a JSON object", "was all of the token copied?")
	}
	if err := strictJSON(raw); err != nil {
		d.oddities = append(d.oddities, "the "+part+": "+err.Error())
	}
	if !utf8.Valid(raw) {
		d.oddities = append(d.oddities, "the "+part+" is not valid UTF-8")
	}
	return raw, object, nil
}

// base64 decodes one segment, strictly if possible (RFC 7515 §2).
func (d *decodedToken) base64(part, segment string) ([]byte, error) {
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(segment); err == nil && !strings.ContainsAny(segment, "\r\n") {
		return raw, nil
	}
	lenient := strings.NewReplacer("+", "-", "/", "_", " ", "", "\n", "", "\r", "").Replace(strings.TrimRight(segment, "="))
	raw, err := base64.RawURLEncoding.DecodeString(lenient)
	if err != nil {
		return nil, failed("the token's "+part+" cannot be read: not base64url", "was all of the token copied?")
	}
	d.oddities = append(d.oddities, "the "+part+" is not strict base64url without padding")
	return raw, nil
}

// stringMember is the member of that name, if it is a string.
func stringMember(object countersign.Object, name string) (string, bool) {
	var s string
	raw, ok := object[name]
	if !ok || json.Unmarshal(raw, &s) != nil || string(raw) == "null" {
		return "", false
	}
	return s, true
}
