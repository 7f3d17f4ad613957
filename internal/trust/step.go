package trust

import "slices"

// Step is one of the checks that a token passes on its way to a session.
type Step string

// The steps.
const (
	StepSize       Step = "size"
	StepForm       Step = "form"       // a compact JWS (RFC 7515 §3.1)
	StepJSON       Step = "json"       // header and claims are JSON objects that everybody reads alike
	StepAlgorithm  Step = "algorithm"  // RFC 8725 §3.1
	StepCritical   Step = "critical"   // RFC 7515 §4.1.11
	StepType       Step = "type"       // RFC 8725 §3.11
	StepIssuer     Step = "issuer"     // RFC 7519 §4.1.1
	StepAudience   Step = "audience"   // RFC 7519 §4.1.3
	StepTimes      Step = "times"      // RFC 7519 §4.1.4 to §4.1.6
	StepKey        Step = "key"        // RFC 7515 §6
	StepSignature  Step = "signature"  // RFC 7515 §5.2
	StepConditions Step = "conditions" // the profile's own
	StepMapping    Step = "mapping"    // claims to attributes
	StepEmail      Step = "email"      // whether the issuer's word about an address is good
	StepOnce       Step = "once"       // one-time use
	StepSubject    Step = "subject"    // whom it speaks of
)

// steps is how far a token comes before each of them, and what each refuses.
var steps = [...]struct {
	step    Step
	reasons []Reason
}{
	{StepSize, []Reason{TokenTooLarge}},
	{StepForm, []Reason{Malformed}},
	{StepJSON, nil},
	{StepAlgorithm, []Reason{AlgorithmNotAllowed}},
	{StepCritical, []Reason{UnsupportedCriticalHeader}},
	{StepType, []Reason{WrongType}},
	{StepIssuer, []Reason{IssuerMismatch}},
	{StepAudience, []Reason{AudienceMismatch}},
	{StepTimes, []Reason{MissingExpiry, Expired, NotYetValid, IssuedInFuture, LifetimeTooLong}},
	{StepKey, []Reason{KeyNotFound, KeyUnusable, KeysUnavailable}},
	{StepSignature, []Reason{SignatureInvalid}},
	{StepConditions, []Reason{ConditionFailed}},
	{StepMapping, []Reason{AttributeNotMapped, ClaimMissing, ClaimType, EmailInvalid}},
	{StepEmail, []Reason{EmailNotVerified, EmailDomainNotAllowed}},
	{StepOnce, []Reason{AlreadyUsed}},
	{StepSubject, []Reason{OrganizationUnknown, OrganizationConflict, SubjectUnknown, SubjectConflict, SessionMismatch, RoleNotAllowed, JITDomainNotAllowed, JITLimitReached}},
}

// Steps are all steps, in the order in which they are taken.
func Steps() []Step {
	list := make([]Step, len(steps))
	for i, s := range steps {
		list[i] = s.step
	}
	return list
}

// Reasons are all reasons, in the order of their steps.
func Reasons() []Reason {
	var list []Reason
	for _, s := range steps {
		list = append(list, s.reasons...)
	}
	return list
}

// StepOf is the step that refuses for a reason, "" if there is no such reason.
// Malformed stands for several; the first of them is StepForm.
func StepOf(reason Reason) Step {
	for _, s := range steps {
		if slices.Contains(s.reasons, reason) {
			return s.step
		}
	}
	return ""
}

// Refuse makes a Refusal whose texts are at most 256 bytes long.
func Refuse(reason Reason, expected, received string) *Refusal {
	return &Refusal{Reason: reason, Step: StepOf(reason), Expected: clip(expected, maxShown), Received: clip(received, maxShown)}
}

// malformedAt is Refuse for Malformed, which several steps refuse for.
func malformedAt(step Step, expected, received string) *Refusal {
	r := Refuse(Malformed, expected, received)
	r.Step = step
	return r
}
