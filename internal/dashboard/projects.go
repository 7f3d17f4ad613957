package dashboard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
)

// home is the overview of the environment that was made first, or where one is made.
func home(d *Dashboard, r *request) (view, error) {
	list, err := d.Projects.AllEnvironments(r.Context())
	if err != nil {
		return view{}, err
	}
	if len(list) == 0 {
		return view{redirect: Root + "/projects"}, nil
	}
	first := slices.MinFunc(list, func(a, b countersign.Environment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return view{redirect: envPath(first)}, nil
}

type projectsPage struct {
	Projects []projectRow
	Find     string
	More     int // that match and are not shown
	Form     projectForm
	Problem  problem
}

type projectRow struct {
	countersign.Project
	Environments []countersign.Environment
}

type projectForm struct{ Name, Vertical, Environment, Type string }

func listProjects(d *Dashboard, r *request) (view, error) {
	return projectsView(d, r, projectForm{Vertical: string(countersign.Consumer), Environment: "Test", Type: string(countersign.TestEnvironment)}, problem{})
}

func projectsView(d *Dashboard, r *request, form projectForm, p problem) (view, error) {
	projects, err := d.Projects.Projects(r.Context())
	if err != nil {
		return view{}, err
	}
	environments, err := d.Projects.AllEnvironments(r.Context())
	if err != nil {
		return view{}, err
	}
	slices.SortFunc(environments, func(a, b countersign.Environment) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Slug, b.Slug))
	})
	data := projectsPage{Form: form, Problem: p, Find: r.query("find")}
	projects = slices.DeleteFunc(projects, func(one countersign.Project) bool {
		return !strings.Contains(strings.ToLower(one.Name+" "+one.Slug), strings.ToLower(data.Find))
	})
	if data.More = max(len(projects)-pageSize, 0); data.More > 0 {
		projects = projects[:pageSize]
	}
	byProject := map[string][]countersign.Environment{}
	for _, e := range environments {
		byProject[e.ProjectSlug] = append(byProject[e.ProjectSlug], e)
	}
	for _, one := range projects {
		data.Projects = append(data.Projects, projectRow{one, byProject[one.Slug]})
	}
	return view{
		template: "projects", title: "Projects", section: "projects", data: data, status: p.status(),
		cli: "countersign project create --name Acme && countersign environment create --project acme --name Test --type TEST",
		api: "POST /pwa/v3/projects",
	}, nil
}

// createProject makes a project with its first environment.
func createProject(d *Dashboard, r *request) (view, error) {
	form := projectForm{r.field("name"), r.field("vertical"), r.field("environment"), r.field("type")}
	p, err := d.Projects.CreateProject(r.Context(), r.actor, project.NewProject{Name: form.Name, Vertical: countersign.Vertical(form.Vertical)})
	if ours(err) {
		return projectsView(d, r, form, problemOf(err))
	}
	if err != nil {
		return view{}, err
	}
	form.Name = "" // whatever becomes of the environment, the project is there
	return makeEnvironment(d, r, p.Slug, form)
}

func createEnvironment(d *Dashboard, r *request) (view, error) {
	return makeEnvironment(d, r, r.PathValue("slug"), projectForm{Environment: r.field("environment"), Type: r.field("type")})
}

func makeEnvironment(d *Dashboard, r *request, slug string, form projectForm) (view, error) {
	e, err := d.Projects.CreateEnvironment(r.Context(), r.actor, slug, project.NewEnvironment{Name: form.Environment, Type: countersign.EnvironmentType(form.Type)})
	if ours(err) {
		return projectsView(d, r, form, problemOf(err))
	}
	if err != nil {
		return view{}, err
	}
	return view{redirect: envPath(e) + "?did=environment-made"}, nil
}

func renameProject(d *Dashboard, r *request) (view, error) {
	name := r.field("name")
	_, err := d.Projects.RenameProject(r.Context(), r.actor, r.PathValue("slug"), &name)
	if ours(err) {
		return projectsView(d, r, projectForm{}, problemOf(err))
	}
	return view{redirect: Root + "/projects?did=project-renamed"}, err
}

// deleteProject wants the slug a second time: with a project goes all that was
// ever in it.
func deleteProject(d *Dashboard, r *request) (view, error) {
	slug := r.PathValue("slug")
	if r.field("confirm") != slug {
		err := countersign.ErrBadRequest.Saying("Nothing was deleted: what was typed is not the slug, %.128s.", slug)
		return projectsView(d, r, projectForm{}, problemOf(err))
	}
	return view{redirect: Root + "/projects?did=project-deleted"}, d.Projects.DeleteProject(r.Context(), r.actor, slug)
}

// status is that of a page which shows a problem.
func (p problem) status() int {
	if p.Type == "" {
		return 0
	}
	return 400
}
