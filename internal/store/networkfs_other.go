//go:build !linux

package store

import "os"

// networkFileSystem cannot tell outside Linux.
func networkFileSystem(*os.File) (string, error) { return "", nil }
