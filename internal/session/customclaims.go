package session

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/countersign-auth/countersign"
)

// maxClaimDepth bounds nesting, so that merging stays linear.
const maxClaimDepth = 32

// reservedClaim reports the registered claims that a caller cannot set; they are
// passed over without a word (README §7).
func reservedClaim(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti":
		return true
	}
	return false
}

// mergeClaims applies a caller's custom claims to a session's: a key overwrites,
// null deletes, objects merge by the same rules (RFC 7396). nil if nothing is
// left. Errors: ErrCustomClaimsTooLarge, ErrStytchClaimsInCustomClaims,
// ErrBadRequest for nesting deeper than 32.
func mergeClaims(stored, patch countersign.Object) (countersign.Object, error) {
	applied := countersign.Object{}
	for name, value := range patch {
		if strings.HasPrefix(name, countersign.ClaimNamespace) {
			return nil, countersign.ErrStytchClaimsInCustomClaims
		}
		if depth(value) > maxClaimDepth {
			return nil, countersign.ErrBadRequest.Saying("session_custom_claims may be nested %d deep.", maxClaimDepth)
		}
		if !reservedClaim(name) {
			applied[name] = value
		}
	}
	merged, err := merge(stored, applied)
	if err != nil {
		return nil, countersign.ErrBadRequest.Because(err)
	}
	return bounded(merged)
}

// bounded refuses claims that are too large for a JWT; nil if there are none.
func bounded(claims countersign.Object) (countersign.Object, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	text, err := countersign.EncodeJSON(claims)
	if err != nil {
		return nil, countersign.ErrBadRequest.Because(err)
	}
	if len(text) > countersign.MaxCustomClaims {
		return nil, countersign.ErrCustomClaimsTooLarge.Saying("They would have %d.", len(text))
	}
	return claims, nil
}

func merge(target, patch countersign.Object) (countersign.Object, error) {
	out := make(countersign.Object, len(target)+len(patch))
	for name, value := range target {
		out[name] = value
	}
	for name, value := range patch {
		switch {
		case string(bytes.TrimSpace(value)) == "null":
			delete(out, name)
		case isObject(value):
			var inner, old countersign.Object
			if err := json.Unmarshal(value, &inner); err != nil {
				return nil, err
			}
			if isObject(out[name]) {
				if err := json.Unmarshal(out[name], &old); err != nil {
					return nil, err
				}
			}
			joined, err := merge(old, inner)
			if err != nil {
				return nil, err
			}
			text, err := countersign.EncodeJSON(joined)
			if err != nil {
				return nil, err
			}
			out[name] = text
		default:
			out[name] = value
		}
	}
	return out, nil
}

func isObject(value json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte("{"))
}

// depth is how deep valid JSON is nested.
func depth(value json.RawMessage) int {
	deepest, now, inString, escaped := 0, 0, false, false
	for _, c := range value {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
