package cli

import (
	"encoding/json"
	"strings"
)

// session is what the text form shows of a session (sessions-consumer.md §1.1).
type session struct {
	SessionID      string          `json:"session_id"`
	StartedAt      string          `json:"started_at"`
	LastAccessedAt string          `json:"last_accessed_at"`
	ExpiresAt      string          `json:"expires_at"`
	Roles          []string        `json:"roles"`
	CustomClaims   json.RawMessage `json:"custom_claims"`
	Factors        []factor        `json:"authentication_factors"`
}

type factor struct {
	Type                string `json:"type"`
	LastAuthenticatedAt string `json:"last_authenticated_at"`
	TrustedAuthToken    *struct {
		TokenID string `json:"token_id"`
	} `json:"trusted_auth_token_factor"`
}

// what is the factor's type and what tells it from others of the type.
func (f factor) what() string {
	if f.TrustedAuthToken == nil {
		return f.Type
	}
	return f.Type + " " + f.TrustedAuthToken.TokenID
}

// sessionAnswer is the answer of attest and authenticate.
type sessionAnswer struct {
	User struct {
		UserID     string `json:"user_id"`
		ExternalID string `json:"external_id"`
		Emails     []struct {
			Email string `json:"email"`
		} `json:"emails"`
	} `json:"user"`
	Session *session `json:"session"`
	Token   string   `json:"session_token"`
	JWT     string   `json:"session_jwt"`
	Verdict *struct {
		Authorized    bool     `json:"authorized"`
		GrantingRoles []string `json:"granting_roles"`
	} `json:"verdict"`
}

// write shows the session, its person, and last what is to be kept.
func (v *sessionAnswer) write(t *text) {
	if v.Session != nil {
		t.field("session_id", v.Session.SessionID)
	}
	t.field("user_id", v.User.UserID)
	if v.User.ExternalID != "" {
		t.field("external_id", v.User.ExternalID)
	}
	for _, e := range v.User.Emails {
		t.field("email", e.Email)
	}
	if v.Session == nil {
		return
	}
	t.field("started", t.when(v.Session.StartedAt))
	t.field("expires", t.when(v.Session.ExpiresAt))
	t.field("roles", strings.Join(v.Session.Roles, ", "))
	if claims := string(v.Session.CustomClaims); claims != "" && claims != "null" {
		t.object("custom_claims", v.Session.CustomClaims)
	}
	for _, f := range v.Session.Factors {
		t.field("factor", f.what()+", "+t.when(f.LastAuthenticatedAt))
	}
	if v.Verdict != nil {
		t.field("authorized by", strings.Join(v.Verdict.GrantingRoles, ", "))
	}
	t.field("session_token", v.Token)
	t.field("session_jwt", v.JWT)
}
