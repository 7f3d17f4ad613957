package trust

import (
	"crypto"

	"github.com/countersign-auth/countersign"
)

// VerifySignature reports whether signature is public's over signed, with an
// algorithm that takes public's type of key. It judges nothing else.
func VerifySignature(alg countersign.Algorithm, public crypto.PublicKey, signed, signature []byte) bool {
	a, known := algorithms[alg]
	return known && a.takes(public) && a.verify(public, signed, signature)
}
