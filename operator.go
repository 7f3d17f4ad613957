package countersign

import "time"

// OperatorRole is what an operator may do. Each may all that the ones below it may.
type OperatorRole string

// The roles, from the least on.
const (
	OperatorViewer OperatorRole = "viewer" // read
	OperatorEditor OperatorRole = "editor" // change profiles and users, end sessions
	OperatorOwner  OperatorRole = "owner"  // manage keys, secrets, settings, environments and operators
)

// OperatorRoles lists all of them, from the least on.
func OperatorRoles() []OperatorRole {
	return []OperatorRole{OperatorViewer, OperatorEditor, OperatorOwner}
}

func (r OperatorRole) rank() int {
	for i, role := range OperatorRoles() {
		if r == role {
			return i + 1
		}
	}
	return 0
}

// Valid reports whether there is such a role.
func (r OperatorRole) Valid() bool { return r.rank() > 0 }

// Covers reports whether whoever has the role may do what another one may. A role
// that there is not covers nothing.
func (r OperatorRole) Covers(other OperatorRole) bool {
	return r.Valid() && other.Valid() && r.rank() >= other.rank()
}

// Operator is a person who administers the workspace on the dashboard.
type Operator struct {
	ID        OperatorID
	Name      string // unique
	Role      OperatorRole
	CreatedAt time.Time
	SeenAt    time.Time // of the last sign-in; zero if never
}

// OperatorPass is a link or a session of an operator, as it is kept: whoever holds
// the secret of the hash may use it until it expires.
type OperatorPass struct {
	ID         string
	OperatorID OperatorID
	Hash       []byte // SHA-256 of the secret
	CreatedAt  time.Time
	ExpiresAt  time.Time
}
