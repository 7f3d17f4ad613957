package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
)

type createProjectRequest struct {
	Name        string  `json:"name" openapi:"required"`
	Vertical    string  `json:"vertical" openapi:"required,enum=CONSUMER|B2B"`
	ProjectSlug *string `json:"project_slug"`
}

type projectAnswer struct {
	wire.Envelope
	Project wire.Project `json:"project"`
}

type projectsAnswer struct {
	wire.Envelope
	Projects []wire.Project `json:"projects"`
}

func (s *Surface) createProject(ctx context.Context, r *api.Request[createProjectRequest]) (*projectAnswer, error) {
	p, err := s.Projects.CreateProject(ctx, r.Caller.Actor, project.NewProject{
		Name: r.Body.Name, Slug: text(r.Body.ProjectSlug), Vertical: countersign.Vertical(r.Body.Vertical),
	})
	return &projectAnswer{Project: wire.NewProject(p)}, err
}

func (s *Surface) listProjects(ctx context.Context, _ *api.Request[api.None]) (*projectsAnswer, error) {
	list, err := s.Projects.Projects(ctx)
	return &projectsAnswer{Projects: wire.NewProjects(list)}, err
}

func (s *Surface) project(ctx context.Context, r *api.Request[api.None]) (*projectAnswer, error) {
	p, err := s.Projects.Project(ctx, r.Path("project_slug"))
	return &projectAnswer{Project: wire.NewProject(p)}, err
}

type updateProjectRequest struct {
	Name *string `json:"name"`
}

func (s *Surface) updateProject(ctx context.Context, r *api.Request[updateProjectRequest]) (*projectAnswer, error) {
	p, err := s.Projects.RenameProject(ctx, r.Caller.Actor, r.Path("project_slug"), r.Body.Name)
	return &projectAnswer{Project: wire.NewProject(p)}, err
}

func (s *Surface) deleteProject(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Projects.DeleteProject(ctx, r.Caller.Actor, r.Path("project_slug"))
}
