package cli

import (
	"context"
	"strconv"
)

// environmentSettings are the settings of an environment, as flags and as the
// wire has them; what is not given is not sent, and so stays as it is.
type environmentSettings struct {
	SessionJWTAlgorithm                       *string `name:"session-jwt-algorithm" enum:"RS256,ES256,EdDSA" placeholder:"ALG" group:"settings" json:"session_jwt_algorithm,omitempty" help:"What session JWTs are signed with: RS256 (the default, read by every client library), ES256 or EdDSA (both far cheaper)."`
	CrossOrgPasswordsEnabled                  *bool   `name:"cross-org-passwords-enabled" negatable:"" group:"settings" json:"cross_org_passwords_enabled,omitempty" help:"Stored and echoed."`
	UserImpersonationEnabled                  *bool   `name:"user-impersonation-enabled" negatable:"" group:"settings" json:"user_impersonation_enabled,omitempty" help:"Stored and echoed."`
	ZeroDowntimeSessionMigrationURL           *string `name:"zero-downtime-session-migration-url" placeholder:"URL" group:"settings" json:"zero_downtime_session_migration_url,omitempty" help:"The userinfo endpoint of another provider, whose sessions are migrated."`
	UserLockSelfServeEnabled                  *bool   `name:"user-lock-self-serve-enabled" negatable:"" group:"settings" json:"user_lock_self_serve_enabled,omitempty" help:"Stored and echoed."`
	UserLockThreshold                         *int    `name:"user-lock-threshold" placeholder:"N" group:"settings" json:"user_lock_threshold,omitempty" help:"Failed attempts that lock a user; stored and echoed."`
	UserLockTTL                               *int    `name:"user-lock-ttl" placeholder:"SECONDS" group:"settings" json:"user_lock_ttl,omitempty" help:"How long a user stays locked; stored and echoed."`
	IDPAuthorizationURL                       *string `name:"idp-authorization-url" placeholder:"URL" group:"settings" json:"idp_authorization_url,omitempty" help:"Stored and echoed."`
	IDPDynamicClientRegistrationEnabled       *bool   `name:"idp-dynamic-client-registration-enabled" negatable:"" group:"settings" json:"idp_dynamic_client_registration_enabled,omitempty" help:"Stored and echoed."`
	IDPDynamicClientRegistrationTokenTemplate *string `name:"idp-dynamic-client-registration-access-token-template-content" placeholder:"TEXT" group:"settings" json:"idp_dynamic_client_registration_access_token_template_content,omitempty" help:"Stored and echoed, verbatim."`
}

// environment is what the text form shows of an environment (management.md §3).
type environment struct {
	Slug                string `json:"environment_slug"`
	ProjectSlug         string `json:"project_slug"`
	ProjectID           string `json:"project_id"`
	Name                string `json:"name"`
	Type                string `json:"type"`
	SessionJWTAlgorithm string `json:"session_jwt_algorithm"`
	UserLockThreshold   int    `json:"user_lock_threshold"`
	UserLockTTL         int    `json:"user_lock_ttl"`
	CreatedAt           string `json:"created_at"`
}

type environmentAnswer struct {
	Environment environment `json:"environment"`
}

func (v environmentAnswer) write(t *text) {
	e := v.Environment
	t.field("environment_slug", e.Slug)
	t.field("project_id", e.ProjectID)
	t.field("project_slug", e.ProjectSlug)
	t.field("name", e.Name)
	t.field("type", e.Type)
	t.field("session_jwt_algorithm", e.SessionJWTAlgorithm)
	t.field("user_lock", strconv.Itoa(e.UserLockThreshold)+" attempts, "+strconv.Itoa(e.UserLockTTL)+" s")
	t.field("created", t.when(e.CreatedAt))
}

type environmentUpdate struct {
	jsonFlag
	environmentArg
	Name *string `placeholder:"TEXT" help:"The new name."`
	environmentSettings
	UseCustomDomainInMagicLinkEmails *bool `name:"use-custom-domain-in-magic-link-emails" negatable:"" group:"settings" help:"Stored and echoed."`
	projectFlags
}

// Help teaches the command.
func (environmentUpdate) Help() string {
	return `Changes what is given and leaves the rest. A switch is turned off with --no-…, a text is cleared by
giving it empty (--idp-authorization-url=).

    countersign environment update test --project acme --session-jwt-algorithm ES256` + needsProject
}

// environmentPatch is the body of PATCH E.
type environmentPatch struct {
	Name *string `json:"name,omitempty"`
	environmentSettings
	UseCustomDomainInMagicLinkEmails *bool `json:"use_custom_domain_in_magic_link_emails,omitempty"`
}

// Run updates.
func (c *environmentUpdate) Run(ctx context.Context, a *app) error {
	patch := environmentPatch{c.Name, c.environmentSettings, c.UseCustomDomainInMagicLinkEmails}
	if patch == (environmentPatch{}) {
		return usage("nothing to change", "give --name or a setting; see countersign environment update --help")
	}
	api, path, err := c.open(a, "environments", c.Slug)
	if err != nil {
		return err
	}
	raw, err := api.patch(ctx, path, patch)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v environmentAnswer) { v.write(t) })
}
