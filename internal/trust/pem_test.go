package trust_test

import (
	"crypto/dsa" //nolint:staticcheck // one of the keys that must be refused
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

func block(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

func certificate(t *testing.T) string {
	t.Helper()
	template := &x509.Certificate{ // expired long ago, and that does not matter
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, p256().Public(), p256())
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

// pkcs1 is a key that the standard library would not make.
func pkcs1(t *testing.T, n *big.Int, e int64) string {
	t.Helper()
	der, err := asn1.Marshal(struct{ N, E *big.Int }{n, big.NewInt(e)})
	if err != nil {
		t.Fatal(err)
	}
	return block("RSA PUBLIC KEY", der)
}

func TestParsePEM(t *testing.T) {
	t.Parallel()
	spki := pemOf(t, rsaKey().Public())
	weak := mustKey(rsa.GenerateKey(rand.Reader, 1024))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p256())
	if err != nil {
		t.Fatal(err)
	}
	x25519 := mustKey(ecdh.X25519().GenerateKey(rand.Reader))
	p224 := mustKey(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	dsaKey, err := asn1.Marshal(struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters struct{ P, Q, G *big.Int }
		}
		Key asn1.BitString
	}{
		Algorithm: struct {
			OID        asn1.ObjectIdentifier
			Parameters struct{ P, Q, G *big.Int }
		}{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, struct{ P, Q, G *big.Int }{big.NewInt(7), big.NewInt(3), big.NewInt(2)}},
		Key: asn1.BitString{Bytes: []byte{2, 1, 4}, BitLength: 24},
	})
	if err != nil {
		t.Fatal(err)
	}
	if key, err := x509.ParsePKIXPublicKey(dsaKey); err != nil {
		t.Fatal(err)
	} else if _, ok := key.(*dsa.PublicKey); !ok {
		t.Fatalf("made %T, want a DSA key", key)
	}
	anyError := errors.New("any other error")

	for _, test := range []struct {
		name, text string
		want       error
	}{
		{"PUBLIC KEY, RSA", spki, nil},
		{"PUBLIC KEY, EC", pemOf(t, p521().Public()), nil},
		{"PUBLIC KEY, Ed25519", pemOf(t, edKey().Public()), nil},
		{"RSA PUBLIC KEY", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)), nil},
		{"CERTIFICATE", certificate(t), nil},
		{"white space around", "\r\n  " + strings.ReplaceAll(spki, "\n", "\r\n") + " \n", nil},
		{"no line break at the end", strings.TrimSpace(spki), nil},

		{"nothing", "", anyError},
		{"no PEM", "ssh-rsa AAAA", anyError},
		{"envelope with rubbish", "-----BEGIN PUBLIC KEY-----\nfake_key\n-----END PUBLIC KEY-----", anyError},
		{"base64 that is no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", anyError},
		{"cut short", spki[:len(spki)/2], anyError},
		{"text before", "Bag Attributes\n" + spki, anyError},
		{"text after", spki + "x", anyError},
		{"two blocks", spki + spki, anyError},
		{"a block that does not parse before one that does", "-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----\n" + spki, anyError},
		{"headers", "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + strings.SplitAfterN(spki, "\n", 2)[1], anyError},
		{"wrong label", strings.ReplaceAll(spki, "PUBLIC KEY", "RSA PUBLIC KEY"), anyError},
		{"another label", strings.ReplaceAll(spki, "PUBLIC KEY", "EC PARAMETERS"), anyError},
		{"certificate request", block("CERTIFICATE REQUEST", []byte{0}), anyError},
		{"more than 16 KiB", spki + strings.Repeat(" ", 16<<10), anyError},
		{"X25519", pemOf(t, x25519.Public()), anyError},
		{"P-224", pemOf(t, p224.Public()), anyError},
		{"DSA", block("PUBLIC KEY", dsaKey), anyError},

		{"PRIVATE KEY", block("PRIVATE KEY", pkcs8), trust.ErrPrivateKey},
		{"RSA PRIVATE KEY", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())), trust.ErrPrivateKey},
		{"ENCRYPTED PRIVATE KEY", block("ENCRYPTED PRIVATE KEY", pkcs8), trust.ErrPrivateKey},
		{"private after public", spki + block("PRIVATE KEY", pkcs8), trust.ErrPrivateKey},
		{"private that does not parse", "-----BEGIN OPENSSH PRIVATE KEY-----\nxx", trust.ErrPrivateKey},

		{"RSA of 1024 bits", pemOf(t, weak.Public()), trust.ErrWeakKey},
		{"RSA of 2047 bits", pkcs1(t, new(big.Int).Rsh(rsaKey().N, 1).SetBit(new(big.Int).Rsh(rsaKey().N, 1), 0, 1), 65537), trust.ErrWeakKey},
		{"RSA of 8193 bits", pkcs1(t, new(big.Int).SetBit(big.NewInt(1), 8192, 1), 65537), trust.ErrWeakKey},
		{"RSA of 8192 bits", pkcs1(t, new(big.Int).SetBit(big.NewInt(1), 8191, 1), 65537), nil},
		{"RSA exponent 1", pkcs1(t, rsaKey().N, 1), trust.ErrWeakKey},
		{"RSA exponent 2", pkcs1(t, rsaKey().N, 2), trust.ErrWeakKey},
		{"RSA exponent 65536", pkcs1(t, rsaKey().N, 65536), trust.ErrWeakKey},
		{"RSA exponent 3", pkcs1(t, rsaKey().N, 3), nil},
		{"RSA exponent 2³¹ − 1", pkcs1(t, rsaKey().N, 1<<31-1), nil},
		{"RSA exponent 2³¹ + 1", pemOf(t, &rsa.PublicKey{N: rsaKey().N, E: 1<<31 + 1}), trust.ErrWeakKey},
		{"RSA exponent 2³¹ + 1 in PKCS #1, where crypto/x509 has the same bound", pkcs1(t, rsaKey().N, 1<<31+1), anyError},
		{"RSA modulus even", pkcs1(t, new(big.Int).SetBit(rsaKey().N, 0, 0), 65537), trust.ErrWeakKey},
	} {
		key, err := trust.ParsePEM(test.text)
		named := errors.Is(err, trust.ErrWeakKey) || errors.Is(err, trust.ErrPrivateKey)
		if errors.Is(test.want, anyError) && (err == nil || named) || !errors.Is(test.want, anyError) && !errors.Is(err, test.want) {
			t.Errorf("%s: ParsePEM = %v, want %v", test.name, err, test.want)
		}
		if (key.Public != nil) != (err == nil) || err == nil && (key.ID != "" || key.Use != "" || key.Operations != nil) {
			t.Errorf("%s: ParsePEM = %+v with error %v", test.name, key, err)
		}
		if err != nil && len(test.text) > 50 && strings.Contains(err.Error(), test.text[30:50]) {
			t.Errorf("%s: ParsePEM's error shows the text: %v", test.name, err)
		}
	}
}

