package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type policyAnswer struct {
	wire.Envelope
	Policy wire.Policy `json:"policy"`
}

func (s *Surface) policy(ctx context.Context, r *api.Request[api.None]) (*policyAnswer, error) {
	p, err := s.Projects.Policy(ctx, r.Caller.Environment)
	return &policyAnswer{Policy: wire.NewPolicy(p, r.Caller.Environment.Vertical)}, err
}

func (s *Surface) setPolicy(ctx context.Context, r *api.Request[wire.PolicyRequest]) (*policyAnswer, error) {
	p, err := s.Projects.SetPolicy(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.Policy())
	return &policyAnswer{Policy: wire.NewPolicy(p, r.Caller.Environment.Vertical)}, err
}

type templateAnswer struct {
	wire.Envelope
	JWTTemplate wire.JWTTemplate `json:"jwt_template"`
}

func (s *Surface) template(ctx context.Context, r *api.Request[api.None]) (*templateAnswer, error) {
	typ := countersign.TemplateType(r.Path("jwt_template_type"))
	t, err := s.Projects.Template(ctx, r.Caller.Environment, typ)
	return &templateAnswer{JWTTemplate: wire.NewJWTTemplate(t, typ)}, err
}

type setTemplateRequest struct {
	TemplateContent string `json:"template_content"`
	CustomAudience  string `json:"custom_audience"`
}

func (s *Surface) setTemplate(ctx context.Context, r *api.Request[setTemplateRequest]) (*templateAnswer, error) {
	typ := countersign.TemplateType(r.Path("jwt_template_type"))
	t, err := s.Projects.SetTemplate(ctx, r.Caller.Actor, r.Caller.Environment, typ, countersign.Template{
		Content: r.Body.TemplateContent, CustomAudience: r.Body.CustomAudience,
	})
	return &templateAnswer{JWTTemplate: wire.NewJWTTemplate(t, typ)}, err
}

type eventsAnswer struct {
	wire.Envelope
	Events     []wire.Event `json:"events"`
	NextCursor *string      `json:"next_cursor"` // null after the last page
}

// events is this server's addition to the contract.
func (s *Surface) events(ctx context.Context, r *api.Request[api.None]) (*eventsAnswer, error) {
	limit, err := queryLimit(r)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Projects.Events(ctx, r.Caller.Environment.ID, limit, r.Query("cursor"))
	answer := &eventsAnswer{Events: wire.NewEvents(list)}
	if next != "" {
		answer.NextCursor = &next
	}
	return answer, err
}
