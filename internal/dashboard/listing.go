package dashboard

import (
	"encoding/json"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
)

// way is a way to look for somebody or something, and the filter of the directory
// that it is.
type way struct {
	Name, Label string
	filter      string
	list        bool   // the filter takes several values
	flag        string // of the command line; "" if there is none
}

// listing is a list that is searched and paged by the address of its page.
type listing struct {
	Ways        []way
	By, Find    string
	Total       int // -1 if that is too many to look at
	First, Next string
	Problem     problem

	cursor string
}

// listing is what the address asks for, in the first way unless it names another.
func (r *request) listing(ways []way) listing {
	l := listing{Ways: ways, By: r.query("by"), Find: r.query("find"), cursor: r.query("cursor")}
	if !slices.ContainsFunc(ways, func(w way) bool { return w.Name == l.By }) {
		l.By = ways[0].Name
	}
	return l
}

// way is the one that is looked in; nil if everything is listed.
func (l listing) way() *way {
	if i := slices.IndexFunc(l.Ways, func(w way) bool { return w.Name == l.By }); i >= 0 && l.Find != "" {
		return &l.Ways[i]
	}
	return nil
}

// query asks the directory for a page.
func (l listing) query() (q directory.Query, err error) {
	q = directory.Query{Limit: pageSize, Cursor: l.cursor, Operator: "AND"}
	w := l.way()
	if w == nil {
		return q, nil
	}
	value := any(l.Find)
	if w.list {
		value = []string{l.Find}
	}
	var o directory.Operand
	if o.Name, err = json.Marshal(w.filter); err != nil {
		return q, err
	}
	if o.Value, err = json.Marshal(value); err != nil {
		return q, err
	}
	q.Operands = []directory.Operand{o}
	return q, nil
}

// settle keeps what a search found, or why it found nothing; other errors are none of
// the page.
func (l *listing) settle(r *request, total int, next string, err error) error {
	switch {
	case ours(err):
		l.Problem = problemOf(err)
	case err != nil:
		return err
	}
	l.Total = total
	l.First, l.Next = r.paging(next)
	return nil
}

// flags are the same search on the command line.
func (l listing) flags() string {
	if w := l.way(); w != nil && w.flag != "" {
		return " " + w.flag + " " + quote(l.Find)
	}
	return ""
}

// in lets a page be only in environments of one vertical.
func in(v countersign.Vertical, handle func(*Dashboard, *request) (view, error)) func(*Dashboard, *request) (view, error) {
	return func(d *Dashboard, r *request) (view, error) {
		if r.env.Vertical != v {
			return view{}, errNoPage
		}
		return handle(d, r)
	}
}

// consumer lets a page be only where people are users.
func consumer(handle func(*Dashboard, *request) (view, error)) func(*Dashboard, *request) (view, error) {
	return in(countersign.Consumer, handle)
}

// b2b lets a page be only where people are members of organizations.
func b2b(handle func(*Dashboard, *request) (view, error)) func(*Dashboard, *request) (view, error) {
	return in(countersign.B2B, handle)
}
