package trust

import (
	"fmt"
	"time"
)

// Reason is why a subject token was refused: the verdict's, the log's and the
// metric label's word for it. The list is closed.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	TokenTooLarge             Reason = "token_too_large"
	Malformed                 Reason = "malformed"
	AlgorithmNotAllowed       Reason = "algorithm_not_allowed"
	UnsupportedCriticalHeader Reason = "unsupported_critical_header"
	WrongType                 Reason = "wrong_type"
	IssuerMismatch            Reason = "issuer_mismatch"
	AudienceMismatch          Reason = "audience_mismatch"
	MissingExpiry             Reason = "missing_expiry"
	Expired                   Reason = "expired"
	NotYetValid               Reason = "not_yet_valid"
	IssuedInFuture            Reason = "issued_in_future"
	LifetimeTooLong           Reason = "lifetime_too_long"
	KeyNotFound               Reason = "key_not_found"
	KeyUnusable               Reason = "key_unusable"
	KeysUnavailable           Reason = "keys_unavailable"
	SignatureInvalid          Reason = "signature_invalid"
	ConditionFailed           Reason = "condition_failed"
	AttributeNotMapped        Reason = "attribute_not_mapped"
	ClaimMissing              Reason = "claim_missing"
	ClaimType                 Reason = "claim_type"
	EmailInvalid              Reason = "email_invalid"
	EmailNotVerified          Reason = "email_not_verified"
	EmailDomainNotAllowed     Reason = "email_domain_not_allowed"
	AlreadyUsed               Reason = "already_used"
	OrganizationUnknown       Reason = "organization_unknown"
	OrganizationConflict      Reason = "organization_conflict"
	SubjectUnknown            Reason = "subject_unknown"
	SubjectConflict           Reason = "subject_conflict"
	SessionMismatch           Reason = "session_mismatch"
	RoleNotAllowed            Reason = "role_not_allowed"
	JITDomainNotAllowed       Reason = "jit_domain_not_allowed"
	JITLimitReached           Reason = "jit_limit_reached"
)

// Refusal says why a token was refused. Expected and Received are fit for a
// caller who holds a project secret: they hold what the profile says and what
// iss, aud, alg, kid, typ and the times of the token say, never another claim's
// value, never the token.
type Refusal struct {
	Reason     Reason
	Step       Step          // that refused
	Expected   string        // what would have been accepted, "" if it cannot be said in a line
	Received   string        // what came instead
	RetryAfter time.Duration // of KeysUnavailable
	Cause      error         // for the log
}

func (r *Refusal) Error() string {
	s := string(r.Reason)
	if r.Expected != "" {
		s += ": expected " + r.Expected
	}
	if r.Received != "" {
		s += fmt.Sprintf(", received %s", r.Received)
	}
	if r.Cause != nil {
		s += ": " + r.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }
