package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
)

type policyAnswer struct {
	wire.Envelope
	Policy wire.Policy `json:"policy"`
}

func (s *Surface) policy(ctx context.Context, r *api.Request[api.None]) (*policyAnswer, error) {
	p, err := s.Projects.Policy(ctx, r.Caller.Environment)
	return &policyAnswer{Policy: wire.NewPolicy(p, r.Caller.Environment.Vertical)}, err
}

// setPolicyRequest has what it names at the top level. A custom role must say
// what it permits; a default one that says nothing permits nothing.
type setPolicyRequest struct {
	StytchMember    *wire.DefaultRole `json:"stytch_member"`
	StytchAdmin     *wire.DefaultRole `json:"stytch_admin"`
	StytchUser      *wire.DefaultRole `json:"stytch_user"`
	CustomRoles     []wire.Role       `json:"custom_roles"`
	CustomResources []wire.Resource   `json:"custom_resources"`
	CustomScopes    []wire.Scope      `json:"custom_scopes"`
}

// MaxBytes bounds the body of a policy.
func (setPolicyRequest) MaxBytes() int64 { return 1 << 20 }

func (r setPolicyRequest) policy() project.NewPolicy {
	n := project.NewPolicy{DefaultRoles: map[string][]countersign.Permission{}}
	for id, role := range map[string]*wire.DefaultRole{
		countersign.DefaultMemberRole: r.StytchMember, countersign.DefaultAdminRole: r.StytchAdmin, countersign.DefaultUserRole: r.StytchUser,
	} {
		if role != nil {
			n.DefaultRoles[id] = wire.Permissions(role.Permissions)
		}
	}
	n.CustomRoles = wire.RolesOf(r.CustomRoles)
	for _, c := range r.CustomResources {
		n.CustomResources = append(n.CustomResources, countersign.Resource{ID: c.ResourceID, Description: c.Description, Actions: c.AvailableActions})
	}
	for _, c := range r.CustomScopes {
		n.CustomScopes = append(n.CustomScopes, countersign.Scope{Name: c.Scope, Description: c.Description, Permissions: wire.Permissions(c.Permissions)})
	}
	return n
}

func (s *Surface) setPolicy(ctx context.Context, r *api.Request[setPolicyRequest]) (*policyAnswer, error) {
	p, err := s.Projects.SetPolicy(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.policy())
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
