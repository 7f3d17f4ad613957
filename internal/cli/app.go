package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// app is what every Run method gets: the streams, the clock and the settings.
type app struct {
	settings
	stdout  io.Writer
	stderr  io.Writer
	now     func() time.Time
	askable bool // a person is at standard input
}

func newApp(ctx context.Context, p Process) *app {
	return &app{
		settings: settings{lookup: p.LookupEnv, stdin: &interruptible{ctx: ctx, r: p.Stdin}},
		stdout:   p.Stdout,
		stderr:   p.Stderr,
		now:      p.Now,
		askable:  isTerminal(p.Stdin),
	}
}

// isTerminal reports whether a person is at the other end of stream.
func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// colour reports whether stream may be coloured (https://no-color.org).
func (a *app) colour(stream io.Writer) bool {
	return isTerminal(stream) && a.value("NO_COLOR") == "" && a.value("TERM") != "dumb"
}

// remark tells the person something that is not the answer.
func (a *app) remark(format string, args ...any) {
	// Nothing can be done about a standard error that does not take it.
	_, _ = fmt.Fprintf(a.stderr, format+"\n", args...)
}

// errDeclined is a command that the person took back.
var errDeclined = errors.New("not confirmed; nothing was changed")

// confirm asks on a terminal before something is lost; without one, only yes
// (--yes) goes on, so that no script deletes by accident.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !a.askable {
		return usage(question+" Nobody can be asked: standard input is not a terminal", "add --yes to go on without asking")
	}
	if _, err := fmt.Fprintf(a.stderr, "%s [y/N] ", question); err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 64)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	default:
		return errDeclined
	}
}

// confirmFlag is what every destructive command has.
type confirmFlag struct {
	Yes bool `short:"y" help:"Do it without asking; required where nobody can be asked."`
}

// jsonFlag is what every command has that answers something.
type jsonFlag struct {
	JSON bool `help:"Print the answer as JSON."`
}
