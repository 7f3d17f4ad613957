package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/countersign-auth/countersign"
)

const (
	searchLimit = 100  // users that are shown if nobody says how many
	searchPage  = 1000 // the most that the server gives at once
)

type userSearch struct {
	jsonFlag
	searchFlags
	Limit int  `placeholder:"N" xor:"amount" help:"Show N users at most, 1 to 1000; default 100."`
	All   bool `xor:"amount" help:"Show all of them, page by page as they come; with --json, one user a line."`
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

// searchRequest is the body of POST /v1/users/search.
type searchRequest struct {
	Cursor string          `json:"cursor,omitempty"`
	Limit  int             `json:"limit"`
	Query  json.RawMessage `json:"query,omitempty"`
}

// searchAnswer is a page.
type searchAnswer struct {
	Results  []json.RawMessage `json:"results"`
	Metadata struct {
		NextCursor string `json:"next_cursor"`
	} `json:"results_metadata"`
}

// Run searches.
func (c *userSearch) Run(ctx context.Context, a *app) error {
	query, err := c.query(a)
	if err != nil {
		return err
	}
	if c.Limit < 0 || c.Limit > searchPage {
		return usage("--limit must be from 1 to 1000", "--all shows all of them")
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	s := &search{api: api, query: query, a: a}
	if c.All {
		return s.stream(ctx, c.JSON)
	}
	if c.Limit == 0 {
		c.Limit = searchLimit
	}
	return s.some(ctx, c.Limit, c.JSON)
}

// search reads the pages of one query.
type search struct {
	api    *client
	query  json.RawMessage
	a      *app
	cursor string // "" before the first page and after the last
}

// page reads the next page, of at most limit users. It may be empty although
// there are more.
func (s *search) page(ctx context.Context, limit int) (raw json.RawMessage, found searchAnswer, err error) {
	raw, err = s.api.patiently(ctx, ctx, request{
		Method: http.MethodPost, Path: usersPath("search"),
		Body: searchRequest{Cursor: s.cursor, Limit: limit, Query: s.query},
	}, func(err error, wait time.Duration) { s.a.remark("%s", printable(retold(err, wait))) })
	if err == nil {
		err = json.Unmarshal(raw, &found)
	}
	s.cursor = found.Metadata.NextCursor
	return raw, found, err
}

// some shows up to limit users as one answer, from as many pages as it takes.
func (s *search) some(ctx context.Context, limit int, asJSON bool) error {
	var users []json.RawMessage
	for {
		raw, found, err := s.page(ctx, limit-len(users))
		if err != nil {
			return err
		}
		users = append(users, found.Results...)
		if s.cursor != "" && len(users) < limit {
			continue
		}
		if asJSON {
			return s.a.answerWith(raw, users)
		}
		return s.a.showUsers(users, true, s.cursor != "")
	}
}

// answerWith prints the last page with the results of all before it.
func (a *app) answerWith(last json.RawMessage, users []json.RawMessage) error {
	answer := map[string]json.RawMessage{}
	if err := json.Unmarshal(last, &answer); err != nil {
		return err
	}
	if users == nil {
		users = []json.RawMessage{}
	}
	var err error
	if answer["results"], err = countersign.EncodeJSON(users); err != nil {
		return err
	}
	raw, err := countersign.EncodeJSON(answer)
	if err != nil {
		return err
	}
	return a.printJSON(raw)
}

// stream shows all users, each page as it comes.
func (s *search) stream(ctx context.Context, asJSON bool) error {
	for first := true; ; {
		_, found, err := s.page(ctx, searchPage)
		if err != nil {
			return err
		}
		last := s.cursor == ""
		if asJSON {
			err = s.a.printLines(found.Results)
		} else if len(found.Results) > 0 || first && last {
			err = s.a.showUsers(found.Results, first, false)
			first = false
		}
		if err != nil || last {
			return err
		}
	}
}

// showUsers shows users as a table, under a header if they are the first.
func (a *app) showUsers(list []json.RawMessage, first, more bool) error {
	t := &text{now: a.now()}
	rows := make([][]string, len(list))
	for i, raw := range list {
		var u user
		if err := json.Unmarshal(raw, &u); err != nil {
			return err
		}
		rows[i] = u.row()
	}
	if first {
		t.table("such users", userHeader, rows)
	} else {
		t.columns(rows)
	}
	if more {
		t.note("There are more: --all shows them.")
	}
	return a.printText(t)
}
