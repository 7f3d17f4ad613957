package rbac_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
)

func policy() countersign.Policy {
	return countersign.Policy{CustomRoles: []countersign.Role{
		{ID: "reader", Permissions: []countersign.Permission{{ResourceID: "documents", Actions: []string{"read"}}}},
		{ID: "owner", Permissions: []countersign.Permission{{ResourceID: "documents", Actions: []string{"*"}}, {ResourceID: "billing", Actions: []string{"read"}}}},
	}}
}

func ExampleGranting() {
	fmt.Println(rbac.Granting(policy(), []string{"owner", "reader"}, "documents", "read"))
	fmt.Println(rbac.Granting(policy(), []string{"reader"}, "documents", "write"))
	// Output:
	// [reader owner]
	// []
}

func TestGranting(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		roles            []string
		resource, action string
		want             []string
	}{
		{"by name", []string{"reader"}, "documents", "read", []string{"reader"}},
		{"by wildcard", []string{"owner"}, "documents", "anything", []string{"owner"}},
		{"a wildcard is asked for, not granted", []string{"reader"}, "documents", "*", nil},
		{"another resource", []string{"owner"}, "documents2", "read", nil},
		{"no prefix of a resource", []string{"owner"}, "document", "read", nil},
		{"a wildcard on one resource is none on another", []string{"owner"}, "billing", "write", nil},
		{"a role that the policy does not know", []string{"admin"}, "documents", "read", nil},
		{"no roles", nil, "documents", "read", nil},
		{"case matters", []string{"Owner"}, "documents", "read", nil},
	} {
		got := rbac.Granting(policy(), test.roles, test.resource, test.action)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: Granting(%v, %q, %q) differs (-want +got):\n%s", test.name, test.roles, test.resource, test.action, diff)
		}
	}
}

func TestDefaultPolicyPermitsNothing(t *testing.T) {
	t.Parallel()
	if got := rbac.Granting(countersign.DefaultPolicy(countersign.Consumer), []string{countersign.DefaultUserRole}, "stytch.user", "read"); got != nil {
		t.Errorf("the default role grants %v", got)
	}
	if !rbac.Defines(countersign.DefaultPolicy(countersign.Consumer), countersign.DefaultUserRole) || rbac.Defines(countersign.DefaultPolicy(countersign.Consumer), "admin") {
		t.Error("the default policy defines other roles than the default one")
	}
}
