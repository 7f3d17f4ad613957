package sdk_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/sdk"
)

// consumerConfig says something other than the default of everything.
func consumerConfig() sdk.ConsumerConfig {
	return sdk.ConsumerConfig{
		Basic:      &sdk.ConsumerBasicConfig{Enabled: true, Domains: []string{"https://z.example.com", "https://a.example.com"}, BundleIDs: []string{"com.example.z", "com.example.a"}},
		Sessions:   &sdk.ConsumerSessionsConfig{MaxSessionDurationMinutes: 120},
		MagicLinks: &sdk.ConsumerMagicLinksConfig{LoginOrCreateEnabled: true, SendEnabled: true, PKCERequired: true},
		OTPs: &sdk.ConsumerOTPsConfig{
			SMSLoginOrCreateEnabled: true, WhatsAppLoginOrCreateEnabled: true, EmailLoginOrCreateEnabled: true,
			SMSSendEnabled: true, WhatsAppSendEnabled: true, EmailSendEnabled: true, SMSAutofillMetadata: autofill(),
		},
		OAuth:         &sdk.ConsumerOAuthConfig{Enabled: true, PKCERequired: true},
		TOTPs:         &sdk.ConsumerTOTPsConfig{Enabled: true, CreateTOTPs: true},
		WebAuthn:      &sdk.ConsumerWebAuthnConfig{Enabled: true, CreateWebAuthns: true},
		CryptoWallets: &sdk.ConsumerCryptoWalletsConfig{Enabled: true, SIWERequired: true},
		DFPPA:         &sdk.ConsumerDFPPAConfig{Enabled: sdk.DFPPASettingPassive, OnChallenge: sdk.DFPPAOnChallengeActionTriggerCaptcha},
		Biometrics:    &sdk.ConsumerBiometricsConfig{Enabled: true, CreateBiometricsEnabled: true},
		Passwords:     &sdk.ConsumerPasswordsConfig{Enabled: true, PKCERequiredForPasswordResets: true},
		Cookies:       &sdk.ConsumerCookiesConfig{HTTPOnly: sdk.ConsumerCookiesConfigHttpOnlyEnforced},
	}
}

// b2bConfig is the same of a B2B project.
func b2bConfig() sdk.B2BConfig {
	return sdk.B2BConfig{
		Basic: &sdk.B2BBasicConfig{
			Enabled: true, AllowSelfOnboarding: true, EnableMemberPermissions: true, BundleIDs: []string{"com.example.z", "com.example.a"},
			Domains: []sdk.AuthorizedB2BDomain{{Domain: "https://z.example.com", SlugPattern: "https://{{slug}}.z.example.com"}, {Domain: "https://a.example.com"}},
		},
		Sessions:   &sdk.B2BSessionsConfig{MaxSessionDurationMinutes: 180},
		MagicLinks: &sdk.B2BMagicLinksConfig{Enabled: true, PKCERequired: true},
		OAuth:      &sdk.B2BOAuthConfig{Enabled: true, PKCERequired: true},
		TOTPs:      &sdk.B2BTOTPsConfig{Enabled: true, CreateTOTPs: true},
		SSO:        &sdk.B2BSSOConfig{Enabled: true, PKCERequired: true},
		OTPs:       &sdk.B2BOTPsConfig{SMSEnabled: true, EmailEnabled: true, SMSAutofillMetadata: autofill()},
		DFPPA:      &sdk.B2BDFPPAConfig{Enabled: sdk.DFPPASettingEnabled, OnChallenge: sdk.DFPPAOnChallengeActionBlock},
		Passwords:  &sdk.B2BPasswordsConfig{Enabled: true, PKCERequiredForPasswordResets: true},
		Cookies:    &sdk.B2BCookiesConfig{HTTPOnly: sdk.B2BCookiesConfigHttpOnlyEnabled},
	}
}

func autofill() []sdk.SMSAutofillMetadata {
	return []sdk.SMSAutofillMetadata{
		{MetadataType: sdk.SMSAutofillMetadataMetadataTypeHash, MetadataValue: "abc123", BundleID: "com.example.z"},
		{MetadataType: sdk.SMSAutofillMetadataMetadataTypeDomain, MetadataValue: "example.com", BundleID: "com.example.a"},
	}
}

func newB2BEnvironment(t *testing.T) *environment {
	t.Helper()
	return newEnvironmentOf(t, projects.VerticalB2B, environments.EnvironmentTypeTest)
}

func (e *environment) setConsumerConfig(config sdk.ConsumerConfig) (*sdk.SetConsumerConfigResponse, error) {
	return manage().SDK.SetConsumerConfig(e.t.Context(), sdk.SetConsumerConfigRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, Config: &config})
}

func (e *environment) setB2BConfig(config sdk.B2BConfig) (*sdk.SetB2BConfigResponse, error) {
	return manage().SDK.SetB2BConfig(e.t.Context(), sdk.SetB2BConfigRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, Config: &config})
}

// expectConsumerConfig sets a configuration and holds the answer, and what is
// read after it, against another.
func (e *environment) expectConsumerConfig(what string, set, want sdk.ConsumerConfig) {
	e.t.Helper()
	answered, err := e.setConsumerConfig(set)
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	read, err := manage().SDK.GetConsumerConfig(e.t.Context(), sdk.GetConsumerConfigRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	for from, got := range map[string]sdk.ConsumerConfig{"answered": answered.Config, "read": read.Config} {
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			e.t.Errorf("%s (-want +%s):\n%s", what, from, diff)
		}
	}
}

// expectB2BConfig is the same of a B2B project.
func (e *environment) expectB2BConfig(what string, set, want sdk.B2BConfig) {
	e.t.Helper()
	answered, err := e.setB2BConfig(set)
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	read, err := manage().SDK.GetB2BConfig(e.t.Context(), sdk.GetB2BConfigRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	for from, got := range map[string]sdk.B2BConfig{"answered": answered.Config, "read": read.Config} {
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			e.t.Errorf("%s (-want +%s):\n%s", what, from, diff)
		}
	}
}

// What is put is what is answered and read, lists in their order.
func TestSDKConfigIsEchoedAndKept(t *testing.T) {
	t.Parallel()
	newEnvironment(t).expectConsumerConfig("everything", consumerConfig(), consumerConfig())
	newB2BEnvironment(t).expectB2BConfig("everything", b2bConfig(), b2bConfig())
}

// Every block is there and is not null, before anything was set, even the one
// that the published document lacks; empty lists are [].
func TestSDKConfigHasEveryBlock(t *testing.T) {
	t.Parallel()
	shared := []string{"basic", "sessions", "magic_links", "otps", "oauth", "totps", "passwords", "dfppa", "cookies", "user_impersonation"}
	for path, c := range map[string]struct {
		e      *environment
		blocks []string
	}{
		"consumer": {newEnvironment(t), append(slices.Clone(shared), "webauthn", "crypto_wallets", "biometrics")},
		"b2b":      {newB2BEnvironment(t), append(slices.Clone(shared), "sso")},
	} {
		answer := raw(t, http.MethodGet, "/pwa/v3/projects/"+c.e.ProjectSlug+"/environments/"+c.e.EnvironmentSlug+"/sdk/"+path, nil)
		config, _ := answer["config"].(map[string]any)
		for _, name := range c.blocks {
			if block, _ := config[name].(map[string]any); len(block) == 0 {
				t.Errorf("%s: the block %s is %v", path, name, config[name])
			}
		}
		if len(config) != len(c.blocks) {
			t.Errorf("%s: the blocks are %v, want %v", path, config, c.blocks)
		}
		basic, _ := config["basic"].(map[string]any)
		otps, _ := config["otps"].(map[string]any)
		for name, list := range map[string]any{"domains": basic["domains"], "bundle_ids": basic["bundle_ids"], "sms_autofill_metadata": otps["sms_autofill_metadata"]} {
			if list, ok := list.([]any); !ok || len(list) != 0 {
				t.Errorf("%s: %s is %v, want []", path, name, list)
			}
		}
	}
}

