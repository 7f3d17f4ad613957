package consumer

import (
	"context"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type policyAnswer struct {
	wire.Envelope
	Policy wire.RuntimePolicy `json:"policy"`
}

// policy is GET /v1/rbac/policy.
func (s *Surface) policy(ctx context.Context, r *api.Request[api.None]) (*policyAnswer, error) {
	p, err := s.Projects.Policy(ctx, r.Caller.Environment)
	return &policyAnswer{Policy: wire.NewRuntimePolicy(p, r.Caller.Environment.Vertical)}, err
}

type whoAmIAnswer struct {
	wire.Envelope
	ProjectID string `json:"project_id"`
	Name      string `json:"name"`
}

// whoAmI is GET /v1/debug/whoami, for projects of both verticals.
func (s *Surface) whoAmI(_ context.Context, r *api.Request[api.None]) (*whoAmIAnswer, error) {
	return &whoAmIAnswer{ProjectID: r.Caller.Environment.ID.String(), Name: r.Caller.Environment.ProjectName}, nil
}

type projectMetricsAnswer struct {
	wire.Envelope
	ProjectID string        `json:"project_id"`
	Metrics   []wire.Metric `json:"metrics"`
}

// projectMetrics is GET /v1/projects/metrics, for projects of both verticals.
func (s *Surface) projectMetrics(ctx context.Context, r *api.Request[api.None]) (*projectMetricsAnswer, error) {
	counts, err := s.Projects.Counts(ctx, r.Caller.Environment)
	return &projectMetricsAnswer{ProjectID: r.Caller.Environment.ID.String(), Metrics: wire.NewMetricList(wire.NewMetrics(counts))}, err
}
