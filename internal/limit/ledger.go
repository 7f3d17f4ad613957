package limit

import (
	"sync"
	"time"
)

// standing is how long a credential counts as proven after it was last accepted.
const standing = 10 * time.Minute

// Ledger remembers which credentials were accepted lately, and whose they are, in
// memory that never grows. It decides nothing about who may do what: a credential
// that has lost its standing is only treated as a stranger's. Its methods may be
// called from many goroutines.
type Ledger struct {
	mu   sync.RWMutex
	sets [][ways]proof
}

type proof struct {
	credential Key
	owner      Key
	until      int64 // nanoseconds since the epoch
}

// NewLedger is a ledger for about as many credentials as capacity says, of 24
// bytes each.
func NewLedger(capacity int) *Ledger {
	sets := 1
	for sets*ways < capacity {
		sets *= 2
	}
	return &Ledger{sets: make([][ways]proof, sets)}
}

func (l *Ledger) set(credential Key) *[ways]proof {
	return &l.sets[mix(credential)&uint64(len(l.sets)-1)]
}

// Owner is whose a credential is; 0 if it was not accepted lately.
func (l *Ledger) Owner(credential Key, now time.Time) Key {
	p := l.proof(credential)
	if p.until <= now.UnixNano() {
		return 0
	}
	return p.owner
}

// proof is a credential's; the zero one if there is none.
func (l *Ledger) proof(credential Key) proof {
	if credential == 0 {
		return proof{}
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	set := l.set(credential)
	for i := range set {
		if set[i].credential == credential {
			return set[i]
		}
	}
	return proof{}
}

// Accept notes that a credential was accepted, and as whose. It drives out the
// one that was accepted longest ago.
func (l *Ledger) Accept(credential, owner Key, now time.Time) {
	fresh := proof{credential, owner, now.Add(standing).UnixNano()}
	known := l.proof(credential)
	if credential == 0 || owner == 0 || known.owner == owner && fresh.until-known.until < int64(standing/2) {
		return // which is nearly always so, and takes no lock that others wait for
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	set := l.set(credential)
	place := 0
	for i := range set {
		if set[i].credential == credential {
			place = i
			break
		}
		if set[i].until < set[place].until {
			place = i
		}
	}
	set[place] = fresh
}

// Refuse notes that a credential was not accepted.
func (l *Ledger) Refuse(credential Key) {
	if credential == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	set := l.set(credential)
	for i := range set {
		if set[i].credential == credential {
			set[i] = proof{}
		}
	}
}
