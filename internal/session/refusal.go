package session

import (
	"fmt"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// wireError is the contract's error for a refusal, which for whom a token speaks of
// depends on the vertical, with what a caller who holds a secret may know: the
// reason, expected and received.
func wireError(v countersign.Vertical, r *trust.Refusal) error {
	var e *countersign.Error
	called := v.Terms()
	switch r.Reason {
	case trust.TokenTooLarge, trust.Malformed, trust.AlgorithmNotAllowed, trust.UnsupportedCriticalHeader, trust.WrongType,
		trust.MissingExpiry, trust.Expired, trust.NotYetValid, trust.IssuedInFuture, trust.LifetimeTooLong,
		trust.KeyNotFound, trust.KeyUnusable, trust.SignatureInvalid, trust.ConditionFailed, trust.AlreadyUsed:
		e = countersign.ErrInvalidTrustedAuthToken
	case trust.IssuerMismatch:
		e = countersign.ErrJWTInvalidIssuer
	case trust.AudienceMismatch:
		e = countersign.ErrJWTInvalidAudience
	case trust.AttributeNotMapped, trust.ClaimMissing, trust.ClaimType, trust.EmailNotVerified, trust.EmailDomainNotAllowed:
		e = countersign.ErrJWTInvalidClaims
	case trust.EmailInvalid:
		e = countersign.ErrInvalidEmail
	case trust.KeysUnavailable:
		e = countersign.ErrKeysUnavailable.After(r.RetryAfter)
	case trust.OrganizationUnknown:
		e = countersign.ErrOrganizationNotFound
	case trust.OrganizationConflict:
		e = countersign.ErrTokenInvalidOrganization
	case trust.SubjectUnknown, trust.JITDomainNotAllowed, trust.JITLimitReached:
		e = called.NotFound
	case trust.SubjectConflict:
		e = called.DuplicateEmail
	case trust.SessionMismatch:
		e = called.SessionMismatch
	case trust.RoleNotAllowed:
		e = countersign.ErrInvalidRBACRoleID
	}
	return refusedAs(e, r)
}

// refusedAs is an error of the contract that tells of a refusal.
func refusedAs(e *countersign.Error, r *trust.Refusal) error {
	return e.Because(r).Saying("%s", sentence(r))
}

func sentence(r *trust.Refusal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Reason: %s.", r.Reason)
	if r.Expected != "" {
		fmt.Fprintf(&b, " Expected: %s.", r.Expected)
	}
	if r.Received != "" {
		fmt.Fprintf(&b, " Received: %s.", r.Received)
	}
	return b.String()
}
