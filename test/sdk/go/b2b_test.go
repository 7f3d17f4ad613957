package sdk_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/b2bstytchapi"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/rbac"
	rbacorganizations "github.com/stytchauth/stytch-go/v18/stytch/b2b/rbac/organizations"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/methodoptions"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/rbacpolicy"

	"github.com/countersign-auth/countersign/test/sdk/go/stand"
)

// business is an environment of a B2B project with a profile that provisions, whose
// tokens name the organization by the claim org.
type business struct {
	*environment
	issuer  *issuer
	backend *b2bstytchapi.API
	profile string
}

func newBusiness(t *testing.T) *business {
	t.Helper()
	e, i := newEnvironmentOf(t, projects.VerticalB2B, environments.EnvironmentTypeTest), newIssuer(t, rs256)
	_, err := manage().RBACPolicy.Set(t.Context(), rbacpolicy.SetRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug,
		CustomRoles:     []rbacpolicy.Role{{RoleID: "reader", Permissions: []rbacpolicy.Permission{{ResourceID: "document", Actions: []string{"read"}}}}},
		CustomResources: []rbacpolicy.Resource{{ResourceID: "document", AvailableActions: []string{"read", "write"}}},
	})
	if err != nil {
		t.Fatalf("set the policy: %v", err)
	}
	request := e.profileRequest(i)
	request.AttributeMapping = &map[string]any{"email": "email", "token_id": "jti", "external_member_id": "sub", "organization_id": "org", "role_ids": "roles"}
	client, err := b2bstytchapi.NewClient(e.ProjectID, e.secret().Secret,
		b2bstytchapi.WithBaseURI(stand.FromEnviron().URL), b2bstytchapi.WithInitializationContext(t.Context()))
	if err != nil {
		t.Fatalf("make a backend client: %v", err)
	}
	return &business{environment: e, issuer: i, backend: client, profile: e.profile(request)}
}

func (b *business) attest(t *testing.T, all ...claims) *sessions.AttestResponse {
	t.Helper()
	answer, err := b.backend.Sessions.Attest(t.Context(), &sessions.AttestParams{ProfileID: b.profile, Token: b.issuer.token(all...), SessionDurationMinutes: 60})
	if err != nil {
		t.Fatalf("attest: %v", err)
	}
	return answer
}

