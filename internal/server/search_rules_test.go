package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/countersign-auth/countersign/internal/servertest"
)

// crowd is a directory of people at random, as the test knows them.
type crowd struct {
	*place
	clock  *servertest.Clock
	random *rand.Rand
	people []person
}

// person is what a search can ask about somebody.
type person struct {
	ID       string
	created  time.Time
	pending  bool
	name     string // as one text
	external string
	emails   []contact
	phones   []contact
}

type contact struct {
	id, given string
	key       string // what addresses are compared by
	verified  bool
}

// newCrowd draws from a seed that is told if the test fails.
func newCrowd(t *testing.T, p *place, clock *servertest.Clock) *crowd {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return &crowd{place: p, clock: clock, random: rand.New(rand.NewPCG(seed, 0))}
}

func pick[T any](c *crowd, list []T) T { return from(c.random, list) }

// settle imports n people, a few at a time, while the clock goes on.
func (c *crowd) settle(t *testing.T, n int) {
	t.Helper()
	domains := [][2]string{{"Example.com", "example.com"}, {"example.org", "example.org"}, {"Bücher.example", "xn--bcher-kva.example"}, {"sub.EXAMPLE.com", "sub.example.com"}}
	locals := []string{"ada", "Grace.Hopper", "a_b%c", "a-bxc", "Ünal", "x+tag", "o'brien"}
	firsts := []string{"", "Ada", "ZOË", "Zoe\u0308", "100%_Real", `back\slash`, "Δίας", "İlker", "  "}
	lasts := []string{"", "Lovelace", "O'Brien", "ÅNGSTRÖM", "van  der Berg", "李小龙"}
	for len(c.people) < n {
		c.clock.Advance(time.Duration(c.random.IntN(1500)) * time.Millisecond)
		var batch []person
		var lines []object
		for range min(1+c.random.IntN(max(2, n/20)), n-len(c.people), 500) {
			i := len(c.people) + len(batch)
			line := object{}
			one := person{created: c.clock.Now(), pending: c.random.IntN(4) == 0}
			line["create_user_as_pending"] = one.pending
			first, last := pick(c, firsts), pick(c, lasts)
			line["name"] = object{"first_name": first, "last_name": last}
			one.name = strings.Join(strings.Fields(first+" "+last), " ")
			kinds := c.random.IntN(5)
			if kinds != 0 {
				domain := pick(c, domains)
				local := fmt.Sprint(pick(c, locals), i)
				email := contact{given: local + "@" + domain[0], key: lowerASCII(local) + "@" + domain[1], verified: c.random.IntN(2) == 0}
				line["email"], line["email_verified"] = email.given, email.verified
				one.emails = []contact{email}
			}
			if kinds == 0 || kinds == 4 {
				number := fmt.Sprintf("+%d%07d", 44+c.random.IntN(3), i)
				phone := contact{given: number, key: number, verified: c.random.IntN(2) == 0}
				line["phone_number"], line["phone_number_verified"] = number, phone.verified
				one.phones = []contact{phone}
			}
			if c.random.IntN(2) == 0 {
				one.external = fmt.Sprint("crm|", i)
				line["external_id"] = one.external
			}
			batch, lines = append(batch, one), append(lines, line)
		}
		results := list(servertest.Must(t, c.API(http.MethodPost, "/v1/users/import", object{"users": lines})), "results")
		for i := range batch {
			if batch[i].ID = text(at(results[i], "user_id")); batch[i].ID == "" {
				t.Fatalf("import %v: %v", lines[i], results[i])
			}
		}
		c.people = append(c.people, batch...)
	}
	// Newest first, and within a moment by ID: that is the order of IDs.
	slices.SortFunc(c.people, func(a, b person) int { return strings.Compare(b.ID, a.ID) })
	if !slices.IsSortedFunc(c.people, func(a, b person) int { return b.created.Compare(a.created) }) {
		t.Error("users' IDs are not in the order in which they were made")
	}
	c.learnIDs(t)
}

