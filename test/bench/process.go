package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// build makes a release build of the server.
func build(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "github.com/countersign-auth/countersign/cmd/countersign")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// process is a server of ours or the floor, on a loopback port.
type process struct {
	cmd   *exec.Cmd
	url   string
	ready time.Duration // from its start to an answer of /readyz
}

// startProcess runs a command that listens on addr, until it is ready.
func startProcess(ctx context.Context, addr string, env []string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), url: "http://" + addr}
	p.cmd.Env = append(os.Environ(), env...)
	var stderr tail
	p.cmd.Stderr = &stderr
	if env != nil { // the server logs a line a request, and nobody must pay for reading it
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		defer func() { _ = null.Close() }()
		p.cmd.Stderr = null
	}
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(begin) < 20*time.Second && ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/readyz", nil)
		if err != nil {
			return nil, err
		}
		if response, err := http.DefaultTransport.RoundTrip(r); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				p.ready = time.Since(begin)
				return p, nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("%s did not get ready\n%s", name, stderr.b.Bytes()), p.stop())
}

type tail struct{ b bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if t.b.Len() > 1<<16 {
		t.b.Reset()
	}
	return t.b.Write(p)
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = p.cmd.Wait()
	return nil
}

// freeAddr is a loopback address on which nobody listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// tick is the unit of /proc/PID/stat (sysconf(_SC_CLK_TCK), 100 on Linux).
const tick = 10 * time.Millisecond

// stat is the fields of /proc/PID/stat behind the name.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest), nil
}

// cpuTime is user and system time of a process and of the children it has
// waited for (proc(5): utime, stime, cutime, cstime).
func cpuTime(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, i := range []int{11, 12, 13, 14} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}

// family is a process and its children: PostgreSQL is one process a connection.
func family(parent int) ([]int, error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	list := []int{parent}
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			return nil, err
		}
		fields, err := stat(pid)
		if err == nil && fields[1] == strconv.Itoa(parent) {
			list = append(list, pid)
		}
	}
	return list, nil
}

// cpu is what processes, and the families of others, have used.
func cpu(alone []int, families []int) (time.Duration, error) {
	pids := alone
	for _, parent := range families {
		list, err := family(parent)
		if err != nil {
			return 0, err
		}
		pids = append(pids, list...)
	}
	var total time.Duration
	for i, pid := range pids {
		t, err := cpuTime(pid)
		if err != nil {
			if i >= len(alone) { // a connection that ended is in its parent's account now
				continue
			}
			return 0, err
		}
		total += t
	}
	return total, nil
}

// memory is the resident memory of a process, in MB.
func memory(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 64)
			return n / 1000
		}
	}
	return 0
}
