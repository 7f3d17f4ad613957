//go:build !linux

package api

import "time"

// pause blocks for d, to the precision of the runtime.
func pause(d time.Duration) { time.Sleep(d) }
