package countersign

import (
	"encoding/json"
	"time"
)

// Organization is a customer of a B2B project, whose people are its members.
type Organization struct {
	ID              OrganizationID
	Name            string
	Slug            string // unique in the environment
	ExternalID      string // opaque, case-sensitive, unique in the environment; "" if none
	TrustedMetadata Object
	Settings        OrganizationSettings
	// CustomRoles are roles that only its members may have.
	CustomRoles []Role
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Bounds of organizations.
const (
	MaxOrganizationName = 128  // characters
	MaxLogoURL          = 2048 // bytes
	MaxDomains          = 100  // in each list of domains
	MaxAllowedEntries   = 100  // in each other list of settings
)

// Allowance is how much of something an organization lets in.
type Allowance string

// The allowances.
const (
	AllAllowed Allowance = "ALL_ALLOWED"
	Restricted Allowance = "RESTRICTED"
	NotAllowed Allowance = "NOT_ALLOWED"
)

// MFAPolicy is OPTIONAL or REQUIRED_FOR_ALL.
type MFAPolicy string

// The policies.
const (
	MFAOptional MFAPolicy = "OPTIONAL"
	MFARequired MFAPolicy = "REQUIRED_FOR_ALL"
)

// OrganizationSettings are stored and echoed; of those that restrict ways of
// signing in none concerns trusted tokens (b2b.md §1).
type OrganizationSettings struct {
	LogoURL                    string              `json:"organization_logo_url"`
	SSOJITProvisioning         Allowance           `json:"sso_jit_provisioning" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	SSOJITAllowedConnections   []string            `json:"sso_jit_provisioning_allowed_connections"`
	SSODefaultConnectionID     *string             `json:"sso_default_connection_id"`
	EmailAllowedDomains        []string            `json:"email_allowed_domains"`
	EmailJITProvisioning       Allowance           `json:"email_jit_provisioning" openapi:"enum=RESTRICTED|NOT_ALLOWED"`
	EmailInvites               Allowance           `json:"email_invites" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	AuthMethods                Allowance           `json:"auth_methods" openapi:"enum=ALL_ALLOWED|RESTRICTED"`
	AllowedAuthMethods         []string            `json:"allowed_auth_methods"`
	MFAPolicy                  MFAPolicy           `json:"mfa_policy" openapi:"enum=OPTIONAL|REQUIRED_FOR_ALL"`
	MFAMethods                 Allowance           `json:"mfa_methods" openapi:"enum=ALL_ALLOWED|RESTRICTED"`
	AllowedMFAMethods          []string            `json:"allowed_mfa_methods"`
	ImplicitRoles              []ImplicitRole      `json:"rbac_email_implicit_role_assignments"`
	OAuthTenantJITProvisioning Allowance           `json:"oauth_tenant_jit_provisioning" openapi:"enum=RESTRICTED|NOT_ALLOWED"`
	AllowedOAuthTenants        map[string][]string `json:"allowed_oauth_tenants" openapi:"nullable"`
	ClaimedEmailDomains        []string            `json:"claimed_email_domains"`
	FirstPartyAppsAllowed      Allowance           `json:"first_party_connected_apps_allowed_type" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	AllowedFirstPartyApps      []string            `json:"allowed_first_party_connected_apps"`
	ThirdPartyAppsAllowed      Allowance           `json:"third_party_connected_apps_allowed_type" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	AllowedThirdPartyApps      []string            `json:"allowed_third_party_connected_apps"`
}

// ImplicitRole is a role of every member whose address has a domain.
type ImplicitRole struct {
	Domain string `json:"domain" openapi:"required"` // as an A-label, in lower case
	RoleID string `json:"role_id" openapi:"required"`
}

// DefaultOrganizationSettings is what an organization has when nothing is said.
func DefaultOrganizationSettings() OrganizationSettings {
	return OrganizationSettings{
		SSOJITProvisioning: AllAllowed, SSOJITAllowedConnections: []string{}, EmailAllowedDomains: []string{},
		EmailJITProvisioning: NotAllowed, EmailInvites: AllAllowed, AuthMethods: AllAllowed, AllowedAuthMethods: []string{},
		MFAPolicy: MFAOptional, MFAMethods: AllAllowed, AllowedMFAMethods: []string{}, ImplicitRoles: []ImplicitRole{},
		OAuthTenantJITProvisioning: NotAllowed, ClaimedEmailDomains: []string{},
		FirstPartyAppsAllowed: AllAllowed, AllowedFirstPartyApps: []string{},
		ThirdPartyAppsAllowed: AllAllowed, AllowedThirdPartyApps: []string{},
	}
}

// OrganizationPatch changes what it names of an organization; nil changes nothing.
type OrganizationPatch struct {
	Name                       *string              `json:"organization_name"`
	Slug                       *string              `json:"organization_slug" doc:"Made of the name if a new organization is given none."`
	ExternalID                 *string              `json:"organization_external_id"`
	TrustedMetadata            json.RawMessage      `json:"trusted_metadata" openapi:"type=object" doc:"Merged at the top level; null removes a key."`
	LogoURL                    *string              `json:"organization_logo_url"`
	SSOJITProvisioning         *Allowance           `json:"sso_jit_provisioning" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	SSOJITAllowedConnections   *[]string            `json:"sso_jit_provisioning_allowed_connections"`
	SSODefaultConnectionID     *string              `json:"sso_default_connection_id"`
	EmailAllowedDomains        *[]string            `json:"email_allowed_domains"`
	EmailJITProvisioning       *Allowance           `json:"email_jit_provisioning" openapi:"enum=RESTRICTED|NOT_ALLOWED"`
	EmailInvites               *Allowance           `json:"email_invites" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	AuthMethods                *Allowance           `json:"auth_methods" openapi:"enum=ALL_ALLOWED|RESTRICTED"`
	AllowedAuthMethods         *[]string            `json:"allowed_auth_methods"`
	MFAPolicy                  *MFAPolicy           `json:"mfa_policy" openapi:"enum=OPTIONAL|REQUIRED_FOR_ALL"`
	MFAMethods                 *Allowance           `json:"mfa_methods" openapi:"enum=ALL_ALLOWED|RESTRICTED"`
	AllowedMFAMethods          *[]string            `json:"allowed_mfa_methods"`
	ImplicitRoles              *[]ImplicitRole      `json:"rbac_email_implicit_role_assignments"`
	OAuthTenantJITProvisioning *Allowance           `json:"oauth_tenant_jit_provisioning" openapi:"enum=RESTRICTED|NOT_ALLOWED"`
	AllowedOAuthTenants        *map[string][]string `json:"allowed_oauth_tenants"`
	ClaimedEmailDomains        *[]string            `json:"claimed_email_domains"`
	FirstPartyAppsAllowed      *Allowance           `json:"first_party_connected_apps_allowed_type" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	AllowedFirstPartyApps      *[]string            `json:"allowed_first_party_connected_apps"`
	ThirdPartyAppsAllowed      *Allowance           `json:"third_party_connected_apps_allowed_type" openapi:"enum=ALL_ALLOWED|RESTRICTED|NOT_ALLOWED"`
	AllowedThirdPartyApps      *[]string            `json:"allowed_third_party_connected_apps"`
}

// RestrictsSignIn reports whether a patch says anything about how people join or
// sign in.
func (p OrganizationPatch) RestrictsSignIn() bool {
	return p.SSOJITProvisioning != nil || p.EmailAllowedDomains != nil || p.EmailJITProvisioning != nil || p.EmailInvites != nil ||
		p.AuthMethods != nil || p.AllowedAuthMethods != nil || p.MFAPolicy != nil || p.MFAMethods != nil || p.AllowedMFAMethods != nil ||
		p.OAuthTenantJITProvisioning != nil || p.AllowedOAuthTenants != nil
}
