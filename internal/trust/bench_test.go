package trust_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []countersign.Algorithm{countersign.RS256, countersign.PS256, countersign.ES256, countersign.EdDSA} {
		token := signText(b, alg, signerOf(alg), `{"alg":"`+string(alg)+`","kid":"k1","typ":"JWT"}`, text(b, goodClaims()))
		b.Run(string(alg)+"/PEM", func(b *testing.B) { benchmark(b, pemProfile(b, signerOf(alg).Public()), token) })
		b.Run(string(alg)+"/JWK", func(b *testing.B) { benchmark(b, jwkProfile(), token) })
	}
	b.Run("refused/expired", func(b *testing.B) {
		benchmark(b, pemProfile(b, rsaKey().Public()), mint(b, nil, object{"exp": 1}))
	})
}

func benchmark(b *testing.B, p *countersign.Profile, token string) {
	b.Helper()
	var set benchSet
	for _, alg := range countersign.Algorithms()[5:] { // one key of each type
		set = append(set, trust.Key{ID: "k1", Public: signerOf(alg).Public()})
	}
	v := trust.NewVerifier(clock, func(countersign.EnvironmentID, string) trust.KeySet { return set })
	b.ReportAllocs()
	for b.Loop() {
		_, _ = v.Verify(b.Context(), p, token)
	}
}

// benchSet costs nothing.
type benchSet []trust.Key

func (s benchSet) Keys(context.Context, string) ([]trust.Key, error) { return s, nil }

// BenchmarkStandardLibrary is the floor: the signature alone.
func BenchmarkStandardLibrary(b *testing.B) {
	const signed = "header.payload"
	digest := sum(crypto.SHA256, signed)
	rs := signature(b, countersign.RS256, rsaKey(), signed)
	es, err := ecdsa.SignASN1(rand.Reader, p256(), digest)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("RS256", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = rsa.VerifyPKCS1v15(&rsaKey().PublicKey, crypto.SHA256, digest, rs)
		}
	})
	b.Run("ES256", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = ecdsa.VerifyASN1(&p256().PublicKey, digest, es)
		}
	})
}
