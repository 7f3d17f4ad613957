package store

import (
	"context"
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
