package directory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// How much one search may look at, whatever it is asked (ADR 12).
const (
	maxScanned = 25_000  // entries of an index, for a part of a text
	maxLooked  = 1_000   // rows read to see whether they match
	maxCounted = 100_000 // rows counted where there is no filter
	pageSize   = 100     // where no limit is given
	maxPage    = 1000
)

// unknownTotal is the total of a search that did not come to its end.
const unknownTotal = -1

// key names what is searched for. Its bytes sort by the moment of its making.
type key interface {
	comparable
	store.Key
	UUID() [uuidSize]byte
}

// Query is what a search asks for, whatever it is a search for.
type Query struct {
	Operator string // AND or OR, if there are operands
	Operands []Operand
	Limit    int    // 0: 100; at most 1000
	Cursor   string // Found.Next of the page before
}

// Operand is one condition, as it was sent.
type Operand struct {
	Name  json.RawMessage `json:"filter_name"`
	Value json.RawMessage `json:"filter_value"`
}

// Found is a page of what was searched for, newest first. A page may be short, or
// empty, with more to come: then Next goes on.
type Found[T any] struct {
	Results []T
	Total   int    // of all pages, as counted for the first; -1 if that was too many to look at
	Next    string // "" after the last page
}

// kind is something that can be searched for: what can be wrong with a search for
// it, and its filters.
type kind[T any, ID key] struct {
	errs    *countersign.SearchErrors
	filters map[string]func(json.RawMessage) (filter[T, ID], error)
}

// search is a query that was understood.
type search[T any, ID key] struct {
	or      bool // any filter has to match; otherwise all
	filters []filter[T, ID]
	// scope has to match as well, whatever the filters; nil lets all through.
	scope func(*T) bool
	limit int
	// fingerprint is of the query: a cursor of another one is refused.
	fingerprint []byte
	at          cursor[ID]
}

// read understands a query. among is what else a cursor depends on. Errors: those of
// the kind.
func (k kind[T, ID]) read(env countersign.Environment, q Query, among ...string) (s search[T, ID], err error) {
	switch {
	case q.Limit < 0 || q.Limit > maxPage:
		return s, k.errs.InvalidLimit
	case len(q.Operands) > maxFilters:
		return s, k.errs.TooManyValues
	}
	s.limit = cmp.Or(q.Limit, pageSize)
	if len(q.Operands) > 0 {
		if q.Operator != "AND" && q.Operator != "OR" {
			return s, k.errs.InvalidOperator
		}
		s.or = q.Operator == "OR"
	}
	for _, o := range q.Operands {
		f, err := k.parse(o)
		if err != nil {
			return s, err
		}
		s.filters = append(s.filters, f)
	}
	text, err := json.Marshal(struct {
		Or       bool
		Operands []Operand
		Among    []string
	}{s.or, q.Operands, among})
	if err != nil {
		return s, err
	}
	sum := sha256.Sum256(text)
	s.fingerprint = sum[:]
	if s.at, err = parseCursor[ID](env, s.fingerprint, q.Cursor); err != nil {
		return s, k.errs.InvalidCursor
	}
	return s, nil
}

// collection is where a search looks.
type collection[T any, ID key] struct {
	id func(*T) ID
	// ids are at most limit of a stretch that match a text, newest first.
	ids func(s store.Stretch[ID], text store.Text, limit int) ([]ID, error)
	// after is the one that stands a number of places after the first of a stretch.
	after func(s store.Stretch[ID], places int) (ID, error)
	// read are those of a list that are there, in any order.
	read func([]ID) ([]T, error)
	// count is how many there are in scope, or limit if there are more.
	count func(limit int) (int, error)
	// named are those that a filter names.
	named func(filter[T, ID]) ([]ID, error)
	// first sorts behind no ID that is made at a moment or later.
	first func(time.Time) ID
}

// searcher answers one search.
type searcher[T any, ID key] struct {
	search[T, ID]
	in collection[T, ID]
}

// run answers a search.
func run[T any, ID key](env countersign.Environment, q search[T, ID], in collection[T, ID]) (found Found[T], err error) {
	s := searcher[T, ID]{q, in}
	var next cursor[ID]
	if s.isNamed() {
		found, next, err = s.lookUp(s.at)
	} else {
		found, next, err = s.scan(s.at)
	}
	if err != nil {
		return found, err
	}
	found.Total = next.total
	if !next.last.IsZero() {
		found.Next = next.text(env, s.fingerprint)
	}
	return found, nil
}

