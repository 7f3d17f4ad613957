package store

import (
	"context"

	"github.com/countersign-auth/countersign"
)

const projectColumns = `project_slug, name, vertical, created_at`

func scanProject(row scanner) (p countersign.Project, err error) {
	err = row.Scan(&p.Slug, &p.Name, &p.Vertical, (*micros)(&p.CreatedAt))
	return p, err
}

// Projects are all projects, oldest first.
func (tx *Tx) Projects(ctx context.Context) ([]countersign.Project, error) {
	return all(ctx, tx.q, scanProject, `SELECT `+projectColumns+` FROM projects ORDER BY created_at, project_slug`)
}

// CountProjects is how many projects there are.
func (tx *Tx) CountProjects(ctx context.Context) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM projects`)
}

// Project finds a project; ErrNotFound if there is none of that slug.
func (tx *Tx) Project(ctx context.Context, slug string) (countersign.Project, error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT `+projectColumns+` FROM projects WHERE project_slug = $1`, slug), scanProject)
}

// InsertProject stores a new project.
func (tx *Tx) InsertProject(ctx context.Context, p countersign.Project) error {
	_, err := tx.exec(ctx, `INSERT INTO projects (`+projectColumns+`) VALUES ($1, $2, $3, $4)`,
		p.Slug, p.Name, string(p.Vertical), micros(p.CreatedAt))
	return err
}

// RenameProject changes the name, and moves the revisions of the project's
// environments, which show it; ErrNotFound if there is none of that slug.
func (tx *Tx) RenameProject(ctx context.Context, slug, name string) error {
	if err := tx.execOne(ctx, `UPDATE projects SET name = $2 WHERE project_slug = $1`, slug, name); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `UPDATE environments SET revision = revision + 1 WHERE project_slug = $1`, slug)
	return err
}

// DeleteProject removes a project that has no environments left.
func (tx *Tx) DeleteProject(ctx context.Context, slug string) error {
	return tx.execOne(ctx, `DELETE FROM projects WHERE project_slug = $1`, slug)
}
