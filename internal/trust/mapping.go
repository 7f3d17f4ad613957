package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/condition"
	"github.com/countersign-auth/countersign/internal/email"
)

// Bounds of what a mapping picks out.
const (
	maxNameSize   = 256 // bytes, of a token ID or a subject
	maxRoleIDs    = 64
	maxRoleIDSize = 128 // bytes
)

// CELPrefix begins those values of a mapping that are expressions.
const CELPrefix = "cel:"

// Map picks out of a token the attributes that the mapping of p names
// (profiles.md §3) and a vertical knows: email and token_id, which must be there, the
// external ID, role_ids and, for members, organization_id, which may, and the subject
// that the trust policy names. It is the step after Verify. A claim that is null
// counts as absent.
//
// The values of a mapping are looked up in this order: a top-level claim of that
// very name; a JSON Pointer (RFC 6901), if it begins with a slash; an expression
// (package condition), if it begins with "cel:"; a path of member names with dots
// between. A mapping value that is no string is ignored.
//
// The error is a *Refusal: AttributeNotMapped; ClaimMissing; ClaimType for
// another JSON type or a value out of bounds; EmailInvalid. It never shows a
// claim's value.
func (v *Verifier) Map(p *countersign.Profile, t Token, vertical countersign.Vertical) (countersign.Attributes, error) {
	m, err := v.newMapping(p, t)
	if err != nil {
		return countersign.Attributes{}, err
	}
	address, err := m.email()
	if err != nil {
		return countersign.Attributes{}, err
	}
	a := countersign.Attributes{Email: address.Given, EmailKey: address.Key}
	if a.TokenID, err = m.tokenID(); err != nil {
		return countersign.Attributes{}, err
	}
	if a.ExternalID, err = m.externalID(countersign.ExternalIDAttribute(vertical)); err != nil {
		return countersign.Attributes{}, err
	}
	if vertical == countersign.B2B {
		if a.OrganizationID, err = m.organizationID(); err != nil {
			return countersign.Attributes{}, err
		}
	}
	if a.RoleIDs, err = m.roleIDs(); err != nil {
		return countersign.Attributes{}, err
	}
	if a.Subject, err = m.subject(p.Policy.SubjectClaim); err != nil {
		return countersign.Attributes{}, err
	}
	return a, nil
}

// Fits reports whether a claim of that value can carry an attribute: whether a
// profile that maps them would take it.
func Fits(attribute string, value any) bool {
	m := mapping{paths: map[string]any{attribute: attribute}, token: Token{Claims: Claims{attribute: value}}}
	var err error
	switch attribute {
	case countersign.AttributeEmail:
		_, err = m.email()
	case countersign.AttributeTokenID:
		_, err = m.tokenID()
	case countersign.AttributeExternalUserID, countersign.AttributeExternalMemberID:
		_, err = m.externalID(attribute)
	case countersign.AttributeOrganizationID:
		_, err = m.organizationID()
	case countersign.AttributeRoleIDs:
		_, err = m.roleIDs()
	default:
		return false
	}
	return value != nil && err == nil
}

// mapping is a profile's mapping over one token.
type mapping struct {
	paths    map[string]any // attribute → path, as it was stored
	token    Token
	verifier *Verifier
}

func (v *Verifier) newMapping(p *countersign.Profile, t Token) (mapping, error) {
	m := mapping{token: t, verifier: v}
	if len(p.AttributeMapping) > 0 {
		if err := json.Unmarshal(p.AttributeMapping, &m.paths); err != nil {
			r := Refuse(AttributeNotMapped, "an attribute mapping that is a JSON object", "a profile with another one")
			r.Cause = fmt.Errorf("decode attribute mapping: %w", err)
			return mapping{}, r
		}
	}
	return m, nil
}

// find is the claim for attribute; nil if the profile names none, or the token has
// no such claim.
func (m mapping) find(attribute string) (value any, path string, err error) {
	path, mapped := m.paths[attribute].(string)
	if !mapped {
		return nil, "", nil
	}
	value, err = m.at(path, attribute)
	return value, path, err
}

// at is what stands at a path, nil if there is nothing.
func (m mapping) at(path, attribute string) (any, error) {
	if _, named := m.token.Claims[path]; !named {
		if expression, ok := strings.CutPrefix(path, CELPrefix); ok {
			value, err := m.verifier.value(expression, m.token)
			if errors.Is(err, condition.ErrNoSuchKey) {
				return nil, nil // as a path that leads nowhere
			}
			if err != nil {
				return nil, Refuse(ClaimType, "the expression for "+attribute+" to have a value", err.Error())
			}
			return value, nil
		}
	}
	return m.token.Claims.Lookup(path), nil
}

// require is find for an attribute that has to be there.
func (m mapping) require(attribute string) (value any, path string, err error) {
	value, path, err = m.find(attribute)
	switch {
	case err != nil:
		return nil, "", err
	case value == nil:
		return nil, "", m.lacks(attribute)
	}
	return value, path, nil
}

