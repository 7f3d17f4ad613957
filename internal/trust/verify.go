package trust

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/condition"
)

// Verifier judges subject tokens. It is safe for concurrent use.
type Verifier struct {
	now         func() time.Time
	keySet      func(countersign.EnvironmentID, string) KeySet
	pem         pemCache
	expressions condition.Cache
}

// NewVerifier makes a Verifier that reads the time from now and finds the key
// set of a JWK profile with keySet, which is (*Sources).KeySet outside tests.
func NewVerifier(now func() time.Time, keySet func(env countersign.EnvironmentID, url string) KeySet) *Verifier {
	return &Verifier{now: now, keySet: keySet}
}

// Token is a subject token. One that was refused holds what could be read of it,
// which nobody vouches for: that is for Facts and for nothing else.
type Token struct {
	Algorithm countersign.Algorithm
	KeyID     string // names the key that verified it: its kid, or the PEM file; "" if it has no name
	Header    map[string]any
	Claims    Claims
}

// Verify judges token by p: its form, its header, issuer, audience and times,
// then its signature, and last the profile's conditions, in that order (RFC 7519
// §7.2, RFC 8725 §3). What costs little comes first, and until everything before
// is right no key is looked for, so a token that this profile would refuse anyway
// makes nobody fetch anything.
//
// The error is always a *Refusal. Verify may wait on the network for the keys of
// a JWK profile, until ctx ends at the latest; for a PEM profile it never does.
// Claims are believed as the issuer's; what they say of a person is Map's.
func (v *Verifier) Verify(ctx context.Context, p *countersign.Profile, token string) (Token, error) {
	jws, t, err := read(token)
	if err != nil {
		return t, err
	}
	if err := v.judge(p, &t); err != nil {
		return t, err
	}
	key, err := v.checkSignature(ctx, p, t, jws)
	if err != nil {
		return t, err
	}
	t.KeyID = key.ID
	return t, v.checkConditions(p, t)
}

// ParseObject reads one JSON object as strictly as a token's header and claims
// are read. Its error never quotes the text.
func ParseObject(text string) (map[string]any, error) { return parseObject(text) }

// Unverified is a token's header and claims, of which nothing is believed: to
// look at a sample of what an issuer makes. The error is a *Refusal.
func Unverified(token string) (Token, error) {
	_, t, err := read(token)
	return t, err
}

// read takes a token apart.
func read(token string) (jws compact, t Token, err error) {
	if jws, err = parseCompact(token); err != nil {
		return jws, t, err
	}
	if t.Header, err = parseObject(jws.header); err != nil {
		return jws, t, malformed(StepJSON, "the header", err)
	}
	if t.Claims, err = parseObject(jws.payload); err != nil {
		return jws, t, malformed(StepJSON, "the payload", err)
	}
	return jws, t, nil
}

// judge is what header and claims decide without a key.
func (v *Verifier) judge(p *countersign.Profile, t *Token) (err error) {
	if t.Algorithm, err = judgeHeader(p, t.Header, t.Claims); err != nil {
		return err
	}
	return judgeClaims(p, t.Claims, v.now())
}

// checkConditions holds the token against the profile's own conditions.
func (v *Verifier) checkConditions(p *countersign.Profile, t Token) error {
	for i, text := range p.Policy.Conditions {
		holds, err := v.holds(text, t)
		if holds && err == nil {
			continue
		}
		received := "it is false"
		if err != nil {
			received = err.Error()
		}
		return Refuse(ConditionFailed, fmt.Sprintf("condition %d to be true: %s", i+1, quote(text)), received)
	}
	return nil
}

// judgeHeader is what the header alone decides, and of the claims only whether
// they are those of another sort of token.
func judgeHeader(p *countersign.Profile, h header, c Claims) (countersign.Algorithm, error) {
	alg, err := h.algorithm(p)
	if err != nil {
		return "", err
	}
	if err := h.checkCritical(); err != nil {
		return "", err
	}
	if err := h.checkType(p, c); err != nil {
		return "", err
	}
	return alg, nil
}

// judgeClaims compares the registered claims with the profile and the clock.
func judgeClaims(p *countersign.Profile, c Claims, now time.Time) error {
	if err := c.checkIssuer(p); err != nil {
		return err
	}
	if err := c.checkAudience(p); err != nil {
		return err
	}
	return c.checkTimes(p, now)
}

// holds reports whether a condition is true of a token.
func (v *Verifier) holds(text string, t Token) (bool, error) {
	p, err := v.expressions.Compile(text)
	if err != nil {
		return false, err
	}
	return p.Holds(t.Header, t.Claims)
}

// checkSignature is the key of p that signed the token.
func (v *Verifier) checkSignature(ctx context.Context, p *countersign.Profile, t Token, jws compact) (Key, error) {
	alg := t.Algorithm
	if p.KeyType == countersign.KeyTypePEM {
		keys, err := pemSet{cache: &v.pem, files: p.PEMFiles}.Keys(ctx, "")
		if err != nil {
			return Key{}, err
		}
		return search{alg: alg}.signer(keys, jws)
	}
	kid, err := header(t.Header).keyID()
	if err != nil {
		return Key{}, err
	}
	keys, err := v.keySet(p.EnvironmentID, p.JWKSURL).Keys(ctx, kid)
	if err != nil {
		return Key{}, asRefusal(err)
	}
	return search{alg: alg, kid: kid}.signer(keys, jws)
}

// asRefusal keeps Verify's promise for a key set that breaks its own.
func asRefusal(err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	r := Refuse(KeysUnavailable, "", "")
	r.Cause = err
	return r
}
