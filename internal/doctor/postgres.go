package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/countersign-auth/countersign/internal/store"
)

const (
	// oldestPostgres is the oldest version that its makers still mend.
	oldestPostgres  = 14
	testedPostgres  = 15
	postgresVersion = 10000 // of server_version_num, to a major version
)

// postgres looks at the server, and reports whether it answers.
func (x *examination) postgres(ctx context.Context) bool {
	asked := x.Now()
	s, err := x.reader.PostgresServer(ctx)
	if err != nil {
		x.fault("server", "PostgreSQL does not answer: "+err.Error()+".", "A server cannot reach it either: it would not start, and one that runs answers 503.",
			"Look whether PostgreSQL runs, and at address, name, user and sslmode of the URL.")
		return false
	}
	x.version(s)
	x.durability(s)
	x.rights(s)
	x.connections(s)
	if skew := s.Now.Sub(asked); skew.Abs() > clockTolerance+x.Now().Sub(asked) {
		x.warn("clock", fmt.Sprintf("PostgreSQL's clock and this machine's differ by %s.", skew.Abs().Round(time.Second)), "Servers on several machines judge times by their own clocks: tokens are then refused on one node and not on another.",
			"Keep the clocks of all machines by NTP (timedatectl says whether they are).")
	}
	return true
}

func (x *examination) version(s store.PostgresServer) {
	switch major := s.Version / postgresVersion; {
	case major < oldestPostgres:
		x.warn("version", "PostgreSQL is "+s.VersionText+".", "Its makers no longer mend it, and countersign is not tested with it.", fmt.Sprintf("Upgrade it; countersign is tested with %d.", testedPostgres))
	default:
		x.ok("version", "PostgreSQL is %s.", s.VersionText)
	}
	if s.Encoding != "UTF8" {
		x.fault("version", "The database's encoding is "+s.Encoding+".", "Names and addresses that it cannot write are refused with an error of ours.", "Make a database with ENCODING 'UTF8' and restore a pg_dump into it.")
	}
}

func (x *examination) durability(s store.PostgresServer) {
	fine := true
	if s.SynchronousCommit == "off" {
		fine = false
		x.fault("durability", "synchronous_commit is off.", "The database would acknowledge before it has written, and lose sessions and revocations in a crash; a server refuses to start.", "ALTER DATABASE … SET synchronous_commit = on")
	}
	if s.Fsync == "off" {
		fine = false
		x.fault("durability", "fsync is off.", "A crash of the machine damages the database.", "Set fsync = on in postgresql.conf. If the machine has crashed meanwhile, restore a backup.")
	}
	if s.FullPageWrites == "off" {
		fine = false
		x.warn("durability", "full_page_writes is off.", "On most file systems a crash of the machine can then damage pages that were half written.", "Set full_page_writes = on, unless the file system writes whole pages or none, as ZFS does.")
	}
	if fine {
		x.ok("durability", "What is acknowledged is written: synchronous_commit is %s, fsync on.", s.SynchronousCommit)
	}
}

func (x *examination) rights(s store.PostgresServer) {
	if s.Standby {
		x.fault("rights", "This PostgreSQL is a standby.", "It takes no writes: a server does not start on it.", "Give the URL of the primary, or one with target_session_attrs=read-write.")
	}
	if !s.MayWrite {
		x.fault("rights", "This role may not write to all tables.", "A server with this role answers errors.", "Use the role that owns the tables, or GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public; migrations need the owner.")
	}
}

func (x *examination) connections(s store.PostgresServer) {
	const why = "A server that gets no connection answers 503."
	switch free := s.MaxConnections - s.Connections; {
	case s.MaxConnections < store.ConnectionsOfOne:
		x.warn("connections", fmt.Sprintf("PostgreSQL takes %d connections; one server process opens up to %d.", s.MaxConnections, store.ConnectionsOfOne), why, "Raise max_connections, or put a pooler in session mode between.")
	case free < s.MaxConnections/10:
		x.warn("connections", fmt.Sprintf("%d of %d connections are taken.", s.Connections, s.MaxConnections), why, fmt.Sprintf("Raise max_connections, to %d for each server process and what others need.", store.ConnectionsOfOne))
	default:
		x.ok("connections", "%d of %d are taken; one server process opens up to %d.", s.Connections, s.MaxConnections, store.ConnectionsOfOne)
	}
}
