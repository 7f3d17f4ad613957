package cli

import (
	"cmp"
	"encoding/json"
	"strings"
)

// session is what the text form shows of a session (sessions-consumer.md §1.1).
type session struct {
	SessionID      string          `json:"session_id"`
	MemberSession  string          `json:"member_session_id"` // of a member
	StartedAt      string          `json:"started_at"`
	LastAccessedAt string          `json:"last_accessed_at"`
	ExpiresAt      string          `json:"expires_at"`
	Roles          []string        `json:"roles"`
	CustomClaims   json.RawMessage `json:"custom_claims"`
	Factors        []factor        `json:"authentication_factors"`
}

func (s session) id() string { return s.SessionID + s.MemberSession }

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
	Member        *member       `json:"member"` // of a B2B project
	Organization  *organization `json:"organization"`
	Session       *session      `json:"session"`
	MemberSession *session      `json:"member_session"`
	Token         string        `json:"session_token"`
	JWT           string        `json:"session_jwt"`
	Verdict       *struct {
		Authorized    bool     `json:"authorized"`
		GrantingRoles []string `json:"granting_roles"`
	} `json:"verdict"`
}

// write shows the session, its person, and last what is to be kept.
func (v *sessionAnswer) write(t *text) {
	s := cmp.Or(v.Session, v.MemberSession)
	if s != nil {
		t.field("session_id", s.id())
	}
	v.writePerson(t)
	if s == nil {
		return
	}
	t.field("started", t.when(s.StartedAt))
	t.field("expires", t.when(s.ExpiresAt))
	t.field("roles", strings.Join(s.Roles, ", "))
	if claims := string(s.CustomClaims); claims != "" && claims != "null" {
		t.object("custom_claims", s.CustomClaims)
	}
	for _, f := range s.Factors {
		t.field("factor", f.what()+", "+t.when(f.LastAuthenticatedAt))
	}
	if v.Verdict != nil {
		t.field("authorized by", strings.Join(v.Verdict.GrantingRoles, ", "))
	}
	t.field("session_token", v.Token)
	t.field("session_jwt", v.JWT)
}

// writePerson shows whose session it is.
func (v *sessionAnswer) writePerson(t *text) {
	if m, o := v.Member, v.Organization; m != nil && o != nil {
		t.field("member_id", m.MemberID)
		t.optional("external_id", m.ExternalID)
		t.field("email", m.EmailAddress)
		t.field("organization", o.OrganizationID+" ("+o.Slug+")")
		return
	}
	t.field("user_id", v.User.UserID)
	t.optional("external_id", v.User.ExternalID)
	for _, e := range v.User.Emails {
		t.field("email", e.Email)
	}
}
