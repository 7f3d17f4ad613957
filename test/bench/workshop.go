package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// workshop is what every benchmark needs: a folder of its own, the server's binary
// and an issuer of tokens.
type workshop struct {
	dir, binary string
	issuer      *issuerWorld
}

func openWorkshop(ctx context.Context) (w *workshop, err error) {
	w = &workshop{}
	if w.dir, err = os.MkdirTemp("", "countersign-bench-*"); err != nil {
		return nil, err
	}
	w.binary = filepath.Join(w.dir, "countersign")
	if err = build(ctx, w.binary); err == nil {
		w.issuer, err = newIssuer()
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *workshop) close() error {
	if w.issuer != nil {
		w.issuer.close()
	}
	return os.RemoveAll(w.dir)
}

// measurable are the engines of a comma list, without PostgreSQL where there is none.
func measurable(engines string) (list []string) {
	for _, engine := range strings.Split(engines, ",") {
		if engine == "postgres" && os.Getenv("COUNTERSIGN_TEST_POSTGRES") == "" {
			fmt.Println("COUNTERSIGN_TEST_POSTGRES is not set, so PostgreSQL is left out; run this under scripts/postgres.")
			continue
		}
		list = append(list, engine)
	}
	return list
}

// onEach runs a benchmark on a server of each engine, one after another.
func onEach(ctx context.Context, engines string, run func(*engineBench) error) (err error) {
	w, err := openWorkshop(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, engine := range measurable(engines) {
		b, err := startEngine(ctx, engine, w.dir, w.binary, w.issuer, options{})
		if err == nil {
			err = run(b)
		}
		if b != nil {
			b.close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}
