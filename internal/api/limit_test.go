package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/limit"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// believing accepts every secret.
type believing struct{ env countersign.Environment }

func (b believing) CheckSecret(context.Context, countersign.EnvironmentID, countersign.Bearer) (countersign.Environment, countersign.SecretID, error) {
	return b.env, countersign.NewID[countersign.SecretID](countersign.Test), nil
}

// nowhere takes an answer and keeps nothing.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { clear(n.header); return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// oneRequest is a function that makes the same request of a router again and again.
func oneRequest(t testing.TB, limits *api.Limits) func() {
	t.Helper()
	env := countersign.Environment{ID: countersign.NewID[countersign.EnvironmentID](countersign.Test)}
	rt := api.NewRouter([]api.Route{{Method: http.MethodGet, Pattern: "/v1/thing", Handler: api.Call(api.ProjectSecret(believing{env}), func(context.Context, *api.Request[api.None]) (*wire.Done, error) {
		return &wire.Done{}, nil
	})}})
	rt.Limits = limits
	line := &telemetry.Request{RemoteAddress: "192.0.2.1"}
	r := httptest.NewRequest(http.MethodGet, "/v1/thing", http.NoBody)
	r = r.WithContext(telemetry.WithRequest(r.Context(), line))
	r.SetBasicAuth(env.ID.String(), "secret-test-0123456789")
	w := nowhere{http.Header{}}
	return func() {
		*line = telemetry.Request{RemoteAddress: "192.0.2.1"}
		rt.ServeHTTP(w, r)
		if line.Status != http.StatusOK {
			t.Fatalf("%d %s", line.Status, line.ErrorType)
		}
	}
}

func newLimits(t testing.TB) *api.Limits {
	t.Helper()
	still := time.Now()
	return api.NewLimits(api.LimitsConfig{
		PerAddress: limit.Rate{PerSecond: 1, Burst: 5}, PerCredential: limit.Rate{PerSecond: 1e9, Burst: 1 << 30}, InFlight: 256,
		Refused: func(string) {}, Now: func() time.Time { return still },
	})
}

// TestLimitsAllocateNothing holds that a request which is let in costs no memory
// for it.
func TestLimitsAllocateNothing(t *testing.T) {
	without, with := oneRequest(t, nil), oneRequest(t, newLimits(t))
	with() // from now on the credential is known
	if a, b := testing.AllocsPerRun(500, without), testing.AllocsPerRun(500, with); a != b {
		t.Errorf("a request allocates %v times without limits and %v with them", a, b)
	}
}

func BenchmarkLimits(b *testing.B) {
	for _, variant := range []struct {
		name   string
		limits *api.Limits
	}{{"without", nil}, {"with", newLimits(b)}} {
		b.Run(variant.name, func(b *testing.B) {
			request := oneRequest(b, variant.limits)
			b.ReportAllocs()
			for b.Loop() {
				request()
			}
		})
	}
}
