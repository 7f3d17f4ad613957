package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// business is organizations with members at random, as the test knows them, newest
// first.
type business struct {
	*place
	random        *rand.Rand
	organizations []firm
	members       []employee
}

// firm is what a search can ask about an organization.
type firm struct {
	id, name, slug, external string
	domains                  []string
	addresses                []string // of members, and reserved ones
}

// employee is what a search can ask about a member.
type employee struct {
	id, organization, email, phone, external, status string
	admin, breakglass                                bool
}

func newBusiness(t *testing.T, p *place, clock *servertest.Clock, firms, employees int) *business {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	b := &business{place: p, random: rand.New(rand.NewPCG(seed, 0))}
	names := []string{"Acme", "ÅNGSTRÖM", "100%_Real", `back\slash`, "李小龙", "Zoe\u0308 & Co"}
	for i := range firms {
		clock.Advance(time.Duration(b.random.IntN(1500)) * time.Millisecond)
		f := firm{name: fmt.Sprint(from(b.random, names), " ", i), slug: fmt.Sprint(from(b.random, []string{"acme", "a_b", "a-b", "x.y~z"}), i)}
		body := object{"organization_name": f.name, "organization_slug": f.slug}
		if b.random.IntN(2) == 0 {
			f.external = fmt.Sprint("crm|", i)
			body["organization_external_id"] = f.external
		}
		for _, domain := range []string{"acme.example", "acme.test", "sub.acme.example"} {
			if b.random.IntN(3) == 0 {
				f.domains = append(f.domains, domain)
			}
		}
		body["email_allowed_domains"] = append([]string{}, f.domains...)
		f.id = servertest.Must(t, p.API(http.MethodPost, organizations, body)).String("organization", "organization_id")
		b.organizations = append(b.organizations, f)
	}
	for i := range employees {
		clock.Advance(time.Duration(b.random.IntN(1500)) * time.Millisecond)
		b.hire(t, i)
	}
	// Newest first, and within a moment by ID: that is the order of IDs.
	slices.SortFunc(b.organizations, func(x, y firm) int { return strings.Compare(y.id, x.id) })
	slices.SortFunc(b.members, func(x, y employee) int { return strings.Compare(y.id, x.id) })
	return b
}

// hire makes a member, some of whom are pending, deleted, or have an address that
// they had before.
func (b *business) hire(t *testing.T, i int) {
	t.Helper()
	of := &b.organizations[b.random.IntN(len(b.organizations))]
	e := employee{
		organization: of.id, email: fmt.Sprint(from(b.random, []string{"ada", "a_b", "grace.hopper", "x+tag"}), i, "@", from(b.random, []string{"acme.example", "acme.test"})),
		admin: b.random.IntN(3) == 0, breakglass: b.random.IntN(3) == 0, status: "active",
	}
	body := object{"email_address": e.email, "is_breakglass": e.breakglass}
	if e.admin {
		body["roles"] = []string{"stytch_admin"}
	}
	if b.random.IntN(3) == 0 {
		e.phone = fmt.Sprintf("+44207183%04d", i)
		body["mfa_phone_number"] = e.phone
	}
	if b.random.IntN(2) == 0 {
		e.external = fmt.Sprint("hr|", i)
		body["external_id"] = e.external
	}
	if b.random.IntN(4) == 0 {
		e.status, body["create_member_as_pending"] = "pending", true
	}
	e.id = b.memberWith(t, of.id, body)
	path := organizations + "/" + of.id + "/members/" + e.id
	of.addresses = append(of.addresses, e.email)
	switch b.random.IntN(6) {
	case 0:
		e.email = "new." + e.email
		servertest.Must(t, b.API(http.MethodPut, path, object{"email_address": e.email}))
		of.addresses = append(of.addresses, e.email)
	case 1:
		servertest.Must(t, b.API(http.MethodDelete, path, nil))
		e.status, e.external = "deleted", "" // somebody else may have the external ID from now on
		of.addresses = of.addresses[:len(of.addresses)-1]
	}
	b.members = append(b.members, e)
}

func (b *business) memberWith(t *testing.T, organization string, body object) string {
	t.Helper()
	return servertest.Must(t, b.API(http.MethodPost, organizations+"/"+organization+"/members", body)).String("member_id")
}

// fuzzy is a filter for a part of one of something's texts.
func fuzzy[T any](name, part string, texts func(T) []string) *searched[T] {
	if part == "" {
		return nil
	}
	return &searched[T]{name, part, func(v T) bool {
		return slices.ContainsFunc(texts(v), func(s string) bool { return strings.Contains(folded(s), folded(part)) })
	}}
}

