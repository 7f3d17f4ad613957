package trust

import (
	"context"
	"fmt"
	"sync"

	"github.com/countersign-auth/countersign"
)

// pemSet is the KeySet of a PEM profile. Its keys have no kid, so it asks
// nothing of the one in the header (profiles.md §4); they are named after the
// files that they stand in.
type pemSet struct {
	cache *pemCache
	files []countersign.PEMFile
}

// Keys returns all keys that parse. If none does, that is KeyUnusable with the
// first one's reason; if there are no files at all, KeyNotFound.
func (s pemSet) Keys(context.Context, string) ([]Key, error) {
	keys := make([]Key, 0, len(s.files))
	var unusable error
	for _, file := range s.files {
		key, err := s.cache.parse(file.PublicKey)
		if err != nil && unusable == nil {
			unusable = fmt.Errorf("%s: %w", file.ID, err)
		}
		if err == nil {
			key.ID = file.ID.String()
			keys = append(keys, key)
		}
	}
	switch {
	case len(keys) > 0:
		return keys, nil
	case unusable != nil:
		return nil, Refuse(KeyUnusable, "a usable public key in the profile", unusable.Error())
	default:
		return nil, Refuse(KeyNotFound, "a public key in the profile", "a profile without public keys")
	}
}

// maxCachedPEM bounds the cache; at some 500 bytes of text each that is 1 MiB.
const maxCachedPEM = 1024

// pemCache remembers what texts parse to, errors included, so that a token is
// checked at the cost of its signature: parsing takes as long as verifying. The
// text itself is the key, hence an entry is never out of date.
type pemCache struct {
	mu      sync.RWMutex
	entries map[string]pemEntry
}

type pemEntry struct {
	key Key
	err error
}

func (c *pemCache) parse(text string) (Key, error) {
	c.mu.RLock()
	entry, ok := c.entries[text]
	c.mu.RUnlock()
	if ok {
		return entry.key, entry.err
	}
	entry.key, entry.err = ParsePEM(text)
	if len(text) > maxPEMSize {
		return entry.key, entry.err // refused by its length; not worth the memory
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[string]pemEntry)
	}
	for victim := range c.entries {
		if len(c.entries) < maxCachedPEM {
			break
		}
		delete(c.entries, victim) // any will do: the order of maps is random
	}
	c.entries[text] = entry
	return entry.key, entry.err
}
