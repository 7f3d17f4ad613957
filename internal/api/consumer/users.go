package consumer

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
)

type createUserRequest struct {
	Email               string           `json:"email"`
	PhoneNumber         string           `json:"phone_number"`
	Name                countersign.Name `json:"name"`
	CreateUserAsPending bool             `json:"create_user_as_pending"`
	TrustedMetadata     json.RawMessage  `json:"trusted_metadata" openapi:"type=object"`
	UntrustedMetadata   json.RawMessage  `json:"untrusted_metadata" openapi:"type=object"`
	ExternalID          string           `json:"external_id"`
	Roles               []string         `json:"roles"`
}

type createUserAnswer struct {
	wire.Envelope
	UserID  string    `json:"user_id"`
	EmailID string    `json:"email_id" doc:"Empty if no address was given."`
	Status  string    `json:"status" openapi:"enum=active|pending"`
	PhoneID string    `json:"phone_id" doc:"Empty if no number was given."`
	User    wire.User `json:"user"`
}

// createUser is POST /v1/users. Nothing about a new user is verified.
func (s *Surface) createUser(ctx context.Context, r *api.Request[createUserRequest]) (*createUserAnswer, error) {
	trusted, err := wire.Metadata(r.Body.TrustedMetadata)
	if err != nil {
		return nil, err
	}
	untrusted, err := wire.Metadata(r.Body.UntrustedMetadata)
	if err != nil {
		return nil, err
	}
	u, err := s.Directory.CreateUser(ctx, r.Caller.Actor, r.Caller.Environment.ID, directory.NewUser{
		Email: r.Body.Email, Phone: r.Body.PhoneNumber, Name: r.Body.Name, Pending: r.Body.CreateUserAsPending,
		TrustedMetadata: trusted, UntrustedMetadata: untrusted, ExternalID: r.Body.ExternalID, Roles: r.Body.Roles,
	})
	if err != nil {
		return nil, err
	}
	answer := &createUserAnswer{UserID: u.ID.String(), Status: string(u.Status), User: wire.NewUser(u)}
	for _, e := range u.Emails {
		answer.EmailID = e.ID.String()
	}
	for _, p := range u.Phones {
		answer.PhoneID = p.ID.String()
	}
	return answer, nil
}

// userAnswer has the user's fields at the top level: there is no "user" key.
type userAnswer struct {
	wire.Envelope
	wire.User
}

// user is GET /v1/users/{user_id}.
func (s *Surface) user(ctx context.Context, r *api.Request[api.None]) (*userAnswer, error) {
	u, err := s.Directory.User(ctx, r.Caller.Environment.ID, r.Path("user_id"))
	if err != nil {
		return nil, err
	}
	return &userAnswer{User: wire.NewUser(u)}, nil
}

type deleteUserAnswer struct {
	wire.Envelope
	UserID string `json:"user_id"`
}

// deleteUser is DELETE /v1/users/{user_id}.
func (s *Surface) deleteUser(ctx context.Context, r *api.Request[api.None]) (*deleteUserAnswer, error) {
	id, err := s.Directory.DeleteUser(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Path("user_id"))
	if err != nil {
		return nil, err
	}
	return &deleteUserAnswer{UserID: id.String()}, nil
}
