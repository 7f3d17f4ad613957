package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/trust"
)

// jwkOf is a public key as a JWK, with more members beside it.
func jwkOf(t testing.TB, public crypto.PublicKey, more object) object {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKey{Key: public})
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return with(out, more)
}

func jwks(t testing.TB, keys ...any) []byte {
	t.Helper()
	body, err := json.Marshal(object{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func modulus(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return b64(n.SetBit(n, 0, 1).Bytes())
}

func TestParseKeySetKeepsGoodKeys(t *testing.T) {
	t.Parallel()
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []any{
		jwkOf(t, &rsaKey().PublicKey, object{"kid": "rsa", "alg": "RS256", "use": "sig", "x5c": []string{"nonsense"}, "x5t": 1, "x5u": "::"}),
		jwkOf(t, edwards, object{"kid": "ed", "key_ops": []string{"verify"}, "alg": nil, "use": nil}),
		jwkOf(t, edwards, object{"kid": "enc", "use": "enc", "key_ops": []string{}}),
		jwkOf(t, edwards, nil),
		jwkOf(t, edwards, object{"kid": ""}), // says the same as the one before
		object{"kty": "RSA", "kid": "big", "n": modulus(8192), "e": "AQAB"},
		object{"kty": "RSA", "kid": "three", "n": modulus(2048), "e": "Aw"},
		object{"kty": "RSA", "kid": "largest", "n": modulus(2048), "e": b64([]byte{0x7f, 0xff, 0xff, 0xff})},
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		keys = append(keys, jwkOf(t, &mustKey(ecdsa.GenerateKey(curve, rand.Reader)).PublicKey, object{"kid": curve.Params().Name}))
	}
	got, skipped, err := trust.ParseKeySet(jwks(t, keys...))
	if err != nil || len(skipped) != 0 {
		t.Fatalf("ParseKeySet = %v, %v, want nothing skipped", skipped, err)
	}
	type said struct {
		ID, Algorithm, Use string
		Operations         []string
		Type               string
	}
	var have []said
	for _, k := range got {
		have = append(have, said{k.ID, string(k.Algorithm), k.Use, k.Operations, fmt.Sprintf("%T", k.Public)})
	}
	want := []said{
		{"rsa", "RS256", "sig", nil, "*rsa.PublicKey"},
		{"ed", "", "", []string{"verify"}, "ed25519.PublicKey"},
		{"enc", "", "enc", []string{}, "ed25519.PublicKey"},
		{"", "", "", nil, "ed25519.PublicKey"},
		{"big", "", "", nil, "*rsa.PublicKey"},
		{"three", "", "", nil, "*rsa.PublicKey"},
		{"largest", "", "", nil, "*rsa.PublicKey"},
		{"P-256", "", "", nil, "*ecdsa.PublicKey"},
		{"P-384", "", "", nil, "*ecdsa.PublicKey"},
		{"P-521", "", "", nil, "*ecdsa.PublicKey"},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("ParseKeySet (-want +got):\n%s", diff)
	}
	if !rsaKey().PublicKey.Equal(got[0].Public) {
		t.Error("the RSA key is not the one that was published")
	}
}

// One odd entry costs itself, and says why.
func TestParseKeySetSkips(t *testing.T) {
	t.Parallel()
	ec := mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := func(more object) object { return with(jwkOf(t, &ec.PublicKey, object{"kid": "a"}), more) }
	x, _ := point(nil)["x"].(string)
	raw, err := base64.RawURLEncoding.DecodeString(x)
	if err != nil {
		t.Fatal(err)
	}
	last := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	stray := x[:42] + string(last[strings.IndexByte(last, x[42])|1]) // 43 digits carry two bits too many
	for _, row := range []struct {
		key  any
		want string
	}{
		{"text", "a string where a key should be"},
		{nil, "null where a key should be"},
		{[]any{}, "an array where a key should be"},
		{point(object{"kid": 1}), "kid is a number, not a string"},
		{point(object{"kid": nil}), "kid is null, not a string"},
		{point(object{"kid": strings.Repeat("k", 257)}), "kid has 257 bytes, 256 are allowed"},
		{point(object{"kty": drop{}}), "kty is missing"},
		{point(object{"kty": 1}), "kty is a number, not a string"},
		{point(object{"kty": "DSA"}), `unknown key type "DSA"`},
		{point(object{"kty": "ec"}), `unknown key type "ec"`},
		{object{"kty": "oct", "kid": "a", "k": "AAAA"}, "a symmetric key; whoever reads the set can sign with it"},
		{object{"kty": "AKP", "kid": "a", "alg": "ML-DSA-44", "pub": "AAAA"}, "key type AKP (ML-DSA) is not supported yet"},
		{point(object{"d": "AAAA"}), "private key material (d) is published; whoever reads the set can sign with this key"},
		{point(object{"d": 1}), "private key material (d) is published; whoever reads the set can sign with this key"},
		{jwkOf(t, &rsaKey().PublicKey, object{"p": "AAAA"}), "private key material (p) is published; whoever reads the set can sign with this key"},
		{jwkOf(t, &rsaKey().PublicKey, object{"oth": []any{}}), "private key material (oth) is published; whoever reads the set can sign with this key"},
		{point(object{"crv": "secp256k1"}), `curve "secp256k1" is not supported`},
		{point(object{"crv": drop{}}), "crv is missing"},
		{point(object{"crv": "Ed25519"}), `curve "Ed25519" is not supported`},
		{object{"kty": "OKP", "crv": "X25519", "x": x}, `curve "X25519" is not supported`},
		{object{"kty": "OKP", "crv": "Ed448", "x": x}, `curve "Ed448" is not supported`},
		{object{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "read the key: go-jose/go-jose: invalid Ed25519 public key, wrong length for x"},
		{object{"kty": "OKP", "crv": "Ed25519", "x": b64(make([]byte, 32))}, "read the key: go-jose/go-jose: invalid Ed25519 public key, low-order point"},
		{point(object{"y": x}), "read the key: go-jose/go-jose: invalid EC key, X/Y are not on declared curve"},
		{point(object{"x": b64(append([]byte{0}, raw...))}), "read the key: go-jose/go-jose: invalid EC public key, wrong length for x"},
		{point(object{"x": drop{}}), "x is missing or not a string"},
		{point(object{"x": ""}), "x is not canonical base64url"},
		{point(object{"x": x + "="}), "x is not canonical base64url"},
		{point(object{"x": x[:20] + "\n" + x[20:]}), "x is not canonical base64url"},
		{point(object{"x": stray}), "x is not canonical base64url"},
		{point(object{"x": x[:40] + "+/" + x[42:]}), "x is not canonical base64url"},
		{point(object{"alg": 256}), "alg is a number, not a string"},
		{point(object{"alg": strings.Repeat("A", 65)}), "alg has 65 bytes, 64 are allowed"},
		{point(object{"use": []string{"sig"}}), "use is an array, not a string"},
		{point(object{"key_ops": "verify"}), "key_ops is not an array of at most 16 strings"},
		{point(object{"key_ops": make([]string, 17)}), "key_ops is not an array of at most 16 strings"},
		{point(object{"key_ops": []any{1}}), "key_ops is not an array of strings of at most 64 bytes"},
		{object{"kty": "RSA", "n": modulus(2048)}, "e is missing or not a string"},
		{object{"kty": "RSA", "n": modulus(2047), "e": "AQAB"}, "the key is too weak: RSA of 2047 bits"},
		{object{"kty": "RSA", "n": modulus(1024), "e": "AQAB"}, "the key is too weak: RSA of 1024 bits"},
		{object{"kty": "RSA", "n": modulus(8193), "e": "AQAB"}, "the key is too weak: RSA of 8193 bits"},
		{object{"kty": "RSA", "n": modulus(2048), "e": "AQ"}, "the key is too weak: RSA exponent 1"},
		{object{"kty": "RSA", "n": modulus(2048), "e": "AA"}, "the key is too weak: RSA exponent 0"},
		{object{"kty": "RSA", "n": modulus(2048), "e": "AQAA"}, "the key is too weak: RSA exponent 65536"},
		{object{"kty": "RSA", "n": modulus(2048), "e": b64([]byte{0x80, 0, 0, 1})}, "RSA exponent above 2^31-1, which nothing here can verify with"},
		{object{"kty": "RSA", "n": modulus(2048), "e": b64(make([]byte, 9)) + "AQAB"}, "the key is too weak"},
		{object{"kty": "RSA", "n": modulus(2048), "e": modulus(2048)}, "RSA exponent above 2^31-1, which nothing here can verify with"},
		{object{"kty": "RSA", "n": b64(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes()), "e": "AQAB"}, "the key is too weak: RSA modulus is even"},
	} {
		good := jwkOf(t, &ec256().PublicKey, object{"kid": "good"})
		keys, skipped, err := trust.ParseKeySet(jwks(t, row.key, good))
		if strings.HasPrefix(fmt.Sprint(row.key), "map[e:AAAAAAAAAAAAAQAB") {
			if err != nil || len(keys) != 2 { // zeros in front change no number
				t.Errorf("e with zeros in front: %v, %v, want the key", skipped, err)
			}
			continue
		}
		if err != nil || len(keys) != 1 || keys[0].ID != "good" || len(skipped) != 1 || skipped[0].Index != 0 || !strings.HasPrefix(skipped[0].Why, row.want) {
			t.Errorf("ParseKeySet(%v) = %v, %v, %v, want skipped: %s", row.key, keys, skipped, err, row.want)
		}
	}
}

func TestParseKeySetSameKid(t *testing.T) {
	t.Parallel()
	one, two := mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	first, second := jwkOf(t, &one.PublicKey, object{"kid": "a"}), jwkOf(t, &two.PublicKey, object{"kid": "a"})
	const ambiguous = "different keys of the set carry this kid"
	const leaked = "private key material (d) is published; whoever reads the set can sign with this key"
	for _, row := range []struct {
		name string
		keys []any
		want int
		why  []string
	}{
		{"twice the same", []any{first, first}, 1, nil},
		{"the same for two algorithms", []any{with(first, object{"alg": "ES256"}), with(first, object{"alg": "ES384"})}, 2, nil},
		{"the same for two uses", []any{with(first, object{"use": "sig"}), with(first, object{"use": "enc"})}, 2, nil},
		{"the same under two kids", []any{first, with(first, object{"kid": "b"})}, 2, nil},
		{"two keys", []any{first, second}, 0, []string{ambiguous, ambiguous}},
		{"two keys, one again", []any{first, second, first}, 0, []string{ambiguous, ambiguous, ambiguous}},
		{"two types", []any{first, jwkOf(t, &rsaKey().PublicKey, object{"kid": "a"})}, 0, []string{ambiguous, ambiguous}},
		{"two keys without kid", []any{with(first, object{"kid": drop{}}), with(second, object{"kid": ""})}, 2, nil},
		{"one private", []any{first, with(first, object{"d": "AAAA"})}, 0, []string{"entry 1 publishes the private half of this key", leaked}},
		{"one private under another kid", []any{with(first, object{"kid": "b", "d": "AAAA"}), first, with(second, object{"kid": "c"})}, 1, []string{leaked, "entry 0 publishes the private half of this key"}},
	} {
		keys, skipped, err := trust.ParseKeySet(jwks(t, row.keys...))
		var why []string
		for _, s := range skipped {
			why = append(why, s.Why)
		}
		if diff := cmp.Diff(row.why, why); err != nil || len(keys) != row.want || diff != "" {
			t.Errorf("%s: %d keys, %v, want %d; skipped (-want +got):\n%s", row.name, len(keys), err, row.want, diff)
		}
	}
}

func TestParseKeySetLimits(t *testing.T) {
	t.Parallel()
	list := make([]any, 200)
	for i := range list {
		list[i] = jwkOf(t, &rsaKey().PublicKey, object{"kid": fmt.Sprint(i), "n": modulus(2048), "e": b64(big.NewInt(int64(2*i + 3)).Bytes())})
	}
	keys, skipped, err := trust.ParseKeySet(jwks(t, list...))
	if err != nil || len(keys) != 64 || len(skipped) != 65 {
		t.Fatalf("ParseKeySet(200 keys) = %d keys, %d skipped, %v, want 64 and 65", len(keys), len(skipped), err)
	}
	if want := (trust.SkippedKey{KeyID: "64", Index: 64, Why: "the set has 200 keys, the first 64 are read"}); skipped[0] != want {
		t.Errorf("skipped %v, want %v", skipped[0], want)
	}
	if want := (trust.SkippedKey{Index: 128, Why: "and 72 more beyond the first 64"}); skipped[64] != want {
		t.Errorf("skipped %v, want %v", skipped[64], want)
	}

	for body, want := range map[string]string{
		`{"keys":[]}`:                 "",
		`{"keys":[],"other":{"a":1}}`: "",
		`{"keys":[{"a":` + strings.Repeat("[", 29) + strings.Repeat("]", 29) + `}]}`: "",
		`{"keys":[{"a":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}]}`: "read key set: nested deeper than 32 levels",
		strings.Repeat("[", 200_000):              "read key set: not a JSON object",
		`{"keys":` + strings.Repeat("[", 200_000): "read key set: nested deeper than 32 levels",
		strings.Repeat(" ", 256<<10+1):            "key set has 262145 bytes, 262144 are allowed",
		`{}`:                                      `read key set: no "keys" array`,
		`{"keys":{}}`:                             `read key set: no "keys" array`,
		`{"keys":null}`:                           `read key set: no "keys" array`,
		`{"keys":[{"kty":"RSA","kty":"EC"}]}`:     "read key set: a member occurs twice",
		`{"keys":[],"\u006beys":[]}`:              "read key set: a member occurs twice",
		`{"keys":[]} {}`:                          "read key set: more than one JSON value",
		"\ufeff" + `{"keys":[]}`:                  "read key set: not a JSON object",
		`{"keys":["` + "\xff" + `"]}`:             "read key set: not valid UTF-8",
	} {
		got := ""
		if _, _, err := trust.ParseKeySet([]byte(body)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("ParseKeySet(%.40s) = %q, want %q", body, got, want)
		}
	}
}

func ec256() *ecdsa.PrivateKey {
	return mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

// FuzzKeySet: never a panic, and every key that comes out is of a type that can
// verify, can be written again, and is then read as the same key.
func FuzzKeySet(f *testing.F) {
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, public := range []crypto.PublicKey{&rsaKey().PublicKey, &ec256().PublicKey, edwards} {
		f.Add(jwks(f, jwkOf(f, public, object{"kid": "a", "alg": "RS256", "use": "sig", "key_ops": []string{"verify"}})))
		f.Add(jwks(f, jwkOf(f, public, nil), jwkOf(f, public, object{"kid": "a", "d": "AA"})))
	}
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[1,null,"",[],{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, skipped, err := trust.ParseKeySet(body)
		if err != nil && (keys != nil || skipped != nil) {
			t.Fatalf("keys beside the error %v", err)
		}
		for _, s := range skipped {
			if s.Why == "" || len(s.KeyID) > 256 {
				t.Fatalf("skipped %+v", s)
			}
		}
		for _, k := range keys {
			switch public := k.Public.(type) {
			case *rsa.PublicKey:
				if public.N.BitLen() < 2048 || public.N.BitLen() > 8192 || public.E%2 == 0 {
					t.Fatalf("RSA key of %d bits, exponent %d", public.N.BitLen(), public.E)
				}
			case *ecdsa.PublicKey, ed25519.PublicKey:
			default:
				t.Fatalf("key of type %T", public)
			}
			text, err := jose.JSONWebKey{Key: k.Public, KeyID: k.ID, Algorithm: string(k.Algorithm), Use: k.Use}.MarshalJSON()
			if err != nil {
				t.Fatalf("write %v: %v", k, err)
			}
			again, _, err := trust.ParseKeySet([]byte(`{"keys":[` + string(text) + `]}`))
			if err != nil || len(again) != 1 || again[0].ID != k.ID || again[0].Algorithm != k.Algorithm {
				t.Fatalf("read %s: %v, %v", text, again, err)
			}
			if equal, ok := k.Public.(interface{ Equal(x crypto.PublicKey) bool }); !ok || !equal.Equal(again[0].Public) {
				t.Fatalf("%s is another key", text)
			}
		}
	})
}
