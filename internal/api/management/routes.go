// Package management is the management API, /pwa/v3: what an operator sets up,
// for callers who hold a workspace key. It has shapes and routes; it refuses to
// have rules.
package management

import (
	"context"
	"net/http"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/eventstream"
	"github.com/countersign-auth/countersign/internal/operator"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// Surface is what the management API calls. Every field is required.
type Surface struct {
	Authenticate api.Authenticator // by workspace key
	Projects     *project.Service
	Sessions     *session.Service
	Verdicts     *verdict.Book
	Keyring      *signing.Keyring
	Sources      *trust.Sources
	Streams      *eventstream.Service
	Operators    *operator.Service
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
	consumerSDK  = environment + "/sdk/consumer"
	b2bSDK       = environment + "/sdk/b2b"
	redirectURLs = environment + "/redirect_urls"
	jwtTemplate  = environment + "/jwt_templates/{jwt_template_type}"
	verdicts     = environment + "/verdicts"
	revocations  = environment + "/revocations"
	links        = "/pwa/v3/operator_links"
	eventStreams = environment + "/event_log_streaming"
	eventStream  = eventStreams + "/{destination_type}"
)

// redirectURLQuery names the redirect URL that a request is about.
var redirectURLQuery = api.QueryParameter{Name: "url", Description: "The redirect URL, exactly as it was added.", Required: true}

// Routes are the surface's endpoints.
func (s *Surface) Routes() []api.Route {
	return []api.Route{
		{
			Method: http.MethodPost, Pattern: projects, Handler: api.Call(s.Authenticate, s.createProject),
			Summary: "Makes a project without environments; its slug is made from its name if none is given.",
		},
		{
			Method: http.MethodGet, Pattern: projects, Handler: api.Call(s.Authenticate, s.listProjects),
			Summary: "Lists all projects, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: oneProject, Handler: api.Call(s.Authenticate, s.project),
			Summary: "Finds a project.",
		},
		{
			Method: http.MethodPatch, Pattern: oneProject, Handler: api.Call(s.Authenticate, s.updateProject),
			Summary: "Renames a project.",
		},
		{
			Method: http.MethodDelete, Pattern: oneProject, Handler: api.Call(s.Authenticate, s.deleteProject),
			Summary: "Deletes a project and all that is in it.",
		},

		{
			Method: http.MethodPost, Pattern: environments, Handler: api.Call(s.Authenticate, s.createEnvironment),
			Summary: "Makes an environment with a signing key and a public token; a project has at most one of type LIVE.",
		},
		{
			Method: http.MethodGet, Pattern: environments, Handler: api.Call(s.Authenticate, s.listEnvironments),
			Summary: "Lists a project's environments, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: environment, Handler: inEnvironment(s, s.environment),
			Summary: "Finds an environment.",
		},
		{
			Method: http.MethodPatch, Pattern: environment, Handler: api.Call(s.Authenticate, s.updateEnvironment),
			Summary: "Changes the name and settings of an environment that are given.",
		},
		{
			Method: http.MethodDelete, Pattern: environment, Handler: api.Call(s.Authenticate, s.deleteEnvironment),
			Summary: "Deletes an environment and all that is in it; one of type LIVE goes with its project.",
		},
		{
			Method: http.MethodGet, Pattern: environment + "/metrics", Handler: inEnvironment(s, s.metrics),
			Summary: "Counts what is in an environment.",
		},

		{
			Method: http.MethodPost, Pattern: secrets, Handler: inEnvironment(s, s.createSecret),
			Summary: "Makes a secret; no other answer will show its value.",
		},
		{
			Method: http.MethodGet, Pattern: secrets, Handler: inEnvironment(s, s.listSecrets),
			Summary: "Lists secrets without their values, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: secrets + "/{secret_id}", Handler: inEnvironment(s, s.secret),
			Summary: "Finds a secret, without its value.",
		},
		{
			Method: http.MethodDelete, Pattern: secrets + "/{secret_id}", Handler: inEnvironment(s, s.deleteSecret),
			Summary: "Deletes a secret, which is refused from then on.",
		},

		{
			Method: http.MethodPost, Pattern: publicTokens, Handler: inEnvironment(s, s.createPublicToken),
			Summary: "Makes a public token.",
		},
		{
			Method: http.MethodGet, Pattern: publicTokens, Handler: inEnvironment(s, s.listPublicTokens),
			Summary: "Lists public tokens, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: publicTokens + "/{public_token}", Handler: inEnvironment(s, s.publicToken),
			Summary: "Finds a public token.",
		},
		{
			Method: http.MethodDelete, Pattern: publicTokens + "/{public_token}", Handler: inEnvironment(s, s.deletePublicToken),
			Summary: "Deletes a public token.",
		},

		{
			Method: http.MethodPost, Pattern: profiles, Handler: inEnvironment(s, s.createProfile),
			Summary: "Registers an issuer whose tokens are believed, by a key set URL or by up to 5 public keys.",
		},
		{
			Method: http.MethodGet, Pattern: profiles, Handler: inEnvironment(s, s.listProfiles),
			Summary: "Lists trusted-token profiles, oldest first.",
		},
		{
			Method: http.MethodPost, Pattern: profiles + "/propose", Handler: inEnvironment(s, s.proposeProfile),
			Summary: "Proposes a profile from an issuer's metadata, from a sample of its tokens, or from both; saves nothing. This server's addition to the contract.",
		},
		{
			Method: http.MethodGet, Pattern: oneProfile, Handler: inEnvironment(s, s.profile),
			Summary: "Finds a trusted-token profile.",
		},
		{
			Method: http.MethodPatch, Pattern: oneProfile, Handler: inEnvironment(s, s.updateProfile),
			Summary: "Changes what is given of a trusted-token profile; its key type never changes.",
		},
		{
			Method: http.MethodDelete, Pattern: oneProfile, Handler: inEnvironment(s, s.deleteProfile),
			Summary: "Deletes a trusted-token profile, whose tokens are refused from then on.",
		},
		{
			Method: http.MethodGet, Pattern: oneProfile + "/key_set", Handler: inEnvironment(s, s.keySet),
			Summary: "Says how the keys of a profile's issuer are, without asking the issuer; this server's addition to the contract.",
		},
		{
			Method: http.MethodPost, Pattern: oneProfile + "/explain", Handler: inEnvironment(s, s.explain),
			Summary: "Says step by step how a profile judges a token, or claims, and whom it would sign in; changes nothing. This server's addition to the contract.",
		},
		{
			Method: http.MethodPost, Pattern: oneProfile + "/test", Handler: inEnvironment(s, s.testProfile),
			Summary: "Runs a profile's own tests; this server's addition to the contract.",
		},
		{
			Method: http.MethodPost, Pattern: oneProfile + "/replay", Handler: inEnvironment(s, s.replay),
			Summary: "Says which outcomes of a profile's kept verdicts a change of the profile would change; this server's addition to the contract.",
		},
		{
			Method: http.MethodPost, Pattern: profileKeys, Handler: inEnvironment(s, s.addPEMFile),
			Summary: "Adds a public key to a profile of type PEM.",
		},
		{
			Method: http.MethodGet, Pattern: profileKeys + "/{pem_file_id}", Handler: inEnvironment(s, s.pemFile),
			Summary: "Finds a public key of a profile.",
		},
		{
			Method: http.MethodDelete, Pattern: profileKeys + "/{pem_file_id}", Handler: inEnvironment(s, s.deletePEMFile),
			Summary: "Deletes a public key of a profile, which keeps at least one.",
		},

		{
			Method: http.MethodGet, Pattern: signingKeys, Handler: inEnvironment(s, s.listSigningKeys),
			Summary: "Lists an environment's own signing keys, oldest first; this server's addition to the contract.",
		},
		{
			Method: http.MethodPost, Pattern: signingKeys + "/rotate", Handler: inEnvironment(s, s.rotateSigningKeys),
			Summary: "Makes the next signing key, which is published before it signs; this server's addition to the contract.",
		},

		{
			Method: http.MethodGet, Pattern: rbacPolicy, Handler: inEnvironment(s, s.policy),
			Summary: "Answers the environment's policy as it is defined.",
		},
		{
			Method: http.MethodPut, Pattern: rbacPolicy, Handler: inEnvironment(s, s.setPolicy),
			Summary: "Replaces the environment's policy, at most 1 MiB, but for default roles that are left out; who had a role that is gone has it no more.",
		},
		{
			Method: http.MethodGet, Pattern: jwtTemplate, Handler: inEnvironment(s, s.template),
			Summary: "Answers a JWT template, the empty object if none was ever set.",
		},
		{
			Method: http.MethodPut, Pattern: jwtTemplate, Handler: inEnvironment(s, s.setTemplate),
			Summary: "Replaces a JWT template: a JSON object of at most 8192 bytes with placeholders like {{ user.trusted_metadata.plan }} in the place of values.",
		},
		{
			Method: http.MethodGet, Pattern: consumerSDK, Handler: inEnvironment(s, s.consumerSDKConfig),
			Summary: "Answers what the browser and mobile libraries of a consumer project may do.",
		},
		{
			Method: http.MethodPut, Pattern: consumerSDK, Handler: inEnvironment(s, s.setConsumerSDKConfig),
			Summary: "Changes the blocks that are given of a consumer project's SDK configuration; within a block, what is not given is off.",
		},
		{
			Method: http.MethodGet, Pattern: b2bSDK, Handler: inEnvironment(s, s.b2bSDKConfig),
			Summary: "Answers what the browser and mobile libraries of a B2B project may do.",
		},
		{
			Method: http.MethodPut, Pattern: b2bSDK, Handler: inEnvironment(s, s.setB2BSDKConfig),
			Summary: "Changes the blocks that are given of a B2B project's SDK configuration; within a block, what is not given is off.",
		},

		{
			Method: http.MethodPost, Pattern: redirectURLs, Handler: inEnvironment(s, s.createRedirectURL),
			Summary: "Adds a redirect URL, or types to one that is there; at most 100 in an environment.",
		},
		{
			Method: http.MethodGet, Pattern: redirectURLs + "/all", Handler: inEnvironment(s, s.listRedirectURLs),
			Summary: "Lists redirect URLs, oldest first.",
		},
		{
			Method: http.MethodGet, Pattern: redirectURLs, Handler: inEnvironment(s, s.redirectURL), Query: []api.QueryParameter{redirectURLQuery},
			Summary: "Finds a redirect URL by its exact text.",
		},
		{
			Method: http.MethodPut, Pattern: redirectURLs, Handler: inEnvironment(s, s.updateRedirectURL), Query: []api.QueryParameter{redirectURLQuery},
			Summary: "Replaces what a redirect URL is for.",
		},
		{
			Method: http.MethodDelete, Pattern: redirectURLs, Handler: inEnvironment(s, s.deleteRedirectURL),
			Query: []api.QueryParameter{
				redirectURLQuery,
				{Name: "do_not_promote_defaults", Description: "true if what it was the default of shall have none."},
			},
			Summary: "Removes a redirect URL.",
		},

		{
			Method: http.MethodGet, Pattern: environment + "/events", Handler: inEnvironment(s, s.events),
			Query: []api.QueryParameter{
				{Name: "limit", Description: "How many at most, from 1 to 1000; 100 if absent."},
				{Name: "cursor", Description: "The next_cursor of the page before."},
			},
			Summary: "Lists audit events, newest first; this server's addition to the contract.",
		},

		{
			Method: http.MethodGet, Pattern: verdicts, Handler: inEnvironment(s, s.listVerdicts), Query: verdictQuery,
			Summary: "Lists the verdicts on subject tokens, newest first; this server's addition to the contract.",
		},
		{
			Method: http.MethodGet, Pattern: verdicts + "/{request_id}", Handler: inEnvironment(s, s.verdict),
			Summary: "Finds the verdict on the token that a request brought, with every step; this server's addition to the contract.",
		},
		{
			Method: http.MethodPost, Pattern: revocations, Handler: inEnvironment(s, s.revoke),
			Summary: "Ends sessions by session, user, profile, issuer's key or moment, on every node by the next request; this server's addition to the contract.",
		},
		{
			Method: http.MethodGet, Pattern: revocations, Handler: inEnvironment(s, s.listRevocations),
			Summary: "Lists the revocations that stand, oldest first; this server's addition to the contract.",
		},

		{
			Method: http.MethodPost, Pattern: eventStreams, Handler: inEnvironment(s, s.createEventStream),
			Summary: "Makes the one stream of the environment's audit events to a Datadog or a Grafana Loki, disabled; no later answer will show its secret but that of a change.",
		},
		{
			Method: http.MethodGet, Pattern: eventStream, Handler: inEnvironment(s, s.eventStream),
			Summary: "Finds a stream of audit events, without its secret.",
		},
		{
			Method: http.MethodPut, Pattern: eventStream, Handler: inEnvironment(s, s.updateEventStream),
			Summary: "Replaces the destination of a stream of audit events, which goes on where it was.",
		},
		{
			Method: http.MethodDelete, Pattern: eventStream, Handler: inEnvironment(s, s.deleteEventStream),
			Summary: "Deletes a stream of audit events.",
		},
		{
			Method: http.MethodPost, Pattern: eventStream + "/enable", Handler: inEnvironment(s, s.enableEventStream),
			Summary: "Begins to send the audit events that come from now on.",
		},
		{
			Method: http.MethodPost, Pattern: eventStream + "/disable", Handler: inEnvironment(s, s.disableEventStream),
			Summary: "Stops sending audit events; those that come meanwhile are never sent.",
		},

		{
			Method: http.MethodPost, Pattern: links, Handler: api.Call(s.Authenticate, s.createOperatorLink),
			Summary: "Makes a link that signs an operator in on the dashboard, once and within 15 minutes; this server's addition to the contract.",
		},
	}
}

// inEnvironment finds the environment that the path names and puts it on the
// caller.
func inEnvironment[B any, A interface{ Envelop(string, int) }](s *Surface, fn api.Endpoint[B, A]) api.Handler {
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
