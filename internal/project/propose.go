package project

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/proposal"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Sample is what a profile is proposed from: an issuer, or a token, or both.
type Sample struct {
	Issuer string
	Token  countersign.Bearer
}

// Propose makes a profile of what an issuer says of itself and of a sample of its
// tokens. It saves nothing and believes nothing. It may wait on the network, as
// long as (*trust.Discovery).Read: for the issuer that is named, or else for the
// sample's, of which a proposal is made all the same if it cannot be had.
//
// Errors: ErrBadRequest for neither; ErrInvalidArgument for what is no JWT;
// ErrIssuerDiscoveryFailed and ErrIssuerDiscoveryMismatch of an issuer that is
// named.
func (s *Service) Propose(ctx context.Context, e countersign.Environment, sample Sample) (proposal.Proposal, error) {
	source := proposal.Source{Vertical: e.Vertical, Now: s.Now()}
	if sample.Issuer == "" && sample.Token == "" {
		return proposal.Proposal{}, countersign.ErrBadRequest.Saying("issuer or token is required.")
	}
	issuer := sample.Issuer
	if sample.Token != "" {
		token, err := trust.Unverified(sample.Token.Reveal())
		if refusal, ok := errors.AsType[*trust.Refusal](err); ok {
			return proposal.Proposal{}, countersign.ErrInvalidArgument.Saying("token is no JWT. Expected: %s. Received: %s.", refusal.Expected, refusal.Received)
		}
		source.Token = &token
		// An iss that is no URL is a name, and nobody can be asked about it.
		if iss, ok := token.Claims["iss"].(string); ok && issuer == "" && trust.CheckURL(iss) == nil {
			issuer = iss
		}
	}
	if issuer != "" {
		document, err := s.Discovery.Read(ctx, issuer)
		switch {
		case err == nil:
			source.Document = &document
		case sample.Issuer == "":
			source.Undiscovered = err
		case errors.Is(err, trust.ErrOtherIssuer):
			return proposal.Proposal{}, countersign.ErrIssuerDiscoveryMismatch.Saying("Reason: %v.", err)
		default:
			return proposal.Proposal{}, countersign.ErrIssuerDiscoveryFailed.Saying("Reason: %v.", err)
		}
	}
	return proposal.Make(source), nil
}
