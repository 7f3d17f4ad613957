package dashboard

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
	"github.com/countersign-auth/countersign/internal/proposal"
	"github.com/countersign-auth/countersign/internal/session"
)

// profileForm is a profile as it is typed.
type profileForm struct {
	ID          string // "" of a new one
	Name        string
	Issuer      string
	Audience    string
	KeyType     string
	JWKSURL     string
	PEM         string
	Mapping     []mapRow
	Rest        string // members of the mapping that have no row, as JSON
	JIT         bool
	Policy      string
	Force       bool
	TestsFailed bool
	FromIssuer  string
	Token       string // a sample
	Proposed    bool
	Notes       []proposal.Note
	Missing     []string
	Preview     *previewed
	Since       string            // of a replay; "" is a day ago
	Replayed    *session.Replayed // against the form; nil if nobody asked
	Problem     problem
}

// mapRow says which claim carries an attribute; "" none.
type mapRow struct{ Attribute, Claim string }

// attributesOf are those of the mapping that mean something.
func attributesOf(e countersign.Environment) []string {
	list := []string{countersign.AttributeEmail, countersign.AttributeTokenID}
	if e.Vertical == countersign.B2B {
		return append(list, countersign.AttributeExternalMemberID, countersign.AttributeOrganizationID, countersign.AttributeRoleIDs)
	}
	return append(list, countersign.AttributeExternalUserID, countersign.AttributeRoleIDs)
}

func usualMapping(e countersign.Environment) (rows []mapRow) {
	usual := map[string]string{countersign.AttributeEmail: "email", countersign.AttributeTokenID: "jti"}
	for _, attribute := range attributesOf(e) {
		rows = append(rows, mapRow{attribute, usual[attribute]})
	}
	return rows
}

// profileFormOf is the form of a profile that there is.
func profileFormOf(e countersign.Environment, p countersign.Profile) profileForm {
	f := profileForm{
		ID: p.ID.String(), Name: p.Name, Issuer: p.Issuer, Audience: p.Audience, KeyType: string(p.KeyType), JWKSURL: p.JWKSURL,
		JIT: p.CanJITProvision, Policy: differing(p.Policy),
	}
	members := map[string]json.RawMessage{}
	_ = json.Unmarshal(p.AttributeMapping, &members) // what is kept is an object, or nothing
	for _, attribute := range attributesOf(e) {
		var claim string
		if raw, there := members[attribute]; there && json.Unmarshal(raw, &claim) == nil {
			delete(members, attribute)
		}
		f.Mapping = append(f.Mapping, mapRow{attribute, claim})
	}
	if len(members) > 0 {
		f.Rest = pretty(members)
	}
	return f
}

// differing are the settings of a policy that are not the default, as JSON.
func differing(p countersign.TrustPolicy) string {
	usual, own := settingsOf(countersign.DefaultTrustPolicy()), settingsOf(p)
	for name, value := range usual {
		if string(own[name]) == string(value) {
			delete(own, name)
		}
	}
	return pretty(own)
}

func settingsOf(p countersign.TrustPolicy) map[string]json.RawMessage {
	members := map[string]json.RawMessage{}
	text, err := countersign.EncodeJSON(p)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		panic(err) // a policy always encodes, as an object
	}
	return members
}

// readProfileForm is the form as it was sent.
func readProfileForm(r *request) profileForm {
	f := profileForm{
		Name: r.field("name"), Issuer: r.field("issuer"), Audience: r.field("audience"), KeyType: r.field("key_type"), JWKSURL: r.field("jwks_url"),
		PEM: shownPEM(strings.ReplaceAll(r.PostForm.Get("pem"), "\r\n", "\n")), Rest: r.field("mapping_rest"), JIT: r.field("jit") != "",
		Policy: r.field("trust_policy"), Force: r.field("force") != "", Token: r.field("sample"), Since: r.field("since"),
	}
	if f.KeyType == "" {
		f.KeyType = string(countersign.KeyTypeJWK)
	}
	if f.Policy == "" {
		f.Policy = "{}"
	}
	for _, attribute := range attributesOf(r.env) {
		f.Mapping = append(f.Mapping, mapRow{attribute, r.field("map_" + attribute)})
	}
	return f
}

// mapping is what the rows and the rest come to.
func (f profileForm) mapping() (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if f.Rest != "" {
		if err := json.Unmarshal([]byte(f.Rest), &members); err != nil || members == nil {
			return nil, countersign.ErrProfileInvalidRequest.Saying("attribute_mapping must be a JSON object.")
		}
	}
	for _, row := range f.Mapping {
		if row.Claim == "" {
			continue
		}
		claim, err := countersign.EncodeJSON(row.Claim)
		if err != nil {
			return nil, err
		}
		members[row.Attribute] = claim
	}
	return countersign.EncodeJSON(members)
}

// policy is the trust policy of the form, which must be one object.
func (f profileForm) policy() (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.Policy), &members); err != nil {
		return nil, countersign.ErrTrustPolicyInvalidSetting.Saying("It is not valid JSON: %v.", err)
	}
	if members == nil {
		return nil, countersign.ErrTrustPolicyInvalidSetting.Saying("It must be a JSON object.")
	}
	return members, nil
}

