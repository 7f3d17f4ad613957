package cli

import (
	"encoding/json"
	"strings"

	"github.com/countersign-auth/countersign"
)

// user is what the text form shows of a user (users.md §1).
type user struct {
	UserID            string           `json:"user_id"`
	ExternalID        string           `json:"external_id"`
	Status            string           `json:"status"`
	Name              countersign.Name `json:"name"`
	Emails            []userEmail      `json:"emails"`
	PhoneNumbers      []userPhone      `json:"phone_numbers"`
	Roles             []string         `json:"roles"`
	CreatedAt         string           `json:"created_at"`
	TrustedMetadata   json.RawMessage  `json:"trusted_metadata"`
	UntrustedMetadata json.RawMessage  `json:"untrusted_metadata"`
}

type userEmail struct {
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

type userPhone struct {
	PhoneNumber string `json:"phone_number"`
	Verified    bool   `json:"verified"`
}

// verification says of an address or a number whether it is the user's.
func verification(what string, verified bool) string {
	if verified {
		return what + " (verified)"
	}
	return what + " (not verified)"
}

func (u user) write(t *text) {
	t.field("user_id", u.UserID)
	t.field("external_id", u.ExternalID)
	t.field("status", u.Status)
	t.field("name", u.Name.String())
	for _, e := range u.Emails {
		t.field("email", verification(e.Email, e.Verified))
	}
	for _, p := range u.PhoneNumbers {
		t.field("phone_number", verification(p.PhoneNumber, p.Verified))
	}
	t.field("roles", strings.Join(u.Roles, ", "))
	t.field("created", t.when(u.CreatedAt))
	t.object("trusted_metadata", u.TrustedMetadata)
	t.object("untrusted_metadata", u.UntrustedMetadata)
}

var userHeader = strings.Fields("USER_ID CREATED STATUS EXTERNAL_ID EMAIL PHONE_NUMBER NAME")

// row is the user as a line under userHeader.
func (u user) row() []string {
	var emails, phones []string
	for _, e := range u.Emails {
		emails = append(emails, e.Email)
	}
	for _, p := range u.PhoneNumbers {
		phones = append(phones, p.PhoneNumber)
	}
	return []string{u.UserID, u.CreatedAt, u.Status, u.ExternalID, strings.Join(emails, ","), strings.Join(phones, ","), u.Name.String()}
}
