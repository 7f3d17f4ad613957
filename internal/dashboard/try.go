package dashboard

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/session"
)

type tryPage struct {
	Profile     countersign.Profile
	Token       string
	Claims      string
	Explanation *wire.Explanation
	Problem     problem
}

func tryForm(d *Dashboard, r *request) (view, error) { return tryView(d, r, "", "") }

func tryToken(d *Dashboard, r *request) (view, error) {
	return tryView(d, r, r.field("token"), r.field("claims"))
}

// tryView judges a sample, if there is one, as a sign-in would, and changes
// nothing.
func tryView(d *Dashboard, r *request, token, claims string) (view, error) {
	p, err := d.Projects.Profile(r.Context(), r.env.ID, r.PathValue("profile"))
	if err != nil {
		return view{}, err
	}
	data := tryPage{Profile: p, Token: token, Claims: claims}
	if r.Method == "POST" {
		sample := session.Sample{Token: countersign.Bearer(token)}
		if token == "" {
			if claims == "" {
				data.Claims, err = claims, countersign.ErrBadRequest.Saying("Paste a token, or write claims.")
			} else {
				sample, err = d.Sessions.Sample(&p, nil, []byte(claims))
			}
		}
		var explained session.Explanation
		if err == nil {
			explained, err = d.Sessions.Explain(r.Context(), r.env, &p, sample)
		}
		switch {
		case ours(err):
			data.Problem = problemOf(err)
		case err != nil:
			return view{}, err
		default:
			shape := wire.NewExplanation(r.env.Vertical, &p, explained, token != "")
			data.Explanation = &shape
		}
	}
	return view{
		template: "try", title: "Try a token", section: "profiles", data: data, status: data.Problem.status(),
		cli: "countersign explain --profile " + p.ID.String() + " --token FILE" + r.flags(),
		api: "POST " + r.management("trusted_token_profiles/"+p.ID.String()+"/explain"),
	}, nil
}
