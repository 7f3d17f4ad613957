package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/server"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// local is a server that is called without a network.
type local struct {
	*server.Server
	t       testing.TB
	witness *servertest.Witness
}

type serverOptions struct {
	database string               // default: a new SQLite file
	log      io.Writer            // default: nowhere; gets everything, debug and below
	limits   func(*server.Config) // default: none by address
}

const (
	localKeyID     = "workspace-key-local"
	localKeySecret = "workspace-secret-of-local-tests"
)

func newServer(t testing.TB, o serverOptions) *local {
	t.Helper()
	if o.database == "" {
		o.database = storetest.SQLite(t)
	}
	if o.log == nil {
		o.log = io.Discard
	}
	c := server.Config{
		Database: o.database, KeysetFile: t.TempDir() + "/keyset.json", JWKSAllowPrivate: []string{issuertest.Host},
		WorkspaceKeyID: localKeyID, WorkspaceKeySecret: localKeySecret,
		Logger:          slog.New(slog.NewJSONHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug - 100})),
		LimitPerAddress: -1,
	}
	if o.limits != nil {
		o.limits(&c)
	}
	s, err := server.New(t.Context(), c)
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	document := func() []byte {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
		return w.Body.Bytes()
	}
	return &local{s, t, servertest.OwnDocument(t, document)}
}

// call makes a request and holds the exchange against the OpenAPI document;
// target is as it stands in a request line.
func (s *local) call(method, target, authorization, body string) reply {
	r := httptest.NewRequest(http.MethodGet, target, strings.NewReader(body))
	r.Method = method
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	for _, problem := range s.witness.Problems(servertest.Exchange{Request: r, Sent: []byte(body), Status: w.Code, Answer: w.Body.Bytes()}) {
		s.t.Errorf("%s %s: %s: %s: %d %s", method, shortened(target), shortened(body), problem, w.Code, w.Body)
	}
	return reply{w.Code, w.Header(), w.Body.Bytes()}
}

func (s *local) manage(method, target, body string) map[string]any {
	s.t.Helper()
	return s.must(s.call(method, target, basicHeader(localKeyID, localKeySecret), body))
}

