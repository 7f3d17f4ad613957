// Package issuertest gives tests an issuer that listens on 127.0.0.1 and does as
// it is told; see package issuer. It refuses to know what is tested with it.
package issuertest

import (
	"crypto"
	"crypto/x509"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
)

// Host is where all issuers listen, for --jwks-allow-private and its like.
const Host = "127.0.0.1"

// Issuer is an issuer.Issuer that is reached over HTTP until the test ends. Its
// methods fail the test where those of issuer.Issuer return an error.
type Issuer struct {
	*issuer.Issuer
	t      testing.TB
	server *httptest.Server
}

type config struct {
	issuer issuer.Config
	tls    bool
}

// Option changes what New makes.
type Option func(*config)

// Clock is what iat and exp are counted from, in place of the time of day.
func Clock(now func() time.Time) Option { return func(c *config) { c.issuer.Now = now } }

// Algorithms are published from the start, and the first is minted with, in
// place of RS256.
func Algorithms(list ...countersign.Algorithm) Option {
	return func(c *config) { c.issuer.Algorithms = list }
}

// TLS serves https; CertPool has the certificate.
func TLS() Option { return func(c *config) { c.tls = true } }

// New starts an issuer. RSA keys are shared by all issuers of the process: the
// first key of one is the first key of another.
func New(t testing.TB, options ...Option) *Issuer {
	t.Helper()
	cfg := config{issuer: issuer.Config{Now: time.Now, NewKey: sharedKey}}
	for _, option := range options {
		option(&cfg)
	}
	core, err := issuer.New(cfg.issuer)
	if err != nil {
		t.Fatalf("start an issuer: %v", err)
	}
	server := httptest.NewUnstartedServer(core)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of every client that leaves
	if cfg.tls {
		server.StartTLS()
	} else {
		server.Start()
	}
	core.SetURL(server.URL)
	t.Cleanup(func() {
		core.Close()
		server.Close()
	})
	return &Issuer{Issuer: core, t: t, server: server}
}

// CertPool has the certificate of an issuer made with TLS.
func (i *Issuer) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	if certificate := i.server.Certificate(); certificate != nil {
		pool.AddCert(certificate)
	}
	return pool
}

// Mint signs a subject token; see issuer.Issuer.Mint.
func (i *Issuer) Mint(claims map[string]any, options ...issuer.Option) string {
	i.t.Helper()
	token, err := i.Issuer.Mint(claims, options...)
	return must(i.t, token, err)
}

// MintWith is Mint with that algorithm.
func (i *Issuer) MintWith(alg countersign.Algorithm, claims map[string]any, options ...issuer.Option) string {
	i.t.Helper()
	return i.Mint(claims, append([]issuer.Option{issuer.Alg(alg)}, options...)...)
}

// MintRaw signs exactly that header and payload with the issuer's key for alg.
func (i *Issuer) MintRaw(alg countersign.Algorithm, header, payload string) string {
	i.t.Helper()
	token, err := i.Issuer.MintRaw(alg, []byte(header), []byte(payload))
	return must(i.t, token, err)
}

// PEM is the public key for alg; form is PublicKey, RSAPublicKey or
// Certificate.
func (i *Issuer) PEM(alg countersign.Algorithm, form string) string {
	i.t.Helper()
	text, err := i.Issuer.PEM(alg, form)
	return must(i.t, text, err)
}

// Rotate publishes a new key, mints with it from now on and returns its kid.
func (i *Issuer) Rotate() string {
	i.t.Helper()
	kid, err := i.Issuer.Rotate()
	return must(i.t, kid, err)
}

// What follows is of package issuer, so that a test needs to import only this
// one.

// Mode is how the key set is served.
type Mode = issuer.Mode

// The modes of Misbehave.
const (
	WellBehaved = issuer.WellBehaved
	Down        = issuer.Down
	SlowHeaders = issuer.SlowHeaders
	SlowBody    = issuer.SlowBody
	Hang        = issuer.Hang
	Redirect    = issuer.Redirect
	HugeBody    = issuer.HugeBody
	NotJSON     = issuer.NotJSON
	WrongShape  = issuer.WrongShape
	GzipBomb    = issuer.GzipBomb
)

// The forms of PEM.
const (
	PublicKey    = issuer.PublicKey
	RSAPublicKey = issuer.RSAPublicKey
	Certificate  = issuer.Certificate
)

// Alg signs with another algorithm than the issuer's first one.
func Alg(alg countersign.Algorithm) issuer.Option { return issuer.Alg(alg) }

// Kid writes that kid into the header, whatever key signs.
func Kid(kid string) issuer.Option { return issuer.Kid(kid) }

// NoKid leaves kid out.
func NoKid() issuer.Option { return issuer.NoKid() }

// Header sets a member of the header; nil removes it.
func Header(name string, value any) issuer.Option { return issuer.Header(name, value) }

// Expired moves iat and exp back so that the token expired an hour ago.
func Expired() issuer.Option { return issuer.Expired() }

// WrongKey signs with an unpublished key under the right kid.
func WrongKey() issuer.Option { return issuer.WrongKey() }

func must(t testing.TB, s string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rsaKeys are the process's RSA keys. Making one takes a tenth of a second and
// more, and tests make hundreds of issuers. Nothing but this package can reach
// it, and a key that is in it never changes.
var rsaKeys keyPool

type keyPool struct {
	mu   sync.Mutex
	keys map[int]crypto.Signer
}

func (p *keyPool) key(alg countersign.Algorithm, n int) (crypto.Signer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k, ok := p.keys[n]; ok {
		return k, nil
	}
	k, err := issuer.NewKey(alg, n)
	if err != nil {
		return nil, err
	}
	if p.keys == nil {
		p.keys = make(map[int]crypto.Signer)
	}
	p.keys[n] = k
	return k, nil
}

// sharedKey is issuer.NewKey, but the nth RSA key is the same for everybody.
func sharedKey(alg countersign.Algorithm, n int) (crypto.Signer, error) {
	if strings.HasPrefix(string(alg), "RS") || strings.HasPrefix(string(alg), "PS") {
		return rsaKeys.key(alg, n)
	}
	return issuer.NewKey(alg, n)
}
