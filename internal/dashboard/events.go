package dashboard

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
)

type eventsPage struct {
	Events   []countersign.Event
	Filter   project.EventFilter
	Filtered bool
	Next     string
	First    string
	Problem  problem
}

func listEvents(d *Dashboard, r *request) (view, error) {
	data := eventsPage{Filter: project.EventFilter{Action: r.query("action"), Actor: r.query("actor"), Object: r.query("object")}}
	data.Filtered = data.Filter != project.EventFilter{}
	list, next, err := d.Projects.FindEvents(r.Context(), r.env.ID, data.Filter, pageSize, r.query("cursor"))
	switch {
	case ours(err):
		data.Problem = problemOf(err)
	case err != nil:
		return view{}, err
	}
	data.Events = list
	data.First, data.Next = r.paging(next)
	return view{
		template: "events", title: "Events", section: "events", data: data, status: data.Problem.status(),
		cli: "countersign events --follow" + r.flags(), api: "GET " + r.management("events"),
	}, nil
}
