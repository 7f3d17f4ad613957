package cli

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
)

// Bounds of RSA keys that the server accepts (product.md §3, step 8).
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// parsePrivateKey reads a private key to sign with: PEM text, or base64 of PEM
// text as "keys generate --env" prints it.
func parsePrivateKey(text []byte) (crypto.Signer, error) {
	if !bytes.Contains(text, []byte("-----BEGIN ")) {
		if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err == nil {
			text = decoded
		}
	}
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			return nil, failed("the key is not a private key in PEM form", "countersign keys generate makes one")
		}
		if block.Type == "EC PARAMETERS" { // OpenSSL writes them before the key
			continue
		}
		return parsePrivateBlock(block)
	}
}

func parsePrivateBlock(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, failed("the private key is encrypted", "decrypt it first: openssl pkey -in FILE -out PLAIN")
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "OPENSSH PRIVATE KEY":
		return nil, failed("the key is in OpenSSH's own form", "convert it: ssh-keygen -p -N '' -m PKCS8 -f FILE")
	case strings.HasSuffix(block.Type, "PUBLIC KEY") || block.Type == "CERTIFICATE":
		return nil, failed("the key is a public one; signing takes the private key", "keys generate wrote it as NAME.private.pem")
	default:
		return nil, failed(fmt.Sprintf("%q is no private key", block.Type), "countersign keys generate makes one")
	}
	if err != nil {
		return nil, failed("the private key cannot be read: "+err.Error(), "")
	}
	return usable(key)
}

// usable refuses what no profile would believe.
func usable(key any) (crypto.Signer, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, failed(fmt.Sprintf("an RSA key of %d bits is not accepted by the server", bits), fmt.Sprintf("use one of %d to %d bits", minRSABits, maxRSABits))
		}
		return key, nil
	case *ecdsa.PrivateKey:
		if len(algorithmsOf(key)) == 0 {
			return nil, failed("the curve "+key.Curve.Params().Name+" signs no JWT", "use P-256, P-384 or P-521")
		}
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	default:
		return nil, failed(fmt.Sprintf("a key of type %T signs no JWT", key), "use RSA, EC or Ed25519")
	}
}

// algorithmsOf are the algorithms that key can sign with, the usual one first;
// none for a curve that has none (RFC 7518 §3.4).
func algorithmsOf(key crypto.Signer) []countersign.Algorithm {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return slices.DeleteFunc(countersign.Algorithms(), func(a countersign.Algorithm) bool {
			return !strings.HasPrefix(string(a), "RS") && !strings.HasPrefix(string(a), "PS")
		})
	case *ecdsa.PrivateKey:
		switch key.Curve.Params().Name {
		case "P-256":
			return []countersign.Algorithm{countersign.ES256}
		case "P-384":
			return []countersign.Algorithm{countersign.ES384}
		case "P-521":
			return []countersign.Algorithm{countersign.ES512}
		}
		return nil
	case ed25519.PrivateKey:
		return []countersign.Algorithm{countersign.EdDSA}
	default:
		return nil
	}
}
