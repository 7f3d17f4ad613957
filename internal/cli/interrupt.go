package cli

import (
	"context"
	"io"
)

// interruptible is standard input that stops waiting when ctx ends: a person
// who answers a question with Ctrl-C wants out at once, and a blocked read
// cannot be called back in any other way.
type interruptible struct {
	ctx context.Context // a field, because an io.Reader has nowhere else for it
	r   io.Reader
}

// Read reads from r, or gives the context's error. After that error a read may
// still be under way, so the reader must not be used again.
func (i *interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	buf := make([]byte, len(p)) // not p: the caller has it back while the read may go on
	done := make(chan result, 1)
	go func() {
		n, err := i.r.Read(buf)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return copy(p, buf[:got.n]), got.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}
