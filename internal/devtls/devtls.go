// Package devtls gives a server on the machine of its developer a certificate: of
// an authority made there, which can vouch for that machine and nothing else.
package devtls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	authorityLife = 2 * 365 * 24 * time.Hour
	leafLife      = 30 * 24 * time.Hour
	renewal       = 24 * time.Hour // before the end of either
	backdating    = time.Hour      // for clients whose clock is behind
)

// Authority signs certificates of localhost and of loopback addresses. That it
// signs no others is written into its own certificate: who trusts it need not fear
// for the rest of the Web if its key is lost.
type Authority struct {
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time

	mu   sync.Mutex
	leaf *tls.Certificate
}

// Open opens the authority kept in a folder; made says that it was made for it, and
// nobody can trust it yet. One that has ended is replaced.
func Open(folder string, now func() time.Time) (a *Authority, made bool, err error) {
	a = &Authority{file: filepath.Join(folder, "dev-ca.pem"), now: now}
	private := filepath.Join(folder, "dev-ca.key.pem")
	text, err := os.ReadFile(private)
	if err == nil {
		if err := a.parse(text); err != nil {
			return nil, false, fmt.Errorf("%s: %w; delete it, and a new authority is made", private, err)
		}
		if now().Add(renewal).Before(a.cert.NotAfter) {
			return a, false, a.publish()
		}
		if err := os.Remove(private); err != nil {
			return nil, false, fmt.Errorf("the authority of --dev-tls has ended: %w", err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, false, fmt.Errorf("open the authority of --dev-tls: %w", err)
	}
	if err := a.make(private); err != nil {
		return nil, false, fmt.Errorf("make an authority for --dev-tls: %w", err)
	}
	return a, true, a.publish()
}

// File holds the authority's certificate, for those who are to trust it.
func (a *Authority) File() string { return a.file }

// Config serves with certificates of the authority.
func (a *Authority) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.current()
		},
	}
}

// current is a certificate of this machine that still lasts a while.
func (a *Authority) current() (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.leaf != nil && a.now().Add(renewal).Before(a.leaf.Leaf.NotAfter) {
		return a.leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := template("countersign on this machine", a.now(), leafLife)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
	return a.leaf, nil
}

// make makes the authority and keeps it in a file of its owner's.
func (a *Authority) make(private string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := template("countersign development authority", a.now(), authorityLife)
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = []string{"localhost"}
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	if err := os.MkdirAll(filepath.Dir(private), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(private, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return a.parse(text)
}

// parse reads the certificate and the key of the authority.
func (a *Authority) parse(text []byte) error {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return errors.New("not a certificate with its private key")
	}
	key, isECDSA := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !isECDSA || !pair.Leaf.IsCA {
		return errors.New("not an authority that countersign made")
	}
	a.cert, a.key = pair.Leaf, key
	return nil
}

// publish writes the certificate to where those who are to trust it find it.
func (a *Authority) publish() error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	if old, err := os.ReadFile(a.file); err == nil && bytes.Equal(old, text) {
		return nil
	}
	//nolint:gosec // a certificate is for everybody
	return os.WriteFile(a.file, text, 0o644)
}

func template(name string, now time.Time, life time.Duration) *x509.Certificate {
	return &x509.Certificate{ // CreateCertificate gives it a random serial number
		Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-backdating), NotAfter: now.Add(life),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}
