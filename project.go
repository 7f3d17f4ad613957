package countersign

import "time"

// Vertical is the kind of people a project signs in. It never changes.
type Vertical string

// The verticals.
const (
	Consumer Vertical = "CONSUMER" // users
	B2B      Vertical = "B2B"      // members of organizations
)

// Project groups the environments of one product.
type Project struct {
	Slug      string
	Name      string
	Vertical  Vertical
	CreatedAt time.Time
}

// EnvironmentType is LIVE or TEST; it decides the class of every ID within.
type EnvironmentType string

// The environment types.
const (
	LiveEnvironment EnvironmentType = "LIVE"
	TestEnvironment EnvironmentType = "TEST"
)

// Class is the class of the IDs in an environment of this type.
func (t EnvironmentType) Class() Class {
	if t == LiveEnvironment {
		return Live
	}
	return Test
}

// Environment is a closed world of people, profiles, sessions and keys.
type Environment struct {
	ID              EnvironmentID
	Slug            string
	ProjectSlug     string
	ProjectName     string // of the project, for whoever needs it beside the environment
	Vertical        Vertical
	Name            string
	Type            EnvironmentType
	OAuthCallbackID string
	Settings        EnvironmentSettings
	// SessionTokenKey is the key of the MAC in session tokens, encrypted under
	// the operator's keyset.
	SessionTokenKey []byte
	// Revision moves with every change of the environment itself and of its
	// configuration: profiles, policy, templates, revocations.
	Revision  int64
	CreatedAt time.Time
}

// EnvironmentSettings are stored and echoed as they are sent; only some of them
// mean something to this server.
type EnvironmentSettings struct {
	CrossOrgPasswordsEnabled           bool      `json:"cross_org_passwords_enabled"`
	UserImpersonationEnabled           bool      `json:"user_impersonation_enabled"`
	ZeroDowntimeSessionMigrationURL    string    `json:"zero_downtime_session_migration_url"`
	UseCustomDomainInMagicLinkEmails   bool      `json:"use_custom_domain_in_magic_link_emails"`
	UserLockSelfServeEnabled           bool      `json:"user_lock_self_serve_enabled"`
	UserLockThreshold                  int       `json:"user_lock_threshold" openapi:"minimum=1,maximum=1000" doc:"Failed attempts."`
	UserLockTTL                        int       `json:"user_lock_ttl" openapi:"minimum=60,maximum=31536000" doc:"Seconds."`
	IDPAuthorizationURL                string    `json:"idp_authorization_url"`
	IDPDynamicClientRegistration       bool      `json:"idp_dynamic_client_registration_enabled"`
	IDPDynamicClientRegistrationAccess string    `json:"idp_dynamic_client_registration_access_token_template_content"`
	SessionJWTAlgorithm                Algorithm `json:"session_jwt_algorithm" openapi:"enum=RS256|ES256|EdDSA"`
}

// DefaultEnvironmentSettings is what an environment has when nothing is said.
func DefaultEnvironmentSettings() EnvironmentSettings {
	return EnvironmentSettings{UserLockThreshold: 10, UserLockTTL: 3600, SessionJWTAlgorithm: RS256}
}

// Secret is what is kept of an API secret: enough to recognise it, not to use it.
type Secret struct {
	ID            SecretID
	EnvironmentID EnvironmentID
	Hash          []byte // SHA-256 of the value
	LastFour      string
	CreatedAt     time.Time
	UsedAt        time.Time // within an hour; zero if never
}

// PublicToken is an identifier of an environment that browsers may know.
type PublicToken struct {
	ID        PublicTokenID
	CreatedAt time.Time
}

// WorkspaceKey opens the management API. Its ID and secret are opaque.
type WorkspaceKey struct {
	ID        string
	Hash      []byte // SHA-256 of the secret
	CreatedAt time.Time
}

// SigningKey is one key that an environment signs session JWTs with. It is
// published from CreatedAt, signs from ActivatesAt until the next key's
// ActivatesAt, and is verified with and published until RemovedAt.
type SigningKey struct {
	ID            SigningKeyID
	EnvironmentID EnvironmentID
	Ordinal       int64 // 1 for the first; two nodes cannot make the same next key
	Algorithm     Algorithm
	PublicKey     []byte // PKIX, ASN.1 DER (RFC 5280)
	PrivateKey    []byte // PKCS #8, encrypted under the operator's keyset
	CreatedAt     time.Time
	ActivatesAt   time.Time
	RemovedAt     time.Time // zero while no later key has set it
}
