// Package frontend is the API of web pages and apps of consumer projects, /sdk/v1:
// what the published browser libraries call with a public token. Whoever calls may
// be anybody; only a session makes them a user. It has shapes and routes; it
// refuses to have rules.
package frontend

import (
	"net/http"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/session"
)

// Surface is what the frontend API calls. Every field is required.
type Surface struct {
	Authenticate       api.Authenticator // by public token
	AuthenticateByPath api.Authenticator // by the public token in the path
	Sessions           *session.Service
	Directory          *directory.Service
	Projects           *project.Service
	Ticks              *api.Ticks // of refused subject tokens
}

// Routes are the surface's endpoints.
func (s *Surface) Routes() []api.Route {
	anybody := consumersOnly(s.Authenticate)
	user := signedIn(anybody)
	return []api.Route{
		{
			Method: http.MethodGet, Pattern: "/sdk/v1/projects/bootstrap/{public_token}", Handler: api.Call(s.AuthenticateByPath, s.bootstrap),
			Summary: "Tells a library, when a page makes one, what the project is and what may be done in it.",
		},
		{
			Method: http.MethodPost, Pattern: "/sdk/v1/events", Handler: api.Call(api.Anybody, events),
			Summary: "Takes what a library tells of itself, and drops it.",
		},

		{
			Method: http.MethodPost, Pattern: "/sdk/v1/sessions/attest", Handler: api.Call(anybody, api.Evenly(s.Ticks, s.attest)),
			Summary: "Exchanges a JWT of a registered issuer for a session of the page, or attaches it to the one that the page has.",
		},
		{
			Method: http.MethodPost, Pattern: "/sdk/v1/sessions/authenticate", Handler: api.Call(user, s.authenticate),
			Summary: "Checks the page's session, extends it if a duration is given, and answers with a fresh JWT.",
		},
		{
			Method: http.MethodPost, Pattern: "/sdk/v1/sessions/revoke", Handler: api.Call(user, s.revoke),
			Summary: "Ends the page's session.",
		},

		{
			Method: http.MethodGet, Pattern: "/sdk/v1/users/me", Handler: api.Call(user, s.me),
			Summary: "Tells who is signed in.",
		},
		{
			Method: http.MethodPut, Pattern: "/sdk/v1/users/me", Handler: api.Call(user, s.updateMe),
			Summary: "Changes the name and the untrusted metadata of who is signed in.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/emails/{email_id}", Handler: api.Call(user, s.deleteEmail),
			Summary: "Takes an e-mail address from who is signed in, unless nothing would be left.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/phone_numbers/{phone_id}", Handler: api.Call(user, s.deletePhone),
			Summary: "Takes a phone number from who is signed in, unless nothing would be left.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/totps/{totp_id}", Handler: api.Call(user, s.never(countersign.ErrTOTPNotFound)),
			Summary: "Never finds a TOTP of who is signed in: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/crypto_wallets/{crypto_wallet_id}", Handler: api.Call(user, s.never(countersign.ErrCryptoWalletNotFound)),
			Summary: "Never finds a crypto wallet of who is signed in: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/oauth/{oauth_user_registration_id}", Handler: api.Call(user, s.never(countersign.ErrOAuthRegistrationNotFound)),
			Summary: "Never finds an OAuth registration of who is signed in: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/webauthn_registrations/{webauthn_registration_id}", Handler: api.Call(user, s.never(countersign.ErrWebauthnNotFound)),
			Summary: "Never finds a WebAuthn registration of who is signed in: this server makes none.",
		},
		{
			Method: http.MethodDelete, Pattern: "/sdk/v1/users/biometric_registrations/{biometric_registration_id}", Handler: api.Call(user, s.never(countersign.ErrBiometricNotFound)),
			Summary: "Never finds a biometric registration of who is signed in: this server makes none.",
		},
		{
			Method: http.MethodGet, Pattern: "/sdk/v1/users/connected_apps", Handler: api.Call(user, s.connectedApps),
			Summary: "Lists the applications that who is signed in let in: none.",
		},
		{
			Method: http.MethodPost, Pattern: "/sdk/v1/users/search", Handler: api.Call(mayLookForUsers(anybody), s.search),
			Summary: "Says whether a user has an e-mail address, where the project's SDK configuration has passwords.",
		},
	}
}

// consumersOnly refuses the public tokens of B2B projects.
func consumersOnly(auth api.Authenticator) api.Authenticator {
	return auth.But(func(caller api.Caller) error {
		if caller.Environment.Vertical != countersign.Consumer {
			return countersign.ErrBadVerticalForSDK
		}
		return nil
	})
}

// signedIn refuses callers who present no session. Whether it is alive is for
// package session to say.
func signedIn(auth api.Authenticator) api.Authenticator {
	return auth.But(func(caller api.Caller) error {
		if caller.Page.Session == "" {
			return countersign.ErrUserUnauthenticated
		}
		return nil
	})
}

func mayLookForUsers(auth api.Authenticator) api.Authenticator {
	return auth.But(func(caller api.Caller) error { return caller.Page.SDK.MayLookForUsers() })
}
