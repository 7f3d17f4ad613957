package servertest

import (
	"net/http"
	"testing"
)

// Environment is a project's environment with a secret.
type Environment struct {
	*Server
	ProjectSlug string
	Slug        string
	ProjectID   string
	Secret      string
}

// NewEnvironment makes a consumer project with a TEST environment and a secret.
// settings join those of the environment; they may be nil.
func (s *Server) NewEnvironment(settings map[string]any) *Environment {
	s.t.Helper()
	return s.NewEnvironmentOf("CONSUMER", "TEST", settings)
}

// NewEnvironmentOf is NewEnvironment of a vertical and a type.
func (s *Server) NewEnvironmentOf(vertical, kind string, settings map[string]any) *Environment {
	s.t.Helper()
	e := &Environment{Server: s}
	e.ProjectSlug = Must(s.t, s.Manage(http.MethodPost, "/pwa/v3/projects", map[string]any{"name": "Test", "vertical": vertical})).String("project", "project_slug")
	body := map[string]any{"name": "Test", "type": kind}
	for name, value := range settings {
		body[name] = value
	}
	environment := Must(s.t, s.Manage(http.MethodPost, "/pwa/v3/projects/"+e.ProjectSlug+"/environments", body))
	e.Slug, e.ProjectID = environment.String("environment", "environment_slug"), environment.String("environment", "project_id")
	e.Secret = Must(s.t, e.Administer(http.MethodPost, "/secrets", nil)).String("secret", "secret")
	return e
}

// Administer calls the management API below the environment's path.
func (e *Environment) Administer(method, path string, body any) Answer {
	e.t.Helper()
	return e.Manage(method, "/pwa/v3/projects/"+e.ProjectSlug+"/environments/"+e.Slug+path, body)
}

// API calls the backend API with the environment's secret.
func (e *Environment) API(method, path string, body any) Answer {
	e.t.Helper()
	return e.Call(method, path, e.ProjectID, e.Secret, body)
}

// Profile makes a trusted-token profile and gives its ID. What more says wins
// over a mapping of email, jti, sub and provisioning.
func (e *Environment) Profile(issuer string, more map[string]any) string {
	e.t.Helper()
	body := map[string]any{
		"name": "issuer", "issuer": issuer, "audience": "countersign", "can_jit_provision": true,
		"attribute_mapping": map[string]any{"email": "email", "token_id": "jti", "external_user_id": "sub"},
	}
	for name, value := range more {
		body[name] = value
	}
	return Must(e.t, e.Administer(http.MethodPost, "/trusted_token_profiles", body)).String("profile", "profile_id")
}

// Must fails the test unless the answer is a success.
func Must(t testing.TB, a Answer) Answer {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("status %d: %s", a.Status, a.Text)
	}
	return a
}
