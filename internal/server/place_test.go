package server_test

import (
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
)

// place is an environment whose issuer and session JWTs use ES256, which is
// quick, with a PEM profile that provisions. Clock is the server's and the
// issuer's, unless it is nil.
type place struct {
	*servertest.Environment
	issuer  *issuertest.Issuer
	profile string
	clock   *servertest.Clock
	b2b     bool
}

func arrange(t *testing.T, s *servertest.Server, clock *servertest.Clock) *place {
	t.Helper()
	p := &place{Environment: s.NewEnvironment(map[string]any{"session_jwt_algorithm": "ES256"}), clock: clock}
	p.believe(t, nil)
	return p
}

// arrangeB2B is arrange for a B2B project: the claim org names the organization.
func arrangeB2B(t *testing.T, s *servertest.Server, clock *servertest.Clock) *place {
	t.Helper()
	p := &place{Environment: s.NewEnvironmentOf("B2B", "TEST", map[string]any{"session_jwt_algorithm": "ES256"}), clock: clock, b2b: true}
	p.believe(t, map[string]any{"attribute_mapping": map[string]any{
		"email": "email", "token_id": "jti", "external_member_id": "sub", "role_ids": "roles", "organization_id": "org",
	}})
	return p
}

// believe gives the place its issuer and its profile.
func (p *place) believe(t *testing.T, more map[string]any) {
	t.Helper()
	options := []issuertest.Option{issuertest.Algorithms(countersign.ES256)}
	if p.clock != nil {
		options = append(options, issuertest.Clock(p.clock.Now))
	}
	p.issuer = issuertest.New(t, options...)
	profile := map[string]any{"public_key_type": "PEM", "pem_files": []string{p.issuer.PEM(countersign.ES256, issuertest.PublicKey)}}
	maps.Copy(profile, more)
	p.profile = p.Profile(p.issuer.URL(), profile)
}

// serve starts a server; the clock may be nil.
func serve(t *testing.T, database string, clock *servertest.Clock) *servertest.Server {
	t.Helper()
	var o servertest.Options
	if clock != nil {
		o.Now = clock.Now
	}
	return servertest.Start(t, database, o)
}

// token is a subject token for the profile.
func (p *place) token(email string, claims map[string]any) string {
	all := map[string]any{"aud": "countersign", "email": email}
	maps.Copy(all, claims)
	return p.issuer.Mint(all)
}

// attest exchanges a token for a session of an hour; more joins the request and
// wins.
func (p *place) attest(token string, more map[string]any) servertest.Answer {
	body := map[string]any{"profile_id": p.profile, "token": token, "session_duration_minutes": 60}
	maps.Copy(body, more)
	return p.sessions("/attest", body)
}

// session is a new session of a person.
func (p *place) session(t *testing.T, email string, more map[string]any) servertest.Answer {
	t.Helper()
	return servertest.Must(t, p.attest(p.token(email, nil), more))
}

func (p *place) authenticate(body map[string]any) servertest.Answer {
	return p.sessions("/authenticate", body)
}

func (p *place) revoke(body map[string]any) servertest.Answer {
	return p.sessions("/revoke", body)
}

// sessions calls the sessions of the vertical.
func (p *place) sessions(path string, body map[string]any) servertest.Answer {
	if p.b2b {
		return p.API(http.MethodPost, "/v1/b2b/sessions"+path, body)
	}
	return p.API(http.MethodPost, "/v1/sessions"+path, body)
}

// race runs fn n times at the same moment.
func race(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// refusedAs checks the status and the error_type of an answer.
func refusedAs(t *testing.T, what string, a servertest.Answer, status int, errorType string) {
	t.Helper()
	if a.Status != status || a.String("error_type") != errorType {
		t.Errorf("%s: %d %s, want %d %s", what, a.Status, a.Text, status, errorType)
	}
}

// list is the array at a path of members.
func list(a servertest.Answer, members ...string) []any {
	l, _ := a.At(members...).([]any)
	return l
}

// moments is a time that an answer shows.
func shown(t *testing.T, a servertest.Answer, members ...string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, a.String(members...))
	if err != nil {
		t.Fatalf("%v: %v\n%s", members, err, a.Text)
	}
	return at
}