// SearchUsers finds users. Filters that name users (IDs, addresses, numbers) cost
// the same however many users there are. Others are looked for among the newest,
// up to a bound; Next goes on from there. Errors: those of countersign.UserSearch.
func (s *Service) SearchUsers(ctx context.Context, env countersign.Environment, q Query) (found Found[countersign.Person], err error) {
	parsed, err := users.read(env, q)
	if err != nil {
		return found, err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return found, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		in := people(ctx, tx, env, rules, countersign.Tenant{EnvironmentID: env.ID})
		in.count = func(limit int) (int, error) { return tx.CountUsersUpTo(ctx, env.ID, limit) }
		found, err = run(env, parsed, in)
		return err
	})
	return found, err
}

// cursor is where a search stands: behind somebody or something, with the total of
// the first page. It is no secret; the sum in it only tells one that was tampered
// with, or is of another search.
type cursor[ID key] struct {
	last  ID // zero: before the first, or behind the last
	total int
}

const (
	uuidSize   = 16
	tagSize    = 1
	totalSize  = 8
	sumSize    = 8
	cursorSize = tagSize + uuidSize + totalSize + sumSize
)

var errCursor = errors.New("not a cursor of this search")

func parseCursor[ID key](env countersign.Environment, fingerprint []byte, text string) (c cursor[ID], err error) {
	if text == "" {
		return c, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The length of the text, too: the decoder passes over line ends.
	if err != nil || len(text) != base64.RawURLEncoding.EncodedLen(cursorSize) || len(b) != cursorSize {
		return c, errCursor
	}
	body, sum := b[:cursorSize-sumSize], b[cursorSize-sumSize:]
	if !bytes.Equal(sum, cursorSum(env, fingerprint, body)) {
		return c, errCursor
	}
	c.total = int(int64(binary.BigEndian.Uint64(body[tagSize+uuidSize:])))
	scanner, ok := any(&c.last).(interface{ Scan(any) error })
	if !ok {
		return c, errCursor
	}
	return c, scanner.Scan(body[:tagSize+uuidSize])
}

func (c cursor[ID]) text(env countersign.Environment, fingerprint []byte) string {
	b := binary.BigEndian.AppendUint64(c.last.Bytes(), uint64(int64(c.total)))
	return base64.RawURLEncoding.EncodeToString(append(b, cursorSum(env, fingerprint, b)...))
}

func cursorSum(env countersign.Environment, fingerprint, b []byte) []byte {
	h := sha256.New()
	h.Write(env.ID.Bytes())
	h.Write(b)
	h.Write(fingerprint)
	return h.Sum(nil)[:sumSize]
}

// isNamed reports whether filters name all that may match.
func (s *searcher[T, ID]) isNamed() bool {
	names := func(f filter[T, ID]) bool { return f.few != nil }
	if s.or {
		return len(s.filters) > 0 && !slices.ContainsFunc(s.filters, func(f filter[T, ID]) bool { return !names(f) })
	}
	return slices.ContainsFunc(s.filters, names)
}

func (s *searcher[T, ID]) matches(v *T) bool {
	if s.scope != nil && !s.scope(v) {
		return false
	}
	met := func(f filter[T, ID]) bool { return f.matches(v) }
	if s.or && len(s.filters) > 0 {
		return slices.ContainsFunc(s.filters, met)
	}
	return !slices.ContainsFunc(s.filters, func(f filter[T, ID]) bool { return !met(f) })
}

// lookUp finds what the filters name and keeps what matches.
func (s *searcher[T, ID]) lookUp(at cursor[ID]) (found Found[T], next cursor[ID], err error) {
	var ids []ID
	for _, f := range s.filters {
		if f.few == nil {
			continue
		}
		few, err := s.in.named(f)
		if err != nil {
			return found, next, err
		}
		ids = append(ids, few...)
		if !s.or { // all have to match: those of any one of the filters are enough
			break
		}
	}
	newestFirst(ids)
	list, err := s.read(slices.Compact(ids))
	if err != nil {
		return found, next, err
	}
	next.total = len(list)
	list = slices.DeleteFunc(list, func(v T) bool { return !at.last.IsZero() && !older(s.in.id(&v), at.last) })
	if len(list) > s.limit {
		list = list[:s.limit]
		next.last = s.in.id(&list[s.limit-1])
	}
	return Found[T]{Results: list}, next, nil
}

// read are those of a list that are there and match, newest first.
func (s *searcher[T, ID]) read(ids []ID) ([]T, error) {
	for _, f := range s.filters {
		if f.look == nil {
			continue
		}
		if err := f.look(ids); err != nil {
			return nil, err
		}
	}
	list, err := s.in.read(ids)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(v T) bool { return !s.matches(&v) })
	slices.SortFunc(list, func(a, b T) int { return bytes.Compare(s.in.id(&b).Bytes(), s.in.id(&a).Bytes()) })
	return list, nil
}

