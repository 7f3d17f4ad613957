package management

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

type verdictAnswer struct {
	wire.Envelope
	Verdict wire.Verdict `json:"verdict"`
	Steps   []wire.Step  `json:"steps"`
}

// verdict finds a verdict; its hint is for the profile as it is now.
func (s *Surface) verdict(ctx context.Context, r *api.Request[api.None]) (*verdictAnswer, error) {
	env := r.Caller.Environment.ID
	v, err := s.Verdicts.Find(ctx, env, r.Path("request_id"))
	if err != nil {
		return nil, err
	}
	hint := ""
	p, err := s.Projects.Profile(ctx, env, v.ProfileID.String())
	switch {
	case err == nil:
		hint = trust.Hint(&p, trust.Step(v.Step), trust.Reason(v.Reason), v.Facts, v.At)
	case !errors.Is(err, countersign.ErrProfileNotFound):
		return nil, err
	}
	return &verdictAnswer{Verdict: wire.NewVerdict(v), Steps: wire.NewSteps(v.Step, v.Reason, v.Expected, v.Received, hint, true)}, nil
}

type verdictsAnswer struct {
	wire.Envelope
	Verdicts   []wire.Verdict `json:"verdicts"`
	NextCursor *string        `json:"next_cursor" doc:"Null after the last page; a page may be short and yet have a next one."`
	NotKept    int            `json:"not_kept" openapi:"minimum=0" doc:"Refusals of the time and profile that were only counted, because there were too many in a minute."`
}

// verdictQuery are the filters of a list of verdicts.
var verdictQuery = []api.QueryParameter{
	{Name: "profile_id", Description: "Only of this profile."},
	{Name: "reason", Description: "Only of this reason; accepted for those that were accepted."},
	{Name: "user_id", Description: "Only of tokens that speak of this user (consumer)."},
	{Name: "member_id", Description: "Only of tokens that speak of this member (B2B)."},
	{Name: "since", Description: "Only from this moment on (RFC 3339)."},
	{Name: "until", Description: "Only from before this moment (RFC 3339)."},
	{Name: "limit", Description: "How many at most, from 1 to 1000; 100 if absent."},
	{Name: "cursor", Description: "The next_cursor of the page before."},
}

func (s *Surface) listVerdicts(ctx context.Context, r *api.Request[api.None]) (*verdictsAnswer, error) {
	f, err := verdictFilter(r)
	if err != nil {
		return nil, err
	}
	limit, err := queryLimit(r)
	if err != nil {
		return nil, err
	}
	page, err := s.Verdicts.List(ctx, r.Caller.Environment.ID, f, limit, r.Query("cursor"))
	answer := &verdictsAnswer{Verdicts: wire.NewVerdicts(page.Verdicts), NotKept: page.Missed}
	if page.Next != "" {
		answer.NextCursor = &page.Next
	}
	return answer, err
}

func verdictFilter(r *api.Request[api.None]) (f verdict.Filter, err error) {
	if text := r.Query("profile_id"); text != "" {
		if f.ProfileID, err = countersign.ParseID[countersign.ProfileID](text); err != nil {
			return f, countersign.ErrBadRequest.Saying("profile_id is no ID of a profile.")
		}
	}
	called := r.Caller.Environment.Vertical.Terms()
	if text := r.Query(called.IDField); text != "" {
		if f.PersonID, err = countersign.ParseID[countersign.PersonID](text); err != nil {
			return f, called.InvalidID
		}
	}
	if text := r.Query("reason"); text != "" {
		if text == countersign.VerdictAccepted {
			text = ""
		} else if trust.StepOf(trust.Reason(text)) == "" {
			return f, countersign.ErrBadRequest.Saying("There is no reason %.64q.", text)
		}
		f.Reason = &text
	}
	if f.Since, err = queryMoment(r, "since"); err != nil {
		return f, err
	}
	f.Until, err = queryMoment(r, "until")
	return f, err
}

// queryLimit is the size of a page, 0 if the query says nothing.
func queryLimit(r *api.Request[api.None]) (int, error) {
	text := r.Query("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit == 0 {
		return 0, countersign.ErrBadRequest.Saying("limit must be a whole number from 1 on.")
	}
	return limit, nil
}

func queryMoment(r *api.Request[api.None], name string) (time.Time, error) {
	text := r.Query(name)
	if text == "" {
		return time.Time{}, nil
	}
	return parseMoment(name, text)
}

