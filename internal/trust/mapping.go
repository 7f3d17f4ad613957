package trust

import (
	"encoding/json"
	"fmt"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
)

// Bounds of what a mapping picks out.
const (
	maxTokenIDSize = 256 // bytes
	maxRoleIDs     = 64
	maxRoleIDSize  = 128 // bytes
)

// Map picks out of c the attributes that the mapping of p names (profiles.md
// §3): email and token_id, which must be there, external_user_id and role_ids,
// which may. A claim that is null counts as absent.
//
// The values of a mapping are looked up in this order: a top-level claim of that
// very name; a JSON Pointer (RFC 6901), if it begins with a slash; a path of
// member names with dots between. A mapping value that is no string is ignored.
//
// The error is a *Refusal: ClaimMissing, also if nothing is mapped; ClaimType
// for another JSON type or a value out of bounds; EmailInvalid. It never shows a
// claim's value.
func Map(p *countersign.Profile, c Claims) (countersign.Attributes, error) {
	m, err := newMapping(p, c)
	if err != nil {
		return countersign.Attributes{}, err
	}
	address, err := m.email()
	if err != nil {
		return countersign.Attributes{}, err
	}
	tokenID, err := m.tokenID()
	if err != nil {
		return countersign.Attributes{}, err
	}
	externalID, err := m.externalUserID()
	if err != nil {
		return countersign.Attributes{}, err
	}
	roles, err := m.roleIDs()
	if err != nil {
		return countersign.Attributes{}, err
	}
	return countersign.Attributes{Email: address.Given, EmailKey: address.Key, TokenID: tokenID, ExternalUserID: externalID, RoleIDs: roles}, nil
}

// mapping is a profile's mapping over one token's claims.
type mapping struct {
	paths  map[string]any // attribute → path, as it was stored
	claims Claims
}

func newMapping(p *countersign.Profile, c Claims) (mapping, error) {
	m := mapping{claims: c}
	if len(p.AttributeMapping) > 0 {
		if err := json.Unmarshal(p.AttributeMapping, &m.paths); err != nil {
			r := refuse(ClaimMissing, "an attribute mapping that is a JSON object", "a profile with another one")
			r.Cause = fmt.Errorf("decode attribute mapping: %w", err)
			return mapping{}, r
		}
	}
	return m, nil
}

// find is the claim for attribute. mapped is false if the profile names none;
// the value is nil if it does and the token has no such claim.
func (m mapping) find(attribute string) (value any, path string, mapped bool) {
	path, mapped = m.paths[attribute].(string)
	if !mapped {
		return nil, "", false
	}
	return m.claims.lookup(path), path, true
}

// require is find for an attribute that has to be there.
func (m mapping) require(attribute string) (value any, path string, err error) {
	value, path, mapped := m.find(attribute)
	switch {
	case !mapped:
		return nil, "", refuse(ClaimMissing, "an attribute mapping with "+attribute, "a profile that maps no "+attribute)
	case value == nil:
		return nil, "", refuse(ClaimMissing, "claim "+quote(path)+" for "+attribute, "no such claim")
	}
	return value, path, nil
}

func (m mapping) email() (email.Address, error) {
	value, path, err := m.require("email")
	if err != nil {
		return email.Address{}, err
	}
	s, ok := value.(string)
	if !ok {
		return email.Address{}, refuse(ClaimType, "claim "+quote(path)+" for email to be a string", typeOf(value))
	}
	address, err := email.Parse(s)
	if err != nil {
		return email.Address{}, refuse(EmailInvalid, "claim "+quote(path)+" to be one plain e-mail address", err.Error())
	}
	return address, nil
}

func (m mapping) tokenID() (string, error) {
	value, path, err := m.require("token_id")
	if err != nil {
		return "", err
	}
	expected := fmt.Sprintf("claim %s for token_id to be a string of 1 to %d bytes without control characters", quote(path), maxTokenIDSize)
	s, ok := identifier(value)
	if !ok {
		return "", refuse(ClaimType, expected, typeOf(value))
	}
	if why := outOfBounds(s, maxTokenIDSize); why != "" {
		return "", refuse(ClaimType, expected, why)
	}
	return s, nil
}

func (m mapping) externalUserID() (string, error) {
	value, path, _ := m.find("external_user_id")
	if value == nil {
		return "", nil
	}
	expected := "claim " + quote(path) + " for external_user_id to be a string of 1 to 128 characters out of A-Z, a-z, 0-9, '.', '_', '|' and '-'"
	s, ok := identifier(value)
	switch {
	case !ok:
		return "", refuse(ClaimType, expected, typeOf(value))
	case countersign.LooksLikeID(s):
		return "", refuse(ClaimType, expected+", and no ID of this server", "a string in the form of such an ID")
	case !countersign.ValidExternalID(s):
		return "", refuse(ClaimType, expected, fmt.Sprintf("a string of %d bytes that is not", len(s)))
	}
	return s, nil
}

// roleIDs tolerates one string in the place of an array (profiles.md §3).
func (m mapping) roleIDs() ([]string, error) {
	value, path, _ := m.find("role_ids")
	if value == nil {
		return nil, nil
	}
	expected := fmt.Sprintf("claim %s for role_ids to be an array of at most %d strings of 1 to %d bytes", quote(path), maxRoleIDs, maxRoleIDSize)
	list, ok := value.([]any)
	if s, single := value.(string); single {
		list, ok = []any{s}, true
	}
	switch {
	case !ok:
		return nil, refuse(ClaimType, expected, typeOf(value))
	case len(list) > maxRoleIDs:
		return nil, refuse(ClaimType, expected, fmt.Sprintf("%d members", len(list)))
	}
	roles := make([]string, 0, len(list))
	for _, member := range list {
		s, ok := member.(string)
		if !ok {
			return nil, refuse(ClaimType, expected, "an array with "+typeOf(member)+" in it")
		}
		if why := outOfBounds(s, maxRoleIDSize); why != "" {
			return nil, refuse(ClaimType, expected, why)
		}
		roles = append(roles, s)
	}
	return roles, nil
}

// identifier is a claim that names something: a string, or an integer by its
// digits, for many issuers number their users. Not a number in any other form:
// 1, 1.0 and 1e0 would be three names of one.
func identifier(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), isPlainInteger(v)
	}
	return "", false
}

// outOfBounds says why s cannot be kept as a name, "" if it can. A NUL could not
// even be stored.
func outOfBounds(s string, limit int) string {
	switch {
	case s == "":
		return "an empty string"
	case len(s) > limit:
		return fmt.Sprintf("%d bytes", len(s))
	case hasControl(s):
		return "a control character"
	}
	return ""
}
