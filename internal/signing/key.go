package signing

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/countersign-auth/countersign"
)

// key is a signing key, opened and ready.
type key struct {
	countersign.SigningKey
	private crypto.Signer
	header  string // the encoded JWS header, which is the same for every JWT
	jwk     JWK
}

// newKey makes a key of an environment and seals its private part.
func newKey(ks *Keyset, env countersign.EnvironmentID, alg countersign.Algorithm, ordinal int64, created, activates time.Time) (countersign.SigningKey, error) {
	private, err := generate(alg)
	if err != nil {
		return countersign.SigningKey{}, err
	}
	k := countersign.SigningKey{
		ID: countersign.NewID[countersign.SigningKeyID](env.Class()), EnvironmentID: env,
		Ordinal: ordinal, Algorithm: alg, CreatedAt: created, ActivatesAt: activates,
	}
	if k.PublicKey, err = x509.MarshalPKIXPublicKey(private.Public()); err != nil {
		return countersign.SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return countersign.SigningKey{}, err
	}
	if k.PrivateKey, err = ks.Seal(der, env.String(), k.ID.String()); err != nil {
		return countersign.SigningKey{}, fmt.Errorf("encrypt signing key: %w", err)
	}
	return k, nil
}

// openKey is the reverse: it decrypts and checks.
func openKey(ks *Keyset, stored countersign.SigningKey) (key, error) {
	der, err := ks.Open(stored.PrivateKey, stored.EnvironmentID.String(), stored.ID.String())
	if err != nil {
		return key{}, fmt.Errorf("decrypt signing key %s: %w", stored.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return key{}, fmt.Errorf("parse signing key %s: %w", stored.ID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return key{}, fmt.Errorf("signing key %s is a %T", stored.ID, parsed)
	}
	// Node's client insists on typ JWT (sdk-matrix.md §4).
	header, err := json.Marshal(map[string]string{"alg": string(stored.Algorithm), "typ": "JWT", "kid": stored.ID.String()})
	if err != nil {
		return key{}, err
	}
	jwk, err := newJWK(stored.ID, stored.Algorithm, private.Public())
	if err != nil {
		return key{}, err
	}
	return key{SigningKey: stored, private: private, header: base64.RawURLEncoding.EncodeToString(header), jwk: jwk}, nil
}

// CheckKey opens a stored key and keeps nothing of it; its error says which key it
// was and what is wrong.
func CheckKey(ks *Keyset, stored countersign.SigningKey) error {
	_, err := openKey(ks, stored)
	return err
}
