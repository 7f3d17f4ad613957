package cli

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type sessionCommand struct {
	Authenticate sessionAuthenticate `cmd:"" help:"Check that a session is alive, and extend it if asked."`
	Revoke       sessionRevoke       `cmd:"" help:"End a session, or all of a person's, at once."`
	List         sessionList         `cmd:"" help:"List a person's active sessions."`
}

// sessionAuthenticate checks a session.
type sessionAuthenticate struct {
	jsonFlag
	sessionFlags
	extendFlags
	Resource     string `and:"authorization" placeholder:"ID" help:"Also check that the person may act on this resource; needs --action."`
	Action       string `and:"authorization" placeholder:"ACTION" help:"The action to check."`
	Organization string `placeholder:"ID" help:"The ID of the organization that a member is to act in (B2B)."`
	apiFlags
}

// Help teaches the command.
func (sessionAuthenticate) Help() string {
	return `What your backend does with every request: the answer is the session, its person and a fresh session JWT, or
session_not_found once it has expired or was revoked. A JWT past its own five minutes still works here.

    countersign session authenticate --session-token-file session.txt
    COUNTERSIGN_SESSION_JWT=eyJ… countersign session authenticate --session-duration-minutes 60` + needsSecret
}

type authorizationCheck struct {
	OrganizationID string `json:"organization_id,omitempty"`
	ResourceID     string `json:"resource_id"`
	Action         string `json:"action"`
}

// authenticateRequest is the body of POST /v1/sessions/authenticate.
type authenticateRequest struct {
	sessionProof
	extension
	AuthorizationCheck *authorizationCheck `json:"authorization_check,omitempty"`
}

// Run authenticates.
func (c *sessionAuthenticate) Run(ctx context.Context, a *app) error {
	if c.Organization != "" && c.Resource == "" {
		return usage("--organization goes with --resource and --action", "a session is of one organization; leave it out unless you check what the member may do")
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	var req authenticateRequest
	if req.sessionProof, err = c.proof(a); err != nil {
		return err
	}
	if req.sessionProof == (sessionProof{}) {
		return usage("no session", "give --session-token-file or --session-jwt-file, or set COUNTERSIGN_SESSION_TOKEN")
	}
	if req.extension, err = c.extension(a); err != nil {
		return err
	}
	if c.Resource != "" {
		req.AuthorizationCheck = &authorizationCheck{c.Organization, c.Resource, c.Action}
	}
	raw, err := api.session(ctx, "authenticate", req, req)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v sessionAnswer) { v.write(t) })
}

// sessionRevoke ends a session.
type sessionRevoke struct {
	jsonFlag
	SessionID string `name:"session-id" placeholder:"ID" xor:"session" help:"The session, session-test-… or session-live-…."`
	UserID    string `name:"user-id" placeholder:"ID" xor:"session" help:"All sessions of this user, by ID or external ID."`
	MemberID  string `name:"member-id" placeholder:"ID" xor:"session" help:"All sessions of this member, by ID (B2B)."`
	sessionFlags
	apiFlags
}

// Help teaches the command.
func (sessionRevoke) Help() string {
	return `The session is refused from the next request on. Session JWTs that were given out before can still be checked
locally until they expire, five minutes at most.

    countersign session revoke --session-id session-test-…
    countersign session revoke --user-id employee-7` + needsSecret
}

// revokeRequest is the body of POST /v1/sessions/revoke.
type revokeRequest struct {
	SessionID       string `json:"session_id,omitempty"`
	MemberSessionID string `json:"member_session_id,omitempty"` // the same, to the B2B API
	UserID          string `json:"user_id,omitempty"`
	MemberID        string `json:"member_id,omitempty"`
	sessionProof
}

// Run revokes.
func (c *sessionRevoke) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	req := revokeRequest{SessionID: c.SessionID, UserID: c.UserID, MemberID: c.MemberID}
	if c.SessionID == "" && c.UserID == "" && c.MemberID == "" {
		if req.sessionProof, err = c.proof(a); err != nil {
			return err
		}
	}
	if req == (revokeRequest{}) {
		return usage("no session", "give --session-id, --user-id, --member-id, --session-token-file or --session-jwt-file")
	}
	ofMember := req
	ofMember.SessionID, ofMember.MemberSessionID = "", c.SessionID
	raw, err := api.session(ctx, "revoke", req, ofMember)
	if err != nil {
		return err
	}
	done := "The session is revoked."
	if c.UserID != "" || c.MemberID != "" {
		done = "All sessions of the person are revoked."
	}
	return show(a, c.JSON, raw, func(t *text, _ struct{}) { t.line("%s", done) })
}

// sessionList lists the sessions of a person.
type sessionList struct {
	jsonFlag
	UserID       string `name:"user-id" required:"" xor:"whose" placeholder:"ID" help:"The user: user-test-…, or your own ID (external ID)."`
	MemberID     string `name:"member-id" required:"" xor:"whose" placeholder:"ID" help:"The member (B2B), with --organization."`
	Organization string `placeholder:"ID" help:"The member's organization: its ID, your own ID (external ID) or its slug."`
	apiFlags
}

// Help teaches the command.
func (sessionList) Help() string {
	return `Shows where a person is signed in. The IDs can be given to "session revoke".

    countersign session list --user-id user-test-…
    countersign session list --organization acme --member-id employee-7` + needsSecret
}

// Run lists.
func (c *sessionList) Run(ctx context.Context, a *app) error {
	if (c.MemberID == "") != (c.Organization == "") {
		return usage("--member-id and --organization go together", "give the member's organization: its ID, your own ID or its slug")
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	of := request{Method: http.MethodGet, Path: []string{"v1", "sessions"}, Query: url.Values{"user_id": {c.UserID}}}
	if c.MemberID != "" {
		of = memberSessionsOf(c.Organization, c.MemberID)
	}
	raw, err := api.call(ctx, of)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct {
		Sessions       []session
		MemberSessions []session `json:"member_sessions"`
	},
	) {
		var rows [][]string
		for _, s := range append(v.Sessions, v.MemberSessions...) {
			rows = append(rows, []string{s.id(), t.when(s.StartedAt), t.when(s.LastAccessedAt), t.when(s.ExpiresAt), strconv.Itoa(len(s.Factors))})
		}
		t.table("active sessions", strings.Fields("SESSION_ID STARTED LAST_ACCESSED EXPIRES FACTORS"), rows)
	})
}
