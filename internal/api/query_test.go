package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/telemetry"
)

// TestUndeclaredQueryParameter reads a parameter that the route declares, and one
// that it does not.
func TestUndeclaredQueryParameter(t *testing.T) {
	t.Parallel()
	var read string
	reading := func(name string) api.Handler {
		return api.Call(api.Anybody, func(_ context.Context, r *api.Request[api.None]) (*wire.Done, error) {
			read = r.Query(name)
			return &wire.Done{}, nil
		})
	}
	query := []api.QueryParameter{{Name: "user_id", Description: "A user."}}
	router := api.NewRouter([]api.Route{
		{Method: http.MethodGet, Pattern: "/declared", Query: query, Handler: reading("user_id")},
		{Method: http.MethodGet, Pattern: "/undeclared", Query: query, Handler: reading("cursor")},
	})
	ask := func(target string) (panicked any) {
		defer func() { panicked = recover() }()
		r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
		router.ServeHTTP(httptest.NewRecorder(), r.WithContext(telemetry.WithRequest(r.Context(), &telemetry.Request{})))
		return nil
	}
	if panicked := ask("/declared?user_id=ada"); panicked != nil || read != "ada" {
		t.Errorf("the declared parameter is %q, panic: %v", read, panicked)
	}
	if panicked, _ := ask("/undeclared?cursor=1").(string); !strings.Contains(panicked, `"cursor"`) {
		t.Errorf("an undeclared parameter was read; panic: %q", panicked)
	}
}
