package trust

import (
	"crypto"
	"crypto/rsa"

	"github.com/countersign-auth/countersign"
)

// Key is one public key of an issuer, parsed once and ready to verify with.
type Key struct {
	ID         string                // kid; "" if it has none
	Algorithm  countersign.Algorithm // the key's own alg, "" if it says none
	Use        string                // "" or as the key says ("sig", "enc")
	Operations []string              // key_ops, nil if it says none
	Public     crypto.PublicKey      // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey

	// strong is Public, if that passed checkStrength when it was read: to look for
	// factors again for each token costs a tenth of what verifying it does.
	strong *rsa.PublicKey
}

// setPublic gives k a public key that passed checkStrength.
func (k *Key) setPublic(public crypto.PublicKey) {
	k.Public = public
	k.strong, _ = public.(*rsa.PublicKey)
}