// learnIDs reads the IDs of addresses and numbers.
func (c *crowd) learnIDs(t *testing.T) {
	t.Helper()
	body, all := object{"limit": 1000}, map[string]any{}
	for {
		found := servertest.Must(t, c.search(body))
		for _, user := range list(found, "results") {
			all[text(at(user, "user_id"))] = user
		}
		if body["cursor"] = found.At("results_metadata", "next_cursor"); body["cursor"] == nil {
			break
		}
	}
	for i := range c.people {
		user := all[c.people[i].ID]
		for n := range c.people[i].emails {
			emails, _ := at(user, "emails").([]any)
			c.people[i].emails[n].id = text(at(emails[n], "email_id"))
		}
		for n := range c.people[i].phones {
			phones, _ := at(user, "phone_numbers").([]any)
			c.people[i].phones[n].id = text(at(phones[n], "phone_id"))
		}
	}
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r | 0x20
		}
		return r
	}, s)
}

// folded is how names are compared.
func folded(s string) string { return strings.ToLower(norm.NFC.String(s)) }

// question is what is asked of users.
type question = searched[person]

func anyOf(contacts []contact, is func(contact) bool) bool { return slices.ContainsFunc(contacts, is) }

// draw makes a filter at random; nil for one that this draw does not give.
func (c *crowd) draw() *question {
	one := pick(c, c.people)
	among := func(of func(person) string, more ...string) []string { return someOf(c.random, c.people, of, more...) }
	given := func(contacts []contact, of func(contact) string) string {
		if len(contacts) == 0 {
			return ""
		}
		return of(contacts[0])
	}
	id, as := func(e contact) string { return e.id }, func(e contact) string { return e.given }
	want := c.random.IntN(2) == 0
	part := func(s string) string { return partOf(c.random, s) }
	moment := func() time.Time {
		t := one.created
		switch c.random.IntN(8) {
		case 0:
			t = t.Add(time.Millisecond)
		case 1:
			t = t.Add(-time.Microsecond)
		case 2:
			t = t.In(time.FixedZone("", 5*3600+1800))
		case 3: // the end and the beginning of what a timestamp can say
			t = pick(c, []time.Time{{}, time.Date(1970, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)), time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -14*3600))})
		}
		return t
	}
	const format = time.RFC3339Nano
	switch c.random.IntN(17) {
	case 0:
		values := among(func(p person) string { return p.ID }, "user-test-00000000-0000-4000-8000-000000000001", one.ID, one.ID)
		return &question{"user_id", values, func(p person) bool { return slices.Contains(values, p.ID) }}
	case 1:
		values := among(func(p person) string { return p.external }, "nobody", "no ID at all \x00")
		return &question{"user_id", values, func(p person) bool { return p.external != "" && slices.Contains(values, p.external) }}
	case 2:
		status := map[bool]string{true: "pending", false: "active"}[want]
		return &question{"status", status, func(p person) bool { return p.pending == want }}
	case 3:
		values := among(func(p person) string { return strings.ToUpper(given(p.emails, as)) }, "nobody@example.com", "no address")
		for i, v := range values {
			values[i] = strings.ReplaceAll(strings.ReplaceAll(v, "ÜNAL", "ÜnAL"), "BÜCHER", "bücher")
		}
		return &question{"email_address", values, func(p person) bool {
			return anyOf(p.emails, func(e contact) bool {
				return slices.ContainsFunc(values, func(v string) bool { return lowerASCII(v) == lowerASCII(e.given) })
			})
		}}
	case 4:
		values := among(func(p person) string { return given(p.emails, id) }, "email-test-00000000-0000-4000-8000-000000000001", "x")
		return &question{"email_id", values, func(p person) bool {
			return anyOf(p.emails, func(e contact) bool { return slices.Contains(values, e.id) })
		}}
	case 5:
		values := among(func(p person) string { return given(p.phones, as) }, "4412345678", "+1")
		return &question{"phone_number", values, func(p person) bool {
			return anyOf(p.phones, func(e contact) bool { return slices.Contains(values, e.given) })
		}}
	case 6:
		values := among(func(p person) string { return given(p.phones, id) }, "x")
		return &question{"phone_id", values, func(p person) bool {
			return anyOf(p.phones, func(e contact) bool { return slices.Contains(values, e.id) })
		}}
	case 7:
		return &question{"email_verified", want, func(p person) bool { return anyOf(p.emails, func(e contact) bool { return e.verified == want }) }}
	case 8:
		return &question{"phone_verified", want, func(p person) bool { return anyOf(p.phones, func(e contact) bool { return e.verified == want }) }}
	case 9:
		if value := part(given(one.emails, func(e contact) string { return e.key })); value != "" {
			value = strings.Replace(value, "e", "E", 1)
			return &question{"email_address_fuzzy", value, func(p person) bool {
				return anyOf(p.emails, func(e contact) bool { return strings.Contains(e.key, lowerASCII(value)) })
			}}
		}
	case 10:
		if value := part(given(one.phones, as)); value != "" {
			return &question{"phone_number_fuzzy", value, func(p person) bool {
				return anyOf(p.phones, func(e contact) bool { return strings.Contains(e.given, value) })
			}}
		}
	case 11:
		if value := part(folded(one.name)); value != "" {
			if want {
				value = norm.NFD.String(value)
			}
			return &question{"full_name_fuzzy", value, func(p person) bool { return strings.Contains(folded(p.name), folded(value)) }}
		}
	case 12:
		after := moment()
		return &question{"created_at_greater_than", after.Format(format), func(p person) bool { return p.created.After(after) }}
	case 13:
		before := moment()
		return &question{"created_at_less_than", before.Format(format), func(p person) bool { return p.created.Before(before) }}
	case 14:
		after, before := moment(), pick(c, c.people).created
		return &question{"created_at_between", object{"greater_than": after.Format(format), "less_than": before.Format(format)}, func(p person) bool {
			return p.created.After(after) && p.created.Before(before)
		}}
	case 15:
		return &question{"password_exists", want, func(person) bool { return !want }}
	case 16:
		name := pick(c, []string{"oauth_provider", "totp_id", "webauthn_registration_id", "crypto_wallet_id", "crypto_wallet_address"})
		return &question{name, []string{"a"}, func(person) bool { return false }}
	}
	return nil
}

