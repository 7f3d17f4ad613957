package store

import (
	"context"

	"github.com/countersign-auth/countersign"
)

// environmentColumns are of an environment e and its project p.
const environmentColumns = `
	e.environment_id, e.project_slug, e.environment_slug, e.name, e.type, e.oauth_callback_id,
	e.settings, e.session_token_key, e.created_at, e.revision, p.name, p.vertical`

const environmentSelect = `SELECT ` + environmentColumns + `
	FROM environments e JOIN projects p ON p.project_slug = e.project_slug`

func environmentDest(e *countersign.Environment) []any {
	return []any{
		&e.ID, &e.ProjectSlug, &e.Slug, &e.Name, &e.Type, &e.OAuthCallbackID,
		jsonColumn{&e.Settings},
		&e.SessionTokenKey, (*micros)(&e.CreatedAt), &e.Revision, &e.ProjectName, &e.Vertical,
	}
}

func scanEnvironment(row scanner) (e countersign.Environment, err error) {
	err = row.Scan(environmentDest(&e)...)
	return e, err
}

// Environments are a project's, oldest first.
func (tx *Tx) Environments(ctx context.Context, project string) ([]countersign.Environment, error) {
	return all(ctx, tx.q, scanEnvironment, environmentSelect+` WHERE e.project_slug = $1 ORDER BY e.created_at, e.environment_slug`, project)
}

// AllEnvironments are those of every project.
func (tx *Tx) AllEnvironments(ctx context.Context) ([]countersign.Environment, error) {
	return all(ctx, tx.q, scanEnvironment, environmentSelect+` ORDER BY e.environment_id`)
}

// EnvironmentBySlug finds an environment by its names on the management plane;
// ErrNotFound if there is none.
func (tx *Tx) EnvironmentBySlug(ctx context.Context, project, slug string) (countersign.Environment, error) {
	return one(tx.q.QueryRowContext(ctx, environmentSelect+` WHERE e.project_slug = $1 AND e.environment_slug = $2`, project, slug), scanEnvironment)
}

// Environment finds an environment; ErrNotFound if there is none of that ID.
func (tx *Tx) Environment(ctx context.Context, id countersign.EnvironmentID) (countersign.Environment, error) {
	return one(tx.q.QueryRowContext(ctx, environmentSelect+` WHERE e.environment_id = $1`, id), scanEnvironment)
}

// InsertEnvironment stores a new environment.
func (tx *Tx) InsertEnvironment(ctx context.Context, e countersign.Environment) error {
	_, err := tx.exec(ctx, `
		INSERT INTO environments (environment_id, project_slug, environment_slug, name, type, oauth_callback_id,
		                          settings, session_token_key, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.ID, e.ProjectSlug, e.Slug, e.Name, string(e.Type), e.OAuthCallbackID,
		jsonColumn{e.Settings}, e.SessionTokenKey, micros(e.CreatedAt))
	return err
}

// UpdateEnvironment stores the name and the settings, and moves the revision.
func (tx *Tx) UpdateEnvironment(ctx context.Context, id countersign.EnvironmentID, name string, settings countersign.EnvironmentSettings) error {
	return tx.execOne(ctx, `UPDATE environments SET name = $2, settings = $3, revision = revision + 1 WHERE environment_id = $1`, id, name, jsonColumn{settings})
}

// DeleteEnvironment makes an environment, its credentials, profiles, keys and
// event streams vanish at once. Its people and sessions can be reached by nobody any more;
// PurgeDeparted removes their rows.
func (tx *Tx) DeleteEnvironment(ctx context.Context, id countersign.EnvironmentID) error {
	for _, table := range []string{"secrets", "public_tokens", "pem_files", "profiles", "key_sets", "signing_keys", "configurations", "event_streams", "provisionings"} {
		if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE environment_id = $1`, id); err != nil {
			return err
		}
	}
	if err := tx.execOne(ctx, `DELETE FROM environments WHERE environment_id = $1`, id); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO departed_environments (environment_id, departed_at) VALUES ($1, $2)`, id, micros(tx.Now))
	return err
}
