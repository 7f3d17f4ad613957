package sdk_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stytchauth/stytch-management-go/v3/pkg/api"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/publictokens"

	"github.com/countersign-auth/countersign/test/sdk/go/stand"
)

var verticals = []projects.Vertical{projects.VerticalConsumer, projects.VerticalB2B}

func TestWorkspaceKeyAsBasicAndBearer(t *testing.T) {
	t.Parallel()
	s := stand.FromEnviron()
	for name, client := range map[string]*api.API{
		"basic":                       manage(),
		"bearer":                      api.NewAccessTokenClient(s.KeyID+":"+s.KeySecret, api.WithBaseURI(s.URL)),
		"a base URL that ends with /": api.NewClient(s.KeyID, s.KeySecret, api.WithBaseURI(s.URL+"/")),
	} {
		answer, err := client.Projects.GetAll(t.Context(), projects.GetAllRequest{})
		if err != nil || answer.StatusCode != http.StatusOK || answer.RequestID == "" {
			t.Errorf("%s: list projects = %+v, %v, want an answer with its envelope", name, answer, err)
		}
	}
	for name, client := range map[string]*api.API{
		"a wrong secret": api.NewClient(s.KeyID, "not-"+s.KeySecret, api.WithBaseURI(s.URL)),
		"a wrong ID":     api.NewClient("nobody", s.KeySecret, api.WithBaseURI(s.URL)),
		"a wrong bearer": api.NewAccessTokenClient("nonsense", api.WithBaseURI(s.URL)),
	} {
		_, err := client.Projects.GetAll(t.Context(), projects.GetAllRequest{})
		wantRefusal(t, name, err, refusal{401, "unauthorized_credentials"})
	}
}

func TestProjectIsReadAsItWasCreated(t *testing.T) {
	t.Parallel()
	for _, vertical := range verticals {
		created := newProject(t, vertical)
		if created.Name != "Suite" || created.Vertical != vertical || created.CreatedAt.IsZero() {
			t.Errorf("created %+v", created)
		}
		if created.ProjectSlug == "" || strings.Contains(created.ProjectSlug, ".") {
			t.Errorf("the generated slug is %q", created.ProjectSlug)
		}
		got, err := manage().Projects.Get(t.Context(), projects.GetRequest{ProjectSlug: created.ProjectSlug})
		if err != nil || got.Project != created { // created_at included
			t.Errorf("get = %+v, %v, want %+v", got, err, created)
		}
		all, err := manage().Projects.GetAll(t.Context(), projects.GetAllRequest{})
		if err != nil || !slices.Contains(all.Projects, created) {
			t.Errorf("list has no %+v: %v", created, err)
		}
	}
}

