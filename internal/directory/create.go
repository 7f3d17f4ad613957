package directory

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// NewPerson is what a user begins with. Email or Phone is required.
type NewPerson struct {
	Email             string
	EmailVerified     bool
	Phone             string // E.164
	PhoneVerified     bool
	Name              countersign.Name
	Pending           bool
	ExternalID        string
	TrustedMetadata   countersign.Object
	UntrustedMetadata countersign.Object
	Roles             []string
	// Profile gives the roles; zero for a call of the API.
	Profile countersign.ProfileID
}

const maxNamePart = 128 // bytes

// newPerson is a NewUser that was checked.
type newPerson struct {
	NewPerson
	address email.Address
	grants  []countersign.Grant
}

// Check refuses what no user of any environment may be. It knows no roles.
func (n NewPerson) Check() error {
	_, err := n.read()
	return err
}

// check refuses what no user of an environment may be, before any transaction.
func (n NewPerson) check(rules *standing.Rules) (c newPerson, err error) {
	if c, err = n.read(); err != nil {
		return c, err
	}
	c.grants, err = rules.Give(n.Profile, nil, n.Roles)
	return c, err
}

// read is check less the roles.
func (n NewPerson) read() (c newPerson, err error) {
	if n.Email == "" && n.Phone == "" {
		return c, countersign.ErrInvalidCreateUser
	}
	c.NewPerson = n
	if n.Email != "" {
		if c.address, err = parseEmail(n.Email); err != nil {
			return c, err
		}
	}
	if n.Phone != "" && !validPhone(n.Phone) {
		return c, countersign.ErrInvalidPhoneNumber
	}
	if n.ExternalID != "" {
		if err := checkExternalID(n.ExternalID); err != nil {
			return c, err
		}
	}
	if err := checkName(n.Name); err != nil {
		return c, err
	}
	if c.TrustedMetadata, err = mergeMetadata(nil, n.TrustedMetadata); err != nil {
		return c, err
	}
	c.UntrustedMetadata, err = mergeMetadata(nil, n.UntrustedMetadata)
	return c, err
}

func parseEmail(text string) (email.Address, error) {
	address, err := email.Parse(text)
	if err != nil {
		return address, countersign.ErrInvalidEmail.Saying("Received: %v.", err)
	}
	return address, nil
}

func checkExternalID(id string) error {
	if !countersign.ValidExternalID(id) {
		return countersign.ErrInvalidArgument.Saying("external_id must have 1 to 128 characters out of A-Z, a-z, 0-9 and \"._|-\", not be \".\" or \"..\", and not look like one of the server's own IDs.")
	}
	return nil
}

func checkName(name countersign.Name) error {
	for _, part := range []string{name.First, name.Middle, name.Last} {
		if len(part) > maxNamePart || strings.ContainsFunc(part, unicode.IsControl) { // a NUL could not even be stored
			return countersign.ErrInvalidArgument.Saying("Each part of name may have %d bytes and no control characters.", maxNamePart)
		}
	}
	return nil
}

// validPhone reports whether s is a plus sign and 8 to 15 digits (ITU-T E.164),
// of which the first is not 0.
func validPhone(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 8 && len(digits) <= 15 && digits[0] != '0' &&
		!strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}

// Create makes a user. Errors: those of what a user may be made of, and
// ErrDuplicateEmail, ErrDuplicatePhoneNumber, ErrDuplicateUserExternalID.
func (s *Service) Create(ctx context.Context, actor countersign.Actor, env countersign.Environment, n NewPerson) (countersign.Person, error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return countersign.Person{}, err
	}
	checked, err := n.check(rules)
	if err != nil {
		return countersign.Person{}, err
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, _ *standing.Rules) (countersign.Person, error) {
		return createFree(ctx, tx, env.ID, checked)
	})
}

// createFree makes a user whose address and number nobody has. It writes nothing
// before all is known to be free.
func createFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, n newPerson) (countersign.Person, error) {
	var none countersign.PersonID
	if err := checkEmailFree(ctx, tx, env, none, n.address); err != nil {
		return countersign.Person{}, err
	}
	if err := checkPhoneFree(ctx, tx, env, none, n.Phone); err != nil {
		return countersign.Person{}, err
	}
	return create(ctx, tx, env, n)
}

