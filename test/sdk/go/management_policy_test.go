package sdk_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/rbacpolicy"
)

// permits is a list of one permission.
func permits(resource string, actions ...string) []rbacpolicy.Permission {
	return []rbacpolicy.Permission{{ResourceID: resource, Actions: actions}}
}

// policyRequest says something of everything that a policy of that vertical has,
// in an order that is not the alphabet's.
func policyRequest(vertical projects.Vertical) rbacpolicy.SetRequest {
	request := rbacpolicy.SetRequest{
		CustomResources: []rbacpolicy.Resource{
			{ResourceID: "document", Description: "Documents", AvailableActions: []string{"write", "read", "delete"}},
			{ResourceID: "archive", AvailableActions: []string{"read"}},
		},
		CustomRoles: []rbacpolicy.Role{
			{RoleID: "writer", Description: "Writes", Permissions: append(permits("document", "write", "read"), permits("archive", "*")...)},
			{RoleID: "reader", Permissions: permits("document", "read")},
		},
		CustomScopes: []rbacpolicy.Scope{
			{Scope: "read:documents", Description: "Reads", Permissions: permits("document", "read")},
			{Scope: "all:archives", Permissions: permits("archive", "*")},
		},
	}
	if vertical == projects.VerticalB2B {
		request.StytchMember = &rbacpolicy.DefaultRole{Permissions: permits("document", "read")}
		request.StytchAdmin = &rbacpolicy.DefaultRole{Permissions: append(permits("document", "*"), permits("stytch.member", "*")...)}
	} else {
		request.StytchUser = &rbacpolicy.DefaultRole{Permissions: permits("document", "delete", "read")}
	}
	return request
}

// wanted is the policy that a request makes. What is built in is the server's.
func wanted(request rbacpolicy.SetRequest) rbacpolicy.Policy {
	return rbacpolicy.Policy{
		StytchMember: request.StytchMember, StytchAdmin: request.StytchAdmin, StytchUser: request.StytchUser,
		CustomRoles: request.CustomRoles, CustomResources: request.CustomResources, CustomScopes: request.CustomScopes,
	}
}

var besideBuiltIn = cmp.Options{cmpopts.IgnoreFields(rbacpolicy.Policy{}, "StytchResources"), cmpopts.EquateEmpty()}

func (e *environment) policy() rbacpolicy.Policy {
	e.t.Helper()
	got, err := manage().RBACPolicy.Get(e.t.Context(), rbacpolicy.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		e.t.Fatalf("get the policy: %v", err)
	}
	return got.Policy
}

func (e *environment) replacePolicy(request rbacpolicy.SetRequest) (rbacpolicy.Policy, error) {
	request.ProjectSlug, request.EnvironmentSlug = e.ProjectSlug, e.EnvironmentSlug
	answer, err := manage().RBACPolicy.Set(e.t.Context(), request)
	if err != nil {
		return rbacpolicy.Policy{}, err
	}
	return answer.Policy, nil
}

// expectPolicy holds the answer to a request, and what is read after it, against
// a policy.
func (e *environment) expectPolicy(what string, request rbacpolicy.SetRequest, want rbacpolicy.Policy) {
	e.t.Helper()
	answered, err := e.replacePolicy(request)
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	for from, got := range map[string]rbacpolicy.Policy{"answered": answered, "read": e.policy()} {
		if diff := cmp.Diff(want, got, besideBuiltIn); diff != "" {
			e.t.Errorf("%s (-want +%s):\n%s", what, from, diff)
		}
	}
}

// inEachVertical runs a test in an environment of each vertical.
func inEachVertical(t *testing.T, test func(t *testing.T, vertical projects.Vertical, e *environment)) {
	t.Helper()
	for _, vertical := range verticals {
		t.Run(string(vertical), func(t *testing.T) {
			t.Parallel()
			test(t, vertical, newEnvironmentOf(t, vertical, environments.EnvironmentTypeTest))
		})
	}
}

func TestPolicyBeforeAnyIsTheDefault(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		got := e.policy()
		if len(got.CustomRoles)+len(got.CustomResources)+len(got.CustomScopes) != 0 || len(got.StytchResources) == 0 {
			t.Errorf("the default policy is %+v", got)
		}
		if (got.StytchUser != nil) != (vertical == projects.VerticalConsumer) || (got.StytchMember != nil) != (vertical == projects.VerticalB2B) ||
			(got.StytchAdmin != nil) != (vertical == projects.VerticalB2B) {
			t.Errorf("default roles of a %s policy: %+v", vertical, got)
		}
	})
}

