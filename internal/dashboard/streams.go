package dashboard

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/eventstream"
)

// streamForm is a destination as it was typed, but for what opens the door there.
type streamForm struct{ Type, Site, Hostname, Username string }

type streamPage struct {
	Stream  *wire.MaskedEventLogStreaming // nil if there is none
	Form    streamForm
	Sites   []countersign.DatadogSite
	Problem problem
}

func showStream(d *Dashboard, r *request) (view, error) { return streamView(d, r, nil, problem{}) }

// streamView is the page of the environment's one stream. typed is a form that was
// refused, or nil.
func streamView(d *Dashboard, r *request, typed *streamForm, p problem) (view, error) {
	data := streamPage{
		Problem: p,
		Sites:   []countersign.DatadogSite{countersign.DatadogUS, countersign.DatadogUS3, countersign.DatadogUS5, countersign.DatadogEU, countersign.DatadogAP1},
	}
	for _, typ := range []countersign.DestinationType{countersign.Datadog, countersign.GrafanaLoki} {
		found, err := d.Streams.Stream(r.Context(), r.env.ID, typ)
		if errors.Is(err, countersign.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return view{}, err
		}
		masked := wire.NewMaskedEventLogStreaming(found)
		data.Stream = &masked
		data.Form = streamForm{string(typ), string(found.Destination.Site), found.Destination.Hostname, found.Destination.Username}
	}
	if typed != nil {
		data.Form = *typed
		// Beside its form, if the page has that one.
		known := typed.Type == string(countersign.Datadog) || typed.Type == string(countersign.GrafanaLoki)
		if data.Stream == nil && known || data.Stream != nil && data.Stream.DestinationType == typed.Type {
			data.Problem.Field = typed.Type
		}
	}
	call := "POST " + r.management("event_log_streaming")
	if data.Stream != nil {
		call = "GET " + r.management("event_log_streaming/"+data.Stream.DestinationType)
	}
	return view{
		template: "streams", title: "Where events are sent", section: "events", data: data, status: p.status(),
		cli: "countersign events --follow" + r.flags(), api: call,
	}, nil
}

// saveStream makes the stream, or replaces its destination.
func saveStream(d *Dashboard, r *request) (view, error) {
	ctx, env := r.Context(), r.env.ID
	f := streamForm{r.field("type"), r.field("site"), r.field("hostname"), r.field("username")}
	to := countersign.Destination{
		Type: countersign.DestinationType(f.Type), Site: countersign.DatadogSite(f.Site), APIKey: countersign.Bearer(r.field("api_key")),
		Hostname: f.Hostname, Username: f.Username, Password: countersign.Bearer(r.PostForm.Get("password")),
	}
	_, err := d.Streams.Update(ctx, r.actor, env, to)
	if errors.Is(err, countersign.ErrStreamNotFound) {
		_, err = d.Streams.Create(ctx, r.actor, env, to)
	}
	if ours(err) {
		return streamView(d, r, &f, problemOf(err))
	}
	return view{redirect: r.path("streams") + "?did=stream-saved"}, err
}

// toStream is a button of the stream's page: it goes back there, and says what was
// done or why it was not.
func toStream(deed string, do func(*eventstream.Service, context.Context, countersign.Actor, countersign.EnvironmentID, countersign.DestinationType) error) func(*Dashboard, *request) (view, error) {
	return func(d *Dashboard, r *request) (view, error) {
		err := do(d.Streams, r.Context(), r.actor, r.env.ID, countersign.DestinationType(r.PathValue("type")))
		if ours(err) {
			return streamView(d, r, nil, problemOf(err))
		}
		return view{redirect: r.path("streams") + "?did=" + deed}, err
	}
}

var (
	enableStream  = toStream("stream-enabled", (*eventstream.Service).Enable)
	disableStream = toStream("stream-disabled", (*eventstream.Service).Disable)
	deleteStream  = toStream("stream-deleted", (*eventstream.Service).Delete)
)
