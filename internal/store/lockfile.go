package store

import (
	"errors"
	"fmt"
	"os"
)

// errLocked is what lockFile answers when another process holds the lock.
var errLocked = errors.New("locked")

// claimFile makes sure that one process at a time serves a SQLite file, and
// that the file is not on a network file system, whose locks cannot be trusted
// (sqlite.org/howtocorrupt.html §2.1). The claim ends with the process, however
// it ends.
func claimFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock beside the database: %w", err)
	}
	name, err := networkFileSystem(f)
	if err == nil && name != "" {
		err = fmt.Errorf("%s is on a network file system (%s), which cannot keep a SQLite file safe; use a local disk, or PostgreSQL", path, name)
	}
	if err == nil {
		if err = lockFile(f); errors.Is(err, errLocked) {
			err = fmt.Errorf("another process serves %s; one SQLite file has one process, many processes share a PostgreSQL database", path)
		}
	}
	if err == nil {
		err = createPrivate(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// createPrivate makes a database file that its owner alone may read; SQLite
// would go by the umask. The files that it puts beside follow suit.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return f.Close()
}

// Served reports whether a process serves a SQLite file. Whoever asks holds the
// claim for an instant.
func Served(path string) (served bool, err error) {
	f, err := os.Open(path + ".lock")
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := lockFile(f); !errors.Is(err, errLocked) {
		return false, err
	}
	return true, nil
}

// NetworkFileSystem names the network file system that a folder is on, or "".
func NetworkFileSystem(dir string) (name string, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return networkFileSystem(f)
}
