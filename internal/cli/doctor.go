package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/doctor"
	"github.com/countersign-auth/countersign/internal/store"
)

// doctorCommand examines a database.
type doctorCommand struct {
	jsonFlag
	Data string `placeholder:"DIR" help:"The folder of a SQLite database: countersign.db in it, or the only file whose name ends in .db."`
	Full bool   `help:"Also hold every index against its table and count all rows; of a large database that takes minutes."`
	databaseFlags
}

// Help teaches the command.
func (doctorCommand) Help() string {
	return `Looks at a database, its keyset and its surroundings, and says of each trouble what it is, why it matters and what to do.
It changes nothing, and may run beside the server. The exit code is 1 if there is an error, 0 with warnings only.

    countersign doctor --database countersign.db
    countersign doctor --data /var/lib/countersign --full
    countersign doctor --database postgres://countersign@db/countersign --json

Run it as the user, with the settings and on the machine of the server: whether this user may read and write, what time this
machine shows and how much room it has are part of the answer.`
}

// diagnosis is the answer of doctor.
type diagnosis struct {
	Database string           `json:"database"` // of a URL, without a password
	Full     bool             `json:"full"`
	Errors   int              `json:"errors"`
	Warnings int              `json:"warnings"`
	Findings []doctor.Finding `json:"findings"`
}

// Run examines.
func (c *doctorCommand) Run(ctx context.Context, a *app) error {
	if c.Data != "" && c.Database != "" {
		return usage("--data and --database name two databases", "give one of them")
	}
	if c.Data != "" {
		var err error
		if c.Database, err = databaseIn(c.Data); err != nil {
			return err
		}
	}
	config, err := c.config(a)
	if err != nil {
		return err
	}
	examined := doctor.Config{Database: config.Database, Keyset: config.Keyset, Full: c.Full, Now: a.now}
	if config.Keyset == "" {
		if examined.KeysetFile, err = config.KeysetPath(); err != nil {
			return err
		}
	}
	d := diagnosis{Database: withoutPassword(config.Database), Full: c.Full}
	if d.Findings, err = doctor.Examine(ctx, examined); err != nil {
		return err
	}
	for _, f := range d.Findings {
		switch f.Severity {
		case doctor.Error:
			d.Errors++
		case doctor.Warning:
			d.Warnings++
		case doctor.OK:
		}
	}
	raw, err := countersign.EncodeJSON(d)
	if err != nil {
		return err
	}
	if err := show(a, c.JSON, raw, func(t *text, d diagnosis) { d.write(t) }); err != nil {
		return err
	}
	if d.Errors > 0 {
		return failed(fmt.Sprintf("%s is not well: %d errors, %d warnings", d.Database, d.Errors, d.Warnings), "")
	}
	return nil
}

func (d diagnosis) write(t *text) {
	for _, f := range d.Findings {
		colour, mark := "\x1b[32m", "ok   "
		switch f.Severity {
		case doctor.Error:
			colour, mark = "\x1b[31m", "error"
		case doctor.Warning:
			colour, mark = "\x1b[33m", "warn "
		case doctor.OK:
		}
		t.marked(colour, mark, f.Check+": "+f.What)
		for _, part := range []struct{ name, value string }{{"why", f.Why}, {"do", f.Do}} {
			if part.value != "" {
				t.line("        %-3s  %s", part.name, part.value)
			}
		}
	}
	if d.Errors+d.Warnings == 0 {
		t.note("%s is well.", d.Database)
	} else if d.Errors == 0 {
		t.note("%s is well enough: %d warnings.", d.Database, d.Warnings)
	}
}

// databaseIn is the database in a folder.
func databaseIn(dir string) (string, error) {
	const hint = "name the database with --database"
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", failed("there is no folder "+dir, hint)
	}
	usual := filepath.Join(dir, "countersign.db")
	if _, err := os.Stat(usual); err == nil {
		return usual, nil
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.db"))
	switch {
	case err != nil:
		return "", err
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", usage(dir+" has several databases: "+strings.Join(found, ", "), hint)
	default:
		return "", failed("there is no database in "+dir, hint)
	}
}

// withoutPassword is a --database setting that may be shown.
func withoutPassword(database string) string {
	if !store.IsPostgres(database) {
		return database
	}
	u, err := url.Parse(database)
	if err != nil {
		return "the PostgreSQL database"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return shown.String()
}
