// Package b2b is the backend API of B2B projects, /v1/b2b: organizations, their
// members and the members' sessions, for callers who hold a project's secret, also
// on behalf of a member; and the same for web pages of members, /sdk/v1/b2b. It has
// shapes and routes; it refuses to have rules.
package b2b

import (
	"net/http"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
)

// Surface is what the B2B API calls. Every field is required.
type Surface struct {
	Authenticate        api.Authenticator // by project secret
	AuthenticateInFlood api.Authenticator // the same, for attest
	Sessions            *session.Service
	Directory           *directory.Service
	Projects            *project.Service
	Keyring             *signing.Keyring
	AuthenticatePages   api.Authenticator // by public token
	Ticks               *api.Ticks        // of subject tokens that pages bring
}

// Routes are the surface's endpoints.
func (s *Surface) Routes() []api.Route {
	auth := b2bOnly(s.Authenticate)
	return []api.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/sessions/attest", Handler: api.Call(b2bOnly(s.AuthenticateInFlood), s.attest),
			Summary: "Exchanges a JWT of a registered issuer for a member's session, or attaches it to one as a further factor.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/sessions/authenticate", Handler: api.Call(auth, s.authenticate),
			Summary: "Checks a member's session by its token or JWT, extends it if a duration is given, and answers with a fresh JWT.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/sessions/revoke", Handler: api.Call(auth, s.revoke),
			Summary: "Ends a member's session, named by its ID, token or JWT, or all sessions of a member.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/sessions/exchange", Handler: api.Call(auth, s.exchange),
			Summary: "Starts a session of the member whom another organization knows by the address of a session's member.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/sessions/migrate", Handler: api.Call(auth, s.migrate),
			Summary: "Starts a session for the member whom the environment's userinfo endpoint knows by another provider's token.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/sessions", Handler: api.Call(auth, s.sessions),
			Query: []api.QueryParameter{
				{Name: "organization_id", Description: "The ID, external ID or slug of the organization.", Required: true},
				{Name: "member_id", Description: "The ID or external ID of the member.", Required: true},
			},
			Summary: "Lists a member's sessions that are alive, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/sessions/jwks/{project_id}", Handler: api.KeySet(s.Keyring),
			Summary: "Publishes the keys that verify the session JWTs of an environment, as for users.",
		},

		{
			Method: http.MethodPost, Pattern: "/v1/b2b/organizations", Handler: api.Call(auth, s.createOrganization),
			Summary: "Makes an organization.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/organizations/search", Handler: api.Call(auth, s.searchOrganizations),
			Summary: "Finds organizations, newest first; what is not an ID, a slug or an address is looked for among the newest, and next_cursor goes on.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/organizations/members/search", Handler: api.Call(auth, named(s, s.searchMembers)),
			Summary: "Finds members of organizations, newest first; what is not an ID, an address or a number is looked for among the newest, and next_cursor goes on.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/{organization_id}", Handler: api.Call(auth, s.organization),
			Summary: "Finds an organization by ID, external ID or slug.",
		},
		{
			Method: http.MethodPut, Pattern: "/v1/b2b/organizations/{organization_id}", Handler: api.Call(auth, named(s, s.updateOrganization)),
			Summary: "Changes what is given of an organization; trusted metadata is merged at the top level.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}", Handler: api.Call(auth, named(s, s.deleteOrganization)),
			Summary: "Deletes an organization with all its members and ends their sessions.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/{organization_id}/metrics", Handler: api.Call(auth, s.organizationMetrics),
			Summary: "Counts the members of an organization who are not deleted.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}/external_id", Handler: api.Call(auth, named(s, s.deleteOrganizationExternalID)),
			Summary: "Takes an organization's external ID away.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/{organization_id}/connected_apps", Handler: api.Call(auth, named(s, s.organizationConnectedApps)),
			Summary: "Lists the applications that an organization's members let in: none.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/{organization_id}/connected_apps/{connected_app_id}", Handler: api.Call(auth, named(s, s.organizationConnectedApp)),
			Summary: "Never finds a connected application of an organization: this server connects none.",
		},

		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/members/dangerously_get/{member_id}", Handler: api.Call(auth, s.anyMember),
			Query:   []api.QueryParameter{{Name: "include_deleted", Description: "true to find a deleted member, too."}},
			Summary: "Finds a member of whichever organization by ID.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/organizations/{organization_id}/members", Handler: api.Call(auth, named(s, s.createMember)),
			Summary: "Makes a member, nothing about whom is verified.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/{organization_id}/member", Handler: api.Call(auth, s.member),
			Query: []api.QueryParameter{
				{Name: "member_id", Description: "The ID or external ID of the member."},
				{Name: "email_address", Description: "The member's address; exactly one of the two is given."},
			},
			Summary: "Finds a member of an organization.",
		},
		{
			Method: http.MethodPut, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}", Handler: api.Call(auth, named(s, s.updateMember)),
			Summary: "Changes what is given of a member; metadata is merged at the top level, and roles replaces the explicit ones.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}", Handler: api.Call(auth, named(s, s.deleteMember)),
			Summary: "Deletes a member, who can be reactivated, and ends all their sessions.",
		},
		{
			Method: http.MethodPut, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}/reactivate", Handler: api.Call(auth, named(s, s.reactivateMember)),
			Summary: "Makes a deleted member active again.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}/members/mfa_phone_numbers/{member_id}", Handler: api.Call(auth, named(s, s.deleteMFAPhone)),
			Summary: "Takes a member's phone number away.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}/totp", Handler: api.Call(auth, named(s, s.deleteTOTP)),
			Summary: "Never finds a member's TOTP: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}/members/passwords/{member_password_id}", Handler: api.Call(auth, named(s, s.deletePassword)),
			Summary: "Never finds a member's password: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}/external_id", Handler: api.Call(auth, named(s, s.deleteMemberExternalID)),
			Summary: "Takes a member's external ID away.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}/unlink_retired_email", Handler: api.Call(auth, named(s, s.unlinkRetiredEmail)),
			Summary: "Frees an address that a member had before.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}/connected_apps", Handler: api.Call(auth, named(s, s.memberConnectedApps)),
			Summary: "Lists the applications that a member let in: none.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/b2b/organizations/{organization_id}/members/{member_id}/connected_apps/{connected_app_id}/revoke", Handler: api.Call(auth, named(s, s.revokeConnectedApp)),
			Summary: "Never finds a connected application of a member: this server connects none.",
		},

		{
			Method: http.MethodGet, Pattern: "/v1/b2b/rbac/policy", Handler: api.Call(auth, s.policy),
			Summary: "Answers the policy of a B2B environment as clients check against it, default roles and built-in resources included.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/b2b/rbac/organizations/{organization_id}", Handler: api.Call(auth, s.organizationPolicy),
			Summary: "Answers the roles that only an organization's members may have.",
		},
		{
			Method: http.MethodPut, Pattern: "/v1/b2b/rbac/organizations/{organization_id}", Handler: api.Call(auth, s.putOrganizationPolicy),
			Summary: "Replaces the roles that only an organization's members may have.",
		},
	}
}

// b2bOnly refuses the credentials of consumer projects.
func b2bOnly(auth api.Authenticator) api.Authenticator {
	return auth.But(func(caller api.Caller) error {
		if caller.Environment.Vertical != countersign.B2B {
			return countersign.ErrInvalidB2BEndpoint
		}
		return nil
	})
}
