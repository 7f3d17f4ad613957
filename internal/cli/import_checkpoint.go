package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/countersign-auth/countersign/internal/userfile"
)

const checkpointVersion = 1

// checkpoint says how far the import of a file came: everything before Position
// is answered for by the server, counted in Tally and told in Report.
type checkpoint struct {
	Version    int               `json:"version"`
	ProjectID  string            `json:"project_id"`
	Size       int64             `json:"size"`
	SHA256     string            `json:"sha256_64k"` // of the file's first 64 KiB
	Format     userfile.Format   `json:"format"`
	Position   userfile.Position `json:"position"`
	Tally      tally             `json:"counts"`
	Report     string            `json:"report"`
	ReportSize int64             `json:"report_size"` // bytes
}

// loadCheckpoint is what an interrupted import left, nil if none did.
func (s *source) loadCheckpoint() (*checkpoint, error) {
	if s.checkpoint == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(s.checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &checkpoint{Tally: newTally()}
	if err := json.Unmarshal(raw, c); err != nil || c.Version != checkpointVersion {
		return nil, failed(s.checkpoint+" is not what an import of this version left", "add --restart to begin again")
	}
	return c, nil
}

// fits refuses a checkpoint of another file, environment or report.
func (c *checkpoint) fits(s *source, projectID, report string) error {
	const hint = "add --restart to begin again; who is there already is passed over"
	switch {
	case c.ProjectID != projectID:
		return failed(fmt.Sprintf("%s is of an import into %s, not %s", s.checkpoint, printable(c.ProjectID), projectID), hint)
	case c.Size != s.size || c.SHA256 != s.sha256 || c.Format != s.format:
		return failed(s.name+" is not the file any more that "+s.checkpoint+" is of", hint)
	case c.Report != report:
		return usage("the interrupted import reports to "+printable(c.Report), "give --report "+printable(c.Report)+", or "+hint)
	}
	return nil
}

// saveCheckpoint replaces the checkpoint: whoever reads it finds the old one or
// the new one, even after a power cut.
func (s *source) saveCheckpoint(c checkpoint) error {
	if s.checkpoint == "" {
		return nil
	}
	c.Version, c.Size, c.SHA256, c.Format = checkpointVersion, s.size, s.sha256, s.format
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.checkpoint), filepath.Base(s.checkpoint)+".*")
	if err != nil {
		return advise(err, "the import notes beside the file how far it came; copy the file to where you may write, or pipe it (-)")
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.checkpoint)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (s *source) removeCheckpoint() error {
	if s.checkpoint == "" {
		return nil
	}
	return os.Remove(s.checkpoint)
}