// oracle knows all users, newest first.
func (c *crowd) oracle() oracle[person] {
	return oracle[person]{
		random: c.random, all: c.people, id: func(p person) string { return p.ID }, draw: c.draw,
		ask: c.search, results: "results", field: "user_id",
	}
}

// TestSearchFindsWhatThereIs draws a directory and queries at random, and holds
// each search, page by page, against a look at everybody.
func TestSearchFindsWhatThereIs(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		c := newCrowd(t, p, clock)
		c.settle(t, 300)
		arrangeBeside(t, p).user(t, object{"email": "ada@example.com"}) // another environment's
		some, asked := c.oracle().hold(t, rounds(400))
		if !testing.Short() && (some < 100 || len(asked) < 16) {
			t.Errorf("only %d queries found some but not all, of the filters %v", some, asked)
		}
	})
}

// TestSearchWhilePeopleCome adds people between the pages.
func TestSearchWhilePeopleCome(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		c := newCrowd(t, p, clock)
		c.settle(t, 60)
		for n, questions := range [][]*question{
			nil,
			{{"status", "active", func(p person) bool { return !p.pending }}},
			{{"email_address_fuzzy", "example", func(p person) bool {
				return anyOf(p.emails, func(e contact) bool { return strings.Contains(e.key, "example") })
			}}},
		} {
			all, _, _ := c.oracle().follow(t, queryOf(false, questions), func() int { return 1000 }, func() {})
			come := 0
			ids, _, _ := c.oracle().follow(t, queryOf(false, questions), func() int { return 7 }, func() {
				clock.Advance(time.Millisecond)
				p.user(t, object{"email": fmt.Sprintf("new%d-%d@example.com", n, come)})
				come++
			})
			if diff := cmp.Diff(all, ids); diff != "" || come == 0 {
				t.Errorf("%d came between the pages (-at the start +found):\n%s", come, diff)
			}
		}
	})
}

