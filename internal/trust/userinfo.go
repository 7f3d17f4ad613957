package trust

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
)

// maxUserinfoBytes bounds the answer of a userinfo endpoint.
const maxUserinfoBytes = 64 << 10

// Userinfo asks the userinfo endpoints of other providers who a token of theirs
// belongs to (OpenID Connect Core 1.0 §5.3), under the same guard as key sets.
type Userinfo struct{ fetcher fetcher }

// NewUserinfo makes a Userinfo. The error says which entry of cfg.AllowPrivate is
// not understood.
func NewUserinfo(cfg GuardConfig) (*Userinfo, error) {
	client, err := NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Userinfo{fetcher{client: client, headerWait: headerWait, inFull: fetchWait}}, nil
}

// Email is the address of the person whom the endpoint knows by token. Errors
// are sentences for the operator: they name neither the token nor the person.
func (u *Userinfo) Email(ctx context.Context, rawURL string, token countersign.Bearer) (email.Address, error) {
	var body []byte
	header := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token.Reveal()}}
	err := u.fetcher.get(ctx, rawURL, header, func(response *http.Response) (err error) {
		if response.StatusCode != http.StatusOK { // also a redirect, which would carry the token elsewhere
			return fmt.Errorf("the answer is %d, not 200", response.StatusCode)
		}
		body, err = readUpTo(response.Body, maxUserinfoBytes)
		return err
	})
	if err != nil {
		return email.Address{}, err
	}
	claims, err := parseObject(string(body))
	if err != nil {
		return email.Address{}, fmt.Errorf("the answer cannot be read: %w", err)
	}
	// A provider that says it did not verify the address vouches for nobody; one
	// that says nothing is believed, as the operator chose it.
	if verified, said := claims["email_verified"]; said && verified != true && verified != "true" {
		return email.Address{}, errors.New("the provider says that it has not verified the address")
	}
	text, ok := claims["email"].(string)
	if !ok {
		return email.Address{}, errors.New("the answer has no email that is a string")
	}
	address, err := email.Parse(text)
	if err != nil {
		return email.Address{}, fmt.Errorf("the email in the answer is no address: %w", err)
	}
	return address, nil
}
