package project

import (
	"sync"
	"time"

	"github.com/countersign-auth/countersign"
)

// What a flood of bad tokens is, and for how long one reading of its credential
// answers for it. A token that is not refused is judged again, after the
// credential was read (docs/adr/0019).
const (
	floodRefusals = 32 // within a second
	recently      = 50 * time.Millisecond
	maxFloods     = 1024
)

// floods are the credentials that bring bad tokens, each with what was read of it
// last. The zero value is empty.
type floods struct {
	mu sync.Mutex
	of map[credential]*flood
}

type credential struct {
	env  countersign.EnvironmentID
	hash string
}

type flood struct {
	second  int64 // since 1970, in which refused were counted
	refused int
	readAt  time.Time // before it was read
	opens   countersign.Environment
	secret  countersign.SecretID
}

// RecentSecret is what CheckSecret answered a moment ago for a credential that is
// bringing bad tokens without end; false for any other. It is good for refusing
// such a token and for nothing else.
func (s *Service) RecentSecret(env countersign.EnvironmentID, secret countersign.Bearer) (countersign.Environment, countersign.SecretID, bool) {
	now := s.Now()
	s.floods.mu.Lock()
	defer s.floods.mu.Unlock()
	f := s.floods.of[credential{env, string(Hash(secret))}]
	if f == nil || f.second != now.Unix() || f.refused < floodRefusals {
		return countersign.Environment{}, countersign.SecretID{}, false
	}
	age := now.Sub(f.readAt)
	return f.opens, f.secret, age >= 0 && age < recently
}

// TokenRefused counts a token that came with a credential and was refused.
func (s *Service) TokenRefused(env countersign.EnvironmentID, secret countersign.Bearer) {
	key, now := credential{env, string(Hash(secret))}, s.Now().Unix()
	s.floods.mu.Lock()
	defer s.floods.mu.Unlock()
	f := s.floods.of[key]
	if f == nil {
		f = s.floods.add(key, now)
	}
	if f.second != now {
		f.second, f.refused = now, 0
	}
	f.refused++
}

// add makes room for a credential; mu is held.
func (l *floods) add(key credential, now int64) *flood {
	if l.of == nil {
		l.of = make(map[credential]*flood)
	}
	if len(l.of) >= maxFloods {
		for other, f := range l.of {
			if f.second != now {
				delete(l.of, other)
			}
		}
	}
	f := &flood{}
	if len(l.of) < maxFloods { // else nobody finds it, and everything is read
		l.of[key] = f
	}
	return f
}

// read notes what was read of a credential, if it is one that brings bad tokens.
func (l *floods) read(key credential, at time.Time, e countersign.Environment, secret countersign.SecretID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.of[key]; f != nil && at.After(f.readAt) {
		f.readAt, f.opens, f.secret = at, e, secret
	}
}
