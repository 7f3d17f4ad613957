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

// templateMember is what placeholders under member name.
type templateMember struct {
	MemberID          string             `json:"member_id"`
	OrganizationID    string             `json:"organization_id"`
	ExternalID        *string            `json:"external_id"`
	Name              string             `json:"name"`
	EmailAddress      string             `json:"email_address"`
	EmailVerified     bool               `json:"email_address_verified"`
	Status            string             `json:"status"`
	IsBreakglass      bool               `json:"is_breakglass"`
	MFAEnrolled       bool               `json:"mfa_enrolled"`
	Roles             []string           `json:"roles"`
	CreatedAt         string             `json:"created_at"`
	TrustedMetadata   countersign.Object `json:"trusted_metadata"`
	UntrustedMetadata countersign.Object `json:"untrusted_metadata"`
}

// templateOrganization is what placeholders under organization name.
type templateOrganization struct {
	OrganizationID  string             `json:"organization_id"`
	ExternalID      *string            `json:"organization_external_id"`
	Name            string             `json:"organization_name"`
	Slug            string             `json:"organization_slug"`
	TrustedMetadata countersign.Object `json:"trusted_metadata"`
	CreatedAt       string             `json:"created_at"`
}

// valuesOf finds values by their path: from "user", or from "member" and
// "organization".
func valuesOf(p countersign.Person) func(claimtemplate.Path) json.RawMessage {
	var roots map[string]any
	if p.Organization == nil {
		roots = map[string]any{"user": newTemplateUser(p)}
	} else {
		roots = map[string]any{"member": newTemplateMember(p), "organization": newTemplateOrganization(*p.Organization)}
	}
	text, err := countersign.EncodeJSON(roots)
	return func(path claimtemplate.Path) json.RawMessage {
		if err != nil {
			return nil
		}
		return claimtemplate.Lookup(text, path)
	}
}

func newTemplateUser(u countersign.Person) templateUser {
	shape := templateUser{
		UserID: u.ID.String(), ExternalID: orNull(u.ExternalID), Name: u.Name, Status: string(u.Status), Roles: u.Roles, CreatedAt: countersign.Timestamp(u.CreatedAt),
		TrustedMetadata: u.TrustedMetadata, UntrustedMetadata: u.UntrustedMetadata,
		Emails: make([]templateEmail, len(u.Emails)), PhoneNumbers: make([]templatePhone, len(u.Phones)),
	}
	for i, e := range u.Emails {
		shape.Emails[i] = templateEmail{e.ID.String(), e.Address, e.Verified}
	}
	for i, p := range u.Phones {
		shape.PhoneNumbers[i] = templatePhone{p.ID.String(), p.Number, p.Verified}
	}
	return shape
}

func newTemplateMember(m countersign.Person) templateMember {
	address := m.Email()
	return templateMember{
		MemberID: m.ID.String(), OrganizationID: m.Organization.ID.String(), ExternalID: orNull(m.ExternalID), Name: m.Name.First,
		EmailAddress: address.Address, EmailVerified: address.Verified, Status: string(m.Status),
		IsBreakglass: m.Membership.Breakglass, MFAEnrolled: m.Membership.MFAEnrolled, Roles: m.Roles, CreatedAt: countersign.Timestamp(m.CreatedAt),
		TrustedMetadata: m.TrustedMetadata, UntrustedMetadata: m.UntrustedMetadata,
	}
}

func newTemplateOrganization(o countersign.Organization) templateOrganization {
	return templateOrganization{
		OrganizationID: o.ID.String(), ExternalID: orNull(o.ExternalID), Name: o.Name, Slug: o.Slug,
		TrustedMetadata: o.TrustedMetadata, CreatedAt: countersign.Timestamp(o.CreatedAt),
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
