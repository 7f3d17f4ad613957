package consumer

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
)

type searchAnswer struct {
	wire.Envelope
	Results         []wire.User          `json:"results"`
	ResultsMetadata wire.ResultsMetadata `json:"results_metadata"`
}

// search is POST /v1/users/search.
func (s *Surface) search(ctx context.Context, r *api.Request[wire.SearchRequest]) (*searchAnswer, error) {
	q, err := r.Body.Read(countersign.UserSearch)
	if err != nil {
		return nil, err
	}
	found, err := s.Directory.SearchUsers(ctx, r.Caller.Environment, q)
	if err != nil {
		return nil, err
	}
	return &searchAnswer{Results: wire.NewUsers(found.Results), ResultsMetadata: wire.NewResultsMetadata(found.Total, found.Next)}, nil
}

// importedUser is a user of an import, of whom more may be known than of one that
// is created.
type importedUser struct {
	createUserRequest
	EmailVerified       bool `json:"email_verified"`
	PhoneNumberVerified bool `json:"phone_number_verified"`
}

type importRequest struct {
	Users []json.RawMessage `json:"users"`
}

// MaxBytes bounds the body of an import.
func (importRequest) MaxBytes() int64 { return 1 << 20 }

type importAnswer struct {
	wire.Envelope
	Results []wire.Imported `json:"results"`
}

// importUsers is POST /v1/users/import, this server's addition to the contract:
// up to 500 users at once, each its own success or failure.
func (s *Surface) importUsers(ctx context.Context, r *api.Request[importRequest]) (*importAnswer, error) {
	if len(r.Body.Users) == 0 || len(r.Body.Users) > directory.MaxImport {
		return nil, countersign.ErrBadRequest.Saying("users must have 1 to %d members.", directory.MaxImport)
	}
	answer := &importAnswer{Results: make([]wire.Imported, len(r.Body.Users))}
	var list []directory.NewPerson
	var places []int // of the users in list
	for i, raw := range r.Body.Users {
		n, err := readImported(raw)
		if err != nil {
			if answer.Results[i], err = wire.NewRefused(err); err != nil {
				return nil, err
			}
			continue
		}
		list, places = append(list, n), append(places, i)
	}
	imported, err := s.Directory.ImportUsers(ctx, r.Caller.Actor, r.Caller.Environment, list)
	if err != nil {
		return nil, err
	}
	for i, one := range imported {
		answer.Results[places[i]] = wire.NewImported(one)
	}
	return answer, nil
}

func readImported(raw json.RawMessage) (directory.NewPerson, error) {
	var u importedUser
	if err := api.Decode(raw, &u); err != nil {
		return directory.NewPerson{}, err
	}
	n, err := u.newUser()
	n.EmailVerified, n.PhoneVerified = u.EmailVerified, u.PhoneNumberVerified
	return n, err
}
