package session

import (
	"bytes"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
)

// maxCachedJWTs bounds the cache: at some 2.5 KB each it stays near 20 MB.
const maxCachedJWTs = 8192

// jwtCache remembers the JWTs that were given lately. It decides nothing: a
// session is read from the database first, and only a JWT that says exactly what
// was read is given again.
type jwtCache struct {
	mu   sync.Mutex
	jwts map[countersign.SessionID]cachedJWT
}

type cachedJWT struct {
	content []byte // all that it says but its own times
	jwt     countersign.Bearer
	minted  time.Time
}

func (c *jwtCache) get(id countersign.SessionID, content []byte, now time.Time) (countersign.Bearer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.jwts[id]
	age := now.Sub(found.minted)
	if !ok || age < 0 || age >= accessResolution || !bytes.Equal(found.content, content) {
		return "", false
	}
	return found.jwt, true
}

func (c *jwtCache) put(id countersign.SessionID, j cachedJWT) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jwts == nil {
		c.jwts = make(map[countersign.SessionID]cachedJWT)
	}
	if _, there := c.jwts[id]; !there && len(c.jwts) >= maxCachedJWTs {
		for other := range c.jwts { // any will do: it is signed again when it is asked for
			delete(c.jwts, other)
			break
		}
	}
	c.jwts[id] = j
}
