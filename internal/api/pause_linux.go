package api

import (
	"syscall"
	"time"
)

// pause blocks the thread for d, or less if a signal comes.
func pause(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // EINTR: the caller looks how late it is
}
