package trust

import (
	"net/netip"
	"time"
)

// SetTicks replaces the ticker of Run.
func (s *Sources) SetTicks(ticks <-chan time.Time) { s.ticks = ticks }

// SetJitter replaces the random number in [0, 1).
func (s *Sources) SetJitter(to float64) { s.jitter = func() float64 { return to } }

// SetLargest replaces the largest number of sources.
func (s *Sources) SetLargest(n int) { s.largest = n }

// SetWaits replaces the time limits of a fetch.
func (s *Sources) SetWaits(header, inFull time.Duration) {
	s.fetcher.headerWait, s.fetcher.inFull = header, inFull
}

// Settle waits until nothing is under way.
func (s *Sources) Settle() { s.landed.Wait() }

// MaxFlights is the largest number of fetches at one moment.
const MaxFlights = maxFlights

// JudgeAddress is what the guard says to an address of host.
func JudgeAddress(allow []string, plain bool, host, port, addr string) error {
	list, err := parseAllowList(allow)
	if err != nil {
		return err
	}
	g := guard{allowed: list, special: specialNetworks(), plain: plain}
	return g.judge(host, port, netip.MustParseAddr(addr))
}
