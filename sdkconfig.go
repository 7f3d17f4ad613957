package countersign

// ConsumerSDKConfig is what the browser and mobile libraries of a consumer
// project may do (management.md §11). In a request a block that is nil stays as
// it is; as it is kept and answered none is nil.
type ConsumerSDKConfig struct {
	Basic             *ConsumerBasicConfig      `json:"basic"`
	Sessions          *SDKSessionsConfig        `json:"sessions"`
	MagicLinks        *ConsumerMagicLinksConfig `json:"magic_links"`
	OTPs              *ConsumerOTPsConfig       `json:"otps"`
	OAuth             *EnabledWithPKCE          `json:"oauth"`
	TOTPs             *SDKTOTPsConfig           `json:"totps"`
	WebAuthn          *ConsumerWebAuthnConfig   `json:"webauthn"`
	CryptoWallets     *ConsumerWalletsConfig    `json:"crypto_wallets"`
	DFPPA             *SDKDFPPAConfig           `json:"dfppa"`
	Biometrics        *ConsumerBiometricsConfig `json:"biometrics"`
	Passwords         *SDKPasswordsConfig       `json:"passwords"`
	Cookies           *SDKCookiesConfig         `json:"cookies"`
	UserImpersonation *SDKImpersonationConfig   `json:"user_impersonation"`
}

// B2BSDKConfig is the same of a B2B project.
type B2BSDKConfig struct {
	Basic             *B2BBasicConfig         `json:"basic"`
	Sessions          *SDKSessionsConfig      `json:"sessions"`
	MagicLinks        *EnabledWithPKCE        `json:"magic_links"`
	OAuth             *EnabledWithPKCE        `json:"oauth"`
	TOTPs             *SDKTOTPsConfig         `json:"totps"`
	SSO               *EnabledWithPKCE        `json:"sso"`
	OTPs              *B2BOTPsConfig          `json:"otps"`
	DFPPA             *SDKDFPPAConfig         `json:"dfppa"`
	Passwords         *SDKPasswordsConfig     `json:"passwords"`
	Cookies           *SDKCookiesConfig       `json:"cookies"`
	UserImpersonation *SDKImpersonationConfig `json:"user_impersonation"`
}

// ConsumerBasicConfig says whether the libraries may be used, and from where.
type ConsumerBasicConfig struct {
	Enabled   bool     `json:"enabled"`
	Domains   []string `json:"domains"`
	BundleIDs []string `json:"bundle_ids"`
}

// B2BBasicConfig is the same of a B2B project.
type B2BBasicConfig struct {
	Enabled                 bool        `json:"enabled"`
	AllowSelfOnboarding     bool        `json:"allow_self_onboarding"`
	EnableMemberPermissions bool        `json:"enable_member_permissions"`
	Domains                 []SDKDomain `json:"domains"`
	BundleIDs               []string    `json:"bundle_ids"`
}

// SDKDomain is a place that pages may come from, with the pattern that says
// where an organization's slug stands in it.
type SDKDomain struct {
	Domain      string `json:"domain"`
	SlugPattern string `json:"slug_pattern"`
}

// SDKSessionsConfig bounds sessions that the libraries ask for.
type SDKSessionsConfig struct {
	MaxSessionDurationMinutes int `json:"max_session_duration_minutes"`
}

// EnabledWithPKCE is something that may be used, perhaps only with PKCE.
type EnabledWithPKCE struct {
	Enabled      bool `json:"enabled"`
	PKCERequired bool `json:"pkce_required"`
}

// ConsumerMagicLinksConfig is stored for who asks for it again.
type ConsumerMagicLinksConfig struct {
	LoginOrCreateEnabled bool `json:"login_or_create_enabled"`
	SendEnabled          bool `json:"send_enabled"`
	PKCERequired         bool `json:"pkce_required"`
}

// ConsumerOTPsConfig is stored for who asks for it again.
type ConsumerOTPsConfig struct {
	SMSLoginOrCreateEnabled      bool          `json:"sms_login_or_create_enabled"`
	WhatsAppLoginOrCreateEnabled bool          `json:"whatsapp_login_or_create_enabled"`
	EmailLoginOrCreateEnabled    bool          `json:"email_login_or_create_enabled"`
	SMSSendEnabled               bool          `json:"sms_send_enabled"`
	WhatsAppSendEnabled          bool          `json:"whatsapp_send_enabled"`
	EmailSendEnabled             bool          `json:"email_send_enabled"`
	SMSAutofillMetadata          []SMSAutofill `json:"sms_autofill_metadata"`
}

// B2BOTPsConfig is stored for who asks for it again.
type B2BOTPsConfig struct {
	SMSEnabled          bool          `json:"sms_enabled"`
	EmailEnabled        bool          `json:"email_enabled"`
	SMSAutofillMetadata []SMSAutofill `json:"sms_autofill_metadata"`
}

// SMSAutofill is stored for who asks for it again.
type SMSAutofill struct {
	MetadataType  string `json:"metadata_type" openapi:"enum=domain|hash"`
	MetadataValue string `json:"metadata_value"`
	BundleID      string `json:"bundle_id"`
}

// SDKTOTPsConfig is stored for who asks for it again.
type SDKTOTPsConfig struct {
	Enabled     bool `json:"enabled"`
	CreateTOTPs bool `json:"create_totps"`
}

// ConsumerWebAuthnConfig is stored for who asks for it again.
type ConsumerWebAuthnConfig struct {
	Enabled         bool `json:"enabled"`
	CreateWebAuthns bool `json:"create_webauthns"`
}

// ConsumerWalletsConfig is stored for who asks for it again.
type ConsumerWalletsConfig struct {
	Enabled      bool `json:"enabled"`
	SIWERequired bool `json:"siwe_required"`
}

// ConsumerBiometricsConfig is stored for who asks for it again.
type ConsumerBiometricsConfig struct {
	Enabled                 bool `json:"enabled"`
	CreateBiometricsEnabled bool `json:"create_biometrics_enabled"`
}

// SDKDFPPAConfig is stored for who asks for it again.
type SDKDFPPAConfig struct {
	Enabled     string `json:"enabled" openapi:"enum=ENABLED|PASSIVE|DISABLED"`
	OnChallenge string `json:"on_challenge" openapi:"enum=ALLOW|BLOCK|TRIGGER_CAPTCHA"`
}

// SDKPasswordsConfig is stored for who asks for it again.
type SDKPasswordsConfig struct {
	Enabled                       bool `json:"enabled"`
	PKCERequiredForPasswordResets bool `json:"pkce_required_for_password_resets"`
}

// SDKCookiesConfig says whether sessions live in cookies that scripts cannot read.
type SDKCookiesConfig struct {
	HTTPOnly string `json:"http_only" openapi:"enum=DISABLED|ENABLED|ENFORCED"`
}

// SDKImpersonationConfig is stored for who asks for it again.
type SDKImpersonationConfig struct {
	Enabled bool `json:"enabled"`
}
