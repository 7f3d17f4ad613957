package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
)

type proposeRequest struct {
	Issuer string `json:"issuer" doc:"Its URL, of which the metadata is read. Without it, the iss of the token, if that is a URL."`
	Token  string `json:"token" doc:"A sample of its tokens; it may have expired. Nothing of it is verified or kept."`
}

type proposeAnswer struct {
	wire.Envelope
	Proposal wire.Proposal `json:"proposal"`
}

// proposeProfile makes a profile of an issuer's metadata and a sample of its
// tokens, and saves nothing.
func (s *Surface) proposeProfile(ctx context.Context, r *api.Request[proposeRequest]) (*proposeAnswer, error) {
	p, err := s.Projects.Propose(ctx, r.Caller.Environment, project.Sample{Issuer: r.Body.Issuer, Token: countersign.Bearer(r.Body.Token)})
	return &proposeAnswer{Proposal: wire.NewProposal(p)}, err
}
