package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/countersign-auth/countersign"
)

// profileFlags are what create and update have in common.
type profileFlags struct {
	Map              []string `sep:"none" placeholder:"ATTRIBUTE=CLAIM" xor:"mapping" help:"Which claim an attribute comes from: email=…, token_id=…, external_user_id=…, role_ids=…; in a B2B project external_member_id=…, organization_id=…. Repeatable."`
	AttributeMapping string   `placeholder:"JSON" xor:"mapping" help:"The whole mapping as a JSON object or @FILE; null for none."`
	JIT              *bool    `name:"jit" negatable:"" help:"Provision just in time: make people who are not known yet."`
}

// profileBody is the body of creating and of patching a profile (profiles.md §2).
type profileBody struct {
	Name             *string         `json:"name,omitempty"`
	Issuer           *string         `json:"issuer,omitempty"`
	Audience         *string         `json:"audience,omitempty"`
	PublicKeyType    string          `json:"public_key_type,omitempty"`
	JWKSURL          *string         `json:"jwks_url,omitempty"`
	PEMFiles         []string        `json:"pem_files,omitempty"`
	AttributeMapping json.RawMessage `json:"attribute_mapping,omitempty"`
	CanJITProvision  *bool           `json:"can_jit_provision,omitempty"`
	TrustPolicy      json.RawMessage `json:"trust_policy,omitempty"`
	Force            bool            `json:"force,omitempty"`
}

// empty reports whether a patch would change nothing.
func (b *profileBody) empty() bool {
	return b.Name == nil && b.Issuer == nil && b.Audience == nil && b.JWKSURL == nil &&
		b.AttributeMapping == nil && b.CanJITProvision == nil && b.TrustPolicy == nil
}

func defaultMapping() json.RawMessage { return json.RawMessage(`{"email":"email","token_id":"jti"}`) }

// mapping is the mapping that was given, nil if none was, JSON null if it is to
// be cleared.
func (f *profileFlags) mapping(a *app) (json.RawMessage, error) {
	if f.AttributeMapping != "" {
		raw, err := a.inlineOrFile(f.AttributeMapping)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(string(raw)) == "null" {
			return json.RawMessage("null"), nil
		}
		_, err = parseObject(raw, "--attribute-mapping")
		return raw, err
	}
	if len(f.Map) == 0 {
		return nil, nil
	}
	mapping := countersign.Object{}
	for _, pair := range f.Map {
		attribute, claim, ok := strings.Cut(pair, "=")
		if !ok || attribute == "" || claim == "" {
			return nil, usage(fmt.Sprintf("--map %q has no ATTRIBUTE=CLAIM", pair), "for example --map email=email --map token_id=jti --map external_user_id=sub")
		}
		if mapping[attribute] != nil {
			return nil, usage("the attribute "+attribute+" is mapped twice", "leave out one --map "+attribute+"=…")
		}
		mapping[attribute] = quote(claim)
	}
	return countersign.EncodeJSON(mapping)
}

// profile is the wire's profile (profiles.md §1).
type profile struct {
	ProfileID        string          `json:"profile_id"`
	Name             string          `json:"name"`
	Issuer           string          `json:"issuer"`
	Audience         string          `json:"audience"`
	PublicKeyType    string          `json:"public_key_type"`
	JWKSURL          string          `json:"jwks_url"`
	PEMFiles         []pemFile       `json:"pem_files"`
	AttributeMapping json.RawMessage `json:"attribute_mapping"`
	CanJITProvision  bool            `json:"can_jit_provision"`
	TrustPolicy      json.RawMessage `json:"trust_policy"`
}

type profileAnswer struct {
	Profile profile `json:"profile"`
}

func (p *profile) provisioning() string {
	if p.CanJITProvision {
		return "on"
	}
	return "off"
}

func (v profileAnswer) write(t *text) {
	p := v.Profile
	t.field("profile_id", p.ProfileID)
	t.field("name", p.Name)
	t.field("issuer", p.Issuer)
	t.field("audience", p.Audience)
	t.field("keys", p.PublicKeyType)
	if p.JWKSURL != "" {
		t.field("jwks_url", p.JWKSURL)
	}
	for _, f := range p.PEMFiles {
		t.field("pem_file_id", f.ID)
	}
	t.object("attribute_mapping", p.AttributeMapping)
	t.field("jit", p.provisioning())
	if settings, err := differing(p.TrustPolicy); err == nil && string(settings) != "{}" { // an older server has none
		t.object("trust_policy", settings)
	}
}
