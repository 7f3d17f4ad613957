// Command bench measures the rows A1 to A8, B4 and C1 to C3 of the budgets: the real
// server, and beside it, in the same run, a floor that does the least an attest can
// do. It starts everything by itself, on loopback, with full durability, and prints
// each row as CPU-ms per request and as a ratio to the floor, but for C3, which is
// about time: what a refusal tells a page of who exists.
//
// PostgreSQL is measured if COUNTERSIGN_TEST_POSTGRES names a server that nobody
// else uses meanwhile, because the CPU time of all its processes is counted:
//
//	scripts/postgres go run ./test/bench
//
// With the argument directory it measures the rows B1 and B2 instead, searches
// in an environment of ten thousand users and in one of a million. With the argument
// dashboard it measures the row D1, every page of the dashboard.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	run         time.Duration // of one measurement
	rounds      int
	connections []int
	engines     []string
	profile     string   // folder for CPU profiles, or ""
	rows        []string // of the budgets; nil for all
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		exit(serveFloor(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if len(os.Args) > 1 && os.Args[1] == "directory" {
		err = benchDirectory(ctx, os.Args[2:])
	} else if len(os.Args) > 1 && os.Args[1] == "dashboard" {
		err = benchDashboard(ctx, os.Args[2:])
	} else {
		err = bench(ctx)
	}
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parseOptions() (o options, err error) {
	quick := flag.Bool("quick", false, "a fifth of the time: one round of short runs, at 8 connections")
	flag.DurationVar(&o.run, "run", 700*time.Millisecond, "how long one measurement takes")
	flag.IntVar(&o.rounds, "rounds", 3, "interleaved runs of each measurement, of which medians are taken")
	connections := flag.String("connections", "1,8,32", "numbers of connections, as a comma list")
	engines := flag.String("engines", "sqlite,postgres", "databases, as a comma list")
	rows := flag.String("rows", "", "the rows of the budgets to measure, as a comma list; all if it is empty")
	flag.StringVar(&o.profile, "profile", "", "a folder for CPU profiles of the server, one for each row, at 8 connections")
	flag.Parse()
	if *rows != "" {
		o.rows = strings.Split(*rows, ",")
	}
	if *quick {
		o.run, o.rounds, *connections = 400*time.Millisecond, 1, "8"
	}
	for _, c := range strings.Split(*connections, ",") {
		n, err := strconv.Atoi(c)
		if err != nil || n < 1 {
			return o, fmt.Errorf("-connections %s: not a comma list of numbers", *connections)
		}
		o.connections = append(o.connections, n)
	}
	o.engines = measurable(*engines)
	return o, nil
}

// has reports whether a row is to be measured.
func (o options) has(row string) bool { return o.rows == nil || slices.Contains(o.rows, row) }

// wants reports whether a row that is to be measured needs a measurement.
func (o options) wants(what string) bool {
	return slices.ContainsFunc(budgets, func(b budget) bool { return o.has(b.row) && (b.what == what || b.by == what) }) ||
		o.has("A8") && (what == attestES256 || what == floorES256) || o.has("C2") && what == explained
}

func bench(ctx context.Context) (err error) {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	begin := time.Now()
	w, err := openWorkshop(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	report := newReport()
	var benches []*engineBench
	for _, engine := range o.engines {
		b, err := startEngine(ctx, engine, w.dir, w.binary, w.issuer, o)
		if b != nil {
			defer b.close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		benches = append(benches, b)
	}
	for round := range o.rounds {
		for _, n := range o.connections {
			for _, b := range benches {
				if err := b.measure(ctx, report, n, round); err != nil {
					return fmt.Errorf("%s, %d connections: %w", b.engine, n, err)
				}
			}
		}
	}
	for _, b := range benches {
		if !o.has("C3") {
			break
		}
		if err := b.measurePages(ctx, report); err != nil {
			return fmt.Errorf("%s: %w", b.engine, err)
		}
	}
	for _, b := range benches {
		if !o.has("A7") {
			break
		}
		if err := b.measureStarts(ctx, report); err != nil {
			return fmt.Errorf("%s: %w", b.engine, err)
		}
	}
	report.print(os.Stdout, o)
	if o.has("C3") {
		if err := report.printPages(os.Stdout, o.engines); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d rounds of %v, in %v altogether.\n", o.rounds, o.run, time.Since(begin).Round(time.Second))
	return nil
}
