package management

import (
	"context"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/operator"
)

type operatorLinkRequest struct {
	Name string  `json:"name" openapi:"required" doc:"Of the operator, who is made if there is none of that name."`
	Role *string `json:"role" doc:"viewer, editor or owner, from now on; without it the role stays, and is owner of one who is made."`
}

type operatorLinkAnswer struct {
	wire.Envelope
	OperatorID string `json:"operator_id"`
	Name       string `json:"name"`
	Role       string `json:"role" openapi:"enum=viewer|editor|owner"`
	Path       string `json:"path" doc:"What follows the address of the server; a secret until it is used."`
	ExpiresAt  string `json:"expires_at" openapi:"format=date-time"`
}

// createOperatorLink lets whoever holds the workspace key, who may do anything,
// let somebody in.
func (s *Surface) createOperatorLink(ctx context.Context, r *api.Request[operatorLinkRequest]) (*operatorLinkAnswer, error) {
	link, err := s.Operators.NewLink(ctx, r.Caller.Actor, r.Body.Name, countersign.OperatorRole(text(r.Body.Role)))
	return &operatorLinkAnswer{
		OperatorID: link.Operator.ID.String(), Name: link.Operator.Name, Role: string(link.Operator.Role),
		Path: operator.SignInPath(link.Token).Reveal(), ExpiresAt: link.ExpiresAt.UTC().Format(time.RFC3339),
	}, err
}
