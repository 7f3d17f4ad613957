package userfile

import (
	"bytes"
	"errors"
	"io"
)

const (
	windowSize = 1 << 20
	readSize   = 64 << 10
)

// window is the part of a file that is looked at. It moves forward only.
type window struct {
	src     io.Reader
	buf     []byte
	start   int
	end     int
	drained bool // src has no more
	at      Position
}

func newWindow(src io.Reader, at Position) *window {
	return &window{src: src, buf: make([]byte, windowSize), at: at}
}

// ahead is what comes next: more than MaxLine bytes with the end of a line, or
// all that is left. It is good until the next call.
func (w *window) ahead() ([]byte, error) {
	const enough = MaxLine + len("\r\n")
	if w.end-w.start < enough && !w.drained {
		w.end = copy(w.buf, w.buf[w.start:w.end])
		w.start = 0
	}
	for w.end-w.start < enough && !w.drained {
		n, err := w.src.Read(w.buf[w.end:min(w.end+readSize, len(w.buf))])
		w.end += n
		w.drained = errors.Is(err, io.EOF)
		if err != nil && !w.drained {
			return nil, err
		}
	}
	return w.buf[w.start:w.end], nil
}

// take passes over n bytes of what is ahead.
func (w *window) take(n int) {
	taken := w.buf[w.start : w.start+n]
	w.start += n
	w.at.Offset += int64(n)
	w.at.Line += int64(bytes.Count(taken, []byte{'\n'}))
}

// drop passes over bytes up to the first for which end is true, that one
// included, however many they are. It reports whether there was one.
func (w *window) drop(end func(c byte) bool) (bool, error) {
	for {
		b, err := w.ahead()
		if err != nil || len(b) == 0 {
			return false, err
		}
		for i, c := range b {
			if end(c) {
				w.take(i + 1)
				return true, nil
			}
		}
		w.take(len(b))
	}
}