func (f profileForm) newProfile(r *request) (n project.NewProfile, err error) {
	if _, err := f.policy(); err != nil {
		return n, err
	}
	n = project.NewProfile{
		Name: f.Name, Issuer: f.Issuer, Audience: f.Audience, KeyType: countersign.KeyType(f.KeyType), CanJITProvision: f.JIT,
		TrustPolicy: json.RawMessage(f.Policy), Force: f.Force,
	}
	if n.AttributeMapping, err = f.mapping(); err != nil {
		return n, err
	}
	if n.KeyType == countersign.KeyTypeJWK {
		n.JWKSURL = f.JWKSURL
		return n, nil
	}
	text, err := r.pem()
	if err != nil {
		return n, err
	}
	if text == "" {
		return n, countersign.ErrMustHavePEMFiles
	}
	n.PEMFiles = []string{text}
	return n, nil
}

// patch makes a profile what the form says.
func (f profileForm) patch(before countersign.Profile) (patch project.ProfilePatch, err error) {
	patch = project.ProfilePatch{Name: &f.Name, Issuer: &f.Issuer, Audience: &f.Audience, CanJITProvision: &f.JIT, Force: f.Force}
	if before.KeyType == countersign.KeyTypeJWK {
		patch.JWKSURL = &f.JWKSURL
	}
	mapping, err := f.mapping()
	if err != nil {
		return patch, err
	}
	if !sameObject(mapping, before.AttributeMapping) { // one that stays is kept as it was sent
		patch.AttributeMapping = &mapping
	}
	wanted, err := f.policy()
	if err != nil {
		return patch, err
	}
	// A patch leaves what it does not name; the form names all that there is.
	null := json.RawMessage("null")
	for name, value := range settingsOf(before.Policy) {
		if _, named := wanted[name]; !named {
			wanted[name] = null
			continue
		}
		wanted[name] = replaced(value, wanted[name])
	}
	text, err := countersign.EncodeJSON(wanted)
	raw := json.RawMessage(text)
	patch.TrustPolicy = &raw
	return patch, err
}

// replaced is an object that replaces another one where objects are merged: it
// names with null what it shall not have. What is no object is as it is.
func replaced(before, after json.RawMessage) json.RawMessage {
	var old, now map[string]json.RawMessage
	if json.Unmarshal(before, &old) != nil || json.Unmarshal(after, &now) != nil || now == nil {
		return after
	}
	for name := range old {
		if _, named := now[name]; !named {
			now[name] = json.RawMessage("null")
		}
	}
	text, err := countersign.EncodeJSON(now)
	if err != nil {
		return after
	}
	return text
}

func sameObject(a, b json.RawMessage) bool {
	var x, y map[string]any
	if json.Unmarshal(a, &x) != nil || len(b) > 0 && json.Unmarshal(b, &y) != nil {
		return false
	}
	return len(x) == 0 && len(y) == 0 || reflect.DeepEqual(x, y)
}

// draft is the profile that saving the form would make.
func (f profileForm) draft(d *Dashboard, r *request) (countersign.Profile, error) {
	if f.ID == "" {
		n, err := f.newProfile(r)
		if errors.Is(err, countersign.ErrMustHavePEMFiles) { // which a sample's claims do not need
			n.KeyType, err = countersign.KeyTypePEM, nil
		}
		if err != nil {
			return countersign.Profile{}, err
		}
		return d.Projects.NewDraft(r.env, n)
	}
	before, err := d.Projects.Profile(r.Context(), r.env.ID, f.ID)
	if err != nil {
		return before, err
	}
	patch, err := f.patch(before)
	if err != nil {
		return before, err
	}
	_, draft, err := d.Projects.DraftProfile(r.Context(), r.env, f.ID, patch)
	return draft, err
}

// fieldOf is the field that an error is about, "" for the form as a whole.
func fieldOf(err error) string {
	named, ok := errors.AsType[*countersign.Error](err)
	if !ok {
		return ""
	}
	switch {
	case slices.ContainsFunc([]error{countersign.ErrMustHaveJWKSURL, countersign.ErrInvalidJWKSURL}, named.Is):
		return "jwks_url"
	case slices.ContainsFunc([]error{
		countersign.ErrMustHavePEMFiles, countersign.ErrInvalidPublicKey, countersign.ErrPublicKeyMissing, countersign.ErrTooManyPEMFiles,
	}, named.Is):
		return "pem"
	case slices.ContainsFunc([]error{countersign.ErrProfileMultipleExternalIDs, countersign.ErrProfileIncorrectExternalIDMapping}, named.Is):
		return "mapping"
	}
	for _, field := range []string{"name", "issuer", "audience"} {
		if strings.HasPrefix(named.Detail, field+" ") {
			return field
		}
	}
	switch {
	case strings.HasPrefix(named.Detail, "attribute_mapping"):
		return "mapping"
	case strings.HasPrefix(named.Type, "trust_policy_"), named.Is(countersign.ErrProfileTestFailed):
		return "trust_policy"
	}
	return ""
}

// quote writes a text as one word of a shell.
func quote(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_./:@,=+", c))
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
