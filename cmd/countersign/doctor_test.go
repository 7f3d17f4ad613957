//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/store"
)

// TestDoctorWhereNothingMayBeWritten runs the command as a user who may read a
// database and its folder, and write neither. Root may write everywhere, so root
// lets somebody else try.
func TestDoctorWhereNothingMayBeWritten(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "countersign-doctor-*") // not t.TempDir, whose parent is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Chmod(dir, 0o700)
		_ = os.RemoveAll(dir)
	})
	database, command := filepath.Join(dir, "countersign.db"), filepath.Join(dir, "countersign")
	s, err := store.Open(t.Context(), store.Config{Database: database, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, command); err != nil { // by this name it is the command (TestMain)
		duplicate(t, self, command)
	}
	for path, mode := range map[string]os.FileMode{database: 0o444, database + ".lock": 0o444, dir: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), command, "doctor", "--database", database)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, dir
	err = cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("doctor: %v\n%s%s", err, stdout.String(), stderr.String())
	}
	for _, want := range []string{
		"error file: This user may not write to " + database + ", which has mode 0444",
		"error folder: This user may not make files in " + dir,
		"do   If the server runs as another user, run this as that user.",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("doctor does not say %q:\n%s", want, stdout.String())
		}
	}
}

func duplicate(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
