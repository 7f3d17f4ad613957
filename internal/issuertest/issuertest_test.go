package issuertest_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// fetch is the published key set.
func fetch(t *testing.T, i *issuertest.Issuer) jose.JSONWebKeySet {
	t.Helper()
	var set jose.JSONWebKeySet
	getJSON(t, i.JWKSURL(), &set)
	return set
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, response.StatusCode, err)
	}
}

// verify is the claims of a token, checked by go-jose with the published key.
func verify(t *testing.T, i *issuertest.Issuer, token string, alg countersign.Algorithm) (map[string]any, error) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	set := fetch(t, i)
	payload, err := jws.Verify(&set)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims, nil
}

func TestMintEveryAlgorithm(t *testing.T) {
	t.Parallel()
	i := issuertest.New(t, issuertest.Clock(clock))
	for _, alg := range countersign.Algorithms() {
		claims, err := verify(t, i, i.MintWith(alg, map[string]any{"jti": "t1", "sub": "u1", "iat": nil}), alg)
		if err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		want := map[string]any{"iss": i.URL(), "exp": float64(noon.Unix() + 300), "jti": "t1", "sub": "u1"}
		if diff := cmp.Diff(want, claims); diff != "" {
			t.Errorf("%s: claims (-want +got):\n%s", alg, diff)
		}
		if _, err := verify(t, i, i.MintWith(alg, nil, issuertest.WrongKey()), alg); err == nil {
			t.Errorf("%s: a token signed with the wrong key is verified", alg)
		}
		block, _ := pem.Decode([]byte(i.PEM(alg, issuertest.PublicKey)))
		if block == nil || block.Type != issuertest.PublicKey {
			t.Errorf("%s: no PEM block", alg)
			continue
		}
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		block, _ = pem.Decode([]byte(i.PEM(alg, issuertest.Certificate)))
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestMintOptions(t *testing.T) {
	t.Parallel()
	i := issuertest.New(t, issuertest.Clock(clock), issuertest.Algorithms(countersign.EdDSA))
	for _, row := range []struct {
		token string
		want  map[string]any
	}{
		{i.Mint(nil), map[string]any{"alg": "EdDSA", "kid": "eddsa-1", "typ": "JWT"}},
		{i.Mint(nil, issuertest.Kid("x")), map[string]any{"alg": "EdDSA", "kid": "x", "typ": "JWT"}},
		{i.Mint(nil, issuertest.NoKid(), issuertest.Header("typ", nil)), map[string]any{"alg": "EdDSA"}},
		{i.MintRaw(countersign.EdDSA, `{"alg":"none"}`, "text"), map[string]any{"alg": "none"}},
	} {
		header, _, _ := strings.Cut(row.token, ".")
		text, err := base64.RawURLEncoding.DecodeString(header)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
	}
	claims, err := verify(t, i, i.Mint(nil, issuertest.Expired()), countersign.EdDSA)
	if err != nil || claims["exp"] != float64(noon.Unix()-3600) {
		t.Errorf("expired token: claims %v, %v", claims, err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	i := issuertest.New(t)
	first := i.KeyID("")
	second := i.Rotate()
	if diff := cmp.Diff([]string{first, second}, i.KeyIDs()); diff != "" || i.KeyID(countersign.RS256) != second {
		t.Errorf("kids (-want +got):\n%s", diff)
	}
	old := i.Mint(nil, issuertest.Kid(first))
	if _, err := verify(t, i, old, countersign.RS256); err == nil {
		t.Error("a token of the second key is verified with the first")
	}
	if !i.RemoveKey(first) || i.RemoveKey(first) || len(fetch(t, i).Keys) != 1 {
		t.Error("RemoveKey did not remove the key once")
	}
	var metadata map[string]any
	getJSON(t, i.URL()+"/.well-known/openid-configuration", &metadata)
	if metadata["issuer"] != i.URL() || metadata["jwks_uri"] != i.JWKSURL() {
		t.Errorf("metadata %v", metadata)
	}
}
