package condition

// NewSmallCache is a cache of at most limit bytes.
func NewSmallCache(limit int) *Cache { return &Cache{limit: limit} }

// Size is what c holds, in bytes and in entries.
func (c *Cache) Size() (size, count int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.size, len(c.entries)
}
