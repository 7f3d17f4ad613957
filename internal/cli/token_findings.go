package cli

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// The severities of a finding.
const (
	severityRefused = "refused" // no profile accepts it
	severityWarning = "check"   // it depends on the profile, or is seldom meant
)

// longLifetime is where a subject token's lifetime is worth a word: it is
// exchanged at once, and until it expires whoever finds it can do so again.
const longLifetime = time.Hour

// finding is one thing that stands, or may stand, against a token.
type finding struct {
	Severity string       `json:"severity"`
	Reason   trust.Reason `json:"reason,omitempty"` // the server's word for it
	Message  string       `json:"message"`
}

// inspector gathers the findings on one token.
type inspector struct {
	token    *decodedToken
	now      time.Time
	findings []finding
}

// inspect looks at everything that can be judged without keys and profile, in
// the order in which the server would (product.md §3).
func (d *decodedToken) inspect(now time.Time) inspection {
	i := &inspector{token: d, now: now, findings: []finding{}}
	i.form()
	i.header()
	i.parties()
	times := i.times()
	i.person()
	return inspection{Header: d.rawHeader, Claims: d.rawClaims, Bytes: d.size, Times: times, Findings: i.findings}
}

func (i *inspector) refused(reason trust.Reason, format string, args ...any) {
	i.findings = append(i.findings, finding{severityRefused, reason, fmt.Sprintf(format, args...)})
}

func (i *inspector) check(reason trust.Reason, format string, args ...any) {
	i.findings = append(i.findings, finding{severityWarning, reason, fmt.Sprintf(format, args...)})
}

func (i *inspector) form() {
	if i.token.size > maxTokenSize {
		i.refused(trust.TokenTooLarge, "%d bytes; at most %d are judged", i.token.size, maxTokenSize)
	}
	for _, oddity := range i.token.oddities {
		i.refused(trust.Malformed, "%s", oddity)
	}
}

func (i *inspector) header() {
	h := i.token.header
	alg, ok := stringMember(h, "alg")
	switch {
	case !ok:
		i.refused(trust.Malformed, "the header has no alg")
	case strings.HasPrefix(alg, "HS"):
		i.refused(trust.AlgorithmNotAllowed, "alg %s is an HMAC: whoever could check the token could also forge it; sign with RS256, ES256 or EdDSA", alg)
	case strings.EqualFold(alg, "none"):
		i.refused(trust.AlgorithmNotAllowed, "alg %s: the token is not signed", alg)
	case !slices.Contains(countersign.Algorithms(), countersign.Algorithm(alg)):
		i.refused(trust.AlgorithmNotAllowed, "alg %s is not known", alg)
	}
	for _, name := range []string{"crit", "b64"} {
		if h[name] != nil {
			i.refused(trust.UnsupportedCriticalHeader, "the header has %s; no such extension is accepted", name)
		}
	}
	if typ, _ := stringMember(h, "typ"); neverSubjectType(typ) {
		i.refused(trust.WrongType, "typ %s marks a token that is made for something else", typ)
	}
	iss, _ := stringMember(i.token.claims, "iss")
	if i.token.claims["https://stytch.com/session"] != nil || strings.HasPrefix(iss, "stytch.com/project-") {
		i.refused(trust.WrongType, "this is a session JWT, the result of attesting; use it with countersign session authenticate")
	}
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"} {
		if h[name] != nil {
			i.check("", "the header has %s, which is never used: a token cannot bring its own key", name)
		}
	}
	if len(i.token.signature) == 0 {
		i.refused(trust.SignatureInvalid, "the signature is empty")
	}
}

// parties looks at who signed for whom; the profile says which are right.
func (i *inspector) parties() {
	c := i.token.claims
	if iss, ok := stringMember(c, "iss"); !ok || iss == "" {
		i.refused(trust.IssuerMismatch, "there is no iss; it must equal the profile's issuer")
	}
	if aud := string(c["aud"]); aud == "" || aud == "null" || aud == `""` || aud == "[]" {
		i.refused(trust.AudienceMismatch, "there is no aud; it must name the profile's audience")
	}
}

// times looks at the times, with the clock skew that a profile has by default.
func (i *inspector) times() tokenTimes {
	skew := countersign.DefaultTrustPolicy().ClockSkew.Duration()
	times := tokenTimes{IssuedAt: i.date("iat"), NotBefore: i.date("nbf"), ExpiresAt: i.date("exp")}
	switch exp := times.ExpiresAt; {
	case exp == nil && i.token.claims["exp"] == nil:
		i.refused(trust.MissingExpiry, "there is no exp; a token that never expires is never accepted")
	case exp == nil: // date has said it
	case i.now.After(exp.Add(skew)):
		i.refused(trust.Expired, "it expired %s", distance(exp.Sub(i.now)))
	case i.now.After(*exp):
		i.check(trust.Expired, "it expired %s, which only the clock skew still covers", distance(exp.Sub(i.now)))
	}
	if nbf := times.NotBefore; nbf != nil && nbf.After(i.now.Add(skew)) {
		i.refused(trust.NotYetValid, "it is valid only %s", distance(nbf.Sub(i.now)))
	}
	if iat := times.IssuedAt; iat != nil && iat.After(i.now.Add(skew)) {
		i.refused(trust.IssuedInFuture, "its iat lies in the future (%s): is a clock wrong?", distance(iat.Sub(i.now)))
	}
	switch {
	case times.IssuedAt == nil && i.token.claims["iat"] == nil:
		i.check(trust.LifetimeTooLong, "there is no iat; a profile that limits age or lifetime refuses it")
	case times.IssuedAt != nil && times.ExpiresAt != nil && times.ExpiresAt.Sub(*times.IssuedAt) > longLifetime:
		i.check(trust.LifetimeTooLong, "it lives for %s; minutes are enough, since the session lives on by itself", span(times.ExpiresAt.Sub(*times.IssuedAt)))
	}
	return times
}

// date is a NumericDate (RFC 7519 §2), nil if there is none to be had.
func (i *inspector) date(name string) *time.Time {
	raw := i.token.claims[name]
	if raw == nil {
		return nil
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		i.refused(trust.Malformed, "%s is not a number", name)
		return nil
	}
	const farFuture = 1e11 // the year 5138; in milliseconds it was 1973
	if math.Abs(seconds) >= farFuture {
		i.check("", "%s is no date of this age; is it in milliseconds instead of seconds?", name)
		return nil
	}
	whole, fraction := math.Modf(seconds)
	at := time.Unix(int64(whole), int64(fraction*1e9)).UTC()
	return &at
}

// person looks at the claims that a mapping usually reads.
func (i *inspector) person() {
	c := i.token.claims
	if c["email"] == nil {
		i.check(trust.ClaimMissing, "there is no email; the profile's mapping must find one in another claim")
	} else if _, ok := stringMember(c, "email"); !ok {
		i.check(trust.ClaimType, "email is not a string")
	}
	if string(c["email_verified"]) == "false" {
		i.check("", "email_verified is false: the issuer does not vouch for the address")
	}
	if c["jti"] == nil {
		i.check(trust.ClaimMissing, "there is no jti; the profile's mapping must take token_id from another claim")
	}
}
