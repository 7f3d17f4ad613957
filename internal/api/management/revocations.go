package management

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/session"
)

type revocationRequest struct {
	SessionID      string  `json:"session_id" doc:"One session; stands alone."`
	UserID         string  `json:"user_id" doc:"All sessions of a user, by ID or external ID; stands alone."`
	MemberID       string  `json:"member_id" doc:"All sessions of a member, by ID; stands alone."`
	ProfileID      string  `json:"profile_id" doc:"Sessions with a factor of this profile, which may be deleted."`
	KeyID          string  `json:"key_id" doc:"Sessions with a factor that this key of the issuer vouched for: a kid, or the ID of a PEM file."`
	AttestedBefore *string `json:"attested_before" openapi:"format=date-time" doc:"Only what was attested before this moment (RFC 3339); now, if absent. By itself, sessions that began before it."`
	DryRun         bool    `json:"dry_run" doc:"Count, and change nothing."`
}

type revocationAnswer struct {
	wire.Envelope
	Revocation *wire.Revocation `json:"revocation" doc:"What stands until the rows are gone; null for one session or person, and for a dry run."`
	Sessions   int64            `json:"sessions" openapi:"minimum=0" doc:"How many sessions it ends."`
	Complete   bool             `json:"complete" doc:"False if there are too many to count: then there are at least as many."`
	DryRun     bool             `json:"dry_run"`
}

// revoke is the kill switch.
func (s *Surface) revoke(ctx context.Context, r *api.Request[revocationRequest]) (*revocationAnswer, error) {
	params := session.KillParams{
		Environment: r.Caller.Environment, Actor: r.Caller.Actor, SessionID: r.Body.SessionID, Person: r.Body.UserID,
		ProfileID: r.Body.ProfileID, KeyID: r.Body.KeyID, DryRun: r.Body.DryRun,
	}
	if r.Body.MemberID != "" {
		if params.Person != "" {
			return nil, countersign.ErrInvalidRevocation
		}
		params.Person = r.Body.MemberID
	}
	if text := r.Body.AttestedBefore; text != nil {
		var err error
		if params.Before, err = parseMoment("attested_before", *text); err != nil {
			return nil, err
		}
	}
	killed, err := s.Sessions.Kill(ctx, params)
	answer := &revocationAnswer{Sessions: killed.Sessions, Complete: killed.All, DryRun: params.DryRun}
	if killed.Revocation != nil {
		shaped := wire.NewRevocation(*killed.Revocation)
		answer.Revocation = &shaped
	}
	return answer, err
}

type revocationsAnswer struct {
	wire.Envelope
	Revocations []wire.Revocation `json:"revocations"`
}

func (s *Surface) listRevocations(ctx context.Context, r *api.Request[api.None]) (*revocationsAnswer, error) {
	list, err := s.Sessions.Revocations(ctx, r.Caller.Environment.ID)
	return &revocationsAnswer{Revocations: wire.NewRevocations(list)}, err
}
