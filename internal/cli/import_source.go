package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-auth/countersign/internal/userfile"
)

// source is where an import reads users from.
type source struct {
	name   string
	format userfile.Format
	r      io.Reader
	file   *os.File // nil for standard input
	// checkpoint is the path where it stands how far the import came, "" if the
	// source cannot be read twice.
	checkpoint string
	size       int64  // in bytes, 0 if nobody knows
	sha256     string // of its first 64 KiB; "" without a checkpoint
}

const fingerprinted = 64 << 10

// open opens the file.
func (c *userImport) open(a *app) (*source, error) {
	s := &source{name: c.File, format: c.format()}
	if s.format == "" {
		return nil, usage("nobody can tell the format of "+c.File, "add --format csv or --format jsonl")
	}
	if c.File == "-" {
		var err error
		s.name = "standard input"
		s.r, err = a.takeStdin()
		return s, err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	s.file, s.r = f, f
	if err := s.identify(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// identify finds out what the file will be known by. One that is no regular file,
// like a pipe, cannot be read twice.
func (s *source) identify() error {
	info, err := s.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	hash := sha256.New()
	if _, err := io.CopyN(hash, s.file, fingerprinted); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.size, s.sha256 = info.Size(), hex.EncodeToString(hash.Sum(nil))
	s.checkpoint = s.name + ".countersign-import"
	return nil
}

func (c *userImport) format() userfile.Format {
	if c.Format != "" {
		return userfile.Format(c.Format)
	}
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".csv":
		return userfile.CSV
	case ".jsonl", ".ndjson":
		return userfile.JSONLines
	default:
		return ""
	}
}

// is reports whether path leads to the same file.
func (s *source) is(path string) (bool, error) {
	if s.file == nil {
		return false, nil
	}
	other, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own, err := s.file.Stat()
	return err == nil && os.SameFile(own, other), err
}

func (s *source) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
