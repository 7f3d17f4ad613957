package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// maxPEMSize is the most bytes that PEM text may have; an RSA key of 8192 bits
// in a certificate takes about 3 KiB.
const maxPEMSize = 16 << 10

// ParsePEM reads one public key from PEM text (RFC 7468): exactly one block of
// type PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE, with nothing but white space
// around it. Of a certificate only the key is used; that it has expired or who
// issued it means nothing here, because the operator chose it.
//
// Errors are ErrPrivateKey, ErrWeakKey, or another one if the text does not
// parse or holds a key that no algorithm here verifies with. The contract has
// such text stored (profiles.md §2), so this last kind marks the key unusable
// where the first two refuse it. The key has no ID, use or algorithm of its own.
func ParsePEM(text string) (Key, error) {
	// First, whatever else may be wrong with the text: a private key that reached
	// us must not be kept.
	if strings.Contains(text, "PRIVATE KEY-----") {
		return Key{}, ErrPrivateKey
	}
	if len(text) > maxPEMSize {
		return Key{}, fmt.Errorf("more than %d bytes", maxPEMSize)
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "-----BEGIN ") {
		return Key{}, errors.New("text does not begin with a PEM block")
	}
	// pem.Decode passes over a block that does not parse and takes the next one,
	// so what it took and what it left must account for all of the text.
	if strings.Count(text, "-----BEGIN ") > 1 {
		return Key{}, errors.New("more than one PEM block")
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return Key{}, errors.New("not valid PEM")
	case len(rest) > 0:
		return Key{}, errors.New("text after the PEM block")
	case len(block.Headers) > 0:
		return Key{}, errors.New("PEM block with headers")
	}
	public, err := parseDER(block)
	if err != nil {
		return Key{}, err
	}
	if !usable(public) {
		return Key{}, fmt.Errorf("%s fits no algorithm", describe(public))
	}
	if err := checkStrength(public); err != nil {
		return Key{}, err
	}
	var key Key
	key.setPublic(public)
	return key, nil
}

func parseDER(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse public key: %w", err)
		}
		return public, nil
	case "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse RSA public key: %w", err)
		}
		return public, nil
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate: %w", err)
		}
		return certificate.PublicKey, nil
	default:
		return nil, fmt.Errorf("PEM block of type %s, where PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE is accepted", quote(block.Type))
	}
}

// usable reports whether any algorithm takes a key of this type.
func usable(public crypto.PublicKey) bool {
	switch public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return false
	}
	for _, a := range algorithms {
		if a.takes(public) {
			return true
		}
	}
	return false
}