// parseMoment reads RFC 3339 between the years 1970 and 9999.
func parseMoment(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Unix() < 0 || t.UTC().Year() > 9999 {
		return t, countersign.ErrBadRequest.Saying("%s must be a moment such as 2026-01-31T12:00:00Z (RFC 3339).", name)
	}
	return t, nil
}

type explainRequest struct {
	Token          string               `json:"token" doc:"A subject token. Without it, claims are judged, as if the issuer had signed them."`
	Header         json.RawMessage      `json:"header" openapi:"type=object" doc:"Beside claims; what every token of the profile has is added."`
	Claims         json.RawMessage      `json:"claims" openapi:"type=object" doc:"In the place of a token; iss, aud, iat and exp are added if they are absent."`
	Profile        updateProfileRequest `json:"profile" doc:"Changes of the profile to try; nothing is saved."`
	OrganizationID string               `json:"organization_id" doc:"What a caller would name beside the token (B2B): an ID, external ID or slug."`
}

type explainAnswer struct {
	wire.Envelope
	Explanation wire.Explanation `json:"explanation"`
}

// explain judges a token or claims, step by step, and changes nothing.
func (s *Surface) explain(ctx context.Context, r *api.Request[explainRequest]) (*explainAnswer, error) {
	e := r.Caller.Environment
	_, p, err := s.Projects.DraftProfile(ctx, e, r.Path("profile_id"), r.Body.Profile.patch())
	if err != nil {
		return nil, err
	}
	sample := session.Sample{Token: countersign.Bearer(r.Body.Token)}
	if r.Body.Token == "" {
		if isNull(r.Body.Claims) {
			return nil, countersign.ErrBadRequest.Saying("token or claims is required.")
		}
		if sample, err = s.Sessions.Sample(&p, r.Body.Header, r.Body.Claims); err != nil {
			return nil, err
		}
	}
	sample.Organization = r.Body.OrganizationID
	explained, err := s.Sessions.Explain(ctx, e, &p, sample)
	return &explainAnswer{Explanation: wire.NewExplanation(e.Vertical, &p, explained, r.Body.Token != "")}, err
}

// isNull reports whether a member is absent or null.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

type testRequest struct {
	Profile updateProfileRequest `json:"profile" doc:"Changes of the profile to try; nothing is saved."`
}

type testAnswer struct {
	wire.Envelope
	Passed  bool              `json:"passed" doc:"All of them did."`
	Results []wire.TestResult `json:"results"`
}

// testProfile runs a profile's own tests.
func (s *Surface) testProfile(ctx context.Context, r *api.Request[testRequest]) (*testAnswer, error) {
	_, p, err := s.Projects.DraftProfile(ctx, r.Caller.Environment, r.Path("profile_id"), r.Body.Profile.patch())
	if err != nil {
		return nil, err
	}
	results := s.Projects.TestProfile(p, r.Caller.Environment.Vertical)
	answer := &testAnswer{Passed: true, Results: wire.NewTestResults(results)}
	for _, result := range results {
		answer.Passed = answer.Passed && result.Passed
	}
	return answer, nil
}

type replayRequest struct {
	Since   string               `json:"since" openapi:"required,format=date-time" doc:"Verdicts from this moment on (RFC 3339)."`
	Profile updateProfileRequest `json:"profile" doc:"Changes of the profile to try; nothing is saved."`
}

type replayAnswer struct {
	wire.Envelope
	Judged   int                 `json:"judged" openapi:"minimum=0" doc:"Verdicts that were looked at, the newest first, 50000 at most."`
	Same     int                 `json:"same" openapi:"minimum=0" doc:"Of these, those whose outcome would be the same."`
	Changes  []wire.ReplayChange `json:"changes"`
	Complete bool                `json:"complete" doc:"False if there are more verdicts."`
}

// replay holds kept verdicts against an edited profile.
func (s *Surface) replay(ctx context.Context, r *api.Request[replayRequest]) (*replayAnswer, error) {
	e := r.Caller.Environment
	since, err := parseMoment("since", r.Body.Since)
	if err != nil {
		return nil, err
	}
	before, edited, err := s.Projects.DraftProfile(ctx, e, r.Path("profile_id"), r.Body.Profile.patch())
	if err != nil {
		return nil, err
	}
	replayed, err := s.Sessions.Replay(ctx, e, &before, &edited, since)
	return &replayAnswer{
		Judged: replayed.Judged, Same: replayed.Same, Changes: wire.NewReplayChanges(replayed.Changes), Complete: replayed.All,
	}, err
}
