package servertest

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that stands still until it is moved. Its zero value shows
// 1970; NewClock begins today.
type Clock struct{ micros atomic.Int64 }

// NewClock is a clock that shows the present, in whole seconds.
func NewClock() *Clock {
	c := &Clock{}
	c.micros.Store(time.Now().Truncate(time.Second).UnixMicro())
	return c
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.micros.Load()).UTC() }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }
