package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/countersign-auth/countersign/internal/userfile"
)

type userImport struct {
	jsonFlag
	File    string `arg:"" name:"file" placeholder:"FILE" help:"File of users, .csv or .jsonl, or - for standard input."`
	Format  string `enum:",csv,jsonl" default:"" placeholder:"FORMAT" help:"csv or jsonl; default by the end of the file's name."`
	Report  string `placeholder:"FILE" help:"Where refused lines are told; default FILE.refused.jsonl. One that is there is replaced."`
	DryRun  bool   `help:"Read and check every line, and send nothing."`
	Restart bool   `help:"Begin again, although an import of the file was interrupted."`
	Quiet   bool   `short:"q" help:"Tell no progress."`
	apiFlags
}

// Help teaches the command.
func (userImport) Help() string {
	return `Makes a user of every line. CSV begins with a row that names its columns, in any order:

    ` + strings.Join(userfile.Columns()[:6], ", ") + `,
    ` + strings.Join(userfile.Columns()[6:], ", ") + `

roles are separated by semicolons, metadata is JSON, the last three are true or false, and an empty field is not given.
JSON lines take the same members, roles as a list, or what POST /v1/users takes, with a name object:

    {"email": "ada@example.com", "name": {"first_name": "Ada"}, "roles": ["editor"], "email_verified": true}

A line that is refused harms no other: it is told in the report, by its number and the reason. A user who is there
already (the address, number or external ID is taken) is counted apart and left as they are, so the same file can be given
again. Interrupted, or at an error, it keeps FILE.countersign-import; the same command goes on from there.

    countersign user import users.csv --dry-run
    countersign user import users.csv
    pg_dump-to-jsonl | countersign user import - --format jsonl

--dry-run asks nobody, so it cannot tell which roles there are, who is there already, and which lines say the same. The
exit code is 1 if a line was refused for another reason than that the user is there.` + needsSecret
}

// Run imports.
func (c *userImport) Run(ctx context.Context, a *app) (err error) {
	src, err := c.open(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.close()) }()
	users, err := userfile.NewReader(src.r, src.format)
	if err != nil {
		return c.headerProblem(err)
	}
	i := &importer{a: a, users: users, src: src, tally: newTally(), interrupted: ctx}
	if !c.DryRun {
		if i.api, err = c.connect(a); err != nil {
			return err
		}
		if err := i.introduce(ctx, c.Quiet); err != nil {
			return err
		}
	}
	if err := c.begin(i); err != nil {
		return err
	}
	i.progress = newProgress(a, src, c.Quiet, i.tally.Lines, users.Position().Offset)
	err = i.run(ctx)
	i.progress.end()
	if err = errors.Join(err, i.report.close()); err != nil {
		return i.goOn(err)
	}
	return c.conclude(a, i)
}

// begin finds out where the file is gone on with, and opens the report.
func (c *userImport) begin(i *importer) error {
	stored, err := i.src.loadCheckpoint()
	if c.Restart {
		stored, err = nil, nil
	}
	if err != nil {
		return err
	}
	i.report = &report{path: c.reportPath(stored)}
	if err := i.report.mayReplace(i.src); err != nil {
		return err
	}
	switch {
	case c.DryRun && stored != nil && stored.Report == i.report.path:
		return usage("an import of "+c.File+" was interrupted, and "+i.report.path+" is its report", "finish that import first, or give another --report")
	case c.DryRun:
		return i.report.begin()
	case stored == nil:
		if err := i.report.begin(); err != nil {
			return err
		}
		return i.saveAt(i.users.Position())
	}
	if err := stored.fits(i.src, i.api.user, i.report.path); err != nil {
		return err
	}
	if err := i.users.Resume(i.src.file, stored.Position); err != nil {
		return err
	}
	i.tally = stored.Tally
	if !c.Quiet {
		i.a.remark("Going on behind line %d, where the import was interrupted.", stored.Position.Line)
	}
	return i.report.resume(stored.ReportSize)
}

// conclude prints the summary, and fails if a line was refused.
func (c *userImport) conclude(a *app, i *importer) error {
	if !c.DryRun {
		if err := i.src.removeCheckpoint(); err != nil {
			return err
		}
	}
	s := i.summary(c.DryRun)
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := show(a, c.JSON, raw, func(t *text, s summary) { s.write(t) }); err != nil {
		return err
	}
	if s.Refused > 0 {
		return failed(plural(s.Refused, "line was", "lines were")+" refused", "correct those that "+i.report.path+" tells of, and import the file again: who is there already is passed over")
	}
	return nil
}

// reportPath is where refused lines are told: as before, if an import is gone on
// with.
func (c *userImport) reportPath(stored *checkpoint) string {
	switch {
	case c.Report != "":
		return c.Report
	case stored != nil:
		return stored.Report
	case c.File == "-":
		return "stdin.refused.jsonl"
	default:
		return c.File + ".refused.jsonl"
	}
}

// headerProblem says what to do about a first line that names no columns.
func (c *userImport) headerProblem(err error) error {
	header, ok := errors.AsType[*userfile.HeaderError](err)
	if !ok {
		return err
	}
	hint := "the columns are " + strings.Join(userfile.Columns(), ", ")
	if header.Nearest != "" {
		hint = "did you mean " + header.Nearest + "? " + hint
	}
	return usage(c.File+": "+header.Problem, hint)
}
