package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/countersign-auth/countersign"
)

const (
	searchLimit = 100  // what is shown if nobody says how much
	searchPage  = 1000 // the most that the server gives at once
)

type userSearch struct {
	jsonFlag
	searchFlags
	amountFlags
	apiFlags
}

// Help teaches the command.
func (userSearch) Help() string {
	return `Finds the users for whom every flag holds, newest first; without any, everybody. A flag that is repeated means any of
its values. What is a part of a text needs three characters and looks away from case.

    countersign user search --email ada@example.com
    countersign user search --name-contains love --created-after 2026-01-01
    countersign user search --status pending --all --json > pending.jsonl

--query takes the query of the API as it is, for everything that the flags cannot say:

    {"operator": "OR", "operands": [{"filter_name": "phone_verified", "filter_value": true}]}` + needsSecret
}

// Run searches.
func (c *userSearch) Run(ctx context.Context, a *app) error {
	query, err := c.query(a)
	if err != nil {
		return err
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	return (&search{
		api: api, a: a, path: usersPath("search"), query: query, list: "results", nothing: "such users", header: userHeader, row: rowOf(user.row),
	}).run(ctx, c.amountFlags, c.JSON)
}

// amountFlags say how much of a search is shown.
type amountFlags struct {
	Limit int  `placeholder:"N" xor:"amount" help:"Show N at most, 1 to 1000; default 100."`
	All   bool `xor:"amount" help:"Show all of them, page by page as they come; with --json, one a line."`
}

// searchRequest is the body of a search.
type searchRequest struct {
	OrganizationIDs []string        `json:"organization_ids,omitempty"`
	Cursor          string          `json:"cursor,omitempty"`
	Limit           int             `json:"limit"`
	Query           json.RawMessage `json:"query,omitempty"`
}

// rowOf reads what was found and makes it a line of the table.
func rowOf[T any](row func(T) []string) func(json.RawMessage) ([]string, error) {
	return func(raw json.RawMessage) ([]string, error) {
		var v T
		err := json.Unmarshal(raw, &v)
		return row(v), err
	}
}

// search reads the pages of one query.
type search struct {
	api     *client
	a       *app
	path    []string
	among   []string // organizations, of a search for members
	query   json.RawMessage
	list    string // the member of the answer that has what was found
	nothing string // "such users"
	header  []string
	row     func(json.RawMessage) ([]string, error)
	cursor  string // "" before the first page and after the last
}

// run shows as much as was asked for.
func (s *search) run(ctx context.Context, amount amountFlags, asJSON bool) error {
	if amount.Limit < 0 || amount.Limit > searchPage {
		return usage("--limit must be from 1 to 1000", "--all shows all of them")
	}
	if amount.All {
		return s.stream(ctx, asJSON)
	}
	return s.some(ctx, cmp.Or(amount.Limit, searchLimit), asJSON)
}

// page reads the next page, of at most limit rows. It may be empty although there
// are more.
func (s *search) page(ctx context.Context, limit int) (answer map[string]json.RawMessage, found []json.RawMessage, err error) {
	raw, err := s.api.patiently(ctx, ctx, request{
		Method: http.MethodPost, Path: s.path,
		Body: searchRequest{OrganizationIDs: s.among, Cursor: s.cursor, Limit: limit, Query: s.query},
	}, func(err error, wait time.Duration) { s.a.remark("%s", printable(retold(err, wait))) })
	if err != nil {
		return nil, nil, err
	}
	var metadata struct {
		NextCursor string `json:"next_cursor"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, nil, err
	}
	for member, into := range map[string]any{s.list: &found, "results_metadata": &metadata} {
		if answer[member] == nil {
			continue
		}
		if err := json.Unmarshal(answer[member], into); err != nil {
			return nil, nil, err
		}
	}
	s.cursor = metadata.NextCursor
	return answer, found, nil
}

// some shows up to limit rows as one answer, from as many pages as it takes.
func (s *search) some(ctx context.Context, limit int, asJSON bool) error {
	all := []json.RawMessage{}
	for {
		answer, found, err := s.page(ctx, limit-len(all))
		if err != nil {
			return err
		}
		all = append(all, found...)
		if s.cursor != "" && len(all) < limit {
			continue
		}
		if asJSON {
			return s.answerWith(answer, all)
		}
		return s.show(all, true, s.cursor != "")
	}
}

// answerWith prints the last page with what was found on all before it.
func (s *search) answerWith(last map[string]json.RawMessage, all []json.RawMessage) (err error) {
	if last[s.list], err = countersign.EncodeJSON(all); err != nil {
		return err
	}
	raw, err := countersign.EncodeJSON(last)
	if err != nil {
		return err
	}
	return s.a.printJSON(raw)
}

// stream shows all there is, each page as it comes.
func (s *search) stream(ctx context.Context, asJSON bool) error {
	for first := true; ; {
		_, found, err := s.page(ctx, searchPage)
		if err != nil {
			return err
		}
		last := s.cursor == ""
		if asJSON {
			err = s.a.printLines(found)
		} else if len(found) > 0 || first && last {
			err = s.show(found, first, false)
			first = false
		}
		if err != nil || last {
			return err
		}
	}
}

// show shows a part as a table, under a header if it is the first.
func (s *search) show(list []json.RawMessage, first, more bool) (err error) {
	t := &text{now: s.a.now()}
	rows := make([][]string, len(list))
	for i, raw := range list {
		if rows[i], err = s.row(raw); err != nil {
			return err
		}
	}
	if first {
		t.table(s.nothing, s.header, rows)
	} else {
		t.columns(rows)
	}
	if more {
		t.note("There are more: --all shows them.")
	}
	return s.a.printText(t)
}
