package management

import (
	"context"

	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type newSecretAnswer struct {
	wire.Envelope
	Secret wire.Secret `json:"secret"`
}

type secretAnswer struct {
	wire.Envelope
	Secret wire.MaskedSecret `json:"secret"`
}

type secretsAnswer struct {
	wire.Envelope
	Secrets []wire.MaskedSecret `json:"secrets"`
}

// createSecret answers with the value, this once.
func (s *Surface) createSecret(ctx context.Context, r *api.Request[api.None]) (*newSecretAnswer, error) {
	stored, value, err := s.Projects.CreateSecret(ctx, r.Caller.Actor, r.Caller.Environment)
	return &newSecretAnswer{Secret: wire.NewSecret(stored, value)}, err
}

func (s *Surface) listSecrets(ctx context.Context, r *api.Request[api.None]) (*secretsAnswer, error) {
	list, err := s.Projects.Secrets(ctx, r.Caller.Environment.ID)
	return &secretsAnswer{Secrets: wire.NewMaskedSecrets(list)}, err
}

func (s *Surface) secret(ctx context.Context, r *api.Request[api.None]) (*secretAnswer, error) {
	stored, err := s.Projects.Secret(ctx, r.Caller.Environment.ID, r.Path("secret_id"))
	return &secretAnswer{Secret: wire.NewMaskedSecret(stored)}, err
}

func (s *Surface) deleteSecret(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Projects.DeleteSecret(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Path("secret_id"))
}

type publicTokenAnswer struct {
	wire.Envelope
	PublicToken wire.PublicToken `json:"public_token"`
}

type publicTokensAnswer struct {
	wire.Envelope
	PublicTokens []wire.PublicToken `json:"public_tokens"`
}

func (s *Surface) createPublicToken(ctx context.Context, r *api.Request[api.None]) (*publicTokenAnswer, error) {
	t, err := s.Projects.CreatePublicToken(ctx, r.Caller.Actor, r.Caller.Environment)
	return &publicTokenAnswer{PublicToken: wire.NewPublicToken(t)}, err
}

func (s *Surface) listPublicTokens(ctx context.Context, r *api.Request[api.None]) (*publicTokensAnswer, error) {
	list, err := s.Projects.PublicTokens(ctx, r.Caller.Environment.ID)
	return &publicTokensAnswer{PublicTokens: wire.NewPublicTokens(list)}, err
}

func (s *Surface) publicToken(ctx context.Context, r *api.Request[api.None]) (*publicTokenAnswer, error) {
	t, err := s.Projects.PublicToken(ctx, r.Caller.Environment.ID, r.Path("public_token"))
	return &publicTokenAnswer{PublicToken: wire.NewPublicToken(t)}, err
}

func (s *Surface) deletePublicToken(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Projects.DeletePublicToken(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Path("public_token"))
}
