package openapi

import (
	"strings"

	"github.com/countersign-auth/countersign/internal/api"
)

var about = info{
	Title: "countersign",
	Description: "Exchanges JWTs that others issued for sessions. Every answer has request_id and status_code, at its top or in data, this document excepted. " +
		"What is required in an answer is always there and never null; what is nullable may be null, and a timestamp is never empty text. " +
		"What a request does not know is ignored, and null is the same as absent unless a description says otherwise.",
	Version: "1", // of the contract
	License: license{Name: "Apache-2.0", URL: "https://www.apache.org/licenses/LICENSE-2.0"},
}

// plane is a part of the API, by its callers.
type plane struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	prefix      string
}

// planes are in the order in which they are looked up: the last has the rest.
var planes = []plane{
	{"B2B", "The backend API of B2B projects, for callers who hold a secret of an environment; where it says so, on behalf of a member.", "/v1/b2b/"},
	{"Consumer", "The backend API of consumer projects, for callers who hold a secret of an environment.", "/v1/"},
	{"Frontend", "For web pages and apps, with a public token; an answer is in data, and an error tells no more than its type.", "/sdk/v1/"},
	{"Management", "What an operator sets up, for callers who hold a workspace key.", "/pwa/v3/"},
	{"Operation", "For those who run the server or write its clients.", "/"},
}

func planeOf(pattern string) plane {
	for _, p := range planes[:len(planes)-1] {
		if strings.HasPrefix(pattern, p.prefix) {
			return p
		}
	}
	return planes[len(planes)-1]
}

type securityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

var schemes = map[string]securityScheme{
	"projectSecret":      {"http", "basic", "The ID of an environment (project_id), and one of its secrets."},
	"publicToken":        {"http", "basic", "A public token, and the token of a session or, for want of one, the public token again."},
	"workspaceKey":       {"http", "basic", "The ID of a workspace key, and its secret."},
	"workspaceKeyBearer": {"http", "bearer", "The ID of a workspace key, a colon, and its secret."},
}

// security says which of schemes an endpoint takes: one of the list.
var security = map[api.Scheme][]map[string][]string{
	api.SchemeNone:      {},
	api.SchemeProject:   {{"projectSecret": {}}},
	api.SchemePublic:    {{"publicToken": {}}},
	api.SchemeWorkspace: {{"workspaceKey": {}}, {"workspaceKeyBearer": {}}},
}

// refusals are the statuses of the error object.
var refusals = []struct {
	status     int
	name, text string
	headers    map[string]header
}{
	{400, "BadRequest", "The request is not one that can be done; error_type says why.", nil},
	{401, "Unauthorized", "The credentials are missing or not good.", map[string]header{"WWW-Authenticate": {"How to authenticate.", &schema{Type: "string"}}}},
	{403, "Forbidden", "The caller may not do this.", nil},
	{404, "NotFound", "Nothing is there by that name.", nil},
	{405, "MethodNotAllowed", "The path takes other methods.", map[string]header{"Allow": {"The methods that the path takes.", &schema{Type: "string"}}}},
	{429, "TooManyRequests", "Too much was asked in too short a time.", retryAfter},
	{500, "InternalServerError", "The server failed; its log says why, by request_id.", nil},
	{503, "Unavailable", "The server, or the keys of an issuer, cannot be had for now.", retryAfter},
}

var retryAfter = map[string]header{"Retry-After": {"Seconds after which to try again.", &schema{Type: "integer"}}}

// segments say what the names in paths are.
var segments = map[string]string{ //nolint:gosec // sentences, of which one is about a secret
	"biometric_registration_id":  "The ID of a biometric registration.",
	"connected_app_id":           "The ID of a connected application.",
	"crypto_wallet_id":           "The ID of a crypto wallet.",
	"destination_type":           "DATADOG or GRAFANA_LOKI.",
	"email_id":                   "The ID of an e-mail address.",
	"environment_slug":           "The slug of an environment.",
	"jwt_template_type":          "SESSION or M2M.",
	"member_id":                  "The ID or external ID of a member of the organization.",
	"member_password_id":         "The ID of a password.",
	"organization_id":            "The ID, external ID or slug of an organization.",
	"oauth_user_registration_id": "The ID of an OAuth registration.",
	"password_id":                "The ID of a password.",
	"pem_file_id":                "The ID of a public key of the profile.",
	"phone_id":                   "The ID of a phone number.",
	"profile_id":                 "The ID of a trusted-token profile.",
	"project_id":                 "The ID of an environment, which the backend API calls a project.",
	"project_slug":               "The slug of a project.",
	"public_token":               "A public token.",
	"request_id":                 "The request_id of an answer.",
	"secret_id":                  "The ID of a secret.",
	"totp_id":                    "The ID of a TOTP.",
	"user_id":                    "The ID or external ID of a user.",
	"webauthn_registration_id":   "The ID of a WebAuthn registration.",
}
