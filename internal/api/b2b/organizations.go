package b2b

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type organizationRequest struct{ countersign.OrganizationPatch }

type organizationAnswer struct {
	wire.Envelope
	Organization wire.Organization `json:"organization"`
}

func answerOrganization(o countersign.Organization, err error) (*organizationAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &organizationAnswer{Organization: wire.NewOrganization(o)}, nil
}

// createOrganization is POST /v1/b2b/organizations.
func (s *Surface) createOrganization(ctx context.Context, r *api.Request[organizationRequest]) (*organizationAnswer, error) {
	return answerOrganization(s.Directory.CreateOrganization(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.OrganizationPatch))
}

// organization is GET /v1/b2b/organizations/{organization_id}.
func (s *Surface) organization(ctx context.Context, r *api.Request[api.None]) (*organizationAnswer, error) {
	return answerOrganization(s.Directory.Organization(ctx, r.Caller.Environment, r.Path("organization_id")))
}

// updateOrganization is PUT /v1/b2b/organizations/{organization_id}.
func (s *Surface) updateOrganization(ctx context.Context, c call, body organizationRequest) (*organizationAnswer, error) {
	p := body.OrganizationPatch
	var actions []string
	for _, field := range []struct {
		given  bool
		action string
	}{
		{p.Name != nil, "update.info.name"},
		{p.Slug != nil, "update.info.slug"},
		{p.LogoURL != nil, "update.info.logo-url"},
		{p.SSODefaultConnectionID != nil, "update.settings.default-sso-connection"},
		{p.SSOJITProvisioning != nil || p.SSOJITAllowedConnections != nil, "update.settings.sso-jit-provisioning"},
		{p.EmailAllowedDomains != nil, "update.settings.allowed-domains"},
		{p.EmailJITProvisioning != nil, "update.settings.email-jit-provisioning"},
		{p.EmailInvites != nil, "update.settings.email-invites"},
		{p.AuthMethods != nil || p.AllowedAuthMethods != nil, "update.settings.allowed-auth-methods"},
		{p.MFAPolicy != nil, "update.settings.mfa-policy"},
		{p.MFAMethods != nil || p.AllowedMFAMethods != nil, "update.settings.allowed-mfa-methods"},
		{p.ImplicitRoles != nil, "update.settings.implicit-roles"},
		{p.OAuthTenantJITProvisioning != nil, "update.settings.oauth-tenant-jit-provisioning"},
		{p.AllowedOAuthTenants != nil, "update.settings.allowed-oauth-tenants"},
	} {
		if field.given {
			actions = append(actions, field.action)
		}
	}
	ref := c.organization
	if err := cmp.Or(
		c.by.may(ref, organizations, actions...),
		c.by.metadata(given(p.TrustedMetadata)),
		c.by.never(p.ExternalID != nil, "organization_external_id"),
		c.by.never(p.ClaimedEmailDomains != nil, "claimed_email_domains"),
		c.by.never(p.FirstPartyAppsAllowed != nil || p.AllowedFirstPartyApps != nil, "first_party_connected_apps_allowed_type or allowed_first_party_connected_apps"),
		c.by.never(p.ThirdPartyAppsAllowed != nil || p.AllowedThirdPartyApps != nil, "third_party_connected_apps_allowed_type or allowed_third_party_connected_apps"),
	); err != nil {
		return nil, err
	}
	return answerOrganization(s.Directory.UpdateOrganization(ctx, c.by.actor, c.env, ref, p))
}

// given reports whether a member of a request is neither absent nor null.
func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

type deleteOrganizationAnswer struct {
	wire.Envelope
	OrganizationID string `json:"organization_id"`
}

// deleteOrganization is DELETE /v1/b2b/organizations/{organization_id}.
func (s *Surface) deleteOrganization(ctx context.Context, c call, _ api.None) (*deleteOrganizationAnswer, error) {
	ref := c.organization
	if err := c.by.may(ref, organizations, "delete"); err != nil {
		return nil, err
	}
	id, err := s.Directory.DeleteOrganization(ctx, c.by.actor, c.env, ref)
	return &deleteOrganizationAnswer{OrganizationID: id.String()}, err
}

type organizationMetricsAnswer struct {
	wire.Envelope
	MemberCount int `json:"member_count" openapi:"minimum=0"`
}

