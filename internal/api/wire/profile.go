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
	Audience         string          `json:"audience"`
	Issuer           string          `json:"issuer"`
	PublicKeyType    string          `json:"public_key_type"`
	JWKSURL          *string         `json:"jwks_url"`
	PEMFiles         []PEMFile       `json:"pem_files"`
	AttributeMapping json.RawMessage `json:"attribute_mapping"` // null if none
	CanJITProvision  bool            `json:"can_jit_provision"`
}

// PEMFile is a public key of a profile, byte for byte as it was sent.
type PEMFile struct {
	PEMFileID string `json:"pem_file_id"`
	PublicKey string `json:"public_key"`
	// UnusableReason says why the key can never verify anything; this server's
	// addition to the contract, absent from a good key.
	UnusableReason string `json:"unusable_reason,omitempty"`
}

// NewProfile shapes a profile.
func NewProfile(p countersign.Profile) Profile {
	w := Profile{
		ProfileID: p.ID.String(), Name: p.Name, Audience: p.Audience, Issuer: p.Issuer, PublicKeyType: string(p.KeyType),
		PEMFiles: each(p.PEMFiles, NewPEMFile), AttributeMapping: p.AttributeMapping, CanJITProvision: p.CanJITProvision,
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
