package dashboard

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// chart is stacked bars, in the units of the picture's viewBox.
type chart struct {
	Width, Height   int
	Bars            []bar
	Lines           []line
	Labels          []label
	Legend          []legend
	Total, Accepted int64
	Summary         string
}

type bar struct {
	X, Width int
	Parts    []part
	Title    string
}

type part struct {
	Y, Height int
	Class     string
}

type line struct {
	Y     int
	Label string
}

type label struct {
	X    int
	Text string
}

type legend struct {
	Class  string
	Reason string // "accepted", a reason, or "other reasons"
	Count  int64
}

func (l legend) countIfRefused() int64 {
	if l.Reason == accepted {
		return 0
	}
	return l.Count
}

const (
	accepted     = "accepted"
	otherReasons = "other reasons"
)

// tally counts outcomes by stretch of time.
type tally struct {
	start  time.Time
	step   time.Duration
	counts []map[string]int64
}

func newTally(start time.Time, step time.Duration, n int) *tally {
	t := &tally{start: start, step: step, counts: make([]map[string]int64, n)}
	for i := range t.counts {
		t.counts[i] = map[string]int64{}
	}
	return t
}

// add counts what lies within.
func (t *tally) add(at time.Time, reason string, n int64) {
	i := int(at.Sub(t.start) / t.step)
	if at.Before(t.start) || i >= len(t.counts) {
		return
	}
	if reason == "" {
		reason = accepted
	}
	t.counts[i][reason] += n
}

// The picture, in its own units.
const (
	chartWidth  = 960
	chartHeight = 220
	plotLeft    = 48
	plotTop     = 8
	plotHeight  = 180
	maxReasons  = 5 // with colours of their own
)

// chart draws the tally.
func (t *tally) chart(name string) chart {
	c := chart{Width: chartWidth, Height: chartHeight}
	sums := map[string]int64{}
	var highest int64
	for _, counts := range t.counts {
		var sum int64
		for reason, n := range counts {
			sums[reason] += n
			sum += n
		}
		c.Total += sum
		highest = max(highest, sum)
	}
	c.Accepted = sums[accepted]
	delete(sums, accepted)
	reasons := slices.SortedFunc(maps.Keys(sums), func(a, b string) int { return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b)) })
	c.Legend = []legend{{"c0", accepted, c.Accepted}}
	classes := map[string]string{accepted: "c0"}
	for i, reason := range reasons {
		if i < maxReasons {
			classes[reason] = "c" + string(rune('1'+i))
			c.Legend = append(c.Legend, legend{classes[reason], reason, sums[reason]})
			continue
		}
		classes[reason] = "c6"
		if i == maxReasons {
			c.Legend = append(c.Legend, legend{"c6", otherReasons, 0})
		}
		c.Legend[len(c.Legend)-1].Count += sums[reason]
	}
	top := round(highest)
	for i := range 3 {
		n := top * int64(2-i) / 2
		c.Lines = append(c.Lines, line{plotTop + plotHeight*i/2, grouped(n)})
	}
	width := (chartWidth - plotLeft) / len(t.counts)
	for i, counts := range t.counts {
		at := t.start.Add(time.Duration(i) * t.step)
		b := bar{X: plotLeft + i*width + 2, Width: width - 4, Title: at.Format("2006-01-02 15:04") + ":"}
		y := plotTop + plotHeight
		for _, reason := range append([]string{accepted}, reasons...) {
			n := counts[reason]
			if n == 0 {
				continue
			}
			height := max(int(n*plotHeight/top), 1)
			y -= height
			b.Parts = append(b.Parts, part{y, height, classes[reason]})
			b.Title += " " + grouped(n) + " " + reason + ","
		}
		b.Title = b.Title[:len(b.Title)-1]
		if len(b.Parts) > 0 {
			c.Bars = append(c.Bars, b)
		}
		if every := max(len(t.counts)/6, 1); i%every == 0 {
			layout := "2 Jan"
			if t.step < 6*time.Hour {
				layout = "15:04"
			}
			c.Labels = append(c.Labels, label{b.X, at.Format(layout)})
		}
	}
	c.Summary = grouped(c.Total) + " tokens judged in the last " + name + ", " + grouped(c.Accepted) + " accepted."
	return c
}

// round is the next number at which an axis can end well.
func round(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, m := range []int64{2, 4, 10} {
			if n <= m*unit {
				return m * unit
			}
		}
	}
}
