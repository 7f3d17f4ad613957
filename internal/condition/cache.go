package condition

import (
	"cmp"
	"sync"
)

// maxCached bounds the programs of a Cache, in bytes. Those of a profile are a few
// kilobytes.
const maxCached = 16 << 20

// Cache remembers what texts compile to, errors included, so that a request pays
// for the evaluation only. The text itself is the key, hence an entry is never out
// of date. The zero value is an empty cache; it is safe for concurrent use.
type Cache struct {
	mu      sync.RWMutex
	entries map[cacheKey]cacheEntry
	size    int // of all, in bytes
	limit   int // of size; 0 is maxCached
}

type cacheKey struct {
	text  string
	value bool // compiled by CompileValue
}

type cacheEntry struct {
	program *Program
	err     error
}

// size counts what the map needs beside a program.
func (e cacheEntry) size(key cacheKey) int {
	if e.program == nil {
		return 1<<10 + len(key.text)
	}
	return e.program.size + len(key.text)
}

// Compile is like the function, once for each text.
func (c *Cache) Compile(text string) (*Program, error) {
	return c.compile(cacheKey{text: text}, Compile)
}

// CompileValue is like the function, once for each text.
func (c *Cache) CompileValue(text string) (*Program, error) {
	return c.compile(cacheKey{text: text, value: true}, CompileValue)
}

func (c *Cache) compile(key cacheKey, compile func(text string) (*Program, error)) (*Program, error) {
	c.mu.RLock()
	entry, ok := c.entries[key]
	c.mu.RUnlock()
	if ok {
		return entry.program, entry.err
	}
	entry.program, entry.err = compile(key.text)
	if len(key.text) > MaxSize {
		return entry.program, entry.err // refused by its length; not worth the memory
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		return entry.program, entry.err // another request was as fast
	}
	if c.entries == nil {
		c.entries = make(map[cacheKey]cacheEntry)
	}
	c.size += entry.size(key)
	for victim, old := range c.entries {
		if c.size <= cmp.Or(c.limit, maxCached) {
			break
		}
		c.size -= old.size(victim)
		delete(c.entries, victim) // any will do: the order of maps is random
	}
	c.entries[key] = entry
	return entry.program, entry.err
}
