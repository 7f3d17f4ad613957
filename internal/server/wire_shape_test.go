package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// answers says what each successful answer has beside the envelope, and shapes
// what its parts have: "name:type", where the type is
//
//	string bool int object   there, and of that type
//	time                     there, and a moment
//	[x]                      there, and an array of strings or of shape x; never null
//	?string ?object ?time    may be null; a moment is never ""
//	x ?x                     a shape, or null in its place
//
// Nothing else may be there. It is README §4 and the tables of the contract,
// written a second time, by hand.
var answers = map[string]string{
	"GET /healthz": "",
	"GET /readyz":  "",

	"POST /pwa/v3/operator_links": "operator_id:string name:string role:string path:string expires_at:time",

	"GET /openapi.json": "openapi:string info:object tags:[object] paths:object components:object",

	"POST /v1/sessions/attest":           "user_id:string session_token:string session_jwt:string user:user session:?session user_device:?object",
	"POST /v1/sessions/authenticate":     "session:session session_token:string session_jwt:string user:user verdict:?verdict",
	"POST /v1/sessions/revoke":           "",
	"GET /v1/sessions":                   "sessions:[session]",
	"GET /v1/sessions/jwks/{project_id}": "keys:[jwk]",
	"POST /v1/users":                     "user_id:string email_id:string status:string phone_id:string user:user",
	"POST /v1/sessions/migrate":          "user_id:string session_token:string session_jwt:string user:user session:?session user_device:?object",
	"GET /v1/users/{user_id}":            shapes["user"],
	"PUT /v1/users/{user_id}":            "user_id:string emails:[email] phone_numbers:[phone] crypto_wallets:[object] user:user",
	"DELETE /v1/users/{user_id}":         "user_id:string",
	"POST /v1/users/search":              "results:[user] results_metadata:results_metadata",
	"POST /v1/users/import":              "results:[imported]",
	"GET /v1/rbac/policy":                "policy:runtime_policy",
	"GET /v1/debug/whoami":               "project_id:string name:string",
	"GET /v1/projects/metrics":           "project_id:string metrics:[metric]",

	"PUT /v1/users/{user_id}/exchange_primary_factor":                      changedUser,
	"DELETE /v1/users/{user_id}/external_id":                               changedUser,
	"DELETE /v1/users/emails/{email_id}":                                   changedUser,
	"DELETE /v1/users/phone_numbers/{phone_id}":                            changedUser,
	"DELETE /v1/users/webauthn_registrations/{webauthn_registration_id}":   changedUser,
	"DELETE /v1/users/biometric_registrations/{biometric_registration_id}": changedUser,
	"DELETE /v1/users/totps/{totp_id}":                                     changedUser,
	"DELETE /v1/users/crypto_wallets/{crypto_wallet_id}":                   changedUser,
	"DELETE /v1/users/passwords/{password_id}":                             changedUser,
	"DELETE /v1/users/oauth/{oauth_user_registration_id}":                  changedUser,
	"GET /v1/users/{user_id}/connected_apps":                               "connected_apps:[connected_app]",
	"POST /v1/users/{user_id}/connected_apps/{connected_app_id}/revoke":    "",

	"POST /v1/b2b/sessions/attest":                                   signedInMember + " member_device:?object",
	"POST /v1/b2b/sessions/authenticate":                             "member_session:member_session session_token:string session_jwt:string member:member organization:organization verdict:?verdict",
	"POST /v1/b2b/sessions/revoke":                                   "",
	"POST /v1/b2b/sessions/exchange":                                 signedInMember + " member_authenticated:bool intermediate_session_token:string mfa_required:?object primary_required:?object member_device:?object",
	"POST /v1/b2b/sessions/migrate":                                  signedInMember,
	"GET /v1/b2b/sessions":                                           "member_sessions:[member_session]",
	"GET /v1/b2b/sessions/jwks/{project_id}":                         "keys:[jwk]",
	"POST /v1/b2b/organizations":                                     "organization:organization",
	"GET " + organizationPath:                                        "organization:organization",
	"PUT " + organizationPath:                                        "organization:organization",
	"DELETE " + organizationPath:                                     "organization_id:string",
	"POST /v1/b2b/organizations/search":                              "organizations:[organization] results_metadata:results_metadata",
	"GET " + organizationPath + "/metrics":                           "member_count:int",
	"DELETE " + organizationPath + "/external_id":                    "organization:organization",
	"GET " + organizationPath + "/connected_apps":                    "connected_apps:[connected_app]",
	"GET " + organizationPath + "/connected_apps/{connected_app_id}": "",

	"POST /v1/b2b/organizations/members/search":                              "members:[member] results_metadata:results_metadata organizations:object",
	"GET /v1/b2b/organizations/members/dangerously_get/{member_id}":          changedMember,
	"POST " + organizationPath + "/members":                                  changedMember,
	"GET " + organizationPath + "/member":                                    changedMember,
	"PUT " + memberPath:                                                      changedMember,
	"DELETE " + memberPath:                                                   "member_id:string",
	"PUT " + memberPath + "/reactivate":                                      changedMember,
	"DELETE " + organizationPath + "/members/mfa_phone_numbers/{member_id}":  changedMember,
	"DELETE " + memberPath + "/totp":                                         changedMember,
	"DELETE " + organizationPath + "/members/passwords/{member_password_id}": changedMember,
	"DELETE " + memberPath + "/external_id":                                  changedMember,
	"POST " + memberPath + "/unlink_retired_email":                           changedMember + " organization_id:string",
	"GET " + memberPath + "/connected_apps":                                  "connected_apps:[connected_app]",
	"POST " + memberPath + "/connected_apps/{connected_app_id}/revoke":       "",

	"GET /v1/b2b/rbac/policy":                          "policy:runtime_policy",
	"GET /v1/b2b/rbac/organizations/{organization_id}": "org_policy:org_policy",
	"PUT /v1/b2b/rbac/organizations/{organization_id}": "org_policy:org_policy",

	"GET /sdk/v1/projects/bootstrap/{public_token}": "project_name:string disable_sdk_watermark:bool cname_domain:?string email_domains:[string]" +
		" captcha_settings:enabled pkce_required_for_email_magic_links:bool pkce_required_for_password_resets:bool pkce_required_for_oauth:bool" +
		" pkce_required_for_sso:bool slug_pattern:?string create_organization_enabled:bool password_config:?object" +
		" siwe_required_for_crypto_wallets:bool rbac_policy:runtime_policy vertical:string",
	"POST /sdk/v1/events":                "",
	"POST /sdk/v1/sessions/attest":       "user_id:string session_token:string session_jwt:string user:user session:session",
	"POST /sdk/v1/sessions/authenticate": "user_id:string session_token:string session_jwt:string user:user __user:user session:session",
	"POST /sdk/v1/sessions/revoke":       "",
	"GET /sdk/v1/users/me":               shapes["user"],
	"PUT /sdk/v1/users/me":               "user_id:string emails:[email] phone_numbers:[phone] crypto_wallets:[object] __user:user",
	"GET /sdk/v1/users/connected_apps":   "connected_apps:[connected_app]",
	"POST /sdk/v1/users/search":          "userType:string",

	"DELETE /sdk/v1/users/emails/{email_id}":                                   changedMe,
	"DELETE /sdk/v1/users/phone_numbers/{phone_id}":                            changedMe,
	"DELETE /sdk/v1/users/totps/{totp_id}":                                     changedMe,
	"DELETE /sdk/v1/users/crypto_wallets/{crypto_wallet_id}":                   changedMe,
	"DELETE /sdk/v1/users/oauth/{oauth_user_registration_id}":                  changedMe,
	"DELETE /sdk/v1/users/webauthn_registrations/{webauthn_registration_id}":   changedMe,
	"DELETE /sdk/v1/users/biometric_registrations/{biometric_registration_id}": changedMe,

	"POST /sdk/v1/b2b/sessions/attest":                  signedInMember,
	"POST /sdk/v1/b2b/sessions/authenticate":            signedInMember,
	"POST /sdk/v1/b2b/sessions/exchange":                signedInMember + " member_authenticated:bool intermediate_session_token:string mfa_required:?object primary_required:?object member_device:?object",
	"POST /sdk/v1/b2b/sessions/revoke":                  "",
	"POST /sdk/v1/b2b/sessions/revoke/{member_id}":      "",
	"GET /sdk/v1/b2b/organizations/me":                  "organization:organization",
	"PUT /sdk/v1/b2b/organizations/me":                  "organization:organization",
	"DELETE /sdk/v1/b2b/organizations/me":               "organization_id:string",
	"POST /sdk/v1/b2b/organizations/search":             "organization:?public_organization",
	"POST /sdk/v1/b2b/organizations/me/members/search":  "members:[member] results_metadata:results_metadata organizations:object",
	"GET " + pageMembersPath + "/me":                    changedMember,
	"PUT " + pageMembersPath + "/update":                changedMember,
	"DELETE " + pageMembersPath + "/deletePhoneNumber":  changedMember,
	"DELETE " + pageMembersPath + "/deleteTOTP":         changedMember,
	"POST " + pageMembersPath + "/unlink_retired_email": changedMember + " organization_id:string",
	"POST " + pageMembersPath + "/start_email_update":   changedMember,
	"POST " + pageMembersPath:                           changedMember,
	"PUT " + pageMembersPath + "/{member_id}":           changedMember,
	"DELETE " + pageMembersPath + "/{member_id}":        "member_id:string",

	"PUT " + pageMembersPath + "/{member_id}/reactivate":            changedMember,
	"DELETE " + pageMembersPath + "/mfa_phone_numbers/{member_id}":  changedMember,
	"DELETE " + pageMembersPath + "/totp/{member_id}":               changedMember,
	"DELETE " + pageMembersPath + "/passwords/{member_password_id}": changedMember,

	"POST " + projectsPath:                "project:project",
	"GET " + projectsPath:                 "projects:[project]",
	"GET " + projectPath:                  "project:project",
	"PATCH " + projectPath:                "project:project",
	"DELETE " + projectPath:               "",
	"POST " + environmentsPath:            "environment:environment",
	"GET " + environmentsPath:             "environments:[environment]",
	"GET " + environmentPath:              "environment:environment",
	"PATCH " + environmentPath:            "environment:environment",
	"DELETE " + environmentPath:           "",
	"GET " + environmentPath + "/metrics": "metrics:metrics",

	"POST " + environmentPath + "/secrets":                        "secret:secret",
	"GET " + environmentPath + "/secrets":                         "secrets:[masked_secret]",
	"GET " + environmentPath + "/secrets/{secret_id}":             "secret:masked_secret",
	"DELETE " + environmentPath + "/secrets/{secret_id}":          "",
	"POST " + environmentPath + "/public_tokens":                  "public_token:public_token",
	"GET " + environmentPath + "/public_tokens":                   "public_tokens:[public_token]",
	"GET " + environmentPath + "/public_tokens/{public_token}":    "public_token:public_token",
	"DELETE " + environmentPath + "/public_tokens/{public_token}": "",

	"POST " + profilesPath:                             "profile:profile",
	"GET " + profilesPath:                              "profiles:[profile]",
	"POST " + profilesPath + "/propose":                "proposal:proposal",
	"GET " + profilePath:                               "profile:profile",
	"PATCH " + profilePath:                             "profile:profile",
	"DELETE " + profilePath:                            "",
	"GET " + profilePath + "/key_set":                  "key_set:key_set",
	"POST " + profilePath + "/explain":                 "explanation:explanation",
	"POST " + profilePath + "/test":                    "passed:bool results:[test_result]",
	"POST " + profilePath + "/replay":                  "judged:int same:int changes:[replay_change] complete:bool",
	"POST " + profilePath + "/keys":                    "pem_file:pem_file",
	"GET " + profilePath + "/keys/{pem_file_id}":       "pem_file:pem_file",
	"DELETE " + profilePath + "/keys/{pem_file_id}":    "",
	"GET " + environmentPath + "/signing_keys":         "signing_keys:[signing_key]",
	"POST " + environmentPath + "/signing_keys/rotate": "signing_key:signing_key",
	"GET " + policyPath:                                "policy:policy",
	"PUT " + policyPath:                                "policy:policy",
	"GET " + templatePath:                              "jwt_template:jwt_template",
	"PUT " + templatePath:                              "jwt_template:jwt_template",
	"GET " + consumerSDKPath:                           "config:consumer_sdk",
	"PUT " + consumerSDKPath:                           "config:consumer_sdk",
	"GET " + b2bSDKPath:                                "config:b2b_sdk",
	"PUT " + b2bSDKPath:                                "config:b2b_sdk",
	"POST " + redirectURLsPath:                         "redirect_url:redirect_url",
	"GET " + redirectURLsPath:                          "redirect_url:redirect_url",
	"PUT " + redirectURLsPath:                          "redirect_url:redirect_url",
	"DELETE " + redirectURLsPath:                       "",
	"GET " + redirectURLsPath + "/all":                 "redirect_urls:[redirect_url]",
	"GET " + environmentPath + "/events":               "events:[event] next_cursor:?string",

	"GET " + verdictsPath:                   "verdicts:[verdict_row] next_cursor:?string not_kept:int",
	"GET " + verdictsPath + "/{request_id}": "verdict:verdict_row steps:[step]",
	"POST " + revocationsPath:               "revocation:?revocation sessions:int complete:bool dry_run:bool",
	"GET " + revocationsPath:                "revocations:[revocation]",

	"POST " + eventStreamsPath:             "event_log_streaming_config:event_stream",
	"GET " + eventStreamPath:               "event_log_streaming_config:masked_event_stream",
	"PUT " + eventStreamPath:               "event_log_streaming_config:event_stream",
	"DELETE " + eventStreamPath:            "",
	"POST " + eventStreamPath + "/enable":  "",
	"POST " + eventStreamPath + "/disable": "",
}

