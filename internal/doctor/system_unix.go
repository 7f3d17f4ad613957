//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package doctor

import (
	"fmt"
	"io/fs"
	"syscall"
)

// permitted reports what this process may do with a path, whatever decides it:
// its mode, its owner, or a file system that is mounted read-only.
func permitted(path string) (read, write bool) {
	const readable, writable = 4, 2 // access(2)
	return syscall.Access(path, readable) == nil, syscall.Access(path, writable) == nil
}

// ownerOf is a file's user, -1 if it has none.
func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

func ownedBy(info fs.FileInfo) string {
	return fmt.Sprintf(" and belongs to user %d", ownerOf(info))
}
