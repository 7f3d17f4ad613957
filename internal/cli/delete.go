package cli

import "context"

// deletion is one object about to be deleted.
type deletion struct {
	api      *client
	path     []string
	what     string // "project acme"
	question string // asked before
	yes      bool   // do not ask
	json     bool
}

// delete asks, deletes and says so.
func (a *app) delete(ctx context.Context, d deletion) error {
	if _, err := escapePath(d.path); err != nil {
		return err // before anybody is asked about nothing
	}
	if err := a.confirm(d.yes, printable(d.question)); err != nil {
		return err
	}
	raw, err := d.api.remove(ctx, d.path)
	if err != nil {
		return err
	}
	return show(a, d.json, raw, func(t *text, _ struct{}) { t.line("Deleted %s.", d.what) })
}