const (
	organizationPath = "/v1/b2b/organizations/{organization_id}"
	memberPath       = organizationPath + "/members/{member_id}"
	pageMembersPath  = "/sdk/v1/b2b/organizations/members"
	projectsPath     = "/pwa/v3/projects"
	projectPath      = projectsPath + "/{project_slug}"
	environmentsPath = projectPath + "/environments"
	environmentPath  = environmentsPath + "/{environment_slug}"
	verdictsPath     = environmentPath + "/verdicts"
	revocationsPath  = environmentPath + "/revocations"
	profilesPath     = environmentPath + "/trusted_token_profiles"
	profilePath      = profilesPath + "/{profile_id}"
	policyPath       = environmentPath + "/rbac_policy"
	consumerSDKPath  = environmentPath + "/sdk/consumer"
	b2bSDKPath       = environmentPath + "/sdk/b2b"
	redirectURLsPath = environmentPath + "/redirect_urls"
	templatePath     = environmentPath + "/jwt_templates/{jwt_template_type}"
	eventStreamsPath = environmentPath + "/event_log_streaming"
	eventStreamPath  = eventStreamsPath + "/{destination_type}"
)

// changedUser is the answer of everything that changes one thing about a user.
const changedUser = "user_id:string user:user"

// changedMember is the answer of everything about one member.
const changedMember = "member_id:string member:member organization:organization"

