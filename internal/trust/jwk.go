package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

// publicKey is what the Equal methods of public keys take.
type publicKey = crypto.PublicKey

// publicJWK is the key of one JWK.
type publicJWK struct {
	key      crypto.PublicKey
	material string // PKIX, ASN.1 DER: equal for equal keys
}

// publicFromJWK reads the public key of a JWK (RFC 7518 §6, RFC 8037 §2). The
// error says why there is none, in the operator's words.
func publicFromJWK(kty string, object map[string]any) (publicJWK, error) {
	var key crypto.PublicKey
	var err error
	switch kty {
	case "RSA":
		key, err = rsaFromJWK(object)
	case "EC":
		key, err = curveFromJWK(object, "EC", "x", "y")
	case "OKP":
		key, err = curveFromJWK(object, "OKP", "x")
	case "oct":
		err = errors.New("a symmetric key; whoever reads the set can sign with it")
	case "AKP":
		err = errors.New("key type AKP (ML-DSA) is not supported yet")
	case "":
		err = errors.New("kty is missing")
	default:
		err = fmt.Errorf("unknown key type %s", quote(kty))
	}
	if err != nil {
		return publicJWK{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return publicJWK{}, fmt.Errorf("encode the public key: %w", err)
	}
	return publicJWK{key: key, material: string(der)}, nil
}

// rsaFromJWK reads n and e (RFC 7518 §6.3.1). It does without go-jose, which
// refuses moduli above 4096 bits unless a variable of its package is changed for
// everybody in the process.
func rsaFromJWK(object map[string]any) (*rsa.PublicKey, error) {
	modulus, err := octets(object, "n")
	if err != nil {
		return nil, err
	}
	exponent, err := octets(object, "e")
	if err != nil {
		return nil, err
	}
	n, e := new(big.Int).SetBytes(modulus), new(big.Int).SetBytes(exponent)
	if !e.IsInt64() || e.Int64() > maxRSAExponent {
		return nil, errors.New("RSA exponent above 2^31-1, which nothing here can verify with")
	}
	key := &rsa.PublicKey{N: n, E: int(e.Int64())}
	if err := checkStrength(key); err != nil {
		return nil, err
	}
	return key, nil
}

// curveFromJWK reads the named coordinates of a point on one of our curves. The
// members go to go-jose alone, in a JWK that holds nothing else; it sees to their
// lengths, to the point being on its curve and to Ed25519's points of low order.
func curveFromJWK(object map[string]any, kty string, coordinates ...string) (crypto.PublicKey, error) {
	crv, err := word(object, "crv")
	if err != nil {
		return nil, err
	}
	switch kty + " " + crv {
	case "EC P-256", "EC P-384", "EC P-521", "OKP Ed25519":
	case kty + " ":
		return nil, errors.New("crv is missing")
	default:
		return nil, fmt.Errorf("curve %s is not supported", quote(crv))
	}
	bare := map[string]string{"kty": kty, "crv": crv}
	for _, name := range coordinates {
		if _, err := octets(object, name); err != nil {
			return nil, err
		}
		bare[name], _ = object[name].(string)
	}
	text, err := json.Marshal(bare)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(text); err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	switch key := parsed.Key.(type) {
	case *ecdsa.PublicKey:
		return key, nil
	case ed25519.PublicKey:
		return key, nil
	default:
		return nil, fmt.Errorf("unexpected %T", key)
	}
}