func TestVerifyPEM(t *testing.T) {
	t.Parallel()
	profile := func(texts ...string) *countersign.Profile {
		p := pemProfile(t)
		for _, text := range texts {
			p.PEMFiles = append(p.PEMFiles, countersign.PEMFile{PublicKey: text})
		}
		return p
	}
	rubbish := "-----BEGIN PUBLIC KEY-----\nfake_key\n-----END PUBLIC KEY-----"
	good, other := pemOf(t, rsaKey().Public()), pemOf(t, otherRSA().Public())
	for _, test := range []struct {
		name    string
		profile *countersign.Profile
		want    trust.Reason
	}{
		{"one key", profile(good), ""},
		{"the last of several", profile(rubbish, other, pemOf(t, p256().Public()), good), ""},
		{"another key", profile(other), trust.SignatureInvalid},
		{"no key", profile(), trust.KeyNotFound},
		{"none that parses", profile(rubbish), trust.KeyUnusable},
		{"none of the type", profile(pemOf(t, p256().Public())), trust.KeyNotFound},
	} {
		v := verifier(t, nil)
		for range 2 { // from the text, then from the cache
			got, err := v.Verify(t.Context(), test.profile, mint(t, object{"kid": "k"}, nil))
			wantReason(t, test.name+": Verify", err, test.want)
			if got.KeyID != "" {
				t.Errorf("%s: key %q, want none: PEM keys have no name", test.name, got.KeyID)
			}
		}
	}
}

func TestPEMCacheIsBounded(t *testing.T) {
	t.Parallel()
	v := verifier(t, nil)
	token := mint(t, nil, nil)
	for i := range trust.MaxCachedPEM + 50 {
		p := pemProfile(t)
		p.PEMFiles = []countersign.PEMFile{{PublicKey: fmt.Sprintf("-----BEGIN %d-----", i)}}
		_, err := v.Verify(t.Context(), p, token)
		wantReason(t, "Verify", err, trust.KeyUnusable)
	}
	if got := v.CachedPEM(); got != trust.MaxCachedPEM {
		t.Errorf("%d texts remembered, want %d", got, trust.MaxCachedPEM)
	}
	_, err := v.Verify(t.Context(), pemProfile(t, rsaKey().Public()), token)
	wantReason(t, "Verify", err, "")
}

func TestVerifyConcurrently(t *testing.T) {
	t.Parallel()
	v, p, token := verifier(t, nil), pemProfile(t, otherRSA().Public(), rsaKey().Public()), mint(t, nil, nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				_, err := v.Verify(t.Context(), p, token)
				wantReason(t, "Verify", err, "")
			}
		})
	}
	group.Wait()
}
