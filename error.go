package countersign

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the family of an error. It decides the HTTP status, in api/error.go.
type Kind int

// The families.
const (
	Internal        Kind = iota // 500; the client reads nothing of the cause
	Invalid                     // 400
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404
	BadMethod                   // 405
	Conflict                    // 400 on this wire: the contract has no 409
	Limited                     // 429
	Unavailable                 // 503
)

// Error is a failure that the wire contract names. Values made by define are
// sentinels: compare with errors.Is. Because, Saying and After return copies.
type Error struct {
	Type       string // the wire's error_type
	Kind       Kind
	Message    string        // one fixed sentence, fit for anybody
	Detail     string        // more, for callers who hold a project secret or a workspace key
	RetryAfter time.Duration // for Limited and Unavailable; 0 says nothing
	cause      error
}

func (e *Error) Error() string {
	s := e.Type + ": " + e.Explained()
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Explained is the fixed sentence with the detail, for callers who hold a secret.
func (e *Error) Explained() string {
	if e.Detail == "" {
		return e.Message
	}
	return e.Message + " " + e.Detail
}

// Unwrap gives the operator's cause.
func (e *Error) Unwrap() error { return e.cause }

// Is matches any error of the same type, whatever its detail or cause.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.Type == e.Type
}

// Because is a copy that adds the cause, for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Saying is a copy that tells a caller who holds a secret more than the fixed
// sentence. It must never contain a secret or a whole token.
func (e *Error) Saying(format string, args ...any) *Error {
	c := *e
	c.Detail = fmt.Sprintf(format, args...)
	return &c
}

// After is a copy that says when to try again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

func define(typ string, kind Kind, message string) *Error {
	return &Error{Type: typ, Kind: kind, Message: message}
}

// Any plane (errors.md §2).
var (
	ErrInternal                       = define("internal_server_error", Internal, "Something went wrong on our side; the request ID finds it in the server's log.")
	ErrUnavailable                    = define("server_unavailable", Unavailable, "The server cannot answer right now; try again shortly.")
	ErrTooManyRequests                = define("too_many_requests", Limited, "Too much was asked in too short a time; try again when Retry-After says.")
	ErrBadRequest                     = define("bad_request", Invalid, "The request is not what this endpoint expects.")
	ErrInvalidArgument                = define("invalid_argument", Invalid, "A field has a value that is not allowed.")
	ErrUnauthorizedCredentials        = define("unauthorized_credentials", Unauthenticated, "The credentials are missing or wrong.")
	ErrInvalidAuthorizationHeader     = define("invalid_authorization_header", Invalid, "The Authorization header is not Basic credentials.")
	ErrInvalidProjectIDAuthentication = define("invalid_project_id_authentication", Unauthenticated, "The user name of the Basic credentials is not a project ID.")
	ErrRouteNotFound                  = define("route_not_found", NotFound, "There is no such endpoint.")
	ErrMethodNotAllowed               = define("method_not_allowed", BadMethod, "This endpoint does not take that method.")
	ErrInvalidConsumerEndpoint        = define("invalid_consumer_endpoint", Invalid, "This endpoint is for consumer projects; the credentials belong to a B2B project.")
	ErrInvalidB2BEndpoint             = define("invalid_b2b_endpoint", Invalid, "This endpoint is for B2B projects; this is a consumer project.")
	ErrLiveIDInTestEnvironment        = define("live_id_used_in_test_environment", Invalid, "A live ID was used in a test environment.")
	ErrTestIDInLiveEnvironment        = define("test_id_used_in_live_environment", Invalid, "A test ID was used in a live environment.")
	ErrMetadataInvalidFormat          = define("metadata_invalid_format", Invalid, "Metadata must be a JSON object.")
	ErrMetadataTooLarge               = define("metadata_too_large", Invalid, "Metadata may have 4096 bytes.")
	ErrMetadataTooManyKeys            = define("metadata_too_many_keys", Invalid, "Metadata may have 20 top-level keys.")
)

// Sessions and claims (errors.md §3).
var (
	ErrSessionNotFound                = define("session_not_found", NotFound, "There is no active session of that name; it may have expired or been revoked.")
	ErrNoSessionArguments             = define("no_session_arguments", Invalid, "Give a session_token or a session_jwt.")
	ErrTooManySessionArguments        = define("too_many_session_arguments", Invalid, "Give a session_token or a session_jwt, not both.")
	ErrNoSessionRevokeArguments       = define("no_session_revoke_arguments", Invalid, "Give a session_id, a session_token, a session_jwt, a user_id or a member_id.")
	ErrTooManySessionRevokeArguments  = define("too_many_session_revoke_arguments", Invalid, "Give exactly one of session_id, session_token, session_jwt, user_id and member_id.")
	ErrInvalidSessionID               = define("invalid_session_id", Invalid, "That is not a session ID.")
	ErrUnableToParseSessionJWT        = define("unable_to_parse_session_jwt", Invalid, "The session_jwt is not one that this environment signed.")
	ErrInvalidSessionDurationMinutes  = define("invalid_session_duration_minutes", Invalid, "session_duration_minutes must be a whole number from 5 to 527040.")
	ErrCustomClaimsTooLarge           = define("custom_claims_too_large", Invalid, "The session's custom claims may have 4096 bytes in all.")
	ErrStytchClaimsInCustomClaims     = define("stytch_claims_in_custom_claims", Invalid, "Custom claims may not begin with https://stytch.com/.")
	ErrUserIDMismatch                 = define("user_id_mismatch", Invalid, "The session belongs to another user than the token.")
	ErrMemberMismatch                 = define("member_session_member_id_mismatch", Invalid, "The session belongs to another member than the token.")
	ErrSessionAuthorization           = define("session_authorization_error", Forbidden, "The member's roles do not permit that action on that resource.")
	ErrSessionTenancy                 = define("session_authorization_tenancy_error", Forbidden, "The session belongs to another organization.")
	ErrInsufficientFactorsForExchange = define("insufficient_factors_for_session_exchange", Invalid, "The session has no factor that the other organization takes.")
	ErrConsumerSessionAuthorization   = define("consumer_session_authorization_error", Forbidden, "The user's roles do not permit that action on that resource.")
	ErrInvalidUserID                  = define("invalid_user_id", Invalid, "That is neither a user ID nor an external ID.")
	ErrMigrateMissingUserinfo         = define("migrate_from_external_missing_userinfo", Invalid, "The environment has no zero_downtime_session_migration_url.")
	ErrMigrateUnexpectedResponse      = define("migrate_from_external_unexpected_response", Invalid, "The userinfo endpoint did not answer with a person's verified e-mail address.")
	ErrMigrateEmailDoesNotExist       = define("migrate_from_external_email_does_not_exist", Invalid, "Nobody has the e-mail address that the userinfo endpoint answered with.")
)

// Trusted auth tokens (errors.md §4). The keys of an issuer that cannot be had
// are our trouble and the issuer's, never the token's: keys_unavailable.
var (
	ErrProfileNotFound                   = define("trusted_token_profile_not_found", NotFound, "There is no trusted token profile of that ID.")
	ErrInvalidTrustedAuthToken           = define("invalid_trusted_auth_token", Invalid, "The token is not acceptable.")
	ErrJWTInvalidIssuer                  = define("jwt_invalid_issuer", Invalid, "The token's issuer is not the profile's.")
	ErrJWTInvalidAudience                = define("jwt_invalid_audience", Invalid, "The token's audience is not the profile's.")
	ErrJWTInvalidClaims                  = define("jwt_invalid_claims", Invalid, "A claim that the profile maps is missing or of the wrong type.")
	ErrTokenMissingOrganization          = define("token_missing_organization_id_claim", Invalid, "The token does not say which organization it is for.")
	ErrTokenInvalidOrganization          = define("invalid_token_organization_id_claim", Invalid, "The token is not for that organization.")
	ErrKeysUnavailable                   = define("keys_unavailable", Unavailable, "The issuer's keys cannot be had right now; try again shortly.")
	ErrInvalidRBACRoleID                 = define("invalid_rbac_role_id", Invalid, "There is no role of that ID.")
	ErrCannotAssignDefaultRBACRoleID     = define("cannot_assign_default_rbac_role_id", Invalid, "The default role is held by everybody and cannot be assigned.")
	ErrProfileInvalidRequest             = define("trusted_token_profile_invalid_request", Invalid, "The profile is not well formed.")
	ErrMustHaveJWKSURL                   = define("must_have_jwks_url_for_trusted_token_profile_with_type_jwk", Invalid, "A profile of type JWK needs a jwks_url.")
	ErrMustHavePEMFiles                  = define("must_have_pem_files_for_trusted_token_profile_with_type_pem", Invalid, "A profile of type PEM needs at least one public key.")
	ErrCannotAddPEMFileToNonPEMProfile   = define("cannot_add_pem_file_to_non_pem_trusted_token_profile", Invalid, "Only a profile of type PEM takes public keys.")
	ErrTooManyPEMFiles                   = define("too_many_pem_files_for_trusted_token_profile", Invalid, "A profile may have five public keys.")
	ErrTooManyProfiles                   = define("too_many_trusted_token_profiles_for_project", Invalid, "An environment may have 100 trusted token profiles.")
	ErrProfileMultipleExternalIDs        = define("trusted_token_profile_cannot_have_multiple_external_ids", Invalid, "A mapping may have external_user_id or external_member_id, not both.")
	ErrProfileIncorrectExternalIDMapping = define("trusted_token_profile_incorrect_external_id_mapping", Invalid, "The mapping has the external ID of the other vertical.")
	ErrInvalidJWKSURL                    = define("invalid_jwks_url", Invalid, "jwks_url must be an absolute http or https URL without user name, password or fragment.")
	ErrPublicKeyMissing                  = define("public_key_missing", Invalid, "Give the public key as PEM text.")
	ErrInvalidPublicKey                  = define("invalid_public_key", Invalid, "The public key is not usable.")
	ErrPEMFileNotFound                   = define("pem_file_not_found", NotFound, "The profile has no public key of that ID.")
)

// Users (errors.md §5).
var (
	ErrUserNotFound              = define("user_not_found", NotFound, "There is no such user.")
	ErrInvalidCreateUser         = define("invalid_create_user_request", Invalid, "A user needs an e-mail address or a phone number.")
	ErrInvalidEmail              = define("invalid_email", Invalid, "That is not one plain e-mail address.")
	ErrInvalidPhoneNumber        = define("invalid_phone_number", Invalid, "A phone number must be in E.164 form: a plus sign and 8 to 15 digits.")
	ErrDuplicateEmail            = define("duplicate_email", Conflict, "That e-mail address belongs to another user.")
	ErrDuplicatePhoneNumber      = define("duplicate_phone_number", Conflict, "That phone number belongs to another user.")
	ErrDuplicateUserExternalID   = define("duplicate_user_external_id", Conflict, "That external ID belongs to another user.")
	ErrUpdateAuthMethod          = define("update_user_auth_method_not_allowed", Invalid, "E-mail addresses, phone numbers and crypto wallets are not changed by an update.")
	ErrInvalidExchangeFields     = define("invalid_exchange_primary_factor_fields", Invalid, "Give exactly one of email_address and phone_number.")
	ErrInvalidExchangeUser       = define("invalid_exchange_primary_factor_user", Invalid, "Only a user with exactly one e-mail address or phone number can exchange it.")
	ErrEmailNotFound             = define("email_not_found", NotFound, "Nobody has an e-mail address of that ID.")
	ErrPhoneNumberNotFound       = define("phone_number_not_found", NotFound, "Nobody has a phone number of that ID.")
	ErrWebauthnNotFound          = define("webauthn_registration_not_found", NotFound, "Nobody has a WebAuthn registration of that ID; this server makes none.")
	ErrBiometricNotFound         = define("biometric_registration_not_found", NotFound, "Nobody has a biometric registration of that ID; this server makes none.")
	ErrTOTPNotFound              = define("totp_not_found", NotFound, "Nobody has a TOTP of that ID; this server makes none.")
	ErrCryptoWalletNotFound      = define("crypto_wallet_not_found", NotFound, "Nobody has a crypto wallet of that ID; this server makes none.")
	ErrPasswordNotFound          = define("password_not_found", NotFound, "Nobody has a password of that ID; this server makes none.")
	ErrOAuthRegistrationNotFound = define("oauth_user_registration_not_found", NotFound, "Nobody has an OAuth registration of that ID; this server makes none.")
	ErrConnectedAppNotFound      = define("connected_app_not_found", NotFound, "Nobody has a connected app of that ID; this server connects none.")
)

