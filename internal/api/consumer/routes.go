// Package consumer is the backend API of consumer projects, /v1: users and their
// sessions, for callers who hold a project's secret. It has shapes and routes; it
// refuses to have rules.
package consumer

import (
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
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/attest", Handler: api.Call(auth, s.attest),
			Summary: "Exchanges a JWT of a registered issuer for a session, or attaches it to one as a further factor.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/authenticate", Handler: api.Call(auth, s.authenticate),
			Summary: "Checks a session by its token or JWT, extends it if a duration is given, and answers with a fresh JWT.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/sessions/revoke", Handler: api.Call(auth, s.revoke),
			Summary: "Ends a session, named by its ID, token or JWT.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/sessions", Handler: api.Call(auth, s.sessions),
			Query:   []api.QueryParameter{{Name: "user_id", Description: "The ID or external ID of the user.", Required: true}},
			Summary: "Lists a user's sessions that are alive, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/sessions/jwks/{project_id}", Handler: api.Call(api.Anybody, s.keySet),
			Summary: "Publishes the keys that verify the session JWTs of an environment.",
		},
		{
			Method: http.MethodPost, Pattern: "/v1/users", Handler: api.Call(auth, s.createUser),
			Summary: "Makes a user, nothing about whom is verified.",
		},
		{
			Method: http.MethodGet, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.user),
			Summary: "Finds a user by ID or external ID.",
		},
		{
			Method: http.MethodDelete, Pattern: "/v1/users/{user_id}", Handler: api.Call(auth, s.deleteUser),
			Summary: "Deletes a user and ends all their sessions.",
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