func TestSDKConfigDefaults(t *testing.T) {
	t.Parallel()
	newEnvironment(t).expectConsumerConfig("nothing", sdk.ConsumerConfig{}, defaultConsumerConfig())
	newB2BEnvironment(t).expectB2BConfig("nothing", sdk.B2BConfig{}, defaultB2BConfig())
}

func defaultConsumerConfig() sdk.ConsumerConfig {
	return sdk.ConsumerConfig{
		Basic: &sdk.ConsumerBasicConfig{}, Sessions: &sdk.ConsumerSessionsConfig{MaxSessionDurationMinutes: 60}, MagicLinks: &sdk.ConsumerMagicLinksConfig{},
		OTPs: &sdk.ConsumerOTPsConfig{}, OAuth: &sdk.ConsumerOAuthConfig{}, TOTPs: &sdk.ConsumerTOTPsConfig{}, WebAuthn: &sdk.ConsumerWebAuthnConfig{},
		CryptoWallets: &sdk.ConsumerCryptoWalletsConfig{}, Biometrics: &sdk.ConsumerBiometricsConfig{}, Passwords: &sdk.ConsumerPasswordsConfig{},
		DFPPA:   &sdk.ConsumerDFPPAConfig{Enabled: sdk.DFPPASettingDisabled, OnChallenge: sdk.DFPPAOnChallengeActionAllow},
		Cookies: &sdk.ConsumerCookiesConfig{HTTPOnly: sdk.ConsumerCookiesConfigHttpOnlyDisabled},
	}
}

func defaultB2BConfig() sdk.B2BConfig {
	return sdk.B2BConfig{
		Basic: &sdk.B2BBasicConfig{}, Sessions: &sdk.B2BSessionsConfig{MaxSessionDurationMinutes: 60}, MagicLinks: &sdk.B2BMagicLinksConfig{},
		OTPs: &sdk.B2BOTPsConfig{}, OAuth: &sdk.B2BOAuthConfig{}, TOTPs: &sdk.B2BTOTPsConfig{}, SSO: &sdk.B2BSSOConfig{}, Passwords: &sdk.B2BPasswordsConfig{},
		DFPPA:   &sdk.B2BDFPPAConfig{Enabled: sdk.DFPPASettingDisabled, OnChallenge: sdk.DFPPAOnChallengeActionAllow},
		Cookies: &sdk.B2BCookiesConfig{HTTPOnly: sdk.B2BCookiesConfigHttpOnlyDisabled},
	}
}

// A block that is left out stays. Of one that is sent, what the client omits
// because it is false or empty is just that.
func TestSDKConfigChangesByBlocks(t *testing.T) {
	t.Parallel()
	e, want := newEnvironment(t), consumerConfig()
	e.expectConsumerConfig("everything", want, want)
	e.expectConsumerConfig("nothing", sdk.ConsumerConfig{}, want)
	want.OAuth = &sdk.ConsumerOAuthConfig{PKCERequired: true}
	want.OTPs = &sdk.ConsumerOTPsConfig{EmailSendEnabled: true}
	e.expectConsumerConfig("two blocks", sdk.ConsumerConfig{OAuth: want.OAuth, OTPs: want.OTPs}, want)

	b2b, expected := newB2BEnvironment(t), b2bConfig()
	b2b.expectB2BConfig("everything", expected, expected)
	expected.SSO = &sdk.B2BSSOConfig{Enabled: true}
	expected.Basic = &sdk.B2BBasicConfig{Enabled: true, Domains: []sdk.AuthorizedB2BDomain{{Domain: "http://localhost:3000"}}}
	b2b.expectB2BConfig("two blocks", sdk.B2BConfig{SSO: expected.SSO, Basic: expected.Basic}, expected)
}

// Terraform deletes by an empty basic block alone.
func TestSDKConfigDeletedAsTerraformDoes(t *testing.T) {
	t.Parallel()
	e, want := newEnvironment(t), consumerConfig()
	e.expectConsumerConfig("everything", want, want)
	want.Basic = &sdk.ConsumerBasicConfig{}
	e.expectConsumerConfig("an empty basic block", sdk.ConsumerConfig{Basic: want.Basic}, want)

	b2b, expected := newB2BEnvironment(t), b2bConfig()
	b2b.expectB2BConfig("everything", expected, expected)
	expected.Basic = &sdk.B2BBasicConfig{}
	b2b.expectB2BConfig("an empty basic block", sdk.B2BConfig{Basic: expected.Basic}, expected)
}

