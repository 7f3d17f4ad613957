package trust

import (
	"context"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
)

// Verifier judges subject tokens. It is safe for concurrent use.
type Verifier struct {
	now    func() time.Time
	keySet func(countersign.EnvironmentID, string) KeySet
	pem    pemCache
}

// NewVerifier makes a Verifier that reads the time from now and finds the key
// set of a JWK profile with keySet, which is (*Sources).KeySet outside tests.
func NewVerifier(now func() time.Time, keySet func(env countersign.EnvironmentID, url string) KeySet) *Verifier {
	return &Verifier{now: now, keySet: keySet}
}

// Token is a subject token that was believed.
type Token struct {
	Algorithm countersign.Algorithm
	KeyID     string // kid of the key that verified it; "" if that has none, as PEM keys
	Claims    Claims
}

// Verify judges token by p: its form, its header, issuer, audience and times,
// and last its signature, in that order (RFC 7519 §7.2, RFC 8725 §3). What costs
// little comes first, and until everything else is right no key is looked for,
// so a token that this profile would refuse anyway makes nobody fetch anything.
//
// The error is always a *Refusal. Verify may wait on the network for the keys of
// a JWK profile, until ctx ends at the latest; for a PEM profile it never does.
// Claims are believed as the issuer's; what they say of a person is Map's.
func (v *Verifier) Verify(ctx context.Context, p *countersign.Profile, token string) (Token, error) {
	jws, err := parseCompact(token)
	if err != nil {
		return Token{}, err
	}
	h, err := parseObject(jws.header)
	if err != nil {
		return Token{}, malformed("the header", err)
	}
	c, err := parseObject(jws.payload)
	if err != nil {
		return Token{}, malformed("the payload", err)
	}
	alg, err := judgeHeader(p, h, c)
	if err != nil {
		return Token{}, err
	}
	if err := judgeClaims(p, c, v.now()); err != nil {
		return Token{}, err
	}
	key, err := v.checkSignature(ctx, p, alg, h, jws)
	if err != nil {
		return Token{}, err
	}
	return Token{Algorithm: alg, KeyID: key.ID, Claims: c}, nil
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

// checkSignature is the key of p that signed the token.
func (v *Verifier) checkSignature(ctx context.Context, p *countersign.Profile, alg countersign.Algorithm, h header, jws compact) (Key, error) {
	if p.KeyType == countersign.KeyTypePEM {
		keys, err := pemSet{cache: &v.pem, files: p.PEMFiles}.Keys(ctx, "")
		if err != nil {
			return Key{}, err
		}
		return search{alg: alg}.signer(keys, jws)
	}
	kid, err := h.keyID()
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
	return &Refusal{Reason: KeysUnavailable, Cause: err}
}
