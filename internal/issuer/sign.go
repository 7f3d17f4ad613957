package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"fmt"

	"github.com/countersign-auth/countersign"
)

// rsaBits is what most issuers use.
const rsaBits = 2048

// NewKey makes a key pair for alg: RSA of 2048 bits, EC on the algorithm's curve,
// or Ed25519. n makes no difference to it.
func NewKey(alg countersign.Algorithm, _ int) (crypto.Signer, error) {
	switch alg {
	case countersign.RS256, countersign.RS384, countersign.RS512, countersign.PS256, countersign.PS384, countersign.PS512:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case countersign.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case countersign.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case countersign.ES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case countersign.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return nil, fmt.Errorf("unknown algorithm %q", alg)
	}
}

// Sign makes the JWS signature of input (RFC 7518 §3, RFC 8037 §3.1). private
// must be of the algorithm's type.
func Sign(alg countersign.Algorithm, private crypto.Signer, input []byte) ([]byte, error) {
	var hash crypto.Hash
	var opts crypto.SignerOpts
	switch alg {
	case countersign.RS256, countersign.ES256, countersign.PS256:
		hash = crypto.SHA256
	case countersign.RS384, countersign.ES384, countersign.PS384:
		hash = crypto.SHA384
	case countersign.RS512, countersign.ES512, countersign.PS512:
		hash = crypto.SHA512
	case countersign.EdDSA:
		return private.Sign(rand.Reader, input, crypto.Hash(0))
	default:
		return nil, fmt.Errorf("unknown algorithm %q", alg)
	}
	h := hash.New()
	h.Write(input)
	digest := h.Sum(nil)
	opts = hash
	if alg[0] == 'P' {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	ec, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return private.Sign(rand.Reader, digest, opts)
	}
	r, s, err := ecdsa.Sign(rand.Reader, ec, digest)
	if err != nil {
		return nil, err
	}
	width := (ec.Curve.Params().BitSize + 7) / 8
	signature := make([]byte, 2*width)
	r.FillBytes(signature[:width])
	s.FillBytes(signature[width:])
	return signature, nil
}
