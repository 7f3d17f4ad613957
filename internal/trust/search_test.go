package trust_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

func TestVerifyKeySet(t *testing.T) {
	t.Parallel()
	good := trust.Key{ID: "k1", Public: rsaKey().Public()}
	// mine is the good key saying something else of itself.
	mine := func(change func(*trust.Key)) []trust.Key {
		key := good
		change(&key)
		return []trust.Key{key}
	}
	other := trust.Key{ID: "k1", Public: otherRSA().Public()}
	weak := mustKey(rsa.GenerateKey(rand.Reader, 1024))
	exponent := func(e int) []trust.Key {
		return mine(func(k *trust.Key) { k.Public = &rsa.PublicKey{N: rsaKey().N, E: e} })
	}
	p224 := mustKey(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	kid := object{"kid": "k1"}

	for _, test := range []struct {
		name   string
		header object
		keys   []trust.Key
		want   trust.Reason
		keyID  string
	}{
		{name: "kid", header: kid, keys: []trust.Key{good}, keyID: "k1"},
		{name: "no kid", keys: []trust.Key{good}, keyID: "k1"},
		{name: "no kid, the last of eight", keys: append(slices.Repeat([]trust.Key{other}, 7), good), keyID: "k1"},
		{name: "no kid, the ninth", keys: append(slices.Repeat([]trust.Key{other}, 8), good), want: trust.SignatureInvalid},
		{name: "no kid, the ninth, but others do not fit", keys: append(slices.Repeat([]trust.Key{{Public: p256().Public()}}, 8), good), keyID: "k1"},
		{name: "empty kid", header: object{"kid": ""}, keys: []trust.Key{good}, keyID: "k1"},
		{name: "unknown kid", header: object{"kid": "k2"}, keys: []trust.Key{good}, want: trust.KeyNotFound},
		{name: "kid in another case", header: object{"kid": "K1"}, keys: []trust.Key{good}, want: trust.KeyNotFound},
		{name: "kid is a number", header: object{"kid": 1}, keys: []trust.Key{good}, want: trust.Malformed},
		{name: "kid is null", header: object{"kid": nil}, keys: []trust.Key{good}, want: trust.Malformed},
		{name: "kid of 256 bytes", header: object{"kid": strings.Repeat("k", 256)}, keys: []trust.Key{good}, want: trust.KeyNotFound},
		{name: "kid of 257 bytes", header: object{"kid": strings.Repeat("k", 257)}, keys: []trust.Key{good}, want: trust.Malformed},
		{name: "kid with a control character", header: object{"kid": "k1\n"}, keys: []trust.Key{good}, want: trust.Malformed},
		{name: "kid of two keys", header: kid, keys: []trust.Key{{ID: "k1", Public: p256().Public()}, good}, keyID: "k1"},
		{name: "kid of another key", header: kid, keys: []trust.Key{other}, want: trust.SignatureInvalid},
		{name: "kid of an EC key", header: kid, keys: mine(func(k *trust.Key) { k.Public = p256().Public() }), want: trust.KeyUnusable},
		{name: "no key of the type", keys: []trust.Key{{Public: p256().Public()}, {Public: edKey().Public()}}, want: trust.KeyNotFound},
		{name: "kid of a private key", header: kid, keys: mine(func(k *trust.Key) { k.Public = rsaKey() }), want: trust.KeyUnusable},

		{name: "use sig", header: kid, keys: mine(func(k *trust.Key) { k.Use = "sig" }), keyID: "k1"},
		{name: "use enc", header: kid, keys: mine(func(k *trust.Key) { k.Use = "enc" }), want: trust.KeyUnusable},
		{name: "use SIG", header: kid, keys: mine(func(k *trust.Key) { k.Use = "SIG" }), want: trust.KeyUnusable},
		{name: "no kid, use enc", keys: mine(func(k *trust.Key) { k.Use = "enc" }), want: trust.KeyUnusable},
		{name: "no kid, use enc beside another type", keys: append([]trust.Key{{Public: p256().Public()}}, mine(func(k *trust.Key) { k.Use = "enc" })...), want: trust.KeyUnusable},
		{name: "key_ops verify", header: kid, keys: mine(func(k *trust.Key) { k.Operations = []string{"sign", "verify"} }), keyID: "k1"},
		{name: "key_ops sign", header: kid, keys: mine(func(k *trust.Key) { k.Operations = []string{"sign"} }), want: trust.KeyUnusable},
		{name: "key_ops empty", header: kid, keys: mine(func(k *trust.Key) { k.Operations = []string{} }), want: trust.KeyUnusable},
		{name: "alg of the key", header: kid, keys: mine(func(k *trust.Key) { k.Algorithm = countersign.RS256 }), keyID: "k1"},
		{name: "another alg of the key", header: kid, keys: mine(func(k *trust.Key) { k.Algorithm = countersign.PS256 }), want: trust.KeyUnusable},
		{name: "alg of the key in lower case", header: kid, keys: mine(func(k *trust.Key) { k.Algorithm = "rs256" }), want: trust.KeyUnusable},

		{name: "RSA of 1024 bits", header: kid, keys: mine(func(k *trust.Key) { k.Public = weak.Public() }), want: trust.KeyUnusable},
		{name: "RSA of 8200 bits", header: kid, keys: mine(func(k *trust.Key) {
			k.Public = &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8199, 1), E: 65537}
		}), want: trust.KeyUnusable},
		{name: "RSA exponent 0", header: kid, keys: exponent(0), want: trust.KeyUnusable},
		{name: "RSA exponent 1", header: kid, keys: exponent(1), want: trust.KeyUnusable},
		{name: "RSA exponent 2", header: kid, keys: exponent(2), want: trust.KeyUnusable},
		{name: "RSA exponent 65536", header: kid, keys: exponent(65536), want: trust.KeyUnusable},
		{name: "RSA exponent negative", header: kid, keys: exponent(-3), want: trust.KeyUnusable},
		{name: "RSA exponent 3", header: kid, keys: exponent(3), want: trust.SignatureInvalid},
		{name: "RSA exponent 2³¹ − 1", header: kid, keys: exponent(1<<31 - 1), want: trust.SignatureInvalid},
		{name: "RSA exponent 2³² − 1", header: kid, keys: exponent(1<<32 - 1), want: trust.KeyUnusable},
		{name: "RSA modulus even", header: kid, keys: mine(func(k *trust.Key) {
			k.Public = &rsa.PublicKey{N: new(big.Int).SetBit(rsaKey().N, 0, 0), E: 65537}
		}), want: trust.KeyUnusable},
		{name: "P-224", header: kid, keys: mine(func(k *trust.Key) { k.Public = p224.Public() }), want: trust.KeyUnusable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := verifier(t, &fakeSet{keys: test.keys}).Verify(t.Context(), jwkProfile(), mint(t, test.header, nil))
			wantReason(t, "Verify", err, test.want)
			if err == nil && got.KeyID != test.keyID {
				t.Errorf("Verify: key %q, want %q", got.KeyID, test.keyID)
			}
		})
	}
}

