package trust

import (
	"fmt"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
)

// Bounds of the time for which a set is fresh, whatever the issuer's max-age
// says. The lower one keeps an issuer that says "no-cache" from being asked all
// the time, the upper one bounds how long a removed key is believed.
const (
	minFresh     = 5 * time.Minute
	maxFresh     = 24 * time.Hour
	defaultFresh = 15 * time.Minute // if the issuer says nothing
)

// snapshot is a good key set. It never changes, so it is read without a lock.
type snapshot struct {
	body       []byte
	etag       string
	fetchedAt  time.Time // when the request began that the issuer vouched for it in
	freshUntil time.Time
	keys       []Key
	skipped    []SkippedKey
	byID       map[string][]Key
	ids        []string // of keys, in the set's order
}

// newSnapshot parses body. Nothing that an issuer sends may take the server down,
// so a panic in a parser, of which none is known, is an error here.
func newSnapshot(body []byte) (s *snapshot, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("panic while the key set was read: %v", r)
		}
	}()
	keys, skipped, err := ParseKeySet(body)
	if err != nil {
		return nil, err
	}
	s = &snapshot{body: body, keys: slices.Clip(keys), skipped: skipped, byID: make(map[string][]Key, len(keys))}
	for _, key := range keys {
		if key.ID == "" {
			continue
		}
		if s.byID[key.ID] == nil {
			s.ids = append(s.ids, key.ID)
		}
		s.byID[key.ID] = append(s.byID[key.ID], key)
	}
	return s, nil
}

// at is the same set with other times.
func (s *snapshot) at(fetchedAt, freshUntil time.Time) *snapshot {
	c := *s
	c.fetchedAt, c.freshUntil = fetchedAt, freshUntil
	return &c
}

// find is the keys that may carry kid: all of them if kid is "".
func (s *snapshot) find(kid string) []Key {
	if kid == "" {
		return s.keys
	}
	return s.byID[kid]
}

// skippedAs is why kid was skipped, or "". Without a kid it is why there is no
// key at all.
func (s *snapshot) skippedAs(kid string) string {
	for _, key := range s.skipped {
		if key.KeyID == kid || kid == "" {
			return key.Why
		}
	}
	return ""
}

// age is how long ago the issuer vouched for the set. A clock that went back
// makes it zero.
func (s *snapshot) age(now time.Time) time.Duration { return max(0, now.Sub(s.fetchedAt)) }

func (s *snapshot) fresh(now time.Time) bool { return now.Before(s.freshUntil) }

// lifetime is for how long the set was called fresh.
func (s *snapshot) lifetime() time.Duration { return s.freshUntil.Sub(s.fetchedAt) }

// archived is the set as the archive keeps it.
func (s *snapshot) archived(key sourceKey) countersign.KeySetSnapshot {
	return countersign.KeySetSnapshot{
		EnvironmentID: key.env, URL: key.url,
		Body: s.body, ETag: s.etag, FetchedAt: s.fetchedAt, FreshUntil: s.freshUntil,
	}
}
