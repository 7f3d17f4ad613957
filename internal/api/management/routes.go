// Package management is the management API, /pwa/v3: what an operator sets up,
// for callers who hold a workspace key. It has shapes and routes; it refuses to
// have rules.
package management

import (
	"context"
	"net/http"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Surface is what the management API calls. Every field is required.
type Surface struct {
	Authenticate api.Authenticator // by workspace key
	Projects     *project.Service
	Keyring      *signing.Keyring
	Sources      *trust.Sources
}

// The paths of management.md §1.
const (
	projects     = "/pwa/v3/projects"
	oneProject   = projects + "/{project_slug}"
	environments = oneProject + "/environments"
	environment  = environments + "/{environment_slug}"
	secrets      = environment + "/secrets"
	publicTokens = environment + "/public_tokens"
	profiles     = environment + "/trusted_token_profiles"
	oneProfile   = profiles + "/{profile_id}"
	profileKeys  = oneProfile + "/keys"
	signingKeys  = environment + "/signing_keys"
	rbacPolicy   = environment + "/rbac_policy"
	jwtTemplate  = environment + "/jwt_templates/{jwt_template_type}"
)

// Routes are the surface's endpoints.
func (s *Surface) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodPost, Pattern: projects, Handler: api.Call(s.Authenticate, s.createProject)},
		{Method: http.MethodGet, Pattern: projects, Handler: api.Call(s.Authenticate, s.listProjects)},
		{Method: http.MethodGet, Pattern: oneProject, Handler: api.Call(s.Authenticate, s.project)},
		{Method: http.MethodPatch, Pattern: oneProject, Handler: api.Call(s.Authenticate, s.updateProject)},
		{Method: http.MethodDelete, Pattern: oneProject, Handler: api.Call(s.Authenticate, s.deleteProject)},

		{Method: http.MethodPost, Pattern: environments, Handler: api.Call(s.Authenticate, s.createEnvironment)},
		{Method: http.MethodGet, Pattern: environments, Handler: api.Call(s.Authenticate, s.listEnvironments)},
		{Method: http.MethodGet, Pattern: environment, Handler: inEnvironment(s, s.environment)},
		{Method: http.MethodPatch, Pattern: environment, Handler: api.Call(s.Authenticate, s.updateEnvironment)},
		{Method: http.MethodDelete, Pattern: environment, Handler: api.Call(s.Authenticate, s.deleteEnvironment)},
		{Method: http.MethodGet, Pattern: environment + "/metrics", Handler: inEnvironment(s, s.metrics)},

		{Method: http.MethodPost, Pattern: secrets, Handler: inEnvironment(s, s.createSecret)},
		{Method: http.MethodGet, Pattern: secrets, Handler: inEnvironment(s, s.listSecrets)},
		{Method: http.MethodGet, Pattern: secrets + "/{secret_id}", Handler: inEnvironment(s, s.secret)},
		{Method: http.MethodDelete, Pattern: secrets + "/{secret_id}", Handler: inEnvironment(s, s.deleteSecret)},

		{Method: http.MethodPost, Pattern: publicTokens, Handler: inEnvironment(s, s.createPublicToken)},
		{Method: http.MethodGet, Pattern: publicTokens, Handler: inEnvironment(s, s.listPublicTokens)},
		{Method: http.MethodGet, Pattern: publicTokens + "/{public_token}", Handler: inEnvironment(s, s.publicToken)},
		{Method: http.MethodDelete, Pattern: publicTokens + "/{public_token}", Handler: inEnvironment(s, s.deletePublicToken)},

		{Method: http.MethodPost, Pattern: profiles, Handler: inEnvironment(s, s.createProfile)},
		{Method: http.MethodGet, Pattern: profiles, Handler: inEnvironment(s, s.listProfiles)},
		{Method: http.MethodGet, Pattern: oneProfile, Handler: inEnvironment(s, s.profile)},
		{Method: http.MethodPatch, Pattern: oneProfile, Handler: inEnvironment(s, s.updateProfile)},
		{Method: http.MethodDelete, Pattern: oneProfile, Handler: inEnvironment(s, s.deleteProfile)},
		{Method: http.MethodGet, Pattern: oneProfile + "/key_set", Handler: inEnvironment(s, s.keySet)},
		{Method: http.MethodPost, Pattern: profileKeys, Handler: inEnvironment(s, s.addPEMFile)},
		{Method: http.MethodGet, Pattern: profileKeys + "/{pem_file_id}", Handler: inEnvironment(s, s.pemFile)},
		{Method: http.MethodDelete, Pattern: profileKeys + "/{pem_file_id}", Handler: inEnvironment(s, s.deletePEMFile)},

		{Method: http.MethodGet, Pattern: signingKeys, Handler: inEnvironment(s, s.listSigningKeys)},
		{Method: http.MethodPost, Pattern: signingKeys + "/rotate", Handler: inEnvironment(s, s.rotateSigningKeys)},

		{Method: http.MethodGet, Pattern: rbacPolicy, Handler: inEnvironment(s, s.policy)},
		{Method: http.MethodPut, Pattern: rbacPolicy, Handler: inEnvironment(s, s.setPolicy)},
		{Method: http.MethodGet, Pattern: jwtTemplate, Handler: inEnvironment(s, s.template)},
		{Method: http.MethodPut, Pattern: jwtTemplate, Handler: inEnvironment(s, s.setTemplate)},
		{Method: http.MethodGet, Pattern: environment + "/events", Handler: inEnvironment(s, s.events)},
	}
}

// inEnvironment finds the environment that the path names and puts it on the
// caller.
func inEnvironment[B any, A interface{ Envelop(string, int) }](s *Surface, fn api.Endpoint[B, A]) http.Handler {
	return api.Call(s.Authenticate, func(ctx context.Context, r *api.Request[B]) (A, error) {
		var none A
		e, err := s.Projects.Environment(ctx, r.Path("project_slug"), r.Path("environment_slug"))
		if err != nil {
			return none, err
		}
		r.Caller.Environment = e
		return fn(ctx, r)
	})
}

// text is an optional string of a request: absent, null and "" say nothing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
