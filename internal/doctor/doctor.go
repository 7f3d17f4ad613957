// Package doctor looks at a database and what lies around it, and says what is
// wrong, why that matters and what to do. It reads beside the server that serves
// the database, and changes nothing. What a server does it knows only from the
// packages that do it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
)

// Severity is how much a finding matters.
type Severity string

// The severities.
const (
	OK      Severity = "ok"
	Warning Severity = "warning" // a server works, and should not be left like this
	Error   Severity = "error"   // a server does not start, or does wrong, or loses something
)

// Finding is what one look has shown.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Why      string   `json:"why,omitempty"` // it matters; "" if all is well
	Do       string   `json:"do,omitempty"`  // what to do; "" if nothing need be
}

// Config says what to look at.
type Config struct {
	// Database is the path of a SQLite file or a postgres:// URL. Required.
	Database string
	// Keyset is the keyset itself; it wins over KeysetFile.
	Keyset countersign.Bearer
	// KeysetFile is where the keyset is. Required without Keyset.
	KeysetFile string
	// Full also holds indexes against tables, and counts.
	Full bool
	// Now is the clock. Required.
	Now func() time.Time
}

// examination is one visit.
type examination struct {
	Config
	reader   *store.Reader
	keyset   *signing.Keyset // nil if it is not the right one
	findings []Finding
}

// Examine looks at everything that can be looked at, in the order in which one
// trouble explains the next. Its error is ctx's.
func Examine(ctx context.Context, c Config) ([]Finding, error) {
	x := &examination{Config: c}
	if store.IsPostgres(c.Database) || x.files() {
		x.database(ctx)
	}
	return x.findings, ctx.Err()
}

func (x *examination) ok(check, format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: check, Severity: OK, What: fmt.Sprintf(format, args...)})
}

func (x *examination) warn(check, what, why, do string) {
	x.findings = append(x.findings, Finding{check, Warning, what, why, do})
}

func (x *examination) fault(check, what, why, do string) {
	x.findings = append(x.findings, Finding{check, Error, what, why, do})
}

// database looks inside.
func (x *examination) database(ctx context.Context) {
	var err error
	if x.reader, err = store.OpenReader(store.Config{Database: x.Database, Now: x.Now}); err != nil {
		x.fault("database", err.Error(), "A server cannot open it either.", "Correct the --database setting.")
		return
	}
	defer func() { _ = x.reader.Close() }()
	if store.IsPostgres(x.Database) && !x.postgres(ctx) {
		return
	}
	usable := x.schema(ctx)
	if !store.IsPostgres(x.Database) && !x.structure(ctx) || !usable {
		return
	}
	x.word(ctx)
	environments, err := x.environments(ctx)
	if err != nil {
		x.unread("environments", err)
		return
	}
	x.keys(ctx, environments)
	x.streams(ctx, environments)
	x.references(ctx)
	x.events(ctx, environments)
	if x.Full {
		x.rows(ctx)
	}
}

// unread is a look that could not be had.
func (x *examination) unread(check string, err error) {
	if store.NotDatabase(err) {
		x.fault(check, "SQLite finds the file damaged: "+err.Error()+".", whyDamaged, doDamaged)
		return
	}
	x.fault(check, "This could not be read: "+err.Error()+".", "What cannot be read here, a server cannot read either.",
		"Run this as the user that the server runs as; for PostgreSQL, with the server's own URL.")
}

// schema reports whether what follows can be read.
func (x *examination) schema(ctx context.Context) (usable bool) {
	stored, err := x.reader.Schema(ctx)
	known := store.KnownSchema()
	switch {
	case errors.Is(err, store.ErrNoSchema):
		x.warn("schema", "The database has no tables of countersign's.", "Nothing is kept in it yet, or it is another program's, or not the one that was meant.",
			"If a server is to begin here, start it: it makes the tables and a keyset. Otherwise correct the --database setting.")
	case err != nil:
		x.unread("schema", err)
	case stored > known:
		x.fault("schema", fmt.Sprintf("The schema is %d; this binary knows schemas up to %d.", stored, known), "A server of this version refuses to start on it, so that it spoils nothing that it does not understand.",
			"Run a countersign that is as new as the one which last served this database, or restore a backup from before the upgrade.")
	case stored < known:
		x.warn("schema", fmt.Sprintf("The schema is %d; this binary brings it to %d.", stored, known), "The next start with this binary migrates it. Keys, streams and references are examined after that.",
			"Make a backup before you start the new version: there is no way back but a backup.")
	default:
		x.ok("schema", "The schema is %d, this binary's.", stored)
		return true
	}
	return false
}

