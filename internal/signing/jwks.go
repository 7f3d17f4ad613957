package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/countersign-auth/countersign"
)

// JWK is one published key (RFC 7517 §4). Members that a client of the contract
// requires are there even where they are empty.
type JWK struct {
	KeyType    string   `json:"kty" openapi:"enum=RSA|EC|OKP"`
	Use        string   `json:"use" openapi:"enum=sig"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg" openapi:"enum=RS256|ES256|EdDSA"`
	KeyID      string   `json:"kid"`
	N          string   `json:"n" doc:"Of an RSA key, else empty."`
	E          string   `json:"e" doc:"Of an RSA key, else empty."`
	Curve      string   `json:"crv,omitempty"`
	X          string   `json:"x,omitempty"`
	Y          string   `json:"y,omitempty"`
	X5C        []string `json:"x5c"`
	X5TS256    string   `json:"x5tS256"`
}

func newJWK(id countersign.SigningKeyID, alg countersign.Algorithm, public crypto.PublicKey) (JWK, error) {
	k := JWK{Use: "sig", Operations: []string{"verify"}, Algorithm: string(alg), KeyID: id.String(), X5C: []string{}}
	switch p := public.(type) {
	case *rsa.PublicKey:
		k.KeyType = "RSA"
		k.N = base64.RawURLEncoding.EncodeToString(p.N.Bytes())
		e := binary.BigEndian.AppendUint32(nil, uint32(p.E)) // ours is 65537
		k.E = base64.RawURLEncoding.EncodeToString([]byte(strings.TrimLeft(string(e), "\x00")))
	case *ecdsa.PublicKey:
		point, err := p.Bytes() // 4, x, y (SEC 1 §2.3.3)
		if err != nil {
			return JWK{}, err
		}
		k.KeyType, k.Curve = "EC", "P-256"
		k.X = base64.RawURLEncoding.EncodeToString(point[1:33])
		k.Y = base64.RawURLEncoding.EncodeToString(point[33:])
	case ed25519.PublicKey:
		k.KeyType, k.Curve = "OKP", "Ed25519"
		k.X = base64.RawURLEncoding.EncodeToString(p)
	default:
		return JWK{}, fmt.Errorf("cannot publish a %T", public)
	}
	return k, nil
}
