package issuer

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
)

// Config says what New makes. Only URL and Now are required.
type Config struct {
	// URL is the iss of tokens and where Handler is reached, without a slash at
	// the end. SetURL can set it later, before the first use.
	URL string
	Now func() time.Time
	// Algorithms get a key at once; the first is what Mint signs with. RS256 if
	// there are none. Any other gets its key when it is first minted with.
	Algorithms []countersign.Algorithm
	// NewKey makes the nth key pair, from 1, for an algorithm; NewKey of this
	// package if nil. Tests share RSA keys through it, which are slow to make.
	NewKey func(alg countersign.Algorithm, n int) (crypto.Signer, error)
}

// Issuer is an http.Handler that serves its key set at /.well-known/jwks.json
// and its metadata at /.well-known/openid-configuration. All methods may be
// called from many goroutines.
type Issuer struct {
	now     func() time.Time
	primary countersign.Algorithm
	newKey  func(countersign.Algorithm, int) (crypto.Signer, error)

	mu      sync.Mutex
	url     string
	keys    []*key // published, in the order in which they were made
	made    map[countersign.Algorithm]int
	behave  behaviour
	release chan struct{} // closed to let held requests go on
	closed  chan struct{} // closed to end them
	arrived chan struct{} // one token for each request for the key set
}

// key is a key pair that is, or was, published.
type key struct {
	id      string
	alg     countersign.Algorithm
	private crypto.Signer
}

// New makes an issuer and its first keys.
func New(cfg Config) (*Issuer, error) {
	if cfg.Now == nil {
		return nil, errors.New("issuer: Now is required")
	}
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []countersign.Algorithm{countersign.RS256}
	}
	if cfg.NewKey == nil {
		cfg.NewKey = NewKey
	}
	i := &Issuer{
		now:     cfg.Now,
		primary: cfg.Algorithms[0],
		newKey:  cfg.NewKey,
		url:     strings.TrimSuffix(cfg.URL, "/"),
		made:    make(map[countersign.Algorithm]int),
		behave:  behaviour{maxAge: -1},
		release: make(chan struct{}),
		closed:  make(chan struct{}),
		arrived: make(chan struct{}, 1<<16),
	}
	for _, alg := range cfg.Algorithms {
		if _, err := i.makeKey(alg); err != nil {
			return nil, err
		}
	}
	return i, nil
}

// SetURL sets where the issuer is reached, and with it iss.
func (i *Issuer) SetURL(url string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.url = strings.TrimSuffix(url, "/")
}

// URL is the iss of tokens.
func (i *Issuer) URL() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.url
}

// JWKSURL is where the key set is.
func (i *Issuer) JWKSURL() string { return i.URL() + keySetPath }

// KeyIDs are the kids of the published keys, oldest first.
func (i *Issuer) KeyIDs() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	ids := make([]string, 0, len(i.keys))
	for _, k := range i.keys {
		ids = append(ids, k.id)
	}
	return ids
}

// KeyID is the kid that tokens of that algorithm are minted under, "" if none
// was yet; "" asks for the primary algorithm's.
func (i *Issuer) KeyID(alg countersign.Algorithm) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if alg == "" {
		alg = i.primary
	}
	if k := i.newest(alg); k != nil {
		return k.id
	}
	return ""
}

// Rotate publishes a new key of the primary algorithm beside the old ones and
// mints with it from now on. It returns the new kid.
func (i *Issuer) Rotate() (kid string, err error) {
	k, err := i.makeKey(i.primary)
	if err != nil {
		return "", err
	}
	return k.id, nil
}

// RemoveKey stops publishing kid, and reports whether it was published.
func (i *Issuer) RemoveKey(kid string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n, k := range i.keys {
		if k.id == kid {
			i.keys = append(i.keys[:n:n], i.keys[n+1:]...)
			return true
		}
	}
	return false
}

// makeKey publishes the next key of alg.
func (i *Issuer) makeKey(alg countersign.Algorithm) (*key, error) {
	i.mu.Lock()
	i.made[alg]++
	n := i.made[alg]
	i.mu.Unlock()
	private, err := i.newKey(alg, n) // outside the lock: RSA takes its time
	if err != nil {
		return nil, fmt.Errorf("make a key for %s: %w", alg, err)
	}
	k := &key{id: fmt.Sprintf("%s-%d", strings.ToLower(string(alg)), n), alg: alg, private: private}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, k)
	return k, nil
}

// newest is the published key of alg that was made last, or nil. mu is held.
func (i *Issuer) newest(alg countersign.Algorithm) *key {
	for n := len(i.keys) - 1; n >= 0; n-- {
		if i.keys[n].alg == alg {
			return i.keys[n]
		}
	}
	return nil
}

// keyFor is the key that tokens of alg are minted with, made if there is none.
func (i *Issuer) keyFor(alg countersign.Algorithm) (*key, error) {
	i.mu.Lock()
	k := i.newest(alg)
	i.mu.Unlock()
	if k != nil {
		return k, nil
	}
	return i.makeKey(alg)
}

// tokenID is a fresh jti.
func tokenID() string { return rand.Text() }
