package devtls_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/devtls"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// clock is a time that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func open(t *testing.T, folder string, c *clock) (*devtls.Authority, bool) {
	t.Helper()
	a, made, err := devtls.Open(folder, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return a, made
}

// trusting is what somebody who trusts the authority's file believes.
func trusting(t *testing.T, a *devtls.Authority) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(a.File())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s has no certificate", a.File())
	}
	if strings.Contains(string(text), "PRIVATE") {
		t.Error("the file to be trusted has the private key")
	}
	return pool
}

func leaf(t *testing.T, a *devtls.Authority) *x509.Certificate {
	t.Helper()
	cert, err := a.Config().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func TestNames(t *testing.T) {
	t.Parallel()
	c := &clock{start}
	a, _ := open(t, t.TempDir(), c)
	roots := trusting(t, a)
	for name, good := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "127.0.0.2": false, "example.com": false} {
		_, err := leaf(t, a).Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: c.now()})
		if (err == nil) != good {
			t.Errorf("certificate for %s: %v", name, err)
		}
	}
}

// TestAuthorityVouchesForNobodyElse signs with the authority's own key what the
// server never would.
func TestAuthorityVouchesForNobodyElse(t *testing.T) {
	t.Parallel()
	folder, c := t.TempDir(), &clock{start}
	a, _ := open(t, folder, c)
	text, err := os.ReadFile(filepath.Join(folder, "dev-ca.key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := tls.X509KeyPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]bool{"app.localhost": true, "127.9.9.9": true, "example.com": false, "localhost.example.com": false, "10.0.0.1": false} {
		template := &x509.Certificate{NotBefore: start, NotAfter: start.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = []net.IP{ip}
		} else {
			template.DNSNames = []string{name}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, stolen.Leaf, key.Public(), stolen.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		forged, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		_, err = forged.Verify(x509.VerifyOptions{Roots: trusting(t, a), DNSName: name, CurrentTime: start})
		if (err == nil) != good {
			t.Errorf("the authority for %s: %v", name, err)
		}
	}
}

func TestKeptAndRenewed(t *testing.T) {
	t.Parallel()
	folder, c := filepath.Join(t.TempDir(), "new", "folder"), &clock{start}
	a, made := open(t, folder, c)
	if !made {
		t.Error("the first authority is not said to be new")
	}
	first := trusting(t, a)
	for name, mode := range map[string]os.FileMode{"dev-ca.key.pem": 0o600, "dev-ca.pem": 0o644} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	// Without its public half, which comes back.
	if err := os.Remove(a.File()); err != nil {
		t.Fatal(err)
	}
	if a, made = open(t, folder, c); made || !trusting(t, a).Equal(first) {
		t.Error("the authority was not kept")
	}
	before := leaf(t, a)
	if leaf(t, a) != before {
		t.Error("the certificate is not kept")
	}
	c.Time = before.NotAfter.Add(-time.Hour)
	if _, err := leaf(t, a).Verify(x509.VerifyOptions{Roots: first, DNSName: "localhost", CurrentTime: before.NotAfter.Add(time.Hour)}); err != nil {
		t.Errorf("a server that runs for long: %v", err)
	}
	c.Time = start.Add(3 * 365 * 24 * time.Hour)
	if a, made = open(t, folder, c); !made || trusting(t, a).Equal(first) {
		t.Error("an authority that has ended was kept")
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	folder, c := t.TempDir(), &clock{start}
	a, _ := open(t, folder, c)
	private := filepath.Join(folder, "dev-ca.key.pem")
	whole, err := os.ReadFile(private)
	if err != nil {
		t.Fatal(err)
	}
	_, key := pem.Decode(whole)
	leafOnly := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf(t, a).Raw})
	for name, text := range map[string][]byte{"empty": nil, "half": whole[:len(whole)/2], "key of another": append(leafOnly, key...)} {
		if err := os.WriteFile(private, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := devtls.Open(folder, c.now); err == nil || !strings.Contains(err.Error(), "delete it, and a new authority is made") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
