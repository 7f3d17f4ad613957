package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
)

// Authenticator says who makes a request, or why nobody does.
type Authenticator struct {
	Scheme Scheme
	check  func(context.Context, *http.Request) (Caller, error)
}

// Anybody lets every request through, whatever its Authorization header says.
var Anybody = Authenticator{SchemeNone, func(context.Context, *http.Request) (Caller, error) { return Caller{}, nil }}

// But is a, and refuses those callers for whom refuse gives an error.
func (a Authenticator) But(refuse func(Caller) error) Authenticator {
	return Authenticator{a.Scheme, func(ctx context.Context, r *http.Request) (Caller, error) {
		caller, err := a.check(ctx, r)
		if err == nil {
			err = refuse(caller)
		}
		return caller, err
	}}
}

// secretChecker is what ProjectSecret asks.
type secretChecker interface {
	CheckSecret(context.Context, countersign.EnvironmentID, countersign.Bearer) (countersign.Environment, countersign.SecretID, error)
}

// ProjectSecret authenticates by project ID and secret. Errors:
// ErrUnauthorizedCredentials, ErrInvalidAuthorizationHeader,
// ErrInvalidProjectIDAuthentication.
func ProjectSecret(secrets secretChecker) Authenticator {
	return Authenticator{SchemeProject, func(ctx context.Context, r *http.Request) (Caller, error) {
		user, secret, err := basic(r)
		if err != nil {
			return Caller{}, err
		}
		id, err := countersign.ParseID[countersign.EnvironmentID](user)
		if err != nil {
			return Caller{}, countersign.ErrInvalidProjectIDAuthentication
		}
		env, secretID, err := secrets.CheckSecret(ctx, id, secret)
		if err != nil {
			return Caller{}, err
		}
		return secretCaller(r, env, secretID), nil
	}}
}

// floodChecker is what ProjectSecretInFlood asks.
type floodChecker interface {
	secretChecker
	RecentSecret(countersign.EnvironmentID, countersign.Bearer) (countersign.Environment, countersign.SecretID, bool)
	TokenRefused(countersign.EnvironmentID, countersign.Bearer)
}

// ProjectSecretInFlood is ProjectSecret for an endpoint that judges subject
// tokens: who brings bad ones without end may be a caller of a moment ago, to be
// confirmed before anything but a refusal comes of it (docs/adr/0019).
func ProjectSecretInFlood(secrets floodChecker) Authenticator {
	fresh := ProjectSecret(secrets)
	return Authenticator{SchemeProject, func(ctx context.Context, r *http.Request) (Caller, error) {
		user, secret, _ := basic(r)
		id, err := countersign.ParseID[countersign.EnvironmentID](user)
		if err != nil {
			return fresh.check(ctx, r) // which says what is wrong
		}
		var caller Caller
		if env, secretID, recent := secrets.RecentSecret(id, secret); recent {
			caller = secretCaller(r, env, secretID)
			caller.Confirm = func(ctx context.Context) (countersign.Environment, error) {
				env, _, err := secrets.CheckSecret(ctx, id, secret)
				return env, err
			}
		} else if caller, err = fresh.check(ctx, r); err != nil {
			return caller, err
		}
		caller.refused = func() { secrets.TokenRefused(id, secret) }
		return caller, nil
	}}
}

// secretCaller is who holds a secret, and on whose behalf they call.
func secretCaller(r *http.Request, env countersign.Environment, id countersign.SecretID) Caller {
	return Caller{
		Environment: env, Actor: countersign.Actor{Kind: countersign.ActorSecret, ID: id.String()},
		MemberSession:    countersign.Bearer(r.Header.Get("X-Stytch-Member-Session")),
		MemberSessionJWT: countersign.Bearer(r.Header.Get("X-Stytch-Member-SessionJWT")),
	}
}

// workspaceKeyChecker is what WorkspaceKey asks.
type workspaceKeyChecker interface {
	CheckWorkspaceKey(ctx context.Context, id string, secret countersign.Bearer) error
}

// WorkspaceKey authenticates by workspace key, as Basic credentials or as a
// Bearer token "id:secret". Errors: ErrUnauthorizedCredentials,
// ErrInvalidAuthorizationHeader.
func WorkspaceKey(keys workspaceKeyChecker) Authenticator {
	return Authenticator{SchemeWorkspace, func(ctx context.Context, r *http.Request) (Caller, error) {
		id, secret, err := basicOrBearer(r)
		if err != nil {
			return Caller{}, err
		}
		if strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return Caller{}, countersign.ErrUnauthorizedCredentials
		}
		if err := keys.CheckWorkspaceKey(ctx, id, secret); err != nil {
			return Caller{}, err
		}
		return Caller{Actor: countersign.Actor{Kind: countersign.ActorWorkspaceKey, ID: id}}, nil
	}}
}