// Organizations and members (errors.md §6).
var (
	ErrOrganizationNotFound           = define("organization_not_found", NotFound, "There is no such organization.")
	ErrOrganizationNameMissing        = define("organization_name_missing", Invalid, "An organization needs a name.")
	ErrInvalidOrganizationName        = define("invalid_organization_name", Invalid, "The name of an organization has 1 to 128 characters, none of them a control character.")
	ErrInvalidOrganizationSlug        = define("invalid_organization_slug", Invalid, "A slug has 2 to 128 characters out of A-Z, a-z, 0-9 and \"._~-\", is none of \"..\", \"members\" and \"search\", and does not look like one of the server's own IDs.")
	ErrInvalidOrganizationID          = define("invalid_organization_id", Invalid, "That is neither an organization ID nor an external ID or slug.")
	ErrInvalidOrganizationExternalID  = define("invalid_organization_external_id", Invalid, "An external ID has 1 to 128 characters out of A-Z, a-z, 0-9 and \"._|-\", and is none of \".\", \"..\", \"members\" and \"search\".")
	ErrOrganizationExternalIDLikeID   = define("external_organization_id_same_as_organization_id", Invalid, "An external ID may not look like one of the server's own IDs.")
	ErrOrganizationSlugUsed           = define("organization_slug_already_used", Conflict, "Another organization goes by that slug.")
	ErrOrganizationExternalIDUsed     = define("organization_external_id_already_used", Conflict, "Another organization goes by that external ID.")
	ErrOrganizationLogoURLTooLong     = define("organization_logo_url_too_long", Invalid, "A logo URL may have 2048 bytes.")
	ErrAllowedAuthMethodsRequired     = define("allowed_auth_methods_required_for_restricted", Invalid, "With auth_methods RESTRICTED, allowed_auth_methods must name at least one.")
	ErrAllowedMFAMethodsRequired      = define("allowed_mfa_methods_required_for_restricted", Invalid, "With mfa_methods RESTRICTED, allowed_mfa_methods must name at least one.")
	ErrInvalidAuthMethodSettings      = define("invalid_organization_auth_method_settings", Invalid, "auth_methods or allowed_auth_methods has a value that there is not.")
	ErrInvalidMFAPolicy               = define("invalid_organization_mfa_policy", Invalid, "mfa_policy must be OPTIONAL or REQUIRED_FOR_ALL.")
	ErrInvalidAuthFactorSetting       = define("invalid_organization_auth_factor_setting", Invalid, "A setting of the organization has a value that there is not.")
	ErrSettingsInvalidDomain          = define("organization_settings_invalid_domain", Invalid, "email_allowed_domains has something that is no domain.")
	ErrSettingsDomainTooCommon        = define("organization_settings_domain_too_common", Invalid, "email_allowed_domains has a domain in which anybody can have an address.")
	ErrSettingsDuplicateDomain        = define("organization_settings_duplicate_domain", Invalid, "email_allowed_domains has a domain twice.")
	ErrSettingsInvalidClaimedDomain   = define("organization_settings_invalid_claimed_domain", Invalid, "claimed_email_domains has something that is no domain.")
	ErrSettingsClaimedDomainTooCommon = define("organization_settings_claimed_domain_too_common", Invalid, "claimed_email_domains has a domain in which anybody can have an address.")
	ErrSettingsDuplicateClaimedDomain = define("organization_settings_duplicate_claimed_domain", Invalid, "claimed_email_domains has a domain twice.")
	ErrRBACInvalidDomain              = define("rbac_invalid_domain", Invalid, "rbac_email_implicit_role_assignments has something that is no domain.")
	ErrRBACDomainTooCommon            = define("rbac_domain_too_common", Invalid, "rbac_email_implicit_role_assignments has a domain in which anybody can have an address.")

	ErrMemberNotFound              = define("member_not_found", NotFound, "There is no such member.")
	ErrInvalidMemberID             = define("invalid_member_id", Invalid, "That is neither a member ID nor an external ID.")
	ErrInvalidMemberGet            = define("invalid_member_get_fields", Invalid, "Give exactly one of member_id and email_address.")
	ErrDuplicateMemberEmail        = define("duplicate_member_email", Conflict, "That e-mail address belongs to another member of the organization.")
	ErrDuplicateMemberPhone        = define("duplicate_member_phone_number", Conflict, "That phone number belongs to another member of the organization.")
	ErrDuplicatePhoneForMember     = define("duplicate_member_phone_number_for_member", Conflict, "The member has a phone number already; delete it first.")
	ErrDuplicateMemberExternalID   = define("duplicate_member_external_id", Conflict, "That external ID belongs to another member of the organization.")
	ErrRetiredMemberEmail          = define("retired_member_email", Invalid, "A member of the organization had that e-mail address before, and it stays reserved until it is unlinked.")
	ErrRetiredEmailMissing         = define("retired_email_missing_email_identifiers", Invalid, "Give email_id, email_address or both, of an address that the member had before.")
	ErrDefaultMFAMissingFactor     = define("default_mfa_member_missing_factor", Invalid, "The member has no factor of that kind.")
	ErrNoDeletedMember             = define("no_deleted_member_found_for_reactivation", Invalid, "The organization has no deleted member of that ID.")
	ErrEmailUnverifiedReactivation = define("email_unverified_for_reactivation", Invalid, "Only a member whose e-mail address was verified can be reactivated.")
	ErrReactivationEmailTaken      = define("reactivation_email_belongs_to_another_member", Invalid, "The member's e-mail address belongs to another member by now.")
	ErrMemberCannotUpdateOwnEmail  = define("member_cannot_update_their_email_address", Invalid, "Members cannot change their own e-mail address.")
	ErrMemberNotInOrganization     = define("member_does_not_exist_in_organization", Invalid, "No member of the organization has the e-mail address of the session's member.")
)

// SearchErrors are what can be wrong with a search of one kind (users.md §5, b2b.md
// §6).
type SearchErrors struct {
	InvalidOperator         *Error
	InvalidCursor           *Error
	InvalidLimit            *Error
	MissingFilterName       *Error
	FilterNameMustBeString  *Error
	FilterNameNotRecognized *Error
	MissingFilterValue      *Error
	TooManyValues           *Error
	ExpectedString          *Error
	ExpectedBool            *Error
	ExpectedArrayOfString   *Error
	InvalidStatus           *Error
	MixedIDs                *Error
	missing                 map[string]*Error // by what a list is of
	tooShort                map[string]*Error // by filter
}

// Missing is for a list of what that is empty, or has something empty in it.
func (e *SearchErrors) Missing(what string) *Error { return e.missing[what] }

// TooShort is for a part of less than three characters.
func (e *SearchErrors) TooShort(filter string) *Error { return e.tooShort[filter] }

