package sdk_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"

	"github.com/countersign-auth/countersign/test/sdk/go/stand"
)

func TestKeySetAsTheClientReadsIt(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	got, err := s.backend.Sessions.GetJWKS(t.Context(), &sessions.GetJWKSParams{ProjectID: s.ProjectID})
	if err != nil || got.StatusCode != 200 || got.RequestID == "" || len(got.Keys) != 1 {
		t.Fatalf("key set = %+v, %v, want one key and the envelope", got, err)
	}
	k := got.Keys[0]
	want := sessions.JWK{Kty: "RSA", Use: "sig", Alg: "RS256", KeyOps: []string{"verify"}, X5C: []string{}, Kid: k.Kid, N: k.N, E: "AQAB"}
	if diff := cmp.Diff(want, k); diff != "" || k.Kid == "" || len(k.N) < 342 {
		t.Errorf("key (-want +got):\n%s", diff)
	}
	token, _, err := jwt.NewParser().ParseUnverified(s.signIn(person()).SessionJWT, jwt.MapClaims{})
	if err != nil || token.Header["kid"] != k.Kid || token.Header["typ"] != "JWT" || token.Header["alg"] != "RS256" {
		t.Errorf("a session JWT has the header %v, %v, want kid %s", token.Header, err, k.Kid)
	}
	_, err = s.backend.Sessions.GetJWKS(t.Context(), &sessions.GetJWKSParams{ProjectID: "project-test-nonsense"})
	wantRefusal(t, "the key set of nobody", err, refusal{404, "project_not_found"})
}

// The client puts a base URL that ends with a slash before the key set's path as
// it is: the path begins with two.
func TestKeySetBehindADoubledSlash(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	client, err := stytchapi.NewClient(s.ProjectID, s.secret().Secret,
		stytchapi.WithBaseURI(stand.FromEnviron().URL+"/"), stytchapi.WithInitializationContext(t.Context()))
	if err != nil {
		t.Fatalf("make a client: %v", err)
	}
	signedIn := s.signIn(person())
	if _, err := client.Sessions.AuthenticateJWTLocal(signedIn.SessionJWT, 5*time.Minute); err != nil {
		t.Errorf("verify locally: %v", err)
	}
	if _, err := client.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: signedIn.SessionToken}); err != nil {
		t.Errorf("authenticate: %v", err)
	}
}

// An environment may sign with another algorithm than the contract's; the
// setting is this server's own.
func TestSessionJWTOfEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			project := newProject(t, projects.VerticalConsumer)
			answer := raw(t, http.MethodPost, "/pwa/v3/projects/"+project.ProjectSlug+"/environments",
				map[string]any{"name": "Suite", "type": "TEST", "environment_slug": "suite", "session_jwt_algorithm": algorithm})
			made := answer["environment"].(map[string]any)
			if made["session_jwt_algorithm"] != algorithm {
				t.Fatalf("created %v", made)
			}
			e := &environment{t: t}
			e.ProjectSlug, e.EnvironmentSlug, e.ProjectID = project.ProjectSlug, "suite", made["project_id"].(string)
			i, client := newIssuer(t, rs256), e.client()
			attested, err := client.Sessions.Attest(t.Context(), &sessions.AttestParams{
				ProfileID: e.profile(e.profileRequest(i)), Token: i.token(person()), SessionDurationMinutes: 60, SessionCustomClaims: customClaims,
			})
			if err != nil {
				t.Fatal(err)
			}
			token, _, err := jwt.NewParser().ParseUnverified(attested.SessionJWT, jwt.MapClaims{})
			if err != nil || token.Header["alg"] != algorithm {
				t.Errorf("the session JWT has the header %v, %v", token.Header, err)
			}
			local, err := client.Sessions.AuthenticateJWTLocal(attested.SessionJWT, 5*time.Minute)
			if err != nil {
				t.Fatalf("verify locally: %v", err)
			}
			if diff := cmp.Diff(attested.Session, local); diff != "" {
				t.Errorf("session (-remote +local):\n%s", diff)
			}
			if _, err := client.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: attested.SessionJWT}); err != nil {
				t.Errorf("authenticate remotely by the JWT: %v", err)
			}
		})
	}
}