// GET after PUT is an equal policy: default roles exactly as they were sent, all
// lists in their order.
func TestPolicyIsEchoedAndKept(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(_ *testing.T, vertical projects.Vertical, e *environment) {
		request := policyRequest(vertical)
		e.expectPolicy("everything", request, wanted(request))
	})
}

// The client omits empty lists: they empty what was there.
func TestPolicyIsReplacedWhole(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		request := policyRequest(vertical)
		if _, err := e.replacePolicy(request); err != nil {
			t.Fatal(err)
		}
		request.CustomScopes = nil
		e.expectPolicy("without scopes", request, wanted(request))
		request.CustomRoles = request.CustomRoles[1:]
		e.expectPolicy("without a role", request, wanted(request))
	})
}

func TestPolicyKeepsDefaultRolesThatAreOmitted(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		request := policyRequest(vertical)
		if _, err := e.replacePolicy(request); err != nil {
			t.Fatal(err)
		}
		want := wanted(request)
		request.StytchMember, request.StytchAdmin, request.StytchUser = nil, nil, nil
		e.expectPolicy("without default roles", request, want)
	})
}

// A default role that is {} permits nothing.
func TestPolicyDefaultRoleWithoutPermissions(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(_ *testing.T, vertical projects.Vertical, e *environment) {
		request, none := policyRequest(vertical), &rbacpolicy.DefaultRole{}
		if vertical == projects.VerticalB2B {
			request.StytchMember, request.StytchAdmin = none, none
		} else {
			request.StytchUser = none
		}
		e.expectPolicy("default roles that permit nothing", request, wanted(request))
	})
}

func TestPolicyDefaultRoleOfTheOtherVertical(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		before := e.policy()
		role := &rbacpolicy.DefaultRole{Permissions: permits("document", "read")}
		wrong := map[string]func(*rbacpolicy.SetRequest){
			"stytch_member": func(r *rbacpolicy.SetRequest) { r.StytchMember = role },
			"stytch_admin":  func(r *rbacpolicy.SetRequest) { r.StytchAdmin = role },
		}
		if vertical == projects.VerticalB2B {
			wrong = map[string]func(*rbacpolicy.SetRequest){"stytch_user": func(r *rbacpolicy.SetRequest) { r.StytchUser = role }}
		}
		for name, set := range wrong {
			request := policyRequest(vertical)
			set(&request)
			_, err := e.replacePolicy(request)
			wantRefusal(t, name, err, refusal{400, "invalid_role_for_vertical"})
		}
		if diff := cmp.Diff(before, e.policy()); diff != "" {
			t.Errorf("a refusal changed the policy (-before +after):\n%s", diff)
		}
	})
}

// Terraform reads, strips what concerns custom resources from the default roles,
// and writes the rest back with empty lists.
func TestPolicyDeletedAsTerraformDoes(t *testing.T) {
	t.Parallel()
	inEachVertical(t, func(t *testing.T, vertical projects.Vertical, e *environment) {
		if _, err := e.replacePolicy(policyRequest(vertical)); err != nil {
			t.Fatal(err)
		}
		read := e.policy()
		builtIn := map[string]bool{}
		for _, r := range read.StytchResources {
			builtIn[r.ResourceID] = true
		}
		stripped := func(role *rbacpolicy.DefaultRole) *rbacpolicy.DefaultRole {
			if role == nil {
				return nil
			}
			left := &rbacpolicy.DefaultRole{}
			for _, p := range role.Permissions {
				if builtIn[p.ResourceID] {
					left.Permissions = append(left.Permissions, p)
				}
			}
			return left
		}
		request := rbacpolicy.SetRequest{StytchMember: stripped(read.StytchMember), StytchAdmin: stripped(read.StytchAdmin), StytchUser: stripped(read.StytchUser)}
		e.expectPolicy("what Terraform leaves", request, wanted(request))
	})
}

func TestPolicyOfNoEnvironment(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	_, err := manage().RBACPolicy.Get(t.Context(), rbacpolicy.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: "nowhere"})
	wantRefusal(t, "get", err, refusal{404, "environment_not_found"})
	_, err = manage().RBACPolicy.Set(t.Context(), rbacpolicy.SetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: "nowhere"})
	wantRefusal(t, "set", err, refusal{404, "environment_not_found"})
}
