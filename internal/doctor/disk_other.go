//go:build !linux

package doctor

// freeSpace cannot be told outside Linux.
func freeSpace(string) (free int64, known bool) { return 0, false }
