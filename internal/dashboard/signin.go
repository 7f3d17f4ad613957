package dashboard

import (
	"errors"
	"net/http"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/operator"
)

// The names of the cookie. The prefix makes the browser hold it to https, to this
// host and to all paths, whatever another server of the domain says.
const (
	plainCookie  = "countersign_operator"
	secureCookie = "__Host-" + plainCookie
)

// sessionOf is the token that a browser sends, "" if none.
func sessionOf(r *http.Request) countersign.Bearer {
	for _, name := range []string{secureCookie, plainCookie} {
		if c, err := r.Cookie(name); err == nil {
			return countersign.Bearer(c.Value)
		}
	}
	return ""
}

// sessionCookie keeps a token in the browser that sent r; "" takes it away.
func sessionCookie(r *http.Request, token countersign.Bearer) *http.Cookie {
	c := &http.Cookie{
		Name: plainCookie, Value: token.Reveal(), Path: Root, MaxAge: int(operator.SessionLifetime.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	// Behind a proxy that ends TLS only the browser knows; it loses if it lies.
	if r.TLS != nil || strings.HasPrefix(r.Header.Get("Origin"), "https://") {
		c.Name, c.Path, c.Secure = secureCookie, "/", true
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

type signInPage struct {
	Link   string // to be used by the form
	Failed bool
	Again  string // the page that was asked for
}

// signedOut is the page for who is not signed in, or comes from elsewhere, to whom
// a Strict cookie shows only from the second step on.
func signedOut(r *http.Request) view {
	v := view{template: "signin", title: "Sign in", status: http.StatusUnauthorized, data: signInPage{}}
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		v.data = signInPage{Again: r.URL.RequestURI()}
	}
	return v
}

// signInForm asks before it uses a link.
func signInForm(_ *Dashboard, r *request) (view, error) {
	return view{template: "signin", title: "Sign in", data: signInPage{Link: r.query("link")}}, nil
}

func signIn(d *Dashboard, r *request) (view, error) {
	token, o, err := d.Operators.SignIn(r.Context(), r.line.ID, countersign.Bearer(r.field("link")))
	if errors.Is(err, operator.ErrNoLink) {
		r.line.ErrorType = "no_link"
		return view{template: "signin", title: "Sign in", status: http.StatusUnauthorized, data: signInPage{Failed: true}}, nil
	}
	if err != nil {
		return view{}, err
	}
	r.line.Actor = o.ID.String()
	return view{redirect: Root, cookie: sessionCookie(r.Request, token)}, nil
}

func signOut(d *Dashboard, r *request) (view, error) {
	if err := d.Operators.SignOut(r.Context(), r.actor, sessionOf(r.Request)); err != nil {
		return view{}, err
	}
	return view{redirect: Root + "/sign-in", cookie: sessionCookie(r.Request, "")}, nil
}
