package session

import (
	"encoding/json"
	"maps"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/claimtemplate"
	"github.com/countersign-auth/countersign/internal/standing"
)

// claimsOf are the custom claims that a session has now: what the environment's
// template makes of the person, with the session's own on top (README §7).
// Reserved names in the template are passed over like everywhere else. Error:
// ErrCustomClaimsTooLarge.
func claimsOf(rules *standing.Rules, sess countersign.Session, user countersign.Person) (countersign.Object, error) {
	if rules.Template == nil {
		return sess.CustomClaims, nil
	}
	rendered, err := rules.Template.Render(valuesOf(user))
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(rendered, func(name string, _ json.RawMessage) bool { return reservedClaim(name) })
	merged, err := merge(rendered, sess.CustomClaims)
	if err != nil {
		return nil, err
	}
	return bounded(merged)
}

// templateUser is what placeholders under user name; lists of factors that this
// server never makes are left out and render as null.
type templateUser struct {
	UserID            string             `json:"user_id"`
	ExternalID        *string            `json:"external_id"`
	Name              countersign.Name   `json:"name"`
	Emails            []templateEmail    `json:"emails"`
	PhoneNumbers      []templatePhone    `json:"phone_numbers"`
	Status            string             `json:"status"`
	Roles             []string           `json:"roles"`
	CreatedAt         string             `json:"created_at"`
	TrustedMetadata   countersign.Object `json:"trusted_metadata"`
	UntrustedMetadata countersign.Object `json:"untrusted_metadata"`
}

type templateEmail struct {
	EmailID  string `json:"email_id"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

type templatePhone struct {
	PhoneID     string `json:"phone_id"`
	PhoneNumber string `json:"phone_number"`
	Verified    bool   `json:"verified"`
}

// valuesOf finds values by their path from "user".
func valuesOf(u countersign.Person) func(claimtemplate.Path) json.RawMessage {
	shape := templateUser{
		UserID: u.ID.String(), Name: u.Name, Status: string(u.Status), Roles: u.Roles, CreatedAt: countersign.Timestamp(u.CreatedAt),
		TrustedMetadata: u.TrustedMetadata, UntrustedMetadata: u.UntrustedMetadata,
		Emails: make([]templateEmail, len(u.Emails)), PhoneNumbers: make([]templatePhone, len(u.Phones)),
	}
	if u.ExternalID != "" {
		shape.ExternalID = &u.ExternalID
	}
	for i, e := range u.Emails {
		shape.Emails[i] = templateEmail{e.ID.String(), e.Address, e.Verified}
	}
	for i, p := range u.Phones {
		shape.PhoneNumbers[i] = templatePhone{p.ID.String(), p.Number, p.Verified}
	}
	root, err := countersign.EncodeJSON(map[string]any{"user": shape})
	return func(p claimtemplate.Path) json.RawMessage {
		if err != nil {
			return nil
		}
		return claimtemplate.Lookup(root, p)
	}
}
