package condition

import "sync"

// maxCached bounds a Cache, in expressions.
const maxCached = 2048

// Cache compiles each expression once, so that a request pays for nothing but
// the evaluation. The text is the key, hence nothing in it is ever out of date.
// The zero value is ready; it is safe for concurrent use.
type Cache struct {
	mu      sync.RWMutex
	entries map[cacheKey]cacheEntry
}

type cacheKey struct {
	text  string
	value bool // compiled by CompileValue
}

type cacheEntry struct {
	program *Program
	err     error
}

// Holds reports whether an expression is true; the errors of Compile and
// Program.Holds.
func (c *Cache) Holds(text string, header, claims map[string]any) (bool, error) {
	p, err := c.compile(cacheKey{text: text})
	if err != nil {
		return false, err
	}
	return p.Holds(header, claims)
}

// Value is what an expression comes to; the errors of CompileValue and
// Program.Value.
func (c *Cache) Value(text string, header, claims map[string]any) (any, error) {
	p, err := c.compile(cacheKey{text: text, value: true})
	if err != nil {
		return nil, err
	}
	return p.Value(header, claims)
}

func (c *Cache) compile(key cacheKey) (*Program, error) {
	c.mu.RLock()
	entry, ok := c.entries[key]
	c.mu.RUnlock()
	if ok {
		return entry.program, entry.err
	}
	if key.value {
		entry.program, entry.err = CompileValue(key.text)
	} else {
		entry.program, entry.err = Compile(key.text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[cacheKey]cacheEntry)
	}
	for victim := range c.entries {
		if len(c.entries) < maxCached {
			break
		}
		delete(c.entries, victim) // any will do: the order of maps is random
	}
	c.entries[key] = entry
	return entry.program, entry.err
}
