package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

// The cookies of a page's session, by the contract's names (frontend-sdk.md §7). They
// are of this server's host alone; a backend on the same host may read the JWT.
const (
	sessionCookie    = "stytch_session"
	sessionJWTCookie = "stytch_session_jwt"
)

// A signedIn answer has a session's tokens.
type signedIn interface {
	// TakeTokens takes them out of the answer: empty ones tell the library that they
	// are in cookies.
	TakeTokens() Tokens
}

// Tokens are those of a session.
type Tokens struct {
	Session, JWT string
	ExpiresAt    time.Time // of the session
}

// Take takes the tokens out of an answer.
func Take(session, jwt *string, expiresAt wire.Moment) Tokens {
	t := Tokens{Session: *session, JWT: *jwt, ExpiresAt: expiresAt.Time()}
	*session, *jwt = "", ""
	return t
}

// SignedOut is the answer after which a page has no session.
type SignedOut struct{ wire.Envelope }

// cookieSession is the session token of a page whose session lives in cookies.
func cookieSession(r *http.Request) countersign.Bearer {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return countersign.Bearer(cookie.Value)
}

// keepCookies has the browser keep the session of an answer, or forget the one that
// is over.
func keepCookies(w http.ResponseWriter, answer any, err error) {
	if errors.Is(err, countersign.ErrSessionNotFound) {
		setCookies(w, Tokens{})
		return
	}
	if err != nil {
		return
	}
	switch answer := answer.(type) {
	case signedIn:
		setCookies(w, answer.TakeTokens())
	case *SignedOut:
		setCookies(w, Tokens{})
	}
}

// setCookies sets the cookies of a session, or with none removes them. SameSite keeps
// them from requests that another site makes, and Secure from the open network; browsers
// make an exception of the machine that they run on.
func setCookies(w http.ResponseWriter, t Tokens) {
	for _, c := range []struct{ name, value string }{{sessionCookie, t.Session}, {sessionJWTCookie, t.JWT}} {
		cookie := &http.Cookie{
			Name: c.name, Value: c.value, Path: "/", Expires: t.ExpiresAt, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		}
		if c.value == "" {
			cookie.MaxAge = -1
		}
		http.SetCookie(w, cookie)
	}
}
