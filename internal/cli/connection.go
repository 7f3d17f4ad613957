package cli

import (
	"net/url"
	"strings"
)

// serverFlags say where the server is.
type serverFlags struct {
	URL string `name:"url" env:"COUNTERSIGN_URL" default:"http://127.0.0.1:8080" placeholder:"URL" group:"connection" help:"Where the server is; default http://127.0.0.1:8080."`
}

// apiFlags are the settings of a command that calls /v1 as a backend does.
type apiFlags struct {
	serverFlags
	ProjectID  string `name:"project-id" env:"COUNTERSIGN_PROJECT_ID" placeholder:"ID" group:"connection" help:"The environment's project ID, project-test-… or project-live-…."`
	SecretFile string `name:"secret-file" placeholder:"FILE" group:"connection" help:"File with a secret of that environment; otherwise COUNTERSIGN_SECRET holds it or COUNTERSIGN_SECRET_FILE names the file."`
}

// connect is a client with the credentials of an environment.
func (f *apiFlags) connect(a *app) (*client, error) {
	if f.ProjectID == "" {
		return nil, usage("no project ID", "set COUNTERSIGN_PROJECT_ID or give --project-id; countersign environment list shows it")
	}
	secret, err := a.secret("COUNTERSIGN_SECRET", f.SecretFile)
	if err != nil {
		return nil, err
	}
	if secret == "" {
		return nil, usage("no secret", "set COUNTERSIGN_SECRET or COUNTERSIGN_SECRET_FILE, or give --secret-file; countersign secret create makes one")
	}
	base, err := baseURL(f.URL)
	if err != nil {
		return nil, err
	}
	return newClient(apiPlane, base, f.ProjectID, secret), nil
}

// workspaceFlags are the settings of a command that calls /pwa/v3.
type workspaceFlags struct {
	serverFlags
	WorkspaceKeyID         string `name:"workspace-key-id" env:"COUNTERSIGN_WORKSPACE_KEY_ID" placeholder:"ID" group:"connection" help:"ID of a workspace key."`
	WorkspaceKeySecretFile string `name:"workspace-key-secret-file" placeholder:"FILE" group:"connection" help:"File with the key's secret; otherwise COUNTERSIGN_WORKSPACE_KEY_SECRET holds it or COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE names the file."`
}

// connect is a client with the credentials of the workspace.
func (f *workspaceFlags) connect(a *app) (*client, error) {
	const origin = "; the first start of countersign serve prints a workspace key"
	if f.WorkspaceKeyID == "" {
		return nil, usage("no workspace key ID", "set COUNTERSIGN_WORKSPACE_KEY_ID or give --workspace-key-id"+origin)
	}
	secret, err := a.secret("COUNTERSIGN_WORKSPACE_KEY_SECRET", f.WorkspaceKeySecretFile)
	if err != nil {
		return nil, err
	}
	if secret == "" {
		return nil, usage("no workspace key secret", "set COUNTERSIGN_WORKSPACE_KEY_SECRET or COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE, or give --workspace-key-secret-file"+origin)
	}
	base, err := baseURL(f.URL)
	if err != nil {
		return nil, err
	}
	return newClient(managementPlane, base, f.WorkspaceKeyID, secret), nil
}

// projectFlags add the project that a command works in.
type projectFlags struct {
	workspaceFlags
	Project string `env:"COUNTERSIGN_PROJECT" placeholder:"SLUG" help:"The project's slug."`
}

// path is the path of the project (management.md: P), with more behind it.
func (f *projectFlags) path(more ...string) ([]string, error) {
	if f.Project == "" {
		return nil, usage("no project", "give --project or set COUNTERSIGN_PROJECT; countersign project list shows which there are")
	}
	return append([]string{"pwa", "v3", "projects", f.Project}, more...), nil
}

// environmentFlags add the environment that a command works in.
type environmentFlags struct {
	projectFlags
	Environment string `env:"COUNTERSIGN_ENVIRONMENT" placeholder:"SLUG" help:"The environment's slug."`
}

// path is the path of the environment (management.md: E), with more behind it.
func (f *environmentFlags) path(more ...string) ([]string, error) {
	if f.Environment == "" {
		return nil, usage("no environment", "give --environment or set COUNTERSIGN_ENVIRONMENT; countersign environment list shows which there are")
	}
	return f.projectFlags.path(append([]string{"environments", f.Environment}, more...)...)
}

// open is a client of the workspace and the path of the project.
func (f *projectFlags) open(a *app, more ...string) (*client, []string, error) {
	path, err := f.path(more...)
	if err != nil {
		return nil, nil, err
	}
	c, err := f.connect(a)
	return c, path, err
}

// open is a client of the workspace and the path of the environment.
func (f *environmentFlags) open(a *app, more ...string) (*client, []string, error) {
	path, err := f.path(more...)
	if err != nil {
		return nil, nil, err
	}
	c, err := f.connect(a)
	return c, path, err
}

// baseURL checks the server's address and takes the slash off its end. The
// address may not carry a password: it would be shown in messages.
func baseURL(text string) (string, error) {
	const hint = "set COUNTERSIGN_URL or give --url, for example http://127.0.0.1:8080"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", usage("the server's URL cannot be read", hint)
	case u.User != nil:
		return "", usage("the server's URL may not hold a user name or password", hint)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return "", usage("the server's URL "+text+" is not an http or https address", hint)
	}
	return strings.TrimRight(u.String(), "/"), nil
}
