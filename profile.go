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

// TrustPolicy tightens what a profile believes. The zero value is not the
// default: DefaultTrustPolicy is.
type TrustPolicy struct {
	Algorithms       []Algorithm   // nil: all of Algorithms()
	Audiences        []string      // believed beside the profile's own
	RequiredType     string        // header typ, if not ""; RFC 8725 §3.11
	ClockSkew        time.Duration // 0 to 300 s, for exp, nbf and iat
	MaxTokenLifetime time.Duration // exp − iat, if not 0
	MaxTokenAge      time.Duration // now − iat, if not 0
}

// DefaultTrustPolicy is the contract's behaviour: any asymmetric algorithm,
// the profile's one audience, 30 s of clock skew.
func DefaultTrustPolicy() TrustPolicy { return TrustPolicy{ClockSkew: 30 * time.Second} }

// Attributes are what a profile's mapping picked out of a token's claims.
type Attributes struct {
	Email          string   // one bare address, as the issuer wrote it
	EmailKey       string   // its normal form (package email)
	TokenID        string   // 1 to 256 bytes
	ExternalUserID string   // "" if not mapped or the claim is absent
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
