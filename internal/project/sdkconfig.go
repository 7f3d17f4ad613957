package project

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// Bounds of an SDK configuration.
const (
	maxSDKList        = 100 // domains, bundle IDs, autofill metadata
	maxSDKText        = 256 // bytes of a domain, a bundle ID, a pattern
	defaultSDKMinutes = 60
)

func emptyConsumerSDKConfig() countersign.ConsumerSDKConfig {
	return countersign.ConsumerSDKConfig{
		Basic: &countersign.ConsumerBasicConfig{}, Sessions: &countersign.SDKSessionsConfig{}, MagicLinks: &countersign.ConsumerMagicLinksConfig{},
		OTPs: &countersign.ConsumerOTPsConfig{}, OAuth: &countersign.EnabledWithPKCE{}, TOTPs: &countersign.SDKTOTPsConfig{},
		WebAuthn: &countersign.ConsumerWebAuthnConfig{}, CryptoWallets: &countersign.ConsumerWalletsConfig{}, DFPPA: &countersign.SDKDFPPAConfig{},
		Biometrics: &countersign.ConsumerBiometricsConfig{}, Passwords: &countersign.SDKPasswordsConfig{}, Cookies: &countersign.SDKCookiesConfig{},
		UserImpersonation: &countersign.SDKImpersonationConfig{},
	}
}

func emptyB2BSDKConfig() countersign.B2BSDKConfig {
	return countersign.B2BSDKConfig{
		Basic: &countersign.B2BBasicConfig{}, Sessions: &countersign.SDKSessionsConfig{}, MagicLinks: &countersign.EnabledWithPKCE{},
		OAuth: &countersign.EnabledWithPKCE{}, TOTPs: &countersign.SDKTOTPsConfig{}, SSO: &countersign.EnabledWithPKCE{},
		OTPs: &countersign.B2BOTPsConfig{}, DFPPA: &countersign.SDKDFPPAConfig{}, Passwords: &countersign.SDKPasswordsConfig{}, Cookies: &countersign.SDKCookiesConfig{},
		UserImpersonation: &countersign.SDKImpersonationConfig{},
	}
}

// ConsumerSDKConfig is what the libraries of a consumer project may do.
// ErrInvalidConsumerEndpoint for a B2B project.
func (s *Service) ConsumerSDKConfig(ctx context.Context, env countersign.Environment) (countersign.ConsumerSDKConfig, error) {
	if env.Vertical != countersign.Consumer {
		return countersign.ConsumerSDKConfig{}, countersign.ErrInvalidConsumerEndpoint
	}
	return view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.ConsumerSDKConfig, error) {
		return consumerSDKConfig(ctx, tx, env.ID)
	})
}

func consumerSDKConfig(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) (countersign.ConsumerSDKConfig, error) {
	c, err := tx.ConsumerSDKConfig(ctx, env)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return fillConsumer(c, emptyConsumerSDKConfig()), err
}

// fillConsumer takes the blocks that c lacks from another configuration.
func fillConsumer(c, from countersign.ConsumerSDKConfig) countersign.ConsumerSDKConfig {
	c = countersign.ConsumerSDKConfig{
		Basic: cmp.Or(c.Basic, from.Basic), Sessions: cmp.Or(c.Sessions, from.Sessions), MagicLinks: cmp.Or(c.MagicLinks, from.MagicLinks),
		OTPs: cmp.Or(c.OTPs, from.OTPs), OAuth: cmp.Or(c.OAuth, from.OAuth), TOTPs: cmp.Or(c.TOTPs, from.TOTPs),
		WebAuthn: cmp.Or(c.WebAuthn, from.WebAuthn), CryptoWallets: cmp.Or(c.CryptoWallets, from.CryptoWallets), DFPPA: cmp.Or(c.DFPPA, from.DFPPA),
		Biometrics: cmp.Or(c.Biometrics, from.Biometrics), Passwords: cmp.Or(c.Passwords, from.Passwords), Cookies: cmp.Or(c.Cookies, from.Cookies),
		UserImpersonation: cmp.Or(c.UserImpersonation, from.UserImpersonation),
	}
	c.Basic.Domains, c.Basic.BundleIDs = listed(c.Basic.Domains), listed(c.Basic.BundleIDs)
	c.OTPs.SMSAutofillMetadata = listed(c.OTPs.SMSAutofillMetadata)
	c.Sessions, c.DFPPA, c.Cookies = filled(*c.Sessions, *c.DFPPA, *c.Cookies)
	return c
}