// The kinds of search.
var (
	UserSearch = &SearchErrors{
		InvalidOperator:         define("user_search_invalid_operator", Invalid, "operator must be AND or OR."),
		InvalidCursor:           define("user_search_invalid_cursor", Invalid, "The cursor is not one that this search gave."),
		InvalidLimit:            define("user_search_invalid_limit", Invalid, "limit must be a whole number from 0 to 1000."),
		MissingFilterName:       define("user_search_missing_filter_name", Invalid, "Each operand needs a filter_name."),
		FilterNameMustBeString:  define("user_search_filter_name_must_be_string", Invalid, "filter_name must be a string."),
		FilterNameNotRecognized: define("user_search_filter_name_not_recognized", Invalid, "There is no filter of that name."),
		MissingFilterValue:      define("user_search_missing_filter_value", Invalid, "Each operand needs a filter_value."),
		TooManyValues:           define("user_search_maximum_filter_value_count_exceeded", Invalid, "A search may have 10 operands, and a filter 500 values."),
		ExpectedString:          define("user_search_expected_string", Invalid, "The filter's value must be a string."),
		ExpectedBool:            define("user_search_expected_bool", Invalid, "The filter's value must be true or false."),
		ExpectedArrayOfString:   define("user_search_expected_array_of_string", Invalid, "The filter's value must be an array of strings."),
		InvalidStatus:           define("user_search_invalid_status_filter", Invalid, "status must be active or pending."),
		MixedIDs:                define("user_search_cannot_mix_internal_and_external_user_ids", Invalid, "A list of user IDs has this server's IDs or external ones, not both."),
		missing: map[string]*Error{
			"user_id":                  define("user_search_missing_user_id", Invalid, "The list of user IDs is empty, or one of them is."),
			"email_address":            define("user_search_missing_email_address", Invalid, "The list of e-mail addresses is empty, or one of them is."),
			"email_id":                 define("user_search_missing_email_id", Invalid, "The list of e-mail IDs is empty, or one of them is."),
			"phone_number":             define("user_search_missing_phone_number", Invalid, "The list of phone numbers is empty, or one of them is."),
			"phone_id":                 define("user_search_missing_phone_id", Invalid, "The list of phone IDs is empty, or one of them is."),
			"oauth_provider":           define("user_search_missing_oauth_provider", Invalid, "The list of OAuth providers is empty, or one of them is."),
			"webauthn_registration_id": define("user_search_missing_webauthn_registration_id", Invalid, "The list of WebAuthn registration IDs is empty, or one of them is."),
			"crypto_wallet_id":         define("user_search_missing_crypto_wallet_id", Invalid, "The list of crypto wallet IDs is empty, or one of them is."),
			"crypto_wallet_address":    define("user_search_missing_crypto_wallet_address", Invalid, "The list of crypto wallet addresses is empty, or one of them is."),
			"totp_id":                  define("user_search_missing_totp_id", Invalid, "The list of TOTP IDs is empty, or one of them is."),
		},
		tooShort: map[string]*Error{
			"email_address_fuzzy": define("user_search_email_address_fuzzy_too_short", Invalid, "email_address_fuzzy needs 3 characters or more."),
			"phone_number_fuzzy":  define("user_search_phone_number_fuzzy_too_short", Invalid, "phone_number_fuzzy needs 3 characters or more."),
			"full_name_fuzzy":     define("user_search_full_name_fuzzy_too_short", Invalid, "full_name_fuzzy needs 3 characters or more."),
		},
	}
	ErrSearchExpectedObject    = define("user_search_expected_object", Invalid, "The filter's value must be an object with greater_than and less_than.")
	ErrSearchExpectedTimestamp = define("user_search_expected_timestamp", Invalid, "The filter's value must be an RFC 3339 timestamp.")

	OrganizationSearch = &SearchErrors{
		InvalidOperator:         define("organization_search_invalid_operator", Invalid, "operator must be AND or OR."),
		InvalidCursor:           define("organization_search_invalid_cursor", Invalid, "The cursor is not one that this search gave."),
		InvalidLimit:            define("organization_search_invalid_limit", Invalid, "limit must be a whole number from 0 to 1000."),
		MissingFilterName:       define("organization_search_missing_filter_name", Invalid, "Each operand needs a filter_name."),
		FilterNameMustBeString:  define("organization_search_filter_name_must_be_string", Invalid, "filter_name must be a string."),
		FilterNameNotRecognized: define("organization_search_filter_name_not_recognized", Invalid, "There is no filter of that name."),
		MissingFilterValue:      define("organization_search_missing_filter_value", Invalid, "Each operand needs a filter_value."),
		TooManyValues:           define("organization_search_maximum_filter_value_count_exceeded", Invalid, "A search may have 10 operands, and a filter 500 values."),
		ExpectedString:          define("organization_search_expected_string", Invalid, "The filter's value must be a string."),
		ExpectedBool:            define("organization_search_expected_boolean", Invalid, "The filter's value must be true or false."),
		ExpectedArrayOfString:   define("organization_search_expected_array_of_strings", Invalid, "The filter's value must be an array of strings."),
		missing: map[string]*Error{
			"organization_ids":      define("organization_search_missing_organization_ids", Invalid, "The list of organization IDs is empty, or one of them is."),
			"organization_slugs":    define("organization_search_missing_organization_slugs", Invalid, "The list of slugs is empty, or one of them is."),
			"member_emails":         define("organization_search_missing_member_emails", Invalid, "The list of e-mail addresses is empty, or one of them is."),
			"allowed_domains":       define("organization_search_missing_allowed_domains", Invalid, "The list of domains is empty, or one of them is."),
			"claimed_email_domains": define("organization_search_missing_claimed_email_domains", Invalid, "The list of domains is empty, or one of them is."),
		},
		tooShort: map[string]*Error{
			"organization_name_fuzzy": define("organization_search_organization_name_fuzzy_too_short", Invalid, "organization_name_fuzzy needs 3 characters or more."),
			"organization_slug_fuzzy": define("organization_search_organization_slug_fuzzy_too_short", Invalid, "organization_slug_fuzzy needs 3 characters or more."),
			"member_email_fuzzy":      define("organization_search_member_email_fuzzy_too_short", Invalid, "member_email_fuzzy needs 3 characters or more."),
			"allowed_domain_fuzzy":    define("organization_search_allowed_domain_fuzzy_too_short", Invalid, "allowed_domain_fuzzy needs 3 characters or more."),
		},
	}

	MemberSearch = &SearchErrors{
		InvalidOperator:         define("member_search_invalid_operator", Invalid, "operator must be AND or OR."),
		InvalidCursor:           define("member_search_invalid_cursor", Invalid, "The cursor is not one that this search gave."),
		InvalidLimit:            define("member_search_invalid_limit", Invalid, "limit must be a whole number from 0 to 1000."),
		MissingFilterName:       define("member_search_missing_filter_name", Invalid, "Each operand needs a filter_name."),
		FilterNameMustBeString:  define("member_search_filter_name_must_be_string", Invalid, "filter_name must be a string."),
		FilterNameNotRecognized: define("member_search_filter_name_not_recognized", Invalid, "There is no filter of that name."),
		MissingFilterValue:      define("member_search_missing_filter_value", Invalid, "Each operand needs a filter_value."),
		TooManyValues:           define("member_search_maximum_filter_value_count_exceeded", Invalid, "A search may have 10 operands, and a filter 500 values."),
		ExpectedString:          define("member_search_expected_string", Invalid, "The filter's value must be a string."),
		ExpectedBool:            define("member_search_expected_boolean", Invalid, "The filter's value must be true or false."),
		ExpectedArrayOfString:   define("member_search_expected_array_of_strings", Invalid, "The filter's value must be an array of strings."),
		InvalidStatus:           define("member_search_invalid_status_filter", Invalid, "statuses must be out of active, pending, invited and deleted."),
		MixedIDs:                define("member_search_cannot_mix_internal_and_external_member_ids", Invalid, "A list of member IDs has this server's IDs or external ones, not both."),
		missing: map[string]*Error{
			"member_ids":               define("member_search_missing_member_ids", Invalid, "The list of member IDs is empty, or one of them is."),
			"member_emails":            define("member_search_missing_member_emails", Invalid, "The list of e-mail addresses is empty, or one of them is."),
			"member_roles":             define("member_search_missing_member_roles", Invalid, "The list of roles is empty, or one of them is."),
			"member_mfa_phone_numbers": define("member_search_missing_member_mfa_phone_numbers", Invalid, "The list of phone numbers is empty, or one of them is."),
			"statuses":                 define("member_search_missing_statuses", Invalid, "The list of statuses is empty, or one of them is."),
		},
		tooShort: map[string]*Error{
			"member_email_fuzzy":            define("member_search_member_email_fuzzy_too_short", Invalid, "member_email_fuzzy needs 3 characters or more."),
			"member_mfa_phone_number_fuzzy": define("member_search_member_mfa_phone_number_fuzzy_too_short", Invalid, "member_mfa_phone_number_fuzzy needs 3 characters or more."),
		},
	}
	ErrMemberSearchNoOrganizations = define("member_search_organization_ids_empty", Invalid, "organization_ids must name 1 to 100 organizations.")
)