// publicTokenChecker is what PublicToken asks.
type publicTokenChecker interface {
	CheckPublicToken(ctx context.Context, token string, from project.SDKOrigin) (countersign.Environment, project.SDKConfig, error)
}

// PublicToken authenticates web pages and apps by a public token, beside which
// the password is the token of a session or, for want of one, the public token
// again. It says nothing about that session. Errors: ErrPublicTokenRequired,
// ErrInvalidAuthorizationHeader, ErrUnauthorizedCredentials, and those of an SDK
// configuration that does not let the caller in.
func PublicToken(tokens publicTokenChecker) Authenticator {
	return Authenticator{SchemePublic, func(ctx context.Context, r *http.Request) (Caller, error) {
		if r.Header.Get("Authorization") == "" {
			return Caller{}, countersign.ErrPublicTokenRequired
		}
		token, session, err := basic(r)
		if err != nil {
			return Caller{}, err
		}
		if token == "" {
			return Caller{}, countersign.ErrPublicTokenRequired
		}
		caller, err := page(ctx, r, tokens, token)
		if err != nil {
			return caller, err
		}
		if session.Reveal() != token { // which is no secret
			caller.Page.Session = session
		}
		if caller.Page.Cookies, err = caller.Page.SDK.Cookies(caller.Page.From); caller.Page.Cookies && caller.Page.Session == "" {
			caller.Page.Session = cookieSession(r)
		}
		return caller, err
	}}
}

// PublicTokenInPath authenticates by the public token in the path, whatever the
// Authorization header says. Errors: ErrPublicTokenNotFound, and those of an SDK
// configuration that does not let the caller in.
func PublicTokenInPath(tokens publicTokenChecker) Authenticator {
	return Authenticator{SchemeNone, func(ctx context.Context, r *http.Request) (Caller, error) {
		caller, err := page(ctx, r, tokens, r.PathValue("public_token"))
		if errors.Is(err, countersign.ErrUnauthorizedCredentials) {
			err = countersign.ErrPublicTokenNotFound
		}
		return caller, err
	}}
}

func page(ctx context.Context, r *http.Request, tokens publicTokenChecker, token string) (Caller, error) {
	from := sdkOrigin(r)
	env, sdk, err := tokens.CheckPublicToken(ctx, token, from)
	if err != nil {
		return Caller{}, err
	}
	return Caller{
		Environment: env, Actor: countersign.Actor{Kind: countersign.ActorPublicToken, ID: token}, Page: Page{From: from, SDK: sdk},
	}, nil
}

// sdkOrigin is where a library calls from. Origin is the browser's word, which no
// page can change; X-SDK-Parent-Host is the library's.
func sdkOrigin(r *http.Request) (from project.SDKOrigin) {
	from.Site = r.Header.Get("Sec-Fetch-Site")
	for _, name := range []string{"Origin", "X-SDK-Parent-Host"} {
		if origin := r.Header.Get(name); origin != "" {
			from.Pages = append(from.Pages, origin)
		}
	}
	var client struct {
		App struct {
			Identifier string `json:"identifier"`
		} `json:"app"`
	}
	text, err := base64.StdEncoding.DecodeString(r.Header.Get("X-SDK-Client"))
	if err == nil && json.Unmarshal(text, &client) == nil {
		from.App = client.App.Identifier
	}
	return from
}

// basic reads Basic credentials (RFC 7617).
func basic(r *http.Request) (user string, secret countersign.Bearer, err error) {
	if r.Header.Get("Authorization") == "" {
		return "", "", countersign.ErrUnauthorizedCredentials
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", countersign.ErrInvalidAuthorizationHeader
	}
	return user, countersign.Bearer(password), nil
}

func basicOrBearer(r *http.Request) (id string, secret countersign.Bearer, err error) {
	const scheme = "bearer "
	header := r.Header.Get("Authorization")
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return basic(r)
	}
	id, key, ok := strings.Cut(header[len(scheme):], ":")
	if !ok {
		return "", "", countersign.ErrUnauthorizedCredentials
	}
	return id, countersign.Bearer(key), nil
}
