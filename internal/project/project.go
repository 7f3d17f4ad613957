package project

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// NewProject is what a project begins with. An empty slug is made from the name.
type NewProject struct {
	Name     string
	Slug     string
	Vertical countersign.Vertical
}

// CreateProject makes a project without environments. Errors:
// ErrInvalidProjectName, ErrInvalidProjectSlug, ErrInvalidArgument for another
// vertical, ErrProjectSlugTaken, ErrTooManyProjects.
func (s *Service) CreateProject(ctx context.Context, actor countersign.Actor, n NewProject) (countersign.Project, error) {
	if err := checkName(n.Name); err != nil {
		return countersign.Project{}, err
	}
	if n.Vertical != countersign.Consumer && n.Vertical != countersign.B2B {
		return countersign.Project{}, countersign.ErrInvalidArgument.Saying("vertical must be CONSUMER or B2B.")
	}
	if n.Slug == "" {
		n.Slug = newSlug(n.Name)
	}
	if err := checkSlug(n.Slug); err != nil {
		return countersign.Project{}, err
	}
	var p countersign.Project
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		p = countersign.Project{Slug: n.Slug, Name: n.Name, Vertical: n.Vertical, CreatedAt: tx.Now}
		have, err := tx.CountProjects(ctx)
		if err := atMost(maxProjects, have, err, countersign.ErrTooManyProjects); err != nil {
			return err
		}
		switch _, err := tx.Project(ctx, p.Slug); {
		case err == nil:
			return countersign.ErrProjectSlugTaken
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		if err := tx.InsertProject(ctx, p); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "project.created", p.Slug, change(nil, p))
	})
	return p, err
}

// Projects are all projects, oldest first.
func (s *Service) Projects(ctx context.Context) ([]countersign.Project, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.Project, error) { return tx.Projects(ctx) })
}

// Project finds a project; ErrProjectNotFound.
func (s *Service) Project(ctx context.Context, slug string) (countersign.Project, error) {
	return view(ctx, s.Store, countersign.ErrProjectNotFound, func(tx *store.Tx) (countersign.Project, error) { return tx.Project(ctx, slug) })
}

// RenameProject changes the name, if one is given. Errors: ErrProjectNotFound,
// ErrInvalidProjectName.
func (s *Service) RenameProject(ctx context.Context, actor countersign.Actor, slug string, name *string) (p countersign.Project, err error) {
	if name == nil {
		return s.Project(ctx, slug)
	}
	if err := checkName(*name); err != nil {
		return p, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := tx.Project(ctx, slug)
		if err != nil {
			return err
		}
		p = before
		p.Name = *name
		if err := tx.RenameProject(ctx, slug, *name); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "project.updated", slug, change(before, p))
	})
	return p, or(err, countersign.ErrProjectNotFound)
}

// DeleteProject makes a project and all that is in it vanish; ErrProjectNotFound.
func (s *Service) DeleteProject(ctx context.Context, actor countersign.Actor, slug string) error {
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		environments, err := tx.Environments(ctx, slug)
		if err != nil {
			return err
		}
		for _, e := range environments {
			if err := tx.DeleteEnvironment(ctx, e.ID); err != nil {
				return err
			}
		}
		if err := tx.DeleteProject(ctx, slug); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "project.deleted", slug, nil)
	})
	return or(err, countersign.ErrProjectNotFound)
}