// Policies (rbac.md §2).
var (
	ErrInvalidRoleForVertical    = define("invalid_role_for_vertical", Invalid, "That default role belongs to projects of the other vertical.")
	ErrRoleDuplicate             = define("rbac_role_duplicate", Invalid, "Two roles have the same ID.")
	ErrResourceDuplicate         = define("rbac_resource_duplicate", Invalid, "Two resources have the same ID, or a role or scope names one resource twice.")
	ErrActionDuplicate           = define("rbac_action_duplicate", Invalid, "A list of actions names one action twice.")
	ErrScopeDuplicate            = define("rbac_scope_duplicate", Invalid, "Two scopes have the same name.")
	ErrRoleMissingPermissions    = define("rbac_role_missing_permissions", Invalid, "A custom role needs permissions; the list may be empty.")
	ErrPermissionMissingActions  = define("rbac_permission_missing_actions", Invalid, "A permission needs at least one action, none of them empty.")
	ErrResourceMissingActions    = define("rbac_resource_missing_actions", Invalid, "A resource needs at least one action, none of them empty.")
	ErrScopeMissingPermissions   = define("rbac_scope_missing_permissions", Invalid, "A scope needs at least one permission.")
	ErrEmptyRoleID               = define("empty_rbac_role_id", Invalid, "A role needs an ID.")
	ErrEmptyResourceID           = define("empty_rbac_resource_id", Invalid, "A resource needs an ID.")
	ErrEmptyScope                = define("empty_rbac_scope", Invalid, "A scope needs a name.")
	ErrRoleIDTooLong             = define("rbac_role_id_too_long", Invalid, "A role ID may have 128 bytes.")
	ErrResourceIDTooLong         = define("rbac_resource_id_too_long", Invalid, "A resource ID may have 128 bytes.")
	ErrActionTooLong             = define("rbac_action_too_long", Invalid, "An action may have 128 bytes.")
	ErrDescriptionTooLong        = define("rbac_description_too_long", Invalid, "A description may have 1024 bytes.")
	ErrScopeTooLong              = define("rbac_scope_too_long", Invalid, "A scope may have 128 bytes.")
	ErrReservedScope             = define("rbac_reserved_scope", Invalid, "The scopes openid, profile, email, phone, address, offline_access and full_access are taken.")
	ErrInvalidPermissionResource = define("invalid_permission_resource", Invalid, "A permission names a resource that the policy does not define.")
	ErrInvalidPermissionAction   = define("invalid_permission_action", Invalid, "A permission names an action that its resource does not have.")
	ErrWildcardWithOthers        = define("cannot_specify_wildcard_with_other_actions", Invalid, "The action * stands alone.")
	ErrInvalidWildcardAction     = define("invalid_wildcard_action", Invalid, "The action * means all actions in a permission; a resource cannot define it.")
	ErrStytchPrefixedResource    = define("invalid_stytch_prefixed_resource", Invalid, "IDs of custom resources do not begin with stytch.")
	ErrStytchRoleEdit            = define("invalid_rbac_stytch_role_edit", Invalid, "IDs of custom roles do not begin with stytch_.")
	ErrTooManyRoles              = define("too_many_roles", Invalid, "A policy may have 100 custom roles.")
)

