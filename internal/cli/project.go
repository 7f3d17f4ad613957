package cli

import (
	"context"
	"strings"
)

type projectCommand struct {
	Create projectCreate `cmd:"" help:"Create a project."`
	List   projectList   `cmd:"" help:"List the projects."`
	Get    projectGet    `cmd:"" help:"Show one project."`
	Update projectUpdate `cmd:"" help:"Rename a project."`
	Delete projectDelete `cmd:"" help:"Delete a project and everything in it."`
}

// project is the wire's project (management.md §2).
type project struct {
	Slug      string `json:"project_slug"`
	Name      string `json:"name"`
	Vertical  string `json:"vertical"`
	CreatedAt string `json:"created_at"`
}

type projectAnswer struct {
	Project project `json:"project"`
}

func (v projectAnswer) write(t *text) {
	t.field("project_slug", v.Project.Slug)
	t.field("name", v.Project.Name)
	t.field("vertical", v.Project.Vertical)
	t.field("created", t.when(v.Project.CreatedAt))
}

func projectsPath(more ...string) []string {
	return append([]string{"pwa", "v3", "projects"}, more...)
}

type projectCreate struct {
	jsonFlag
	Name     string `required:"" placeholder:"TEXT" help:"A name for people; need not be unique."`
	Slug     string `placeholder:"SLUG" help:"A name for paths and variables, never changed later; made from the name if not given."`
	Vertical string `default:"CONSUMER" placeholder:"VERTICAL" enum:"CONSUMER,B2B" help:"CONSUMER (the default) signs in users, B2B members of organizations. Never changed later."`
	workspaceFlags
}

// Help teaches the command.
func (projectCreate) Help() string {
	return `A project is one product of yours. It starts empty: make an environment in it next.

    countersign project create --name Acme --slug acme
    countersign environment create --project acme --name Test` + needsWorkspaceKey
}

// Run creates.
func (c *projectCreate) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, projectsPath(), struct {
		Name     string `json:"name"`
		Slug     string `json:"project_slug,omitempty"`
		Vertical string `json:"vertical"`
	}{c.Name, c.Slug, c.Vertical})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v projectAnswer) { v.write(t) })
}

type projectList struct {
	jsonFlag
	workspaceFlags
}

// Help teaches the command.
func (projectList) Help() string {
	return `For example:

    countersign project list --json` + needsWorkspaceKey
}

// Run lists.
func (c *projectList) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, projectsPath())
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ Projects []project }) {
		var rows [][]string
		for _, p := range v.Projects {
			rows = append(rows, []string{p.Slug, p.Name, p.Vertical, p.CreatedAt})
		}
		t.table("projects", strings.Fields("PROJECT_SLUG NAME VERTICAL CREATED"), rows)
	})
}

// projectArg names the project that a command is about. It is an argument, not
// a variable: nothing is deleted that was not named.
type projectArg struct {
	Slug string `arg:"" name:"project" help:"The project's slug."`
}

type projectGet struct {
	jsonFlag
	projectArg
	workspaceFlags
}

// Help teaches the command.
func (projectGet) Help() string {
	return `For example:

    countersign project get acme` + needsWorkspaceKey
}

// Run gets.
func (c *projectGet) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, projectsPath(c.Slug))
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v projectAnswer) { v.write(t) })
}

type projectUpdate struct {
	jsonFlag
	projectArg
	Name string `required:"" placeholder:"TEXT" help:"The new name."`
	workspaceFlags
}

// Help teaches the command.
func (projectUpdate) Help() string {
	return `Only the name of a project can change; slug and vertical stay.

    countersign project update acme --name "Acme Inc."` + needsWorkspaceKey
}

// Run updates.
func (c *projectUpdate) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.patch(ctx, projectsPath(c.Slug), map[string]string{"name": c.Name})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v projectAnswer) { v.write(t) })
}

type projectDelete struct {
	jsonFlag
	confirmFlag
	projectArg
	workspaceFlags
}

// Help teaches the command.
func (projectDelete) Help() string {
	return `Deletes the project with all its environments, the live one too: their people, sessions, profiles and secrets.
It cannot be undone, so it asks first; in a script, add --yes.

    countersign project delete acme` + needsWorkspaceKey
}

// Run deletes.
func (c *projectDelete) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: projectsPath(c.Slug), what: "project " + c.Slug,
		question: "Delete project " + c.Slug + " with all its environments, people and sessions?",
		yes:      c.Yes, json: c.JSON,
	})
}
