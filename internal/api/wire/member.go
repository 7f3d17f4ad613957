package wire

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/session"
)

// Organization is an organization of a B2B project (b2b.md §1). What belongs to ways
// of signing in that this server has not is always empty.
type Organization struct {
	OrganizationID         string             `json:"organization_id"`
	OrganizationName       string             `json:"organization_name"`
	OrganizationSlug       string             `json:"organization_slug"`
	OrganizationExternalID *string            `json:"organization_external_id"`
	TrustedMetadata        countersign.Object `json:"trusted_metadata"`
	CreatedAt              *Moment            `json:"created_at"`
	UpdatedAt              *Moment            `json:"updated_at"`
	countersign.OrganizationSettings
	SSOActiveConnections []struct{} `json:"sso_active_connections"`
	SCIMActiveConnection *struct{}  `json:"scim_active_connection"`
	CustomRoles          []Role     `json:"custom_roles"`
}

// NewOrganization shapes an organization.
func NewOrganization(o countersign.Organization) Organization {
	return Organization{
		OrganizationID: o.ID.String(), OrganizationName: o.Name, OrganizationSlug: o.Slug, OrganizationExternalID: textOrNull(o.ExternalID),
		TrustedMetadata: o.TrustedMetadata, CreatedAt: moment(o.CreatedAt), UpdatedAt: moment(o.UpdatedAt),
		OrganizationSettings: o.Settings, SSOActiveConnections: []struct{}{}, CustomRoles: Roles(o.CustomRoles),
	}
}

// PublicOrganization is what anybody may know of an organization: what a page needs
// to show how its members sign in.
type PublicOrganization struct {
	OrganizationID             string                `json:"organization_id"`
	OrganizationName           string                `json:"organization_name"`
	OrganizationSlug           string                `json:"organization_slug"`
	LogoURL                    string                `json:"organization_logo_url"`
	SSOActiveConnections       []struct{}            `json:"sso_active_connections"`
	SSODefaultConnectionID     *string               `json:"sso_default_connection_id"`
	EmailJITProvisioning       countersign.Allowance `json:"email_jit_provisioning"`
	EmailAllowedDomains        []string              `json:"email_allowed_domains"`
	OAuthTenantJITProvisioning countersign.Allowance `json:"oauth_tenant_jit_provisioning"`
	AllowedOAuthTenants        map[string][]string   `json:"allowed_oauth_tenants" openapi:"nullable"`
	AuthMethods                countersign.Allowance `json:"auth_methods"`
	AllowedAuthMethods         []string              `json:"allowed_auth_methods"`
	MFAPolicy                  countersign.MFAPolicy `json:"mfa_policy"`
}

// NewPublicOrganization shapes an organization for anybody.
func NewPublicOrganization(o countersign.Organization) PublicOrganization {
	return PublicOrganization{
		OrganizationID: o.ID.String(), OrganizationName: o.Name, OrganizationSlug: o.Slug, LogoURL: o.Settings.LogoURL,
		SSOActiveConnections: []struct{}{}, SSODefaultConnectionID: o.Settings.SSODefaultConnectionID,
		EmailJITProvisioning: o.Settings.EmailJITProvisioning, EmailAllowedDomains: o.Settings.EmailAllowedDomains,
		OAuthTenantJITProvisioning: o.Settings.OAuthTenantJITProvisioning, AllowedOAuthTenants: o.Settings.AllowedOAuthTenants,
		AuthMethods: o.Settings.AuthMethods, AllowedAuthMethods: o.Settings.AllowedAuthMethods, MFAPolicy: o.Settings.MFAPolicy,
	}
}

// NewOrganizations shapes a list of organizations.
func NewOrganizations(list []countersign.Organization) []Organization {
	return each(list, NewOrganization)
}

// Roles shapes a list of roles.
func Roles(list []countersign.Role) []Role { return each(list, newRole) }

// OrganizationConnectedApp is an application that members of an organization let in;
// nobody has any.
type OrganizationConnectedApp struct {
	ConnectedAppID string     `json:"connected_app_id"`
	Name           string     `json:"name"`
	Description    string     `json:"description"`
	ClientType     string     `json:"client_type"`
	ActiveMembers  []struct{} `json:"active_members"`
	LogoURL        *string    `json:"logo_url"`
}

