package frontend

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
)

// holder is who is signed in, and their session as the actor of what they change.
// ErrSessionNotFound.
func (s *Surface) holder(ctx context.Context, caller api.Caller) (countersign.Person, countersign.Actor, error) {
	sess, user, err := s.Sessions.Holder(ctx, caller.Environment, caller.Page.Session, "")
	return user, countersign.Actor{Kind: countersign.ActorSession, ID: sess.ID.String(), RequestID: caller.Actor.RequestID}, err
}

// meAnswer has the user's fields at the top level: there is no "user" key.
type meAnswer struct {
	wire.Envelope
	wire.User
}

// me is GET /sdk/v1/users/me.
func (s *Surface) me(ctx context.Context, r *api.Request[api.None]) (*meAnswer, error) {
	user, _, err := s.holder(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	return &meAnswer{User: wire.NewUser(user)}, nil
}

type updateMeRequest struct {
	Name struct {
		First  *string `json:"first_name"`
		Middle *string `json:"middle_name"`
		Last   *string `json:"last_name"`
	} `json:"name"`
	UntrustedMetadata json.RawMessage `json:"untrusted_metadata" openapi:"type=object" doc:"Merged at the top level; null removes a key."`
	TrustedMetadata   json.RawMessage `json:"trusted_metadata" openapi:"type=object" doc:"Refused: only the project's backend writes it."`
}

type updateMeAnswer struct {
	wire.Envelope
	UserID        string       `json:"user_id"`
	Emails        []wire.Email `json:"emails"`
	PhoneNumbers  []wire.Phone `json:"phone_numbers"`
	CryptoWallets []struct{}   `json:"crypto_wallets"`
	User          wire.User    `json:"__user"`
}

// updateMe is PUT /sdk/v1/users/me, which changes only what is there.
func (s *Surface) updateMe(ctx context.Context, r *api.Request[updateMeRequest]) (*updateMeAnswer, error) {
	user, actor, err := s.holder(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	trusted, err := directory.Metadata(r.Body.TrustedMetadata)
	if err != nil {
		return nil, err
	}
	patch := directory.Patch{FirstName: r.Body.Name.First, MiddleName: r.Body.Name.Middle, LastName: r.Body.Name.Last}
	if patch.UntrustedMetadata, err = directory.Metadata(r.Body.UntrustedMetadata); err != nil {
		return nil, err
	}
	if trusted != nil {
		return nil, countersign.ErrUpdateTrustedMetadata
	}
	if user, err = s.Directory.Update(ctx, actor, r.Caller.Environment, directory.User(user.ID.String()), patch); err != nil {
		return nil, err
	}
	w := wire.NewUser(user)
	return &updateMeAnswer{UserID: w.UserID, Emails: w.Emails, PhoneNumbers: w.PhoneNumbers, CryptoWallets: w.CryptoWallets, User: w}, nil
}

// changedMeAnswer is the answer of everything that takes a factor away.
type changedMeAnswer struct {
	wire.Envelope
	UserID string    `json:"user_id"`
	User   wire.User `json:"__user"`
}

// deletion takes something of a user's own away.
type deletion func(ctx context.Context, actor countersign.Actor, env countersign.Environment, user countersign.PersonID, ref string) (countersign.Person, error)

func (s *Surface) deleteOwn(ctx context.Context, caller api.Caller, ref string, del deletion) (*changedMeAnswer, error) {
	user, actor, err := s.holder(ctx, caller)
	if err != nil {
		return nil, err
	}
	if user, err = del(ctx, actor, caller.Environment, user.ID, ref); err != nil {
		return nil, err
	}
	return &changedMeAnswer{UserID: user.ID.String(), User: wire.NewUser(user)}, nil
}

// deleteEmail is DELETE /sdk/v1/users/emails/{email_id}.
func (s *Surface) deleteEmail(ctx context.Context, r *api.Request[api.None]) (*changedMeAnswer, error) {
	return s.deleteOwn(ctx, r.Caller, r.Path("email_id"), s.Directory.DeleteOwnEmail)
}

// deletePhone is DELETE /sdk/v1/users/phone_numbers/{phone_id}.
func (s *Surface) deletePhone(ctx context.Context, r *api.Request[api.None]) (*changedMeAnswer, error) {
	return s.deleteOwn(ctx, r.Caller, r.Path("phone_id"), s.Directory.DeleteOwnPhone)
}

// never is the endpoint of what this server never makes: nobody has one of any ID.
func (s *Surface) never(notFound error) api.Endpoint[api.None, *changedMeAnswer] {
	return func(ctx context.Context, r *api.Request[api.None]) (*changedMeAnswer, error) {
		if _, _, err := s.holder(ctx, r.Caller); err != nil {
			return nil, err
		}
		return nil, notFound
	}
}

type connectedAppsAnswer struct {
	wire.Envelope
	ConnectedApps []wire.ConnectedApp `json:"connected_apps"`
}

// connectedApps is GET /sdk/v1/users/connected_apps: nobody has any.
func (s *Surface) connectedApps(ctx context.Context, r *api.Request[api.None]) (*connectedAppsAnswer, error) {
	_, _, err := s.holder(ctx, r.Caller)
	return &connectedAppsAnswer{ConnectedApps: []wire.ConnectedApp{}}, err
}
