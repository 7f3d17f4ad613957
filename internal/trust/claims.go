package trust

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/countersign-auth/countersign"
)

// Claims are the members of a JWT's payload (RFC 7519 §4): map[string]any,
// []any, string, bool, nil, and json.Number with every digit as it was written.
type Claims map[string]any

// checkIssuer compares iss with the profile's issuer byte for byte (RFC 7519
// §4.1.1); there is no normalisation that somebody else could not do otherwise.
func (c Claims) checkIssuer(p *countersign.Profile) error {
	iss, ok := c["iss"].(string)
	if ok && p.Issuer != "" && iss == p.Issuer {
		return nil
	}
	return Refuse(IssuerMismatch, "iss to be "+quote(p.Issuer), c.received("iss"))
}

// checkAudience wants one of the profile's audiences in aud, which is a string
// or an array of strings (RFC 7519 §4.1.3). An array with anything else in it is
// refused, and an empty audience of the profile matches nothing.
func (c Claims) checkAudience(p *countersign.Profile) error {
	expects := func(aud string) bool {
		return aud != "" && (aud == p.Audience || slices.Contains(p.Policy.Audiences, aud))
	}
	received := c.received("aud")
	switch aud := c["aud"].(type) {
	case string:
		if expects(aud) {
			return nil
		}
	case []any:
		list := make([]string, 0, len(aud))
		for _, member := range aud {
			s, ok := member.(string)
			if !ok {
				return Refuse(AudienceMismatch, expectedAudience(p), "aud is an array with "+typeOf(member)+" in it")
			}
			list = append(list, s)
		}
		if slices.ContainsFunc(list, expects) {
			return nil
		}
		received = "aud is " + quoteAll(list)
	}
	return Refuse(AudienceMismatch, expectedAudience(p), received)
}

func expectedAudience(p *countersign.Profile) string {
	if len(p.Policy.Audiences) == 0 {
		return "aud to contain " + quote(p.Audience)
	}
	return "aud to contain one of " + quoteAll(append([]string{p.Audience}, p.Policy.Audiences...))
}

// checkTimes compares exp, nbf and iat (RFC 7519 §4.1.4 to §4.1.6) with now.
// Differences between the issuer's clock and ours are forgiven up to the
// profile's skew; the lifetime, exp − iat, is the issuer's clock alone.
//
// An exp that is absent or no time is MissingExpiry. An nbf or iat that is no
// time is Malformed, for RFC 7519 demands a number. A maximum of age or lifetime
// needs iat: without it a token is LifetimeTooLong.
func (c Claims) checkTimes(p *countersign.Profile, now time.Time) error {
	skew := min(max(p.Policy.ClockSkew, 0), countersign.MaxClockSkew).Duration() // whatever the profile says

	exp, present, why := c.time("exp")
	switch {
	case !present || why != "":
		return Refuse(MissingExpiry, "exp to be a number of seconds since 1970", "exp is "+why)
	case !now.Before(exp.Add(skew)):
		return Refuse(Expired, "exp in the future"+allowing(skew), fmt.Sprintf("exp is %s, %s ago", instant(exp), span(now.Sub(exp))))
	}

	nbf, present, why := c.time("nbf")
	switch {
	case present && why != "":
		return malformedAt(StepTimes, "nbf to be a number of seconds since 1970", "nbf is "+why)
	case present && nbf.After(now.Add(skew)):
		return Refuse(NotYetValid, "nbf in the past"+allowing(skew), fmt.Sprintf("nbf is %s, in %s", instant(nbf), span(nbf.Sub(now))))
	}

	iat, present, why := c.time("iat")
	switch {
	case present && why != "":
		return malformedAt(StepTimes, "iat to be a number of seconds since 1970", "iat is "+why)
	case present && iat.After(now.Add(skew)):
		return Refuse(IssuedInFuture, "iat in the past"+allowing(skew), fmt.Sprintf("iat is %s, in %s", instant(iat), span(iat.Sub(now))))
	}

	if limit := p.Policy.MaxTokenLifetime.Duration(); limit > 0 {
		expected := "a lifetime, exp − iat, of at most " + span(limit)
		if !present {
			return Refuse(LifetimeTooLong, expected, "iat is missing")
		}
		if lifetime := exp.Sub(iat); lifetime > limit {
			return Refuse(LifetimeTooLong, expected, "a lifetime of "+span(lifetime))
		}
	}
	if limit := p.Policy.MaxTokenAge.Duration(); limit > 0 {
		expected := "iat at most " + span(limit) + " ago" + allowing(skew)
		if !present {
			return Refuse(LifetimeTooLong, expected, "iat is missing")
		}
		if age := now.Sub(iat); iat.Add(limit).Before(now.Add(-skew)) {
			return Refuse(LifetimeTooLong, expected, fmt.Sprintf("iat is %s, %s ago", instant(iat), span(age)))
		}
	}
	return nil
}

func allowing(skew time.Duration) string {
	if skew == 0 {
		return ""
	}
	return ", give or take " + span(skew)
}

// time is the claim name as a time. If it cannot be one, why says what it is.
func (c Claims) time(name string) (t time.Time, present bool, why string) {
	value, present := c[name]
	if !present {
		return time.Time{}, false, "missing"
	}
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, true, typeOf(value)
	}
	t, ok = numericDate(number)
	if !ok {
		return time.Time{}, true, clip(number.String(), 40) + ", which is no time between the years 1 and 9999"
	}
	return t, true, ""
}

// received shows a claim that may be shown (iss or aud), or what there is in its place.
func (c Claims) received(name string) string {
	value, present := c[name]
	if !present {
		return "no " + name
	}
	if s, ok := value.(string); ok {
		return name + " is " + quote(s)
	}
	return name + " is " + typeOf(value)
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }
