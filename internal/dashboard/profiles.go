package dashboard

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

type profilesPage struct{ Profiles []keySetRow }

func listProfiles(d *Dashboard, r *request) (view, error) {
	list, err := d.Projects.Profiles(r.Context(), r.env.ID)
	if err != nil {
		return view{}, err
	}
	var data profilesPage
	for _, p := range list {
		data.Profiles = append(data.Profiles, keySetOf(d, p))
	}
	return view{
		template: "profiles", title: "Profiles", section: "profiles", data: data,
		cli: "countersign profile list" + r.flags(), api: "GET " + r.management("trusted_token_profiles"),
	}, nil
}

type profilePage struct {
	keySetRow
	Files    []wire.PEMFile
	Mapping  []mapRow
	Policy   string // what differs from the default
	Tests    []project.TestResult
	Passed   int
	Verdicts []countersign.Verdict // the newest
	Key      string                // typed, and not taken
	Problem  problem
	KeyRoom  bool
}

func showProfile(d *Dashboard, r *request) (view, error) { return profileView(d, r, "", problem{}) }

func profileView(d *Dashboard, r *request, key string, trouble problem) (view, error) {
	p, err := d.Projects.Profile(r.Context(), r.env.ID, r.PathValue("profile"))
	if err != nil {
		return view{}, err
	}
	data := profilePage{
		keySetRow: keySetOf(d, p), Files: wire.NewProfile(p).PEMFiles, Tests: d.Projects.TestProfile(p, r.env.Vertical),
		Key: key, Problem: trouble, KeyRoom: len(p.PEMFiles) < countersign.MaxPEMFiles,
	}
	form := profileFormOf(r.env, p)
	data.Policy = form.Policy
	data.Mapping = slices.DeleteFunc(form.Mapping, func(m mapRow) bool { return m.Claim == "" })
	for _, t := range data.Tests {
		if t.Passed {
			data.Passed++
		}
	}
	recent, err := d.Verdicts.List(r.Context(), r.env.ID, verdict.Filter{ProfileID: p.ID}, 8, "")
	if err != nil {
		return view{}, err
	}
	data.Verdicts = recent.Verdicts
	return view{
		template: "profile", title: p.Name, section: "profiles", data: data, status: trouble.status(),
		cli: "countersign profile get " + p.ID.String() + r.flags(), api: "GET " + r.management("trusted_token_profiles/"+p.ID.String()),
	}, nil
}

func deleteProfile(d *Dashboard, r *request) (view, error) {
	return view{redirect: r.path("profiles") + "?did=profile-deleted"}, d.Projects.DeleteProfile(r.Context(), r.actor, r.env.ID, r.PathValue("profile"))
}

func addProfileKey(d *Dashboard, r *request) (view, error) {
	text, err := r.pem()
	if err != nil {
		return view{}, err
	}
	_, err = d.Projects.AddPEMFile(r.Context(), r.actor, r.env.ID, r.PathValue("profile"), text)
	if ours(err) {
		trouble := problemOf(err)
		trouble.Field = "pem"
		return profileView(d, r, shownPEM(text), trouble)
	}
	return view{redirect: r.path("profiles", r.PathValue("profile")) + "?did=key-added"}, err
}

// pem is a public key of the form: pasted, or a file.
func (r *request) pem() (string, error) {
	if file, _, err := r.FormFile("pem_file"); err == nil {
		defer func() { _ = file.Close() }()
		text, err := io.ReadAll(file)
		if err != nil {
			return "", countersign.ErrBadRequest.Saying("The file could not be read.").Because(err)
		}
		if len(text) > 0 {
			return string(text), nil
		}
	}
	return strings.ReplaceAll(r.PostForm.Get("pem"), "\r\n", "\n"), nil
}

// shownPEM is what a form gives back of what was pasted: a private key is not one
// of the things that are shown again.
func shownPEM(text string) string {
	if strings.Contains(text, "PRIVATE KEY") {
		return ""
	}
	return text
}

func deleteProfileKey(d *Dashboard, r *request) (view, error) {
	ref := r.PathValue("profile")
	err := d.Projects.DeletePEMFile(r.Context(), r.actor, r.env.ID, ref, r.PathValue("key"))
	if ours(err) {
		trouble := problemOf(err)
		trouble.Field = "pem"
		return profileView(d, r, "", trouble)
	}
	return view{redirect: r.path("profiles", ref) + "?did=key-removed"}, err
}

func newProfile(_ *Dashboard, r *request) (view, error) {
	form := profileForm{KeyType: string(countersign.KeyTypeJWK), JIT: true, Policy: "{}", Mapping: usualMapping(r.env)}
	return profileFormView(r, form), nil
}

// proposeProfile fills in the form from what is known of an issuer.
func proposeProfile(d *Dashboard, r *request) (view, error) {
	issuer, token := r.field("from_issuer"), r.field("from_token")
	form := readProfileForm(r)
	made, err := d.Projects.Propose(r.Context(), r.env, project.Sample{Issuer: issuer, Token: countersign.Bearer(token)})
	if ours(err) {
		form.Problem = problemOf(err)
		form.Problem.Field = "from"
		form.FromIssuer, form.Token = issuer, token
		return profileFormView(r, form), nil
	}
	if err != nil {
		return view{}, err
	}
	form.JIT = true
	form.Proposed, form.Notes, form.Missing = true, made.Notes, made.Missing
	form.FromIssuer, form.Token = issuer, token
	form.Name, form.Issuer, form.Audience = made.Name, made.Issuer, made.Audience
	form.KeyType, form.JWKSURL = string(made.KeyType), made.JWKSURL
	form.Mapping = nil
	for _, attribute := range attributesOf(r.env) {
		form.Mapping = append(form.Mapping, mapRow{attribute, made.Mapping[attribute]})
	}
	if len(made.Algorithms) > 0 {
		form.Policy = pretty(map[string]any{"algorithms": made.Algorithms})
	}
	form.Preview = preview(d, r, form)
	return profileFormView(r, form), nil
}

func createProfile(d *Dashboard, r *request) (view, error) {
	form := readProfileForm(r)
	n, err := form.newProfile(r)
	if err == nil {
		var p countersign.Profile
		if p, err = d.Projects.CreateProfile(r.Context(), r.actor, r.env, n); err == nil {
			return view{redirect: r.path("profiles", p.ID.String()) + "?did=profile-created"}, nil
		}
	}
	return form.refused(d, r, err)
}

func editProfile(d *Dashboard, r *request) (view, error) {
	p, err := d.Projects.Profile(r.Context(), r.env.ID, r.PathValue("profile"))
	if err != nil {
		return view{}, err
	}
	return profileFormView(r, profileFormOf(r.env, p)), nil
}

func saveProfile(d *Dashboard, r *request) (view, error) {
	before, err := d.Projects.Profile(r.Context(), r.env.ID, r.PathValue("profile"))
	if err != nil {
		return view{}, err
	}
	form := readProfileForm(r)
	form.ID, form.KeyType = before.ID.String(), string(before.KeyType)
	patch, err := form.patch(before)
	if err == nil {
		if _, err = d.Projects.UpdateProfile(r.Context(), r.actor, r.env, form.ID, patch); err == nil {
			return view{redirect: r.path("profiles", form.ID) + "?did=profile-saved"}, nil
		}
	}
	return form.refused(d, r, err)
}

// replayProfile holds the verdicts of a while against what the form would make of the
// profile, and saves nothing.
func replayProfile(d *Dashboard, r *request) (view, error) {
	before, err := d.Projects.Profile(r.Context(), r.env.ID, r.PathValue("profile"))
	if err != nil {
		return view{}, err
	}
	form := readProfileForm(r)
	form.ID, form.KeyType = before.ID.String(), string(before.KeyType)
	from, err := since(cmp.Or(form.Since, "24h"), d.Now())
	if err != nil {
		form.Problem = problemOf(err)
		form.Problem.Field = "replay"
		return profileFormView(r, form), nil
	}
	edited, err := form.draft(d, r)
	if err != nil {
		return form.refused(d, r, err)
	}
	replayed, err := d.Sessions.Replay(r.Context(), r.env, &before, &edited, from)
	form.Replayed = &replayed
	v := profileFormView(r, form)
	v.cli = "countersign profile replay " + form.ID + " --since " + quote(cmp.Or(form.Since, "24h")) + " --audience " + quote(form.Audience) + r.flags()
	v.api = "POST " + r.management("trusted_token_profiles/"+form.ID+"/replay")
	return v, err
}

// refused shows the form again, with what is wrong beside the field.
func (f profileForm) refused(d *Dashboard, r *request, err error) (view, error) {
	if !ours(err) {
		return view{}, err
	}
	f.Problem = problemOf(err)
	f.Problem.Field = fieldOf(err)
	f.TestsFailed = f.Problem.Type == countersign.ErrProfileTestFailed.Type
	if f.Token != "" {
		f.Preview = preview(d, r, f)
	}
	return profileFormView(r, f), nil
}

// previewProfile shows what the mapping makes of a token, and saves nothing.
func previewProfile(d *Dashboard, r *request) (view, error) {
	form := readProfileForm(r)
	form.ID = r.field("profile_id")
	form.Preview = preview(d, r, form)
	return profileFormView(r, form), nil
}

func profileFormView(r *request, form profileForm) view {
	form.Force = form.Force && form.TestsFailed
	v := view{
		template: "profile_form", title: "New profile", section: "profiles", data: form, status: form.Problem.status(),
		cli: "countersign profile init --issuer " + quote(form.issuerOr("https://id.example.com")) + r.flags(),
		api: "POST " + r.management("trusted_token_profiles"),
	}
	if form.ID != "" {
		v.title = "Edit profile"
		v.cli = "countersign profile update " + form.ID + r.flags() + " --audience " + quote(form.Audience)
		v.api = "PATCH " + r.management("trusted_token_profiles/"+form.ID)
	}
	return v
}

func (f profileForm) issuerOr(other string) string {
	if f.Issuer == "" {
		return other
	}
	return f.Issuer
}

// completed is the form with what is not typed yet taken from a sample, so that the
// mapping can be tried before the rest is there.
func (f profileForm) completed(sample trust.Token) profileForm {
	fill := func(field *string, claim any, otherwise string) {
		if text, ok := claim.(string); *field == "" && ok {
			*field = text
		}
		if *field == "" {
			*field = otherwise
		}
	}
	aud := sample.Claims["aud"]
	if list, ok := aud.([]any); ok && len(list) > 0 {
		aud = list[0]
	}
	fill(&f.Name, nil, "draft")
	fill(&f.Issuer, sample.Claims["iss"], "draft")
	fill(&f.Audience, aud, "draft")
	if f.KeyType == string(countersign.KeyTypeJWK) {
		fill(&f.JWKSURL, nil, "https://draft.invalid")
	}
	return f
}

// previewed is what a profile that need not be saved makes of a sample.
type previewed struct {
	Attributes *wire.Attributes
	Claims     string // of the sample
	Reason     string // for which it would be refused, times and signature apart
	Expected   string
	Received   string
	Hint       string
	Problem    problem
}

// preview judges the claims of a sample as if the issuer had just signed them: it
// may have expired long ago.
func preview(d *Dashboard, r *request, form profileForm) *previewed {
	if form.Token == "" {
		return nil
	}
	token, err := trust.Unverified(form.Token)
	if err != nil {
		return &previewed{Problem: problem{Field: "token", Type: "malformed", Text: "That is no JWT: " + err.Error() + "."}}
	}
	shown := &previewed{Claims: pretty(map[string]any(token.Claims))}
	draft, err := form.completed(token).draft(d, r)
	if err != nil {
		shown.Problem = problemOf(err)
		return shown
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		delete(token.Claims, name)
	}
	header, err := json.Marshal(token.Header)
	if err != nil {
		return shown
	}
	claims, err := json.Marshal(token.Claims)
	if err != nil {
		return shown
	}
	sample, err := d.Sessions.Sample(&draft, header, claims)
	if err != nil {
		shown.Problem = problemOf(err)
		return shown
	}
	explained, err := d.Sessions.Explain(r.Context(), r.env, &draft, sample)
	if err != nil {
		shown.Problem = problemOf(err)
		return shown
	}
	shape := wire.NewExplanation(r.env.Vertical, &draft, explained, false)
	shown.Attributes = shape.Attributes
	if refusal := explained.Refusal; refusal != nil {
		shown.Reason, shown.Expected, shown.Received = string(refusal.Reason), refusal.Expected, refusal.Received
		shown.Hint = trust.Hint(&draft, refusal.Step, refusal.Reason, explained.Facts, explained.At)
	}
	return shown
}
