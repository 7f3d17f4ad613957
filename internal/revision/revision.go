// Package revision keeps what was read or derived from an environment's
// configuration for as long as the environment's revision says that it stands.
// The revision is read by every request, so nothing here is ever out of date.
package revision

import "sync"

// maxKept bounds how many values are kept.
const maxKept = 1024

// Kept keeps values by a revision that each is at least as new as. The zero value
// is empty; it is safe for concurrent use. A value is shared by all who ask for it.
type Kept[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]entry[V]
}

type entry[V any] struct {
	revision int64
	value    V
}

// Of is a value at least as new as a revision; false if none is kept.
func (k *Kept[K, V]) Of(key K, revision int64) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.entries[key]
	if !ok || found.revision < revision {
		var none V
		return none, false
	}
	return found.value, true
}

// Keep keeps a value at least as new as a revision, unless a newer one is kept.
func (k *Kept[K, V]) Keep(key K, revision int64, value V) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old, there := k.entries[key]
	if there && old.revision > revision {
		return
	}
	if k.entries == nil {
		k.entries = make(map[K]entry[V])
	}
	if !there && len(k.entries) >= maxKept {
		for other := range k.entries { // any will do: it is read again when it is asked for
			delete(k.entries, other)
			break
		}
	}
	k.entries[key] = entry[V]{revision, value}
}
