package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/countersign-auth/countersign"
)

// family is a type of keys together with the way in which they sign.
type family int

const (
	pkcs1v15 family = iota + 1
	pss
	ecdsaFixed
	eddsa
)

// algorithm is how one value of alg is verified.
type algorithm struct {
	family family
	hash   crypto.Hash    // 0 for EdDSA, which hashes by itself
	curve  elliptic.Curve // of ECDSA
}

// algorithms are all that can be verified (RFC 7518 §3.1, RFC 8037 §3.1). A
// profile chooses among them; there is no way to add "none" or HMAC.
var algorithms = map[countersign.Algorithm]algorithm{
	countersign.RS256: {family: pkcs1v15, hash: crypto.SHA256},
	countersign.RS384: {family: pkcs1v15, hash: crypto.SHA384},
	countersign.RS512: {family: pkcs1v15, hash: crypto.SHA512},
	countersign.PS256: {family: pss, hash: crypto.SHA256},
	countersign.PS384: {family: pss, hash: crypto.SHA384},
	countersign.PS512: {family: pss, hash: crypto.SHA512},
	countersign.ES256: {family: ecdsaFixed, hash: crypto.SHA256, curve: elliptic.P256()},
	countersign.ES384: {family: ecdsaFixed, hash: crypto.SHA384, curve: elliptic.P384()},
	countersign.ES512: {family: ecdsaFixed, hash: crypto.SHA512, curve: elliptic.P521()},
	countersign.EdDSA: {family: eddsa},
}

// verify reports whether signature is public's over signed. public must be of
// the algorithm's type, which fit decides; of another type it verifies nothing.
func (a algorithm) verify(public crypto.PublicKey, signed, signature []byte) bool {
	switch a.family {
	case pkcs1v15:
		key, ok := public.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(key, a.hash, a.digest(signed), signature) == nil
	case pss:
		// The salt is as long as the hash, no more and no less (RFC 7518 §3.5).
		key, ok := public.(*rsa.PublicKey)
		return ok && rsa.VerifyPSS(key, a.hash, a.digest(signed), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case ecdsaFixed:
		// r and s, each as wide as the curve's order, nothing else: no DER, no
		// zeros left out (RFC 7518 §3.4).
		key, ok := public.(*ecdsa.PublicKey)
		width := (a.curve.Params().BitSize + 7) / 8
		if !ok || len(signature) != 2*width {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:width]), new(big.Int).SetBytes(signature[width:])
		return ecdsa.Verify(key, a.digest(signed), r, s)
	case eddsa:
		key, ok := public.(ed25519.PublicKey)
		return ok && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, signed, signature)
	}
	return false
}

func (a algorithm) digest(signed []byte) []byte {
	h := a.hash.New()
	h.Write(signed)
	return h.Sum(nil)
}

// keyType is what a key must be for the algorithm.
func (a algorithm) keyType() string {
	switch a.family {
	case pkcs1v15, pss:
		return "an RSA key"
	case ecdsaFixed:
		return "an EC key on " + a.curve.Params().Name
	default:
		return "an Ed25519 key"
	}
}

// takes reports whether public is of the algorithm's type and curve.
func (a algorithm) takes(public crypto.PublicKey) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return a.family == pkcs1v15 || a.family == pss
	case *ecdsa.PublicKey:
		return a.family == ecdsaFixed && key.Curve == a.curve
	case ed25519.PublicKey:
		return a.family == eddsa
	}
	return false
}

// Errors of keys that take no part in judging.
var (
	// ErrWeakKey is a key that parses but must not be believed: RSA below 2048 or
	// above 8192 bits, with an exponent that is even, below 3 or above 2³¹ − 1, or
	// known to be factored with little effort.
	ErrWeakKey = errors.New("the key is too weak")
	// ErrPrivateKey is text that holds a private key, which nobody may send here.
	ErrPrivateKey = errors.New("the text holds a private key")
)

// Bounds of RSA keys, in bits. The upper one bounds what a token makes us compute.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// maxRSAExponent is where crypto/rsa ends. The exponents from there to 2³² − 1
// would be no weaker, but no library in use makes them and this one cannot
// verify with them.
const maxRSAExponent = 1<<31 - 1

// checkStrength is an ErrWeakKey that says why, or nil (RFC 7518 §3.3, §3.5;
// FIPS 186-5 §5.1). The other types have one strength for each curve.
func checkStrength(public crypto.PublicKey) error {
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil
	}
	switch bits := key.N.BitLen(); {
	case bits < minRSABits || bits > maxRSABits:
		return fmt.Errorf("%w: RSA of %d bits, where %d to %d are accepted", ErrWeakKey, bits, minRSABits, maxRSABits)
	case key.E < 3 || key.E%2 == 0 || int64(key.E) > maxRSAExponent:
		return fmt.Errorf("%w: RSA exponent %d, where odd ones from 3 to %d are accepted", ErrWeakKey, key.E, maxRSAExponent)
	case key.N.Bit(0) == 0:
		return fmt.Errorf("%w: RSA modulus is even", ErrWeakKey)
	case isROCA(key.N):
		return fmt.Errorf("%w: RSA key that can be factored (ROCA, CVE-2017-15361)", ErrWeakKey)
	}
	return nil
}

// fit says why k cannot verify alg, or nil if it can: type and curve, strength,
// and what the key says of itself: use, key_ops and alg (RFC 7517 §4.2 to §4.4).
func (k Key) fit(alg countersign.Algorithm) error {
	switch {
	case !algorithms[alg].takes(k.Public):
		return fmt.Errorf("it is %s", describe(k.Public))
	case k.Algorithm != "" && k.Algorithm != alg:
		return fmt.Errorf("its alg is %s", quote(string(k.Algorithm)))
	case k.Use != "" && k.Use != "sig":
		return fmt.Errorf("its use is %s", quote(k.Use))
	case k.Operations != nil && !slices.Contains(k.Operations, "verify"):
		return fmt.Errorf("its key_ops are %s", quoteAll(k.Operations))
	}
	if key, ok := k.Public.(*rsa.PublicKey); ok && key == k.strong {
		return nil
	}
	return checkStrength(k.Public)
}

// describe names the type of a public key.
func describe(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("an RSA key of %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "an EC key on " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "an Ed25519 key"
	default:
		return fmt.Sprintf("a key of type %T", public)
	}
}
