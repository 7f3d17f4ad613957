package directory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// NewPerson is what somebody begins with. A user needs Email or Phone, a member Email.
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
	// Of members only.
	Breakglass  bool
	MFAEnrolled bool
}

const maxNamePart = 128 // bytes

// newPerson is a NewPerson that was checked, but for the roles.
type newPerson struct {
	NewPerson
	address email.Address
}

// CheckUser refuses what no user of any environment may be. It knows no roles.
func (n NewPerson) CheckUser() error {
	_, err := n.check(false)
	return err
}

// check refuses what nobody may be, before any transaction.
func (n NewPerson) check(member bool) (c newPerson, err error) {
	switch {
	case n.Email == "" && member:
		return c, countersign.ErrInvalidEmail.Saying("email_address is required.")
	case n.Email == "" && n.Phone == "":
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
		if !printable(part) {
			return countersign.ErrInvalidArgument.Saying("Each part of name may have %d bytes and no control characters.", maxNamePart)
		}
	}
	return nil
}

// printable reports whether text is short and has no control characters; a NUL could
// not even be stored.
func printable(s string) bool {
	return len(s) <= maxNamePart && !strings.ContainsFunc(s, unicode.IsControl)
}

// validPhone reports whether s is a plus sign and 8 to 15 digits (ITU-T E.164),
// of which the first is not 0.
func validPhone(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 8 && len(digits) <= 15 && digits[0] != '0' &&
		!strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}

// Create makes somebody: a user, or a member of the organization of that ID,
// external ID or slug. Errors: those of what a person may be made of, of
// FindOrganization, and that an address, a number or an external ID is somebody
// else's.
func (s *Service) Create(ctx context.Context, actor countersign.Actor, env countersign.Environment, organization string, n NewPerson) (countersign.Person, error) {
	checked, err := n.check(organization != "")
	if err != nil {
		return countersign.Person{}, err
	}
	return s.change(ctx, actor, env, func(tx *store.Tx, rules *standing.Rules) (p countersign.Person, err error) {
		var home *countersign.Organization
		if organization != "" {
			o, err := FindOrganization(ctx, tx, env.ID, organization)
			if err != nil {
				return p, err
			}
			home = &o
		}
		return createFree(ctx, tx, env.ID, rules, home, checked)
	})
}

// createFree makes somebody whose address and number nobody has. It writes nothing
// before all is known to be free.
func createFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, rules *standing.Rules, home *countersign.Organization, n newPerson) (countersign.Person, error) {
	t := countersign.Person{Organization: home}.Tenant(env)
	var none countersign.PersonID
	if err := checkEmailFree(ctx, tx, t, none, n.address); err != nil {
		return countersign.Person{}, err
	}
	if err := checkPhoneFree(ctx, tx, t, none, n.Phone); err != nil {
		return countersign.Person{}, err
	}
	return create(ctx, tx, env, rules, home, n)
}

// CreateInside is Create as a part of somebody else's transaction, in which they
// have looked for the address and found nobody. home is nil for a user.
func CreateInside(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, rules *standing.Rules, home *countersign.Organization, n NewPerson) (countersign.Person, error) {
	checked, err := n.check(home != nil)
	if err != nil {
		return countersign.Person{}, err
	}
	p, err := create(ctx, tx, env, rules, home, checked)
	rules.For(home).Settle(&p)
	return p, err
}