// SetConsumerSDKConfig changes the blocks that are given; within one, what is not
// given is off. Errors: as ConsumerSDKConfig, ErrInvalidSessionDurationMinutes,
// ErrTooManyDomains, ErrEnvironmentNotFound, ErrInvalidArgument.
func (s *Service) SetConsumerSDKConfig(ctx context.Context, actor countersign.Actor, env countersign.Environment, given countersign.ConsumerSDKConfig) (after countersign.ConsumerSDKConfig, err error) {
	if env.Vertical != countersign.Consumer {
		return after, countersign.ErrInvalidConsumerEndpoint
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := consumerSDKConfig(ctx, tx, env.ID)
		if err != nil {
			return err
		}
		after = fillConsumer(given, before)
		if err := cmp.Or(
			checkTexts("domains", after.Basic.Domains, countersign.ErrTooManyDomains, checkDomain),
			checkBundleIDs(after.Basic.BundleIDs),
			checkAutofill(after.OTPs.SMSAutofillMetadata),
			checkShared(after.Sessions, after.DFPPA, after.Cookies),
		); err != nil {
			return err
		}
		if err := tx.PutConsumerSDKConfig(ctx, env.ID, after); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		return tx.Record(ctx, env.ID, "sdk_config.updated", env.ID.String(), change(before, after))
	})
	return after, err
}

// B2BSDKConfig is what the libraries of a B2B project may do. ErrInvalidB2BEndpoint
// for a consumer project.
func (s *Service) B2BSDKConfig(ctx context.Context, env countersign.Environment) (countersign.B2BSDKConfig, error) {
	if env.Vertical != countersign.B2B {
		return countersign.B2BSDKConfig{}, countersign.ErrInvalidB2BEndpoint
	}
	return view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.B2BSDKConfig, error) { return b2bSDKConfig(ctx, tx, env.ID) })
}

func b2bSDKConfig(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) (countersign.B2BSDKConfig, error) {
	c, err := tx.B2BSDKConfig(ctx, env)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return fillB2B(c, emptyB2BSDKConfig()), err
}

// fillB2B takes the blocks that c lacks from another configuration.
func fillB2B(c, from countersign.B2BSDKConfig) countersign.B2BSDKConfig {
	c = countersign.B2BSDKConfig{
		Basic: cmp.Or(c.Basic, from.Basic), Sessions: cmp.Or(c.Sessions, from.Sessions), MagicLinks: cmp.Or(c.MagicLinks, from.MagicLinks),
		OAuth: cmp.Or(c.OAuth, from.OAuth), TOTPs: cmp.Or(c.TOTPs, from.TOTPs), SSO: cmp.Or(c.SSO, from.SSO),
		OTPs: cmp.Or(c.OTPs, from.OTPs), DFPPA: cmp.Or(c.DFPPA, from.DFPPA), Passwords: cmp.Or(c.Passwords, from.Passwords),
		Cookies: cmp.Or(c.Cookies, from.Cookies), UserImpersonation: cmp.Or(c.UserImpersonation, from.UserImpersonation),
	}
	c.Basic.Domains, c.Basic.BundleIDs = listed(c.Basic.Domains), listed(c.Basic.BundleIDs)
	c.OTPs.SMSAutofillMetadata = listed(c.OTPs.SMSAutofillMetadata)
	c.Sessions, c.DFPPA, c.Cookies = filled(*c.Sessions, *c.DFPPA, *c.Cookies)
	return c
}

// SetB2BSDKConfig is SetConsumerSDKConfig for B2B projects.
func (s *Service) SetB2BSDKConfig(ctx context.Context, actor countersign.Actor, env countersign.Environment, given countersign.B2BSDKConfig) (after countersign.B2BSDKConfig, err error) {
	if env.Vertical != countersign.B2B {
		return after, countersign.ErrInvalidB2BEndpoint
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := b2bSDKConfig(ctx, tx, env.ID)
		if err != nil {
			return err
		}
		after = fillB2B(given, before)
		var domains, patterns []string
		for _, d := range after.Basic.Domains {
			domains, patterns = append(domains, d.Domain), append(patterns, d.SlugPattern)
		}
		if err := cmp.Or(
			checkTexts("domains", domains, countersign.ErrTooManyDomains, checkDomain),
			checkTexts("slug_pattern", patterns, countersign.ErrTooManyDomains, checkSDKText),
			checkBundleIDs(after.Basic.BundleIDs),
			checkAutofill(after.OTPs.SMSAutofillMetadata),
			checkShared(after.Sessions, after.DFPPA, after.Cookies),
		); err != nil {
			return err
		}
		if err := tx.PutB2BSDKConfig(ctx, env.ID, after); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		return tx.Record(ctx, env.ID, "sdk_config.updated", env.ID.String(), change(before, after))
	})
	return after, err
}

