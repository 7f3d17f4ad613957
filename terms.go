package countersign

// Terms are what the contract calls things in one vertical, where people are users,
// and in the other, where they are members.
type Terms struct {
	Noun    string // begins the actions of events
	IDField string // of JSON

	NotFound            *Error
	InvalidID           *Error
	DuplicateEmail      *Error
	DuplicatePhone      *Error
	DuplicateExternalID *Error
	SessionMismatch     *Error // the session is of somebody else
	NotPermitted        *Error // by the roles
}

var (
	ofUsers = Terms{
		"user", "user_id", ErrUserNotFound, ErrInvalidUserID, ErrDuplicateEmail, ErrDuplicatePhoneNumber, ErrDuplicateUserExternalID,
		ErrUserIDMismatch, ErrConsumerSessionAuthorization,
	}
	ofMembers = Terms{
		"member", "member_id", ErrMemberNotFound, ErrInvalidMemberID, ErrDuplicateMemberEmail, ErrDuplicateMemberPhone, ErrDuplicateMemberExternalID,
		ErrMemberMismatch, ErrSessionAuthorization,
	}
)

// Terms are those of a vertical.
func (v Vertical) Terms() *Terms {
	if v == B2B {
		return &ofMembers
	}
	return &ofUsers
}

// Terms are those of the people of a tenant.
func (t Tenant) Terms() *Terms {
	if t.OrganizationID.IsZero() {
		return &ofUsers
	}
	return &ofMembers
}
