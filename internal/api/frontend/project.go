package frontend

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
)

// bootstrapAnswer has every field that the libraries read, also of what this
// server never does.
type bootstrapAnswer struct {
	wire.Envelope
	ProjectName         string   `json:"project_name"`
	DisableSDKWatermark bool     `json:"disable_sdk_watermark"`
	CNAMEDomain         *string  `json:"cname_domain"`
	EmailDomains        []string `json:"email_domains"`
	CaptchaSettings     struct {
		Enabled bool `json:"enabled"`
	} `json:"captcha_settings"`
	pkce
	SlugPattern               *string            `json:"slug_pattern" doc:"Of a B2B project: where an organization's slug stands in the address of the page."`
	CreateOrganizationEnabled bool               `json:"create_organization_enabled"`
	PasswordConfig            *struct{}          `json:"password_config"`
	SIWERequired              bool               `json:"siwe_required_for_crypto_wallets"`
	RBACPolicy                wire.RuntimePolicy `json:"rbac_policy"`
	Vertical                  string             `json:"vertical" openapi:"enum=CONSUMER|B2B"`
}

type pkce struct {
	MagicLinks     bool `json:"pkce_required_for_email_magic_links"`
	PasswordResets bool `json:"pkce_required_for_password_resets"`
	OAuth          bool `json:"pkce_required_for_oauth"`
	SSO            bool `json:"pkce_required_for_sso"`
}

// bootstrap is GET /sdk/v1/projects/bootstrap/{public_token}, for projects of both
// verticals: a library of the wrong one learns here that it is.
func (s *Surface) bootstrap(ctx context.Context, r *api.Request[api.None]) (*bootstrapAnswer, error) {
	env := r.Caller.Environment
	policy, err := s.Projects.Policy(ctx, env)
	if err != nil {
		return nil, err
	}
	answer := &bootstrapAnswer{
		ProjectName: env.ProjectName, DisableSDKWatermark: true, EmailDomains: []string{},
		pkce: newPKCE(r.Caller.Page.SDK), RBACPolicy: wire.NewRuntimePolicy(policy, env.Vertical), Vertical: string(env.Vertical),
	}
	if pattern := r.Caller.Page.SDK.SlugPattern(r.Caller.Page.From); pattern != "" {
		answer.SlugPattern = &pattern
	}
	if c := r.Caller.Page.SDK.Consumer; c != nil {
		answer.SIWERequired = c.CryptoWallets.SIWERequired
	}
	if c := r.Caller.Page.SDK.B2B; c != nil {
		answer.CreateOrganizationEnabled = c.Basic.AllowSelfOnboarding
	}
	return answer, nil
}

func newPKCE(c project.SDKConfig) pkce {
	if c.B2B != nil {
		return pkce{c.B2B.MagicLinks.PKCERequired, c.B2B.Passwords.PKCERequiredForPasswordResets, c.B2B.OAuth.PKCERequired, c.B2B.SSO.PKCERequired}
	}
	return pkce{c.Consumer.MagicLinks.PKCERequired, c.Consumer.Passwords.PKCERequiredForPasswordResets, c.Consumer.OAuth.PKCERequired, false}
}

// events is POST /sdk/v1/events. Nothing of the body is read: nobody asked for it,
// and no answer to it is read either.
func events(context.Context, *api.Request[api.None]) (*wire.Done, error) { return &wire.Done{}, nil }

type searchRequest struct {
	Email string `json:"email" openapi:"required"`
}

type searchAnswer struct {
	wire.Envelope
	UserType string `json:"userType" openapi:"enum=new|passwordless|password" doc:"Never password: nobody has one."`
}

// search is POST /sdk/v1/users/search.
func (s *Surface) search(ctx context.Context, r *api.Request[searchRequest]) (*searchAnswer, error) {
	if r.Body.Email == "" {
		return nil, countersign.ErrBadRequest
	}
	known, err := s.Directory.Known(ctx, r.Caller.Environment, r.Body.Email)
	if known {
		return &searchAnswer{UserType: "passwordless"}, err
	}
	return &searchAnswer{UserType: "new"}, err
}