// CreateInside is CreateUser as a part of somebody else's transaction, in which
// they have looked for the address and found nobody.
func CreateInside(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, rules *standing.Rules, n NewPerson) (countersign.Person, error) {
	checked, err := n.check(rules)
	if err != nil {
		return countersign.Person{}, err
	}
	u, err := create(ctx, tx, env, checked)
	u.Roles = rules.Roles(u.Grants)
	return u, err
}

func create(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, n newPerson) (countersign.Person, error) {
	u := countersign.Person{
		ID: countersign.NewOrderedID[countersign.PersonID](env.Class(), tx.Now), Status: countersign.Active,
		Name: n.Name, ExternalID: n.ExternalID, TrustedMetadata: n.TrustedMetadata, UntrustedMetadata: n.UntrustedMetadata,
		Grants: n.grants, CreatedAt: tx.Now,
	}
	if n.Pending {
		u.Status = countersign.Pending
	}
	if err := CheckExternalIDFree(ctx, tx, env, u.ID, n.ExternalID); err != nil {
		return u, err
	}
	if n.Email != "" {
		u.Emails = []countersign.Email{newEmail(env, n.address, n.EmailVerified)}
	}
	if n.Phone != "" {
		u.Phones = []countersign.Phone{newPhone(env, n.Phone, n.PhoneVerified)}
	}
	if err := tx.InsertPerson(ctx, env, u); err != nil {
		return u, err
	}
	for _, e := range u.Emails {
		if err := tx.InsertEmail(ctx, env, u.ID, e); err != nil {
			return u, err
		}
	}
	for _, p := range u.Phones {
		if err := tx.InsertPhone(ctx, env, u.ID, p); err != nil {
			return u, err
		}
	}
	return u, tx.Record(ctx, env, "user.created", u.ID.String(), map[string]any{"status": u.Status})
}

func newEmail(env countersign.EnvironmentID, a email.Address, verified bool) countersign.Email {
	return countersign.Email{ID: countersign.NewID[countersign.EmailID](env.Class()), Address: a.Given, Key: a.Key, Verified: verified}
}

func newPhone(env countersign.EnvironmentID, number string, verified bool) countersign.Phone {
	return countersign.Phone{ID: countersign.NewID[countersign.PhoneID](env.Class()), Number: number, Verified: verified}
}

// checkEmailFree is ErrDuplicateEmail if another user than the one named has an
// address. An empty one is always free.
func checkEmailFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.PersonID, a email.Address) error {
	if a.Key == "" {
		return nil
	}
	holder, err := tx.PersonByEmail(ctx, env, a.Key)
	return mustBeFree(holder, user, err, countersign.ErrDuplicateEmail)
}

// checkPhoneFree is ErrDuplicatePhoneNumber if another user than the one named
// has a number. An empty one is always free.
func checkPhoneFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.PersonID, number string) error {
	if number == "" {
		return nil
	}
	holder, err := tx.PersonByPhone(ctx, env, number)
	return mustBeFree(holder, user, err, countersign.ErrDuplicatePhoneNumber)
}

// CheckExternalIDFree is ErrDuplicateUserExternalID if another user than the one
// named has that external ID. An empty one is always free.
func CheckExternalIDFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.PersonID, externalID string) error {
	if externalID == "" {
		return nil
	}
	holder, err := tx.PersonByExternalID(ctx, env, externalID)
	return mustBeFree(holder, user, err, countersign.ErrDuplicateUserExternalID)
}

// mustBeFree turns the outcome of a look for somebody who must not exist, or be
// the user.
func mustBeFree(holder countersign.Person, user countersign.PersonID, found error, taken error) error {
	switch {
	case errors.Is(found, store.ErrNotFound), found == nil && holder.ID == user:
		return nil
	case found == nil:
		return taken
	default:
		return found
	}
}
