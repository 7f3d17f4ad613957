package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/standing"
)

var (
	authMethods = []string{"sso", "magic_link", "email_otp", "password", "google_oauth", "microsoft_oauth", "slack_oauth", "github_oauth", "hubspot_oauth"}
	mfaMethods  = []string{mfaBySMS, mfaByTOTP}
	oauthHosts  = []string{"slack", "hubspot", "github"}
)

// commonDomains are some in which anybody can have an address, so that a domain says
// nothing about who somebody is.
var commonDomains = []string{
	"aol.com", "fastmail.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com", "hotmail.com",
	"icloud.com", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "outlook.com", "pm.me", "proton.me",
	"protonmail.com", "qq.com", "tutanota.com", "web.de", "yahoo.com", "yandex.com", "yandex.ru", "ymail.com", "zoho.com", "163.com", "126.com",
}

// settings is a patch of the settings on its way: each field that is named is set, or
// is why not.
type settings struct {
	changed []string
	err     error
}

// set sets a field that a patch names to what check makes of it.
func set[T any](s *settings, name string, to *T, from *T, check func(T) (T, error)) {
	if s.err != nil || from == nil {
		return
	}
	value, err := check(*from)
	if err != nil {
		s.err = err
		return
	}
	*to = value
	s.changed = append(s.changed, name)
}

// applySettings changes settings in memory, and says which were named.
func applySettings(o *countersign.OrganizationSettings, p countersign.OrganizationPatch, rules *standing.Rules) ([]string, error) {
	var s settings
	invalid := countersign.ErrInvalidAuthFactorSetting
	set(&s, "organization_logo_url", &o.LogoURL, p.LogoURL, logoURL)
	set(&s, "sso_jit_provisioning", &o.SSOJITProvisioning, p.SSOJITProvisioning, among(invalid, "sso_jit_provisioning", countersign.AllAllowed, countersign.Restricted, countersign.NotAllowed))
	set(&s, "sso_jit_provisioning_allowed_connections", &o.SSOJITAllowedConnections, p.SSOJITAllowedConnections, names("sso_jit_provisioning_allowed_connections"))
	if p.SSODefaultConnectionID != nil && s.err == nil {
		_, s.err = names("sso_default_connection_id")([]string{*p.SSODefaultConnectionID})
		o.SSODefaultConnectionID, s.changed = p.SSODefaultConnectionID, append(s.changed, "sso_default_connection_id")
	}
	set(&s, "email_allowed_domains", &o.EmailAllowedDomains, p.EmailAllowedDomains, domains(countersign.ErrSettingsInvalidDomain, countersign.ErrSettingsDomainTooCommon, countersign.ErrSettingsDuplicateDomain))
	set(&s, "email_jit_provisioning", &o.EmailJITProvisioning, p.EmailJITProvisioning, among(invalid, "email_jit_provisioning", countersign.Restricted, countersign.NotAllowed))
	set(&s, "email_invites", &o.EmailInvites, p.EmailInvites, among(invalid, "email_invites", countersign.AllAllowed, countersign.Restricted, countersign.NotAllowed))
	set(&s, "auth_methods", &o.AuthMethods, p.AuthMethods, among(countersign.ErrInvalidAuthMethodSettings, "auth_methods", countersign.AllAllowed, countersign.Restricted))
	set(&s, "allowed_auth_methods", &o.AllowedAuthMethods, p.AllowedAuthMethods, allOf(countersign.ErrInvalidAuthMethodSettings, "allowed_auth_methods", authMethods))
	set(&s, "mfa_policy", &o.MFAPolicy, p.MFAPolicy, among(countersign.ErrInvalidMFAPolicy, "mfa_policy", countersign.MFAOptional, countersign.MFARequired))
	set(&s, "mfa_methods", &o.MFAMethods, p.MFAMethods, among(invalid, "mfa_methods", countersign.AllAllowed, countersign.Restricted))
	set(&s, "allowed_mfa_methods", &o.AllowedMFAMethods, p.AllowedMFAMethods, allOf(invalid, "allowed_mfa_methods", mfaMethods))
	set(&s, "rbac_email_implicit_role_assignments", &o.ImplicitRoles, p.ImplicitRoles, implicitRoles(rules))
	set(&s, "oauth_tenant_jit_provisioning", &o.OAuthTenantJITProvisioning, p.OAuthTenantJITProvisioning, among(invalid, "oauth_tenant_jit_provisioning", countersign.Restricted, countersign.NotAllowed))
	set(&s, "allowed_oauth_tenants", &o.AllowedOAuthTenants, p.AllowedOAuthTenants, oauthTenants)
	set(&s, "claimed_email_domains", &o.ClaimedEmailDomains, p.ClaimedEmailDomains, domains(countersign.ErrSettingsInvalidClaimedDomain, countersign.ErrSettingsClaimedDomainTooCommon, countersign.ErrSettingsDuplicateClaimedDomain))
	set(&s, "first_party_connected_apps_allowed_type", &o.FirstPartyAppsAllowed, p.FirstPartyAppsAllowed, among(invalid, "first_party_connected_apps_allowed_type", countersign.AllAllowed, countersign.Restricted, countersign.NotAllowed))
	set(&s, "allowed_first_party_connected_apps", &o.AllowedFirstPartyApps, p.AllowedFirstPartyApps, names("allowed_first_party_connected_apps"))
	set(&s, "third_party_connected_apps_allowed_type", &o.ThirdPartyAppsAllowed, p.ThirdPartyAppsAllowed, among(invalid, "third_party_connected_apps_allowed_type", countersign.AllAllowed, countersign.Restricted, countersign.NotAllowed))
	set(&s, "allowed_third_party_connected_apps", &o.AllowedThirdPartyApps, p.AllowedThirdPartyApps, names("allowed_third_party_connected_apps"))
	switch {
	case s.err != nil:
		return nil, s.err
	case o.AuthMethods == countersign.Restricted && len(o.AllowedAuthMethods) == 0:
		return nil, countersign.ErrAllowedAuthMethodsRequired
	case o.MFAMethods == countersign.Restricted && len(o.AllowedMFAMethods) == 0:
		return nil, countersign.ErrAllowedMFAMethodsRequired
	}
	return s.changed, nil
}

