package standing_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// world is an environment in a store.
type world struct {
	t     *testing.T
	store *store.Store
	env   countersign.Environment
}

func newWorld(t *testing.T, s *store.Store, v countersign.Vertical) *world {
	t.Helper()
	w := &world{t: t, store: s, env: countersign.Environment{
		ID: countersign.NewID[countersign.EnvironmentID](countersign.Test), Slug: "test", ProjectSlug: string(v), Vertical: v, Name: "Test",
		Type: countersign.TestEnvironment, Settings: countersign.DefaultEnvironmentSettings(), SessionTokenKey: []byte{1}, CreatedAt: time.Now(),
	}}
	w.change(func(tx *store.Tx) error {
		return errors.Join(
			tx.InsertProject(t.Context(), countersign.Project{Slug: string(v), Name: "Test", Vertical: v, CreatedAt: tx.Now}),
			tx.InsertEnvironment(t.Context(), w.env),
		)
	})
	return w
}

// change runs in a transaction, and reads the environment as a request would.
func (w *world) change(fn func(*store.Tx) error) {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), countersign.System(), func(tx *store.Tx) (err error) {
		if err = fn(tx); err != nil {
			return err
		}
		w.env, err = tx.Environment(w.t.Context(), w.env.ID)
		return errors.Join(err, tx.Record(w.t.Context(), w.env.ID, "test.changed", w.env.Slug, nil))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) of(b *standing.Book) *standing.Rules {
	w.t.Helper()
	r, err := b.Of(w.t.Context(), w.env)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestRulesFollowTheEnvironment(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, countersign.Consumer)
		ctx, book := t.Context(), standing.NewBook(s)
		begin := w.of(book)
		if begin.Template != nil || begin.Audience != "" || !cmp.Equal(begin.Policy, countersign.DefaultPolicy(countersign.Consumer)) {
			t.Errorf("the rules of a new environment: %+v", begin)
		}
		if w.of(book) != begin {
			t.Error("the rules are read again although they stand")
		}
		profile := countersign.Profile{
			ID: countersign.NewID[countersign.ProfileID](countersign.Test), EnvironmentID: w.env.ID, Name: "p", Issuer: "i", Audience: "a",
			KeyType: countersign.KeyTypeJWK, JWKSURL: "https://idp.example.com", Policy: countersign.DefaultTrustPolicy(), CreatedAt: time.Now(),
		}
		w.change(func(tx *store.Tx) error {
			return errors.Join(
				tx.PutPolicy(ctx, w.env.ID, countersign.Policy{DefaultRoles: begin.Policy.DefaultRoles, CustomRoles: []countersign.Role{{ID: "a", Since: 1}}}),
				tx.PutTemplate(ctx, w.env.ID, countersign.SessionTemplate, countersign.Template{Content: `{"a": {{user.user_id}}}`, CustomAudience: "aud"}),
				tx.InsertProfile(ctx, profile),
			)
		})
		now := w.of(book)
		if now.Template == nil || now.Audience != "aud" || now.Revision <= begin.Revision {
			t.Errorf("after a change: %+v", now)
		}
		grants, err := now.Give(profile.ID, nil, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		roles := func(r *standing.Rules, want ...string) {
			t.Helper()
			somebody := countersign.Person{Grants: grants}
			r.Settle(&somebody)
			if diff := cmp.Diff(want, somebody.Roles); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
		}
		roles(now, "stytch_user", "a")
		roles(begin, "stytch_user")
		for role, want := range map[string]error{"b": countersign.ErrInvalidRBACRoleID, "": countersign.ErrInvalidRBACRoleID, "stytch_user": countersign.ErrCannotAssignDefaultRBACRoleID} {
			if _, err := now.Give(countersign.ProfileID{}, grants, []string{"a", role}); !errors.Is(err, want) {
				t.Errorf("Give(%q) = %v, want %v", role, err, want)
			}
		}
		w.change(func(tx *store.Tx) error { return tx.DeleteProfile(ctx, w.env.ID, profile.ID) })
		roles(w.of(book), "stytch_user")
		w.change(func(tx *store.Tx) error {
			return tx.PutTemplate(ctx, w.env.ID, countersign.SessionTemplate, countersign.Template{Content: `{ }`})
		})
		if last := w.of(book); last.Template != nil || last.Audience != "" {
			t.Errorf("an empty template: %+v", last)
		}
		// A request that was let in before the change gets the newer rules, too.
		old := w.env
		old.Revision = 0
		if r, err := book.Of(ctx, old); err != nil || r.Revision != w.env.Revision {
			t.Errorf("Of(an older row) = %+v, %v", r, err)
		}
		// M2M templates and other environments move nobody's rules.
		other := newWorld(t, s, countersign.B2B)
		somebody := countersign.Person{Grants: grants}
		if other.of(book).Settle(&somebody); !cmp.Equal(somebody.Roles, []string{"stytch_member"}) {
			t.Errorf("roles in another environment: %v", somebody.Roles)
		}
		if _, err := other.of(book).Give(countersign.ProfileID{}, nil, []string{"stytch_admin"}); err != nil {
			t.Errorf("Give(stytch_admin) = %v", err)
		}
	})
}

