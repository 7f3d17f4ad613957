package session

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// maxReplayed bounds how many verdicts one replay looks at, the newest first.
const maxReplayed = 50_000

// Unknown stands for an outcome that nothing kept of a token can tell.
const Unknown = "unknown"

// Change is an outcome that a profile would change, and how often.
type Change struct {
	From    string // a reason, or VerdictAccepted
	To      string // a reason, VerdictAccepted, or Unknown
	Count   int
	Example countersign.RequestID // the newest
}

// Replayed is what an edited profile would have made of the tokens that came.
type Replayed struct {
	Judged  int
	Same    int
	Changes []Change // the most frequent first
	All     bool     // false if there are more verdicts than were looked at
}

// Replay holds the kept verdicts of a profile since a moment against an edited
// one. A verdict holds what a token's header and registered claims said: what an
// edit changes in those steps is known. What it changes in conditions, mapping,
// e-mail trust and whom a token speaks of is not, because no claim is kept: of
// tokens that came that far, the outcome is then unknown.
func (s *Service) Replay(ctx context.Context, env countersign.Environment, before, edited *countersign.Profile, since time.Time) (r Replayed, err error) {
	changes := map[[2]string]*Change{}
	filter := verdict.Filter{ProfileID: before.ID, Since: since}
	beyond := editsBeyond(before, edited)
	for cursor := ""; ; {
		page, err := s.Verdicts.List(ctx, env.ID, filter, verdict.MaxLimit, cursor)
		if err != nil {
			return r, err
		}
		for _, v := range page.Verdicts {
			r.Judged++
			from, to := orAccepted(v.Reason), outcome(edited, v, beyond)
			if from == to {
				r.Same++
				continue
			}
			key := [2]string{from, to}
			if changes[key] == nil {
				changes[key] = &Change{From: from, To: to, Example: v.RequestID}
			}
			changes[key].Count++
		}
		if cursor = page.Next; cursor == "" || r.Judged >= maxReplayed {
			r.All = cursor == ""
			break
		}
	}
	for _, c := range changes {
		r.Changes = append(r.Changes, *c)
	}
	slices.SortFunc(r.Changes, func(a, b Change) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return slices.Compare([]string{a.From, a.To}, []string{b.From, b.To})
	})
	return r, nil
}

func orAccepted(reason string) string {
	if reason == "" {
		return countersign.VerdictAccepted
	}
	return reason
}

// outcome is what the edited profile would have made of a token. beyond is the
// first step behind the registered claims that the edit changes, or "".
func outcome(edited *countersign.Profile, v countersign.Verdict, beyond trust.Step) string {
	order := trust.Steps()
	at := func(s trust.Step) int { return slices.Index(order, s) }
	then := len(order) // the step that refused it; an accepted token came to the end
	if v.Reason != "" {
		then = at(trust.Step(v.Step))
	}
	// Its form was at fault, and no profile changes that.
	malformed := v.Reason == string(trust.Malformed) || v.Reason == string(trust.UnsupportedCriticalHeader)
	if then < at(trust.StepAlgorithm) || malformed && then == at(trust.StepAlgorithm) {
		return v.Reason
	}
	refusal, known := trust.Rejudge(edited, v.Facts, v.At)
	switch {
	case malformed && then <= at(trust.StepTimes) && (refusal == nil || at(refusal.Step) >= then):
		return v.Reason
	case !known:
		return Unknown
	case refusal != nil:
		return string(refusal.Reason)
	case then <= at(trust.StepTimes):
		return Unknown // it would get further, and nothing is known of that
	case beyond != "" && at(beyond) <= then:
		return Unknown
	}
	return orAccepted(v.Reason)
}

// editsBeyond is the first step behind the registered claims that an edit
// changes.
func editsBeyond(a, b *countersign.Profile) trust.Step {
	p, q := a.Policy, b.Policy
	switch {
	case a.JWKSURL != b.JWKSURL:
		return trust.StepKey
	case !sameList(p.Conditions, q.Conditions):
		return trust.StepConditions
	case string(a.AttributeMapping) != string(b.AttributeMapping), p.SubjectClaim != q.SubjectClaim:
		return trust.StepMapping
	case p.EmailTrust != q.EmailTrust, !sameList(p.EmailDomains, q.EmailDomains):
		return trust.StepEmail
	case p.OneTimeTokens != q.OneTimeTokens:
		return trust.StepOnce
	case a.CanJITProvision != b.CanJITProvision, !sameList(p.RoleIDsAllowed, q.RoleIDsAllowed), !sameList(p.JITDomains, q.JITDomains),
		!maps.Equal(p.OnSignIn, q.OnSignIn), p.JITPerHour != q.JITPerHour, p.OrganizationID != q.OrganizationID:
		return trust.StepSubject
	}
	return ""
}

// sameList tells an empty list, which allows nothing, from none, which allows all.
func sameList(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }
