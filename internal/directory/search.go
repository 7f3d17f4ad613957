package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// How much one search may look at, whatever it is asked (ADR 12).
const (
	maxScanned = 25_000  // entries of an index, for a part of a text
	maxLooked  = 1_000   // users read to see whether they match
	maxCounted = 100_000 // users counted where there is no filter
	pageSize   = 100     // where no limit is given
	maxPage    = 1000
)

// unknownTotal is the total of a search that did not come to its end.
const unknownTotal = -1

// Search asks for users, newest first.
type Search struct {
	Or      bool // any filter has to match; otherwise all
	Filters []Filter
	Limit   int    // 0: 100; at most 1000
	Cursor  string // Found.Next of the page before
	// Fingerprint is of the query: a cursor of another one is refused.
	Fingerprint []byte
}

// Found is a page of users. A page may be short, or empty, with more to come:
// then Next goes on.
type Found struct {
	Users []countersign.Person
	Total int    // of all pages, as counted for the first; -1 if that was too many to look at
	Next  string // "" after the last page
}

// Search finds users. Filters that name users (IDs, addresses, numbers) cost
// the same however many users there are. Others are looked for among the newest,
// up to a bound; Next goes on from there. Errors: ErrSearchInvalidLimit,
// ErrSearchInvalidCursor, ErrSearchTooManyValues.
func (s *Service) Search(ctx context.Context, env countersign.Environment, q Search) (found Found, err error) {
	switch {
	case q.Limit < 0 || q.Limit > maxPage:
		return found, countersign.ErrSearchInvalidLimit
	case q.Limit == 0:
		q.Limit = pageSize
	}
	if len(q.Filters) > maxFilters {
		return found, countersign.ErrSearchTooManyValues
	}
	at, err := parseCursor(env.ID, q)
	if err != nil {
		return found, err
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return found, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		p := searcher{tx: tx, tenant: countersign.Tenant{EnvironmentID: env.ID}, Search: q}
		if p.named() {
			found, at, err = p.lookUp(ctx, at)
		} else {
			found, at, err = p.scan(ctx, at)
		}
		return err
	})
	if err != nil {
		return found, err
	}
	found.Total = at.total
	if !at.last.IsZero() {
		found.Next = at.text(env.ID, q)
	}
	for i := range found.Users {
		rules.Settle(&found.Users[i])
	}
	return found, nil
}

// cursor is where a search stands: behind a user, with the total of the first
// page. It is no secret; the sum in it only tells one that was tampered with,
// or is of another search.
type cursor struct {
	last  countersign.PersonID // zero: before the first, or behind the last
	total int
}

const (
	uuidSize   = 16
	totalSize  = 8
	sumSize    = 8
	cursorSize = uuidSize + totalSize + sumSize
)