func TestRulesOfAnOrganization(t *testing.T) {
	t.Parallel()
	rules := &standing.Rules{Policy: countersign.Policy{CustomRoles: []countersign.Role{{ID: "reader"}}}}
	organization := &countersign.Organization{
		CustomRoles: []countersign.Role{{ID: "own", Since: 2}},
		Settings: countersign.OrganizationSettings{ImplicitRoles: []countersign.ImplicitRole{
			{Domain: "acme.example", RoleID: "reader"}, {Domain: "acme.example", RoleID: "own"}, {Domain: "acme.example", RoleID: "gone"}, {Domain: "other.example", RoleID: "own"},
		}},
	}
	member := func(key string, grants ...countersign.Grant) countersign.Person {
		return countersign.Person{Organization: organization, Emails: []countersign.Email{{Key: "old@acme.example", Retired: true}, {Key: key}}, Grants: grants}
	}
	reader := countersign.Grant{RoleID: "reader", Explicit: true}
	for _, test := range []struct {
		name   string
		person countersign.Person
		want   []countersign.HeldRole
	}{
		{"nothing", member("a@example.com"), nil},
		{"by the domain", member("a@acme.example"), []countersign.HeldRole{{RoleID: "reader", Domain: "acme.example"}, {RoleID: "own", Domain: "acme.example"}}},
		{"a domain below is another", member("a@b.acme.example"), nil},
		{"by a call and by the domain", member("a@acme.example", reader), []countersign.HeldRole{{RoleID: "reader", Assigned: true, Domain: "acme.example"}, {RoleID: "own", Domain: "acme.example"}}},
		{"by a call", member("a@example.com", countersign.Grant{RoleID: "own", Revision: 2, Explicit: true}), []countersign.HeldRole{{RoleID: "own", Assigned: true}}},
		{"one of that name before", member("a@example.com", countersign.Grant{RoleID: "own", Revision: 1, Explicit: true}), nil},
	} {
		rules.For(organization).Settle(&test.person)
		if diff := cmp.Diff(test.want, test.person.Held, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if rules.For(nil) != rules || rules.For(&countersign.Organization{}) != rules {
		t.Error("the rules are others for nobody's organization")
	}
	if len(rules.Policy.CustomRoles) != 1 {
		t.Errorf("the organization changed the rules of all: %+v", rules.Policy)
	}
}

func TestRulesOfNobody(t *testing.T) {
	t.Parallel()
	storetest.EachStore(t, func(t *testing.T, s *store.Store) {
		env := countersign.Environment{ID: countersign.NewID[countersign.EnvironmentID](countersign.Test), Vertical: countersign.Consumer}
		if r, err := standing.NewBook(s).Of(t.Context(), env); !errors.Is(err, countersign.ErrUnauthorizedCredentials) {
			t.Errorf("Of(an environment that is gone) = %v, %v", r, err)
		}
	})
}

func TestManyReadersWhileRulesChange(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t), time.Now)
	w := newWorld(t, s, countersign.Consumer)
	book := standing.NewBook(s)
	for round := range 20 {
		id := string(rune('a' + round))
		w.change(func(tx *store.Tx) error {
			return tx.PutPolicy(t.Context(), w.env.ID, countersign.Policy{CustomRoles: []countersign.Role{{ID: id}}})
		})
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if r, err := book.Of(t.Context(), w.env); err != nil || r.Policy.CustomRoles[0].ID != id {
					t.Errorf("round %d: %+v, %v", round, r, err)
				}
			})
		}
		group.Wait()
	}
}
