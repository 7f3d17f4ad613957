package trust

import (
	"maps"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
)

// Bounds of what a verdict keeps of a token.
const (
	maxFact       = 128 // bytes of one text
	maxAudiences  = 8
	maxClaimNames = 48
	maxClaimName  = 64 // bytes
)

// Facts are what may be kept of a token: what its header and its registered
// claims say, cut to bounds, and the names of its claims. Nobody vouches for them
// if it was refused.
func (t Token) Facts() countersign.TokenFacts {
	f := countersign.TokenFacts{
		Algorithm: fact(t.Header["alg"]), KeyID: fact(t.Header["kid"]), Type: fact(t.Header["typ"]), Issuer: fact(t.Claims["iss"]),
		ExpiresAt: t.ExpiresAt(), NotBefore: t.moment("nbf"), IssuedAt: t.moment("iat"),
	}
	switch aud := t.Claims["aud"].(type) {
	case string:
		f.Audiences = []string{fact(aud)}
	case []any:
		for _, member := range aud[:min(len(aud), maxAudiences)] {
			f.Audiences = append(f.Audiences, fact(member))
		}
	}
	names := slices.Sorted(maps.Keys(t.Claims))
	for _, name := range names[:min(len(names), maxClaimNames)] {
		f.ClaimNames = append(f.ClaimNames, clip(name, maxClaimName))
	}
	return f
}

// ExpiresAt is when the token says that it expires, the zero moment if it does not
// say so.
func (t Token) ExpiresAt() time.Time { return t.moment("exp") }

// moment is a time that a claim tells, the zero one if it tells none.
func (t Token) moment(name string) time.Time {
	at, _, why := t.Claims.time(name)
	if why != "" {
		return time.Time{}
	}
	return at.UTC()
}

// fact is a text, "" for what is none.
func fact(value any) string {
	s, _ := value.(string)
	return clip(s, maxFact)
}
