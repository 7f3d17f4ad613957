package server_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// searched is one filter: as it is sent, and as the test decides it.
type searched[T any] struct {
	name  string
	value any
	holds func(T) bool
}

// oracle knows what a search should find, because it looks at everything.
type oracle[T any] struct {
	random  *rand.Rand
	all     []T // in order
	id      func(T) string
	draw    func() *searched[T] // a filter at random; nil for one that this draw does not give
	scope   func([]*searched[T], T) bool
	ask     func(body object) servertest.Answer
	results string // where the answer has the list
	field   string // of the ID in it
}

// follow asks a query page by page, and gives the IDs of all pages, the totals
// and the sizes of the pages. between runs after each page.
func (o oracle[T]) follow(t *testing.T, query object, limit func() int, between func()) (ids []string, totals, sizes []int) {
	t.Helper()
	body := object{}
	if query != nil {
		body["query"] = query
	}
	for {
		body["limit"] = limit()
		found := servertest.Must(t, o.ask(body))
		page := list(found, o.results)
		if n, _ := body["limit"].(int); len(page) > n {
			t.Errorf("a page of %d with limit %d", len(page), n)
		}
		for _, one := range page {
			ids = append(ids, text(at(one, o.field)))
		}
		total, _ := found.At("results_metadata", "total").(json.Number)
		n, err := total.Int64()
		if err != nil {
			t.Fatalf("total: %s", found.Text)
		}
		totals, sizes = append(totals, int(n)), append(sizes, len(page))
		if body["cursor"] = found.At("results_metadata", "next_cursor"); body["cursor"] == nil {
			return ids, totals, sizes
		}
		if len(sizes) > 10_000 {
			t.Fatalf("the cursors do not end: %v", query)
		}
		between()
	}
}

// expected are those for whom a query holds, in order.
func (o oracle[T]) expected(or bool, questions []*searched[T]) (ids []string) {
	for _, one := range o.all {
		if o.scope != nil && !o.scope(questions, one) {
			continue
		}
		held := 0
		for _, q := range questions {
			if q.holds(one) {
				held++
			}
		}
		if held == len(questions) || or && held > 0 {
			ids = append(ids, o.id(one))
		}
	}
	return ids
}

func queryOf[T any](or bool, questions []*searched[T]) object {
	if questions == nil {
		return nil
	}
	operands := []any{}
	for _, q := range questions {
		operands = append(operands, object{"filter_name": q.name, "filter_value": q.value})
	}
	return object{"operator": map[bool]string{true: "OR", false: "AND"}[or], "operands": operands}
}

// hold draws queries, and holds each search, page by page, against a look at
// everything. It gives how many found some but not all, and what was asked.
func (o oracle[T]) hold(t *testing.T, rounds int) (some int, asked map[string]bool) {
	t.Helper()
	asked = map[string]bool{}
	for range rounds {
		var questions []*searched[T]
		for range o.random.IntN(4) {
			if q := o.draw(); q != nil {
				questions = append(questions, q)
				asked[q.name] = true
			}
		}
		or := o.random.IntN(2) == 0
		want := o.expected(or && questions != nil, questions)
		ids, totals, _ := o.follow(t, queryOf(or, questions), func() int { return 1 + o.random.IntN(120) }, func() {})
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%v (-want +found):\n%s", queryOf(or, questions), diff)
		}
		for _, total := range totals {
			if total != len(want) {
				t.Errorf("%v: totals %v, want %d", queryOf(or, questions), totals, len(want))
				break
			}
		}
		if len(want) > 0 && len(want) < len(o.all) {
			some++
		}
	}
	return some, asked
}

func from[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// someOf are values of some, and others.
func someOf[T any](random *rand.Rand, all []T, of func(T) string, more ...string) (values []string) {
	for range 1 + random.IntN(8) {
		if v := of(from(random, all)); v != "" {
			values = append(values, v)
		}
	}
	return append(values, more...)
}

// partOf is a part of a text with three characters and more, or "".
func partOf(random *rand.Rand, s string) string {
	runes := []rune(s)
	if len(runes) < 3 {
		return ""
	}
	start := random.IntN(len(runes) - 2)
	return string(runes[start : start+3+random.IntN(len(runes)-start-2)])
}
