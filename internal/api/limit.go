package api

import (
	"context"
	"encoding/base64"
	"errors"
	"hash/maphash"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/limit"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// LimitsConfig says how much may be asked.
type LimitsConfig struct {
	// PerAddress bounds what comes from one address without a credential that was
	// accepted lately, and all that pages ask with a public token.
	PerAddress limit.Rate
	// PerCredential bounds what comes with one secret, workspace key or public
	// token.
	PerCredential limit.Rate
	// InFlight is how many requests are answered at once; as many may wait.
	InFlight int
	// Refused is told what a request was refused for: "address", "credential" or
	// "capacity". Required.
	Refused func(limit string)
	// Now is the clock. Required.
	Now func() time.Time
}

// How many keys the tables hold (docs/adr/0024), and how long a request waits for
// a place.
const (
	addresses   = 1 << 16
	credentials = 1 << 12
	patience    = time.Second
)

// Limits decides, before anything else is done for a request, whether it is
// answered (docs/adr/0024).
type Limits struct {
	LimitsConfig
	seed         maphash.Seed
	byAddress    *limit.Table
	byCredential *limit.Table
	proven       *limit.Ledger
	gate         *limit.Gate
}

// NewLimits is limits that nobody has come near yet.
func NewLimits(c LimitsConfig) *Limits {
	return &Limits{
		LimitsConfig: c, seed: maphash.MakeSeed(),
		byAddress: limit.NewTable(c.PerAddress, addresses), byCredential: limit.NewTable(c.PerCredential, credentials),
		proven: limit.NewLedger(credentials),
		gate:   limit.NewGate(limit.GateConfig{Places: c.InFlight, Queue: c.InFlight, Patience: patience}),
	}
}

// Load is how many requests are being answered, and how many wait.
func (l *Limits) Load() (inFlight, waiting int) { return l.gate.Load() }

// admission is a request that was let in.
type admission struct {
	limits     *Limits
	pass       limit.Pass
	scheme     Scheme
	credential limit.Key
	owner      limit.Key // of the credential, as it was before the request; 0 if it was not proven
}

// admit lets a request in. Errors: ErrTooManyRequests, ErrUnavailable, and ctx's.
// After nil, leave must be called.
func (l *Limits) admit(ctx context.Context, r *http.Request, scheme Scheme) (a admission, err error) {
	now := l.Now()
	a = admission{limits: l, scheme: scheme, credential: l.credential(r, scheme)}
	a.owner = l.proven.Owner(a.credential, now)
	// What anybody can know proves nothing: a public token is counted, but whoever
	// has it is still a stranger to the limit by address.
	if a.owner == 0 || Frontend(r.URL.Path) {
		if wait, ok := l.byAddress.Take(l.address(ctx), now); !ok {
			l.Refused("address")
			return a, countersign.ErrTooManyRequests.After(wait)
		}
	}
	whose := a.owner
	if whose == 0 {
		whose = l.address(ctx)
	} else if wait, ok := l.byCredential.Take(a.credential, now); !ok {
		l.Refused("credential")
		return a, countersign.ErrTooManyRequests.After(wait)
	}
	a.pass, err = l.gate.Enter(ctx, whose, a.owner == 0)
	if errors.Is(err, limit.ErrBusy) {
		l.Refused("capacity")
		err = countersign.ErrUnavailable.After(patience)
	}
	return a, err
}

// AdmitPage lets a request for a page of the dashboard in, as one of somebody who
// is not known: what its cookie is worth shows later. Errors as admit.
func (l *Limits) AdmitPage(r *http.Request) (leave func(), err error) {
	a, err := l.admit(r.Context(), r, SchemeNone)
	return func() { l.gate.Leave(a.pass) }, err
}

// leave gives the place back, and remembers what became of the credential.
func (a admission) leave(line *telemetry.Request) {
	l := a.limits
	l.gate.Leave(a.pass)
	switch {
	case line.Actor != "":
		l.proven.Accept(a.credential, l.owner(line), l.Now())
	case a.owner != 0 && line.ErrorType == countersign.ErrUnauthorizedCredentials.Type:
		l.proven.Refuse(a.credential)
	}
}

// owner is the environment of a request that was authenticated, or the workspace.
func (l *Limits) owner(line *telemetry.Request) limit.Key {
	return limit.Key(maphash.Comparable(l.seed, line.Environment))
}

// credential names what a request claims to be from, before anybody has looked at
// it: the Authorization header, or on the frontend plane the public token in it. 0
// is a request that claims nothing, or does so where nobody looks.
func (l *Limits) credential(r *http.Request, scheme Scheme) limit.Key {
	header := r.Header.Get("Authorization")
	var h maphash.Hash
	h.SetSeed(l.seed)
	_ = h.WriteByte(byte(scheme)) // what one plane has accepted proves nothing to another
	switch {
	case header == "" || scheme == SchemeNone:
		return 0
	case scheme == SchemePublic:
		var token [96]byte
		n := userName(&token, header)
		_, _ = h.Write(token[:n])
	default:
		_, _ = h.WriteString(header)
	}
	return limit.Key(h.Sum64())
}

// userName reads the user name of Basic credentials, if it is no longer than a
// public token can be; otherwise it is a name that nobody has.
func userName(name *[96]byte, header string) (n int) {
	const scheme = "basic "
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return 0
	}
	var encoded [128]byte
	n = copy(encoded[:], header[len(scheme):])
	n, _ = base64.StdEncoding.Decode(name[:], encoded[:n]) // as far as it can be read
	for i, c := range name[:n] {
		if c == ':' {
			return i
		}
	}
	return 0
}

// address names where a request is from: an IPv4 address, or the /64 of an IPv6
// one, which is what one customer of a provider has at least.
func (l *Limits) address(ctx context.Context) limit.Key {
	text := telemetry.FromContext(ctx).RemoteAddress
	a, err := netip.ParseAddr(text)
	if err != nil {
		return limit.Key(maphash.String(l.seed, text))
	}
	b := a.Unmap().As16()
	if a.Unmap().Is6() {
		clear(b[8:])
	}
	return limit.Key(maphash.Bytes(l.seed, b[:]))
}
