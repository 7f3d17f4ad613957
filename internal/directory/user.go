// Package directory knows who exists: users, and how they are found, made and
// deleted. It is the only way to make a person. It refuses to know how somebody
// signed in.
package directory

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/store"
)

// Service makes, finds and deletes people.
type Service struct{ Store *store.Store }

// NewUser is what a user begins with. Email or Phone is required.
type NewUser struct {
	Email             string
	EmailVerified     bool
	Phone             string // E.164
	Name              countersign.Name
	Pending           bool
	ExternalID        string
	TrustedMetadata   countersign.Object
	UntrustedMetadata countersign.Object
	Roles             []string
}

// Bounds of what a user is made of (README §8).
const (
	maxNamePart     = 128 // bytes
	maxMetadata     = 4096
	maxMetadataKeys = 20
)

// check refuses what no user may be, before any transaction.
func (n *NewUser) check() (address email.Address, err error) {
	if n.Email == "" && n.Phone == "" {
		return address, countersign.ErrInvalidCreateUser
	}
	if n.Email != "" {
		if address, err = email.Parse(n.Email); err != nil {
			return address, countersign.ErrInvalidEmail.Saying("Received: %v.", err)
		}
	}
	if n.Phone != "" && !validPhone(n.Phone) {
		return address, countersign.ErrInvalidPhoneNumber
	}
	if n.ExternalID != "" && !countersign.ValidExternalID(n.ExternalID) {
		return address, countersign.ErrInvalidArgument.Saying("external_id must have 1 to 128 characters out of A-Z, a-z, 0-9 and \"._|-\", and not look like one of the server's own IDs.")
	}
	for _, part := range []string{n.Name.First, n.Name.Middle, n.Name.Last} {
		if len(part) > maxNamePart || strings.ContainsFunc(part, unicode.IsControl) { // a NUL could not even be stored
			return address, countersign.ErrInvalidArgument.Saying("Each part of name may have %d bytes and no control characters.", maxNamePart)
		}
	}
	for _, role := range n.Roles {
		if role == countersign.DefaultUserRole {
			return address, countersign.ErrCannotAssignDefaultRBACRoleID
		}
		if !rbac.Defines(countersign.DefaultPolicy(), role) {
			return address, countersign.ErrInvalidRBACRoleID.Saying("The policy defines no role %.128q.", role)
		}
	}
	for _, o := range []*countersign.Object{&n.TrustedMetadata, &n.UntrustedMetadata} {
		if err := checkMetadata(*o); err != nil {
			return address, err
		}
		if *o == nil {
			*o = countersign.Object{}
		}
	}
	return address, nil
}

func checkMetadata(o countersign.Object) error {
	if len(o) > maxMetadataKeys {
		return countersign.ErrMetadataTooManyKeys
	}
	b, err := json.Marshal(o)
	if err != nil {
		return countersign.ErrMetadataInvalidFormat
	}
	if len(b) > maxMetadata {
		return countersign.ErrMetadataTooLarge
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

// CreateUser makes a user. Errors: those of what a user may be made of, and
// ErrDuplicateEmail, ErrDuplicatePhoneNumber, ErrDuplicateUserExternalID.
func (s *Service) CreateUser(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, n NewUser) (u countersign.User, err error) {
	address, err := n.check()
	if err != nil {
		return u, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if err := checkFree(ctx, tx, env, n, address); err != nil {
			return err
		}
		u, err = create(ctx, tx, env, n, address)
		return err
	})
	return u, err
}

// checkFree refuses an address or a number that somebody has.
func checkFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, n NewUser, address email.Address) error {
	if n.Email != "" {
		_, err := tx.UserByEmail(ctx, env, address.Key)
		if err := mustBeFree(err, countersign.ErrDuplicateEmail); err != nil {
			return err
		}
	}
	if n.Phone == "" {
		return nil
	}
	_, err := tx.UserByPhone(ctx, env, n.Phone)
	return mustBeFree(err, countersign.ErrDuplicatePhoneNumber)
}

// CreateInside is CreateUser as a part of somebody else's transaction, in which
// they have looked for the address and found nobody.
func CreateInside(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, n NewUser) (countersign.User, error) {
	address, err := n.check()
	if err != nil {
		return countersign.User{}, err
	}
	return create(ctx, tx, env, n, address)
}

func create(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, n NewUser, address email.Address) (countersign.User, error) {
	class := env.Class()
	u := countersign.User{
		ID: countersign.NewOrderedID[countersign.UserID](class, tx.Now), Status: countersign.UserActive,
		Name: n.Name, ExternalID: n.ExternalID, TrustedMetadata: n.TrustedMetadata, UntrustedMetadata: n.UntrustedMetadata,
		CreatedAt: tx.Now,
	}
	if n.Pending {
		u.Status = countersign.UserPending
	}
	if err := CheckExternalIDFree(ctx, tx, env, u.ID, n.ExternalID); err != nil {
		return u, err
	}
	if n.Email != "" {
		u.Emails = []countersign.Email{{ID: countersign.NewID[countersign.EmailID](class), Address: address.Given, Key: address.Key, Verified: n.EmailVerified}}
	}
	if n.Phone != "" {
		u.Phones = []countersign.Phone{{ID: countersign.NewID[countersign.PhoneID](class), Number: n.Phone}}
	}
	if err := tx.InsertUser(ctx, env, u); err != nil {
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

// CheckExternalIDFree is ErrDuplicateUserExternalID if another user than the one
// named has that external ID. An empty one is always free.
func CheckExternalIDFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, user countersign.UserID, externalID string) error {
	if externalID == "" {
		return nil
	}
	holder, err := tx.UserByExternalID(ctx, env, externalID)
	if err == nil && holder.ID == user {
		return nil
	}
	return mustBeFree(err, countersign.ErrDuplicateUserExternalID)
}

// mustBeFree turns the outcome of a look for somebody who must not exist.
func mustBeFree(found error, taken error) error {
	switch {
	case found == nil:
		return taken
	case errors.Is(found, store.ErrNotFound):
		return nil
	default:
		return found
	}
}

// User finds a user by ID or external ID. Errors: ErrUserNotFound,
// ErrInvalidUserID for what can be neither, and those for an ID of the other
// class.
func (s *Service) User(ctx context.Context, env countersign.EnvironmentID, ref string) (u countersign.User, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		u, err = find(ctx, tx, env, ref)
		return err
	})
	return u, err
}

func find(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, ref string) (u countersign.User, err error) {
	if id, malformed := countersign.ParseID[countersign.UserID](ref); malformed == nil {
		if err := countersign.CheckClass(id.Class(), env); err != nil {
			return u, err
		}
		u, err = tx.User(ctx, env, id)
	} else if countersign.ValidExternalID(ref) {
		u, err = tx.UserByExternalID(ctx, env, ref)
	} else {
		return u, countersign.ErrInvalidUserID
	}
	if errors.Is(err, store.ErrNotFound) {
		err = countersign.ErrUserNotFound
	}
	return u, err
}

// DeleteUser removes a user and ends all sessions; errors as User.
func (s *Service) DeleteUser(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref string) (id countersign.UserID, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		u, err := find(ctx, tx, env, ref)
		if err != nil {
			return err
		}
		id = u.ID
		if err := tx.DeleteUser(ctx, env, id); err != nil {
			return err
		}
		return tx.Record(ctx, env, "user.deleted", id.String(), nil)
	})
	return id, err
}
