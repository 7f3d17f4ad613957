package userfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/spelling"
)

// column is a column of CSV: what its text means for a user.
type column struct {
	name string
	set  func(u *User, text string) error
}

// columns are all that there are, in the order in which they are told.
var columns = []column{
	{"email", func(u *User, s string) error { u.Email = s; return nil }},
	{"phone_number", func(u *User, s string) error { u.PhoneNumber = s; return nil }},
	{"first_name", func(u *User, s string) error { u.Name.First = s; return nil }},
	{"middle_name", func(u *User, s string) error { u.Name.Middle = s; return nil }},
	{"last_name", func(u *User, s string) error { u.Name.Last = s; return nil }},
	{"external_id", func(u *User, s string) error { u.ExternalID = s; return nil }},
	{"roles", func(u *User, s string) error { u.Roles = roles(s); return nil }},
	{"trusted_metadata", func(u *User, s string) (err error) { u.TrustedMetadata, err = metadata([]byte(s)); return err }},
	{"untrusted_metadata", func(u *User, s string) (err error) { u.UntrustedMetadata, err = metadata([]byte(s)); return err }},
	{"create_user_as_pending", func(u *User, s string) (err error) { u.Pending, err = strconv.ParseBool(s); return err }},
	{"email_verified", func(u *User, s string) (err error) { u.EmailVerified, err = strconv.ParseBool(s); return err }},
	{"phone_number_verified", func(u *User, s string) (err error) { u.PhoneNumberVerified, err = strconv.ParseBool(s); return err }},
}

// Columns are the names of all columns of CSV.
func Columns() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// refusal says that the text of a column is not what it takes.
func (c column) refusal() *Refusal {
	if strings.HasSuffix(c.name, "_metadata") {
		return metadataRefusal(c.name)
	}
	return &Refusal{InvalidField, c.name + " must be true or false."}
}

// roles splits a list at semicolons.
func roles(text string) (list []string) {
	for part := range strings.SplitSeq(text, ";") {
		if role := strings.TrimSpace(part); role != "" {
			list = append(list, role)
		}
	}
	return list
}

// metadata reads a JSON object; nothing and null are none.
func metadata(raw []byte) (object countersign.Object, err error) {
	if len(raw) == 0 {
		return nil, nil
	}
	err = json.Unmarshal(raw, &object)
	return object, err
}

func metadataRefusal(name string) *Refusal {
	return &Refusal{countersign.ErrMetadataInvalidFormat.Type, name + " is not a JSON object."}
}

// nameParts are the members of name.
var nameParts = []string{"first_name", "middle_name", "last_name"}

// unknownMember refuses an object with a member that would be passed over in
// silence, nil if it has none.
func unknownMember(members map[string]json.RawMessage) *Refusal {
	known := append(Columns(), "name", "attributes")
	if refused := unknownOf(members, known, ""); refused != nil {
		return refused
	}
	var name map[string]json.RawMessage
	if json.Unmarshal(members["name"], &name) != nil {
		return nil // none, or of the wrong type, which is found later
	}
	return unknownOf(name, nameParts, "name.")
}

func unknownOf(members map[string]json.RawMessage, known []string, within string) *Refusal {
	for _, member := range slices.Sorted(maps.Keys(members)) {
		if slices.Contains(known, member) {
			continue
		}
		message := fmt.Sprintf("There is no member %.64q.", within+member)
		if near := spelling.Nearest(member, known); near != "" {
			message += " Did you mean " + within + near + "?"
		}
		return &Refusal{UnknownField, message}
	}
	return nil
}
