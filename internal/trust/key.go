package trust

import (
	"crypto"

	"github.com/countersign-auth/countersign"
)

// Key is one public key of an issuer, parsed once and ready to verify with.
type Key struct {
	ID         string                // kid; "" if it has none
	Algorithm  countersign.Algorithm // the key's own alg, "" if it says none
	Use        string                // "" or as the key says ("sig", "enc")
	Operations []string              // key_ops, nil if it says none
	Public     crypto.PublicKey      // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}
