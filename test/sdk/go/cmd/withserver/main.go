// Command withserver runs a command while a server runs, and tells it by
// environment variables where the server is and which workspace key opens it:
//
//	withserver [-engine sqlite|postgres] COMMAND [ARGUMENT …]
//
// It ends as the command does, or with 1 if the server did not fare well.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/countersign-auth/countersign/test/sdk/go/stand"
)

func main() {
	engine := flag.String("engine", stand.SQLite, "sqlite, or postgres on the server that COUNTERSIGN_TEST_POSTGRES names")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := during(ctx, *engine, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "withserver:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func during(ctx context.Context, engine string, args []string) (code int, err error) {
	s, err := stand.Start(ctx, engine)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	command := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running what it is told is its purpose
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), s.Environ()...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	err = command.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ended.Exited() {
		return ended.ExitCode(), nil
	}
	return 0, err
}
