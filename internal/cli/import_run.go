package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-auth/countersign/internal/userfile"
)

const (
	batchesInFlight = 4
	// graceful is how long an interrupted import waits for what is under way.
	graceful = 10 * time.Second
)

// importer brings the users of a file to the server.
type importer struct {
	a           *app
	src         *source
	users       *userfile.Reader
	api         *client // nil in a dry run
	report      *report
	progress    *progress
	tally       tally
	interrupted context.Context // a field, because batches outlive it for a while
}

// introduce makes sure of address and credentials before anything is read, and
// says where the users go.
func (i *importer) introduce(ctx context.Context, quiet bool) error {
	raw, err := i.api.get(ctx, []string{"v1", "debug", "whoami"})
	if err != nil || quiet {
		return err
	}
	var project struct{ Name string }
	if err := json.Unmarshal(raw, &project); err != nil {
		return err
	}
	i.a.remark("Importing %s into %s (%s).", i.src.name, i.api.user, printable(project.Name))
	return nil
}

// run reads, sends and acknowledges batches: a few are under way at once, but
// they are acknowledged in the order of the file, so that the checkpoint is one
// position. When the context ends, nothing more is read, and what is under way
// has a while to finish; the error is then the context's.
func (i *importer) run(ctx context.Context) error {
	sending, stop := outlive(ctx, graceful)
	defer stop()
	group, sending := errgroup.WithContext(sending)
	// One more batch is in the hands of whoever acknowledges.
	underWay := make(chan *batch, batchesInFlight-1)
	whole := false
	group.Go(func() error {
		defer close(underWay)
		batches := &batcher{users: i.users}
		for ctx.Err() == nil && sending.Err() == nil {
			b, err := batches.next()
			if errors.Is(err, io.EOF) {
				whole = true
				return nil
			}
			if err != nil {
				if ctx.Err() != nil { // standard input was waited for
					return nil
				}
				return err
			}
			select {
			case <-ctx.Done():
			case <-sending.Done():
			case underWay <- b:
				group.Go(func() error { i.send(sending, b); return nil })
			}
		}
		return nil
	})
	group.Go(func() error {
		for b := range underWay {
			<-b.done
			if b.err != nil {
				return b.err
			}
			if err := i.acknowledge(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil || whole {
		return err
	}
	return ctx.Err()
}

// outlive is a context that ends a while after ctx does.
func outlive(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(while):
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel() }
}

// send sends a batch, or in a dry run judges it, and says when it is done.
func (i *importer) send(ctx context.Context, b *batch) {
	defer close(b.done)
	if i.api == nil {
		b.check()
		return
	}
	if len(b.users) == 0 {
		return
	}
	raw, err := i.api.patiently(ctx, i.interrupted, request{
		Method: http.MethodPost, Path: usersPath("import"), Body: map[string][]json.RawMessage{"users": b.users},
	}, func(err error, wait time.Duration) { i.progress.remark(retold(err, wait)) })
	if err != nil {
		b.err = err
		return
	}
	var answer struct{ Results []importResult }
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Results) != len(b.users) {
		b.err = failed(fmt.Sprintf("the server answered for %d of %d users", len(answer.Results), len(b.users)), "is it as new as this command?")
		return
	}
	b.results = answer.Results
}

// acknowledge counts and reports the lines of a batch, and notes that the file is
// done up to its end.
func (i *importer) acknowledge(b *batch) error {
	err := b.outcomes(func(line *userfile.Line, result importResult) error {
		i.tally.count(result.ErrorType)
		if result.ErrorType == "" {
			return nil
		}
		return i.report.add(reported{line.Number, result.ErrorType, result.ErrorMessage, line.User.Email, line.User.ExternalID})
	})
	if err != nil {
		return err
	}
	if err := i.report.flush(); err != nil {
		return err
	}
	i.progress.show(&i.tally, b.end().Offset)
	return i.saveAt(b.end())
}

// saveAt notes that the file is done up to a position.
func (i *importer) saveAt(at userfile.Position) error {
	if i.api == nil {
		return nil
	}
	return i.src.saveCheckpoint(checkpoint{ProjectID: i.api.user, Position: at, Tally: i.tally, Report: i.report.path, ReportSize: i.report.size})
}

// goOn says how to go on after an error.
func (i *importer) goOn(err error) error {
	hint := ""
	if refused, ok := errors.AsType[*apiError](err); ok {
		hint = refused.hint()
	} else if f, ok := errors.AsType[*failure](err); ok {
		hint = f.hint
	}
	if i.interrupted.Err() != nil {
		err, hint = failed(fmt.Sprintf("interrupted; %s done", plural(i.tally.Lines, "line is", "lines are")), ""), ""
	}
	if i.api == nil {
		return err
	}
	if i.tally.Lines == 0 { // nothing to go on from
		err = errors.Join(err, i.src.removeCheckpoint())
	}
	if hint != "" {
		hint += "; then "
	}
	if i.src.checkpoint == "" {
		return advise(err, "%simport %s again from its beginning: who is there already is passed over", hint, i.src.name)
	}
	return advise(err, "%srun the same command again to go on from there", hint)
}
