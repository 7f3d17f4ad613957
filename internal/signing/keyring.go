package signing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// How keys live. A next key is published for lead before it signs, so that every
// client and every node knows it by then; an old one stays published for
// retention after its last JWT, so that a client may show an expired JWT and be
// given a fresh one.
const (
	Lead      = time.Hour
	Lifetime  = 180 * 24 * time.Hour
	Retention = 30 * 24 * time.Hour

	// reloadAfter is how old a node's view of an environment's keys may be. It is
	// far below Lead, so no node misses the moment at which a key begins to sign.
	reloadAfter = time.Minute
	// missPause keeps a flood of unknown kids from becoming a flood of queries.
	missPause = time.Second
	// maxRings bounds how many environments' keys are held opened.
	maxRings = 1024
)

// ErrNoKey is an environment without a usable signing key; it does not exist,
// or no longer.
var ErrNoKey = errors.New("the environment has no signing key")

// Config is what a Keyring needs. Every field is required.
type Config struct {
	Store  *store.Store
	Keyset *Keyset
	Now    func() time.Time
	Logger *slog.Logger
}

// Keyring holds the signing keys of all environments.
type Keyring struct {
	Config
	mu    sync.Mutex
	rings map[countersign.EnvironmentID]*ring
}

// ring is one environment's keys as they were at a moment.
type ring struct {
	keys     []key // oldest first
	loadedAt time.Time
}

// NewKeyring is a keyring that has opened nothing yet.
func NewKeyring(c Config) *Keyring {
	return &Keyring{Config: c, rings: map[countersign.EnvironmentID]*ring{}}
}

// FirstKey makes the key that an environment begins with; it signs at once.
func (k *Keyring) FirstKey(env countersign.EnvironmentID, alg countersign.Algorithm) (countersign.SigningKey, error) {
	now := k.Now()
	return newKey(k.Keyset, env, alg, 1, now, now)
}

// ring gives an environment's keys, no older than reloadAfter; with a kid, no
// older than missPause unless they hold that kid.
func (k *Keyring) ring(ctx context.Context, env countersign.EnvironmentID, kid string) (*ring, error) {
	now := k.Now()
	k.mu.Lock()
	r := k.rings[env]
	k.mu.Unlock()
	if r != nil {
		age := now.Sub(r.loadedAt)
		if age >= 0 && age < reloadAfter && (kid == "" || age < missPause || r.byID(kid) != nil) {
			return r, nil
		}
	}
	loaded, err := k.load(ctx, env, now, r)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.rings) >= maxRings {
		for other := range k.rings { // any will do: it is loaded again when it is asked for
			delete(k.rings, other)
			break
		}
	}
	k.rings[env] = loaded
	return loaded, nil
}

// load reads the keys, and opens those that the old ring had not opened.
func (k *Keyring) load(ctx context.Context, env countersign.EnvironmentID, now time.Time, old *ring) (*ring, error) {
	var stored []countersign.SigningKey
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		stored, err = tx.SigningKeys(ctx, env)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load signing keys: %w", err)
	}
	if len(stored) == 0 {
		return nil, ErrNoKey
	}
	r := &ring{loadedAt: now}
	for _, s := range stored {
		if known := old.byID(s.ID.String()); known != nil {
			opened := *known
			opened.SigningKey = s
			r.keys = append(r.keys, opened)
			continue
		}
		opened, err := openKey(k.Keyset, s)
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, opened)
	}
	return r, nil
}

func (r *ring) byID(kid string) *key {
	if r == nil {
		return nil
	}
	for i := range r.keys {
		if r.keys[i].jwk.KeyID == kid {
			return &r.keys[i]
		}
	}
	return nil
}

// active is the key that signs at a moment: the newest that has begun.
func (r *ring) active(now time.Time) *key {
	for i := len(r.keys) - 1; i >= 0; i-- {
		if !r.keys[i].ActivatesAt.After(now) {
			return &r.keys[i]
		}
	}
	return &r.keys[0] // the clock went back to before the first key
}

// PublicKeys is the published key set of an environment, oldest first: retired,
// active and next keys. ErrNoKey if there is no such environment.
func (k *Keyring) PublicKeys(ctx context.Context, env countersign.EnvironmentID) ([]JWK, error) {
	r, err := k.ring(ctx, env, "")
	if err != nil {
		return nil, err
	}
	list := make([]JWK, len(r.keys))
	for i := range r.keys {
		list[i] = r.keys[i].jwk
	}
	return list, nil
}

// forget makes the next use load the keys again.
func (k *Keyring) forget(env countersign.EnvironmentID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.rings, env)
}
