package wire

import (
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
)

// User is a user of a consumer project (users.md §1). Lists of factors that this
// server never makes are always empty.
type User struct {
	UserID                 string             `json:"user_id"`
	Emails                 []Email            `json:"emails"`
	Status                 string             `json:"status" openapi:"enum=active|pending" doc:"Pending until the first authentication."`
	PhoneNumbers           []Phone            `json:"phone_numbers"`
	WebauthnRegistrations  []struct{}         `json:"webauthn_registrations"`
	Providers              []struct{}         `json:"providers"`
	TOTPs                  []struct{}         `json:"totps"`
	CryptoWallets          []struct{}         `json:"crypto_wallets"`
	BiometricRegistrations []struct{}         `json:"biometric_registrations"`
	IsLocked               bool               `json:"is_locked"`
	Roles                  []string           `json:"roles"`
	Name                   countersign.Name   `json:"name"`
	CreatedAt              *Moment            `json:"created_at"`
	Password               *struct{}          `json:"password"`
	TrustedMetadata        countersign.Object `json:"trusted_metadata"`
	UntrustedMetadata      countersign.Object `json:"untrusted_metadata"`
	ExternalID             *string            `json:"external_id"`
	LockCreatedAt          *Moment            `json:"lock_created_at"`
	LockExpiresAt          *Moment            `json:"lock_expires_at"`
}

// Email is an address of a user.
type Email struct {
	EmailID  string `json:"email_id"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

// Phone is a phone number of a user.
type Phone struct {
	PhoneID     string `json:"phone_id"`
	PhoneNumber string `json:"phone_number"`
	Verified    bool   `json:"verified"`
}

// NewUser shapes a user.
func NewUser(u countersign.Person) User {
	w := User{
		UserID: u.ID.String(), Status: string(u.Status), Roles: u.Roles, Name: u.Name, CreatedAt: moment(u.CreatedAt),
		TrustedMetadata: u.TrustedMetadata, UntrustedMetadata: u.UntrustedMetadata,
		Emails: each(u.Emails, func(e countersign.Email) Email {
			return Email{EmailID: e.ID.String(), Email: e.Address, Verified: e.Verified}
		}),
		PhoneNumbers: each(u.Phones, func(p countersign.Phone) Phone {
			return Phone{PhoneID: p.ID.String(), PhoneNumber: p.Number, Verified: p.Verified}
		}),
		WebauthnRegistrations: []struct{}{}, Providers: []struct{}{}, TOTPs: []struct{}{},
		CryptoWallets: []struct{}{}, BiometricRegistrations: []struct{}{},
	}
	if u.ExternalID != "" {
		w.ExternalID = &u.ExternalID
	}
	return w
}

// NewUsers shapes a list of users.
func NewUsers(list []countersign.Person) []User { return each(list, NewUser) }

// ConnectedApp is an application that a user let in; nobody has any.
type ConnectedApp struct {
	ConnectedAppID string  `json:"connected_app_id"`
	Name           string  `json:"name"`
	Description    string  `json:"description"`
	ClientType     string  `json:"client_type"`
	ScopesGranted  string  `json:"scopes_granted"`
	LogoURL        *string `json:"logo_url"`
}

// Imported is what became of one user of an import: an ID, or why not.
type Imported struct {
	UserID       string `json:"user_id" doc:"Empty if the user was refused."`
	ErrorType    string `json:"error_type" doc:"Why the user was refused, as when one is created; empty if not."`
	ErrorMessage string `json:"error_message"`
}

// NewImported shapes what became of one user of an import.
func NewImported(i directory.Imported) Imported {
	if i.Refused != nil {
		return Imported{ErrorType: i.Refused.Type, ErrorMessage: i.Refused.Explained()}
	}
	return Imported{UserID: i.ID.String()}
}

// NewRefused shapes a user of an import that could not be read; err comes back
// if it is none that a caller may see.
func NewRefused(err error) (Imported, error) {
	named, ok := errors.AsType[*countersign.Error](err)
	if !ok {
		return Imported{}, err
	}
	return NewImported(directory.Imported{Refused: named}), nil
}