// sdkConfig is that of the environment's vertical.
func sdkConfig(ctx context.Context, tx *store.Tx, env countersign.Environment) (SDKConfig, error) {
	if env.Vertical == countersign.B2B {
		c, err := b2bSDKConfig(ctx, tx, env.ID)
		return SDKConfig{B2B: &c}, err
	}
	c, err := consumerSDKConfig(ctx, tx, env.ID)
	return SDKConfig{Consumer: &c}, err
}

// filled are blocks in which what cannot be off or empty has its default.
func filled(s countersign.SDKSessionsConfig, d countersign.SDKDFPPAConfig, c countersign.SDKCookiesConfig) (*countersign.SDKSessionsConfig, *countersign.SDKDFPPAConfig, *countersign.SDKCookiesConfig) {
	s.MaxSessionDurationMinutes = cmp.Or(s.MaxSessionDurationMinutes, defaultSDKMinutes)
	d.Enabled, d.OnChallenge = cmp.Or(d.Enabled, "DISABLED"), cmp.Or(d.OnChallenge, "ALLOW")
	c.HTTPOnly = cmp.Or(c.HTTPOnly, cookiesDisabled)
	return &s, &d, &c
}

// The values of SDKCookiesConfig.HTTPOnly.
const (
	cookiesDisabled = "DISABLED"
	cookiesEnabled  = "ENABLED"
	cookiesEnforced = "ENFORCED"
)

// CookieModes are all of them, the least strict first.
func CookieModes() []string { return []string{cookiesDisabled, cookiesEnabled, cookiesEnforced} }

// listed is a list that is not nil.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// checkShared checks the blocks that both verticals have.
func checkShared(s *countersign.SDKSessionsConfig, d *countersign.SDKDFPPAConfig, c *countersign.SDKCookiesConfig) error {
	if s.MaxSessionDurationMinutes < countersign.MinSessionMinutes || s.MaxSessionDurationMinutes > countersign.MaxSessionMinutes {
		return countersign.ErrInvalidSessionDurationMinutes.Saying("In sessions.max_session_duration_minutes.")
	}
	return cmp.Or(
		oneOf("dfppa.enabled", d.Enabled, "ENABLED", "PASSIVE", "DISABLED"),
		oneOf("dfppa.on_challenge", d.OnChallenge, "ALLOW", "BLOCK", "TRIGGER_CAPTCHA"),
		oneOf("cookies.http_only", c.HTTPOnly, CookieModes()...),
	)
}

func oneOf(field, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return countersign.ErrInvalidArgument.Saying("%s must be one of %s.", field, strings.Join(allowed, ", "))
	}
	return nil
}

func checkBundleIDs(list []string) error {
	tooMany := countersign.ErrInvalidArgument.Saying("There may be %d bundle_ids.", maxSDKList)
	return checkTexts("bundle_ids", list, tooMany, func(field, text string) error {
		if text == "" {
			return countersign.ErrInvalidArgument.Saying("None of %s may be empty.", field)
		}
		return checkSDKText(field, text)
	})
}

func checkAutofill(list []countersign.SMSAutofill) error {
	if len(list) > maxSDKList {
		return countersign.ErrInvalidArgument.Saying("sms_autofill_metadata may have %d members.", maxSDKList)
	}
	for _, m := range list {
		if err := cmp.Or(
			oneOf("metadata_type", m.MetadataType, "domain", "hash"),
			checkSDKText("metadata_value", m.MetadataValue), checkSDKText("bundle_id", m.BundleID),
		); err != nil {
			return err
		}
	}
	return nil
}

func checkTexts(field string, list []string, tooMany error, check func(field, text string) error) error {
	if len(list) > maxSDKList {
		return tooMany
	}
	for _, text := range list {
		if err := check(field, text); err != nil {
			return err
		}
	}
	return nil
}

func checkSDKText(field, text string) error {
	if len(text) > maxSDKText || strings.ContainsFunc(text, unicode.IsControl) {
		return countersign.ErrInvalidArgument.Saying("Each %s may have %d bytes and no control characters.", field, maxSDKText)
	}
	return nil
}

// checkDomain refuses what can be no origin of a page: a host, perhaps with
// http:// or https:// before it, a port behind it and * as its first label.
func checkDomain(field, text string) error {
	if err := checkSDKText(field, text); err != nil {
		return err
	}
	address := text
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(strings.Replace(address, "://*.", "://any.", 1))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return countersign.ErrInvalidArgument.Saying("%.128q is no domain; write it like https://example.com or https://*.example.com.", text)
	}
	return nil
}