func logoURL(text string) (string, error) {
	switch {
	case len(text) > countersign.MaxLogoURL:
		return "", countersign.ErrOrganizationLogoURLTooLong
	case text != "" && !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://"), strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "", countersign.ErrInvalidArgument.Saying("organization_logo_url must be an http or https URL.")
	}
	return text, nil
}

// among takes one of a few words.
func among[T ~string](wrong *countersign.Error, name string, words ...T) func(T) (T, error) {
	return func(word T) (T, error) {
		if !slices.Contains(words, word) {
			return "", wrong.Saying("%s must be one of %q.", name, words)
		}
		return word, nil
	}
}

// allOf takes a list of words out of some, none twice.
func allOf(wrong *countersign.Error, name string, words []string) func([]string) ([]string, error) {
	return func(list []string) ([]string, error) {
		for i, word := range list {
			if !slices.Contains(words, word) || slices.Contains(list[:i], word) {
				return nil, wrong.Saying("%s may have each of %q once.", name, words)
			}
		}
		return some(list), nil
	}
}

// names takes a list of opaque names.
func names(field string) func([]string) ([]string, error) {
	return func(list []string) ([]string, error) {
		bad := func(s string) bool { return s == "" || !printable(s) }
		if len(list) > countersign.MaxAllowedEntries || slices.ContainsFunc(list, bad) {
			return nil, countersign.ErrInvalidArgument.Saying("%s may have %d names of 1 to %d bytes, without control characters.", field, countersign.MaxAllowedEntries, maxNamePart)
		}
		return some(list), nil
	}
}

// some is a list as it is stored: never nil.
func some[T any](list []T) []T { return append([]T{}, list...) }

// domains takes a list of domains, as A-labels in lower case.
func domains(invalid, common, twice *countersign.Error) func([]string) ([]string, error) {
	return func(list []string) ([]string, error) {
		if len(list) > countersign.MaxDomains {
			return nil, countersign.ErrInvalidArgument.Saying("A list of domains may have %d.", countersign.MaxDomains)
		}
		taken := []string{}
		for _, text := range list {
			host, err := domain(text, invalid, common)
			if err != nil {
				return nil, err
			}
			if slices.Contains(taken, host) {
				return nil, twice.Saying("Received twice: %q.", host)
			}
			taken = append(taken, host)
		}
		return taken, nil
	}
}

func domain(text string, invalid, common *countersign.Error) (string, error) {
	host, err := email.Domain(text)
	switch {
	case err != nil:
		return "", invalid.Saying("Received: %.64q.", text)
	case slices.Contains(commonDomains, host):
		return "", common.Saying("Received: %q.", host)
	}
	return host, nil
}

func implicitRoles(rules *standing.Rules) func([]countersign.ImplicitRole) ([]countersign.ImplicitRole, error) {
	return func(list []countersign.ImplicitRole) ([]countersign.ImplicitRole, error) {
		if len(list) > countersign.MaxDomains {
			return nil, countersign.ErrInvalidArgument.Saying("rbac_email_implicit_role_assignments may have %d entries.", countersign.MaxDomains)
		}
		taken := []countersign.ImplicitRole{}
		for _, given := range list {
			host, err := domain(given.Domain, countersign.ErrRBACInvalidDomain, countersign.ErrRBACDomainTooCommon)
			if err != nil {
				return nil, err
			}
			if rbac.Automatic(given.RoleID) {
				return nil, countersign.ErrCannotAssignDefaultRBACRoleID
			}
			if !rbac.Defines(rules.Policy, given.RoleID) {
				return nil, countersign.ErrInvalidRBACRoleID.Saying("The policy defines no role %.128q.", given.RoleID)
			}
			if given.Domain = host; !slices.Contains(taken, given) {
				taken = append(taken, given)
			}
		}
		return taken, nil
	}
}

func oauthTenants(given map[string][]string) (map[string][]string, error) {
	taken := map[string][]string{}
	for provider, list := range given {
		if !slices.Contains(oauthHosts, provider) {
			return nil, countersign.ErrInvalidArgument.Saying("allowed_oauth_tenants may have %q.", oauthHosts)
		}
		var err error
		if taken[provider], err = names(fmt.Sprintf("allowed_oauth_tenants.%s", provider))(list); err != nil {
			return nil, err
		}
	}
	return taken, nil
}