func (b *business) drawFirm() *searched[firm] {
	one, want := from(b.random, b.organizations), b.random.IntN(2) == 0
	exact := func(name string, values []string, of func(firm) []string) *searched[firm] {
		return &searched[firm]{name, values, func(f firm) bool {
			return slices.ContainsFunc(of(f), func(s string) bool { return s != "" && slices.Contains(values, s) })
		}}
	}
	id, slug := func(f firm) string { return f.id }, func(f firm) string { return f.slug }
	external := func(f firm) string { return f.external }
	domains, addresses := func(f firm) []string { return f.domains }, func(f firm) []string { return f.addresses }
	switch b.random.IntN(11) {
	case 0:
		return exact("organization_ids", someOf(b.random, b.organizations, id, one.id, "organization-test-00000000-0000-4000-8000-000000000001"), func(f firm) []string { return []string{f.id} })
	case 1:
		values := someOf(b.random, b.organizations, external, "nobody", one.id)
		return exact("organization_ids", values, func(f firm) []string { return []string{f.id, f.external} })
	case 2:
		return exact("organization_slugs", someOf(b.random, b.organizations, slug, "nobody"), func(f firm) []string { return []string{f.slug} })
	case 3:
		return exact("allowed_domains", []string{from(b.random, []string{"acme.example", "acme.test"}), "nobody.example"}, domains)
	case 4:
		return fuzzy("allowed_domain_fuzzy", from(b.random, []string{"acme", "sub.", "ACME.TE", "nobody"}), domains)
	case 5:
		return fuzzy("organization_name_fuzzy", partOf(b.random, folded(one.name)), func(f firm) []string { return []string{f.name} })
	case 6:
		return fuzzy("organization_slug_fuzzy", partOf(b.random, one.slug), func(f firm) []string { return []string{f.slug} })
	case 7:
		values := someOf(b.random, b.organizations, func(f firm) string {
			if len(f.addresses) == 0 {
				return ""
			}
			return f.addresses[0]
		}, "nobody@acme.example")
		return exact("member_emails", values, addresses)
	case 8:
		return fuzzy("member_email_fuzzy", partOf(b.random, from(b.random, b.members).email), addresses)
	case 9:
		return &searched[firm]{"has_active_sso_connection", want, func(firm) bool { return !want }}
	default:
		return &searched[firm]{"sso_connection_id", "a", func(firm) bool { return false }}
	}
}

func (b *business) drawEmployee() *searched[employee] {
	one, want := from(b.random, b.members), b.random.IntN(2) == 0
	exact := func(name string, of func(employee) string, more ...string) *searched[employee] {
		values := someOf(b.random, b.members, of, more...)
		return &searched[employee]{name, values, func(e employee) bool { return of(e) != "" && slices.Contains(values, of(e)) }}
	}
	id, external := func(e employee) string { return e.id }, func(e employee) string { return e.external }
	address, phone := func(e employee) string { return e.email }, func(e employee) string { return e.phone }
	switch b.random.IntN(10) {
	case 0:
		return exact("member_ids", id, "member-test-00000000-0000-4000-8000-000000000001")
	case 1:
		return exact("member_ids", external, "nobody")
	case 2:
		return exact("member_emails", address, "nobody@acme.example")
	case 3:
		return exact(from(b.random, []string{"member_mfa_phone_numbers", "member_phone_numbers"}), phone, "+442071830000000")
	case 4:
		role := map[bool]string{true: "stytch_admin", false: "stytch_member"}[want]
		return &searched[employee]{"member_roles", []string{role}, func(e employee) bool { return e.admin || !want }}
	case 5:
		values := []string{from(b.random, []string{"active", "pending", "deleted"}), from(b.random, []string{"active", "invited", "deleted"})}
		return &searched[employee]{"statuses", values, func(e employee) bool { return slices.Contains(values, e.status) }}
	case 6:
		return fuzzy("member_email_fuzzy", partOf(b.random, one.email), func(e employee) []string { return []string{e.email} })
	case 7:
		return fuzzy("member_mfa_phone_number_fuzzy", partOf(b.random, one.phone), func(e employee) []string { return []string{e.phone} })
	case 8:
		return &searched[employee]{"member_is_breakglass", want, func(e employee) bool { return e.breakglass == want }}
	default:
		return &searched[employee]{"member_password_exists", want, func(employee) bool { return !want }}
	}
}

// TestSearchOfBusinesses is TestSearchFindsWhatThereIs for organizations, and for
// the members of some of them.
func TestSearchOfBusinesses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		clock := servertest.NewClock()
		s := serve(t, database, clock)
		b := newBusiness(t, arrangeB2B(t, s, clock), clock, 40, 200)
		arrangeB2B(t, s, clock).organization(t, "Acme 1", object{"organization_slug": "acme1"}) // another environment's
		some, asked := oracle[firm]{
			random: b.random, all: b.organizations, id: func(f firm) string { return f.id }, draw: b.drawFirm,
			ask:     func(body object) servertest.Answer { return b.API(http.MethodPost, organizations+"/search", body) },
			results: "organizations", field: "organization_id",
		}.hold(t, rounds(200))
		if !testing.Short() && (some < 50 || len(asked) < 10) {
			t.Errorf("organizations: only %d queries found some but not all, of the filters %v", some, asked)
		}

		some, asked = 0, map[string]bool{}
		for range 10 {
			var refs, ids []string
			for range 1 + b.random.IntN(20) {
				f := from(b.random, b.organizations)
				ids, refs = append(ids, f.id), append(refs, from(b.random, []string{f.id, f.slug}))
			}
			found, more := oracle[employee]{
				random: b.random, id: func(e employee) string { return e.id }, draw: b.drawEmployee,
				all: slices.DeleteFunc(slices.Clone(b.members), func(e employee) bool { return !slices.Contains(ids, e.organization) }),
				scope: func(questions []*searched[employee], e employee) bool { // the deleted are found only by those who ask for a status
					return e.status != "deleted" || slices.ContainsFunc(questions, func(q *searched[employee]) bool { return q.name == "statuses" })
				},
				ask: func(body object) servertest.Answer {
					body["organization_ids"] = refs
					return b.API(http.MethodPost, organizations+"/members/search", body)
				},
				results: "members", field: "member_id",
			}.hold(t, rounds(40))
			some += found
			for name := range more {
				asked[name] = true
			}
		}
		if !testing.Short() && (some < 100 || len(asked) < 9) {
			t.Errorf("members: only %d queries found some but not all, of the filters %v", some, asked)
		}
	})
}
