package cli

import (
	"errors"
	"io/fs"
	"os"
)

// newFile is a file that must not exist yet.
type newFile struct {
	path string
	mode fs.FileMode
	text []byte
}

// writeKeyPair writes both files of pair or, if anything goes wrong, neither.
// The public file comes first: should the process die between the two, no
// private key lies about that nobody asked for.
func writeKeyPair(pair keyPair, private, public []byte) error {
	files := []newFile{
		{pair.PublicKeyFile, 0o644, public},
		{pair.PrivateKeyFile, 0o600, private},
	}
	for i, f := range files {
		if err := f.write(); err != nil {
			for _, written := range files[:i] {
				err = errors.Join(err, os.Remove(written.path))
			}
			return err
		}
	}
	return nil
}

// write makes the file. It never touches one that exists (O_EXCL, which also
// refuses a symbolic link), and leaves none behind that it could not finish.
func (f newFile) write() error {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if errors.Is(err, fs.ErrExist) {
		return failed(f.path+" exists and is never overwritten", "choose another name with --out, or move that file away")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return failed("there is no folder for "+f.path, "make the folder first, or choose another with --out")
	}
	if err != nil {
		return err
	}
	_, err = file.Write(f.text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(f.path))
	}
	return nil
}
