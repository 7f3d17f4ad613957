package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/countersign-auth/countersign"
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
		return Caller{Environment: env, Actor: countersign.Actor{Kind: countersign.ActorSecret, ID: secretID.String()}}, nil
	}}
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
