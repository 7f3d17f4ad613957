package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// errPostgresURL is a URL that cannot be read. It may hold a password, so no
// error repeats it.
var errPostgresURL = errors.New("the --database URL is not one that PostgreSQL understands; expected postgres://user:password@host:5432/name?sslmode=verify-full")

// readPostgres opens a pool whose transactions cannot write.
func readPostgres(database string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return nil, errPostgresURL
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(2)
	return db, nil
}

// PostgresServer is how a PostgreSQL server is set up, as far as it matters here.
type PostgresServer struct {
	Version           int    // as in server_version_num: 150004 is 15.4
	VersionText       string // "15.4"
	SynchronousCommit string
	Fsync             string
	FullPageWrites    string
	Encoding          string // of the database
	MaxConnections    int    // for all databases, without those that are kept for superusers
	Connections       int    // that there are, if this role may know of others'
	Standby           bool   // it takes no writes
	MayWrite          bool   // the role may write to countersign's tables
	Now               time.Time
}

// ConnectionsOfOne is how many connections one process takes from a PostgreSQL
// server at most.
const ConnectionsOfOne = postgresConns

// PostgresServer asks the server how it is set up. Now is its clock's.
func (r *Reader) PostgresServer(ctx context.Context) (s PostgresServer, err error) {
	err = r.db.QueryRowContext(ctx, `
		SELECT current_setting('server_version_num')::int, current_setting('server_version'),
			current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
			current_setting('server_encoding'),
			current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
			(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' OR backend_type IS NULL),
			pg_is_in_recovery(),
			NOT EXISTS (SELECT 1 FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
				AND NOT (has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))),
			clock_timestamp()`).
		Scan(&s.Version, &s.VersionText, &s.SynchronousCommit, &s.Fsync, &s.FullPageWrites, &s.Encoding,
			&s.MaxConnections, &s.Connections, &s.Standby, &s.MayWrite, &s.Now)
	return s, err
}