func TestOrganizationsAsTheClientCallsThem(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	api, ctx := b.backend.Organizations, t.Context()
	created, err := api.Create(ctx, &organizations.CreateParams{
		OrganizationName: "Acme", OrganizationSlug: "acme", OrganizationExternalID: "crm|7", TrustedMetadata: map[string]any{"plan": "pro"},
		EmailAllowedDomains: []string{"acme.example"}, EmailJITProvisioning: "RESTRICTED",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := created.Organization
	if o.OrganizationSlug != "acme" || o.EmailInvites != "NOT_ALLOWED" || o.TrustedMetadata["plan"] != "pro" || o.CreatedAt == nil {
		t.Errorf("created %+v", o)
	}
	for _, ref := range []string{o.OrganizationID, "acme", "crm|7"} {
		got, err := api.Get(ctx, &organizations.GetParams{OrganizationID: ref})
		if err != nil || got.Organization.OrganizationID != o.OrganizationID {
			t.Errorf("get %s = %+v, %v", ref, got, err)
		}
	}
	updated, err := api.Update(ctx, &organizations.UpdateParams{OrganizationID: "acme", OrganizationName: "Acme Inc"})
	if err != nil || updated.Organization.OrganizationName != "Acme Inc" || updated.Organization.OrganizationSlug != "acme" {
		t.Errorf("update = %+v, %v", updated, err)
	}
	found, err := api.Search(ctx, &organizations.SearchParams{Query: &organizations.SearchQuery{
		Operator: organizations.SearchQueryOperatorAND, Operands: []map[string]any{{"filter_name": "organization_slugs", "filter_value": []string{"acme"}}},
	}})
	if err != nil || len(found.Organizations) != 1 || found.ResultsMetadata.Total != 1 {
		t.Errorf("search = %+v, %v", found, err)
	}
	metrics, err := api.Metrics(ctx, &organizations.MetricsParams{OrganizationID: "acme"})
	if err != nil || metrics.MemberCount != 0 {
		t.Errorf("metrics = %+v, %v", metrics, err)
	}
	if _, err := api.DeleteExternalID(ctx, &organizations.DeleteExternalIDParams{OrganizationID: "acme"}); err != nil {
		t.Error(err)
	}
	_, err = api.Create(ctx, &organizations.CreateParams{OrganizationName: "Other", OrganizationSlug: "acme"})
	wantRefusal(t, "the slug again", err, refusal{400, "organization_slug_already_used"})
	if deleted, err := api.Delete(ctx, &organizations.DeleteParams{OrganizationID: "acme"}); err != nil || deleted.OrganizationID != o.OrganizationID {
		t.Errorf("delete = %+v, %v", deleted, err)
	}
	_, err = api.Get(ctx, &organizations.GetParams{OrganizationID: o.OrganizationID})
	wantRefusal(t, "a deleted one", err, refusal{404, "organization_not_found"})
}

func TestMembersAsTheClientCallsThem(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	signed := b.attest(t, person(), claims{"org": "acme"})
	api, ctx, id := b.backend.Organizations.Members, t.Context(), signed.Organization.OrganizationID
	created, err := api.Create(ctx, &members.CreateParams{
		OrganizationID: "acme", EmailAddress: "Grace@Example.com", Name: "Grace Hopper", Roles: []string{"reader"}, ExternalID: "hr|1",
		UntrustedMetadata: map[string]any{"theme": "dark"}, MFAPhoneNumber: "+442071838750",
	})
	if err != nil {
		t.Fatal(err)
	}
	m := created.Member
	var roles []string
	for _, r := range m.Roles {
		roles = append(roles, r.RoleID)
		if len(r.Sources) != 1 || r.Sources[0].Type != "direct_assignment" {
			t.Errorf("the role %s comes from %+v", r.RoleID, r.Sources)
		}
	}
	if diff := cmp.Diff([]string{"stytch_member", "reader"}, roles); diff != "" || m.EmailAddress != "Grace@Example.com" || m.Status != "active" {
		t.Errorf("created %+v\n%s", m, diff)
	}
	for what, params := range map[string]*members.GetParams{
		"by ID": {OrganizationID: id, MemberID: m.MemberID}, "by external ID": {OrganizationID: id, MemberID: "hr|1"}, "by address": {OrganizationID: id, EmailAddress: "grace@example.com"},
	} {
		if got, err := api.Get(ctx, params); err != nil || got.MemberID != m.MemberID {
			t.Errorf("get %s = %+v, %v", what, got, err)
		}
	}
	name := "Grace"
	updated, err := api.Update(ctx, &members.UpdateParams{OrganizationID: id, MemberID: m.MemberID, Name: name, EmailAddress: "hopper@example.com"})
	if err != nil || updated.Member.Name != name || len(updated.Member.RetiredEmailAddresses) != 1 {
		t.Fatalf("update = %+v, %v", updated, err)
	}
	_, err = api.Create(ctx, &members.CreateParams{OrganizationID: id, EmailAddress: "grace@example.com"})
	wantRefusal(t, "a retired address", err, refusal{400, "retired_member_email"})
	unlinked, err := api.UnlinkRetiredEmail(ctx, &members.UnlinkRetiredEmailParams{OrganizationID: id, MemberID: m.MemberID, EmailAddress: "grace@example.com"})
	if err != nil || len(unlinked.Member.RetiredEmailAddresses) != 0 {
		t.Errorf("unlink = %+v, %v", unlinked, err)
	}
	if _, err := api.DeleteMFAPhoneNumber(ctx, &members.DeleteMFAPhoneNumberParams{OrganizationID: id, MemberID: m.MemberID}); err != nil {
		t.Error(err)
	}
	if _, err := api.DeleteExternalID(ctx, &members.DeleteExternalIDParams{OrganizationID: id, MemberID: m.MemberID}); err != nil {
		t.Error(err)
	}
	_, err = api.DeleteTOTP(ctx, &members.DeleteTOTPParams{OrganizationID: id, MemberID: m.MemberID})
	wantRefusal(t, "a TOTP", err, refusal{404, "totp_not_found"})
	found, err := api.Search(ctx, &members.SearchParams{OrganizationIds: []string{id}, Query: &organizations.SearchQuery{
		Operator: organizations.SearchQueryOperatorAND, Operands: []map[string]any{{"filter_name": "member_roles", "filter_value": []string{"reader"}}},
	}})
	if err != nil || len(found.Members) != 1 || found.Organizations[id].OrganizationSlug != "acme" {
		t.Errorf("search = %+v, %v", found, err)
	}
	if _, err := api.Delete(ctx, &members.DeleteParams{OrganizationID: id, MemberID: signed.MemberID}); err != nil {
		t.Error(err)
	}
	_, err = api.DangerouslyGet(ctx, &members.DangerouslyGetParams{MemberID: signed.MemberID})
	wantRefusal(t, "a deleted member", err, refusal{404, "member_not_found"})
	if gone, err := api.DangerouslyGet(ctx, &members.DangerouslyGetParams{MemberID: signed.MemberID, IncludeDeleted: true}); err != nil || gone.Member.Status != "deleted" {
		t.Errorf("a deleted member = %+v, %v", gone, err)
	}
	if back, err := api.Reactivate(ctx, &members.ReactivateParams{OrganizationID: id, MemberID: signed.MemberID}); err != nil || back.Member.Status != "active" {
		t.Errorf("reactivate = %+v, %v", back, err)
	}
}

func TestCallsAsAMember(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	signed := b.attest(t, person(), claims{"org": "acme"})
	ctx, id := t.Context(), signed.Organization.OrganizationID
	as := methodoptions.Authorization{SessionToken: signed.SessionToken}
	rename := &organizations.UpdateParams{OrganizationID: id, OrganizationName: "Better"}
	_, err := b.backend.Organizations.Update(ctx, rename, &organizations.UpdateRequestOptions{Authorization: as})
	wantRefusal(t, "a name that is not for members", err, refusal{403, "session_authorization_error"})
	if _, err := b.backend.Organizations.Members.Update(ctx, &members.UpdateParams{OrganizationID: id, MemberID: signed.MemberID, Name: "Me"}, &members.UpdateRequestOptions{Authorization: as}); err != nil {
		t.Errorf("one's own name: %v", err)
	}
	if _, err := b.backend.Organizations.Members.Update(ctx, &members.UpdateParams{OrganizationID: id, MemberID: signed.MemberID, Roles: ptr([]string{"stytch_admin"})}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.backend.Organizations.Update(ctx, rename, &organizations.UpdateRequestOptions{Authorization: methodoptions.Authorization{SessionJWT: signed.SessionJWT}}); err != nil {
		t.Errorf("as an administrator, by JWT: %v", err)
	}
	if _, err := b.backend.Sessions.Revoke(ctx, &sessions.RevokeParams{MemberID: signed.MemberID}, &sessions.RevokeRequestOptions{Authorization: as}); err != nil {
		t.Errorf("one's own sessions: %v", err)
	}
	_, err = b.backend.Organizations.Update(ctx, rename, &organizations.UpdateRequestOptions{Authorization: as})
	wantRefusal(t, "a session that ended", err, refusal{404, "session_not_found"})
}

func TestMemberSessionsAsTheClientCallsThem(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	who := person()
	signed := b.attest(t, who, claims{"org": "acme"})
	api, ctx, id := b.backend.Sessions, t.Context(), signed.Organization.OrganizationID
	if signed.Member.ExternalID != who["sub"] || signed.Organization.OrganizationSlug != "acme" || !signed.Member.EmailAddressVerified {
		t.Errorf("signed in %+v", signed.Member)
	}
	answer, err := api.Authenticate(ctx, &sessions.AuthenticateParams{
		SessionToken: signed.SessionToken, SessionDurationMinutes: 120, SessionCustomClaims: map[string]any{"plan": "pro"},
	})
	if err != nil {
		t.Fatal(err)
	}
	local, err := api.AuthenticateJWTLocal(ctx, answer.SessionJWT, time.Minute, nil)
	if err != nil {
		t.Fatalf("locally: %v", err)
	}
	if diff := cmp.Diff(answer.MemberSession, *local, cmpopts.IgnoreUnexported(sessions.MemberSession{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the JWT says something else than the session (-session +JWT):\n%s", diff)
	}
	list, err := api.Get(ctx, &sessions.GetParams{OrganizationID: id, MemberID: signed.MemberID})
	if err != nil || len(list.MemberSessions) != 1 {
		t.Errorf("get = %+v, %v", list, err)
	}
	joined, err := api.Attest(ctx, &sessions.AttestParams{ProfileID: b.profile, Token: b.issuer.token(who, claims{"org": "acme"}), SessionToken: signed.SessionToken})
	if err != nil || len(joined.MemberSession.AuthenticationFactors) != 2 {
		t.Errorf("attach = %+v, %v", joined, err)
	}
	_, err = api.Attest(ctx, &sessions.AttestParams{ProfileID: b.profile, Token: b.issuer.token(person(), claims{"org": "acme"}), SessionToken: signed.SessionToken})
	wantRefusal(t, "somebody else's session", err, refusal{400, "member_session_member_id_mismatch"})
	_, err = api.Attest(ctx, &sessions.AttestParams{ProfileID: b.profile, Token: b.issuer.token(person())})
	wantRefusal(t, "no organization", err, refusal{400, "token_missing_organization_id_claim"})

	other, err := b.backend.Organizations.Create(ctx, &organizations.CreateParams{OrganizationName: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	target := other.Organization.OrganizationID
	_, err = api.Exchange(ctx, &sessions.ExchangeParams{OrganizationID: target, SessionToken: signed.SessionToken})
	wantRefusal(t, "where nobody is", err, refusal{400, "member_does_not_exist_in_organization"})
	address, _ := who["email"].(string)
	if _, err := b.backend.Organizations.Members.Create(ctx, &members.CreateParams{OrganizationID: target, EmailAddress: address}); err != nil {
		t.Fatal(err)
	}
	exchanged, err := api.Exchange(ctx, &sessions.ExchangeParams{OrganizationID: target, SessionToken: signed.SessionToken})
	if err != nil || !exchanged.MemberAuthenticated || exchanged.Organization.OrganizationID != target {
		t.Errorf("exchange = %+v, %v", exchanged, err)
	}
	keys, err := api.GetJWKS(ctx, &sessions.GetJWKSParams{ProjectID: b.ProjectID})
	if err != nil || len(keys.Keys) == 0 {
		t.Errorf("keys = %+v, %v", keys, err)
	}
	if _, err := api.Revoke(ctx, &sessions.RevokeParams{MemberSessionID: signed.MemberSession.MemberSessionID}); err != nil {
		t.Error(err)
	}
	_, err = api.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: signed.SessionToken})
	wantRefusal(t, "a session that ended", err, refusal{404, "session_not_found"})
}

// What the client decides by itself, with the policies that it keeps, is what the
// server decides.
func TestMemberAuthorization(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	first := b.attest(t, person(), claims{"org": "acme"})
	ctx, id := t.Context(), first.Organization.OrganizationID
	policy, err := b.backend.RBAC.Policy(ctx, &rbac.PolicyParams{})
	if err != nil || len(policy.Policy.Roles) != 3 {
		t.Fatalf("policy = %+v, %v", policy, err)
	}
	empty, err := b.backend.RBAC.Organizations.GetOrgPolicy(ctx, &rbacorganizations.GetOrgPolicyParams{OrganizationID: id})
	if err != nil || len(empty.OrgPolicy.Roles) != 0 {
		t.Errorf("the policy of an organization = %+v, %v", empty, err)
	}
	own := rbac.OrgPolicy{Roles: []rbac.PolicyRole{{RoleID: "writer", Permissions: []rbac.PolicyRolePermission{{ResourceID: "document", Actions: []string{"*"}}}}}}
	if _, err := b.backend.RBAC.Organizations.SetOrgPolicy(ctx, &rbacorganizations.SetOrgPolicyParams{OrganizationID: id, OrgPolicy: own}); err != nil {
		t.Fatal(err)
	}
	for _, roles := range [][]string{{}, {"reader"}, {"writer"}} {
		signed := b.attest(t, person(), claims{"org": "acme", "roles": roles})
		for _, check := range []sessions.AuthorizationCheck{
			{OrganizationID: id, ResourceID: "document", Action: "read"},
			{OrganizationID: id, ResourceID: "document", Action: "write"},
			{OrganizationID: id, ResourceID: "stytch.self", Action: "delete"},
			{OrganizationID: id, ResourceID: "nothing", Action: "read"},
			{OrganizationID: "organization-test-00000000-0000-4000-8000-000000000001", ResourceID: "document", Action: "read"},
		} {
			_, remote := b.backend.Sessions.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: signed.SessionToken, AuthorizationCheck: &check})
			_, local := b.backend.Sessions.AuthenticateJWTLocal(ctx, signed.SessionJWT, time.Minute, &check)
			if (remote == nil) != (local == nil) {
				t.Errorf("%v, %+v: the server says %v, the client %v", roles, check, remote, local)
			}
			switch {
			case check.OrganizationID != id:
				wantRefusal(t, "another organization", remote, refusal{403, "session_authorization_tenancy_error"})
			case remote != nil:
				wantRefusal(t, "not permitted", remote, refusal{403, "session_authorization_error"})
			}
		}
	}
}
