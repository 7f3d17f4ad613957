package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
)

// settings are the members of a request that a create and an update share.
// Absent and null say nothing.
type settings struct {
	CrossOrgPasswordsEnabled           *bool                  `json:"cross_org_passwords_enabled"`
	UserImpersonationEnabled           *bool                  `json:"user_impersonation_enabled"`
	ZeroDowntimeSessionMigrationURL    *string                `json:"zero_downtime_session_migration_url"`
	UserLockSelfServeEnabled           *bool                  `json:"user_lock_self_serve_enabled"`
	UserLockThreshold                  *int                   `json:"user_lock_threshold" openapi:"minimum=1,maximum=1000" doc:"Failed attempts."`
	UserLockTTL                        *int                   `json:"user_lock_ttl" openapi:"minimum=60,maximum=31536000" doc:"Seconds."`
	IDPAuthorizationURL                *string                `json:"idp_authorization_url"`
	IDPDynamicClientRegistration       *bool                  `json:"idp_dynamic_client_registration_enabled"`
	IDPDynamicClientRegistrationAccess *string                `json:"idp_dynamic_client_registration_access_token_template_content"`
	UseCustomDomainInMagicLinkEmails   *bool                  `json:"use_custom_domain_in_magic_link_emails"`
	SessionJWTAlgorithm                *countersign.Algorithm `json:"session_jwt_algorithm" openapi:"enum=RS256|ES256|EdDSA"` // this server's addition
}

func (s settings) patch() project.SettingsPatch {
	return project.SettingsPatch{
		CrossOrgPasswordsEnabled: s.CrossOrgPasswordsEnabled, UserImpersonationEnabled: s.UserImpersonationEnabled,
		ZeroDowntimeSessionMigrationURL: s.ZeroDowntimeSessionMigrationURL, UserLockSelfServeEnabled: s.UserLockSelfServeEnabled,
		UserLockThreshold: s.UserLockThreshold, UserLockTTL: s.UserLockTTL, IDPAuthorizationURL: s.IDPAuthorizationURL,
		IDPDynamicClientRegistration: s.IDPDynamicClientRegistration, IDPDynamicClientRegistrationAccess: s.IDPDynamicClientRegistrationAccess,
		UseCustomDomainInMagicLinkEmails: s.UseCustomDomainInMagicLinkEmails, SessionJWTAlgorithm: s.SessionJWTAlgorithm,
	}
}

type createEnvironmentRequest struct {
	Name            string  `json:"name" openapi:"required"`
	Type            string  `json:"type" openapi:"required,enum=LIVE|TEST"`
	EnvironmentSlug *string `json:"environment_slug"`
	settings
}

type environmentAnswer struct {
	wire.Envelope
	Environment wire.Environment `json:"environment"`
}

type environmentsAnswer struct {
	wire.Envelope
	Environments []wire.Environment `json:"environments"`
}

func (s *Surface) createEnvironment(ctx context.Context, r *api.Request[createEnvironmentRequest]) (*environmentAnswer, error) {
	e, err := s.Projects.CreateEnvironment(ctx, r.Caller.Actor, r.Path("project_slug"), project.NewEnvironment{
		Name: r.Body.Name, Slug: text(r.Body.EnvironmentSlug), Type: countersign.EnvironmentType(r.Body.Type), Settings: r.Body.patch(),
	})
	return &environmentAnswer{Environment: wire.NewEnvironment(e)}, err
}

func (s *Surface) listEnvironments(ctx context.Context, r *api.Request[api.None]) (*environmentsAnswer, error) {
	list, err := s.Projects.Environments(ctx, r.Path("project_slug"))
	return &environmentsAnswer{Environments: wire.NewEnvironments(list)}, err
}

func (s *Surface) environment(_ context.Context, r *api.Request[api.None]) (*environmentAnswer, error) {
	return &environmentAnswer{Environment: wire.NewEnvironment(r.Caller.Environment)}, nil
}

type updateEnvironmentRequest struct {
	Name *string `json:"name"`
	settings
}

func (s *Surface) updateEnvironment(ctx context.Context, r *api.Request[updateEnvironmentRequest]) (*environmentAnswer, error) {
	e, err := s.Projects.UpdateEnvironment(ctx, r.Caller.Actor, r.Path("project_slug"), r.Path("environment_slug"), r.Body.Name, r.Body.patch())
	return &environmentAnswer{Environment: wire.NewEnvironment(e)}, err
}

func (s *Surface) deleteEnvironment(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Projects.DeleteEnvironment(ctx, r.Caller.Actor, r.Path("project_slug"), r.Path("environment_slug"))
}

type metricsAnswer struct {
	wire.Envelope
	Metrics wire.Metrics `json:"metrics"`
}

func (s *Surface) metrics(ctx context.Context, r *api.Request[api.None]) (*metricsAnswer, error) {
	counts, err := s.Projects.Counts(ctx, r.Caller.Environment)
	return &metricsAnswer{Metrics: wire.NewMetrics(counts)}, err
}

type signingKeysAnswer struct {
	wire.Envelope
	SigningKeys []wire.SigningKey `json:"signing_keys"`
}

// listSigningKeys is this server's addition to the contract.
func (s *Surface) listSigningKeys(ctx context.Context, r *api.Request[api.None]) (*signingKeysAnswer, error) {
	list, err := s.Keyring.States(ctx, r.Caller.Environment.ID)
	return &signingKeysAnswer{SigningKeys: wire.NewSigningKeys(list)}, err
}

type signingKeyAnswer struct {
	wire.Envelope
	SigningKey wire.SigningKey `json:"signing_key"`
}

// rotateSigningKeys is this server's addition to the contract: it makes a next
// key of the environment's algorithm.
func (s *Surface) rotateSigningKeys(ctx context.Context, r *api.Request[api.None]) (*signingKeyAnswer, error) {
	e := r.Caller.Environment
	next, err := s.Keyring.Rotate(ctx, r.Caller.Actor, e.ID, e.Settings.SessionJWTAlgorithm)
	return &signingKeyAnswer{SigningKey: wire.NewSigningKey(next)}, err
}
