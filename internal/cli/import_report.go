package cli

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/countersign-auth/countersign"
)

// report is the file that tells of lines that made no user, one JSON object a
// line.
type report struct {
	path    string
	file    *os.File
	regular bool // not a pipe or a device, which have no size and are not removed
	size    int64
	rows    bytes.Buffer // not written yet
}

// reported is a line of a report: enough to find it, and why.
type reported struct {
	Line         int64  `json:"line"`
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	Email        string `json:"email,omitempty"`
	ExternalID   string `json:"external_id,omitempty"`
}

// mayReplace refuses a report that would be written over the source.
func (r *report) mayReplace(s *source) error {
	same, err := s.is(r.path)
	if err == nil && same {
		err = usage("the report would replace the file of users", "give another --report")
	}
	return err
}

// begin makes the file anew. It holds addresses, so a new one is the owner's only.
func (r *report) begin() error {
	_, err := r.open(os.O_TRUNC)
	return err
}

// resume goes on with the file behind its first size bytes: what stands after
// them is told again.
func (r *report) resume(size int64) error {
	had, err := r.open(0)
	if err != nil || !r.regular {
		return err
	}
	if had < size {
		return failed(r.path+" has lost lines since the import was interrupted", "add --restart to begin again; who is there already is passed over")
	}
	r.size = size
	if err := r.file.Truncate(size); err != nil {
		return err
	}
	_, err = r.file.Seek(size, io.SeekStart)
	return err
}

// open opens the file, makes it if it is missing, and gives its size.
func (r *report) open(flag int) (size int64, err error) {
	if r.file, err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|flag, 0o600); err != nil {
		return 0, err
	}
	info, err := r.file.Stat()
	if err != nil {
		return 0, err
	}
	r.regular = info.Mode().IsRegular()
	return info.Size(), nil
}

// add notes a line.
func (r *report) add(line reported) error {
	text, err := countersign.EncodeJSON(line)
	if err != nil {
		return err
	}
	r.rows.Write(append(text, '\n'))
	return nil
}

// flush writes what was noted to the disk.
func (r *report) flush() error {
	if r.rows.Len() == 0 {
		return nil
	}
	n, err := r.file.Write(r.rows.Bytes())
	r.size += int64(n)
	r.rows.Reset()
	if r.regular {
		err = errors.Join(err, r.file.Sync())
	}
	return err
}

// close closes the file, and removes it if it tells of nothing.
func (r *report) close() error {
	err := r.file.Close()
	if err == nil && r.size == 0 && r.regular {
		err = os.Remove(r.path)
	}
	return err
}
