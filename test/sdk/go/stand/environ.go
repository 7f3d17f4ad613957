package stand

import (
	"context"
	"fmt"
	"os"
)

// Server is where a server is, and the workspace key that opens its management
// API.
type Server struct {
	URL       string
	KeyID     string
	KeySecret string
}

// The variables that tell a suite of its server.
const (
	envURL       = "COUNTERSIGN_SDK_URL"
	envKeyID     = "COUNTERSIGN_SDK_KEY_ID"
	envKeySecret = "COUNTERSIGN_SDK_KEY_SECRET" //nolint:gosec // a name
)

// FromEnviron is the server that the environment tells of.
func FromEnviron() Server {
	return Server{URL: os.Getenv(envURL), KeyID: os.Getenv(envKeyID), KeySecret: os.Getenv(envKeySecret)}
}

// Environ tells a suite of the server; the STYTCH_ names are those that the
// management client's own published tests read.
func (s Server) Environ() []string {
	return []string{
		envURL + "=" + s.URL, "STYTCH_WORKSPACE_BASE_URI=" + s.URL,
		envKeyID + "=" + s.KeyID, "STYTCH_WORKSPACE_KEY_ID=" + s.KeyID,
		envKeySecret + "=" + s.KeySecret, "STYTCH_WORKSPACE_KEY_SECRET=" + s.KeySecret,
	}
}

// Main is what a TestMain calls: it runs the tests against the server that the
// environment tells of, or else against one on SQLite that it starts and stops.
// It gives the exit code.
func Main(run func() int) int {
	if FromEnviron().URL != "" {
		return run()
	}
	s, err := Start(context.Background(), SQLite)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for name, value := range map[string]string{envURL: s.URL, envKeyID: s.KeyID, envKeySecret: s.KeySecret} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := run()
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
