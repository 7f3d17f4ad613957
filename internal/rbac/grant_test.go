package rbac_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
)

func ExampleGiver_Give() {
	roles := countersign.Policy{CustomRoles: []countersign.Role{{ID: "reader"}, {ID: "owner"}}}
	issuer := rbac.Giver{Profile: countersign.NewID[countersign.ProfileID](countersign.Test), Revision: 1}
	api := rbac.Giver{Revision: 1}
	grants := issuer.Give(roles, nil, []string{"reader"})
	grants = api.Give(roles, grants, []string{"reader", "owner"})
	grants = issuer.Give(roles, grants, []string{}) // the issuer takes back what it gave
	for _, g := range grants {
		fmt.Println(g.RoleID, g.Explicit, len(g.Profiles))
	}
	// Output:
	// reader true 0
	// owner true 0
}

func TestGive(t *testing.T) {
	t.Parallel()
	policy := countersign.Policy{
		DefaultRoles: []countersign.Role{{ID: "default"}},
		CustomRoles:  []countersign.Role{{ID: "a"}, {ID: "b", Since: 5}, {ID: "c"}},
	}
	x, y := countersign.NewID[countersign.ProfileID](countersign.Test), countersign.NewID[countersign.ProfileID](countersign.Test)
	explicit := func(role string, revision int64, profiles ...countersign.ProfileID) countersign.Grant {
		return countersign.Grant{RoleID: role, Revision: revision, Explicit: true, Profiles: profiles}
	}
	given := func(role string, revision int64, profiles ...countersign.ProfileID) countersign.Grant {
		return countersign.Grant{RoleID: role, Revision: revision, Profiles: profiles}
	}
	type grants = []countersign.Grant
	for _, test := range []struct {
		name   string
		by     rbac.Giver
		before grants
		roles  []string
		want   grants
	}{
		{"nothing", rbac.Giver{Revision: 7}, nil, nil, nil},
		{"explicitly", rbac.Giver{Revision: 7}, nil, []string{"b", "a"}, grants{explicit("b", 7), explicit("a", 7)}},
		{"by a profile", rbac.Giver{Profile: x, Revision: 7}, nil, []string{"a"}, grants{given("a", 7, x)}},
		{"a name twice", rbac.Giver{Profile: x, Revision: 7}, nil, []string{"a", "a"}, grants{given("a", 7, x)}},
		{"again, with the revision of the first time", rbac.Giver{Revision: 9}, grants{explicit("a", 7)}, []string{"a"}, grants{explicit("a", 7)}},
		{"what a profile gave, too", rbac.Giver{Revision: 9}, grants{given("a", 7, x)}, []string{"a"}, grants{explicit("a", 7, x)}},
		{"what another profile gave, too", rbac.Giver{Profile: y, Revision: 9}, grants{given("a", 7, x)}, []string{"a"}, grants{given("a", 7, x, y)}},
		{"a profile takes its own", rbac.Giver{Profile: x, Revision: 9}, grants{given("a", 7, x), given("b", 7, x, y), explicit("c", 7, x)}, nil, grants{given("b", 7, y), explicit("c", 7)}},
		{"the API takes its own", rbac.Giver{Revision: 9}, grants{given("a", 7, x), explicit("b", 7, y), explicit("c", 7)}, nil, grants{given("a", 7, x), given("b", 7, y)}},
		{"one for another", rbac.Giver{Profile: x, Revision: 9}, grants{given("a", 7, x)}, []string{"c"}, grants{given("c", 9, x)}},
		{"what the policy lost is dropped", rbac.Giver{Revision: 9}, grants{explicit("gone", 7), given("gone", 7, x), explicit("a", 7)}, []string{"a"}, grants{explicit("a", 7)}},
		{"an older role of that name is dropped", rbac.Giver{Revision: 9}, grants{given("b", 4, x)}, []string{"a"}, grants{explicit("a", 9)}},
		{"and given anew is the newer one", rbac.Giver{Revision: 9}, grants{explicit("b", 4, x)}, []string{"b"}, grants{explicit("b", 9)}},
	} {
		before := make(grants, len(test.before))
		for i, g := range test.before {
			before[i] = g
			before[i].Profiles = slices.Clone(g.Profiles)
		}
		got := test.by.Give(policy, test.before, test.roles)
		if diff := cmp.Diff(test.want, got, cmp.Comparer(sameProfiles), cmp.Comparer(sameID)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(before, append(grants{}, test.before...), cmp.Comparer(sameProfiles), cmp.Comparer(sameID)); diff != "" {
			t.Errorf("%s changed what it was given:\n%s", test.name, diff)
		}
	}
}

func sameID(a, b countersign.ProfileID) bool { return a == b }

// sameProfiles makes no difference between none and an empty list.
func sameProfiles(a, b []countersign.ProfileID) bool { return slices.Equal(a, b) }

func TestCounts(t *testing.T) {
	t.Parallel()
	policy := countersign.Policy{CustomRoles: []countersign.Role{{ID: "a"}, {ID: "b", Since: 5}}}
	here, gone := countersign.NewID[countersign.ProfileID](countersign.Test), countersign.NewID[countersign.ProfileID](countersign.Test)
	stands := func(p countersign.ProfileID) bool { return p == here }
	for _, test := range []struct {
		name  string
		grant countersign.Grant
		want  bool
	}{
		{"explicit", countersign.Grant{RoleID: "a", Explicit: true}, true},
		{"by a profile", countersign.Grant{RoleID: "a", Profiles: []countersign.ProfileID{gone, here}}, true},
		{"by a profile that is gone", countersign.Grant{RoleID: "a", Profiles: []countersign.ProfileID{gone}}, false},
		{"by nobody", countersign.Grant{RoleID: "a"}, false},
		{"a role that is gone", countersign.Grant{RoleID: "c", Explicit: true}, false},
		{"with the revision of the role", countersign.Grant{RoleID: "b", Revision: 5, Explicit: true}, true},
		{"before the role", countersign.Grant{RoleID: "b", Revision: 4, Explicit: true}, false},
	} {
		if got := rbac.Counts(policy, test.grant, stands); got != test.want {
			t.Errorf("%s: Counts = %t, want %t", test.name, got, test.want)
		}
	}
}