const (
	whyDamaged = "A damaged file gives wrong answers, or none, and every further write can spoil more. Disks, file systems and copies of a file that was in use damage files; SQLite itself does not."
	doDamaged  = "Stop the server, keep the damaged file, and restore the last good backup (docs/operate.md, Backup and restore). Then look at the disk: its log and its SMART data."
)

// structure reports whether SQLite finds no fault with the file.
func (x *examination) structure(ctx context.Context) bool {
	found, err := x.reader.Damage(ctx, x.Full)
	switch {
	case err != nil:
		x.unread("structure", err)
	case len(found) > 0:
		x.fault("structure", fmt.Sprintf("SQLite finds %s, first: %s.", count(len(found), "fault"), found[0]), whyDamaged, doDamaged)
	case x.Full:
		x.ok("structure", "SQLite finds no fault: pages, rows, indexes, references.")
		return true
	default:
		x.ok("structure", "SQLite finds no fault with pages and rows; --full also holds indexes against them.")
		return true
	}
	return false
}

func (x *examination) environments(ctx context.Context) (list []countersign.Environment, err error) {
	err = x.reader.View(ctx, func(tx *store.Tx) error {
		list, err = tx.AllEnvironments(ctx)
		return err
	})
	return list, err
}

func (x *examination) references(ctx context.Context) {
	found, err := x.reader.Orphans(ctx)
	if err != nil {
		x.unread("references", err)
		return
	}
	for _, o := range found {
		x.warn("references", fmt.Sprintf("%s of %s without %s.", count(int(o.Rows), "row"), o.Table, o.Of), "Nobody can reach such a row; it takes room. A server leaves none behind, so somebody else has changed the database.",
			"Find out who writes to the database beside countersign. The rows can be deleted; make a backup first.")
	}
	if len(found) == 0 {
		x.ok("references", "Every row belongs to something that is there.")
	}
}

func (x *examination) rows(ctx context.Context) {
	tables, err := x.reader.Rows(ctx)
	if err != nil {
		x.unread("rows", err)
		return
	}
	var total int64
	for _, t := range tables {
		total += t.Rows
	}
	x.ok("rows", "All %d rows of %s can be read.", total, count(len(tables), "table"))
}

// clockTolerance is how far clocks may differ: what is compared across nodes is in
// whole seconds.
const clockTolerance = 2 * time.Second

// events looks for events that have not happened yet.
func (x *examination) events(ctx context.Context, environments []countersign.Environment) {
	var newest time.Time
	err := x.reader.View(ctx, func(tx *store.Tx) error {
		for _, e := range append([]countersign.Environment{{}}, environments...) { // the first is the workspace
			list, err := tx.Events(ctx, e.ID, countersign.EventID{}, 1)
			if err != nil {
				return err
			}
			if len(list) > 0 && list[0].At.After(newest) {
				newest = list[0].At
			}
		}
		return nil
	})
	if err != nil {
		x.unread("clock", err)
		return
	}
	if ahead := newest.Sub(x.Now()); ahead > clockTolerance {
		x.warn("clock", fmt.Sprintf("The newest event is of %s, %s from now.", newest.Format(time.RFC3339), ahead.Round(time.Second)), "A clock was ahead when it was written, or this machine's is behind now: tokens are then refused as not yet valid or believed too long, and sessions end at the wrong time.",
			"Keep the clocks of all servers by NTP (timedatectl says whether they are).")
		return
	}
	x.ok("clock", "No event is of the future.")
}

// count is a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}
