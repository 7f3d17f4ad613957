package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const verdictsLimit = 10_000

type verdictsCommand struct {
	JSON    bool   `help:"Print each verdict as one line of JSON."`
	Limit   int    `default:"50" placeholder:"N" help:"Show the newest N, 1 to 10000; default 50."`
	Profile string `placeholder:"ID" help:"Only of this profile."`
	Reason  string `placeholder:"REASON" help:"Only of this reason; accepted for those that were accepted."`
	User    string `placeholder:"ID" help:"Only of tokens that speak of this user or member, by ID; an external ID is none."`
	Since   string `placeholder:"TIME" help:"Only from then on: a moment (RFC 3339), or a span before now such as 24h."`
	Until   string `placeholder:"TIME" help:"Only from before then."`
	environmentFlags
}

// Help teaches the command.
func (verdictsCommand) Help() string {
	return `Lists what became of subject tokens, the newest first. countersign explain REQUEST_ID tells one as a story.

    countersign verdicts --project acme --environment test
    countersign verdicts --reason audience_mismatch --since 24h --project acme --environment test` + needsEnvironment
}

// Run lists.
func (c *verdictsCommand) Run(ctx context.Context, a *app) error {
	if c.Limit < 1 || c.Limit > verdictsLimit {
		return usage("--limit must be from 1 to 10000", "")
	}
	query := url.Values{}
	for name, value := range map[string]string{"profile_id": c.Profile, "reason": c.Reason, personField(c.User): c.User} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]string{"since": c.Since, "until": c.Until} {
		if value == "" {
			continue
		}
		at, err := givenTime("--"+name, value, a.now())
		if err != nil {
			return err
		}
		query.Set(name, at)
	}
	api, path, err := c.open(a, "verdicts")
	if err != nil {
		return err
	}
	list, missed, err := a.readVerdicts(ctx, api, path, query, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		err = a.printLines(list)
	} else {
		err = a.showVerdicts(list)
	}
	if err == nil && missed > 0 {
		a.remark("%s only counted: too many came in a minute (serve --verdicts-per-minute).", plural(missed, "more refusal of that time and profile was", "more refusals of that time and profile were"))
	}
	return err
}

// readVerdicts reads pages, newest first, until there are limit verdicts. missed
// is how many of that time and profile were not kept.
func (a *app) readVerdicts(ctx context.Context, api *client, path []string, query url.Values, limit int) (list []json.RawMessage, missed int64, err error) {
	for {
		query.Set("limit", strconv.Itoa(min(limit-len(list), searchPage)))
		raw, err := api.patiently(ctx, ctx, request{Method: http.MethodGet, Path: path, Query: query},
			func(err error, wait time.Duration) { a.remark("%s", printable(retold(err, wait))) })
		if err != nil {
			return nil, 0, err
		}
		var page struct {
			Verdicts   []json.RawMessage `json:"verdicts"`
			NextCursor string            `json:"next_cursor"`
			NotKept    int64             `json:"not_kept"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, 0, err
		}
		list = append(list, page.Verdicts...)
		if page.NextCursor == "" || len(list) >= limit {
			return list, page.NotKept, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

func (a *app) showVerdicts(list []json.RawMessage) error {
	var rows [][]string
	for _, raw := range list {
		var v struct {
			RequestID string `json:"request_id"`
			JudgedAt  string `json:"judged_at"`
			Outcome   string `json:"outcome"`
			Reason    string `json:"reason"`
			Received  string `json:"received"`
			Shadow    bool   `json:"shadow"`
			Address   string `json:"remote_address"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		came := outcome(v.Outcome, v.Reason)
		if v.Shadow {
			came += " (shadow)"
		}
		rows = append(rows, []string{v.JudgedAt, came, v.Received, v.Address, v.RequestID})
	}
	t := &text{now: a.now()}
	t.table("such verdicts", strings.Fields("JUDGED_AT OUTCOME RECEIVED FROM REQUEST_ID"), rows)
	return a.printText(t)
}

// givenTime is a time that was given as RFC 3339, or as a span before now.
func givenTime(flag, value string, now time.Time) (string, error) {
	if span, err := time.ParseDuration(value); err == nil && span >= 0 {
		return now.Add(-span).UTC().Format(time.RFC3339Nano), nil
	}
	if _, err := time.Parse(time.RFC3339Nano, value); err != nil {
		return "", usage(flag+" is neither a moment nor a span", "for example 2026-01-31T12:00:00Z, or 24h for a day ago")
	}
	return value, nil
}

// personField is the name that the API has for an ID of a user or of a member.
func personField(id string) string {
	if strings.HasPrefix(id, "member-") {
		return "member_id"
	}
	return "user_id"
}