// must is the body of a success.
func (s *local) must(a reply) (body map[string]any) {
	s.t.Helper()
	if err := json.Unmarshal(a.body, &body); err != nil || a.status != http.StatusOK {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	return body
}

// inputWorld is an environment with one of everything, by the names in paths.
type inputWorld struct {
	*local
	issuer *issuertest.Issuer
	names  map[string]string
	basic  string // the header
	token  string // a subject token that is believed
	// signedIn is the header of a page where the user is signed in.
	signedIn string
	b2b      string // the header of the B2B environment
	b2bToken string // a subject token that its profile believes
}

func newInputWorld(t testing.TB, o serverOptions) *inputWorld {
	t.Helper()
	w := &inputWorld{local: newServer(t, o), issuer: issuertest.New(t), names: map[string]string{"project_slug": "input", "environment_slug": "test", "destination_type": "GRAFANA_LOKI"}}
	w.manage(http.MethodPost, "/pwa/v3/projects", `{"name": "Input", "vertical": "CONSUMER", "project_slug": "input"}`)
	environment := w.manage(http.MethodPost, "/pwa/v3/projects/input/environments",
		`{"name": "Input", "type": "TEST", "environment_slug": "test", "session_jwt_algorithm": "EdDSA"}`)
	w.names["project_id"] = text(at(environment, "environment", "project_id"))
	base := "/pwa/v3/projects/input/environments/test"
	secret := w.manage(http.MethodPost, base+"/secrets", "")
	w.names["secret_id"] = text(at(secret, "secret", "secret_id"))
	w.basic = basicHeader(w.names["project_id"], text(at(secret, "secret", "secret")))
	w.names["public_token"] = text(at(w.manage(http.MethodPost, base+"/public_tokens", ""), "public_token", "public_token"))
	w.manage(http.MethodPut, base+"/sdk/consumer", `{"config": {"basic": {"enabled": true}, "sessions": {"max_session_duration_minutes": 527040}, "passwords": {"enabled": true}}}`)
	key := jsonText(w.issuer.PEM(countersign.RS256, issuertest.PublicKey))
	profile := w.manage(http.MethodPost, base+"/trusted_token_profiles", fmt.Sprintf(
		`{"name": "pem", "issuer": %q, "audience": "countersign", "public_key_type": "PEM", "pem_files": ["%s", "%s"],
		  "can_jit_provision": true, "attribute_mapping": {"email": "email", "token_id": "jti"}}`, w.issuer.URL(), key, key))
	w.names["profile_id"] = text(at(profile, "profile", "profile_id"))
	files, _ := at(profile, "profile", "pem_files").([]any)
	w.names["pem_file_id"] = text(at(files[0], "pem_file_id"))
	w.token = w.issuer.Mint(map[string]any{"aud": "countersign", "email": "ada@example.com"})
	attested := w.must(w.call(http.MethodPost, "/v1/sessions/attest", w.basic,
		fmt.Sprintf(`{"profile_id": %q, "token": %q, "session_duration_minutes": 60}`, w.names["profile_id"], w.token)))
	w.names["user_id"] = text(attested["user_id"])
	w.signedIn = basicHeader(w.names["public_token"], text(attested["session_token"]))
	emails, _ := at(attested, "user", "emails").([]any)
	w.names["email_id"] = text(at(emails[0], "email_id"))
	w.names["request_id"] = text(attested["request_id"])
	w.names["jwt_template_type"] = "SESSION"
	w.makeB2B(key)
	w.names["connected_app_id"] = "connected-app-test-00000000-0000-4000-8000-000000000001"
	return w
}

// makeB2B makes an environment of a B2B project with one of everything.
func (w *inputWorld) makeB2B(key string) {
	w.t.Helper()
	w.manage(http.MethodPost, "/pwa/v3/projects", `{"name": "Business", "vertical": "B2B", "project_slug": "business"}`)
	base := "/pwa/v3/projects/business/environments"
	environment := w.manage(http.MethodPost, base, `{"name": "Business", "type": "TEST", "environment_slug": "test", "session_jwt_algorithm": "EdDSA"}`)
	secret := w.manage(http.MethodPost, base+"/test/secrets", "")
	w.b2b = basicHeader(text(at(environment, "environment", "project_id")), text(at(secret, "secret", "secret")))
	profile := w.manage(http.MethodPost, base+"/test/trusted_token_profiles", fmt.Sprintf(
		`{"name": "pem", "issuer": %q, "audience": "countersign", "public_key_type": "PEM", "pem_files": ["%s"],
		  "can_jit_provision": true, "attribute_mapping": {"email": "email", "token_id": "jti", "organization_id": "org"}}`, w.issuer.URL(), key))
	w.names["b2b_profile_id"] = text(at(profile, "profile", "profile_id"))
	w.b2bToken = w.issuer.Mint(map[string]any{"aud": "countersign", "email": "ada@example.com", "org": "acme"})
	attested := w.must(w.call(http.MethodPost, "/v1/b2b/sessions/attest", w.b2b, fmt.Sprintf(`{"profile_id": %q, "token": %q}`, w.names["b2b_profile_id"], w.b2bToken)))
	w.names["member_id"] = text(attested["member_id"])
	w.names["organization_id"] = text(at(attested, "organization", "organization_id"))
	w.must(w.call(http.MethodPost, "/v1/b2b/organizations", w.b2b, `{"organization_name": "Taken", "organization_slug": "taken"}`))
	w.must(w.call(http.MethodPost, w.path("/v1/b2b/organizations/{organization_id}/members"), w.b2b, `{"email_address": "taken@example.com", "external_id": "crm|7"}`))
	w.names["member_password_id"] = "password-test-00000000-0000-4000-8000-000000000001"
}

// at is what stands at a path of members.
func at(v any, members ...string) any {
	for _, m := range members {
		object, _ := v.(map[string]any)
		v = object[m]
	}
	return v
}

// authorization is the header that a path asks for.
func (w *inputWorld) authorization(path string) string {
	if strings.HasPrefix(strings.TrimLeft(path, "/"), "pwa/") {
		return basicHeader(localKeyID, localKeySecret)
	}
	if strings.HasPrefix(strings.TrimLeft(path, "/"), "sdk/") {
		return w.signedIn
	}
	if strings.HasPrefix(strings.TrimLeft(path, "/"), "v1/b2b/") {
		return w.b2b
	}
	return w.basic
}

// path is a pattern with its names filled in.
func (w *inputWorld) path(pattern string) string {
	for name, value := range w.names {
		pattern = strings.ReplaceAll(pattern, "{"+name+"}", value)
	}
	return pattern
}

// bodies are requests of every route that reads one, with every field that it
// knows. None of them succeeds as it is, so that they may be sent a thousand
// times with little changes.
func (w *inputWorld) bodies() map[string]string {
	settings := `"cross_org_passwords_enabled": true, "user_impersonation_enabled": true, "zero_downtime_session_migration_url": "https://old.example.com",
		"user_lock_self_serve_enabled": true, "user_lock_threshold": 5, "user_lock_ttl": 600, "idp_authorization_url": "https://idp.example.com",
		"idp_dynamic_client_registration_enabled": true, "idp_dynamic_client_registration_access_token_template_content": "{}",
		"use_custom_domain_in_magic_link_emails": true, "session_jwt_algorithm": "EdDSA"`
	policy := `"trust_policy": {"algorithms": ["ES256"], "audiences": ["b"], "required_typ": "at+jwt", "clock_skew_seconds": 1, "max_token_lifetime_seconds": 1,
			"max_token_age_seconds": 1, "one_time_tokens": true, "subject_claim": "sub", "email_trust": "issuer", "email_domains": ["example.com"],
			"on_sign_in": {"email": "always"}, "role_ids_allowed": ["admin"], "organization_id": "o", "jit_domains": ["example.com"], "jit_per_hour": 1,
			"conditions": ["claims.sub == 'a'"], "mode": "enforce", "tests": [{"name": "a", "header": {"typ": "a"}, "claims": {"sub": "a"},
			"expect": {"reason": "expired", "attributes": {"email": "a@example.com"}}}]}, "force": true`
	patch := `{"name": "idp", "audience": "a", "issuer": "i", "jwks_url": "https://idp.example.com", "attribute_mapping": {"email": "email"}, "can_jit_provision": true, ` + policy + `}`
	organization := `"organization_name": "Acme", "organization_slug": "taken", "organization_external_id": "crm|7", "trusted_metadata": {"tier": "a"},
		"organization_logo_url": "https://a.example/logo.png", "sso_jit_provisioning": "RESTRICTED", "sso_jit_provisioning_allowed_connections": ["a"],
		"sso_default_connection_id": "a", "email_allowed_domains": ["a.example"], "email_jit_provisioning": "RESTRICTED", "email_invites": "RESTRICTED",
		"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso"], "mfa_policy": "OPTIONAL", "mfa_methods": "RESTRICTED", "allowed_mfa_methods": ["totp"],
		"rbac_email_implicit_role_assignments": [{"domain": "a.example", "role_id": "stytch_admin"}], "oauth_tenant_jit_provisioning": "RESTRICTED",
		"allowed_oauth_tenants": {"slack": ["a"]}, "claimed_email_domains": ["a.example"], "first_party_connected_apps_allowed_type": "RESTRICTED",
		"allowed_first_party_connected_apps": ["a"], "third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": ["a"]`
	return map[string]string{
		"POST /pwa/v3/operator_links": `{"name": "", "role": "viewer"}`,
		"POST /v1/sessions/attest": fmt.Sprintf(`{"profile_id": %q, "token": %q, "session_duration_minutes": 60, "session_custom_claims": {"plan": "pro"},
			"session_token": "a", "session_jwt": "b"}`, w.names["profile_id"], w.token),
		"POST /v1/sessions/authenticate": `{"session_token": "a", "session_jwt": "b", "session_duration_minutes": 60, "session_custom_claims": {"plan": "pro"},
			"authorization_check": {"resource_id": "documents", "action": "read"}}`,
		"POST /v1/sessions/revoke": `{"session_id": "a", "session_token": "b", "session_jwt": "c", "user_id": "d"}`,
		"POST /v1/users": `{"email": "ada@example.com", "phone_number": "+442071838750", "name": {"first_name": "Ada", "middle_name": "King", "last_name": "Lovelace"},
			"create_user_as_pending": true, "trusted_metadata": {"tier": "a"}, "untrusted_metadata": {"theme": "b"}, "external_id": "crm|7", "roles": ["admin"]}`,
		"POST /v1/sessions/migrate": `{"session_token": "a", "session_duration_minutes": 60, "session_custom_claims": {"plan": "pro"}}`,
		"PUT /v1/users/{user_id}": `{"emails": ["ada@example.com"], "phone_numbers": ["+442071838750"], "crypto_wallets": [{}],
			"name": {"first_name": "Ada", "middle_name": "King", "last_name": "Lovelace"}, "trusted_metadata": {"tier": "a"},
			"untrusted_metadata": {"theme": "b"}, "external_id": "crm|7", "roles": ["admin"]}`,
		"PUT /v1/users/{user_id}/exchange_primary_factor": `{"email_address": "ada@example.com", "phone_number": "+442071838750"}`,
		"POST /v1/users/search": `{"cursor": "a", "limit": 10, "query": {"operator": "OR", "operands": [
			{"filter_name": "status", "filter_value": "active"}, {"filter_name": "user_id", "filter_value": ["a"]},
			{"filter_name": "email_verified", "filter_value": true}, {"filter_name": "email_address_fuzzy", "filter_value": "example"},
			{"filter_name": "created_at_between", "filter_value": {"greater_than": "2026-01-05T10:00:00Z", "less_than": "2026-01-05T10:00:01Z"}}]}}`,
		"POST /v1/users/import": `{"users": [{"email": "ada@example.com", "email_verified": true, "phone_number_verified": true,
			"trusted_metadata": {"tier": "a"}, "external_id": "crm|7", "roles": ["admin"], "name": {"first_name": "Ada"}}]}`,
		"POST /v1/b2b/sessions/attest": fmt.Sprintf(`{"profile_id": %q, "token": %q, "organization_id": "acme", "session_duration_minutes": 60,
			"session_custom_claims": {"plan": "pro"}, "session_token": "a", "session_jwt": "b"}`, w.names["b2b_profile_id"], w.b2bToken),
		"POST /v1/b2b/sessions/authenticate": `{"session_token": "a", "session_jwt": "b", "session_duration_minutes": 60, "session_custom_claims": {"plan": "pro"},
			"authorization_check": {"organization_id": "acme", "resource_id": "documents", "action": "read"}}`,
		"POST /v1/b2b/sessions/revoke":   `{"member_session_id": "a", "session_token": "b", "session_jwt": "c", "member_id": "d"}`,
		"POST /v1/b2b/sessions/exchange": `{"organization_id": "acme", "session_token": "a", "session_jwt": "b", "session_duration_minutes": 60, "session_custom_claims": {"plan": "pro"}}`,
		"POST /v1/b2b/sessions/migrate":  `{"session_token": "a", "organization_id": "acme", "session_duration_minutes": 60, "session_custom_claims": {"plan": "pro"}}`,
		"POST /v1/b2b/organizations":     `{` + organization + `}`,
		"PUT " + organizationPath:        `{` + organization + `}`,
		"POST /v1/b2b/organizations/search": `{"cursor": "a", "limit": 10, "query": {"operator": "OR", "operands": [
			{"filter_name": "organization_ids", "filter_value": ["a"]}, {"filter_name": "has_active_sso_connection", "filter_value": true},
			{"filter_name": "organization_name_fuzzy", "filter_value": "example"}, {"filter_name": "member_emails", "filter_value": ["ada@example.com"]}]}}`,
		"POST /v1/b2b/organizations/members/search": `{"organization_ids": ["acme"], "cursor": "a", "limit": 10, "query": {"operator": "OR", "operands": [
			{"filter_name": "member_ids", "filter_value": ["a"]}, {"filter_name": "member_is_breakglass", "filter_value": true},
			{"filter_name": "member_email_fuzzy", "filter_value": "example"}, {"filter_name": "statuses", "filter_value": ["deleted"]}]}}`,
		"POST " + organizationPath + "/members": `{"email_address": "ada@example.com", "name": "Ada", "trusted_metadata": {"tier": "a"}, "untrusted_metadata": {"theme": "b"},
			"create_member_as_pending": true, "is_breakglass": true, "mfa_phone_number": "+442071838750", "mfa_enrolled": true, "roles": ["admin"], "external_id": "crm|7"}`,
		"PUT " + memberPath: `{"name": "Ada", "trusted_metadata": {"tier": "a"}, "untrusted_metadata": {"theme": "b"}, "is_breakglass": true, "mfa_phone_number": "+442071838750",
			"mfa_enrolled": true, "roles": ["stytch_admin"], "preserve_existing_sessions": true, "default_mfa_method": "totp", "email_address": "grace@example.com",
			"external_id": "crm|7", "unlink_email": true}`,
		"POST " + memberPath + "/unlink_retired_email": `{"email_id": "a", "email_address": "grace@example.com"}`,
		"PUT /v1/b2b/rbac/organizations/{organization_id}": `{"org_policy": {"roles": [{"role_id": "stytch_admin", "description": "a",
			"permissions": [{"resource_id": "stytch.member", "actions": ["*"]}]}]}}`,
		"POST /sdk/v1/sessions/attest": fmt.Sprintf(`{"profile_id": %q, "token": %q, "session_duration_minutes": 60, "session_token": "a", "session_jwt": "b"}`,
			w.names["profile_id"], w.token),
		"POST /sdk/v1/sessions/authenticate": `{"session_duration_minutes": 4}`,
		"PUT /sdk/v1/users/me": `{"name": {"first_name": "Ada", "middle_name": "King", "last_name": "Lovelace"}, "untrusted_metadata": {"theme": "b"},
			"trusted_metadata": {"tier": "a"}}`,
		"POST /sdk/v1/users/search": `{"email": "not an address"}`,
		"PUT " + policyPath: `{"stytch_member": null, "stytch_admin": null, "stytch_user": {"permissions": [{"resource_id": "documents", "actions": ["read"]}]},
			"custom_resources": [{"resource_id": "documents", "description": "a", "available_actions": ["read"]}],
			"custom_roles": [{"role_id": "reader", "description": "a", "permissions": [{"resource_id": "documents", "actions": ["*"]}]}],
			"custom_scopes": [{"scope": "read", "description": "a", "permissions": [{"resource_id": "documents", "actions": ["shred"]}]}]}`,
		"PUT " + consumerSDKPath: `{"config": {"basic": {"enabled": true, "domains": ["https://a.example"], "bundle_ids": ["a"]},
			"sessions": {"max_session_duration_minutes": 4}, "magic_links": {"login_or_create_enabled": true, "send_enabled": true, "pkce_required": true},
			"otps": {"sms_send_enabled": true, "sms_autofill_metadata": [{"metadata_type": "hash", "metadata_value": "a", "bundle_id": "b"}]},
			"oauth": {"enabled": true, "pkce_required": true}, "totps": {"enabled": true, "create_totps": true}, "webauthn": {"enabled": true, "create_webauthns": true},
			"crypto_wallets": {"enabled": true, "siwe_required": true}, "dfppa": {"enabled": "ENABLED", "on_challenge": "BLOCK"},
			"biometrics": {"enabled": true, "create_biometrics_enabled": true}, "passwords": {"enabled": true, "pkce_required_for_password_resets": true},
			"cookies": {"http_only": "ENABLED"}, "user_impersonation": {"enabled": true}}}`,
		"PUT " + b2bSDKPath: `{"config": {"basic": {"enabled": true, "allow_self_onboarding": true, "enable_member_permissions": true,
			"domains": [{"domain": "https://a.example", "slug_pattern": "b"}], "bundle_ids": ["a"]}, "sso": {"enabled": true, "pkce_required": true}}}`,
		"POST " + redirectURLsPath:          `{"url": "http://a.example", "valid_types": [{"type": "LOGIN", "is_default": true}], "do_not_promote_defaults": true}`,
		"PUT " + redirectURLsPath:           `{"valid_types": [{"type": "LOGIN", "is_default": true}], "do_not_promote_defaults": true}`,
		"PUT " + templatePath:               `{"template_content": "{\"a\": {{ user.user_id }", "custom_audience": "https://api.example.com"}`,
		"POST " + projectsPath:              `{"name": "Input", "vertical": "CONSUMER", "project_slug": "input"}`,
		"PATCH " + projectPath:              `{"name": "Input"}`,
		"POST " + environmentsPath:          `{"name": "Input", "type": "TEST", "environment_slug": "test", ` + settings + `}`,
		"PATCH " + environmentPath:          `{"name": "Input", ` + settings + `}`,
		"POST " + profilesPath:              fmt.Sprintf(`{"name": "idp", "audience": "a", "issuer": "i", "public_key_type": "PEM", "jwks_url": "https://idp.example.com", "pem_files": ["%s"], "attribute_mapping": {"email": "email"}, "can_jit_provision": true, `+policy+`}`, jsonText(w.issuer.PEM(countersign.RS256, issuertest.PublicKey))),
		"PATCH " + profilePath:              patch,
		"POST " + profilePath + "/explain":  fmt.Sprintf(`{"token": %q, "header": {"typ": "a"}, "claims": {"sub": "a"}, "organization_id": "a", "profile": %s}`, w.token, patch),
		"POST " + profilePath + "/test":     `{"profile": ` + patch + `}`,
		"POST " + profilePath + "/replay":   `{"since": "2026-01-01T00:00:00Z", "profile": ` + patch + `}`,
		"POST " + revocationsPath:           `{"session_id": "a", "user_id": "b", "member_id": "b", "profile_id": "c", "key_id": "d", "attested_before": "2026-01-01T00:00:00Z", "dry_run": true}`,
		"POST " + eventStreamsPath:          `{"destination_type": "DATADOG", "destination_config": {"datadog": {"api_key": "broken", "site": "EU"}}}`,
		"PUT " + eventStreamPath:            `{"destination_config": {"grafana_loki": {"hostname": "logs.example.com", "username": "u", "password": "p"}}}`,
		"POST " + profilePath + "/keys":     `{"public_key": "-----BEGIN PUBLIC KEY-----\nbroken"}`,
		"POST " + profilesPath + "/propose": fmt.Sprintf(`{"issuer": "http://10.0.0.1", "token": %q}`, w.token),
	}
}
