package wire

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/session"
	"github.com/countersign-auth/countersign/internal/signing"
)

// Session is a session of a user (sessions-consumer.md §1.1).
type Session struct {
	SessionID             string                        `json:"session_id"`
	UserID                string                        `json:"user_id"`
	AuthenticationFactors []session.FactorShape         `json:"authentication_factors"`
	Roles                 []string                      `json:"roles"`
	StartedAt             *Moment                       `json:"started_at"`
	LastAccessedAt        *Moment                       `json:"last_accessed_at" doc:"To the minute."`
	ExpiresAt             *Moment                       `json:"expires_at"`
	Attributes            countersign.SessionAttributes `json:"attributes"`
	CustomClaims          countersign.Object            `json:"custom_claims" openapi:"nullable"`
}

// NewSession shapes a session of a user.
func NewSession(s countersign.Session, u countersign.Person) Session {
	return Session{
		SessionID: s.ID.String(), UserID: s.PersonID.String(), AuthenticationFactors: session.FactorShapes(s.Factors), Roles: u.Roles,
		StartedAt: moment(s.StartedAt), LastAccessedAt: moment(s.LastAccessedAt), ExpiresAt: moment(s.ExpiresAt),
		Attributes: s.Attributes, CustomClaims: s.CustomClaims,
	}
}

// Authorization answers an authorization check that was passed.
type Authorization struct {
	Authorized    bool     `json:"authorized"`
	GrantingRoles []string `json:"granting_roles"`
}

// KeySet is our own published key set (sessions-consumer.md §6).
type KeySet struct {
	Envelope
	Keys []signing.JWK `json:"keys"`
}

// CacheControl lets clients keep the key set for a quarter of an hour, a quarter
// of the time for which a key is published before it signs.
func (*KeySet) CacheControl() string { return "public, max-age=900" }
