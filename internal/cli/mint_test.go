package cli_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/cli"
)

func publicKey(t *testing.T, path string) crypto.PublicKey {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		t.Fatalf("%s holds %q, want a PUBLIC KEY in PEM", path, text)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pemOf is a key in one of the forms that other tools write.
func pemOf(t *testing.T, typ string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

func TestMintKeyForms(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sec1DER, err := x509.MarshalECPrivateKey(ec)
	sec1 := pemOf(t, "EC PRIVATE KEY", sec1DER, err)
	p224DER, err := x509.MarshalECPrivateKey(p224)
	small := pemOf(t, "EC PRIVATE KEY", p224DER, err)
	publicDER, err := x509.MarshalPKIXPublicKey(ec.Public())
	public := pemOf(t, "PUBLIC KEY", publicDER, err)
	pkcs1 := pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil)

	for _, tt := range []struct{ name, key, want string }{
		{"PKCS #1", pkcs1, ""},
		{"SEC 1", sec1, ""},
		{"SEC 1 behind its parameters", pemOf(t, "EC PARAMETERS", []byte{6, 0}, nil) + sec1, ""},
		{"base64 of PEM", base64.StdEncoding.EncodeToString([]byte(sec1)), ""},
		{"P-224", small, "the curve P-224 signs no JWT"},
		{"a public key", public, "the key is a public one"},
		{"a certificate", pemOf(t, "CERTIFICATE", []byte{1}, nil), "the key is a public one"},
		{"an encrypted key", pemOf(t, "ENCRYPTED PRIVATE KEY", []byte{1}, nil), "openssl pkey"},
		{"an OpenSSH key", pemOf(t, "OPENSSH PRIVATE KEY", []byte{1}, nil), "ssh-keygen -p"},
		{"rubbish in PEM", pemOf(t, "PRIVATE KEY", []byte{1}, nil), "the private key cannot be read"},
		{"no PEM", "planted", "not a private key in PEM form"},
	} {
		got := run(t, command{args: []string{"token", "mint", "--issuer", "i", "--audience", "a", "--key", "-"}, stdin: strings.NewReader(tt.key)})
		if tt.want == "" {
			if got.code != 0 || strings.Count(got.stdout, ".") != 2 || strings.Count(got.stdout, "\n") != 1 {
				t.Errorf("%s: exit code %d, stdout %q, stderr %q; want one token", tt.name, got.code, got.stdout, got.stderr)
			}
			continue
		}
		if got.code != cli.ExitFailed || got.stdout != "" || !strings.Contains(got.stderr, tt.want) || strings.Contains(got.stderr, "planted") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d, none, %q", tt.name, got.code, got.stdout, got.stderr, cli.ExitFailed, tt.want)
		}
	}
}

