package countersign

import "time"

// Bounds of sessions.
const (
	MinSessionMinutes = 5
	MaxSessionMinutes = 527040 // 366 days
	MaxFactors        = 32     // of one session
	MaxCustomClaims   = 4096   // bytes, serialised
)

// ClaimNamespace is where the server's own claims live; nobody else may set any
// in it.
const ClaimNamespace = "https://stytch.com/"

// Session is a person's durable sign-in.
type Session struct {
	ID             SessionID
	PersonID       PersonID
	StartedAt      time.Time
	LastAccessedAt time.Time // with a resolution of one minute
	ExpiresAt      time.Time
	Attributes     SessionAttributes
	CustomClaims   Object   // nil if none
	Factors        []Factor // in the order in which they were added
	// Nonce goes into the session token's MAC; without the environment's key it
	// yields no token.
	Nonce []byte
}

// SessionAttributes are what the caller said about the client.
type SessionAttributes struct {
	IPAddress string `json:"ip_address"`
	UserAgent string `json:"user_agent"`
}

// Factor is one authentication within a session: a trusted token of a profile,
// or the word of another provider whose session was migrated.
type Factor struct {
	ProfileID           ProfileID // zero if it was imported
	TokenID             string
	KeyID               string // kid of the issuer's key that verified it; "" if it had none
	LastAuthenticatedAt time.Time
	CreatedAt           time.Time
	UpdatedAt           time.Time
}

// Imported reports whether the factor came with a migrated session.
func (f Factor) Imported() bool { return f.ProfileID.IsZero() }
