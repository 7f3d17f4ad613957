package wire

import (
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Profile is a trusted-token profile (profiles.md §1).
type Profile struct {
	ProfileID        string          `json:"profile_id"`
	Name             string          `json:"name"`
	Audience         string          `json:"audience" doc:"One of the aud of its tokens."`
	Issuer           string          `json:"issuer" doc:"Compared with the iss of its tokens, byte for byte."`
	PublicKeyType    string          `json:"public_key_type" openapi:"enum=JWK|PEM"`
	JWKSURL          *string         `json:"jwks_url" doc:"Of a profile of type JWK."`
	PEMFiles         []PEMFile       `json:"pem_files"`
	AttributeMapping json.RawMessage `json:"attribute_mapping" openapi:"type=object,nullable" doc:"Which claims carry which attributes, as it was sent."`
	CanJITProvision  bool            `json:"can_jit_provision"`
	// TrustPolicy is this server's addition to the contract.
	TrustPolicy countersign.TrustPolicy `json:"trust_policy" doc:"What tightens the profile beyond the contract."`
}

// PEMFile is a public key of a profile, byte for byte as it was sent.
type PEMFile struct {
	PEMFileID string `json:"pem_file_id"`
	PublicKey string `json:"public_key" doc:"Byte for byte as it was sent."`
	// UnusableReason is this server's addition to the contract.
	UnusableReason string `json:"unusable_reason,omitempty" doc:"Why the key can never verify anything; absent from a good key."`
}

// NewProfile shapes a profile.
func NewProfile(p countersign.Profile) Profile {
	w := Profile{
		ProfileID: p.ID.String(), Name: p.Name, Audience: p.Audience, Issuer: p.Issuer, PublicKeyType: string(p.KeyType),
		PEMFiles: each(p.PEMFiles, NewPEMFile), AttributeMapping: p.AttributeMapping, CanJITProvision: p.CanJITProvision, TrustPolicy: p.Policy,
	}
	if p.JWKSURL != "" {
		w.JWKSURL = &p.JWKSURL
	}
	return w
}

// NewProfiles shapes a list of profiles.
func NewProfiles(list []countersign.Profile) []Profile { return each(list, NewProfile) }

// NewPEMFile shapes a public key.
func NewPEMFile(f countersign.PEMFile) PEMFile {
	w := PEMFile{PEMFileID: f.ID.String(), PublicKey: f.PublicKey}
	if _, err := trust.ParsePEM(f.PublicKey); err != nil {
		w.UnusableReason = err.Error()
	}
	return w
}
