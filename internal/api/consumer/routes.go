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
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
)

// Surface is what the consumer API calls. Every field is required.
type Surface struct {
	Authenticate api.Authenticator // by project secret
	Sessions     *session.Service
	Directory    *directory.Service
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
		{Method: http.MethodPost, Pattern: "/v1/users", Handler: api.Call(auth, s.createUser)},
		{Method: http.MethodGet, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.user)},
		{Method: http.MethodDelete, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.deleteUser)},
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
