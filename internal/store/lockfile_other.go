//go:build !linux

package store

import "os"

// networkFileSystem cannot tell outside Linux.
func networkFileSystem(*os.File) (string, error) { return "", nil }

// lockFile relies on SQLite's own locks outside Linux: a second process is
// slow and safe rather than refused.
func lockFile(*os.File) error { return nil }
