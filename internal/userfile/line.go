package userfile

import "github.com/countersign-auth/countersign"

// MaxLine is how long a line may be, in bytes without its end. A CSV record with
// line breaks inside of quotes counts as one line.
const MaxLine = 64 << 10

// Line is a user of a file, or why there is none.
type Line struct {
	Number  int64    // in the file, the first is 1; of a record of many lines, its first
	End     Position // behind it
	User    User
	Refused *Refusal // nil if User was read
}

// Position is a place between two lines.
type Position struct {
	Offset int64 `json:"offset"` // bytes from the beginning
	Line   int64 `json:"line"`   // lines before it
}

// Refusal says why a line is no user. It never repeats what stands in the line.
type Refusal struct {
	Type    string // one of those below, or an error type of the contract
	Message string
}

// What is wrong with lines that cannot be read, in the way of error types.
const (
	LineTooLong  = "line_too_long"
	InvalidCSV   = "invalid_csv"
	InvalidJSON  = "invalid_json"
	UnknownField = "unknown_field"
	InvalidField = "invalid_field"
)

// User is a user in the shape that POST /v1/users/import takes.
type User struct {
	Email               string             `json:"email,omitempty"`
	PhoneNumber         string             `json:"phone_number,omitempty"`
	Name                countersign.Name   `json:"name,omitzero"`
	ExternalID          string             `json:"external_id,omitempty"`
	Roles               []string           `json:"roles,omitempty"`
	TrustedMetadata     countersign.Object `json:"trusted_metadata,omitempty"`
	UntrustedMetadata   countersign.Object `json:"untrusted_metadata,omitempty"`
	Pending             bool               `json:"create_user_as_pending,omitempty"`
	EmailVerified       bool               `json:"email_verified,omitempty"`
	PhoneNumberVerified bool               `json:"phone_number_verified,omitempty"`
}
