// Package consumer is the backend API of consumer projects, /v1: users and their
// sessions, for callers who hold a project's secret. It has shapes and routes; it
// refuses to have rules.
package consumer

import (
	"context"
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
	Authenticate api.Authenticator // by project secret
	Sessions     *session.Service
	Directory    *directory.Service
	Projects     *project.Service
	Keyring      *signing.Keyring
}

// Routes are the surface's endpoints.
func (s *Surface) Routes() []api.Route {
	auth := consumersOnly(s.Authenticate)
	return []api.Route{
		{Method: http.MethodPost, Pattern: "/v1/sessions/attest", Handler: api.Call(auth, s.attest)},
		{Method: http.MethodPost, Pattern: "/v1/sessions/authenticate", Handler: api.Call(auth, s.authenticate)},
		{Method: http.MethodPost, Pattern: "/v1/sessions/revoke", Handler: api.Call(auth, s.revoke)},
		{Method: http.MethodGet, Pattern: "/v1/sessions", Handler: api.Call(auth, s.sessions)},
		{Method: http.MethodGet, Pattern: "/v1/sessions/jwks/{project_id}", Handler: api.Call(api.Anybody, s.keySet)},
		{Method: http.MethodPost, Pattern: "/v1/sessions/migrate", Handler: api.Call(auth, s.migrate)},

		{Method: http.MethodPost, Pattern: "/v1/users", Handler: api.Call(auth, s.createUser)},
		{Method: http.MethodPost, Pattern: "/v1/users/search", Handler: api.Call(auth, s.search)},
		{Method: http.MethodPost, Pattern: "/v1/users/import", Handler: api.Call(auth, s.importUsers)},
		{Method: http.MethodDelete, Pattern: "/v1/users/emails/{email_id}", Handler: api.Call(auth, s.deleteEmail)},
		{Method: http.MethodDelete, Pattern: "/v1/users/phone_numbers/{phone_id}", Handler: api.Call(auth, s.deletePhone)},
		{Method: http.MethodDelete, Pattern: "/v1/users/webauthn_registrations/{webauthn_registration_id}", Handler: api.Call(auth, never(countersign.ErrWebauthnNotFound))},
		{Method: http.MethodDelete, Pattern: "/v1/users/biometric_registrations/{biometric_registration_id}", Handler: api.Call(auth, never(countersign.ErrBiometricNotFound))},
		{Method: http.MethodDelete, Pattern: "/v1/users/totps/{totp_id}", Handler: api.Call(auth, never(countersign.ErrTOTPNotFound))},
		{Method: http.MethodDelete, Pattern: "/v1/users/crypto_wallets/{crypto_wallet_id}", Handler: api.Call(auth, never(countersign.ErrCryptoWalletNotFound))},
		{Method: http.MethodDelete, Pattern: "/v1/users/passwords/{password_id}", Handler: api.Call(auth, never(countersign.ErrPasswordNotFound))},
		{Method: http.MethodDelete, Pattern: "/v1/users/oauth/{oauth_user_registration_id}", Handler: api.Call(auth, never(countersign.ErrOAuthRegistrationNotFound))},
		{Method: http.MethodGet, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.user)},
		{Method: http.MethodPut, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.updateUser)},
		{Method: http.MethodDelete, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.deleteUser)},
		{Method: http.MethodDelete, Pattern: "/v1/users/{user_id}/external_id", Handler: api.Call(auth, s.deleteExternalID)},
		{Method: http.MethodPut, Pattern: "/v1/users/{user_id}/exchange_primary_factor", Handler: api.Call(auth, s.exchangePrimaryFactor)},
		{Method: http.MethodGet, Pattern: "/v1/users/{user_id}/connected_apps", Handler: api.Call(auth, s.connectedApps)},
		{Method: http.MethodPost, Pattern: "/v1/users/{user_id}/connected_apps/{connected_app_id}/revoke", Handler: api.Call(auth, s.revokeConnectedApp)},

		{Method: http.MethodGet, Pattern: "/v1/rbac/policy", Handler: api.Call(auth, s.policy)},
		{Method: http.MethodGet, Pattern: "/v1/debug/whoami", Handler: api.Call(s.Authenticate, s.whoAmI)},
		{Method: http.MethodGet, Pattern: "/v1/projects/metrics", Handler: api.Call(s.Authenticate, s.projectMetrics)},
	}
}

// consumersOnly refuses the credentials of B2B projects.
func consumersOnly(auth api.Authenticator) api.Authenticator {
	return func(ctx context.Context, r *http.Request) (api.Caller, error) {
		caller, err := auth(ctx, r)
		if err == nil && caller.Environment.Vertical != countersign.Consumer {
			err = countersign.ErrInvalidConsumerEndpoint
		}
		return caller, err
	}
}
