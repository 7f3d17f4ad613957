package countersign

import "time"

// Verdict is what became of one subject token. It holds neither the token nor
// the value of any claim but those of Facts.
type Verdict struct {
	EnvironmentID EnvironmentID
	RequestID     RequestID // of the request that brought the token; it names the verdict
	At            time.Time
	ProfileID     ProfileID
	PersonID      PersonID // whom it speaks of; zero if that is not known
	Reason        string   // of a refusal (package trust); "" if it was accepted
	Step          string   // that refused it (package trust)
	Expected      string
	Received      string
	Shadow        bool   // the profile only tried it: nobody was signed in
	Address       string // of the caller
	Facts         TokenFacts
}

// VerdictAccepted stands where a word is needed for a reason that there is not, and
// is the outcome of such a verdict.
const VerdictAccepted = "accepted"

// TokenFacts are what a verdict keeps of a token, as far as it could be read,
// whether or not it was believed. Long values are cut.
type TokenFacts struct {
	Algorithm  string    `json:"alg,omitempty"`
	KeyID      string    `json:"kid,omitempty"`
	Type       string    `json:"typ,omitempty"`
	Issuer     string    `json:"iss,omitempty"`
	Audiences  []string  `json:"aud,omitempty"`
	ExpiresAt  time.Time `json:"exp,omitzero"`
	NotBefore  time.Time `json:"nbf,omitzero"`
	IssuedAt   time.Time `json:"iat,omitzero"`
	ClaimNames []string  `json:"claims,omitempty"`
}
