package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// How often progress is told: a bar is drawn again, a line is written.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 10 * time.Second
	barWidth  = 24
)

// progress tells a person how far an import is: as a bar that stays in its place
// on a terminal, otherwise as a line now and then. Its methods may be called from
// many goroutines.
type progress struct {
	a       *app
	src     *source
	quiet   bool
	bar     bool
	started time.Time
	lines   int64 // that were done before
	offset  int64 // that was reached before

	mu    sync.Mutex
	shown time.Time
	drawn bool // a bar stands at the end of standard error
	last  string
}

func newProgress(a *app, src *source, quiet bool, lines, offset int64) *progress {
	now := a.now()
	return &progress{
		a: a, src: src, quiet: quiet, bar: isTerminal(a.stderr) && a.value("TERM") != "dumb",
		started: now, shown: now, lines: lines, offset: offset,
	}
}

// show tells how far it is, if the time has come.
func (p *progress) show(t *tally, offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.a.now()
	every := lineEvery
	if p.bar {
		every = barEvery
	}
	if p.quiet || now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	line := p.state(t, offset, now.Sub(p.started))
	if !p.bar {
		p.a.remark("%s", line)
		return
	}
	p.draw("\r\x1b[K" + line)
	p.drawn = true
}

// state is one line: how far, how many, how fast, how long still.
func (p *progress) state(t *tally, offset int64, took time.Duration) string {
	var b strings.Builder
	if p.src.size > 0 {
		part := float64(offset) / float64(p.src.size)
		if p.bar {
			full := int(part * barWidth)
			b.WriteString("[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] ")
		}
		fmt.Fprintf(&b, "%d%%  ", int(part*100))
	}
	rate := float64(t.Lines-p.lines) / took.Seconds()
	fmt.Fprintf(&b, "%d lines, %.0f/s", t.Lines, rate)
	if done := offset - p.offset; p.src.size > 0 && done > 0 {
		left := time.Duration(float64(took) * float64(p.src.size-offset) / float64(done))
		b.WriteString(", " + span(left) + " left")
	}
	if t.AlreadyThere > 0 {
		fmt.Fprintf(&b, ", %d already there", t.AlreadyThere)
	}
	if refused := t.refused(); refused > 0 {
		fmt.Fprintf(&b, ", %d refused", refused)
	}
	return b.String()
}

// remark tells of something that keeps the import waiting; what keeps all
// batches waiting is told once.
func (p *progress) remark(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet || message == p.last {
		return
	}
	p.last = message
	p.clear()
	p.a.remark("%s", printable(message))
}

// end takes the bar away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.drawn {
		p.draw("\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) draw(text string) {
	// Nothing can be done about a standard error that does not take it.
	_, _ = fmt.Fprint(p.a.stderr, text)
}
