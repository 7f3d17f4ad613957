package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/server"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
)

// backupCommand copies a SQLite database beside the server that serves it.
type backupCommand struct {
	jsonFlag
	File       string `arg:"" placeholder:"FILE" help:"Where the copy goes: a file that is not there yet."`
	WithKeyset bool   `help:"Also copy the keyset, to FILE.keyset.json. Whoever has both can sign sessions."`
	Quiet      bool   `short:"q" help:"Tell nothing of the progress."`
	databaseFlags
}

// Help teaches the command.
func (backupCommand) Help() string {
	return `Copies a SQLite database, as it is at one moment, while the server goes on serving it. The copy is read again before it
gets its name: its structure, its indexes, and as many rows in each table as the database had. Nothing is ever overwritten.

    countersign backup /backups/countersign-2026-01-05.db --database countersign.db
    countersign backup copy.db --with-keyset --json

The keyset is not in the database, and without it the private keys in the copy are lost. Back it up as well, once: apart
from the copies, or with --with-keyset beside them, and then guard the two as you guard the server itself.

To restore: stop the server, move the old database away together with its -wal and -shm files, put the copy in its place
and the keyset where serve looks for it, and start. What a restored server does not know any more is told in
docs/operate.md. Of PostgreSQL, pg_dump makes the backups.`
}

// backupMade is the answer of backup.
type backupMade struct {
	File       string           `json:"file"`
	Bytes      int64            `json:"bytes"`
	Database   string           `json:"database"`
	TakenAt    time.Time        `json:"taken_at"` // changes that were acknowledged before are in it
	Seconds    float64          `json:"seconds"`
	Schema     int64            `json:"schema_version"`
	Rows       map[string]int64 `json:"rows"`
	KeysetFile *string          `json:"keyset_file"` // null if it was not asked for
}

// Run copies, checks, and only then gives the copy its name.
func (c *backupCommand) Run(ctx context.Context, a *app) error {
	config, err := c.config(a)
	if err != nil {
		return err
	}
	if store.IsPostgres(config.Database) {
		return usage("backup copies SQLite files; this database is PostgreSQL's", "pg_dump --format=custom --file="+c.File+" makes the backup; docs/operate.md says how it is restored")
	}
	if err := c.checkPaths(config.Database); err != nil {
		return err
	}
	var keyset []byte
	if c.WithKeyset {
		if keyset, err = readKeyset(config); err != nil {
			return err
		}
	}
	began := a.now()
	made := backupMade{File: c.File, Database: config.Database, TakenAt: began.UTC().Truncate(time.Second), Rows: map[string]int64{}}
	if err := c.make(ctx, a, &made, keyset); err != nil {
		return err
	}
	made.Seconds = a.now().Sub(began).Round(time.Millisecond).Seconds()
	if !c.WithKeyset {
		a.remark("The keyset is not in it. Back up %s too, once and apart from the copies; without it the private keys in them are lost.", printable(keysetName(config)))
	}
	raw, err := countersign.EncodeJSON(made)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, m backupMade) {
		t.field("backup", m.File+", "+size(m.Bytes))
		t.field("of", m.Database)
		t.field("taken_at", m.TakenAt.Format(time.RFC3339))
		t.field("schema", fmt.Sprint(m.Schema))
		for _, table := range []string{"projects", "environments", "users", "sessions", "events"} {
			t.field(table, fmt.Sprint(m.Rows[table]))
		}
		if m.KeysetFile != nil {
			t.field("keyset", *m.KeysetFile+"  (guard it)")
		}
		t.field("checked", "structure, indexes, rows of every table")
	})
}

// checkPaths refuses what cannot be copied, or would be overwritten, before
// anything is done.
func (c *backupCommand) checkPaths(database string) error {
	switch info, err := os.Stat(database); {
	case errors.Is(err, fs.ErrNotExist):
		return failed("there is no database "+database, "name it with --database or COUNTERSIGN_DATABASE, as for countersign serve")
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return failed(database+" is not a file", "name the database file with --database")
	}
	targets := []string{c.File}
	if c.WithKeyset {
		targets = append(targets, c.keysetFile())
	}
	for _, target := range targets {
		if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
			return overwrites(target)
		}
	}
	if info, err := os.Stat(filepath.Dir(c.File)); err != nil || !info.IsDir() {
		return failed("there is no folder for "+c.File, "make the folder first, or choose another")
	}
	return nil
}

func overwrites(target string) error {
	return failed(target+" exists and is never overwritten", "choose another name, or move that file away")
}

