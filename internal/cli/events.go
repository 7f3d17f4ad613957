package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	eventsPage  = 200             // what is read of the trail to find what is new in it
	eventsPoll  = 2 * time.Second // between two readings
	eventsLimit = 10_000
)

type eventsCommand struct {
	JSON   bool   `help:"Print each event as one line of JSON, with its detail."`
	Limit  int    `default:"50" placeholder:"N" help:"Read the newest N events, 1 to 10000; default 50."`
	Follow bool   `short:"f" help:"Go on with what happens from now on, until interrupted."`
	Action string `placeholder:"PREFIX" help:"Show only actions that begin so, for example session. or profile.updated."`
	Object string `placeholder:"ID" help:"Show only what happened to this object, by its ID or slug."`
	environmentFlags
}

// Help teaches the command.
func (eventsCommand) Help() string {
	return `Shows the audit trail of an environment, the newest event last: what changed, when, and by whose credential. --json has
the detail as well, of configuration the state before and after.

    countersign events --project acme --environment test
    countersign events --project acme --environment test --follow --action session.
    countersign events --project acme --environment test --limit 10000 --object user-test-… --json

--action and --object choose among the events that were read: the newest N, and with --follow those that come. An older
one is found only with a larger --limit. --follow asks every two seconds.` + needsEnvironment
}

// event is a line of the audit trail.
type event struct {
	EventID    string `json:"event_id"`
	OccurredAt string `json:"occurred_at"`
	ActorType  string `json:"actor_type"`
	ActorID    string `json:"actor_id"`
	Action     string `json:"action"`
	Object     string `json:"object"`
	raw        json.RawMessage
}

// Run shows, and follows.
func (c *eventsCommand) Run(ctx context.Context, a *app) error {
	if c.Limit < 1 || c.Limit > eventsLimit {
		return usage("--limit must be from 1 to 10000", "")
	}
	api, path, err := c.open(a, "events")
	if err != nil {
		return err
	}
	trail := &trail{api: api, path: path, a: a}
	read := c.Limit
	if c.Follow {
		read = max(read, eventsPage) // or what is older than the limit would seem new
	}
	list, err := trail.newest(ctx, read)
	if err != nil {
		return err
	}
	if err := c.show(a, list[:min(c.Limit, len(list))], true); err != nil || !c.Follow {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil // how following ends
		case <-time.After(eventsPoll):
		}
		list, err := trail.unseen(ctx)
		if err != nil {
			return unlessEnded(ctx, err)
		}
		if err := c.show(a, list, false); err != nil {
			return err
		}
	}
}

// unlessEnded is err, or nil if there is one because ctx ended.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// show prints those of a list, newest first, that were asked for, newest last.
func (c *eventsCommand) show(a *app, list []event, first bool) error {
	var lines []json.RawMessage
	var rows [][]string
	for _, e := range slices.Backward(list) {
		if strings.HasPrefix(e.Action, c.Action) && (c.Object == "" || e.Object == c.Object) {
			lines = append(lines, e.raw)
			rows = append(rows, []string{e.OccurredAt, e.Action, e.Object, e.ActorType + " " + e.ActorID})
		}
	}
	if c.JSON {
		return a.printLines(lines)
	}
	t := &text{now: a.now()}
	switch {
	case !first:
		t.columns(rows)
	case c.Follow:
		t.columns(append([][]string{eventHeader}, rows...))
	default:
		t.table("such events", eventHeader, rows)
	}
	return a.printText(t)
}

var eventHeader = strings.Fields("OCCURRED_AT ACTION OBJECT ACTOR")

// trail reads an environment's events, and knows those of the last reading.
type trail struct {
	api  *client
	path []string
	a    *app
	seen map[string]bool
}

// newest are the newest n events, newest first.
func (t *trail) newest(ctx context.Context, n int) ([]event, error) {
	return t.read(ctx, func(list []event, _ []event) bool { return len(list) < n }, n)
}

// unseen are the events that the last reading had not. IDs of many servers are
// only roughly in order, so a new one may stand behind one that was seen: what
// counts is which were seen, not which was the last.
func (t *trail) unseen(ctx context.Context) ([]event, error) {
	seen := t.seen
	wasSeen := func(e event) bool { return seen[e.EventID] }
	list, err := t.read(ctx, func(_ []event, page []event) bool { return !slices.ContainsFunc(page, wasSeen) }, eventsPage)
	return slices.DeleteFunc(list, wasSeen), err
}

// read reads pages, newest first, for as long as more says so of all that was
// read and of its last page, and remembers what it read.
func (t *trail) read(ctx context.Context, more func(list, page []event) bool, size int) (list []event, err error) {
	query := url.Values{"limit": {strconv.Itoa(min(size, searchPage))}}
	for {
		raw, err := t.api.patiently(ctx, ctx, request{Method: http.MethodGet, Path: t.path, Query: query},
			func(err error, wait time.Duration) { t.a.remark("%s", printable(retold(err, wait))) })
		if err != nil {
			return nil, err
		}
		var page struct {
			Events     []json.RawMessage `json:"events"`
			NextCursor string            `json:"next_cursor"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		begin := len(list)
		for _, raw := range page.Events {
			e := event{raw: raw}
			if err := json.Unmarshal(raw, &e); err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		if page.NextCursor == "" || !more(list, list[begin:]) || len(list) >= eventsLimit {
			break
		}
		query.Set("cursor", page.NextCursor)
	}
	t.seen = make(map[string]bool, len(list))
	for _, e := range list {
		t.seen[e.EventID] = true
	}
	return list, nil
}
