package dashboard

import (
	"cmp"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// ranges are the stretches of time that the chart can show.
var ranges = []struct {
	Name, Label string
	span, step  time.Duration
}{
	{"24h", "24 hours", 24 * time.Hour, time.Hour},
	{"7d", "7 days", 7 * 24 * time.Hour, 6 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour, 24 * time.Hour},
}

type overviewPage struct {
	Range       string
	Ranges      []string
	Chart       chart
	Missed      int
	Active      int
	ActiveAll   bool
	Profiles    int
	KeySets     []keySetRow
	Attention   []attention
	Revocations int
	FirstSteps  []step
}

// attention is something that an operator ought to look at.
type attention struct {
	Level string // "warning" or "info"
	Text  string
	Path  string
}

// step is one of the first steps in an environment.
type step struct {
	Done             bool
	Text, Path, Link string
}

type keySetRow struct {
	Profile countersign.Profile
	Health  trust.SourceHealth
	Good    bool
	Text    string
}

// overview is how an environment is doing, in one look.
func overview(d *Dashboard, r *request) (view, error) {
	ctx, env := r.Context(), r.env
	data := overviewPage{Range: ranges[0].Name}
	chosen := ranges[0]
	for _, rg := range ranges {
		data.Ranges = append(data.Ranges, rg.Name)
		if rg.Name == r.query("range") {
			chosen, data.Range = rg, rg.Name
		}
	}
	end := d.Now().UTC().Truncate(chosen.step).Add(chosen.step)
	hours, missed, err := d.Verdicts.Hours(ctx, env.ID, end.Add(-chosen.span))
	if err != nil {
		return view{}, err
	}
	tally := newTally(end.Add(-chosen.span), chosen.step, int(chosen.span/chosen.step))
	for _, h := range hours {
		tally.add(h.Hour, h.Reason, h.Verdicts)
	}
	data.Chart, data.Missed = tally.chart(chosen.Name), missed
	if data.Active, data.ActiveAll, err = d.Sessions.Active(ctx, env); err != nil {
		return view{}, err
	}
	profiles, err := d.Projects.Profiles(ctx, env.ID)
	if err != nil {
		return view{}, err
	}
	data.Profiles = len(profiles)
	for _, p := range profiles {
		data.KeySets = append(data.KeySets, keySetOf(d, p))
	}
	secrets, err := d.Projects.Secrets(ctx, env.ID)
	if err != nil {
		return view{}, err
	}
	standing, err := d.Sessions.Revocations(ctx, env.ID)
	if err != nil {
		return view{}, err
	}
	data.Revocations = len(standing)
	data.Attention = attentions(r, data)
	seen := data.Active > 0 || data.Chart.Total > 0
	if len(profiles) == 0 || len(secrets) == 0 || !seen {
		data.FirstSteps = []step{
			{len(profiles) > 0, "Say whose tokens you believe: register an issuer.", r.path("profiles", "new"), "New profile"},
			{len(secrets) > 0, "Make a secret for your backend.", r.path("keys"), "Keys and secrets"},
			{seen, "Exchange a token for a session.", r.path("start"), "Quick start"},
		}
	}
	return view{
		template: "overview", title: "Overview", section: "overview", data: data,
		cli: "countersign verdicts" + r.flags(), api: "GET " + r.management("verdicts"),
	}, nil
}

// keySetOf says how the keys of a profile's issuer are.
func keySetOf(d *Dashboard, p countersign.Profile) keySetRow {
	row := keySetRow{Profile: p, Good: true}
	if p.KeyType == countersign.KeyTypePEM {
		usable := 0
		for _, f := range p.PEMFiles {
			if _, err := trust.ParsePEM(f.PublicKey); err == nil {
				usable++
			}
		}
		row.Good = usable == len(p.PEMFiles) && usable > 0
		row.Text = grouped(usable) + " of " + grouped(len(p.PEMFiles)) + " public keys usable"
		return row
	}
	row.Health = d.Sources.HealthOf(p.EnvironmentID, p.JWKSURL)
	switch row.Health.State {
	case trust.StateNeverFetched:
		row.Text = "not fetched yet: the first token does that"
		row.Good = row.Health.Failing == 0
	case trust.StateFresh:
		row.Text = "fresh"
	case trust.StateStale:
		row.Text, row.Good = "stale, still serving", row.Health.Failing == 0
	case trust.StateExpired:
		row.Text, row.Good = "expired: tokens are refused until the issuer answers", false
	}
	if row.Health.Failing > 0 {
		row.Text += "; " + grouped(row.Health.Failing) + " failed fetches in a row"
	}
	return row
}

// attentions are what needs attention, what matters most first.
func attentions(r *request, data overviewPage) (list []attention) {
	for _, k := range data.KeySets {
		path := r.path("profiles", k.Profile.ID.String())
		if !k.Good {
			list = append(list, attention{"warning", "The keys of " + k.Profile.Name + ": " + k.Text + ".", path})
		}
		if k.Profile.Policy.Mode == countersign.ModeShadow {
			list = append(list, attention{"info", k.Profile.Name + " is only tried: its tokens are judged and refused (shadow mode).", path})
		}
		if k.Profile.Policy.EmailTrust == countersign.EmailTrustIssuer && k.Profile.Policy.SubjectClaim == "" {
			list = append(list, attention{"info", k.Profile.Name + " finds people by whatever address its issuer writes. Set email_trust or subject_claim if the issuer lets people choose theirs.", path + "/edit"})
		}
	}
	if refused := data.Chart.Total - data.Chart.Accepted; refused > 0 && refused*2 > data.Chart.Total {
		worst := slices.MaxFunc(data.Chart.Legend, func(a, b legend) int {
			return cmp.Compare(a.countIfRefused(), b.countIfRefused())
		})
		list = append(list, attention{"warning", "More than half of the tokens are refused, most of them for " + worst.Reason + ".", r.path("verdicts") + "?reason=" + worst.Reason})
	}
	if data.Revocations > 0 {
		list = append(list, attention{"info", grouped(data.Revocations) + " revocations stand; each goes a day after its last session is gone.", r.path("revocations")})
	}
	slices.SortStableFunc(list, func(a, b attention) int { return cmp.Compare(b.Level, a.Level) })
	return list
}

// flags are what the command line needs to know of the environment.
func (r *request) flags() string {
	return " --project " + r.env.ProjectSlug + " --environment " + r.env.Slug
}

// management is a path of the management API within the environment.
func (r *request) management(path string) string {
	return "/pwa/v3/projects/" + r.env.ProjectSlug + "/environments/" + r.env.Slug + "/" + path
}