func (c *backupCommand) keysetFile() string { return c.File + ".keyset.json" }

// make writes a file beside the name, and gives it the name when it is good.
func (c *backupCommand) make(ctx context.Context, a *app, made *backupMade, keyset []byte) (err error) {
	dir := filepath.Dir(c.File)
	partial, err := os.CreateTemp(dir, "."+filepath.Base(c.File)+"-*.partial") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.Remove(partial.Name()); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}()
	if err := partial.Close(); err != nil {
		return err
	}
	b := &pageBar{a: a, quiet: c.Quiet, drawing: isTerminal(a.stderr) && a.value("TERM") != "dumb", shown: a.now()}
	backup, err := store.BackUp(ctx, made.Database, partial.Name(), b.show)
	b.end()
	switch {
	case errors.Is(err, store.ErrNoSchema):
		return failed(made.Database+" is not a database of countersign's", "name it with --database or COUNTERSIGN_DATABASE, as for countersign serve")
	case store.NotDatabase(err):
		return advise(err, "countersign doctor --database %s says what is wrong", made.Database)
	case err != nil:
		return err
	}
	made.Bytes, made.Schema = backup.Bytes, backup.Schema
	for _, t := range backup.Rows {
		made.Rows[t.Table] = t.Rows
	}
	if keyset != nil {
		if err := c.addKeyset(ctx, partial.Name(), keyset); err != nil {
			return err
		}
		name := c.keysetFile()
		made.KeysetFile = &name
		defer func() {
			if err != nil {
				err = errors.Join(err, os.Remove(name))
			}
		}()
	}
	if err := give(partial.Name(), c.File); err != nil {
		return err
	}
	return syncDir(dir)
}

// addKeyset copies the keyset, if it is the one that opens the copy.
func (c *backupCommand) addKeyset(ctx context.Context, partial string, text []byte) error {
	keyset, err := signing.ParseKeyset(text)
	if err != nil {
		return err
	}
	word, err := store.CopiedFact(ctx, partial, signing.KeysetFact)
	if err != nil {
		return err
	}
	if err := keyset.CheckWord(word); err != nil {
		return advise(err, "name the right one with --keyset; nothing was kept")
	}
	return newFile{c.keysetFile(), 0o600, text}.write()
}

// give names a finished file, and never takes the name from another. A link does
// both at once; where the file system has none, the look before leaves an instant.
func give(partial, name string) error {
	err := os.Link(partial, name)
	if errors.Is(err, fs.ErrExist) {
		return overwrites(name)
	}
	if err == nil {
		return nil // the partial name is removed by who made it
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return overwrites(name)
	}
	return os.Rename(partial, name)
}

// syncDir makes the names in a folder durable, where folders can be synced.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system and file system has it
	return d.Close()
}

// keysetName is where the keyset is, for a person to read.
func keysetName(config server.Config) string {
	if config.Keyset != "" {
		return "what COUNTERSIGN_KEYSET holds"
	}
	path, err := config.KeysetPath()
	if err != nil {
		return "the keyset"
	}
	return path
}

// readKeyset is the text of the keyset that a server of that configuration uses.
func readKeyset(config server.Config) ([]byte, error) {
	if config.Keyset != "" {
		return []byte(config.Keyset.Reveal()), nil
	}
	path, err := config.KeysetPath()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failed("there is no keyset "+path, "name it with --keyset, as for countersign serve")
	}
	return text, err
}

// size is a number of bytes for a person to read.
func size(n int64) string {
	const units = "KMGT"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/1024, 0
	for ; value >= 1024 && unit < len(units)-1; unit++ {
		value /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

// pageBar tells how far a copy is: as progress does, of pages.
type pageBar struct {
	a       *app
	quiet   bool
	drawing bool
	drawn   bool
	shown   time.Time
}

func (b *pageBar) show(done, total int) {
	now := b.a.now()
	every := lineEvery
	if b.drawing {
		every = barEvery
	}
	if b.quiet || total == 0 || now.Sub(b.shown) < every {
		return
	}
	b.shown = now
	percent := done * 100 / total
	if !b.drawing {
		b.a.remark("%d%% copied", percent)
		return
	}
	full := percent * barWidth / 100
	b.drawn = true
	_, _ = fmt.Fprintf(b.a.stderr, "\r\x1b[K[%s%s] %d%% copied", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), percent)
}

func (b *pageBar) end() {
	if b.drawn {
		_, _ = fmt.Fprint(b.a.stderr, "\r\x1b[K")
	}
}
