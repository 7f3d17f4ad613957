//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package doctor

import "io/fs"

// permitted leaves the answer to those who open the file.
func permitted(string) (read, write bool) { return true, true }

func ownerOf(fs.FileInfo) int { return -1 }

func ownedBy(fs.FileInfo) string { return "" }