func create(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, rules *standing.Rules, home *countersign.Organization, n newPerson) (p countersign.Person, err error) {
	vertical := countersign.Consumer
	if home != nil {
		vertical = countersign.B2B
	}
	p = countersign.Person{
		ID:           countersign.PersonIDIn(vertical, countersign.NewOrderedID[countersign.PersonID](env.Class(), tx.Now)),
		Organization: home, Status: countersign.Active,
		Name: n.Name, ExternalID: n.ExternalID, TrustedMetadata: n.TrustedMetadata, UntrustedMetadata: n.UntrustedMetadata,
		Membership: countersign.Membership{Breakglass: n.Breakglass, MFAEnrolled: n.MFAEnrolled, UpdatedAt: tx.Now}, CreatedAt: tx.Now,
	}
	if p.Grants, err = rules.For(home).Give(n.Profile, nil, n.Roles); err != nil {
		return p, err
	}
	if n.Pending {
		p.Status = countersign.Pending
	}
	t := p.Tenant(env)
	if err := CheckExternalIDFree(ctx, tx, t, p.ID, n.ExternalID); err != nil {
		return p, err
	}
	if n.Email != "" {
		p.Emails = []countersign.Email{newEmail(env, n.address, n.EmailVerified)}
	}
	if n.Phone != "" {
		p.Phones = []countersign.Phone{newPhone(env, n.Phone, n.PhoneVerified)}
	}
	if err := tx.InsertPerson(ctx, env, p); err != nil {
		return p, err
	}
	for _, e := range p.Emails {
		if err := tx.InsertEmail(ctx, t, p.ID, e); err != nil {
			return p, err
		}
	}
	for _, phone := range p.Phones {
		if err := tx.InsertPhone(ctx, t, p.ID, phone); err != nil {
			return p, err
		}
	}
	detail := map[string]any{"status": p.Status}
	if home != nil {
		detail["organization_id"] = home.ID
	}
	return p, tx.Record(ctx, env, t.Terms().Noun+".created", p.ID.String(), detail)
}

func newEmail(env countersign.EnvironmentID, a email.Address, verified bool) countersign.Email {
	return countersign.Email{ID: countersign.NewID[countersign.EmailID](env.Class()), Address: a.Given, Key: a.Key, Verified: verified}
}

func newPhone(env countersign.EnvironmentID, number string, verified bool) countersign.Phone {
	return countersign.Phone{ID: countersign.NewID[countersign.PhoneID](env.Class()), Number: number, Verified: verified}
}

// checkEmailFree refuses an address that somebody else than the one named has, or
// that is reserved for anybody. An empty one is always free.
func checkEmailFree(ctx context.Context, tx *store.Tx, t countersign.Tenant, person countersign.PersonID, a email.Address) error {
	if a.Key == "" {
		return nil
	}
	holder, err := tx.PersonByEmail(ctx, t, a.Key)
	if err == nil && Retired(holder, a.Key) {
		return countersign.ErrRetiredMemberEmail
	}
	return mustBeFree(holder, person, err, t.Terms().DuplicateEmail)
}

// Retired reports whether an address is one that somebody had before.
func Retired(p countersign.Person, key string) bool {
	return slices.ContainsFunc(p.Emails, func(e countersign.Email) bool { return e.Retired && e.Key == key })
}

// checkPhoneFree refuses a number that somebody else than the one named has. An
// empty one is always free.
func checkPhoneFree(ctx context.Context, tx *store.Tx, t countersign.Tenant, person countersign.PersonID, number string) error {
	if number == "" {
		return nil
	}
	holder, err := tx.PersonByPhone(ctx, t, number)
	return mustBeFree(holder, person, err, t.Terms().DuplicatePhone)
}

// CheckExternalIDFree is ErrDuplicateUserExternalID or ErrDuplicateMemberExternalID
// if somebody else than the one named has that external ID. An empty one is always
// free.
func CheckExternalIDFree(ctx context.Context, tx *store.Tx, t countersign.Tenant, person countersign.PersonID, externalID string) error {
	if externalID == "" {
		return nil
	}
	holder, err := tx.PersonByExternalID(ctx, t, externalID)
	return mustBeFree(holder, person, err, t.Terms().DuplicateExternalID)
}

// mustBeFree turns the outcome of a look for somebody who must not exist, or be
// the one named.
func mustBeFree(holder countersign.Person, person countersign.PersonID, found error, taken error) error {
	switch {
	case errors.Is(found, store.ErrNotFound), found == nil && holder.ID == person:
		return nil
	case found == nil:
		return taken
	default:
		return found
	}
}
