//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

import "os"

// lockFile relies on SQLite's own locks where there is no flock: a second
// process is slow and safe rather than refused.
func lockFile(*os.File) error { return nil }
