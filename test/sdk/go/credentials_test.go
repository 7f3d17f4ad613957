package sdk_test

import (
	"strings"
	"testing"

	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/totps"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"

	"github.com/countersign-auth/countersign/test/sdk/go/stand"
)

func TestProjectCredentials(t *testing.T) {
	t.Parallel()
	e, other := newEnvironment(t), newEnvironment(t)
	for name, secret := range map[string]string{"a wrong secret": "secret-test-nonsense", "another environment's secret": other.secret().Secret} {
		_, err := newClient(t, e.ProjectID, secret).Users.Create(t.Context(), newUserParams())
		wantRefusal(t, name, err, refusal{401, "unauthorized_credentials"})
	}
	placeholder, err := stytchapi.NewClient("PROJECT_ID", "SECRET", stytchapi.WithBaseURI(stand.FromEnviron().URL), stytchapi.WithSkipJWKSInitialization())
	if err != nil {
		t.Fatal(err)
	}
	_, err = placeholder.Users.Create(t.Context(), newUserParams())
	wantRefusal(t, "a placeholder", err, refusal{401, "invalid_project_id_authentication"})
	b2b := newEnvironmentOf(t, projects.VerticalB2B, environments.EnvironmentTypeTest)
	_, err = b2b.client().Users.Create(t.Context(), newUserParams())
	wantRefusal(t, "a B2B project at a consumer endpoint", err, refusal{400, "invalid_consumer_endpoint"})
}

// The client fetches the key set when it is made, without credentials, and is
// not made if that fails.
func TestClientOfAnUnknownProject(t *testing.T) {
	t.Parallel()
	_, err := stytchapi.NewClient("project-test-00000000-0000-4000-8000-000000000001", "secret", stytchapi.WithBaseURI(stand.FromEnviron().URL))
	if err == nil || !strings.Contains(err.Error(), "fetch JWKS") {
		t.Errorf("a client of an unknown project = %v, want the client's own error", err)
	}
}

// What this server does not do is refused in a form that the client reads.
func TestEndpointThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := newEnvironment(t).client().TOTPs.Create(t.Context(), &totps.CreateParams{UserID: "ada"})
	wantRefusal(t, "create a TOTP", err, refusal{404, "route_not_found"})
}
