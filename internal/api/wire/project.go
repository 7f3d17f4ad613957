package wire

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/signing"
)

// Project is a project (management.md §2).
type Project struct {
	ProjectSlug string  `json:"project_slug"`
	Name        string  `json:"name"`
	Vertical    string  `json:"vertical" openapi:"enum=CONSUMER|B2B"`
	CreatedAt   *Moment `json:"created_at"`
}

// NewProject shapes a project.
func NewProject(p countersign.Project) Project {
	return Project{ProjectSlug: p.Slug, Name: p.Name, Vertical: string(p.Vertical), CreatedAt: moment(p.CreatedAt)}
}

// NewProjects shapes a list of projects.
func NewProjects(list []countersign.Project) []Project { return each(list, NewProject) }

// Environment is an environment with all its settings (management.md §3).
type Environment struct {
	EnvironmentSlug string  `json:"environment_slug"`
	ProjectSlug     string  `json:"project_slug"`
	Name            string  `json:"name"`
	ProjectID       string  `json:"project_id" doc:"What the backend API calls the environment."`
	Type            string  `json:"type" openapi:"enum=LIVE|TEST"`
	OAuthCallbackID string  `json:"oauth_callback_id"`
	CreatedAt       *Moment `json:"created_at"`
	countersign.EnvironmentSettings
}

// NewEnvironment shapes an environment.
func NewEnvironment(e countersign.Environment) Environment {
	return Environment{
		EnvironmentSlug: e.Slug, ProjectSlug: e.ProjectSlug, Name: e.Name, ProjectID: e.ID.String(), Type: string(e.Type),
		OAuthCallbackID: e.OAuthCallbackID, CreatedAt: moment(e.CreatedAt), EnvironmentSettings: e.Settings,
	}
}

// NewEnvironments shapes a list of environments.
func NewEnvironments(list []countersign.Environment) []Environment { return each(list, NewEnvironment) }

// Metrics counts what is in an environment.
type Metrics struct {
	UserCount         int `json:"user_count" openapi:"minimum=0"`
	OrganizationCount int `json:"organization_count" openapi:"minimum=0"`
	MemberCount       int `json:"member_count" openapi:"minimum=0"`
	M2MClientCount    int `json:"m2m_client_count" openapi:"minimum=0"`
}

// NewMetrics shapes counts.
func NewMetrics(c project.Counts) Metrics {
	return Metrics{UserCount: c.Users, OrganizationCount: c.Organizations, MemberCount: c.Members}
}

// Metric is one count in a list of them.
type Metric struct {
	MetricType string `json:"metric_type" openapi:"enum=USER_COUNT|ORGANIZATION_COUNT|MEMBER_COUNT|M2M_CLIENT_COUNT"`
	Count      int    `json:"count" openapi:"minimum=0"`
}

// NewMetricList shapes counts as a list.
func NewMetricList(m Metrics) []Metric {
	return []Metric{
		{"USER_COUNT", m.UserCount},
		{"ORGANIZATION_COUNT", m.OrganizationCount},
		{"MEMBER_COUNT", m.MemberCount},
		{"M2M_CLIENT_COUNT", m.M2MClientCount},
	}
}

// JWTTemplate is a JWT template, as it was sent (management.md §7).
type JWTTemplate struct {
	TemplateContent string `json:"template_content"`
	CustomAudience  string `json:"custom_audience"`
	JWTTemplateType string `json:"jwt_template_type" openapi:"enum=SESSION|M2M"`
}

// NewJWTTemplate shapes a JWT template.
func NewJWTTemplate(t countersign.Template, typ countersign.TemplateType) JWTTemplate {
	return JWTTemplate{TemplateContent: t.Content, CustomAudience: t.CustomAudience, JWTTemplateType: string(typ)}
}

// Secret is a new secret: the only answer that holds its value.
type Secret struct {
	SecretID  string  `json:"secret_id"`
	Secret    string  `json:"secret" doc:"The value, shown this once."`
	CreatedAt *Moment `json:"created_at"`
}

// NewSecret shapes a new secret, value and all.
func NewSecret(s countersign.Secret, value countersign.Bearer) Secret {
	return Secret{SecretID: s.ID.String(), Secret: value.Reveal(), CreatedAt: moment(s.CreatedAt)}
}

// MaskedSecret is a secret ever after.
type MaskedSecret struct {
	SecretID  string  `json:"secret_id"`
	LastFour  string  `json:"last_four"`
	CreatedAt *Moment `json:"created_at"`
	UsedAt    *Moment `json:"used_at" doc:"Within an hour; null if never."`
}

// NewMaskedSecret shapes a secret without its value.
func NewMaskedSecret(s countersign.Secret) MaskedSecret {
	return MaskedSecret{SecretID: s.ID.String(), LastFour: s.LastFour, CreatedAt: moment(s.CreatedAt), UsedAt: moment(s.UsedAt)}
}

// NewMaskedSecrets shapes a list of secrets.
func NewMaskedSecrets(list []countersign.Secret) []MaskedSecret { return each(list, NewMaskedSecret) }

// PublicToken is a public token.
type PublicToken struct {
	PublicToken string  `json:"public_token"`
	CreatedAt   *Moment `json:"created_at"`
}

// NewPublicToken shapes a public token.
func NewPublicToken(t countersign.PublicToken) PublicToken {
	return PublicToken{PublicToken: t.ID.String(), CreatedAt: moment(t.CreatedAt)}
}

// NewPublicTokens shapes a list of public tokens.
func NewPublicTokens(list []countersign.PublicToken) []PublicToken { return each(list, NewPublicToken) }

// SigningKey is one of an environment's own keys. This server's addition to the
// contract.
type SigningKey struct {
	SigningKeyID string  `json:"signing_key_id"`
	Algorithm    string  `json:"algorithm" openapi:"enum=RS256|ES256|EdDSA"`
	State        string  `json:"state" openapi:"enum=next|active|retired"`
	CreatedAt    *Moment `json:"created_at"`
	ActivatesAt  *Moment `json:"activates_at" doc:"From when it signs."`
	RemovedAt    *Moment `json:"removed_at" doc:"Until when it is published; null while nothing follows it."`
}

// NewSigningKey shapes a signing key, without either half.
func NewSigningKey(k signing.KeyState) SigningKey {
	return SigningKey{
		SigningKeyID: k.ID.String(), Algorithm: string(k.Algorithm), State: string(k.State),
		CreatedAt: moment(k.CreatedAt), ActivatesAt: moment(k.ActivatesAt), RemovedAt: moment(k.RemovedAt),
	}
}

// NewSigningKeys shapes a list of signing keys.
func NewSigningKeys(list []signing.KeyState) []SigningKey { return each(list, NewSigningKey) }
