package trust_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

const (
	issuer   = "https://issuer.example/"
	audience = "https://api.example"
)

var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// object is a JSON object to be: a nil deletes nothing, it is null.
type object = map[string]any

// drop, as a value, takes a member out.
type drop struct{}

func with(base, changes object) object {
	out := maps.Clone(base)
	for name, value := range changes {
		out[name] = value
		if value == (drop{}) {
			delete(out, name)
		}
	}
	return out
}

func goodClaims() object {
	return object{
		"iss": issuer, "aud": audience, "sub": "u1", "jti": "t1", "email": "ada@example.com",
		"iat": now.Unix() - 10, "exp": now.Unix() + 300,
	}
}

// The keys, made once; the tests treat them as constants.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return mustKey(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return mustKey(rsa.GenerateKey(rand.Reader, 2048)) })
	p256     = sync.OnceValue(func() *ecdsa.PrivateKey { return mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384     = sync.OnceValue(func() *ecdsa.PrivateKey { return mustKey(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521     = sync.OnceValue(func() *ecdsa.PrivateKey { return mustKey(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return mustKey(key, err)
	})
)

func mustKey[K any](key K, err error) K {
	if err != nil {
		panic(err)
	}
	return key
}

func signerOf(alg countersign.Algorithm) crypto.Signer {
	switch alg {
	case countersign.ES256:
		return p256()
	case countersign.ES384:
		return p384()
	case countersign.ES512:
		return p521()
	case countersign.EdDSA:
		return edKey()
	default:
		return rsaKey()
	}
}

func hashOf(alg countersign.Algorithm) crypto.Hash {
	return map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[string(alg)[2:]]
}

// signature is what an issuer would make; it shares no code with the verifier.
func signature(tb testing.TB, alg countersign.Algorithm, key crypto.Signer, signed string) []byte {
	tb.Helper()
	var sig []byte
	var err error
	switch alg[:2] {
	case "RS":
		sig, err = key.Sign(rand.Reader, sum(hashOf(alg), signed), hashOf(alg))
	case "PS":
		sig, err = key.Sign(rand.Reader, sum(hashOf(alg), signed), &rsa.PSSOptions{SaltLength: hashOf(alg).Size(), Hash: hashOf(alg)})
	case "ES":
		private := key.(*ecdsa.PrivateKey)
		r, s, signErr := ecdsa.Sign(rand.Reader, private, sum(hashOf(alg), signed))
		if signErr != nil {
			tb.Fatal(signErr)
		}
		width := (private.Curve.Params().BitSize + 7) / 8
		sig = append(r.FillBytes(make([]byte, width)), s.FillBytes(make([]byte, width))...)
	default:
		sig, err = key.Sign(rand.Reader, []byte(signed), crypto.Hash(0))
	}
	if err != nil {
		tb.Fatal(err)
	}
	return sig
}

func sum(h crypto.Hash, s string) []byte {
	d := h.New()
	d.Write([]byte(s))
	return d.Sum(nil)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func text(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// signText signs header and payload as they stand.
func signText(tb testing.TB, alg countersign.Algorithm, key crypto.Signer, header, payload string) string {
	tb.Helper()
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	return signed + "." + b64(signature(tb, alg, key, signed))
}

// mint signs an RS256 token of the good header and claims with changes.
func mint(tb testing.TB, header, claims object) string {
	tb.Helper()
	return signText(tb, countersign.RS256, rsaKey(),
		text(tb, with(object{"alg": "RS256", "typ": "JWT"}, header)), text(tb, with(goodClaims(), claims)))
}

func pemOf(tb testing.TB, public crypto.PublicKey) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// pemProfile trusts the given public keys as PEM.
func pemProfile(tb testing.TB, keys ...crypto.PublicKey) *countersign.Profile {
	tb.Helper()
	p := &countersign.Profile{
		Issuer: issuer, Audience: audience, KeyType: countersign.KeyTypePEM, Policy: countersign.DefaultTrustPolicy(),
		AttributeMapping: json.RawMessage(`{"email":"email","token_id":"jti"}`),
	}
	for _, key := range keys {
		p.PEMFiles = append(p.PEMFiles, countersign.PEMFile{PublicKey: pemOf(tb, key)})
	}
	return p
}

// fakeSet is an issuer's key set without a network.
type fakeSet struct {
	keys  []trust.Key
	err   error
	asked []string // every kid asked for
}

func (s *fakeSet) Keys(_ context.Context, kid string) ([]trust.Key, error) {
	s.asked = append(s.asked, kid)
	if s.err != nil {
		return nil, s.err
	}
	var found []trust.Key
	for _, key := range s.keys {
		if kid == "" || key.ID == kid {
			found = append(found, key)
		}
	}
	if len(found) == 0 {
		return nil, &trust.Refusal{Reason: trust.KeyNotFound}
	}
	return found, nil
}

func environment() countersign.EnvironmentID {
	return mustKey(countersign.ParseID[countersign.EnvironmentID]("project-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6"))
}

const keySetURL = "https://issuer.example/jwks.json"

// jwkProfile trusts set, and verifier finds it.
func jwkProfile() *countersign.Profile {
	return &countersign.Profile{
		EnvironmentID: environment(), Issuer: issuer, Audience: audience,
		KeyType: countersign.KeyTypeJWK, JWKSURL: keySetURL, Policy: countersign.DefaultTrustPolicy(),
	}
}

func verifier(tb testing.TB, set *fakeSet) *trust.Verifier {
	tb.Helper()
	return trust.NewVerifier(clock, func(env countersign.EnvironmentID, url string) trust.KeySet {
		if set == nil || env != environment() || url != keySetURL {
			tb.Errorf("key set of %s, %q asked for", env, url)
			return &fakeSet{}
		}
		return set
	})
}

// wantReason fails unless err is a refusal for want, fit to be shown; "" wants none.
func wantReason(t *testing.T, what string, err error, want trust.Reason) *trust.Refusal {
	t.Helper()
	if err == nil {
		if want != "" {
			t.Errorf("%s = nil, want reason %s", what, want)
		}
		return nil
	}
	r, ok := errors.AsType[*trust.Refusal](err)
	if !ok || r.Reason != want {
		t.Errorf("%s = %v, want reason %q", what, err, want)
	}
	if ok {
		for _, shown := range []string{r.Expected, r.Received} {
			if len(shown) > 256 || hasControl(shown) {
				t.Errorf("%s: refusal is not fit to be shown: %q", what, shown)
			}
		}
	}
	return r
}

func hasControl(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return true
		}
	}
	return false
}
