package userfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/countersign-auth/countersign"
)

// jsonLines is one JSON object a line: what POST /v1/users takes, or the same with
// the parts of the name beside the rest, as CSV has them.
type jsonLines struct{}

func (jsonLines) end(b []byte) int { return bytes.IndexByte(b, '\n') + 1 }

func (jsonLines) skip(w *window) (bool, error) {
	ended, err := w.drop(func(c byte) bool { return c == '\n' })
	return ended || w.drained, err
}

// jsonUser is an object of a line.
type jsonUser struct {
	User
	FirstName         string          `json:"first_name"`
	MiddleName        string          `json:"middle_name"`
	LastName          string          `json:"last_name"`
	TrustedMetadata   json.RawMessage `json:"trusted_metadata"`
	UntrustedMetadata json.RawMessage `json:"untrusted_metadata"`
}

func (jsonLines) user(line []byte) (User, *Refusal) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil || members == nil {
		return User{}, &Refusal{InvalidJSON, "The line is not one JSON object."}
	}
	if unknown := unknownMember(members); unknown != nil {
		return User{}, unknown
	}
	var u jsonUser
	if err := json.Unmarshal(line, &u); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return User{}, &Refusal{InvalidField, fmt.Sprintf("%s is of the wrong type.", wrong.Field)}
		}
		return User{}, &Refusal{InvalidJSON, "The line cannot be read as a user."}
	}
	u.Name = countersign.Name{First: or(u.Name.First, u.FirstName), Middle: or(u.Name.Middle, u.MiddleName), Last: or(u.Name.Last, u.LastName)}
	var err error
	if u.User.TrustedMetadata, err = metadata(u.TrustedMetadata); err != nil {
		return User{}, metadataRefusal("trusted_metadata")
	}
	if u.User.UntrustedMetadata, err = metadata(u.UntrustedMetadata); err != nil {
		return User{}, metadataRefusal("untrusted_metadata")
	}
	return u.User, nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
