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

func (r createUserRequest) newUser() (n directory.NewPerson, err error) {
	n = directory.NewPerson{
		Email: r.Email, Phone: r.PhoneNumber, Name: r.Name, Pending: r.CreateUserAsPending, ExternalID: r.ExternalID, Roles: r.Roles,
	}
	if n.TrustedMetadata, err = directory.Metadata(r.TrustedMetadata); err != nil {
		return n, err
	}
	n.UntrustedMetadata, err = directory.Metadata(r.UntrustedMetadata)
	return n, err
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
	n, err := r.Body.newUser()
	if err != nil {
		return nil, err
	}
	u, err := s.Directory.Create(ctx, r.Caller.Actor, r.Caller.Environment, "", n)
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
	u, err := s.Directory.Person(ctx, r.Caller.Environment, directory.User(r.Path("user_id")))
	if err != nil {
		return nil, err
	}
	return &userAnswer{User: wire.NewUser(u)}, nil
}

type updateUserRequest struct {
	Name struct {
		First  *string `json:"first_name"`
		Middle *string `json:"middle_name"`
		Last   *string `json:"last_name"`
	} `json:"name"`
	TrustedMetadata   json.RawMessage `json:"trusted_metadata" openapi:"type=object" doc:"Merged at the top level; null removes a key."`
	UntrustedMetadata json.RawMessage `json:"untrusted_metadata" openapi:"type=object" doc:"Merged at the top level; null removes a key."`
	ExternalID        string          `json:"external_id"`
	Roles             *[]string       `json:"roles"`
	Emails            json.RawMessage `json:"emails" doc:"Refused: an update never changes it."`
	PhoneNumbers      json.RawMessage `json:"phone_numbers" doc:"Refused: an update never changes it."`
	CryptoWallets     json.RawMessage `json:"crypto_wallets" doc:"Refused: an update never changes it."`
}

type updateUserAnswer struct {
	wire.Envelope
	UserID        string       `json:"user_id"`
	Emails        []wire.Email `json:"emails"`
	PhoneNumbers  []wire.Phone `json:"phone_numbers"`
	CryptoWallets []struct{}   `json:"crypto_wallets"`
	User          wire.User    `json:"user"`
}

// updateUser is PUT /v1/users/{user_id}, which changes only what is there.
func (s *Surface) updateUser(ctx context.Context, r *api.Request[updateUserRequest]) (*updateUserAnswer, error) {
	for _, list := range []json.RawMessage{r.Body.Emails, r.Body.PhoneNumbers, r.Body.CryptoWallets} {
		if len(list) > 0 && string(list) != "null" {
			return nil, countersign.ErrUpdateAuthMethod
		}
	}
	patch := directory.Patch{
		FirstName: r.Body.Name.First, MiddleName: r.Body.Name.Middle, LastName: r.Body.Name.Last,
		ExternalID: r.Body.ExternalID, Roles: r.Body.Roles,
	}
	var err error
	if patch.TrustedMetadata, err = directory.Metadata(r.Body.TrustedMetadata); err != nil {
		return nil, err
	}
	if patch.UntrustedMetadata, err = directory.Metadata(r.Body.UntrustedMetadata); err != nil {
		return nil, err
	}
	u, err := s.Directory.Update(ctx, r.Caller.Actor, r.Caller.Environment, directory.User(r.Path("user_id")), patch)
	if err != nil {
		return nil, err
	}
	w := wire.NewUser(u)
	return &updateUserAnswer{UserID: w.UserID, Emails: w.Emails, PhoneNumbers: w.PhoneNumbers, CryptoWallets: w.CryptoWallets, User: w}, nil
}

type deleteUserAnswer struct {
	wire.Envelope
	UserID string `json:"user_id"`
}

// deleteUser is DELETE /v1/users/{user_id}.
func (s *Surface) deleteUser(ctx context.Context, r *api.Request[api.None]) (*deleteUserAnswer, error) {
	id, err := s.Directory.Delete(ctx, r.Caller.Actor, r.Caller.Environment.ID, directory.User(r.Path("user_id")))
	if err != nil {
		return nil, err
	}
	return &deleteUserAnswer{UserID: id.String()}, nil
}

// changedUserAnswer is the answer of everything that changes one thing about a
// user.
type changedUserAnswer struct {
	wire.Envelope
	UserID string    `json:"user_id"`
	User   wire.User `json:"user"`
}

func changedUser(u countersign.Person, err error) (*changedUserAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &changedUserAnswer{UserID: u.ID.String(), User: wire.NewUser(u)}, nil
}

type exchangeRequest struct {
	EmailAddress string `json:"email_address"`
	PhoneNumber  string `json:"phone_number"`
}

// exchangePrimaryFactor is PUT /v1/users/{user_id}/exchange_primary_factor.
func (s *Surface) exchangePrimaryFactor(ctx context.Context, r *api.Request[exchangeRequest]) (*changedUserAnswer, error) {
	return changedUser(s.Directory.ExchangePrimaryFactor(ctx, r.Caller.Actor, r.Caller.Environment, r.Path("user_id"), r.Body.EmailAddress, r.Body.PhoneNumber))
}

// deleteExternalID is DELETE /v1/users/{user_id}/external_id.
func (s *Surface) deleteExternalID(ctx context.Context, r *api.Request[api.None]) (*changedUserAnswer, error) {
	return changedUser(s.Directory.ClearExternalID(ctx, r.Caller.Actor, r.Caller.Environment, directory.User(r.Path("user_id"))))
}

// deleteEmail is DELETE /v1/users/emails/{email_id}.
func (s *Surface) deleteEmail(ctx context.Context, r *api.Request[api.None]) (*changedUserAnswer, error) {
	return changedUser(s.Directory.DeleteEmail(ctx, r.Caller.Actor, r.Caller.Environment, r.Path("email_id")))
}

// deletePhone is DELETE /v1/users/phone_numbers/{phone_id}.
func (s *Surface) deletePhone(ctx context.Context, r *api.Request[api.None]) (*changedUserAnswer, error) {
	return changedUser(s.Directory.DeletePhone(ctx, r.Caller.Actor, r.Caller.Environment, r.Path("phone_id")))
}

// never is the endpoint of what this server never makes: there is none of any ID.
func never(notFound error) api.Endpoint[api.None, *changedUserAnswer] {
	return func(context.Context, *api.Request[api.None]) (*changedUserAnswer, error) { return nil, notFound }
}

type connectedAppsAnswer struct {
	wire.Envelope
	ConnectedApps []wire.ConnectedApp `json:"connected_apps"`
}

// connectedApps is GET /v1/users/{user_id}/connected_apps: nobody has any.
func (s *Surface) connectedApps(ctx context.Context, r *api.Request[api.None]) (*connectedAppsAnswer, error) {
	_, err := s.Directory.Person(ctx, r.Caller.Environment, directory.User(r.Path("user_id")))
	return &connectedAppsAnswer{ConnectedApps: []wire.ConnectedApp{}}, err
}

// revokeConnectedApp is POST /v1/users/{user_id}/connected_apps/{connected_app_id}/revoke.
func (s *Surface) revokeConnectedApp(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	if _, err := s.Directory.Person(ctx, r.Caller.Environment, directory.User(r.Path("user_id"))); err != nil {
		return nil, err
	}
	return nil, countersign.ErrConnectedAppNotFound
}