// ES256 is P-256 with SHA-256; another curve is another algorithm.
func TestVerifyCurve(t *testing.T) {
	t.Parallel()
	for alg, curve := range map[countersign.Algorithm]*ecdsa.PrivateKey{
		countersign.ES256: p384(), countersign.ES384: p521(), countersign.ES512: p256(),
	} {
		token := signText(t, alg, curve, `{"alg":"`+string(alg)+`","kid":"k"}`, text(t, goodClaims()))
		set := &fakeSet{keys: []trust.Key{{ID: "k", Public: curve.Public()}}}
		_, err := verifier(t, set).Verify(t.Context(), jwkProfile(), token)
		wantReason(t, "Verify("+string(alg)+" on "+curve.Params().Name+")", err, trust.KeyUnusable)
	}
}

// Nothing asks for keys before all else is right.
func TestVerifyAsksLast(t *testing.T) {
	t.Parallel()
	set := &fakeSet{keys: []trust.Key{{ID: "k1", Public: rsaKey().Public()}}}
	for _, token := range []string{
		"", "a.b.c", mint(t, object{"alg": "none"}, nil), mint(t, object{"crit": nil}, nil), mint(t, object{"typ": "dpop+jwt"}, nil),
		mint(t, nil, object{"iss": "x"}), mint(t, nil, object{"aud": "x"}), mint(t, nil, object{"exp": 0}),
		mint(t, nil, object{"nbf": now.Add(time.Hour).Unix()}), mint(t, object{"kid": 1}, nil),
	} {
		if _, err := verifier(t, set).Verify(t.Context(), jwkProfile(), token); err == nil {
			t.Errorf("Verify(%.20s…) = nil", token)
		}
	}
	if set.asked != nil {
		t.Errorf("asked for %q, want nothing asked", set.asked)
	}
	_, err := verifier(t, set).Verify(t.Context(), jwkProfile(), mint(t, object{"kid": "k1"}, nil))
	wantReason(t, "Verify", err, "")
	if diff := cmp.Diff([]string{"k1"}, set.asked); diff != "" {
		t.Errorf("asked (-want +got)\n%s", diff)
	}
}

func TestVerifyKeySetFails(t *testing.T) {
	t.Parallel()
	down := &trust.Refusal{Reason: trust.KeysUnavailable, RetryAfter: time.Minute}
	_, err := verifier(t, &fakeSet{err: down}).Verify(t.Context(), jwkProfile(), mint(t, nil, nil))
	if r := wantReason(t, "Verify", err, trust.KeysUnavailable); r != down {
		t.Errorf("Verify = %v, want the key set's own refusal", err)
	}
	odd := errors.New("no refusal")
	_, err = verifier(t, &fakeSet{err: odd}).Verify(t.Context(), jwkProfile(), mint(t, nil, nil))
	wantReason(t, "Verify", err, trust.KeysUnavailable)
	if !errors.Is(err, odd) {
		t.Errorf("Verify = %v, want it to wrap the key set's error", err)
	}
}