// TestSearchGoesOnBehindItsBound asks a directory that is larger than what one
// search looks at. A page may be short, but the cursors lead to everybody.
func TestSearchGoesOnBehindItsBound(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		c := newCrowd(t, p, clock)
		c.settle(t, 3000)
		limit := c.people[len(c.people)-5].created.Add(time.Microsecond)
		verified := &question{"phone_verified", true, func(p person) bool { return anyOf(p.phones, func(e contact) bool { return e.verified }) }}
		rare := &question{"email_address_fuzzy", "7@xn--", func(p person) bool {
			return anyOf(p.emails, func(e contact) bool { return strings.Contains(e.key, "7@xn--") })
		}}
		wild := &question{"email_address_fuzzy", "A_B", func(p person) bool { // in SQL a-b is like it
			return anyOf(p.emails, func(e contact) bool { return strings.Contains(e.key, "a_b") })
		}}
		percent := &question{"full_name_fuzzy", "0%_r", func(p person) bool { return strings.Contains(folded(p.name), "0%_r") }}
		backslash := &question{"full_name_fuzzy", `k\S`, func(p person) bool { return strings.Contains(folded(p.name), `k\s`) }}
		pending := &question{"status", "pending", func(p person) bool { return p.pending }}
		early := &question{"created_at_less_than", limit.Format(time.RFC3339Nano), func(p person) bool { return p.created.Before(limit) }}
		named := func(people []person) *question { // more of them than one statement takes, and some twice
			var ids []string
			for _, p := range people {
				ids = append(ids, p.ID)
			}
			return &question{"user_id", ids, func(p person) bool { return slices.Contains(ids, p.ID) }}
		}
		short := 0
		for _, row := range []struct {
			or        bool
			questions []*question
		}{
			{false, nil},
			{false, []*question{verified}},
			{false, []*question{rare}},
			{false, []*question{rare, verified}},
			{false, []*question{pending, verified}},
			{true, []*question{rare, verified}},
			{false, []*question{early}},
			{true, []*question{early, rare}},
			{false, []*question{wild}},
			{false, []*question{percent}},
			{false, []*question{backslash}},
			{true, []*question{named(c.people[:500]), named(c.people[100:600])}},
		} {
			for _, size := range []int{1000, 100} {
				want := c.oracle().expected(row.or, row.questions)
				ids, totals, sizes := c.oracle().follow(t, queryOf(row.or, row.questions), func() int { return size }, func() {})
				if diff := cmp.Diff(want, ids); diff != "" {
					t.Errorf("%v (-want +found):\n%s", queryOf(row.or, row.questions), diff)
				}
				for _, total := range totals {
					if total != len(want) && (total != -1 || row.questions == nil) {
						t.Errorf("%v: totals %v, want %d, or -1 for one that did not come to its end", queryOf(row.or, row.questions), totals, len(want))
						break
					}
				}
				for _, n := range sizes[:len(sizes)-1] {
					if n < size {
						short++
					}
				}
			}
		}
		if short == 0 {
			t.Error("no page was short: no search came to its bound")
		}
		for _, q := range []*question{verified, rare, early, wild, percent, backslash} {
			if len(c.oracle().expected(false, []*question{q})) == 0 {
				t.Errorf("%s shows nothing", q.name)
			}
		}
	})
}