func TestMintClaims(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(ec)
	key := pemOf(t, "PRIVATE KEY", raw, err)
	claims := file(t, "claims.json", `{"iss":"file","aud":["x","y"],"exp":1767607201,"deep":{"n":1.10},"jti":"file"}`)
	twice := file(t, "twice.json", `{"iss":"a","iss":"b","aud":"c"}`)
	parties := []string{"--issuer", "i", "--audience", "a", "--token-id", "t"}

	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		want string // the claims, or what is on stderr if it is no object
	}{
		{"the file alone", []string{"--claims-file", claims}, nil, `{"aud":["x","y"],"deep":{"n":1.10},"exp":1767607201,"iat":1767607200,"iss":"file","jti":"file"}`},
		{"flags over the file", []string{"--claims-file", claims, "--issuer", "flag", "--claim", "deep=2"}, nil, `{"aud":["x","y"],"deep":2,"exp":1767607201,"iat":1767607200,"iss":"flag","jti":"file"}`},
		{"the environment last", []string{"--claims-file", claims}, map[string]string{"COUNTERSIGN_ISSUER": "env"}, `{"aud":["x","y"],"deep":{"n":1.10},"exp":1767607201,"iat":1767607200,"iss":"file","jti":"file"}`},
		{"parties from the environment", []string{"--token-id", "t"}, map[string]string{"COUNTERSIGN_ISSUER": "i", "COUNTERSIGN_AUDIENCE": "a"}, `{"aud":"a","exp":1767607500,"iat":1767607200,"iss":"i","jti":"t"}`},
		{"several audiences", append([]string{"--audience", "b,c"}, parties...), nil, `{"aud":["b,c","a"],"exp":1767607500,"iat":1767607200,"iss":"i","jti":"t"}`},
		{"JSON or string", append([]string{"--claim", "s=pro", "--claim", `l=["a,b"]`, "--claim", `q="5"`, "--claim", "n=05", "--claim", "e="}, parties...), nil, `{"aud":"a","e":"","exp":1767607500,"iat":1767607200,"iss":"i","jti":"t","l":["a,b"],"n":"05","q":"5","s":"pro"}`},
		{"an expiry on purpose", append([]string{"--claim", "exp=1"}, parties...), nil, `{"aud":"a","exp":1,"iat":1767607200,"iss":"i","jti":"t"}`},
		{"a lifetime", append([]string{"--expires-in", "90s"}, parties...), nil, `{"aud":"a","exp":1767607290,"iat":1767607200,"iss":"i","jti":"t"}`},
		{"person", append([]string{"--email", "ada@example.com", "--subject", "<u&1>"}, parties...), nil, `{"aud":"a","email":"ada@example.com","exp":1767607500,"iat":1767607200,"iss":"i","jti":"t","sub":"<u&1>"}`},

		{"no issuer", []string{"--audience", "a"}, nil, "give --issuer"},
		{"no audience", []string{"--issuer", "i"}, nil, "give --audience"},
		{"a claim twice", append([]string{"--claim", "iss=x"}, parties...), nil, "leave out --claim iss=…"},
		{"a claim flag twice", append([]string{"--claim", "x=1", "--claim", "x=2"}, parties...), nil, "the claim x is given twice"},
		{"no value", append([]string{"--claim", "x"}, parties...), nil, "has no NAME=VALUE"},
		{"no name", append([]string{"--claim", "=x"}, parties...), nil, "has no NAME=VALUE"},
		{"a member twice in the file", []string{"--claims-file", twice}, nil, "stands twice"},
		{"expired at birth", append([]string{"--expires-in", "0s"}, parties...), nil, "--expires-in may be 1s to 24h"},
		{"for years", append([]string{"--expires-in", "9000h"}, parties...), nil, "makes no sense"},
		{"two expiries", append([]string{"--expires-in", "1m", "--claim", "exp=1"}, parties...), nil, "leave out one of them"},
		{"no address", append([]string{"--email", "Ada <ada@example.com>"}, parties...), nil, "not one plain e-mail address"},
		{"empty token ID", []string{"--issuer", "i", "--audience", "a", "--token-id", ""}, nil, "1 to 256 bytes"},
		{"HMAC", append([]string{"--alg", "HS256"}, parties...), nil, "could also forge it"},
		{"none", append([]string{"--alg", "none"}, parties...), nil, "could also forge it"},
		{"another key's algorithm", append([]string{"--alg", "RS256"}, parties...), nil, "this key signs ES256"},
		{"a logout token", append([]string{"--typ", "logout+jwt"}, parties...), nil, "never accepted as a subject token"},
		{"too large", append([]string{"--claim", "x=" + strings.Repeat("x", 16<<10)}, parties...), nil, "the server judges at most 16384"},
	} {
		env := map[string]string{"COUNTERSIGN_PRIVATE_KEY": key}
		for name, value := range tt.env {
			env[name] = value
		}
		got := run(t, command{args: slices.Concat([]string{"token", "mint"}, tt.args), env: env})
		if !strings.HasPrefix(tt.want, "{") {
			if got.code != cli.ExitUsage || got.stdout != "" || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d, none, %q", tt.name, got.code, got.stdout, got.stderr, cli.ExitUsage, tt.want)
			}
			continue
		}
		segments := strings.Split(strings.TrimSpace(got.stdout), ".")
		if got.code != 0 || len(segments) != 3 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want a token", tt.name, got.code, got.stdout, got.stderr)
			continue
		}
		payload, err := base64.RawURLEncoding.DecodeString(segments[1])
		if err != nil || string(payload) != tt.want {
			t.Errorf("%s: claims %s (%v), want %s", tt.name, payload, err, tt.want)
		}
	}
}
