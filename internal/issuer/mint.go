package issuer

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/countersign-auth/countersign"
)

// tokenLifetime is from iat to exp unless the claims say otherwise.
const tokenLifetime = 5 * time.Minute

// Option changes what Mint makes.
type Option func(*token)

type token struct {
	alg      countersign.Algorithm
	header   map[string]any // beside alg and kid, or instead of them; nil removes
	expired  bool
	wrongKey bool
}

// Alg signs with another algorithm than the issuer's primary one. If the issuer
// has no key for it, one is made and published.
func Alg(alg countersign.Algorithm) Option { return func(t *token) { t.alg = alg } }

// Kid writes that kid into the header, whatever key signs.
func Kid(kid string) Option { return Header("kid", kid) }

// NoKid leaves kid out.
func NoKid() Option { return Header("kid", nil) }

// Header sets a member of the header; nil removes it.
func Header(name string, value any) Option {
	return func(t *token) { t.header[name] = value }
}

// Expired moves iat and exp back so that the token expired an hour ago.
func Expired() Option { return func(t *token) { t.expired = true } }

// WrongKey signs with a key of the right type that is published nowhere, under
// the right kid.
func WrongKey() Option { return func(t *token) { t.wrongKey = true } }

// Mint signs a subject token. Claims iss, iat, exp (5 min after iat) and jti are
// filled in where claims does not name them; a nil claim is left out.
func (i *Issuer) Mint(claims map[string]any, options ...Option) (string, error) {
	t := token{alg: i.primary, header: make(map[string]any)}
	for _, option := range options {
		option(&t)
	}
	k, err := i.keyFor(t.alg)
	if err != nil {
		return "", err
	}
	private := k.private
	if t.wrongKey {
		if private, err = i.newKey(t.alg, WrongKeyNumber); err != nil {
			return "", err
		}
	}
	issued := i.now()
	if t.expired {
		issued = issued.Add(-time.Hour - tokenLifetime)
	}
	payload := map[string]any{
		"iss": i.URL(),
		"iat": issued.Unix(),
		"exp": issued.Add(tokenLifetime).Unix(),
		"jti": tokenID(),
	}
	return sign(t.alg, private,
		merge(map[string]any{"alg": t.alg, "kid": k.id, "typ": "JWT"}, t.header),
		merge(payload, claims))
}

// WrongKeyNumber is the n with which WrongKey asks NewKey for its key.
const WrongKeyNumber = 1 << 20

// MintRaw signs a header and a payload exactly as they are given, JSON or not,
// with the issuer's key for alg.
func (i *Issuer) MintRaw(alg countersign.Algorithm, header, payload []byte) (string, error) {
	k, err := i.keyFor(alg)
	if err != nil {
		return "", err
	}
	return signRaw(alg, k.private, header, payload)
}

// merge is base with more's members, where nil removes one.
func merge(base, more map[string]any) map[string]any {
	maps.Copy(base, more)
	maps.DeleteFunc(base, func(_ string, value any) bool { return value == nil })
	return base
}

func sign(alg countersign.Algorithm, private crypto.Signer, header, payload map[string]any) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encode header: %w", err)
	}
	p, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	return signRaw(alg, private, h, p)
}

func signRaw(alg countersign.Algorithm, private crypto.Signer, header, payload []byte) (string, error) {
	b64 := base64.RawURLEncoding
	input := b64.EncodeToString(header) + "." + b64.EncodeToString(payload)
	signature, err := Sign(alg, private, []byte(input))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return input + "." + b64.EncodeToString(signature), nil
}
