package limit

import (
	"math"
	"sync"
	"time"
)

// Rate is how often something may happen: so many times a second on average, and
// so many at once. The zero Rate sets no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Off reports whether the rate sets no limit.
func (r Rate) Off() bool { return r.PerSecond <= 0 }

// Key names whose bucket it is. 0 is nobody's.
type Key uint64

// ways is how many keys share one place of a table. A key that finds all of them
// taken drives out the one with the fullest bucket, of which least is forgotten.
const ways = 8

// shards is how many locks a table has.
const shards = 64

// Table holds a token bucket for each key, in memory that never grows: a caller
// who can make up keys can only make others' full buckets be forgotten, which is
// what a full bucket is for. Its methods may be called from many goroutines.
type Table struct {
	interval int64 // nanoseconds between two tokens
	depth    int64 // nanoseconds that an empty bucket takes to fill
	mask     uint64
	shards   [shards]shard
	sets     [][ways]bucket
}

type shard struct {
	mu sync.Mutex
	_  [56]byte // a cache line of its own
}

// bucket is a key's, as the moment at which it is full again (the generic cell
// rate algorithm, ITU-T I.371): one number for level and time.
type bucket struct {
	key  Key
	full int64 // nanoseconds since the epoch
}

// NewTable is a table for about as many keys as capacity says, of 16 bytes each;
// nil, which allows everything, if the rate is off.
func NewTable(r Rate, capacity int) *Table {
	if r.Off() {
		return nil
	}
	sets := uint64(shards)
	for sets*ways < uint64(capacity) {
		sets *= 2
	}
	interval := max(1, int64(float64(time.Second)/r.PerSecond))
	return &Table{interval: interval, depth: interval * int64(max(1, r.Burst)), mask: sets - 1, sets: make([][ways]bucket, sets)}
}

// Take takes a token of a key's bucket. If there is none it takes nothing, and
// says after how long there will be one.
func (t *Table) Take(key Key, now time.Time) (wait time.Duration, ok bool) {
	if t == nil {
		return 0, true
	}
	at := now.UnixNano()
	set := mix(key) & t.mask
	lock := &t.shards[set%shards].mu
	lock.Lock()
	defer lock.Unlock()
	b := find(&t.sets[set], key)
	full := max(b.full, at)
	if full > at+t.depth { // the clock went back
		full = at + t.depth
	}
	b.full = full
	if over := full + t.interval - at - t.depth; over > 0 {
		return time.Duration(over), false
	}
	b.full += t.interval
	return 0, true
}

// find is the key's bucket, or a full one in the place of the fullest.
func find(set *[ways]bucket, key Key) *bucket {
	fullest, least := 0, int64(math.MaxInt64)
	for i := range set {
		switch b := &set[i]; {
		case b.key == key:
			return b
		case b.key == 0:
			if least > math.MinInt64 {
				fullest, least = i, math.MinInt64
			}
		case b.full < least:
			fullest, least = i, b.full
		}
	}
	set[fullest] = bucket{key: key}
	return &set[fullest]
}

// mix spreads keys whose bits are not (the finalizer of SplitMix64).
func mix(key Key) uint64 {
	x := uint64(key)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