// organizationMetrics is GET /v1/b2b/organizations/{organization_id}/metrics.
func (s *Surface) organizationMetrics(ctx context.Context, r *api.Request[api.None]) (*organizationMetricsAnswer, error) {
	n, err := s.Directory.Members(ctx, r.Caller.Environment, r.Path("organization_id"))
	return &organizationMetricsAnswer{MemberCount: n}, err
}

// deleteOrganizationExternalID is DELETE /v1/b2b/organizations/{organization_id}/external_id.
func (s *Surface) deleteOrganizationExternalID(ctx context.Context, c call, _ api.None) (*organizationAnswer, error) {
	ref := c.organization
	if err := cmp.Or(c.by.organization(ref), c.by.never(true, "organization_external_id")); err != nil {
		return nil, err
	}
	return answerOrganization(s.Directory.ClearOrganizationExternalID(ctx, c.by.actor, c.env, ref))
}

type connectedAppsAnswer struct {
	wire.Envelope
	ConnectedApps []wire.ConnectedApp `json:"connected_apps"`
}

// organizationConnectedApps is GET /v1/b2b/organizations/{organization_id}/connected_apps:
// there are none.
func (s *Surface) organizationConnectedApps(ctx context.Context, c call, _ api.None) (*connectedAppsAnswer, error) {
	ref := c.organization
	if err := c.by.organization(ref); err != nil {
		return nil, err
	}
	_, err := s.Directory.Organization(ctx, c.env, ref)
	return &connectedAppsAnswer{ConnectedApps: []wire.ConnectedApp{}}, err
}

type connectedAppAnswer struct {
	wire.Envelope
	wire.OrganizationConnectedApp
}

// organizationConnectedApp is GET
// /v1/b2b/organizations/{organization_id}/connected_apps/{connected_app_id}.
func (s *Surface) organizationConnectedApp(ctx context.Context, c call, _ api.None) (*connectedAppAnswer, error) {
	if _, err := s.organizationConnectedApps(ctx, c, api.None{}); err != nil {
		return nil, err
	}
	return nil, countersign.ErrConnectedAppNotFound
}

type policyAnswer struct {
	wire.Envelope
	Policy wire.RuntimePolicy `json:"policy"`
}

// policy is GET /v1/b2b/rbac/policy.
func (s *Surface) policy(ctx context.Context, r *api.Request[api.None]) (*policyAnswer, error) {
	p, err := s.Projects.Policy(ctx, r.Caller.Environment)
	return &policyAnswer{Policy: wire.NewRuntimePolicy(p, r.Caller.Environment.Vertical)}, err
}

type organizationPolicy struct {
	Roles []wire.Role `json:"roles"`
}

type organizationPolicyAnswer struct {
	wire.Envelope
	OrgPolicy organizationPolicy `json:"org_policy"`
}

func answerPolicy(o countersign.Organization, err error) (*organizationPolicyAnswer, error) {
	return &organizationPolicyAnswer{OrgPolicy: organizationPolicy{Roles: wire.Roles(o.CustomRoles)}}, err
}

// organizationPolicy is GET /v1/b2b/rbac/organizations/{organization_id}.
func (s *Surface) organizationPolicy(ctx context.Context, r *api.Request[api.None]) (*organizationPolicyAnswer, error) {
	return answerPolicy(s.Directory.Organization(ctx, r.Caller.Environment, r.Path("organization_id")))
}

type putOrganizationPolicyRequest struct {
	OrgPolicy *organizationPolicy `json:"org_policy" openapi:"required"`
}

// MaxBytes bounds the body, as that of any policy.
func (putOrganizationPolicyRequest) MaxBytes() int64 { return 1 << 20 }

// putOrganizationPolicy is PUT /v1/b2b/rbac/organizations/{organization_id}.
func (s *Surface) putOrganizationPolicy(ctx context.Context, r *api.Request[putOrganizationPolicyRequest]) (*organizationPolicyAnswer, error) {
	if r.Body.OrgPolicy == nil {
		return nil, countersign.ErrBadRequest.Saying("org_policy is required.")
	}
	return answerPolicy(s.Directory.PutCustomRoles(ctx, r.Caller.Actor, r.Caller.Environment, r.Path("organization_id"), wire.RolesOf(r.Body.OrgPolicy.Roles)))
}
