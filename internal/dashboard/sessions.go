package dashboard

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/session"
)

type sessionsPage struct {
	Sessions []countersign.Session
	Names    map[countersign.ProfileID]string
	Find     string
	User     *countersign.Person
	More     int // of the user, that are not shown
	Next     string
	First    string
	Problem  problem
}

// maxOfUser is how many sessions of one user a page shows.
const maxOfUser = 200

// names are the names of the profiles that factors are of.
func (d *Dashboard) names(ctx context.Context, env countersign.EnvironmentID) (map[countersign.ProfileID]string, error) {
	list, err := d.Projects.Profiles(ctx, env)
	names := map[countersign.ProfileID]string{}
	for _, p := range list {
		names[p.ID] = p.Name
	}
	return names, err
}

func listSessions(d *Dashboard, r *request) (view, error) {
	ctx := r.Context()
	data := sessionsPage{Find: r.query("find")}
	if _, err := countersign.ParseID[countersign.SessionID](data.Find); err == nil {
		return view{redirect: r.path("sessions", data.Find)}, nil
	}
	var err error
	if data.Names, err = d.names(ctx, r.env.ID); err != nil {
		return view{}, err
	}
	cli := "countersign revoke --before 1h --dry-run" + r.flags()
	call := "POST " + r.management("revocations")
	if data.Find != "" {
		var u countersign.Person
		if u, err = d.person(r, data.Find); err == nil {
			data.User = &u
			data.Sessions, err = d.Sessions.Of(ctx, r.env, u)
			slices.Reverse(data.Sessions)
			if data.More = max(len(data.Sessions)-maxOfUser, 0); data.More > 0 {
				data.Sessions = data.Sessions[:maxOfUser]
			}
			cli = "countersign session list --user-id " + u.ID.String()
			call = "GET /v1/sessions?user_id=" + u.ID.String()
			if o := u.Organization; o != nil {
				cli = "countersign session list --organization " + o.ID.String() + " --member-id " + u.ID.String()
				call = "GET /v1/b2b/sessions?organization_id=" + o.ID.String() + "&member_id=" + u.ID.String()
			}
		}
	} else {
		var page session.Listed
		page, err = d.Sessions.List(ctx, r.env, pageSize, r.query("cursor"))
		data.Sessions = page.Sessions
		data.First, data.Next = r.paging(page.Next)
	}
	switch {
	case ours(err):
		data.Problem = problemOf(err)
	case err != nil:
		return view{}, err
	}
	return view{template: "sessions", title: "Sessions", section: "sessions", data: data, status: data.Problem.status(), cli: cli, api: call}, nil
}

type sessionPage struct {
	session.Shown
	Names map[countersign.ProfileID]string
}

func showSession(d *Dashboard, r *request) (view, error) {
	shown, err := d.Sessions.Show(r.Context(), r.env, r.PathValue("session"))
	if err != nil {
		return view{}, err
	}
	data := sessionPage{Shown: shown}
	if data.Names, err = d.names(r.Context(), r.env.ID); err != nil {
		return view{}, err
	}
	id := shown.Session.ID.String()
	return view{
		template: "session", title: "Session", section: "sessions", data: data,
		cli: "countersign revoke --session " + id + r.flags(), api: "POST " + r.management("revocations") + ` {"session_id": "` + id + `"}`,
	}, nil
}

func revokeSession(d *Dashboard, r *request) (view, error) {
	_, err := d.Sessions.Kill(r.Context(), session.KillParams{Environment: r.env, Actor: r.actor, SessionID: r.PathValue("session")})
	return view{redirect: r.path("sessions") + "?did=session-revoked"}, err
}

// revocationForm says which sessions end.
type revocationForm struct{ Profile, KeyID, Before string }

type revocationsPage struct {
	Form     revocationForm
	Profiles []countersign.Profile
	Names    map[countersign.ProfileID]string
	Standing []countersign.Revocation
	Counted  *session.Killed // by a dry run of the form
	Problem  problem
}

func revocations(d *Dashboard, r *request) (view, error) {
	return revocationsView(d, r, revocationsPage{Form: revocationForm{Profile: r.query("profile"), KeyID: r.query("key")}})
}

func revocationsView(d *Dashboard, r *request, data revocationsPage) (view, error) {
	var err error
	if data.Profiles, err = d.Projects.Profiles(r.Context(), r.env.ID); err != nil {
		return view{}, err
	}
	if data.Names, err = d.names(r.Context(), r.env.ID); err != nil {
		return view{}, err
	}
	if data.Standing, err = d.Sessions.Revocations(r.Context(), r.env.ID); err != nil {
		return view{}, err
	}
	cli := "countersign revoke --dry-run" + r.flags()
	for _, f := range []struct{ flag, value string }{{"--profile", data.Form.Profile}, {"--key-id", data.Form.KeyID}, {"--before", data.Form.Before}} {
		if f.value != "" {
			cli += " " + f.flag + " " + quote(f.value)
		}
	}
	return view{
		template: "revocations", title: "End sessions", section: "sessions", data: data, status: data.Problem.status(),
		cli: cli, api: "POST " + r.management("revocations"),
	}, nil
}

// revoke counts first, and ends sessions only when it is told so a second time.
func revoke(d *Dashboard, r *request) (view, error) {
	data := revocationsPage{Form: revocationForm{r.field("profile"), r.field("key"), r.field("before")}}
	before, err := since(data.Form.Before, d.Now())
	var killed session.Killed
	confirmed := r.field("confirm") != ""
	if err == nil {
		killed, err = d.Sessions.Kill(r.Context(), session.KillParams{
			Environment: r.env, Actor: r.actor, ProfileID: data.Form.Profile, KeyID: data.Form.KeyID, Before: before, DryRun: !confirmed,
		})
	}
	switch {
	case ours(err):
		data.Problem = problemOf(err)
	case err != nil:
		return view{}, err
	case confirmed:
		return view{redirect: r.path("revocations") + "?did=revoked"}, nil
	default:
		data.Counted = &killed
		if data.Form.Before != "" { // the moment of which they were counted, not one of later
			data.Form.Before = before.UTC().Format(time.RFC3339)
		}
	}
	return revocationsView(d, r, data)
}

// since is a day, a moment or a span before now.
func since(text string, now time.Time) (time.Time, error) {
	if span, err := time.ParseDuration(text); err == nil && span > 0 {
		return now.Add(-span), nil
	}
	return day(text)
}

// person finds a user by ID, external ID or address, or a member by ID.
func (d *Dashboard) person(r *request, find string) (u countersign.Person, err error) {
	u, err = d.look(r, find)
	if r.env.Vertical == countersign.B2B || !errors.Is(err, countersign.ErrUserNotFound) && !errors.Is(err, countersign.ErrInvalidUserID) {
		return u, err
	}
	found, err := d.searchUsers(r, listing{Ways: userWays, By: "email", Find: find})
	if err != nil || len(found.Results) == 0 {
		return u, cmp.Or(err, error(countersign.ErrUserNotFound))
	}
	return found.Results[0], nil
}

// revokeUser ends all sessions of a user.
func revokeUser(d *Dashboard, r *request) (view, error) {
	ref := r.PathValue("user")
	_, err := d.Sessions.Kill(r.Context(), session.KillParams{Environment: r.env, Actor: r.actor, Person: ref})
	return view{redirect: r.path("users", ref) + "?did=revoked"}, err
}