func newestFirst[ID key](ids []ID) {
	slices.SortFunc(ids, func(a, b ID) int { return bytes.Compare(b.Bytes(), a.Bytes()) })
}

func older[ID key](a, b ID) bool { return bytes.Compare(a.Bytes(), b.Bytes()) < 0 }

// scan walks, newest first, until a page is full or enough was looked at. The first
// page also counts, as far as it may.
func (s *searcher[T, ID]) scan(at cursor[ID]) (found Found[T], next cursor[ID], err error) {
	first := at.last.IsZero()
	next.total = at.total
	stretch := s.stretch(at)
	part, rest := s.part()
	ended := true // the walk can come to the end
	if part != (store.Text{}) {
		stretch.From, ended, err = s.bound(stretch)
		if err != nil {
			return found, next, err
		}
	}
	want := maxLooked
	if !rest && (part == store.Text{} || !first) {
		want = s.limit // all of them match, and nobody counts
	}
	ids, err := s.in.ids(stretch, part, want+1)
	if err != nil {
		return found, next, err
	}
	if len(ids) > want {
		ids, ended = ids[:want], false
	}
	looked := stretch.From // the last one that was looked at, if the walk did not end
	if len(ids) == want {
		looked = ids[want-1]
	}
	page, matched := ids[:min(len(ids), s.limit)], len(ids)
	if rest {
		found.Results, err = s.read(ids)
		matched = len(found.Results)
		found.Results = found.Results[:min(matched, s.limit)]
	} else {
		found.Results, err = s.read(page)
	}
	if err != nil {
		return found, next, err
	}
	switch {
	case matched > s.limit:
		next.last = s.in.id(&found.Results[s.limit-1])
	case !ended:
		next.last = looked
	}
	if first {
		next.total, err = s.total(matched, ended)
	}
	return found, next, err
}

// total is how many match: what the first page counted if it came to the end, and
// otherwise only known where there is no filter.
func (s *searcher[T, ID]) total(matched int, ended bool) (int, error) {
	if ended {
		return matched, nil
	}
	if len(s.filters) > 0 {
		return unknownTotal, nil
	}
	n, err := s.in.count(maxCounted + 1)
	if n > maxCounted {
		n = unknownTotal
	}
	return n, err
}

// bound shortens a stretch to what one search may look at of an index, and
// reports whether that is all of it.
func (s *searcher[T, ID]) bound(stretch store.Stretch[ID]) (from ID, whole bool, err error) {
	from, err = s.in.after(stretch, maxScanned)
	if errors.Is(err, store.ErrNotFound) {
		return stretch.From, true, nil
	}
	return from, false, err
}

// part is the longest text that all who match have a part of, and whether there
// is more to see about them.
func (s *searcher[T, ID]) part() (part store.Text, rest bool) {
	if s.or || len(s.filters) == 0 {
		return part, len(s.filters) > 0 || s.scope != nil
	}
	size := 0
	for _, f := range s.filters {
		if f.size > size {
			part, size = f.part, f.size
		}
	}
	return part, len(s.filters) > 1 || size == 0 || s.scope != nil
}

// stretch is the run among which those who match are. IDs begin with the millisecond
// in which they were made.
func (s *searcher[T, ID]) stretch(at cursor[ID]) store.Stretch[ID] {
	run := store.Stretch[ID]{Before: at.last}
	if s.or {
		return run
	}
	for _, f := range s.filters {
		if !f.after.IsZero() {
			if from := s.in.first(f.after); older(run.From, from) {
				run.From = from
			}
		}
		if !f.before.IsZero() {
			if before := s.in.first(f.before.Add(time.Millisecond)); run.Before.IsZero() || older(before, run.Before) {
				run.Before = before
			}
		}
	}
	return run
}
