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
	s := e.Type + ": " + e.Message
	if e.Detail != "" {
		s += " " + e.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
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
	ErrBadRequest                     = define("bad_request", Invalid, "The request is not what this endpoint expects.")
	ErrInvalidArgument                = define("invalid_argument", Invalid, "A field has a value that is not allowed.")
	ErrUnauthorizedCredentials        = define("unauthorized_credentials", Unauthenticated, "The credentials are missing or wrong.")
	ErrInvalidAuthorizationHeader     = define("invalid_authorization_header", Invalid, "The Authorization header is not Basic credentials.")
	ErrInvalidProjectIDAuthentication = define("invalid_project_id_authentication", Unauthenticated, "The user name of the Basic credentials is not a project ID.")
	ErrRouteNotFound                  = define("route_not_found", NotFound, "There is no such endpoint.")
	ErrMethodNotAllowed               = define("method_not_allowed", BadMethod, "This endpoint does not take that method.")
	ErrInvalidConsumerEndpoint        = define("invalid_consumer_endpoint", Invalid, "This endpoint is for consumer projects; the credentials belong to a B2B project.")
	ErrLiveIDInTestEnvironment        = define("live_id_used_in_test_environment", Invalid, "A live ID was used in a test environment.")
	ErrTestIDInLiveEnvironment        = define("test_id_used_in_live_environment", Invalid, "A test ID was used in a live environment.")
	ErrMetadataInvalidFormat          = define("metadata_invalid_format", Invalid, "Metadata must be a JSON object.")
	ErrMetadataTooLarge               = define("metadata_too_large", Invalid, "Metadata may have 4096 bytes.")
	ErrMetadataTooManyKeys            = define("metadata_too_many_keys", Invalid, "Metadata may have 20 top-level keys.")
)

// Sessions and claims (errors.md §3).
var (
	ErrSessionNotFound               = define("session_not_found", NotFound, "There is no active session of that name; it may have expired or been revoked.")
	ErrNoSessionArguments            = define("no_session_arguments", Invalid, "Give a session_token or a session_jwt.")
	ErrTooManySessionArguments       = define("too_many_session_arguments", Invalid, "Give a session_token or a session_jwt, not both.")
	ErrNoSessionRevokeArguments      = define("no_session_revoke_arguments", Invalid, "Give a session_id, a session_token or a session_jwt.")
	ErrTooManySessionRevokeArguments = define("too_many_session_revoke_arguments", Invalid, "Give exactly one of session_id, session_token and session_jwt.")
	ErrInvalidSessionID              = define("invalid_session_id", Invalid, "That is not a session ID.")
	ErrUnableToParseSessionJWT       = define("unable_to_parse_session_jwt", Invalid, "The session_jwt is not one that this environment signed.")
	ErrInvalidSessionDurationMinutes = define("invalid_session_duration_minutes", Invalid, "session_duration_minutes must be a whole number from 5 to 527040.")
	ErrCustomClaimsTooLarge          = define("custom_claims_too_large", Invalid, "The session's custom claims may have 4096 bytes in all.")
	ErrStytchClaimsInCustomClaims    = define("stytch_claims_in_custom_claims", Invalid, "Custom claims may not begin with https://stytch.com/.")
	ErrUserIDMismatch                = define("user_id_mismatch", Invalid, "The session belongs to another user than the token.")
	ErrConsumerSessionAuthorization  = define("consumer_session_authorization_error", Forbidden, "The user's roles do not permit that action on that resource.")
	ErrInvalidUserID                 = define("invalid_user_id", Invalid, "That is neither a user ID nor an external ID.")
)

// Trusted auth tokens (errors.md §4). The keys of an issuer that cannot be had
// are our trouble and the issuer's, never the token's: keys_unavailable.
var (
	ErrProfileNotFound                   = define("trusted_token_profile_not_found", NotFound, "There is no trusted token profile of that ID.")
	ErrInvalidTrustedAuthToken           = define("invalid_trusted_auth_token", Invalid, "The token is not acceptable.")
	ErrJWTInvalidIssuer                  = define("jwt_invalid_issuer", Invalid, "The token's issuer is not the profile's.")
	ErrJWTInvalidAudience                = define("jwt_invalid_audience", Invalid, "The token's audience is not the profile's.")
	ErrJWTInvalidClaims                  = define("jwt_invalid_claims", Invalid, "A claim that the profile maps is missing or of the wrong type.")
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
	ErrUserNotFound            = define("user_not_found", NotFound, "There is no such user.")
	ErrInvalidCreateUser       = define("invalid_create_user_request", Invalid, "A user needs an e-mail address or a phone number.")
	ErrInvalidEmail            = define("invalid_email", Invalid, "That is not one plain e-mail address.")
	ErrInvalidPhoneNumber      = define("invalid_phone_number", Invalid, "A phone number must be in E.164 form: a plus sign and 8 to 15 digits.")
	ErrDuplicateEmail          = define("duplicate_email", Conflict, "That e-mail address belongs to another user.")
	ErrDuplicatePhoneNumber    = define("duplicate_phone_number", Conflict, "That phone number belongs to another user.")
	ErrDuplicateUserExternalID = define("duplicate_user_external_id", Conflict, "That external ID belongs to another user.")
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
	ErrInvalidAuthorizationURL       = define("invalid_authorization_url", Invalid, "idp_authorization_url must be an absolute http or https URL.")
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
