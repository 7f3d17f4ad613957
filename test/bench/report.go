package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// What is measured.
const (
	floorRS256     = "floor RS256"
	floorES256     = "floor ES256"
	floorConstant  = "floor constant JSON"
	floorUpdate    = "floor durable update"
	attestRS256    = "attest RS256"
	attestES256    = "attest ES256"
	attestMember   = "attest member ES256"
	provisionRS256 = "attest new person RS256"
	provisionES256 = "attest new person ES256"
	authenticated  = "authenticate"
	revoked        = "revoke"
	floorVerify    = "floor verify"
	refused        = "refuse bad signature"
	explained      = "explain"
)

// budget is a row of the budgets: what is measured, what it is measured by, and
// how many times as much CPU it may take.
type budget struct {
	row, what, by   string
	sqlite, postgre float64
}

var budgets = []budget{
	{"A1", attestRS256, floorRS256, 1.35, 0},
	{"A2", attestES256, floorES256, 1.5, 0},
	{"A3", attestRS256, floorRS256, 0, 1.4},
	{"A3", attestES256, floorES256, 0, 1.7},
	{"A4", authenticated, floorConstant, 3, 5},
	{"A5", provisionRS256, attestRS256, 1.3, 1.3},
	{"A5", provisionES256, attestES256, 1.3, 1.3},
	{"A6", revoked, floorUpdate, 2, 2},
	{"B4", attestMember, attestES256, 1.2, 1.2},
	{"C1", refused, floorVerify, 2, 2},
}

type key struct {
	what, engine string
	connections  int
}

// report collects runs.
type report struct {
	runs   map[key][]measured
	idleMB map[string][]float64
	busyMB map[string][]float64
	starts map[string][]time.Duration
	pages  map[key][]time.Duration // of row C3
}

func newReport() *report {
	return &report{
		runs: map[key][]measured{}, idleMB: map[string][]float64{}, busyMB: map[string][]float64{}, starts: map[string][]time.Duration{},
		pages: map[key][]time.Duration{},
	}
}

func (r *report) add(what, engine string, connections int, m measured) {
	k := key{what, engine, connections}
	r.runs[k] = append(r.runs[k], m)
}

func (r *report) idle(engine string, mb float64) { r.idleMB[engine] = append(r.idleMB[engine], mb) }
func (r *report) busy(engine string, mb float64) { r.busyMB[engine] = append(r.busyMB[engine], mb) }
func (r *report) started(engine string, d time.Duration) {
	r.starts[engine] = append(r.starts[engine], d)
}

func median[T int | float64 | time.Duration](list []T) T {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func each[T any](runs []measured, of func(measured) T) []T {
	list := make([]T, len(runs))
	for i, m := range runs {
		list[i] = of(m)
	}
	return list
}

func cpuMS(m measured) float64 { return m.cpuMS }

// ratio is the median of the ratios of runs that stood beside each other.
func ratio(what, by []measured, of func(measured) float64) float64 {
	var list []float64
	for i := range min(len(what), len(by)) {
		list = append(list, of(what[i])/of(by[i]))
	}
	return median(list)
}

func met(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}

func (r *report) print(w io.Writer, o options) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "row\twhat\tengine\tconns\tCPU-ms\tfloor\tratio\tbudget\tmet?\t")
	for _, b := range budgets {
		if !o.has(b.row) {
			continue
		}
		for _, engine := range o.engines {
			limit := b.sqlite
			if engine == "postgres" {
				limit = b.postgre
			}
			if limit == 0 {
				continue
			}
			for _, n := range o.connections {
				what, by := r.runs[key{b.what, engine, n}], r.runs[key{b.by, engine, n}]
				got := ratio(what, by, cpuMS)
				_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.3f\t%.3f\t%.2f\t%.2f\t%s\t\n", b.row, b.what, engine, n,
					median(each(what, cpuMS)), median(each(by, cpuMS)), got, limit, met(got <= limit))
			}
		}
	}
	for _, engine := range o.engines {
		if !o.has("A7") {
			break
		}
		idle := median(r.idleMB[engine])
		_, _ = fmt.Fprintf(t, "A7\tresident MB, idle\t%s\t\t%.1f\t\t\t60\t%s\t\n", engine, idle, met(idle <= 60))
		if list := r.busyMB[engine]; len(list) > 0 {
			busy := slices.Max(list)
			_, _ = fmt.Fprintf(t, "A7\tresident MB, busy\t%s\t32\t%.1f\t\t\t100\t%s\t\n", engine, busy, met(busy <= 100))
		}
	}
	p99 := func(m measured) float64 { return m.p99.Seconds() * 1000 }
	if what, by := r.runs[key{attestES256, "sqlite", 8}], r.runs[key{floorES256, "sqlite", 8}]; o.has("A8") && len(what) > 0 {
		got := ratio(what, by, p99)
		_, _ = fmt.Fprintf(t, "A8\tp99 ms, attest ES256\tsqlite\t8\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t\n", median(each(what, p99)), median(each(by, p99)), got, 3.0, met(got <= 3))
	}
	for _, engine := range o.engines {
		if list := r.runs[key{explained, engine, 1}]; len(list) > 0 {
			p50 := median(each(list, func(m measured) float64 { return m.p50.Seconds() * 1000 }))
			_, _ = fmt.Fprintf(t, "C2\tp50 ms, explain\t%s\t1\t%.2f\t\t\t%.2f\t%s\t\n", engine, p50, 5.0, met(p50 <= 5))
		}
	}
	for _, engine := range o.engines {
		if !o.has("A7") {
			break
		}
		ready := median(r.starts[engine])
		_, _ = fmt.Fprintf(t, "\tms from start to /readyz\t%s\t\t%d\t\t\t300\t%s\t\n", engine, ready.Milliseconds(), met(ready < 300*time.Millisecond))
	}
	_ = t.Flush()

	_, _ = fmt.Fprintln(w, "\nMedians of wall time, for context: the client runs on the same cores.")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "what\tengine\tconns\treq/s\tp50 ms\tp90 ms\tp99 ms\trequests\t")
	for _, what := range []string{
		floorRS256, attestRS256, provisionRS256, floorES256, attestES256, provisionES256, floorConstant, authenticated, floorUpdate, revoked,
		floorVerify, refused, explained,
	} {
		for _, engine := range o.engines {
			for _, n := range o.connections {
				runs := r.runs[key{what, engine, n}]
				if len(runs) == 0 {
					continue
				}
				ms := func(of func(measured) time.Duration) float64 { return median(each(runs, of)).Seconds() * 1000 }
				_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%.0f\t%.2f\t%.2f\t%.2f\t%d\t\n", what, engine, n,
					median(each(runs, func(m measured) float64 { return m.perSecond })),
					ms(func(m measured) time.Duration { return m.p50 }), ms(func(m measured) time.Duration { return m.p90 }), ms(func(m measured) time.Duration { return m.p99 }),
					median(each(runs, func(m measured) int { return m.requests })))
			}
		}
	}
	_ = t.Flush()
}