// signedInMember is what every answer of a member's sign-in has.
const signedInMember = "member_id:string member_session:member_session session_token:string session_jwt:string member:member organization:organization"

// changedMe is the same for the user.
const changedMe = "user_id:string __user:user"

var shapes = map[string]string{
	"session":    "session_id:string user_id:string authentication_factors:[factor] roles:[string] started_at:time last_accessed_at:time expires_at:time attributes:attributes custom_claims:?object",
	"attributes": "ip_address:string user_agent:string",
	"factor":     "type:string delivery_method:string last_authenticated_at:time created_at:time updated_at:time trusted_auth_token_factor:-trusted_auth_token_factor",

	"trusted_auth_token_factor": "token_id:string",

	"user": "user_id:string emails:[email] status:string phone_numbers:[phone] webauthn_registrations:[object] providers:[object] totps:[object]" +
		" crypto_wallets:[object] biometric_registrations:[object] is_locked:bool roles:[string] name:name created_at:time password:?object" +
		" trusted_metadata:object untrusted_metadata:object external_id:?string lock_created_at:?time lock_expires_at:?time",
	"name":  "first_name:string middle_name:string last_name:string",
	"email": "email_id:string email:string verified:bool",
	"phone": "phone_id:string phone_number:string verified:bool",
	"organization": "organization_id:string organization_name:string organization_slug:string organization_logo_url:string organization_external_id:?string" +
		" trusted_metadata:object created_at:time updated_at:time sso_jit_provisioning:string sso_jit_provisioning_allowed_connections:[string]" +
		" sso_active_connections:[object] sso_default_connection_id:?string scim_active_connection:?object email_allowed_domains:[string]" +
		" email_jit_provisioning:string email_invites:string auth_methods:string allowed_auth_methods:[string] mfa_policy:string mfa_methods:string" +
		" allowed_mfa_methods:[string] rbac_email_implicit_role_assignments:[implicit_role] oauth_tenant_jit_provisioning:string allowed_oauth_tenants:?object" +
		" claimed_email_domains:[string] first_party_connected_apps_allowed_type:string allowed_first_party_connected_apps:[string]" +
		" third_party_connected_apps_allowed_type:string allowed_third_party_connected_apps:[string] custom_roles:[role]",
	"public_organization": "organization_id:string organization_name:string organization_slug:string organization_logo_url:string sso_active_connections:[object]" +
		" sso_default_connection_id:?string email_jit_provisioning:string email_allowed_domains:[string] oauth_tenant_jit_provisioning:string" +
		" allowed_oauth_tenants:?object auth_methods:string allowed_auth_methods:[string] mfa_policy:string",
	"implicit_role": "domain:string role_id:string",
	"org_policy":    "roles:[role]",
	"member": "organization_id:string member_id:string email_address:string status:string name:string sso_registrations:[object] oauth_registrations:[object]" +
		" scim_registration:?object is_breakglass:bool email_address_verified:bool mfa_phone_number_verified:bool mfa_enrolled:bool is_locked:bool is_admin:bool" +
		" member_password_id:string totp_registration_id:string mfa_phone_number:string default_mfa_method:string retired_email_addresses:[retired_email]" +
		" roles:[member_role] trusted_metadata:object untrusted_metadata:object external_id:?string created_at:time updated_at:time lock_created_at:?time lock_expires_at:?time",
	"retired_email":       "email_id:string email_address:string",
	"member_role":         "role_id:string sources:[role_source]",
	"role_source":         "type:string details:role_source_details",
	"role_source_details": "email_domain:-string",
	"member_session": "member_session_id:string member_id:string organization_id:string organization_slug:string started_at:time last_accessed_at:time expires_at:time" +
		" authentication_factors:[factor] roles:[string] custom_claims:?object",

	"verdict": "authorized:bool granting_roles:[string]",

	"trust_policy": "algorithms:?[string] audiences:?[string] required_typ:string clock_skew_seconds:int max_token_lifetime_seconds:int max_token_age_seconds:int one_time_tokens:bool" +
		" subject_claim:string email_trust:string email_domains:?[string] on_sign_in:?object role_ids_allowed:?[string] organization_id:string jit_domains:?[string] jit_per_hour:int" +
		" conditions:?[string] mode:string tests:?[object]",
	"verdict_row": "request_id:string judged_at:time profile_id:string user_id:?string member_id:?string outcome:string reason:?string step:?string expected:?string received:?string" +
		" shadow:bool remote_address:string token:token_facts",
	"token_facts": "alg:?string kid:?string typ:?string iss:?string aud:[string] exp:?time nbf:?time iat:?time claim_names:[string]",
	"step":        "step:string status:string reason:?string expected:?string received:?string hint:?string",
	"explanation": "outcome:string reason:?string steps:[step] token:token_facts attributes:?mapped person:?person",
	"mapped":      "email:string token_id:string external_user_id:?string external_member_id:?string organization_id:?string role_ids:?[string] subject:?string",
	"person":      "user_id:?string member_id:?string organization_id:?string would_be_provisioned:bool",
	"test_result": "name:string passed:bool expected:string received:string",

	"replay_change": "from:string to:string count:int example_request_id:string",
	"revocation":    "revocation_id:string profile_id:?string key_id:?string attested_before:string created_at:time swept_at:?time",

	"results_metadata": "total:int next_cursor:?string",
	"imported":         "user_id:string error_type:string error_message:string",
	"connected_app":    "connected_app_id:string name:string description:string client_type:string scopes_granted:string logo_url:?string",
	"runtime_policy":   "roles:[role] resources:[resource] scopes:[scope]",
	"resource":         "resource_id:string description:string actions:[string]",
	"role":             "role_id:string description:string permissions:[permission]",
	"scope":            "scope:string description:string permissions:[permission]",
	"permission":       "resource_id:string actions:[string]",
	"metric":           "metric_type:string count:int",

	"policy": "stytch_member:-default_role stytch_admin:-default_role stytch_user:-default_role stytch_resources:[managed_resource]" +
		" custom_roles:[role] custom_resources:[managed_resource] custom_scopes:[scope]",
	"default_role":     "permissions:[permission]",
	"managed_resource": "resource_id:string description:string available_actions:[string]",
	"consumer_sdk": "basic:consumer_basic sessions:sdk_sessions magic_links:consumer_magic_links otps:consumer_otps oauth:with_pkce totps:sdk_totps" +
		" webauthn:consumer_webauthn crypto_wallets:consumer_wallets dfppa:dfppa biometrics:consumer_biometrics passwords:sdk_passwords" +
		" cookies:sdk_cookies user_impersonation:enabled",
	"b2b_sdk": "basic:b2b_basic sessions:sdk_sessions magic_links:with_pkce oauth:with_pkce totps:sdk_totps sso:with_pkce otps:b2b_otps dfppa:dfppa" +
		" passwords:sdk_passwords cookies:sdk_cookies user_impersonation:enabled",
	"consumer_basic":       "enabled:bool domains:[string] bundle_ids:[string]",
	"b2b_basic":            "enabled:bool allow_self_onboarding:bool enable_member_permissions:bool domains:[sdk_domain] bundle_ids:[string]",
	"sdk_domain":           "domain:string slug_pattern:string",
	"sdk_sessions":         "max_session_duration_minutes:int",
	"consumer_magic_links": "login_or_create_enabled:bool send_enabled:bool pkce_required:bool",
	"consumer_otps": "sms_login_or_create_enabled:bool whatsapp_login_or_create_enabled:bool email_login_or_create_enabled:bool sms_send_enabled:bool" +
		" whatsapp_send_enabled:bool email_send_enabled:bool sms_autofill_metadata:[sms_autofill]",
	"b2b_otps":            "sms_enabled:bool email_enabled:bool sms_autofill_metadata:[sms_autofill]",
	"sms_autofill":        "metadata_type:string metadata_value:string bundle_id:string",
	"with_pkce":           "enabled:bool pkce_required:bool",
	"enabled":             "enabled:bool",
	"sdk_totps":           "enabled:bool create_totps:bool",
	"consumer_webauthn":   "enabled:bool create_webauthns:bool",
	"consumer_wallets":    "enabled:bool siwe_required:bool",
	"consumer_biometrics": "enabled:bool create_biometrics_enabled:bool",
	"sdk_passwords":       "enabled:bool pkce_required_for_password_resets:bool",
	"sdk_cookies":         "http_only:string",
	"dfppa":               "enabled:string on_challenge:string",
	"redirect_url":        "url:string valid_types:[redirect_url_type]",
	"redirect_url_type":   "type:string is_default:bool",

	"jwt_template": "template_content:string custom_audience:string jwt_template_type:string",
	"event": "event_id:string occurred_at:time actor_type:string actor_id:string request_id:?string action:string object:string" +
		" detail:?object",

	// crv, x and y are there for keys that are not RSA.
	"jwk": "kty:string use:string key_ops:[string] alg:string kid:string n:string e:string x5c:[string] x5tS256:string crv:-string x:-string y:-string",

	"project": "project_slug:string name:string vertical:string created_at:time",
	"environment": "environment_slug:string project_slug:string name:string project_id:string type:string oauth_callback_id:string created_at:time" +
		" cross_org_passwords_enabled:bool user_impersonation_enabled:bool zero_downtime_session_migration_url:string" +
		" use_custom_domain_in_magic_link_emails:bool user_lock_self_serve_enabled:bool user_lock_threshold:int user_lock_ttl:int" +
		" idp_authorization_url:string idp_dynamic_client_registration_enabled:bool" +
		" idp_dynamic_client_registration_access_token_template_content:string session_jwt_algorithm:string",
	"metrics":       "user_count:int organization_count:int member_count:int m2m_client_count:int",
	"secret":        "secret_id:string secret:string created_at:time",
	"masked_secret": "secret_id:string last_four:string created_at:time used_at:?time",
	"public_token":  "public_token:string created_at:time",
	"profile": "profile_id:string name:string audience:string issuer:string public_key_type:string jwks_url:?string pem_files:[pem_file] trust_policy:trust_policy" +
		" attribute_mapping:?object can_jit_provision:bool",
	"proposal":         "profile:proposed_profile notes:[proposal_note] missing:[string]",
	"proposed_profile": "name:string issuer:string audience:string public_key_type:string jwks_url:?string attribute_mapping:object can_jit_provision:bool trust_policy:proposed_policy",
	"proposed_policy":  "algorithms:?[string]",
	"proposal_note":    "level:string about:string message:string",

	"pem_file":    "pem_file_id:string public_key:string unusable_reason:-string",
	"key_set":     "jwks_url:string state:string fetched_at:?time fresh_until:?time next_refresh_at:?time last_error:?string last_error_at:?time key_ids:[string] skipped_keys:[skipped_key]",
	"skipped_key": "key_id:string index:int reason:string",
	"signing_key": "signing_key_id:string algorithm:string state:string created_at:time activates_at:time removed_at:?time",

	"event_stream":        "destination_type:string destination_config:destination streaming_status:string",
	"masked_event_stream": "destination_type:string destination_config:masked_destination streaming_status:string last_error:?string",
	"destination":         "datadog:?datadog grafana_loki:?loki",
	"masked_destination":  "datadog:?masked_datadog grafana_loki:?masked_loki",
	"datadog":             "api_key:string site:string",
	"masked_datadog":      "api_key_last_four:string site:string",
	"loki":                "hostname:string username:string password:string",
	"masked_loki":         "hostname:string username:string password_last_four:string",

	"error": "error_type:string error_message:string error_url:string",
}

