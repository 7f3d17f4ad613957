package countersign

import (
	"encoding/json"
	"time"
)

// KeyType says where a profile's keys come from. It never changes.
type KeyType string

// The key types of the contract (profiles.md §1).
const (
	KeyTypeJWK KeyType = "JWK" // a key set URL
	KeyTypePEM KeyType = "PEM" // up to MaxPEMFiles public keys, as text
)

// Bounds of profiles.
const (
	MaxPEMFiles              = 5
	MaxProfilesByEnvironment = 100
)

// Profile is a trusted-token profile: whose tokens are believed, and for what.
type Profile struct {
	ID            ProfileID
	EnvironmentID EnvironmentID
	Name          string
	Issuer        string // compared with iss byte for byte
	Audience      string // one of aud
	KeyType       KeyType
	JWKSURL       string // of a JWK profile
	PEMFiles      []PEMFile
	// AttributeMapping is the JSON object as it was sent, or nil. Its keys are
	// attributes, its values say which claim carries them.
	AttributeMapping json.RawMessage
	CanJITProvision  bool
	Policy           TrustPolicy
	CreatedAt        time.Time
}

// PEMFile is one public key of a PEM profile, as text, byte for byte as sent.
type PEMFile struct {
	ID        PEMFileID
	PublicKey string
}

// Attributes are what a profile's mapping picked out of a token's claims.
type Attributes struct {
	Email          string   // one bare address, as the issuer wrote it
	EmailKey       string   // its normal form (package email)
	Subject        string   // the claim that the trust policy links people by; "" if it names none
	TokenID        string   // 1 to 256 bytes
	ExternalID     string   // "" if not mapped or the claim is absent
	OrganizationID string   // ID or external ID of a member's organization; "" if not mapped or the claim is absent
	RoleIDs        []string // nil if not mapped or the claim is absent; empty if the claim is an empty list
}

// KeySetSnapshot is the last good answer of a key set URL, as it is kept.
type KeySetSnapshot struct {
	EnvironmentID EnvironmentID
	URL           string
	Body          []byte
	ETag          string
	FetchedAt     time.Time // the last moment at which the issuer vouched for Body
	FreshUntil    time.Time
}