// Management (errors.md §8).
var (
	ErrProjectNotFound               = define("project_not_found", NotFound, "There is no such project.")
	ErrEnvironmentNotFound           = define("environment_not_found", NotFound, "There is no such environment.")
	ErrSecretNotFound                = define("secret_not_found", NotFound, "There is no secret of that ID.")
	ErrPublicTokenNotFound           = define("public_token_not_found", NotFound, "There is no such public token.")
	ErrInvalidProjectName            = define("invalid_project_name", Invalid, "A name must have 1 to 128 characters and no control characters.")
	ErrInvalidProjectSlug            = define("invalid_project_slug", Invalid, "A slug must have 1 to 128 characters out of a-z, A-Z, 0-9, - and _.")
	ErrProjectSlugTaken              = define("project_slug_already_used", Conflict, "Another project has that slug.")
	ErrEnvironmentSlugTaken          = define("environment_slug_already_used", Conflict, "Another environment of the project has that slug.")
	ErrTooManyProjects               = define("too_many_projects", Invalid, "The workspace may have 1000 projects.")
	ErrTooManyEnvironments           = define("too_many_environments", Invalid, "A project may have 50 environments.")
	ErrTooManySecrets                = define("too_many_secrets", Invalid, "An environment may have 20 secrets.")
	ErrTooManyPublicTokens           = define("too_many_public_tokens", Invalid, "An environment may have 20 public tokens.")
	ErrLiveEnvironmentExists         = define("live_environment_already_exists", Conflict, "The project has a live environment already.")
	ErrCannotDeleteLiveEnvironment   = define("cannot_delete_live_environment", Invalid, "The live environment goes with its project; delete the project.")
	ErrUnableToDeleteLastPublicToken = define("unable_to_delete_last_public_token", Invalid, "An environment keeps at least one public token.")
	ErrInvalidUserLockThreshold      = define("invalid_user_lock_threshold", Invalid, "user_lock_threshold must be from 1 to 1000.")
	ErrInvalidUserLockTTL            = define("invalid_user_lock_ttl", Invalid, "user_lock_ttl must be from 60 to 31536000 seconds.")
	ErrInvalidUserinfoURL            = define("invalid_userinfo_url", Invalid, "zero_downtime_session_migration_url must be an absolute http or https URL.")
	ErrTooManyDomains                = define("too_many_domains", Invalid, "An SDK configuration may have 100 domains.")
	ErrRedirectURLNotFound           = define("redirect_url_not_found", NotFound, "There is no such redirect URL.")
	ErrTooManyRedirectURLs           = define("too_many_redirect_urls", Invalid, "An environment may have 100 redirect URLs.")
	ErrInvalidRedirectURLType        = define("invalid_redirect_url_type", Invalid, "A redirect URL is for LOGIN, INVITE, SIGNUP, RESET_PASSWORD or DISCOVERY, each at most once.")
	ErrRedirectURLMustUseHTTPS       = define("redirect_url_must_use_https", Invalid, "A redirect URL must use https; in a test environment http is for this machine only.")
	ErrRedirectURLProtocol           = define("redirect_url_cannot_use_protocol", Invalid, "A redirect URL cannot use that protocol.")
	ErrWildcardInLiveRedirectURL     = define("no_wildcards_in_live_redirect_url", Invalid, "A redirect URL of a live environment has no wildcards.")
	ErrWildcardRedirectURLDefault    = define("redirect_url_with_wildcard_cannot_be_default", Invalid, "A redirect URL with a wildcard cannot be a default.")
	ErrPlaceholderRedirectURLDefault = define("redirect_url_with_query_param_placeholder_cannot_be_default", Invalid, "A redirect URL with a placeholder in its query cannot be a default.")
	ErrJWTTemplateNotFound           = define("jwt_template_not_found", NotFound, "There is no JWT template of that type; there are SESSION and M2M.")
	ErrJWTTemplateInvalidJSON        = define("jwt_template_invalid_json", Invalid, "The template is not a JSON object around its placeholders.")
	ErrJWTTemplateInvalidTag         = define("jwt_template_invalid_tag", Invalid, "A placeholder of the template is not a path to a value.")
	ErrJWTTemplateMismatchedTag      = define("jwt_template_mismatched_tag", Invalid, "A {{ of the template has no }}.")
	ErrInvalidAuthorizationURL       = define("invalid_authorization_url", Invalid, "idp_authorization_url must be an absolute http or https URL.")
	ErrVerdictNotFound               = define("verdict_not_found", NotFound, "There is no verdict of that request: it brought no token to judge, or it is too long ago, or its profile refused more tokens within that minute than are kept.")
	ErrTrustPolicyUnknownSetting     = define("trust_policy_unknown_setting", Invalid, "The trust policy has no such setting.")
	ErrTrustPolicyInvalidSetting     = define("trust_policy_invalid_setting", Invalid, "A setting of the trust policy is not usable.")
	ErrTrustPolicyWrongVertical      = define("trust_policy_wrong_vertical", Invalid, "A setting of the trust policy belongs to profiles of the other vertical.")
	ErrTrustPolicyInvalidCondition   = define("trust_policy_invalid_condition", Invalid, "An expression does not compile.")
	ErrProfileTestFailed             = define("trusted_token_profile_test_failed", Invalid, "The profile does not pass its own tests; send force to save it all the same.")
	ErrIssuerDiscoveryFailed         = define("issuer_discovery_failed", Invalid, "The issuer's metadata cannot be had.")
	ErrIssuerDiscoveryMismatch       = define("issuer_discovery_mismatch", Invalid, "The metadata that was found there is another issuer's.")
	ErrInvalidRevocation             = define("invalid_revocation", Invalid, "A revocation names a session, or a person, or any of a profile, a key ID and a moment.")
	ErrTooManyRevocations            = define("too_many_revocations", Invalid, "200 revocations stand in the environment; wait until their sessions are gone.")
	ErrStreamNotFound                = define("event_log_streaming_not_found", NotFound, "The environment streams no events to a destination of that type.")
	ErrStreamInvalidType             = define("event_log_streaming_invalid_destination_type", Invalid, "destination_type must be DATADOG or GRAFANA_LOKI.")
	ErrStreamTooManyDestinations     = define("event_log_streaming_too_many_destinations", Invalid, "An environment streams its events to one destination; delete the one it has.")
	ErrStreamBadDatadogConfig        = define("event_log_streaming_bad_datadog_config", Invalid, "The datadog configuration is not usable.")
	ErrStreamBadLokiConfig           = define("event_log_streaming_bad_grafana_loki_config", Invalid, "The grafana_loki configuration is not usable.")
)