// patternOf is the route that a request has: literal segments before names.
func patternOf(method, path string) (string, bool) {
	segments := strings.Split(strings.TrimLeft(path, "/"), "/")
	best, literals := "", -1
	for pattern := range answers {
		m, p, _ := strings.Cut(pattern, " ")
		names := strings.Split(strings.TrimPrefix(p, "/"), "/")
		if m != method || len(names) != len(segments) {
			continue
		}
		n := 0
		for i, name := range names {
			switch {
			case name == segments[i]:
				n++
			case !strings.HasPrefix(name, "{"):
				n = -1 << 16
			}
		}
		if n > literals {
			best, literals = pattern, n
		}
	}
	return best, best != ""
}

// problems are the rules that every answer of every endpoint obeys, and this one
// does not (README §3).
func (a reply) problems() (list []string) {
	complain := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if got := a.header.Get("Content-Type"); got != "application/json" {
		complain("Content-Type is %q", got)
	}
	if a.header.Get("Location") != "" || a.status >= 300 && a.status < 400 {
		complain("a redirect")
	}
	var body map[string]any
	if err := json.Unmarshal(a.body, &body); err != nil {
		complain("not a JSON object: %v", err)
		return list
	}
	if a.status == http.StatusOK && body["openapi"] != nil {
		return list // OpenAPI's own document has no envelope
	}
	if a.status == http.StatusOK {
		body = unwrapped(body)
	}
	if _, ok := body["error"]; ok {
		complain(`a member named "error", which Node takes for OAuth2`)
	}
	if body["status_code"] != float64(a.status) {
		complain("status_code is %v, the status %d", body["status_code"], a.status)
	}
	if !requestIDs.MatchString(text(body["request_id"])) {
		complain("request_id is %v", body["request_id"])
	}
	if a.status == http.StatusOK {
		return list
	}
	list = append(list, shapeOf("error", body)...)
	if text(body["error_type"]) == "" || text(body["error_message"]) == "" || !strings.HasSuffix(text(body["error_url"]), "#"+text(body["error_type"])) {
		complain("an error object that is not whole")
	}
	return append(list, openAPI().problems("error", body)...)
}