// Unmapped is the refusal of a token of a profile that has no attribute which it
// turns out to need.
func Unmapped(p *countersign.Profile, attribute string) *Refusal {
	m, err := new(Verifier).newMapping(p, Token{})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal
	}
	return m.lacks(attribute)
}

// lacks is the refusal for want of an attribute.
func (m mapping) lacks(attribute string) *Refusal {
	if path, mapped := m.paths[attribute].(string); mapped {
		return Refuse(ClaimMissing, "claim "+quote(path)+" for "+attribute, "no such claim")
	}
	return Refuse(AttributeNotMapped, "an attribute mapping with "+attribute, "a profile that maps no "+attribute)
}

// value is what an expression makes of a token.
func (v *Verifier) value(expression string, t Token) (any, error) {
	p, err := v.expressions.CompileValue(expression)
	if err != nil {
		return nil, err
	}
	return p.Value(t.Header, t.Claims)
}

func (m mapping) email() (email.Address, error) {
	value, path, err := m.require(countersign.AttributeEmail)
	if err != nil {
		return email.Address{}, err
	}
	s, ok := value.(string)
	if !ok {
		return email.Address{}, Refuse(ClaimType, "claim "+quote(path)+" for email to be a string", typeOf(value))
	}
	address, err := email.Parse(s)
	if err != nil {
		return email.Address{}, Refuse(EmailInvalid, "claim "+quote(path)+" to be one plain e-mail address", err.Error())
	}
	return address, nil
}

func (m mapping) tokenID() (string, error) {
	value, path, err := m.require(countersign.AttributeTokenID)
	if err != nil {
		return "", err
	}
	return name(value, path, countersign.AttributeTokenID)
}

// subject is what people are linked by, "" if the policy names no claim.
func (m mapping) subject(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	value, err := m.at(path, "subject_claim")
	switch {
	case err != nil:
		return "", err
	case value == nil:
		return "", Refuse(ClaimMissing, "claim "+quote(path)+" for subject_claim", "no such claim")
	}
	return name(value, path, "subject_claim")
}

// name is a claim that names a token or a person.
func name(value any, path, what string) (string, error) {
	expected := fmt.Sprintf("claim %s for %s to be a string of 1 to %d bytes without control characters", quote(path), what, maxNameSize)
	s, ok := identifier(value)
	if !ok {
		return "", Refuse(ClaimType, expected, typeOf(value))
	}
	if why := outOfBounds(s, maxNameSize); why != "" {
		return "", Refuse(ClaimType, expected, why)
	}
	return s, nil
}

// organizationID is the name that the issuer gives an organization.
func (m mapping) organizationID() (string, error) {
	value, path, err := m.find(countersign.AttributeOrganizationID)
	if value == nil || err != nil {
		return "", err
	}
	return name(value, path, countersign.AttributeOrganizationID)
}

func (m mapping) externalID(attribute string) (string, error) {
	value, path, err := m.find(attribute)
	if value == nil || err != nil {
		return "", err
	}
	expected := "claim " + quote(path) + " for " + attribute + " to be a string of 1 to 128 characters out of A-Z, a-z, 0-9, '.', '_', '|' and '-'"
	s, ok := identifier(value)
	switch {
	case !ok:
		return "", Refuse(ClaimType, expected, typeOf(value))
	case countersign.LooksLikeID(s):
		return "", Refuse(ClaimType, expected+", and no ID of this server", "a string in the form of such an ID")
	case !countersign.ValidExternalID(s):
		return "", Refuse(ClaimType, expected, fmt.Sprintf("a string of %d bytes that is not", len(s)))
	}
	return s, nil
}

// roleIDs tolerates one string in the place of an array (profiles.md §3).
func (m mapping) roleIDs() ([]string, error) {
	value, path, err := m.find(countersign.AttributeRoleIDs)
	if value == nil || err != nil {
		return nil, err
	}
	expected := fmt.Sprintf("claim %s for role_ids to be an array of at most %d strings of 1 to %d bytes", quote(path), maxRoleIDs, maxRoleIDSize)
	list, ok := value.([]any)
	if s, single := value.(string); single {
		list, ok = []any{s}, true
	}
	switch {
	case !ok:
		return nil, Refuse(ClaimType, expected, typeOf(value))
	case len(list) > maxRoleIDs:
		return nil, Refuse(ClaimType, expected, fmt.Sprintf("%d members", len(list)))
	}
	roles := make([]string, 0, len(list))
	for _, member := range list {
		s, ok := member.(string)
		if !ok {
			return nil, Refuse(ClaimType, expected, "an array with "+typeOf(member)+" in it")
		}
		if why := outOfBounds(s, maxRoleIDSize); why != "" {
			return nil, Refuse(ClaimType, expected, why)
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
