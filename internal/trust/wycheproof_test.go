package trust_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// vectors reads a file of Project Wycheproof.
func vectors[Group any](t *testing.T, name string) []Group {
	t.Helper()
	body, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		TestGroups []Group `json:"testGroups"`
	}
	if err := json.Unmarshal(body, &file); err != nil {
		t.Fatal(err)
	}
	return file.TestGroups
}

// token is a string, or the text of an object in JSON serialisation.
type token string

func (v *token) UnmarshalJSON(text []byte) error {
	*v = token(text)
	if text[0] != '"' {
		return nil
	}
	return json.Unmarshal(text, (*string)(v))
}

type jwsGroup struct {
	Comment string          `json:"comment"`
	Public  json.RawMessage `json:"public"`
	Private json.RawMessage `json:"private"`
	Tests   []struct {
		ID      int    `json:"tcId"`
		Comment string `json:"comment"`
		JWS     token  `json:"jws"`
		JWE     token  `json:"jwe"`
		Result  string `json:"result"`
	} `json:"tests"`
}

// keys is the key set that an issuer would publish: of a symmetric key, which has
// no public half, the key itself.
func (g jwsGroup) keys(t *testing.T) []trust.Key {
	t.Helper()
	body := g.Public
	if body == nil {
		body = g.Private
	}
	if !strings.Contains(string(body), `"keys"`) {
		body = json.RawMessage(`{"keys":[` + string(body) + `]}`)
	}
	keys, _, err := trust.ParseKeySet(body)
	if err != nil {
		t.Fatalf("%s: %v", g.Comment, err)
	}
	return keys
}

// Vectors that are valid and that we refuse all the same, beside the symmetric
// ones and the JWE: the key says that it is for another algorithm than the
// header's (PS256 for PS384), or for none that exists (ES521 for ES512). RFC 7520
// has no such key; the vectors' authors changed the figures.
var strictly = map[string]map[int]bool{
	"json_web_signature_test.json": {346: true, 347: true, 350: true, 351: true},
}

// Every JWS and JWK vector, through the very steps of Verify but for those that
// read the payload as claims.
func TestWycheproofJWS(t *testing.T) {
	t.Parallel()
	type count struct{ Valid, Symmetric, Encrypted, Stricter, Invalid int }
	want := map[string]count{
		"json_web_signature_test.json": {Valid: 32, Symmetric: 10, Stricter: 4, Invalid: 355},
		"json_web_key_test.json":       {Valid: 1, Symmetric: 4, Invalid: 21},
		"json_web_crypto_test.json":    {Valid: 2, Symmetric: 2, Encrypted: 2, Invalid: 77},
	}
	for name, wantCount := range want {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got count
			for _, group := range vectors[jwsGroup](t, name) {
				v := verifier(t, &fakeSet{keys: group.keys(t)})
				for _, test := range group.Tests {
					err := v.VerifyJWS(t.Context(), jwkProfile(), string(test.JWS+test.JWE))
					what := group.Comment + "/" + test.Comment
					switch {
					case test.Result == "invalid":
						got.Invalid++
						if err == nil {
							t.Errorf("%d %s: believed", test.ID, what)
						}
					case test.JWE != "":
						got.Encrypted++
						wantReason(t, what, err, trust.Malformed)
					case strings.Contains(string(group.Private), `"oct"`):
						got.Symmetric++
						reason := trust.AlgorithmNotAllowed
						if strings.HasPrefix(test.Comment, "InvalidCharacter") {
							reason = trust.Malformed // "valid" to a decoder that skips what it does not know
						}
						wantReason(t, what, err, reason)
					case strictly[name][test.ID]:
						got.Stricter++
						wantReason(t, what, err, trust.KeyUnusable)
					default:
						got.Valid++
						wantReason(t, what, err, "")
					}
				}
			}
			if diff := cmp.Diff(wantCount, got); diff != "" {
				t.Errorf("vectors (-want +got)\n%s", diff)
			}
		})
	}
}

type signatureGroup struct {
	PublicKeyDER string `json:"publicKeyDer"`
	Tests        []struct {
		ID      int      `json:"tcId"`
		Comment string   `json:"comment"`
		Message string   `json:"msg"`
		Sig     string   `json:"sig"`
		Result  string   `json:"result"`
		Flags   []string `json:"flags"`
	} `json:"tests"`
}

// The vectors of the signatures beneath, in the encodings that JWS uses.
func TestWycheproofSignatures(t *testing.T) {
	t.Parallel()
	for name, alg := range map[string]countersign.Algorithm{
		"rsa_signature_2048_sha256_test.json":    countersign.RS256,
		"rsa_signature_3072_sha384_test.json":    "RS384",
		"rsa_signature_4096_sha512_test.json":    countersign.RS512,
		"rsa_signature_8192_sha256_test.json":    countersign.RS256,
		"rsa_pss_2048_sha256_mgf1_32_test.json":  countersign.PS256,
		"rsa_pss_2048_sha384_mgf1_48_test.json":  countersign.PS384,
		"rsa_pss_4096_sha512_mgf1_64_test.json":  countersign.PS512,
		"ecdsa_secp256r1_sha256_p1363_test.json": countersign.ES256,
		"ecdsa_secp384r1_sha384_p1363_test.json": countersign.ES384,
		"ecdsa_secp521r1_sha512_p1363_test.json": countersign.ES512,
		"ed25519_test.json":                      countersign.EdDSA,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := 0
			for _, group := range vectors[signatureGroup](t, name) {
				public, err := x509.ParsePKIXPublicKey(unhex(t, group.PublicKeyDER))
				if err != nil {
					t.Fatal(err)
				}
				for _, test := range group.Tests {
					count++
					got := trust.VerifySignature(alg, public, unhex(t, test.Message), unhex(t, test.Sig))
					// "acceptable" are signatures that a lenient verifier may take.
					if got != (test.Result == "valid") {
						t.Errorf("%d %s %v: verified %v, the file says %s", test.ID, test.Comment, test.Flags, got, test.Result)
					}
				}
			}
			if count < 50 {
				t.Errorf("%d vectors, want more", count)
			}
		})
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The ROCA key is refused for what it is, not for its odd length.
func TestROCA(t *testing.T) {
	t.Parallel()
	for _, group := range vectors[jwsGroup](t, "json_web_key_test.json") {
		if group.Comment != "jws_rsa_roca_key" {
			continue
		}
		_, skipped, err := trust.ParseKeySet(group.Public)
		if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0].Why, "ROCA") {
			t.Errorf("ParseKeySet = %v, %v, want the key skipped as ROCA", skipped, err)
		}
		return
	}
	t.Error("no ROCA key among the vectors")
}
