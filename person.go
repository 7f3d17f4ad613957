package countersign

import (
	"encoding/json"
	"strings"
	"time"
)

// PersonStatus is how far somebody has come.
type PersonStatus string

// The statuses. Only members are invited, or deleted and still there.
const (
	Active  PersonStatus = "active"
	Pending PersonStatus = "pending" // until the first authentication
	Invited PersonStatus = "invited" // until the first authentication
	Deleted PersonStatus = "deleted" // until reactivated
)

// Tenant is where an address, a number and an external ID belong to one person: an
// environment of a consumer project, or an organization of a B2B project.
type Tenant struct {
	EnvironmentID  EnvironmentID
	OrganizationID OrganizationID // zero in a consumer project
}

// PersonIDIn is the ID of that UUID of somebody in a vertical: a user or a member.
func PersonIDIn(v Vertical, id PersonID) PersonID {
	id.tag = tagOf(id.Class())
	if v == B2B {
		id.tag += memberTag
	}
	return id
}

// IsMember tells a member from a user.
func IsMember(id PersonID) bool { return id.tag > memberTag }

// Person is a user of a consumer project or a member of an organization.
type Person struct {
	ID PersonID
	// Organization is whose member it is; nil for a user.
	Organization *Organization
	Status       PersonStatus
	Name         Name
	Emails       []Email
	Phones       []Phone
	ExternalID   string // opaque, case-sensitive, unique in the tenant; "" if none
	Grants       []Grant
	// Roles are the IDs of the roles that count, the default one first: of the
	// grants those that the policy still knows, and those of the address's domain.
	// Whoever reads a person for others to see resolves them (package standing).
	Roles []string
	// Held says of each of a member's Roles where it comes from.
	Held              []HeldRole
	TrustedMetadata   Object
	UntrustedMetadata Object
	Membership        Membership
	CreatedAt         time.Time
}

// Tenant is where the person's addresses and external ID are unique.
func (p Person) Tenant(env EnvironmentID) Tenant {
	t := Tenant{EnvironmentID: env}
	if p.Organization != nil {
		t.OrganizationID = p.Organization.ID
	}
	return t
}

// Email is the address that a member is known by; the zero one if there is none.
func (p Person) Email() (e Email) {
	for _, e := range p.Emails {
		if !e.Retired {
			return e
		}
	}
	return e
}

// Membership is what only members have. A member has one address, at most one
// number, and as a name only Name.First.
type Membership struct {
	Breakglass       bool      `json:"breakglass,omitempty"`
	MFAEnrolled      bool      `json:"mfa_enrolled,omitempty"`
	DefaultMFAMethod string    `json:"default_mfa_method,omitempty"`
	UpdatedAt        time.Time `json:"updated_at"`
}

// HeldRole is a role that counts and where it comes from: at least one of the two.
type HeldRole struct {
	RoleID   string
	Assigned bool   // by a call, a token, or to every member
	Domain   string // of the address, which the organization gives the role to; "" if it does not
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

// Email is an address of a person.
type Email struct {
	ID       EmailID
	Address  string // as given
	Key      string // the normal form, by which addresses are told apart (package email)
	Verified bool
	// Retired addresses were a member's before and stay reserved: nobody signs in by
	// them and nobody else gets them.
	Retired bool
}

// Phone is a phone number of a person in E.164 form.
type Phone struct {
	ID       PhoneID
	Number   string
	Verified bool
}

// Object is a JSON object whose values are kept as they were written.
type Object map[string]json.RawMessage