var requestIDs = regexp.MustCompile(`^request-id-(test|live)-[0-9a-f-]{36}$`)

// shapeProblems are what is wrong with the body of a success.
func (a reply) shapeProblems(method, path string) []string {
	pattern, ok := patternOf(method, path)
	var body map[string]any
	if a.status != http.StatusOK || json.Unmarshal(a.body, &body) != nil {
		return nil
	}
	frontend := strings.HasPrefix(path, "/sdk/v1/")
	if frontend {
		if data := body["data"]; data == nil || len(body) != 1 {
			return []string{"not wrapped in data"}
		}
		body = unwrapped(body)
	}
	if method == http.MethodOptions && frontend {
		return check("", "", body)
	}
	if !ok {
		return []string{"a success of a route that wire_shape_test.go does not know"}
	}
	return append(check("", answers[pattern], body), openAPI().answer(pattern, body)...)
}

// unwrapped is a body without the wrapper that those of the frontend plane have.
func unwrapped(body map[string]any) map[string]any {
	if data, ok := body["data"].(map[string]any); ok && len(body) == 1 {
		return data
	}
	return body
}

func shapeOf(shape string, object map[string]any) []string { return check("", shapes[shape], object) }

// check holds an object against a list of members.
func check(at, members string, object map[string]any) (list []string) {
	known := []string{"request_id", "status_code"}
	if at != "" {
		known = nil
	}
	for member := range strings.FieldsSeq(members) {
		name, kind, _ := strings.Cut(member, ":")
		known = append(known, name)
		value, present := object[name]
		if rest, absent := strings.CutPrefix(kind, "-"); absent {
			if !present {
				continue
			}
			kind = rest
		} else if !present {
			list = append(list, at+name+" is missing")
			continue
		}
		if rest, optional := strings.CutPrefix(kind, "?"); optional {
			if value == nil {
				continue
			}
			kind = rest
		}
		list = append(list, checkValue(at+name, kind, value)...)
	}
	for name := range object {
		if !slices.Contains(known, name) {
			list = append(list, at+name+" is not in the contract")
		}
	}
	return list
}

func checkValue(at, kind string, value any) (list []string) {
	var ok bool
	switch kind {
	case "string":
		_, ok = value.(string)
	case "bool":
		_, ok = value.(bool)
	case "int":
		var n float64
		n, ok = value.(float64)
		ok = ok && n == float64(int32(n))
	case "object":
		_, ok = value.(map[string]any)
	case "time":
		_, err := time.Parse("2006-01-02T15:04:05Z", text(value))
		ok = err == nil
	default:
		if kind[0] == '[' {
			array, isArray := value.([]any)
			for i, v := range array {
				list = append(list, checkValue(fmt.Sprintf("%s[%d]", at, i), kind[1:len(kind)-1], v)...)
			}
			ok = isArray
			break
		}
		object, isObject := value.(map[string]any)
		if isObject {
			return check(at+".", shapes[kind], object)
		}
		ok = false
	}
	if !ok {
		list = append(list, fmt.Sprintf("%s is %v, not %s", at, value, kind))
	}
	return list
}
