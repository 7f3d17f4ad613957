package session

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
)

// maxSignatures bounds the cache: at some 500 bytes each, with RS256, it stays near
// 4 MB, and the collector keeps as much again.
const maxSignatures = 8192

// signatureCache remembers the signatures of JWTs that were given lately. It decides
// nothing: a session is read from the database first, and only a JWT that says exactly
// what was read is given again.
type signatureCache struct {
	mu   sync.Mutex
	made map[countersign.SessionID]madeSignature
}

type madeSignature struct {
	content   [sha256.Size]byte // of all that the JWT says but its own times
	signature signing.Signature
	at        time.Time
}

func (c *signatureCache) get(id countersign.SessionID, content [sha256.Size]byte, now time.Time) (madeSignature, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.made[id]
	age := now.Sub(found.at)
	return found, ok && age >= 0 && age < accessResolution && found.content == content
}

func (c *signatureCache) put(id countersign.SessionID, m madeSignature) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = make(map[countersign.SessionID]madeSignature)
	}
	if _, there := c.made[id]; !there && len(c.made) >= maxSignatures {
		for other := range c.made { // any will do: it is signed again when it is asked for
			delete(c.made, other)
			break
		}
	}
	c.made[id] = m
}
