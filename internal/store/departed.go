package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
)

// departedTables hold the rows that an environment leaves behind, with a column
// that names a row, or a few.
var departedTables = [...]struct{ table, id string }{
	{"sessions", "session_id"},
	{"user_identifiers", "identifier_id"},
	{"users", "user_id"},
	{"person_links", "user_id"},
	{"organizations", "organization_id"},
	{"departed_organizations", "organization_id"},
	{"verdicts", "request_id"},
	{"verdict_gaps", "minute"},
	{"verdict_hours", "hour"},
}

// PurgeDeparted removes at most limit rows of each table that belong to
// environments deleted before a moment, and says how many it removed. The audit
// trail stays.
func (s *Store) PurgeDeparted(ctx context.Context, before time.Time, limit int) (int64, error) {
	departed, err := all(ctx, s.viewer, func(row scanner) (id countersign.EnvironmentID, err error) { return id, row.Scan(&id) },
		`SELECT environment_id FROM departed_environments WHERE departed_at < $1`, micros(before))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, env := range departed {
		var left int64
		for _, t := range departedTables {
			n, err := s.keep(ctx, `
				DELETE FROM `+t.table+` WHERE environment_id = $1 AND `+t.id+` IN (
					SELECT `+t.id+` FROM `+t.table+` WHERE environment_id = $1 LIMIT $2)`, env, limit)
			if err != nil {
				return total, err
			}
			left += n
		}
		if total += left; left > 0 {
			continue
		}
		if _, err := s.keep(ctx, `DELETE FROM departed_environments WHERE environment_id = $1`, env); err != nil {
			return total, err
		}
	}
	return total, nil
}

// PurgeDepartedMembers removes at most limit members of each organization that was
// deleted before a moment, with all that is theirs, and says how many it removed.
func (s *Store) PurgeDepartedMembers(ctx context.Context, before time.Time, limit int) (int64, error) {
	departed, err := all(ctx, s.viewer, func(row scanner) (t countersign.Tenant, err error) {
		return t, row.Scan(&t.EnvironmentID, &t.OrganizationID)
	}, `SELECT environment_id, organization_id FROM departed_organizations WHERE departed_at < $1`, micros(before))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, t := range departed {
		ids, err := all(ctx, s.viewer, scanPersonID, `
			SELECT user_id FROM users WHERE environment_id = $1 AND organization_id = $2 AND organization_id <> '' LIMIT $3`,
			t.EnvironmentID, tenantColumn(t), limit)
		if err != nil {
			return total, err
		}
		if len(ids) == 0 {
			if _, err := s.keep(ctx, `DELETE FROM departed_organizations WHERE environment_id = $1 AND organization_id = $2`, t.EnvironmentID, tenantColumn(t)); err != nil {
				return total, err
			}
			continue
		}
		total += int64(len(ids))
		if err := s.purgeMembers(ctx, t, ids); err != nil {
			return total, err
		}
	}
	return total, nil
}

// purgeMembers removes what is somebody's before it removes them, so that nothing is
// left of those who are gone.
func (s *Store) purgeMembers(ctx context.Context, t countersign.Tenant, ids []countersign.PersonID) error {
	_, err := among(ids, func(in string, args []any) (none []struct{}, err error) {
		_, err = s.keep(ctx, fmt.Sprintf(`DELETE FROM user_identifiers WHERE environment_id = $1 AND organization_id = $%d AND user_id IN %s`, len(args)+2, in),
			slices.Concat([]any{t.EnvironmentID}, args, []any{tenantColumn(t)})...)
		return none, err
	})
	if err != nil {
		return err
	}
	for _, of := range []string{
		`sessions WHERE environment_id = $1 AND subject_id IN `,
		`person_links WHERE environment_id = $1 AND user_id IN `,
		`users WHERE environment_id = $1 AND user_id IN `,
	} {
		_, err := among(ids, func(in string, args []any) (none []struct{}, err error) {
			_, err = s.keep(ctx, `DELETE FROM `+of+in, append([]any{t.EnvironmentID}, args...)...)
			return none, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