// The frontend plane (errors.md §9). Its callers read the fixed sentences and
// nothing else.
var (
	ErrPublicTokenRequired         = define("public_token_required", Invalid, "Basic credentials with a public token as the user name are required.")
	ErrUserUnauthenticated         = define("user_unauthenticated", Unauthenticated, "Nobody is signed in.")
	ErrEndpointNotAuthorizedForSDK = define("endpoint_not_authorized_for_sdk", Unauthenticated, "The project's SDK configuration does not allow this call.")
	ErrBadDomainForSDK             = define("bad_domain_for_stytch_sdk", Invalid, "The project's SDK configuration does not list the page's domain.")
	ErrBadAppBundleForSDK          = define("bad_app_bundle_for_stytch_sdk", Invalid, "The project's SDK configuration does not list the app's bundle ID.")
	ErrCNAMERequired               = define("cname_required_for_http_only_cookies", Unauthenticated, "Sessions are only kept in cookies here, which are for browsers, and for pages of listed domains.")
	ErrCNAMEInvalid                = define("cname_invalid_for_http_only_cookies", Unauthenticated, "Sessions are only kept in cookies here, and the page is of another site than this server.")
	ErrBadVerticalForSDK           = define("bad_vertical_for_stytch_sdk", Invalid, "This call is for projects of the other vertical.")
	ErrInvalidSessionDuration      = define("invalid_session_duration", Invalid, "session_duration_minutes is more than the project's SDK configuration allows.")
	ErrUpdateTrustedMetadata       = define("cannot_update_trusted_metadata", Unauthenticated, "trusted_metadata is written by the project's backend only.")
	ErrDeleteLastPrimaryFactor     = define("cannot_delete_last_primary_factor", Invalid, "The user's last e-mail address or phone number stays.")
)

// CheckClass is ErrLiveIDInTestEnvironment or ErrTestIDInLiveEnvironment when an
// object of a class cannot be one of an environment's.
func CheckClass(c Class, env EnvironmentID) error {
	switch {
	case c == env.Class():
		return nil
	case c == Live:
		return ErrLiveIDInTestEnvironment
	default:
		return ErrTestIDInLiveEnvironment
	}
}
