package api

import (
	"net/http"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// frontendPath begins the paths of the frontend plane, which web pages call
// across origins. Four things are so there and nowhere else: an answer is
// wrapped, an error tells only what anybody may know (forAnybody), a 401 asks no
// browser for a password, and every answer may be read by the page.
const frontendPath = "/sdk/v1"

// Frontend reports whether a path, or a route's pattern, is of the frontend plane.
func Frontend(path string) bool {
	rest, ok := strings.CutPrefix(path, frontendPath)
	return ok && (rest == "" || rest[0] == '/')
}

// data is the wrapper of a success; errors have none.
type data struct {
	Data enveloped `json:"data"`
}

func wrapped(r *http.Request, answer enveloped) any {
	if Frontend(r.URL.Path) {
		return data{answer}
	}
	return answer
}

// share lets the page that asks read the answer, an error too, or its library
// would take the server for unreachable. It answers a preflight, which is asked
// for any path and before anybody is authenticated, and reports whether it was
// one. Whether a page of that origin may call is decided with its public token,
// before anything is done or told (docs/adr/0016).
func share(w http.ResponseWriter, r *http.Request) (answered bool) {
	header := w.Header()
	header.Set("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method != http.MethodOptions {
		return false
	}
	headers := r.Header.Get("Access-Control-Request-Headers")
	if headers == "" {
		headers = "Authorization, Content-Type, X-SDK-Client, X-SDK-Parent-Host"
	}
	header.Set("Access-Control-Allow-Headers", headers)
	header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
	line := telemetry.FromContext(r.Context())
	line.Route = http.MethodOptions + " " + frontendPath
	done := &wire.Done{}
	done.Envelop(line.ID.String(), http.StatusOK)
	write(w, r, http.StatusOK, data{done})
	return true
}

// PagesOf refuses the public tokens of projects of the other vertical.
func PagesOf(auth Authenticator, vertical countersign.Vertical) Authenticator {
	return auth.But(func(caller Caller) error {
		if caller.Environment.Vertical != vertical {
			return countersign.ErrBadVerticalForSDK
		}
		return nil
	})
}

// SignedIn refuses pages that present no session. Whether it is alive is for
// package session to say.
func SignedIn(auth Authenticator) Authenticator {
	return auth.But(func(caller Caller) error {
		if caller.Page.Session == "" {
			return countersign.ErrUserUnauthenticated
		}
		return nil
	})
}
