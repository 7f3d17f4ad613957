package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-auth/countersign/internal/store"
)

// Bounds of what is worth a word, in bytes.
const (
	longWAL  = 256 << 20
	diskLow  = 1 << 30
	diskFull = 64 << 20
)

// files looks at a SQLite file and its folder, and never opens the file: that is
// for SQLite alone (docs/adr/0023). It reports whether there is something to open.
func (x *examination) files() bool {
	path := x.Database
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.fault("file", "There is no file "+path+".", "A server that starts here makes a new, empty database: nobody in it, no project, another workspace key.",
			"If there should be one, correct the --database setting or restore a backup.")
		return false
	case err != nil:
		x.fault("file", err.Error()+".", "A server cannot open it either.", "Run this as the user that the server runs as.")
		return false
	case !info.Mode().IsRegular():
		x.fault("file", path+" is not a file.", "A database is one file.", "Correct the --database setting.")
		return false
	}
	readable := x.access(path, info)
	x.folder(path, info.Size())
	x.server(path)
	return readable
}

// access looks at who may read and write the file.
func (x *examination) access(path string, info fs.FileInfo) (readable bool) {
	read, write := permitted(path)
	fine := read && write
	switch {
	case !read:
		x.fault("file", fmt.Sprintf("This user may not read %s, which has mode %04o%s.", path, info.Mode().Perm(), ownedBy(info)), "A server that runs as this user does not start.",
			"Run this, and the server, as the file's owner; or give the file to the server's user with chown.")
	case !write:
		x.fault("file", fmt.Sprintf("This user may not write to %s, which has mode %04o%s.", path, info.Mode().Perm(), ownedBy(info)), "A server that runs as this user cannot keep anything.",
			"If the server runs as another user, run this as that user. Otherwise chown or chmod the file, or make its file system writable.")
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		if part, err := os.Stat(path + end); err == nil && part.Mode().Perm()&0o077 != 0 {
			fine = false
			x.warn("file", fmt.Sprintf("%s has mode %04o: others than its owner may use it.", path+end, part.Mode().Perm()), "In it are people's addresses and numbers, and all that is known of their sessions.",
				"chmod 600 "+path+end)
		}
	}
	if owner, me := ownerOf(info), os.Geteuid(); owner >= 0 && me > 0 && owner != me {
		fine = false
		x.warn("file", fmt.Sprintf("%s belongs to user %d, and this is user %d.", path, owner, me), "What SQLite makes beside the file would belong to this user, and could be closed to the server's.",
			"Run countersign as the owner of its files.")
	}
	if fine {
		x.ok("file", "%s can be read and written, by its owner alone.", path)
	}
	return read
}

// folder looks at the file's folder and its disk.
func (x *examination) folder(path string, size int64) {
	dir := filepath.Dir(path)
	if _, write := permitted(dir); !write {
		x.fault("folder", "This user may not make files in "+dir+".", "SQLite keeps its newest commits in a file beside the database: without it a server does not start.",
			"If the server runs as another user, run this as that user. Otherwise chown or chmod the folder, or make its file system writable.")
	}
	if name, err := store.NetworkFileSystem(dir); err == nil && name != "" {
		x.fault("folder", dir+" is on a network file system ("+name+").", "Its locks cannot be trusted, and SQLite files get damaged there; a server refuses to start.", "Move the database to a local disk, or to PostgreSQL.")
	}
	switch free, known := freeSpace(dir); {
	case !known:
	case free < diskFull:
		x.fault("disk", fmt.Sprintf("The disk of %s has %d MiB free.", dir, free>>20), "When it is full, nobody can sign in: every request that would write is refused.", "Make room, or move the database to a larger disk.")
	case free < diskLow || free < size:
		x.warn("disk", fmt.Sprintf("The disk of %s has %d MiB free; the database has %d.", dir, free>>20, size>>20), "A backup on this disk, or a migration, needs about as much as the database has.", "Make room, or move the database to a larger disk.")
	default:
		x.ok("disk", "%d MiB are free.", free>>20)
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > longWAL {
		x.warn("disk", fmt.Sprintf("%s-wal has %d MiB.", path, wal.Size()>>20), "Something has been reading the database for long, and holds back what shortens that file: it grows, and reads get slower.", "End what reads beside the server: a backup, a doctor, a sqlite3 that was left open.")
	}
	x.leftovers(dir, filepath.Base(path))
}

// leftovers are files of what did not come to its end.
func (x *examination) leftovers(dir, name string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // somebody who may use a folder need not be allowed to list it
	}
	var left []string
	for _, e := range entries {
		partial := strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".partial")
		if partial || strings.HasPrefix(e.Name(), ".keyset-") {
			left = append(left, e.Name())
		}
	}
	if len(left) > 0 {
		x.warn("folder", "Left over in "+dir+": "+strings.Join(left, ", ")+".", "A backup or a first start was killed. The files take room, and hold what the database, or the keyset, holds.", "If no backup of "+name+" runs, delete them.")
	}
}

// server says whether one runs.
func (x *examination) server(path string) {
	switch served, err := store.Served(path); {
	case err != nil:
		x.warn("server", "Whether a server runs cannot be told: "+err.Error()+".", "Only one process may serve a SQLite file; it says so by a lock on "+path+".lock.", "Run this as the user that the server runs as.")
	case served:
		x.ok("server", "A server runs on this file; everything here was read beside it.")
	default:
		x.ok("server", "No server runs on this file.")
	}
}
