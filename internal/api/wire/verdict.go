package wire

import (
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Verdict is what became of one subject token. This server's addition to the
// contract, as all in this file.
type Verdict struct {
	RequestID  string     `json:"request_id" doc:"Of the request that brought the token."`
	JudgedAt   *Moment    `json:"judged_at"`
	ProfileID  string     `json:"profile_id"`
	UserID     *string    `json:"user_id" doc:"Whom the token speaks of; null if that is not known, or a member."`
	MemberID   *string    `json:"member_id" doc:"Whom the token speaks of; null if that is not known, or a user."`
	Outcome    string     `json:"outcome" openapi:"enum=accepted|refused"`
	Reason     *string    `json:"reason" doc:"Why it was refused, one of a fixed list; null if it was accepted."`
	Step       *string    `json:"step" doc:"The check that refused it."`
	Expected   *string    `json:"expected"`
	Received   *string    `json:"received"`
	Shadow     bool       `json:"shadow" doc:"The profile was only tried: whatever the outcome, nobody was signed in."`
	RemoteAddr string     `json:"remote_address" doc:"Of the caller."`
	Token      TokenFacts `json:"token"`
}

// TokenFacts are what is kept of a token. Long values are cut.
type TokenFacts struct {
	Algorithm  *string  `json:"alg"`
	KeyID      *string  `json:"kid"`
	Type       *string  `json:"typ"`
	Issuer     *string  `json:"iss"`
	Audiences  []string `json:"aud"`
	ExpiresAt  *Moment  `json:"exp"`
	NotBefore  *Moment  `json:"nbf"`
	IssuedAt   *Moment  `json:"iat"`
	ClaimNames []string `json:"claim_names" doc:"Names only: no claim's value is kept."`
}

// NewTokenFacts shapes what is kept of a token.
func NewTokenFacts(f countersign.TokenFacts) TokenFacts {
	same := func(s string) string { return s }
	return TokenFacts{
		Algorithm: textOrNull(f.Algorithm), KeyID: textOrNull(f.KeyID), Type: textOrNull(f.Type), Issuer: textOrNull(f.Issuer),
		Audiences: each(f.Audiences, same), ExpiresAt: moment(f.ExpiresAt), NotBefore: moment(f.NotBefore), IssuedAt: moment(f.IssuedAt),
		ClaimNames: each(f.ClaimNames, same),
	}
}

// textOrNull is null for "".
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// NewVerdict shapes a verdict.
func NewVerdict(v countersign.Verdict) Verdict {
	w := Verdict{
		RequestID: v.RequestID.String(), JudgedAt: moment(v.At), ProfileID: v.ProfileID.String(),
		Outcome: countersign.VerdictAccepted, Reason: textOrNull(v.Reason), Step: textOrNull(v.Step), Expected: textOrNull(v.Expected), Received: textOrNull(v.Received),
		Shadow: v.Shadow, RemoteAddr: v.Address, Token: NewTokenFacts(v.Facts),
	}
	w.UserID, w.MemberID = personIDs(v.PersonID)
	if v.Reason != "" {
		w.Outcome = "refused"
	}
	return w
}

// personIDs are the ID of a user and that of a member, of which at most one is there.
func personIDs(id countersign.PersonID) (user, member *string) {
	if countersign.IsMember(id) {
		return nil, textOrNull(id.String())
	}
	return textOrNull(id.String()), nil
}

// NewVerdicts shapes a list of verdicts.
func NewVerdicts(list []countersign.Verdict) []Verdict { return each(list, NewVerdict) }

// Step is one check on a token's way, in the order in which they are made.
type Step struct {
	Step     string  `json:"step" openapi:"enum=size|form|json|algorithm|critical|type|issuer|audience|times|key|signature|conditions|mapping|email|once|subject"`
	Status   string  `json:"status" openapi:"enum=passed|failed|not_reached"`
	Reason   *string `json:"reason"`
	Expected *string `json:"expected"`
	Received *string `json:"received"`
	Hint     *string `json:"hint" doc:"What to do about it."`
}

// NewSteps are all steps, given which one refused, or none; signed is false for a
// sample without a signature, whose form, key and signature were never looked at.
func NewSteps(refused string, reason, expected, received, hint string, signed bool) []Step {
	var list []Step
	status := "passed"
	for _, step := range trust.Steps() {
		s := Step{Step: string(step), Status: status}
		switch {
		case !signed && unsigned(step):
			s.Status = "not_reached"
		case string(step) == refused:
			s.Status, status = "failed", "not_reached"
			s.Reason, s.Expected, s.Received, s.Hint = textOrNull(reason), textOrNull(expected), textOrNull(received), textOrNull(hint)
		}
		list = append(list, s)
	}
	return list
}

// unsigned reports whether a step has nothing to look at in claims that came by
// themselves.
func unsigned(s trust.Step) bool {
	switch s {
	case trust.StepSize, trust.StepForm, trust.StepJSON, trust.StepKey, trust.StepSignature:
		return true
	default:
		return false
	}
}

// Explanation is how a profile judges a sample.
type Explanation struct {
	Outcome    string      `json:"outcome" openapi:"enum=accepted|refused"`
	Reason     *string     `json:"reason"`
	Steps      []Step      `json:"steps"`
	Token      TokenFacts  `json:"token"`
	Attributes *Attributes `json:"attributes" doc:"What the mapping found; null if the sample did not get there."`
	Person     *Person     `json:"person" doc:"Whom it would sign in; null if nobody."`
}

// Attributes are what a mapping found.
type Attributes struct {
	Email            string    `json:"email"`
	TokenID          string    `json:"token_id"`
	ExternalUserID   *string   `json:"external_user_id"`
	ExternalMemberID *string   `json:"external_member_id"`
	OrganizationID   *string   `json:"organization_id" doc:"As the issuer names it."`
	RoleIDs          *[]string `json:"role_ids" doc:"Null if the token says nothing about roles."`
	Subject          *string   `json:"subject" doc:"The value of the policy's subject_claim."`
}

// Person is whom a sample would sign in.
type Person struct {
	UserID         *string `json:"user_id" doc:"Null if the sign-in would make the user, and for a member."`
	MemberID       *string `json:"member_id" doc:"Null if the sign-in would make the member, and for a user."`
	OrganizationID *string `json:"organization_id" doc:"Null if the sign-in would make the organization, and for a user."`
	Provided       bool    `json:"would_be_provisioned"`
}

// NewExplanation shapes an explanation.
func NewExplanation(v countersign.Vertical, p *countersign.Profile, e session.Explanation, signed bool) Explanation {
	w := Explanation{Outcome: countersign.VerdictAccepted, Token: NewTokenFacts(e.Facts)}
	if r := e.Refusal; r != nil {
		w.Outcome, w.Reason = "refused", textOrNull(string(r.Reason))
		w.Steps = NewSteps(string(r.Step), string(r.Reason), r.Expected, r.Received, trust.Hint(p, r.Step, r.Reason, e.Facts, e.At), signed)
	} else {
		w.Steps = NewSteps("", "", "", "", "", signed)
	}
	if a := e.Attributes; a != nil {
		w.Attributes = &Attributes{Email: a.Email, TokenID: a.TokenID, Subject: textOrNull(a.Subject), OrganizationID: textOrNull(a.OrganizationID)}
		if v == countersign.B2B {
			w.Attributes.ExternalMemberID = textOrNull(a.ExternalID)
		} else {
			w.Attributes.ExternalUserID = textOrNull(a.ExternalID)
		}
		if a.RoleIDs != nil {
			w.Attributes.RoleIDs = &a.RoleIDs
		}
	}
	if e.Provisions || !e.Person.ID.IsZero() {
		w.Person = &Person{Provided: e.Provisions}
		w.Person.UserID, w.Person.MemberID = personIDs(e.Person.ID)
		if e.Organization != nil {
			w.Person.OrganizationID = textOrNull(e.Organization.ID.String())
		}
	}
	return w
}

// TestResult is what became of one of a profile's tests.
type TestResult struct {
	Name     string `json:"name"`
	Passed   bool   `json:"passed"`
	Expected string `json:"expected"`
	Received string `json:"received"`
}

// NewTestResults shapes a list of results.
func NewTestResults(list []project.TestResult) []TestResult {
	return each(list, func(r project.TestResult) TestResult { return TestResult(r) })
}

// ReplayChange is an outcome that an edit would change.
type ReplayChange struct {
	From    string `json:"from" doc:"accepted, or the reason of refusal."`
	To      string `json:"to" doc:"accepted, a reason, or unknown where what is kept of a token cannot tell."`
	Count   int    `json:"count" openapi:"minimum=1"`
	Example string `json:"example_request_id" doc:"The newest of them."`
}

// NewReplayChanges shapes a list of changes.
func NewReplayChanges(list []session.Change) []ReplayChange {
	return each(list, func(c session.Change) ReplayChange {
		return ReplayChange{From: c.From, To: c.To, Count: c.Count, Example: c.Example.String()}
	})
}

// Revocation ends sessions until their rows are gone.
type Revocation struct {
	RevocationID   string  `json:"revocation_id"`
	ProfileID      *string `json:"profile_id"`
	KeyID          *string `json:"key_id"`
	AttestedBefore string  `json:"attested_before" openapi:"format=date-time" doc:"With microseconds."`
	CreatedAt      *Moment `json:"created_at"`
	SweptAt        *Moment `json:"swept_at" doc:"When the last row was gone; the revocation stands for a day longer."`
}

// NewRevocation shapes a revocation.
func NewRevocation(r countersign.Revocation) Revocation {
	return Revocation{
		RevocationID: r.ID.String(), ProfileID: textOrNull(r.ProfileID.String()), KeyID: textOrNull(r.KeyID),
		AttestedBefore: r.Before.UTC().Format(time.RFC3339Nano), CreatedAt: moment(r.CreatedAt), SweptAt: moment(r.SweptAt),
	}
}

// NewRevocations shapes a list of revocations.
func NewRevocations(list []countersign.Revocation) []Revocation { return each(list, NewRevocation) }
