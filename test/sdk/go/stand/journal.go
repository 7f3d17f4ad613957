package stand

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// journal is the server's log as it is read.
type journal struct {
	listens chan string   // the URL, once
	done    chan struct{} // closed when the log ends

	mu   sync.Mutex
	last []string // some lines, for whoever must explain
	bad  []string // lines that no suite may cause
}

func follow(log io.Reader, secret string) *journal {
	j := &journal{listens: make(chan string, 1), done: make(chan struct{})}
	go func() {
		defer close(j.done)
		lines := bufio.NewScanner(log)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			j.note(lines.Text(), secret)
		}
	}()
	return j
}

func (j *journal) note(text, secret string) {
	var line struct {
		Level string `json:"level"`
		Msg   string `json:"msg"`
		Addr  string `json:"addr"`
		HTTP  struct {
			ErrorType string `json:"error_type"`
		} `json:"http"`
	}
	malformed := json.Unmarshal([]byte(text), &line) != nil
	if line.Msg == "listening" {
		j.listens <- "http://" + line.Addr
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last = append(j.last, text); len(j.last) > 20 {
		j.last = j.last[1:]
	}
	issuerDown := line.HTTP.ErrorType == "keys_unavailable" // which the suites bring about
	if malformed || line.Level == "ERROR" && !issuerDown || strings.Contains(text, secret) {
		j.bad = append(j.bad, text)
	}
}

func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.last, "\n")
}

func (j *journal) verdict() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.bad) == 0 {
		return nil
	}
	return fmt.Errorf("the server's log has what it must not have:\n%s", strings.Join(j.bad, "\n"))
}
