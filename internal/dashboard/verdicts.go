package dashboard

import (
	"errors"
	"net/url"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// pageSize is how many rows a list shows.
const pageSize = 50

type verdictsPage struct {
	Verdicts []countersign.Verdict
	Names    map[countersign.ProfileID]string
	Profiles []countersign.Profile
	Reasons  []trust.Reason
	Filter   map[string]string
	Filtered bool
	Missed   int
	Next     string // the address of the next page
	First    string // that of the first, on a later one
	Problem  problem
}

func listVerdicts(d *Dashboard, r *request) (view, error) {
	profiles, err := d.Projects.Profiles(r.Context(), r.env.ID)
	if err != nil {
		return view{}, err
	}
	data := verdictsPage{Names: map[countersign.ProfileID]string{}, Profiles: profiles, Reasons: trust.Reasons(), Filter: map[string]string{}}
	for _, p := range profiles {
		data.Names[p.ID] = p.Name
	}
	for _, name := range []string{"profile", "reason", "user", "since", "until", "request"} {
		data.Filter[name] = r.query(name)
		data.Filtered = data.Filtered || data.Filter[name] != ""
	}
	if id := data.Filter["request"]; id != "" {
		return view{redirect: r.path("verdicts", id)}, nil
	}
	filter, err := verdictFilter(data.Filter)
	if err == nil {
		var page verdict.Page
		page, err = d.Verdicts.List(r.Context(), r.env.ID, filter, pageSize, r.query("cursor"))
		data.Verdicts, data.Missed = page.Verdicts, page.Missed
		data.First, data.Next = r.paging(page.Next)
	}
	switch {
	case ours(err):
		data.Problem = problemOf(err)
	case err != nil:
		return view{}, err
	}
	cli := "countersign verdicts" + r.flags()
	exact := map[string]string{}
	for name, value := range data.Filter {
		if t, err := day(value); err == nil && (name == "since" || name == "until") && value != "" {
			value = t.Format(time.RFC3339)
		}
		exact[name] = value
	}
	query := url.Values{}
	for _, f := range []struct{ field, flag, parameter string }{
		{"profile", "--profile", "profile_id"},
		{"reason", "--reason", "reason"},
		{"user", "--user", "user_id"},
		{"since", "--since", "since"},
		{"until", "--until", "until"},
	} {
		if value := exact[f.field]; value != "" {
			cli += " " + f.flag + " " + quote(value)
			query.Set(f.parameter, value)
		}
	}
	call := "GET " + r.management("verdicts")
	if len(query) > 0 {
		call += "?" + query.Encode()
	}
	return view{template: "verdicts", title: "Verdicts", section: "verdicts", data: data, status: data.Problem.status(), cli: cli, api: call}, nil
}

// verdictFilter reads the filters of the address.
func verdictFilter(fields map[string]string) (f verdict.Filter, err error) {
	if text := fields["profile"]; text != "" {
		if f.ProfileID, err = countersign.ParseID[countersign.ProfileID](text); err != nil {
			return f, countersign.ErrProfileNotFound
		}
	}
	if text := fields["user"]; text != "" {
		if f.PersonID, err = countersign.ParseID[countersign.PersonID](text); err != nil {
			return f, countersign.ErrInvalidUserID
		}
	}
	if text := fields["reason"]; text != "" {
		if text == countersign.VerdictAccepted {
			text = ""
		} else if trust.StepOf(trust.Reason(text)) == "" {
			return f, countersign.ErrBadRequest.Saying("There is no reason %.64q.", text)
		}
		f.Reason = &text
	}
	if f.Since, err = day(fields["since"]); err != nil {
		return f, err
	}
	f.Until, err = day(fields["until"])
	return f, err
}

// day reads a day, or a moment, in UTC; "" is none.
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Unix() >= 0 {
			return t, nil
		}
	}
	return time.Time{}, countersign.ErrBadRequest.Saying("%.32q is no day such as 2026-01-31, nor a moment such as 2026-01-31T12:00:00Z.", text)
}

// paging are the addresses of the first page, on a later one, and of the next.
func (r *request) paging(cursor string) (first, next string) {
	query := r.URL.Query()
	query.Del("did")
	later := query.Get("cursor") != ""
	query.Del("cursor")
	at := func() string {
		if len(query) == 0 {
			return r.URL.Path
		}
		return r.URL.Path + "?" + query.Encode()
	}
	if later {
		first = at()
	}
	if cursor != "" {
		query.Set("cursor", cursor)
		next = at()
	}
	return first, next
}

type verdictPage struct {
	Verdict countersign.Verdict
	Profile *countersign.Profile // nil if it was deleted
	Steps   []wire.Step
	Passed  int
	Hint    string
}

func showVerdict(d *Dashboard, r *request) (view, error) {
	v, err := d.Verdicts.Find(r.Context(), r.env.ID, r.PathValue("request"))
	if err != nil {
		return view{}, err
	}
	data := verdictPage{Verdict: v}
	p, err := d.Projects.Profile(r.Context(), r.env.ID, v.ProfileID.String())
	switch {
	case err == nil:
		data.Profile = &p
		data.Hint = trust.Hint(&p, trust.Step(v.Step), trust.Reason(v.Reason), v.Facts, v.At)
	case !errors.Is(err, countersign.ErrProfileNotFound):
		return view{}, err
	}
	data.Steps = wire.NewSteps(v.Step, v.Reason, v.Expected, v.Received, data.Hint, true)
	for _, s := range data.Steps {
		if s.Status == "passed" {
			data.Passed++
		}
	}
	return view{
		template: "verdict", title: "Verdict", section: "verdicts", data: data,
		cli: "countersign explain " + v.RequestID.String() + r.flags(), api: "GET " + r.management("verdicts/"+v.RequestID.String()),
	}, nil
}