func TestSDKConfigTakesAnyKnownValue(t *testing.T) {
	t.Parallel()
	e, b2b := newEnvironment(t), newB2BEnvironment(t)
	want, expected := defaultConsumerConfig(), defaultB2BConfig()
	for _, enabled := range sdk.DFPPASettings() {
		for _, action := range sdk.DFPPAOnChallengeActions() {
			want.DFPPA = &sdk.ConsumerDFPPAConfig{Enabled: enabled, OnChallenge: action}
			expected.DFPPA = &sdk.B2BDFPPAConfig{Enabled: enabled, OnChallenge: action}
			e.expectConsumerConfig(string(enabled+" "+sdk.DFPPASetting(action)), want, want)
			b2b.expectB2BConfig(string(enabled+" "+sdk.DFPPASetting(action)), expected, expected)
		}
	}
	for _, mode := range sdk.ConsumerCookiesConfigHttpOnlys() {
		want.Cookies = &sdk.ConsumerCookiesConfig{HTTPOnly: mode}
		e.expectConsumerConfig("cookies "+string(mode), want, want)
	}
	for _, mode := range sdk.B2BCookiesConfigHttpOnlys() {
		expected.Cookies = &sdk.B2BCookiesConfig{HTTPOnly: mode}
		b2b.expectB2BConfig("cookies "+string(mode), expected, expected)
	}
}

func TestSDKConfigOfTheOtherVertical(t *testing.T) {
	t.Parallel()
	e, b2b := newEnvironment(t), newB2BEnvironment(t)
	_, err := e.setB2BConfig(b2bConfig())
	wantRefusal(t, "set", err, refusal{400, "invalid_b2b_endpoint"})
	_, err = manage().SDK.GetB2BConfig(t.Context(), sdk.GetB2BConfigRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	wantRefusal(t, "get", err, refusal{400, "invalid_b2b_endpoint"})
	_, err = b2b.setConsumerConfig(consumerConfig())
	wantRefusal(t, "set", err, refusal{400, "invalid_consumer_endpoint"})
	_, err = manage().SDK.GetConsumerConfig(t.Context(), sdk.GetConsumerConfigRequest{ProjectSlug: b2b.ProjectSlug, EnvironmentSlug: b2b.EnvironmentSlug})
	wantRefusal(t, "get", err, refusal{400, "invalid_consumer_endpoint"})
	e.expectConsumerConfig("after that", sdk.ConsumerConfig{}, defaultConsumerConfig())
	b2b.expectB2BConfig("after that", sdk.B2BConfig{}, defaultB2BConfig())
}

func TestSDKConfigRefusals(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	for _, c := range []struct {
		kind   string
		config sdk.ConsumerConfig
	}{
		{"invalid_session_duration_minutes", sdk.ConsumerConfig{Sessions: &sdk.ConsumerSessionsConfig{MaxSessionDurationMinutes: 4}}},
		{"too_many_domains", sdk.ConsumerConfig{Basic: &sdk.ConsumerBasicConfig{Domains: slices.Repeat([]string{"example.com"}, 101)}}},
		{"invalid_argument", sdk.ConsumerConfig{Basic: &sdk.ConsumerBasicConfig{Domains: []string{"https://example.com/path"}}}},
		{"invalid_argument", sdk.ConsumerConfig{DFPPA: &sdk.ConsumerDFPPAConfig{Enabled: sdk.DFPPASettingUnknown}}},
	} {
		_, err := e.setConsumerConfig(c.config)
		wantRefusal(t, "set", err, refusal{400, c.kind})
	}
	e.expectConsumerConfig("after that", sdk.ConsumerConfig{}, defaultConsumerConfig())
	_, err := manage().SDK.GetConsumerConfig(t.Context(), sdk.GetConsumerConfigRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: "nowhere"})
	wantRefusal(t, "no environment", err, refusal{404, "environment_not_found"})
}
