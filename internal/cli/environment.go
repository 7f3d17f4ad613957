package cli

import (
	"context"
	"strconv"
	"strings"
)

type environmentCommand struct {
	Create  environmentCreate  `cmd:"" help:"Create an environment."`
	List    environmentList    `cmd:"" help:"List the environments of a project."`
	Get     environmentGet     `cmd:"" help:"Show one environment with its project ID and settings."`
	Update  environmentUpdate  `cmd:"" help:"Change an environment's name or settings."`
	Delete  environmentDelete  `cmd:"" help:"Delete a TEST environment and everything in it."`
	Metrics environmentMetrics `cmd:"" help:"Count the people of an environment."`
}

type environmentCreate struct {
	jsonFlag
	Name string `required:"" placeholder:"TEXT" help:"A name for people; need not be unique."`
	Type string `default:"TEST" placeholder:"TYPE" enum:"LIVE,TEST" help:"TEST (the default) or LIVE; a project has one LIVE environment."`
	Slug string `placeholder:"SLUG" help:"A name for paths and variables, unique in the project, never changed later; made up if not given."`
	environmentSettings
	projectFlags
}

// Help teaches the command.
func (environmentCreate) Help() string {
	return `An environment is a closed world of people, profiles, secrets and sessions. Its project_id is what your backend calls
the API with, together with a secret.

    countersign environment create --project acme --name Test --slug test
    countersign secret create --project acme --environment test` + needsProject
}

// Run creates.
func (c *environmentCreate) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "environments")
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, path, struct {
		Name string `json:"name"`
		Type string `json:"type"`
		Slug string `json:"environment_slug,omitempty"`
		environmentSettings
	}{c.Name, c.Type, c.Slug, c.environmentSettings})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v environmentAnswer) { v.write(t) })
}

type environmentList struct {
	jsonFlag
	projectFlags
}

// Help teaches the command.
func (environmentList) Help() string {
	return `For example:

    countersign environment list --project acme` + needsProject
}

// Run lists.
func (c *environmentList) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "environments")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ Environments []environment }) {
		var rows [][]string
		for _, e := range v.Environments {
			rows = append(rows, []string{e.Slug, e.ProjectID, e.Type, e.Name, e.CreatedAt})
		}
		t.table("environments", strings.Fields("ENVIRONMENT_SLUG PROJECT_ID TYPE NAME CREATED"), rows)
	})
}

// environmentArg names the environment that a command is about.
type environmentArg struct {
	Slug string `arg:"" name:"environment" help:"The environment's slug."`
}

type environmentGet struct {
	jsonFlag
	environmentArg
	projectFlags
}

// Help teaches the command.
func (environmentGet) Help() string {
	return `The text form shows what matters to this server; --json shows every setting.

    countersign environment get test --project acme` + needsProject
}

// Run gets.
func (c *environmentGet) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "environments", c.Slug)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v environmentAnswer) { v.write(t) })
}

type environmentDelete struct {
	jsonFlag
	confirmFlag
	environmentArg
	projectFlags
}

// Help teaches the command.
func (environmentDelete) Help() string {
	return `Deletes a TEST environment with its people, sessions, profiles and secrets; the LIVE one goes with its project.
It cannot be undone, so it asks first; in a script, add --yes.

    countersign environment delete test --project acme` + needsProject
}

// Run deletes.
func (c *environmentDelete) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "environments", c.Slug)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: path, what: "environment " + c.Slug,
		question: "Delete environment " + c.Slug + " of project " + c.Project + " with all its people and sessions?",
		yes:      c.Yes, json: c.JSON,
	})
}

type environmentMetrics struct {
	jsonFlag
	environmentArg
	projectFlags
}

// Help teaches the command.
func (environmentMetrics) Help() string {
	return `For example:

    countersign environment metrics test --project acme` + needsProject
}

// Run counts.
func (c *environmentMetrics) Run(ctx context.Context, a *app) error {
	api, path, err := c.open(a, "environments", c.Slug, "metrics")
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	type metrics struct {
		Users         int `json:"user_count"`
		Organizations int `json:"organization_count"`
		Members       int `json:"member_count"`
		M2MClients    int `json:"m2m_client_count"`
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ Metrics metrics }) {
		t.field("users", strconv.Itoa(v.Metrics.Users))
		t.field("organizations", strconv.Itoa(v.Metrics.Organizations))
		t.field("members", strconv.Itoa(v.Metrics.Members))
		t.field("m2m clients", strconv.Itoa(v.Metrics.M2MClients))
	})
}
