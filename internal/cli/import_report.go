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
	path string
	file *os.File
	size int64
	rows bytes.Buffer // not written yet
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

// begin makes the file anew. It holds addresses, so it is the owner's only.
func (r *report) begin() (err error) {
	r.file, err = os.OpenFile(r.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	return err
}

// resume goes on with the file behind its first size bytes: what stands after
// them is told again.
func (r *report) resume(size int64) (err error) {
	if r.file, err = os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < size {
		return failed(r.path+" has lost lines since the import was interrupted", "add --restart to begin again; who is there already is passed over")
	}
	r.size = size
	if err := r.file.Truncate(size); err != nil {
		return err
	}
	_, err = r.file.Seek(size, io.SeekStart)
	return err
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
	return errors.Join(err, r.file.Sync())
}

// close closes the file, and removes it if it tells of nothing.
func (r *report) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	if err == nil && r.size == 0 {
		err = os.Remove(r.path)
	}
	return err
}