func parseCursor(env countersign.EnvironmentID, q Search) (cursor, error) {
	if q.Cursor == "" {
		return cursor{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	// The length of the text, too: the decoder passes over line ends.
	if err != nil || len(q.Cursor) != base64.RawURLEncoding.EncodedLen(cursorSize) || len(b) != cursorSize || !bytes.Equal(b[uuidSize+totalSize:], cursorSum(env, q, b[:uuidSize+totalSize])) {
		return cursor{}, countersign.ErrSearchInvalidCursor
	}
	return cursor{
		last:  countersign.IDOf[countersign.PersonID](env.Class(), [uuidSize]byte(b)),
		total: int(int64(binary.BigEndian.Uint64(b[uuidSize:]))),
	}, nil
}

func (c cursor) text(env countersign.EnvironmentID, q Search) string {
	uuid := c.last.UUID()
	b := binary.BigEndian.AppendUint64(uuid[:], uint64(int64(c.total)))
	return base64.RawURLEncoding.EncodeToString(append(b, cursorSum(env, q, b)...))
}

func cursorSum(env countersign.EnvironmentID, q Search, b []byte) []byte {
	h := sha256.New()
	h.Write(env.Bytes())
	h.Write(b)
	h.Write(q.Fingerprint)
	return h.Sum(nil)[:sumSize]
}

// searcher answers one search.
type searcher struct {
	Search
	tx     *store.Tx
	tenant countersign.Tenant
}

// named reports whether filters name the users who may match.
func (s *searcher) named() bool {
	names := func(f Filter) bool { return f.few != nil }
	if s.Or {
		return len(s.Filters) > 0 && !slices.ContainsFunc(s.Filters, func(f Filter) bool { return !names(f) })
	}
	return slices.ContainsFunc(s.Filters, names)
}

func (s *searcher) matches(u *countersign.Person) bool {
	met := func(f Filter) bool { return f.matches(u) }
	if s.Or && len(s.Filters) > 0 {
		return slices.ContainsFunc(s.Filters, met)
	}
	return !slices.ContainsFunc(s.Filters, func(f Filter) bool { return !met(f) })
}

// lookUp finds the users whom the filters name and keeps those who match.
func (s *searcher) lookUp(ctx context.Context, at cursor) (found Found, next cursor, err error) {
	var ids []countersign.PersonID
	for _, f := range s.Filters {
		if f.few == nil {
			continue
		}
		few, err := f.few(ctx, s.tx, s.tenant)
		if err != nil {
			return found, next, err
		}
		ids = append(ids, few...)
		if !s.Or { // all have to match: the users of any one of the filters are enough
			break
		}
	}
	newestFirst(ids)
	users, err := s.read(ctx, slices.Compact(ids))
	if err != nil {
		return found, next, err
	}
	next.total = len(users)
	users = slices.DeleteFunc(users, func(u countersign.Person) bool { return !at.last.IsZero() && !older(u.ID, at.last) })
	if len(users) > s.Limit {
		users = users[:s.Limit]
		next.last = users[s.Limit-1].ID
	}
	return Found{Users: users}, next, nil
}

// read are those of a list of users who are there and match, in the list's
// order.
func (s *searcher) read(ctx context.Context, ids []countersign.PersonID) ([]countersign.Person, error) {
	users, err := s.tx.PeopleByIDs(ctx, s.tenant.EnvironmentID, ids)
	if err != nil {
		return nil, err
	}
	users = slices.DeleteFunc(users, func(u countersign.Person) bool { return !s.matches(&u) })
	slices.SortFunc(users, func(a, b countersign.Person) int { return bytes.Compare(b.ID.Bytes(), a.ID.Bytes()) })
	return users, nil
}

func newestFirst(ids []countersign.PersonID) {
	slices.SortFunc(ids, func(a, b countersign.PersonID) int { return bytes.Compare(b.Bytes(), a.Bytes()) })
}

func older(a, b countersign.PersonID) bool { return bytes.Compare(a.Bytes(), b.Bytes()) < 0 }

// scan walks through users, newest first, until a page is full or enough was
// looked at. The first page also counts, as far as it may.
func (s *searcher) scan(ctx context.Context, at cursor) (found Found, next cursor, err error) {
	first := at.last.IsZero()
	next.total = at.total
	stretch := s.stretch(at)
	part, rest := s.part()
	ended := true // the walk can come to the end
	if part != (store.Text{}) {
		stretch.From, ended, err = s.bound(ctx, stretch)
		if err != nil {
			return found, next, err
		}
	}
	want := maxLooked
	if !rest && (part == store.Text{} || !first) {
		want = s.Limit // all of them match, and nobody counts
	}
	ids, err := s.tx.PersonIDs(ctx, s.tenant, stretch, part, want+1)
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
	page, matched := ids[:min(len(ids), s.Limit)], len(ids)
	if rest {
		found.Users, err = s.read(ctx, ids)
		matched = len(found.Users)
		found.Users = found.Users[:min(matched, s.Limit)]
	} else {
		found.Users, err = s.read(ctx, page)
	}
	if err != nil {
		return found, next, err
	}
	switch {
	case matched > s.Limit:
		next.last = found.Users[s.Limit-1].ID
	case !ended:
		next.last = looked
	}
	if first {
		next.total, err = s.total(ctx, matched, ended)
	}
	return found, next, err
}

// total is how many users match: what the first page counted if it came to the
// end, and otherwise only known where there is no filter.
func (s *searcher) total(ctx context.Context, matched int, ended bool) (int, error) {
	if ended {
		return matched, nil
	}
	if len(s.Filters) > 0 {
		return unknownTotal, nil
	}
	n, err := s.tx.CountUsersUpTo(ctx, s.tenant.EnvironmentID, maxCounted+1)
	if n > maxCounted {
		n = unknownTotal
	}
	return n, err
}

// bound shortens a stretch to what one search may look at of an index, and
// reports whether that is all of it.
func (s *searcher) bound(ctx context.Context, stretch store.Stretch) (from countersign.PersonID, whole bool, err error) {
	from, err = s.tx.PersonIDAfter(ctx, s.tenant, stretch, maxScanned)
	if errors.Is(err, store.ErrNotFound) {
		return stretch.From, true, nil
	}
	return from, false, err
}

// part is the longest text that all who match have a part of, and whether there
// is more to see about them.
func (s *searcher) part() (part store.Text, rest bool) {
	if s.Or || len(s.Filters) == 0 {
		return part, len(s.Filters) > 0
	}
	size := 0
	for _, f := range s.Filters {
		if f.size > size {
			part, size = f.part, f.size
		}
	}
	return part, len(s.Filters) > 1 || size == 0
}

// stretch is the run of users among whom those who match are. Users' IDs begin
// with the millisecond in which they were made.
func (s *searcher) stretch(at cursor) store.Stretch {
	run := store.Stretch{Before: at.last}
	if s.Or {
		return run
	}
	for _, f := range s.Filters {
		if !f.after.IsZero() {
			if from := firstID(s.tenant.EnvironmentID, f.after); older(run.From, from) {
				run.From = from
			}
		}
		if !f.before.IsZero() {
			if before := firstID(s.tenant.EnvironmentID, f.before.Add(time.Millisecond)); run.Before.IsZero() || older(before, run.Before) {
				run.Before = before
			}
		}
	}
	return run
}

// firstID is not behind the ID of anybody made at a moment or later (RFC 9562
// §5.7).
func firstID(env countersign.EnvironmentID, t time.Time) countersign.PersonID {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(t.UnixMilli())<<16)
	var uuid [uuidSize]byte
	copy(uuid[:], b[:6])
	return countersign.IDOf[countersign.PersonID](env.Class(), uuid)
}
