package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/standing"
)

// jwtLifetime is how long a session JWT is valid, whatever the session's own
// lifetime (README §6).
const jwtLifetime = 5 * time.Minute

// issuerPrefix stands before the environment's ID in iss: the only form that
// every published client accepts, and it has no scheme (sessions-consumer.md §5).
const issuerPrefix = "stytch.com/"

// claimSet is the part of a session JWT's payload that says the same as the
// session itself; the times of the JWT and the custom claims join it.
type claimSet struct {
	Issuer   string       `json:"iss"`
	Audience []string     `json:"aud"`
	Subject  string       `json:"sub"`
	Session  sessionClaim `json:"https://stytch.com/session"`
	// Organization is a member's; a user's JWT must not have the claim, which clients
	// would take for a custom one.
	Organization *organizationClaim `json:"https://stytch.com/organization,omitempty"`
}

type organizationClaim struct {
	ID   string `json:"organization_id"`
	Slug string `json:"slug"`
}

type sessionClaim struct {
	ID             string                        `json:"id"`
	StartedAt      string                        `json:"started_at"`
	LastAccessedAt string                        `json:"last_accessed_at"`
	ExpiresAt      string                        `json:"expires_at"` // the session's, not the JWT's
	Attributes     countersign.SessionAttributes `json:"attributes"`
	Factors        []FactorShape                 `json:"authentication_factors"`
	Roles          []string                      `json:"roles"`
}

// FactorShape is a factor as JWTs and answers show it (sessions-consumer.md §1.2).
type FactorShape struct {
	Type                string             `json:"type" openapi:"enum=trusted_auth_token|imported"`
	DeliveryMethod      string             `json:"delivery_method" openapi:"enum=trusted_token_exchange|imported_auth0"`
	LastAuthenticatedAt string             `json:"last_authenticated_at" openapi:"format=date-time"`
	CreatedAt           string             `json:"created_at" openapi:"format=date-time"`
	UpdatedAt           string             `json:"updated_at" openapi:"format=date-time"`
	TrustedAuthToken    *TrustedTokenShape `json:"trusted_auth_token_factor,omitempty"`
}

// TrustedTokenShape is what is particular to a trusted token.
type TrustedTokenShape struct {
	TokenID string `json:"token_id"`
}

// FactorShapes are the factors of a session, in order.
func FactorShapes(factors []countersign.Factor) []FactorShape {
	list := make([]FactorShape, len(factors))
	for i, f := range factors {
		list[i] = FactorShape{
			Type: "trusted_auth_token", DeliveryMethod: "trusted_token_exchange",
			LastAuthenticatedAt: countersign.Timestamp(f.LastAuthenticatedAt), CreatedAt: countersign.Timestamp(f.CreatedAt), UpdatedAt: countersign.Timestamp(f.UpdatedAt),
		}
		if f.Imported() {
			list[i].Type, list[i].DeliveryMethod = "imported", "imported_auth0"
		} else {
			list[i].TrustedAuthToken = &TrustedTokenShape{TokenID: f.TokenID}
		}
	}
	return list
}

// mint gives a JWT that says what the session says now. One that said exactly
// this and is younger than accessResolution is given again: signing is by far
// the largest cost of a request.
func (s *Service) mint(ctx context.Context, env countersign.Environment, rules *standing.Rules, sess countersign.Session, user countersign.Person) (countersign.Bearer, error) {
	content, err := content(env, rules, sess, user)
	if err != nil {
		return "", err
	}
	now := s.Now()
	digest := sha256.Sum256(content)
	if made, ok := s.signatures.get(sess.ID, digest, now); ok {
		return made.signature.JWT(withTimes(content, made.at)), nil
	}
	payload := withTimes(content, now)
	signature, err := s.Keyring.Sign(ctx, env.ID, payload)
	if err != nil {
		return "", err
	}
	s.signatures.put(sess.ID, madeSignature{content: digest, signature: signature, at: now})
	return signature.JWT(payload), nil
}

// content is the payload without its times: a JSON object.
func content(env countersign.Environment, rules *standing.Rules, sess countersign.Session, user countersign.Person) ([]byte, error) {
	project := env.ID.String()
	audience := []string{project}
	if rules.Audience != "" && rules.Audience != project {
		audience = append(audience, rules.Audience)
	}
	claims := claimSet{
		Issuer: issuerPrefix + project, Audience: audience, Subject: sess.PersonID.String(),
		Session: sessionClaim{
			ID: sess.ID.String(), StartedAt: countersign.Timestamp(sess.StartedAt), LastAccessedAt: countersign.Timestamp(sess.LastAccessedAt), ExpiresAt: countersign.Timestamp(sess.ExpiresAt),
			Attributes: sess.Attributes, Factors: FactorShapes(sess.Factors), Roles: user.Roles,
		},
	}
	if o := user.Organization; o != nil {
		claims.Organization = &organizationClaim{ID: o.ID.String(), Slug: o.Slug}
	}
	payload, err := countersign.EncodeJSON(claims)
	if err != nil || len(sess.CustomClaims) == 0 {
		return payload, err
	}
	custom, err := countersign.EncodeJSON(sess.CustomClaims)
	return join(payload, custom), err
}

// join is one object with the members of two that share none and are not empty.
func join(a, b []byte) []byte {
	return bytes.Join([][]byte{a[:len(a)-1], b[1:]}, []byte{','})
}

func withTimes(content []byte, now time.Time) []byte {
	iat := now.Unix()
	times := make([]byte, 0, 80)
	times = append(times, `{"iat":`...)
	times = strconv.AppendInt(times, iat, 10)
	times = append(times, `,"nbf":`...)
	times = strconv.AppendInt(times, iat, 10)
	times = append(times, `,"exp":`...)
	times = strconv.AppendInt(times, iat+int64(jwtLifetime/time.Second), 10)
	return join(append(times, '}'), content)
}

var errNoSessionClaim = errors.New("no session of this environment in the JWT")

// sessionOf is the session that a payload of ours speaks of.
func sessionOf(env countersign.EnvironmentID, payload []byte) (countersign.SessionID, error) {
	var c struct {
		Issuer  string `json:"iss"`
		Session struct {
			ID countersign.SessionID `json:"id"`
		} `json:"https://stytch.com/session"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return countersign.SessionID{}, err
	}
	if c.Issuer != issuerPrefix+env.String() || c.Session.ID.IsZero() {
		return countersign.SessionID{}, errNoSessionClaim
	}
	return c.Session.ID, nil
}
