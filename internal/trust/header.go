package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
)

// header is the JOSE header of a token (RFC 7515 §4). Members that carry or
// name a key (jwk, jku, x5u, x5c, x5t, x5t#S256) are never looked at: the keys
// are the profile's, and an attacker can write a header (RFC 8725 §3.10).
type header map[string]any

// algorithm is the header's alg, if p allows it. The list is the profile's, but
// what is not in algorithms cannot be listed: there "none" and HMAC do not
// exist. Case matters (RFC 7515 §4.1.1). A header without alg, or with one that
// is no string, is Malformed: by the same section it is not a JWS.
func (h header) algorithm(p *countersign.Profile) (countersign.Algorithm, error) {
	value, present := h["alg"]
	name, isString := value.(string)
	switch {
	case !present:
		return "", malformedAt(StepAlgorithm, "alg in the header", "no alg")
	case !isString:
		return "", malformedAt(StepAlgorithm, "alg to be a string", "alg is "+typeOf(value))
	}
	alg, allowed := countersign.Algorithm(name), allowed(p)
	if _, known := algorithms[alg]; !known || !slices.Contains(allowed, alg) {
		names := make([]string, 0, len(allowed))
		for _, a := range allowed {
			names = append(names, string(a))
		}
		return "", Refuse(AlgorithmNotAllowed, "alg to be one of "+quoteAll(names), "alg is "+quote(name))
	}
	return alg, nil
}

// allowed are the algorithms that a profile's tokens may be signed with.
func allowed(p *countersign.Profile) []countersign.Algorithm {
	if list := p.Policy.Algorithms; list != nil {
		return list
	}
	return countersign.Algorithms()
}

// checkCritical refuses crit and b64, whatever they say: this server
// understands no extension, and an unencoded payload (RFC 7797) would be signed
// over other bytes than those that were read (RFC 7515 §4.1.11).
func (h header) checkCritical() error {
	for _, name := range []string{"crit", "b64"} {
		if _, present := h[name]; present {
			return Refuse(UnsupportedCriticalHeader, "a header without crit and b64", "a header with "+name)
		}
	}
	return nil
}

// sessionClaim marks the session JWTs of this server, of every environment.
const sessionClaim = "https://stytch.com/session"

// sessionIssuerPrefix begins the iss of the session JWTs of this server.
const sessionIssuerPrefix = "stytch.com/project-"

// checkType compares typ with the type that the profile requires, if it does,
// and refuses JWTs that are known to be something else than a subject token: a
// token made for one purpose must not serve another (RFC 8725 §3.11).
func (h header) checkType(p *countersign.Profile, c Claims) error {
	value, present := h["typ"]
	name, isString := value.(string)
	expected := "a subject token"
	if required := p.Policy.RequiredType; required != "" {
		expected = "typ to be " + quote(required)
	}
	if present && !isString {
		return Refuse(WrongType, expected, "typ is "+typeOf(value))
	}
	typ := mediaType(name)
	if NeverSubjectToken(name) {
		return Refuse(WrongType, expected, "typ is "+quote(name))
	}
	if required := p.Policy.RequiredType; required != "" && typ != mediaType(required) {
		if !present {
			return Refuse(WrongType, expected, "no typ")
		}
		return Refuse(WrongType, expected, "typ is "+quote(name))
	}
	_, ours := c[sessionClaim]
	if iss, ok := c["iss"].(string); ours || ok && strings.HasPrefix(iss, sessionIssuerPrefix) {
		return Refuse(WrongType, expected, "a session JWT")
	}
	return nil
}

// NeverSubjectToken reports whether typ is that of a JWT which is made for another
// purpose than to be a subject token.
func NeverSubjectToken(typ string) bool {
	// Parameters do not turn a logout token into something else.
	switch kind, _, _ := strings.Cut(mediaType(typ), ";"); strings.TrimSpace(kind) {
	case "logout+jwt", "dpop+jwt", "secevent+jwt": // OIDC Back-Channel Logout §2.4, RFC 9449 §4.2, RFC 8417 §2.3
		return true
	}
	return false
}

// mediaType is the form in which types are compared: lower case, and without
// the "application/" that may be left out if no other slash follows (RFC 7515
// §4.1.9).
func mediaType(typ string) string {
	typ = lowerASCII(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

// lowerASCII lowers the letters A to Z and no others; strings.ToLower makes a k
// of a Kelvin sign.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// maxKeyIDSize is the most bytes that a kid may have.
const maxKeyIDSize = 256

// keyID is the header's kid, "" if there is none or it is empty. One that is no
// string is Malformed (RFC 7515 §4.1.4), and so is one that nobody can have
// meant: above 256 bytes, or with control characters.
func (h header) keyID() (string, error) {
	value, present := h["kid"]
	if !present {
		return "", nil
	}
	kid, ok := value.(string)
	if !ok {
		return "", malformedAt(StepKey, "kid to be a string", "kid is "+typeOf(value))
	}
	if len(kid) > maxKeyIDSize || hasControl(kid) {
		return "", malformedAt(StepKey, fmt.Sprintf("kid to have at most %d bytes and no control characters", maxKeyIDSize), "kid is "+quote(kid))
	}
	return kid, nil
}
