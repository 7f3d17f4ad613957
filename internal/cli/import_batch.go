package cli

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/userfile"
)

// Bounds of a batch. The server takes 500 users and 1 MiB.
const (
	batchLines = 500
	batchBytes = 900 << 10
)

// batch is what is sent at once, and what came of it.
type batch struct {
	lines   []userfile.Line
	users   []json.RawMessage // of the lines that were not refused, in their order
	size    int               // of users, in bytes
	results []importResult    // of users
	err     error
	done    chan struct{} // closed when results or err are there
}

// importResult is what the server says to one user.
type importResult struct {
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
}

// end is behind the last line.
func (b *batch) end() userfile.Position { return b.lines[len(b.lines)-1].End }

// batcher cuts the users of a file into batches.
type batcher struct {
	users *userfile.Reader
	held  *heldLine // read, but the last batch was full
}

type heldLine struct {
	line userfile.Line
	text json.RawMessage // nil if the line was refused
}

// next is the next batch, with one line at least, or io.EOF.
func (c *batcher) next() (*batch, error) {
	b := &batch{done: make(chan struct{})}
	for len(b.lines) < batchLines {
		held, err := c.read()
		if errors.Is(err, io.EOF) && len(b.lines) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		size := len(held.text) + len(",")
		if b.size+size > batchBytes {
			c.held = held
			break
		}
		b.lines = append(b.lines, held.line)
		if held.text != nil {
			b.users = append(b.users, held.text)
			b.size += size
		}
	}
	return b, nil
}

func (c *batcher) read() (*heldLine, error) {
	if held := c.held; held != nil {
		c.held = nil
		return held, nil
	}
	line, err := c.users.Next()
	if err != nil || line.Refused != nil {
		return &heldLine{line: line}, err
	}
	text, err := countersign.EncodeJSON(line.User)
	return &heldLine{line, text}, err
}

// outcomes calls yield with each line and why it made no user: the zero result if
// it made one.
func (b *batch) outcomes(yield func(line *userfile.Line, result importResult) error) error {
	next := 0
	for i := range b.lines {
		line := &b.lines[i]
		var result importResult
		if line.Refused != nil {
			result = importResult{line.Refused.Type, line.Refused.Message}
		} else {
			result = b.results[next]
			next++
		}
		if err := yield(line, result); err != nil {
			return err
		}
	}
	return nil
}

// check judges the users of a batch as the server would that knows no roles and
// no other user.
func (b *batch) check() {
	b.results = make([]importResult, 0, len(b.users))
	for _, line := range b.lines {
		if line.Refused != nil {
			continue
		}
		u := line.User
		err := directory.NewPerson{
			Email: u.Email, Phone: u.PhoneNumber, Name: u.Name, ExternalID: u.ExternalID,
			TrustedMetadata: u.TrustedMetadata, UntrustedMetadata: u.UntrustedMetadata,
		}.CheckUser()
		var result importResult
		if refused, ok := errors.AsType[*countersign.Error](err); ok {
			result = importResult{refused.Type, refused.Explained()}
		}
		b.results = append(b.results, result)
	}
}
