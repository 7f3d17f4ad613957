package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"

	"github.com/countersign-auth/countersign"
)

// Algorithms are those that an environment may sign session JWTs with. RS256 is
// the default because some published clients accept nothing else.
func Algorithms() []countersign.Algorithm {
	return []countersign.Algorithm{countersign.RS256, countersign.ES256, countersign.EdDSA}
}

// generate makes a private key for one of Algorithms.
func generate(alg countersign.Algorithm) (crypto.Signer, error) {
	switch alg { // the others are for subject tokens
	case countersign.RS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case countersign.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case countersign.EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("session JWTs are not signed with %q", alg)
	}
}

// sign is the JWS signature (RFC 7518 §3.3 and §3.4, RFC 8037 §3.1).
func sign(key crypto.Signer, input []byte) ([]byte, error) {
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(k, input), nil
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			return nil, err
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature, nil
	case *rsa.PrivateKey:
		digest := sha256.Sum256(input)
		return rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
	default:
		return nil, fmt.Errorf("cannot sign with a %T", key)
	}
}
