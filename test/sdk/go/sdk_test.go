package sdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"
	backend "github.com/stytchauth/stytch-go/v18/stytch/stytcherror"
	"github.com/stytchauth/stytch-management-go/v3/pkg/api"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/secrets"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/trustedtokenprofiles"
	management "github.com/stytchauth/stytch-management-go/v3/pkg/stytcherror"

	"github.com/countersign-auth/countersign/test/sdk/go/stand"
)

func TestMain(m *testing.M) { os.Exit(stand.Main(m.Run)) }

// manage is the management client, with the workspace key.
func manage() *api.API {
	s := stand.FromEnviron()
	return api.NewClient(s.KeyID, s.KeySecret, api.WithBaseURI(s.URL))
}

// newProject makes a project that goes when the test ends.
func newProject(t *testing.T, vertical projects.Vertical) projects.Project {
	t.Helper()
	created, err := manage().Projects.Create(t.Context(), projects.CreateRequest{Name: "Suite", Vertical: vertical})
	if err != nil {
		t.Fatalf("create a project: %v", err)
	}
	t.Cleanup(func() {
		request := projects.DeleteRequest{ProjectSlug: created.Project.ProjectSlug}
		if _, err := manage().Projects.Delete(context.WithoutCancel(t.Context()), request); err != nil && !isNotFound(err) {
			t.Errorf("delete the project: %v", err)
		}
	})
	return created.Project
}

// environment is an environment of a project of its own.
type environment struct {
	environments.Environment
	t *testing.T
}

// newEnvironment makes a consumer project's TEST environment.
func newEnvironment(t *testing.T) *environment {
	t.Helper()
	return newEnvironmentOf(t, projects.VerticalConsumer, environments.EnvironmentTypeTest)
}

func newEnvironmentOf(t *testing.T, vertical projects.Vertical, kind environments.EnvironmentType) *environment {
	t.Helper()
	created, err := manage().Environments.Create(t.Context(), environments.CreateRequest{
		ProjectSlug: newProject(t, vertical).ProjectSlug, Name: "Suite", Type: kind,
	})
	if err != nil {
		t.Fatalf("create an environment: %v", err)
	}
	return &environment{Environment: created.Environment, t: t}
}

// secret makes a secret.
func (e *environment) secret() secrets.Secret {
	e.t.Helper()
	created, err := manage().Secrets.Create(e.t.Context(), secrets.CreateRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		e.t.Fatalf("create a secret: %v", err)
	}
	return created.Secret
}

// client is the backend client, with a secret of its own.
func (e *environment) client() *stytchapi.API {
	e.t.Helper()
	return newClient(e.t, e.ProjectID, e.secret().Secret)
}

// newClient is the backend client with nothing but the base URL changed.
func newClient(t *testing.T, projectID, secret string) *stytchapi.API {
	t.Helper()
	client, err := stytchapi.NewClient(projectID, secret,
		stytchapi.WithBaseURI(stand.FromEnviron().URL), stytchapi.WithInitializationContext(t.Context()))
	if err != nil {
		t.Fatalf("make a backend client: %v", err)
	}
	return client
}

// profileRequest asks for a profile of an issuer that provisions and maps what
// issuer.token says.
func (e *environment) profileRequest(i *issuer) trustedtokenprofiles.CreateRequest {
	return trustedtokenprofiles.CreateRequest{
		ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, Name: "issuer", Issuer: i.URL, Audience: audience,
		PublicKeyType: trustedtokenprofiles.PublicKeyTypeJwk, JWKSURL: ptr(i.URL + keySetPath), CanJITProvision: true,
		AttributeMapping: &map[string]any{"email": "email", "token_id": "jti", "external_user_id": "sub"},
	}
}

// profile makes a profile and gives its ID.
func (e *environment) profile(request trustedtokenprofiles.CreateRequest) string {
	e.t.Helper()
	created, err := manage().TrustedTokenProfiles.Create(e.t.Context(), request)
	if err != nil {
		e.t.Fatalf("create a profile: %v", err)
	}
	return created.Profile.ProfileID
}

// raw calls the management API without a client, for what is this server's own
// or what the client cannot say. The answer must be a success.
func raw(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	s := stand.FromEnviron()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(s.KeyID, s.KeySecret)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d: %s", method, path, answer.StatusCode, content)
	}
	return object
}

// refusal is what a client branches on.
type refusal struct {
	status int
	kind   string
}

// wantRefusal checks an error of either client: its status, its type, and that
// the rest of the error object came across.
func wantRefusal(t *testing.T, what string, err error, want refusal) {
	t.Helper()
	var (
		got                    refusal
		requestID, message, at string
	)
	if b, ok := errors.AsType[backend.Error](err); ok {
		got = refusal{b.StatusCode, string(b.ErrorType)}
		requestID, message, at = b.RequestID, string(b.ErrorMessage), string(b.ErrorURL)
	} else if m, ok := errors.AsType[management.Error](err); ok { // this client reads the status from the body alone
		got = refusal{m.StatusCode, string(m.ErrorType)}
		requestID, message, at = m.RequestID, string(m.ErrorMessage), string(m.ErrorURL)
	} else {
		t.Errorf("%s = %v, want an error of the contract: %v", what, err, want)
		return
	}
	if got != want {
		t.Errorf("%s = %v (%s), want %v", what, got, message, want)
	}
	if !strings.HasPrefix(requestID, "request-id-") || message == "" || !strings.HasSuffix(at, "#"+got.kind) {
		t.Errorf("%s: the error object has request_id %q, error_message %q, error_url %q", what, requestID, message, at)
	}
}

func isNotFound(err error) bool {
	m, ok := errors.AsType[management.Error](err)
	return ok && m.StatusCode == http.StatusNotFound
}

func ptr[T any](v T) *T { return &v }
