package issuer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/countersign-auth/countersign"
)

// The PEM forms of a public key (RFC 7468).
const (
	PublicKey    = "PUBLIC KEY"
	RSAPublicKey = "RSA PUBLIC KEY"
	Certificate  = "CERTIFICATE"
)

// PEM is the public key for alg, made if there is none, as text of one of the
// forms. A certificate is signed by itself and valid for a year.
func (i *Issuer) PEM(alg countersign.Algorithm, form string) (string, error) {
	k, err := i.keyFor(alg)
	if err != nil {
		return "", err
	}
	var der []byte
	switch form {
	case PublicKey:
		der, err = x509.MarshalPKIXPublicKey(k.private.Public())
	case RSAPublicKey:
		public, ok := k.private.Public().(*rsa.PublicKey)
		if !ok {
			return "", fmt.Errorf("%s has no RSA key", alg)
		}
		der = x509.MarshalPKCS1PublicKey(public)
	case Certificate:
		template := x509.Certificate{
			SerialNumber: big.NewInt(1),
			Subject:      pkix.Name{CommonName: k.id},
			NotBefore:    i.now().Add(-time.Hour),
			NotAfter:     i.now().AddDate(1, 0, 0),
		}
		der, err = x509.CreateCertificate(rand.Reader, &template, &template, k.private.Public(), k.private)
	default:
		err = errors.New("unknown PEM form")
	}
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", form, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: form, Bytes: der})), nil
}

// keySet is the published keys. mu is held.
func (i *Issuer) keySet() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(i.keys))}
	for _, k := range i.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig"})
	}
	return set
}
