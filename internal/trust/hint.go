package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
)

// Hint is what an operator might do about a refusal of p, "" if there is nothing
// to add to expected and received. step is the one that refused; f is what was
// kept of the token, at when it was judged.
func Hint(p *countersign.Profile, step Step, reason Reason, f countersign.TokenFacts, at time.Time) string {
	switch reason {
	case Malformed:
		if step != StepForm {
			return "The issuer makes JWTs that others read in another way, or not at all: have it fixed there."
		}
		return "Send the JWT itself, three segments with dots between: neither \"Bearer \" before it, nor quotes around it, nor the opaque access token of the same issuer."
	case AlgorithmNotAllowed:
		if strings.HasPrefix(f.Algorithm, "HS") || f.Algorithm == "none" {
			return "A shared secret proves nothing about who signed. Let the issuer sign with a key pair: RS256, ES256 or EdDSA."
		}
		return fmt.Sprintf("If the issuer is to sign with %s, add it to trust_policy.algorithms.", f.Algorithm)
	case IssuerMismatch:
		return near("iss", []string{f.Issuer}, []string{p.Issuer})
	case AudienceMismatch:
		return audienceHint(p, f)
	case Expired, NotYetValid, IssuedInFuture:
		return timeHint(reason, f, at)
	case LifetimeTooLong:
		return "Let the issuer make tokens of a shorter life, or send them sooner; or raise max_token_lifetime_seconds or max_token_age_seconds."
	case KeyNotFound:
		if p.KeyType == countersign.KeyTypePEM {
			return "The profile has public keys of another type than the token was signed with; add the issuer's."
		}
		return "If the issuer has just rotated its keys, its key set is asked for again within 30 s. If not, jwks_url is another issuer's, or of another environment of this one."
	case KeyUnusable:
		return "The profile's key_set says of each key why it is not used."
	case KeysUnavailable:
		return "The token is not to blame: the profile's key_set says why the issuer's keys cannot be had."
	case SignatureInvalid:
		if p.KeyType == countersign.KeyTypePEM {
			return "The profile's public keys are not those that the issuer signs with, or the token was changed after it was signed."
		}
		return "The issuer signed with another key under the same kid, or the token was changed after it was signed."
	case ClaimMissing, AttributeNotMapped:
		return mappingHint(f)
	case EmailNotVerified:
		return "The issuer must say email_verified: true, as a JSON boolean, and not \"true\" or 1. If all its addresses are verified, set email_trust to issuer."
	case AlreadyUsed:
		return "Each sign-in needs a token of its own. If token_id is mapped to what stays the same, such as sub, map it to jti."
	case SubjectUnknown:
		return "Make the user first, or let the profile provision (can_jit_provision)."
	case RoleNotAllowed:
		return "Add the role to the policy and, if it is set, to role_ids_allowed; or let the issuer leave it out."
	default: // expected and received say it all
		return ""
	}
}

// timeHint tells a clock that is off from a token that is old.
func timeHint(reason Reason, f countersign.TokenFacts, at time.Time) string {
	switch {
	case reason == IssuedInFuture:
		return fmt.Sprintf("The issuer's clock is %s ahead. Set both by NTP; up to 300 s can be forgiven by clock_skew_seconds.", span(f.IssuedAt.Sub(at).Truncate(time.Second)))
	case reason == NotYetValid && !f.IssuedAt.IsZero() && f.IssuedAt.After(at):
		return fmt.Sprintf("The issuer's clock is %s ahead. Set both by NTP; up to 300 s can be forgiven by clock_skew_seconds.", span(f.IssuedAt.Sub(at).Truncate(time.Second)))
	case reason == NotYetValid:
		return "The issuer made the token for later."
	case !f.IssuedAt.IsZero() && f.ExpiresAt.Sub(f.IssuedAt) <= 0:
		return "The token expired before it was issued: the issuer's exp is not seconds since 1970, or too early."
	case !f.IssuedAt.IsZero():
		return fmt.Sprintf("The token lived for %s and came %s after it was issued: get a new one before each sign-in, or the issuer's clock is behind.",
			span(f.ExpiresAt.Sub(f.IssuedAt)), span(at.Sub(f.IssuedAt).Truncate(time.Second)))
	}
	return "Get a new token before each sign-in."
}

func audienceHint(p *countersign.Profile, f countersign.TokenFacts) string {
	wanted := append([]string{p.Audience}, p.Policy.Audiences...)
	if len(f.Audiences) == 0 {
		return "The token names no audience: ask the issuer for a token for this API, or set the profile's audience to what it writes."
	}
	hint := near("aud", f.Audiences, wanted)
	if len(f.Audiences) > 1 {
		return strings.TrimSpace(fmt.Sprintf("aud is an array of %d, none equal. %s", len(f.Audiences), hint))
	}
	return hint
}

// near says how the nearest of what was received differs from what was wanted.
func near(claim string, received, wanted []string) string {
	for _, r := range received {
		for _, w := range wanted {
			for _, difference := range []struct {
				name string
				same bool
			}{
				{"by a slash at the end", strings.TrimSuffix(r, "/") == strings.TrimSuffix(w, "/")},
				{"by http and https", strings.Replace(r, "http://", "https://", 1) == strings.Replace(w, "http://", "https://", 1)},
				{"in upper and lower case", strings.EqualFold(r, w)},
				{"by white space around it", strings.TrimSpace(r) == strings.TrimSpace(w)},
			} {
				if r != "" && difference.same {
					return fmt.Sprintf("The nearest %s, %s, differs only %s: it is compared byte for byte.", claim, quote(r), difference.name)
				}
			}
		}
	}
	return ""
}

// mappingHint names claims that the token has for what it lacks.
func mappingHint(f countersign.TokenFacts) string {
	if len(f.ClaimNames) == 0 {
		return "The token has no claims."
	}
	var likely []string
	for _, name := range f.ClaimNames {
		short := name[strings.LastIndexAny(name, "/:")+1:]
		if slices.Contains([]string{"email", "upn", "preferred_username", "jti", "sid", "session_id", "sub"}, short) {
			likely = append(likely, name)
		}
	}
	if likely == nil {
		likely = f.ClaimNames
	}
	return clip("The token has "+quoteAll(likely)+": map one of them, or let the issuer add the claim.", maxShown)
}
