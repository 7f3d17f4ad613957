package countersign

import (
	"encoding/json"
	"time"
)

// Bounds of a trust policy.
const (
	MaxClockSkew       = 300         // seconds
	MaxTokenSpan       = 366 * 86400 // seconds: of a token's lifetime and age
	MaxPolicyEntries   = 100         // in each list of names
	MaxConditions      = 20
	MaxProfileTests    = 50
	MaxTrustPolicySize = 48 << 10 // bytes, as JSON
	MaxJITPerHour      = 1_000_000
)

// Seconds is a span of time as operators write it.
type Seconds int64

// Duration is the span.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// EmailTrust says what an issuer's word about an e-mail address is worth.
type EmailTrust string

// The levels of trust. Whatever it is, nobody is found by an address that a
// trust policy does not let the issuer speak for.
const (
	EmailTrustIssuer   EmailTrust = "issuer"         // believe it
	EmailTrustVerified EmailTrust = "verified_claim" // only with email_verified, JSON true
	EmailTrustNever    EmailTrust = "never_link"     // never find somebody who exists by address
)

// ProfileMode says what becomes of a token that is believed.
type ProfileMode string

// The modes.
const (
	ModeEnforce ProfileMode = "enforce"
	ModeShadow  ProfileMode = "shadow" // it is judged and recorded, and refused all the same
)

// SignInUpdate says when a sign-in changes an attribute of somebody who exists.
type SignInUpdate string

// The times.
const (
	UpdateAlways  SignInUpdate = "always"
	UpdateIfEmpty SignInUpdate = "if_empty"
	UpdateNever   SignInUpdate = "never"
)

// TrustPolicy tightens what a profile believes, beyond the contract. It is kept
// and shown as this JSON. The zero value is not the default: DefaultTrustPolicy
// is.
type TrustPolicy struct {
	Algorithms       []Algorithm             `json:"algorithms" openapi:"nullable" doc:"What alg may be; null for every asymmetric algorithm of RFC 7518 and RFC 8037."`
	Audiences        []string                `json:"audiences" openapi:"nullable" doc:"What aud may name beside the profile's audience; null for nothing."`
	RequiredType     string                  `json:"required_typ" doc:"What typ in the header must be (RFC 8725 section 3.11); empty for anything."`
	ClockSkew        Seconds                 `json:"clock_skew_seconds" openapi:"minimum=0,maximum=300" doc:"What exp, nbf and iat may be off by."`
	MaxTokenLifetime Seconds                 `json:"max_token_lifetime_seconds" openapi:"minimum=0,maximum=31622400" doc:"What exp - iat may be at most; 0 for anything."`
	MaxTokenAge      Seconds                 `json:"max_token_age_seconds" openapi:"minimum=0,maximum=31622400" doc:"How long ago iat may be at most; 0 for anything."`
	OneTimeTokens    bool                    `json:"one_time_tokens" doc:"Refuse a token_id that was used before."`
	SubjectClaim     string                  `json:"subject_claim" doc:"The claim that people are found by, in the syntax of attribute_mapping; empty to find them by e-mail address."`
	EmailTrust       EmailTrust              `json:"email_trust" openapi:"enum=issuer|verified_claim|never_link"`
	EmailDomains     []string                `json:"email_domains" openapi:"nullable" doc:"The domains that the issuer may speak for; null for all."`
	OnSignIn         map[string]SignInUpdate `json:"on_sign_in" openapi:"nullable" doc:"When a sign-in changes an attribute of somebody who exists: by default role_ids always, email and the external ID if_empty."`
	RoleIDsAllowed   []string                `json:"role_ids_allowed" openapi:"nullable" doc:"The roles that the issuer may give; null for all that the policy defines."`
	OrganizationID   string                  `json:"organization_id" doc:"The one organization that tokens of the profile are for (B2B); empty for any."`
	JITDomains       []string                `json:"jit_domains" openapi:"nullable" doc:"The domains whose people are provisioned; null for all."`
	JITPerHour       int                     `json:"jit_per_hour" openapi:"minimum=0,maximum=1000000" doc:"How many people may be provisioned in a clock hour (UTC); 0 for any number."`
	Conditions       []string                `json:"conditions" openapi:"nullable" doc:"CEL expressions over claims and header that must all be true; null for none."`
	Mode             ProfileMode             `json:"mode" openapi:"enum=enforce|shadow"`
	Tests            []ProfileTest           `json:"tests" openapi:"nullable" doc:"What the profile must make of which claims; run when it is saved."`
}

// DefaultTrustPolicy is the contract's behaviour: any asymmetric algorithm, the
// profile's one audience, 30 s of clock skew, the issuer's word for addresses.
func DefaultTrustPolicy() TrustPolicy {
	return TrustPolicy{ClockSkew: 30, EmailTrust: EmailTrustIssuer, Mode: ModeEnforce}
}

// ExternalIDAttribute is the one that carries a person's external ID in a vertical.
func ExternalIDAttribute(v Vertical) string {
	if v == B2B {
		return AttributeExternalMemberID
	}
	return AttributeExternalUserID
}

// Updates says when a sign-in changes an attribute of somebody who exists.
func (p TrustPolicy) Updates(attribute string) SignInUpdate {
	if when, set := p.OnSignIn[attribute]; set {
		return when
	}
	if attribute == AttributeRoleIDs {
		return UpdateAlways
	}
	return UpdateIfEmpty
}

// ProfileTest is an example of a profile's tokens: what these claims must come
// to. iss, aud, iat and exp, and alg in the header, are right unless it says
// otherwise.
type ProfileTest struct {
	Name   string      `json:"name"`
	Header Object      `json:"header,omitempty" openapi:"type=object"`
	Claims Object      `json:"claims" openapi:"type=object"`
	Expect Expectation `json:"expect"`
}

// Expectation is what a test expects: a reason of refusal, or attributes, of
// which those it names must be equal.
type Expectation struct {
	Reason     string                     `json:"reason,omitempty"`
	Attributes map[string]json.RawMessage `json:"attributes,omitempty" openapi:"type=object"`
}
