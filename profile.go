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

// KeySetSnapshot is the last good answer of a key set URL, as it is kept.
type KeySetSnapshot struct {
	EnvironmentID EnvironmentID
	URL           string
	Body          []byte
	ETag          string
	FetchedAt     time.Time // the last moment at which the issuer vouched for Body
	FreshUntil    time.Time
}
