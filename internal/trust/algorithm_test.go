package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Each algorithm verifies its own, and only its own.
func TestVerifyAlgorithms(t *testing.T) {
	t.Parallel()
	for _, alg := range countersign.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			payload := text(t, goodClaims())
			token := signText(t, alg, signerOf(alg), `{"alg":"`+string(alg)+`"}`, payload)
			p := pemProfile(t, rsaKey().Public(), p256().Public(), p384().Public(), p521().Public(), edKey().Public())
			got, err := verifier(t, nil).Verify(t.Context(), p, token)
			wantReason(t, "Verify", err, "")
			if got.Algorithm != alg {
				t.Errorf("Verify: algorithm %s, want %s", got.Algorithm, alg)
			}

			// One bit of the signature, of the payload and of the header.
			segments := strings.Split(token, ".")
			for i, segment := range segments {
				b := []byte(segment)
				at := len(b) / 2
				b[at] = map[bool]byte{true: 'B', false: 'A'}[b[at] == 'A']
				changed := append([]string(nil), segments...)
				changed[i] = string(b)
				if _, err := verifier(t, nil).Verify(t.Context(), p, strings.Join(changed, ".")); err == nil {
					t.Errorf("segment %d changed, and believed", i)
				}
			}

			for _, other := range countersign.Algorithms() {
				if other == alg {
					continue
				}
				// The signature of alg under the name of other.
				signed := b64([]byte(`{"alg":"`+string(other)+`"}`)) + "." + b64([]byte(payload))
				if width := other[:2] == "ES" && alg[:2] == "ES"; width && other != alg {
					continue // the signer below has another curve; the widths are tested elsewhere
				}
				forged := signed + "." + b64(signature(t, alg, signerOf(alg), signed))
				_, err := verifier(t, nil).Verify(t.Context(), p, forged)
				wantReason(t, "Verify("+string(alg)+" as "+string(other)+")", err, trust.SignatureInvalid)
			}
		})
	}
}

// Signatures that other encodings or parameters would make valid.
func TestVerifySignatureEncoding(t *testing.T) {
	t.Parallel()
	signed := func(alg string) string {
		return b64([]byte(`{"alg":"`+alg+`"}`)) + "." + b64([]byte(text(t, goodClaims())))
	}
	withSalt := func(length int) []byte {
		sig, err := rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, sum(crypto.SHA256, signed("PS256")), &rsa.PSSOptions{SaltLength: length})
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	pkcs1 := signature(t, countersign.RS256, rsaKey(), signed("RS256"))
	fixed := signature(t, countersign.ES256, p256(), signed("ES256"))
	der, err := ecdsa.SignASN1(rand.Reader, p256(), sum(crypto.SHA256, signed("ES256")))
	if err != nil {
		t.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(fixed[:32]), new(big.Int).SetBytes(fixed[32:])
	order := p256().Params().N
	pair := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	zero := new(big.Int)
	wide := append(append(make([]byte, 1), fixed[:32]...), append(make([]byte, 1), fixed[32:]...)...)
	ed := signature(t, countersign.EdDSA, edKey(), signed("EdDSA"))
	// s + L, the other s that a lenient verifier takes (RFC 8032 §5.1.7).
	edOrder, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	malleable := append([]byte(nil), ed...)
	sum := new(big.Int).Add(edOrder, new(big.Int).SetBytes(reversed(ed[32:])))
	copy(malleable[32:], reversed(sum.FillBytes(make([]byte, 32))))

	for _, test := range []struct {
		name, alg string
		signature []byte
		want      trust.Reason
	}{
		{"PSS, salt of the hash's length", "PS256", withSalt(32), ""},
		{"PSS, no salt", "PS256", withSalt(0), trust.SignatureInvalid},
		{"PSS, salt of 20 bytes", "PS256", withSalt(20), trust.SignatureInvalid},
		{"PSS, longest salt", "PS256", withSalt(rsa.PSSSaltLengthAuto), trust.SignatureInvalid},
		{"RSA", "RS256", pkcs1, ""},
		{"RSA, a zero before", "RS256", append([]byte{0}, pkcs1...), trust.SignatureInvalid},
		{"RSA, a byte less", "RS256", pkcs1[1:], trust.SignatureInvalid},
		{"RSA, a zero after", "RS256", append(append([]byte(nil), pkcs1...), 0), trust.SignatureInvalid},
		{"RSA, signature plus modulus", "RS256", new(big.Int).Add(new(big.Int).SetBytes(pkcs1), rsaKey().N).Bytes(), trust.SignatureInvalid},
		{"RSA, signature 1", "RS256", append(make([]byte, 255), 1), trust.SignatureInvalid},
		{"ECDSA", "ES256", fixed, ""},
		{"ECDSA, DER", "ES256", der, trust.SignatureInvalid},
		{"ECDSA, a byte less", "ES256", fixed[:63], trust.SignatureInvalid},
		{"ECDSA, a byte more", "ES256", append(append([]byte(nil), fixed...), 0), trust.SignatureInvalid},
		{"ECDSA, zeros before r and s", "ES256", wide, trust.SignatureInvalid},
		{"ECDSA, a zero before s", "ES256", append(append(append([]byte(nil), fixed[:32]...), 0), fixed[32:]...), trust.SignatureInvalid},
		{"ECDSA, r and s are zero", "ES256", make([]byte, 64), trust.SignatureInvalid},
		{"ECDSA, r is zero", "ES256", pair(zero, s), trust.SignatureInvalid},
		{"ECDSA, s is zero", "ES256", pair(r, zero), trust.SignatureInvalid},
		{"ECDSA, r is the order", "ES256", pair(order, s), trust.SignatureInvalid},
		{"ECDSA, s is the order", "ES256", pair(r, order), trust.SignatureInvalid},
		{"ECDSA, nothing", "ES256", nil, trust.SignatureInvalid},
		{"Ed25519", "EdDSA", ed, ""},
		{"Ed25519, a byte less", "EdDSA", ed[:63], trust.SignatureInvalid},
		{"Ed25519, a byte more", "EdDSA", append(append([]byte(nil), ed...), 0), trust.SignatureInvalid},
		{"Ed25519, s above the order", "EdDSA", malleable, trust.SignatureInvalid},
		{"Ed25519, nothing", "EdDSA", nil, trust.SignatureInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := pemProfile(t, rsaKey().Public(), p256().Public(), edKey().Public())
			_, err := verifier(t, nil).Verify(t.Context(), p, signed(test.alg)+"."+b64(test.signature))
			wantReason(t, "Verify", err, test.want)
		})
	}
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}