// Member is a member of an organization (b2b.md §3).
type Member struct {
	OrganizationID       string             `json:"organization_id"`
	MemberID             string             `json:"member_id"`
	EmailAddress         string             `json:"email_address"`
	Status               string             `json:"status" openapi:"enum=pending|invited|active|deleted"`
	Name                 string             `json:"name"`
	SSORegistrations     []struct{}         `json:"sso_registrations"`
	OAuthRegistrations   []struct{}         `json:"oauth_registrations"`
	SCIMRegistration     *struct{}          `json:"scim_registration"`
	IsBreakglass         bool               `json:"is_breakglass"`
	EmailAddressVerified bool               `json:"email_address_verified"`
	MFAPhoneVerified     bool               `json:"mfa_phone_number_verified"`
	MFAEnrolled          bool               `json:"mfa_enrolled"`
	IsLocked             bool               `json:"is_locked"`
	IsAdmin              bool               `json:"is_admin" doc:"Has the role stytch_admin."`
	MemberPasswordID     string             `json:"member_password_id"`
	TOTPRegistrationID   string             `json:"totp_registration_id"`
	MFAPhoneNumber       string             `json:"mfa_phone_number"`
	DefaultMFAMethod     string             `json:"default_mfa_method"`
	RetiredEmails        []RetiredEmail     `json:"retired_email_addresses"`
	Roles                []MemberRole       `json:"roles"`
	TrustedMetadata      countersign.Object `json:"trusted_metadata"`
	UntrustedMetadata    countersign.Object `json:"untrusted_metadata"`
	ExternalID           *string            `json:"external_id"`
	CreatedAt            *Moment            `json:"created_at"`
	UpdatedAt            *Moment            `json:"updated_at"`
	LockCreatedAt        *Moment            `json:"lock_created_at"`
	LockExpiresAt        *Moment            `json:"lock_expires_at"`
}

// RetiredEmail is an address that a member had before.
type RetiredEmail struct {
	EmailID      string `json:"email_id"`
	EmailAddress string `json:"email_address"`
}

// MemberRole is a role that a member has, with where it comes from.
type MemberRole struct {
	RoleID  string       `json:"role_id"`
	Sources []RoleSource `json:"sources"`
}

// RoleSource is where a member's role comes from.
type RoleSource struct {
	Type    string            `json:"type" openapi:"enum=direct_assignment|email_assignment"`
	Details RoleSourceDetails `json:"details"`
}

// RoleSourceDetails say more of an email_assignment.
type RoleSourceDetails struct {
	EmailDomain string `json:"email_domain,omitempty"`
}

// NewMember shapes a member.
func NewMember(p countersign.Person) Member {
	address := p.Email()
	w := Member{
		OrganizationID: p.Organization.ID.String(), MemberID: p.ID.String(), EmailAddress: address.Address, EmailAddressVerified: address.Verified,
		Status: string(p.Status), Name: p.Name.First, SSORegistrations: []struct{}{}, OAuthRegistrations: []struct{}{},
		IsBreakglass: p.Membership.Breakglass, MFAEnrolled: p.Membership.MFAEnrolled, DefaultMFAMethod: p.Membership.DefaultMFAMethod,
		RetiredEmails: []RetiredEmail{}, Roles: each(p.Held, newMemberRole),
		TrustedMetadata: p.TrustedMetadata, UntrustedMetadata: p.UntrustedMetadata, ExternalID: textOrNull(p.ExternalID),
		CreatedAt: moment(p.CreatedAt), UpdatedAt: moment(p.Membership.UpdatedAt),
	}
	for _, role := range p.Held {
		w.IsAdmin = w.IsAdmin || role.RoleID == countersign.DefaultAdminRole
	}
	for _, phone := range p.Phones {
		w.MFAPhoneNumber, w.MFAPhoneVerified = phone.Number, phone.Verified
	}
	for _, e := range p.Emails {
		if e.Retired {
			w.RetiredEmails = append(w.RetiredEmails, RetiredEmail{EmailID: e.ID.String(), EmailAddress: e.Address})
		}
	}
	return w
}

func newMemberRole(r countersign.HeldRole) MemberRole {
	w := MemberRole{RoleID: r.RoleID}
	if r.Assigned {
		w.Sources = append(w.Sources, RoleSource{Type: "direct_assignment"})
	}
	if r.Domain != "" {
		w.Sources = append(w.Sources, RoleSource{Type: "email_assignment", Details: RoleSourceDetails{EmailDomain: r.Domain}})
	}
	return w
}

// NewMembers shapes a list of members.
func NewMembers(list []countersign.Person) []Member { return each(list, NewMember) }

// MemberSession is a session of a member (b2b.md §5.1).
type MemberSession struct {
	MemberSessionID       string                `json:"member_session_id"`
	MemberID              string                `json:"member_id"`
	OrganizationID        string                `json:"organization_id"`
	OrganizationSlug      string                `json:"organization_slug"`
	StartedAt             Moment                `json:"started_at"`
	LastAccessedAt        Moment                `json:"last_accessed_at" doc:"To the minute."`
	ExpiresAt             Moment                `json:"expires_at"`
	AuthenticationFactors []session.FactorShape `json:"authentication_factors"`
	Roles                 []string              `json:"roles"`
	CustomClaims          countersign.Object    `json:"custom_claims" openapi:"nullable"`
}

// NewMemberSession shapes a session of a member.
func NewMemberSession(s countersign.Session, p countersign.Person) MemberSession {
	return MemberSession{
		MemberSessionID: s.ID.String(), MemberID: s.PersonID.String(), OrganizationID: p.Organization.ID.String(), OrganizationSlug: p.Organization.Slug,
		StartedAt: Moment(countersign.Timestamp(s.StartedAt)), LastAccessedAt: Moment(countersign.Timestamp(s.LastAccessedAt)), ExpiresAt: Moment(countersign.Timestamp(s.ExpiresAt)),
		AuthenticationFactors: session.FactorShapes(s.Factors), Roles: p.Roles, CustomClaims: s.CustomClaims,
	}
}
