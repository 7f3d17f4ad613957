package store

import (
	"bytes"
	"context"
	"database/sql/driver"
	"time"

	"github.com/countersign-auth/countersign"
)

// tenantColumn stores the organization of a tenant, and "" where there is none. That
// is text on SQLite, as the column's default is.
type tenantColumn countersign.Tenant

// Value binds the organization to a statement.
func (t tenantColumn) Value() (driver.Value, error) {
	if t.OrganizationID.IsZero() {
		return "", nil
	}
	return t.OrganizationID.Bytes(), nil
}

func isOrganization(t countersign.Tenant) bool { return !t.OrganizationID.IsZero() }

const organizationColumns = `
	o.organization_id, o.name, o.slug, o.external_id, o.trusted_metadata, o.settings, o.custom_roles, o.created_at, o.updated_at`

// organizationReader reads organizations out of rows, of which many may be of one.
type organizationReader struct {
	row struct {
		id                        []byte
		name, slug                string
		external                  optional
		metadata, settings, roles []byte
		created, updated          micros
	}
	last   *countersign.Organization
	lastID []byte
}

// columns are where the row's organizationColumns go.
func (r *organizationReader) columns() []any {
	o := &r.row
	return []any{&o.id, &o.name, &o.slug, &o.external, &o.metadata, &o.settings, &o.roles, &o.created, &o.updated}
}

// read is the organization of the row that was scanned.
func (r *organizationReader) read() (*countersign.Organization, error) {
	if r.last != nil && bytes.Equal(r.lastID, r.row.id) {
		return r.last, nil
	}
	o := &countersign.Organization{
		Name: r.row.name, Slug: r.row.slug, ExternalID: string(r.row.external),
		CreatedAt: time.Time(r.row.created), UpdatedAt: time.Time(r.row.updated),
	}
	if err := o.ID.Scan(r.row.id); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		text []byte
		into any
	}{{r.row.metadata, &o.TrustedMetadata}, {r.row.settings, &o.Settings}, {r.row.roles, &o.CustomRoles}} {
		if part.text == nil {
			continue
		}
		if err := (jsonColumn{part.into}).Scan(part.text); err != nil {
			return nil, err
		}
	}
	r.last, r.lastID = o, r.row.id
	return o, nil
}

func scanOrganization(row scanner) (countersign.Organization, error) {
	var r organizationReader
	if err := row.Scan(r.columns()...); err != nil {
		return countersign.Organization{}, err
	}
	o, err := r.read()
	if err != nil {
		return countersign.Organization{}, err
	}
	return *o, nil
}

// Organization finds an organization; ErrNotFound if the environment has none such.
func (tx *Tx) Organization(ctx context.Context, env countersign.EnvironmentID, id countersign.OrganizationID) (countersign.Organization, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT `+organizationColumns+` FROM organizations o WHERE o.environment_id = $1 AND o.organization_id = $2`, env, id), scanOrganization)
}

// OrganizationByExternalID finds an organization by the ID that the project gave;
// ErrNotFound if there is none.
func (tx *Tx) OrganizationByExternalID(ctx context.Context, env countersign.EnvironmentID, id string) (countersign.Organization, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT `+organizationColumns+` FROM organizations o WHERE o.environment_id = $1 AND o.external_id = $2`, env, id), scanOrganization)
}

// OrganizationBySlug finds an organization by its slug; ErrNotFound if there is
// none.
func (tx *Tx) OrganizationBySlug(ctx context.Context, env countersign.EnvironmentID, slug string) (countersign.Organization, error) {
	return one(tx.q.QueryRowContext(ctx, `
		SELECT `+organizationColumns+` FROM organizations o WHERE o.environment_id = $1 AND o.slug = $2`, env, slug), scanOrganization)
}

// CountOrganizations is how many organizations an environment has.
func (tx *Tx) CountOrganizations(ctx context.Context, env countersign.EnvironmentID) (int, error) {
	return tx.count(ctx, `SELECT count(*) FROM organizations WHERE environment_id = $1`, env)
}

// InsertOrganization stores a new organization, whose slug and external ID are
// unique in the environment.
func (tx *Tx) InsertOrganization(ctx context.Context, env countersign.EnvironmentID, o countersign.Organization) error {
	_, err := tx.exec(ctx, `
		INSERT INTO organizations (environment_id, organization_id, name, name_key, slug, external_id, trusted_metadata, settings, custom_roles, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		env, o.ID, o.Name, Searchable(o.Name), o.Slug, optional(o.ExternalID),
		jsonColumn{o.TrustedMetadata}, jsonColumn{o.Settings}, jsonColumn{o.CustomRoles}, micros(o.CreatedAt), micros(o.UpdatedAt))
	return err
}

// UpdateOrganization stores everything that may change of an organization;
// ErrNotFound if the environment has none such.
func (tx *Tx) UpdateOrganization(ctx context.Context, env countersign.EnvironmentID, o countersign.Organization) error {
	return tx.execOne(ctx, `
		UPDATE organizations SET name = $3, name_key = $4, slug = $5, external_id = $6, trusted_metadata = $7, settings = $8, custom_roles = $9, updated_at = $10
		WHERE environment_id = $1 AND organization_id = $2`,
		env, o.ID, o.Name, Searchable(o.Name), o.Slug, optional(o.ExternalID),
		jsonColumn{o.TrustedMetadata}, jsonColumn{o.Settings}, jsonColumn{o.CustomRoles}, micros(o.UpdatedAt))
}

// MoveRevision says that what was derived from an environment's configuration no
// longer stands, and gives the revision that now does; ErrNotFound if there is no
// such environment.
func (tx *Tx) MoveRevision(ctx context.Context, env countersign.EnvironmentID) (revision int64, err error) {
	if err := tx.moveRevision(ctx, env); err != nil {
		return 0, err
	}
	return one(tx.q.QueryRowContext(ctx, `SELECT revision FROM environments WHERE environment_id = $1`, env),
		func(row scanner) (n int64, err error) { return n, row.Scan(&n) })
}

// DeleteOrganization removes an organization, and with it, for everybody who looks,
// all members; their rows go by and by. ErrNotFound if the environment has none
// such.
func (tx *Tx) DeleteOrganization(ctx context.Context, env countersign.EnvironmentID, id countersign.OrganizationID) error {
	if err := tx.execOne(ctx, `DELETE FROM organizations WHERE environment_id = $1 AND organization_id = $2`, env, id); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `
		INSERT INTO departed_organizations (environment_id, organization_id, departed_at) VALUES ($1, $2, $3)`, env, id, micros(tx.Now))
	return err
}
