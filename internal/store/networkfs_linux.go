package store

import (
	"fmt"
	"os"
	"syscall"
)

// networkFileSystems are the magic numbers of statfs(2).
var networkFileSystems = map[uint32]string{
	0x6969:     "NFS",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x517b:     "SMB",
	0x5346414f: "AFS",
	0x00c36400: "Ceph",
	0x01021997: "9P",
	0x47504653: "GPFS",
	0x0bd00bd0: "Lustre",
}

// networkFileSystem names the network file system that f is on, or "".
func networkFileSystem(f *os.File) (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &fs); err != nil {
		return "", fmt.Errorf("ask for the file system of the database: %w", err)
	}
	return networkFileSystems[uint32(fs.Type)], nil
}