func TestProjectSlugIsKept(t *testing.T) {
	t.Parallel()
	slug := "Suite_slug-" + person()["sub"].(string)
	created, err := manage().Projects.Create(t.Context(), projects.CreateRequest{Name: "Suite", Vertical: projects.VerticalB2B, ProjectSlug: &slug})
	if err != nil || created.Project.ProjectSlug != slug {
		t.Fatalf("create with slug %q = %+v, %v", slug, created, err)
	}
	_, err = manage().Projects.Create(t.Context(), projects.CreateRequest{Name: "Suite", Vertical: projects.VerticalB2B, ProjectSlug: &slug})
	wantRefusal(t, "the same slug again", err, refusal{400, "project_slug_already_used"})
	if _, err := manage().Projects.Delete(t.Context(), projects.DeleteRequest{ProjectSlug: slug}); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestProjectNamesNeedNotDiffer(t *testing.T) {
	t.Parallel()
	one, two := newProject(t, projects.VerticalConsumer), newProject(t, projects.VerticalConsumer)
	if one.Name != two.Name || one.ProjectSlug == two.ProjectSlug {
		t.Errorf("two projects of one name: %+v and %+v, want two slugs", one, two)
	}
}

func TestProjectBeginsWithoutEnvironments(t *testing.T) {
	t.Parallel()
	project := newProject(t, projects.VerticalConsumer)
	list := func() []environments.Environment {
		all, err := manage().Environments.GetAll(t.Context(), environments.GetAllRequest{ProjectSlug: project.ProjectSlug})
		if err != nil {
			t.Fatal(err)
		}
		return all.Environments
	}
	if got := list(); len(got) != 0 {
		t.Errorf("a new project has %d environments, want none", len(got))
	}
	for _, kind := range environments.EnvironmentTypes() {
		request := environments.CreateRequest{ProjectSlug: project.ProjectSlug, Name: "Suite", Type: kind}
		if _, err := manage().Environments.Create(t.Context(), request); err != nil {
			t.Fatalf("create the %s environment: %v", kind, err)
		}
	}
	if got := list(); len(got) != 2 {
		t.Errorf("the project has %d environments, want exactly the two that were made", len(got))
	}
}

func TestProjectRename(t *testing.T) {
	t.Parallel()
	project := newProject(t, projects.VerticalB2B)
	want := project
	want.Name = "Renamed"
	updated, err := manage().Projects.Update(t.Context(), projects.UpdateRequest{ProjectSlug: project.ProjectSlug, Name: &want.Name})
	if err != nil || updated.Project != want {
		t.Errorf("rename = %+v, %v, want %+v", updated, err, want)
	}
	unchanged, err := manage().Projects.Update(t.Context(), projects.UpdateRequest{ProjectSlug: project.ProjectSlug})
	if err != nil || unchanged.Project != want {
		t.Errorf("an update that says nothing = %+v, %v, want %+v", unchanged, err, want)
	}
}

func TestProjectDeleteTakesEverythingWithIt(t *testing.T) {
	t.Parallel()
	e := newEnvironmentOf(t, projects.VerticalConsumer, environments.EnvironmentTypeLive)
	client := e.client()
	e.profile(e.profileRequest(newIssuer(t, rs256)))
	if _, err := manage().PublicTokens.Create(t.Context(), publictokens.CreateRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug}); err != nil {
		t.Fatal(err)
	}
	answer, err := manage().Projects.Delete(t.Context(), projects.DeleteRequest{ProjectSlug: e.ProjectSlug})
	if err != nil || answer.StatusCode != http.StatusOK || answer.RequestID == "" {
		t.Fatalf("delete a project with all that is in one = %+v, %v", answer, err)
	}
	_, err = manage().Environments.Get(t.Context(), environments.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	wantRefusal(t, "its environment", err, refusal{404, "project_not_found"})
	_, err = client.Users.Create(t.Context(), newUserParams())
	wantRefusal(t, "its secret", err, refusal{401, "unauthorized_credentials"})
}

// What does not exist is 404 with a type that says "not_found", and the client
// reads the status from the body.
func TestProjectThatDoesNotExist(t *testing.T) {
	t.Parallel()
	want := refusal{404, "project_not_found"}
	_, err := manage().Projects.Get(t.Context(), projects.GetRequest{ProjectSlug: "nonexistent"})
	wantRefusal(t, "get", err, want)
	_, err = manage().Projects.Update(t.Context(), projects.UpdateRequest{ProjectSlug: "nonexistent", Name: ptr("x")})
	wantRefusal(t, "update", err, want)
	_, err = manage().Projects.Delete(t.Context(), projects.DeleteRequest{ProjectSlug: "nonexistent"})
	wantRefusal(t, "delete", err, want)
	_, err = manage().Environments.GetAll(t.Context(), environments.GetAllRequest{ProjectSlug: "nonexistent"})
	wantRefusal(t, "list environments", err, want)
	_, err = manage().Environments.Create(t.Context(), environments.CreateRequest{ProjectSlug: "nonexistent", Name: "x", Type: environments.EnvironmentTypeTest})
	wantRefusal(t, "create an environment", err, want)
}

func TestProjectNameIsChecked(t *testing.T) {
	t.Parallel()
	_, err := manage().Projects.Create(t.Context(), projects.CreateRequest{Vertical: projects.VerticalB2B})
	wantRefusal(t, "no name", err, refusal{400, "invalid_project_name"})
}

// The client itself refuses empty names in paths; nothing reaches the server.
func TestEmptyNamesStayWithTheClient(t *testing.T) {
	t.Parallel()
	_, err := manage().Projects.Get(t.Context(), projects.GetRequest{})
	if err == nil || !strings.Contains(err.Error(), "cannot be empty") {
		t.Errorf("get without a slug = %v", err)
	}
}
