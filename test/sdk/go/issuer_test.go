package sdk_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	audience   = "countersign-suite"
	keySetPath = "/.well-known/jwks.json"
	keyID      = "suite-key"
)

// issuer is somebody else's identity provider, on loopback.
type issuer struct {
	URL    string
	t      *testing.T
	method jwt.SigningMethod
	key    crypto.Signer
	server *httptest.Server
}

// claims of a subject token; nil takes one away.
type claims map[string]any

// newIssuer runs an issuer until the test ends.
func newIssuer(t *testing.T, method jwt.SigningMethod) *issuer {
	t.Helper()
	i := &issuer{t: t, method: method, key: newKey(t, method)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+keySetPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{jwk(i.key.Public())}})
	})
	i.server = httptest.NewServer(mux)
	t.Cleanup(i.server.Close)
	i.URL = i.server.URL
	return i
}

// person is somebody whom the issuer knows, and nobody else yet.
func person() claims {
	subject := strings.ToLower(rand.Text())
	return claims{"sub": subject, "email": subject + "@example.com"}
}

// token signs a subject token for five minutes. Of its claims the later win.
func (i *issuer) token(all ...claims) string { return i.signed(i.key, all...) }

// signed is token with another key.
func (i *issuer) signed(key crypto.Signer, all ...claims) string {
	i.t.Helper()
	now := time.Now()
	set := jwt.MapClaims{"iss": i.URL, "aud": audience, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	for _, c := range all {
		maps.Copy(set, c)
	}
	maps.DeleteFunc(set, func(_ string, v any) bool { return v == nil })
	token := jwt.NewWithClaims(i.method, set)
	token.Header["kid"] = keyID
	text, err := token.SignedString(key)
	if err != nil {
		i.t.Fatalf("sign a subject token: %v", err)
	}
	return text
}

// pem is the issuer's public key as text.
func (i *issuer) pem() string {
	i.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	if err != nil {
		i.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// sharedRSA is every issuer's RSA key: to make one takes a tenth of a second.
var sharedRSA = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newKey(t *testing.T, method jwt.SigningMethod) (key crypto.Signer) {
	t.Helper()
	var err error
	switch method.Alg() {
	case "RS256":
		key, err = sharedRSA()
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("the issuer makes no keys for %s", method.Alg())
	}
	if err != nil {
		t.Fatalf("make a key for %s: %v", method.Alg(), err)
	}
	return key
}

func jwk(public crypto.PublicKey) map[string]string {
	text := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		e := binary.BigEndian.AppendUint32(nil, uint32(k.E))
		return map[string]string{"kty": "RSA", "kid": keyID, "use": "sig", "alg": "RS256", "n": text(k.N.Bytes()), "e": text(e[1:])}
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y (SEC 1 §2.3.3)
		if err != nil {
			return nil
		}
		return map[string]string{
			"kty": "EC", "kid": keyID, "use": "sig", "alg": "ES256", "crv": "P-256", "x": text(point[1:33]), "y": text(point[33:]),
		}
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "kid": keyID, "use": "sig", "alg": "EdDSA", "crv": "Ed25519", "x": text(k)}
	default:
		return nil
	}
}
