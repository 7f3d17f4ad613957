// Package consumer is the backend API of consumer projects, /v1: users and their
// sessions, for callers who hold a project's secret. It has shapes and routes; it
// refuses to have rules.
package consumer

import (
	"net/http"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
)

// Surface is what the consumer API calls. Every field is required.
type Surface struct {
	Authenticate        api.Authenticator // by project secret
	AuthenticateInFlood api.Authenticator // the same, for attest
	Sessions            *session.Service
	Directory           *directory.Service
	Projects            *project.Service
	Keyring             *signing.Keyring
}

// Routes are the surface's endpoints.
func (s *Surface) Routes() []api.Route {
	auth := consumersOnly(s.Authenticate)
	return []api.Route{
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/attest", Handler: api.Call(consumersOnly(s.AuthenticateInFlood), s.attest),
			Summary: "Exchanges a JWT of a registered issuer for a session, or attaches it to one as a further factor.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/authenticate", Handler: api.Call(auth, s.authenticate),
			Summary: "Checks a session by its token or JWT, extends it if a duration is given, and answers with a fresh JWT.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/revoke", Handler: api.Call(auth, s.revoke),
			Summary: "Ends a session, named by its ID, token or JWT, or all sessions of a user.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/sessions", Handler: api.Call(auth, s.sessions),
			Query:   []api.QueryParameter{{Name: "user_id", Description: "The ID or external ID of the user.", Required: true}},
			Summary: "Lists a user's sessions that are alive, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/sessions/jwks/{project_id}", Handler: api.KeySet(s.Keyring),
			Summary: "Publishes the keys that verify the session JWTs of an environment.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/migrate", Handler: api.Call(auth, s.migrate),
			Summary: "Starts a session for the user whom the environment's userinfo endpoint knows by another provider's token.",
		},

		{
			Method: http.MethodPost, Pattern: "/v1/users", Handler: api.Call(auth, s.createUser),
			Summary: "Makes a user, nothing about whom is verified.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/users/search", Handler: api.Call(auth, s.search),
			Summary: "Finds users, newest first; what is not an ID, an address or a number is looked for among the newest, and next_cursor goes on.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/users/import", Handler: api.Call(auth, s.importUsers),
			Summary: "Makes up to 500 users at once, each its own success or failure.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/emails/{email_id}", Handler: api.Call(auth, s.deleteEmail),
			Summary: "Takes an e-mail address from its user.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/phone_numbers/{phone_id}", Handler: api.Call(auth, s.deletePhone),
			Summary: "Takes a phone number from its user.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/webauthn_registrations/{webauthn_registration_id}", Handler: api.Call(auth, never(countersign.ErrWebauthnNotFound)),
			Summary: "Never finds a WebAuthn registration: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/biometric_registrations/{biometric_registration_id}", Handler: api.Call(auth, never(countersign.ErrBiometricNotFound)),
			Summary: "Never finds a biometric registration: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/totps/{totp_id}", Handler: api.Call(auth, never(countersign.ErrTOTPNotFound)),
			Summary: "Never finds a TOTP: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/crypto_wallets/{crypto_wallet_id}", Handler: api.Call(auth, never(countersign.ErrCryptoWalletNotFound)),
			Summary: "Never finds a crypto wallet: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/passwords/{password_id}", Handler: api.Call(auth, never(countersign.ErrPasswordNotFound)),
			Summary: "Never finds a password: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/oauth/{oauth_user_registration_id}", Handler: api.Call(auth, never(countersign.ErrOAuthRegistrationNotFound)),
			Summary: "Never finds an OAuth registration: this server makes none.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.user),
			Summary: "Finds a user by ID or external ID.",
		},
		{
			Method: http.MethodPut, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.updateUser),
			Summary: "Changes what is given of a user; metadata is merged at the top level, and roles replaces the explicit ones.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.deleteUser),
			Summary: "Deletes a user and ends all their sessions.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/{user_id}/external_id", Handler: api.Call(auth, s.deleteExternalID),
			Summary: "Takes a user's external ID away.",
		},
		{
			Method: http.MethodPut, Pattern: "/v1/users/{user_id}/exchange_primary_factor", Handler: api.Call(auth, s.exchangePrimaryFactor),
			Summary: "Gives a user another address or number in the place of the only one there is.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/users/{user_id}/connected_apps", Handler: api.Call(auth, s.connectedApps),
			Summary: "Lists the applications that a user let in: none.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/users/{user_id}/connected_apps/{connected_app_id}/revoke", Handler: api.Call(auth, s.revokeConnectedApp),
			Summary: "Never finds a connected application: this server connects none.",
		},

		{
			Method: http.MethodGet, Pattern: "/v1/rbac/policy", Handler: api.Call(auth, s.policy),
			Summary: "Answers the environment's policy as clients check against it, default roles and built-in resources included.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/debug/whoami", Handler: api.Call(s.Authenticate, s.whoAmI),
			Summary: "Says whose credentials these are.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/projects/metrics", Handler: api.Call(s.Authenticate, s.projectMetrics),
			Summary: "Counts what is in the project.",
		},
	}
}

// consumersOnly refuses the credentials of B2B projects.
func consumersOnly(auth api.Authenticator) api.Authenticator {
	return auth.But(func(caller api.Caller) error {
		if caller.Environment.Vertical != countersign.Consumer {
			return countersign.ErrInvalidConsumerEndpoint
		}
		return nil
	})
}
