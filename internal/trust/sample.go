package trust

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/countersign-auth/countersign"
)

// Judge is Verify of a header and claims that nobody signed, for trying a profile
// out: every step but those of the key and the signature.
func (v *Verifier) Judge(p *countersign.Profile, h map[string]any, c Claims) (Token, error) {
	t := Token{Header: h, Claims: c}
	if err := v.judge(p, &t); err != nil {
		return t, err
	}
	return t, v.checkConditions(p, t)
}

// sampleLifetime is the lifetime of a sample that says nothing about it, unless
// the profile wants a shorter one.
const sampleLifetime = 5 * time.Minute

// Complete adds to a header and claims what they leave out and p demands of every
// token, as its issuer would write it now: alg, typ, iss, aud, iat and exp.
func (v *Verifier) Complete(p *countersign.Profile, h map[string]any, c Claims) (map[string]any, Claims) {
	now := v.now()
	lifetime := sampleLifetime
	if limit := p.Policy.MaxTokenLifetime.Duration(); limit > 0 {
		lifetime = min(lifetime, limit)
	}
	header := map[string]any{}
	if list := allowed(p); len(list) > 0 {
		header["alg"] = string(list[0])
	}
	if p.Policy.RequiredType != "" {
		header["typ"] = p.Policy.RequiredType
	}
	maps.Copy(header, h)
	claims := Claims{"iss": p.Issuer, "aud": p.Audience, "iat": seconds(now), "exp": seconds(now.Add(lifetime))}
	maps.Copy(claims, c)
	return header, claims
}

func seconds(t time.Time) json.Number { return json.Number(strconv.FormatInt(t.Unix(), 10)) }

// ClaimReasons are the reasons for which Judge and the mapping refuse.
func ClaimReasons() []Reason {
	list := []Reason{Malformed}
	for _, s := range steps {
		switch s.step {
		case StepSize, StepForm, StepJSON, StepKey, StepSignature, StepOnce, StepSubject:
		default:
			list = append(list, s.reasons...)
		}
	}
	return list
}

// Rejudge judges what a verdict kept of a token as of the moment when it came:
// the steps from the algorithm to the times. nil means that it passes them. known
// is false if that depends on what was cut when it was kept.
func Rejudge(p *countersign.Profile, f countersign.TokenFacts, at time.Time) (refusal *Refusal, known bool) {
	h, c := map[string]any{"alg": f.Algorithm}, Claims{"iss": uncut(f.Issuer, p.Issuer)}
	if f.Type != "" {
		h["typ"] = f.Type
	}
	if slices.Contains(f.ClaimNames, sessionClaim) {
		c[sessionClaim] = true
	}
	aud := make([]any, len(f.Audiences))
	for i, a := range f.Audiences {
		aud[i] = uncut(a, append([]string{p.Audience}, p.Policy.Audiences...)...)
	}
	c["aud"] = aud
	for name, t := range map[string]time.Time{"exp": f.ExpiresAt, "nbf": f.NotBefore, "iat": f.IssuedAt} {
		if !t.IsZero() {
			c[name] = exactly(t)
		}
	}
	_, err := judgeHeader(p, h, c)
	if err == nil {
		err = judgeClaims(p, c, at)
	}
	if err == nil {
		return nil, true
	}
	refusal = asRefusal(err)
	return refusal, refusal.Reason != AudienceMismatch || len(aud) < maxAudiences
}

// uncut is the one of the texts that a fact is kept of, or the fact.
func uncut(kept string, texts ...string) string {
	for _, s := range texts {
		if fact(s) == kept {
			return s
		}
	}
	return kept
}

// exactly is seconds with the fraction, which verdicts keep.
func exactly(t time.Time) json.Number {
	if t.Nanosecond() == 0 || t.Unix() < 0 {
		return seconds(t)
	}
	return json.Number(fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()))
}
