package cli

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
)

const (
	defaultLifetime = 5 * time.Minute
	maxLifetime     = 24 * time.Hour
	maxTokenID      = 256 // bytes
)

// claims puts the payload together: the file, over it the flags, then what is
// still missing from the environment, the clock and chance.
func (c *tokenMint) claims(a *app) (countersign.Object, error) {
	claims, err := c.fileClaims(a)
	if err != nil {
		return nil, err
	}
	given, err := c.claimFlags()
	if err != nil {
		return nil, err
	}
	named, err := c.namedClaims()
	if err != nil {
		return nil, err
	}
	for name, value := range named {
		if given[name] != nil {
			return nil, usage("the claim "+name+" is given twice", "leave out --claim "+name+"=…")
		}
		given[name] = value
	}
	maps.Copy(claims, given)
	for name, variable := range map[string]string{"iss": "COUNTERSIGN_ISSUER", "aud": "COUNTERSIGN_AUDIENCE"} {
		if value := a.value(variable); value != "" && claims[name] == nil {
			claims[name] = quote(value)
		}
	}
	if err := c.stamp(claims, a.now()); err != nil {
		return nil, err
	}
	return claims, checkParties(claims)
}

func (c *tokenMint) fileClaims(a *app) (countersign.Object, error) {
	if c.ClaimsFile == "" {
		return countersign.Object{}, nil
	}
	raw, err := a.read(c.ClaimsFile)
	if err != nil {
		return nil, err
	}
	return parseObject(raw, c.ClaimsFile)
}

func (c *tokenMint) claimFlags() (countersign.Object, error) {
	claims := countersign.Object{}
	for _, flag := range c.Claim {
		name, value, ok := strings.Cut(flag, "=")
		if !ok || name == "" {
			return nil, usage(fmt.Sprintf("--claim %q has no NAME=VALUE", flag), `for example --claim plan=pro, --claim 'roles=["editor"]'`)
		}
		if claims[name] != nil {
			return nil, usage("the claim "+name+" is given twice", "several values are a JSON list: --claim '"+name+`=["a","b"]'`)
		}
		claims[name] = jsonOrString(value)
	}
	return claims, nil
}

// jsonOrString is value as it stands if it is JSON, otherwise as a JSON string.
func jsonOrString(value string) json.RawMessage {
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	return quote(value)
}

// quote is s as a JSON string; strings can always be encoded.
func quote(s string) json.RawMessage {
	raw, _ := countersign.EncodeJSON(s)
	return raw
}

// namedClaims are the claims that have a flag of their own.
func (c *tokenMint) namedClaims() (countersign.Object, error) {
	claims := countersign.Object{}
	for name, value := range map[string]string{"iss": c.Issuer, "sub": c.Subject, "email": c.Email} {
		if value != "" {
			claims[name] = quote(value)
		}
	}
	switch len(c.Audience) {
	case 0:
	case 1:
		claims["aud"] = quote(c.Audience[0])
	default:
		raw, err := countersign.EncodeJSON(c.Audience)
		if err != nil {
			return nil, err
		}
		claims["aud"] = raw
	}
	if c.Email != "" {
		if parsed, err := mail.ParseAddress(c.Email); err != nil || parsed.Address != c.Email {
			return nil, usage(fmt.Sprintf("%q is not one plain e-mail address", c.Email), "to send it on purpose: --claim email=…")
		}
	}
	if c.TokenID != nil {
		if n := len(*c.TokenID); n == 0 || n > maxTokenID {
			return nil, usage(fmt.Sprintf("--token-id may have 1 to %d bytes", maxTokenID), "leave it out for a random one")
		}
		claims["jti"] = quote(*c.TokenID)
	}
	return claims, nil
}

// stamp adds iat, exp and jti where they are not there yet.
func (c *tokenMint) stamp(claims countersign.Object, now time.Time) error {
	lifetime := defaultLifetime
	if c.ExpiresIn != nil {
		lifetime = *c.ExpiresIn
		if claims["exp"] != nil {
			return usage("--expires-in and a claim exp are both given", "leave out one of them")
		}
	}
	if lifetime < time.Second || lifetime > maxLifetime {
		return usage(fmt.Sprintf("a subject token of %s makes no sense: it is exchanged at once, and the session lives on by itself", lifetime),
			"--expires-in may be 1s to 24h; for anything else on purpose: --claim exp=UNIX-TIME")
	}
	if claims["iat"] == nil {
		claims["iat"] = unix(now)
	}
	if claims["exp"] == nil {
		claims["exp"] = unix(now.Add(lifetime))
	}
	if claims["jti"] == nil {
		claims["jti"] = quote(rand.Text())
	}
	return nil
}

// unix is t as a NumericDate (RFC 7519 §2).
func unix(t time.Time) json.RawMessage { return fmt.Appendf(nil, "%d", t.Unix()) }

// checkParties refuses a token that no profile could accept.
func checkParties(claims countersign.Object) error {
	if claims["iss"] == nil {
		return usage("no issuer", "give --issuer, exactly as in the profile (countersign profile get shows it)")
	}
	if claims["aud"] == nil {
		return usage("no audience", "give --audience, exactly as in the profile (countersign profile get shows it)")
	}
	return nil
}
