package countersign

import (
	"encoding/json"
	"strings"
	"time"
)

// PersonStatus is active, or pending until the first authentication.
type PersonStatus string

// The user statuses.
const (
	Active  PersonStatus = "active"
	Pending PersonStatus = "pending"
)

// Person is a person of a consumer project.
type Person struct {
	ID         PersonID
	Status     PersonStatus
	Name       Name
	Emails     []Email
	Phones     []Phone
	ExternalID string // opaque, case-sensitive, unique in the environment; "" if none
	Grants     []Grant
	// Roles are the IDs of the roles that count, the default one first: of the
	// grants those that the policy still knows. Whoever reads a user for others to
	// see resolves them (package rbac).
	Roles             []string
	TrustedMetadata   Object
	UntrustedMetadata Object
	CreatedAt         time.Time
}

// Grant is a role that somebody was given, and by whom.
type Grant struct {
	RoleID string `json:"role"`
	// Revision is the environment's when the role was given.
	Revision int64       `json:"revision"`
	Explicit bool        `json:"explicit,omitempty"` // by a call of the API
	Profiles []ProfileID `json:"profiles,omitempty"` // by tokens of these profiles
}

// Name is a person's name; any part may be "".
type Name struct {
	First  string `json:"first_name"`
	Middle string `json:"middle_name"`
	Last   string `json:"last_name"`
}

// String is the name as one text, without spaces for parts that are missing.
func (n Name) String() string {
	return strings.Join(strings.Fields(n.First+" "+n.Middle+" "+n.Last), " ")
}

// Email is an address of a user.
type Email struct {
	ID       EmailID
	Address  string // as given
	Key      string // the normal form, by which addresses are told apart (package email)
	Verified bool
}

// Phone is a phone number of a user in E.164 form.
type Phone struct {
	ID       PhoneID
	Number   string
	Verified bool
}

// Object is a JSON object whose values are kept as they were written.
type Object map[string]json.RawMessage
