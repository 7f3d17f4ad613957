package countersign

import (
	"slices"
	"time"
)

// MaxRevocations is how many revocations may stand in an environment at a time.
// Each is held against every session that is used.
const MaxRevocations = 200

// Revocation ends every session that rests on something no longer believed: a
// profile, a key of its issuer, or whatever was attested before a moment. It
// stands as a mark that sessions are held against when they are used, until
// their rows are gone.
type Revocation struct {
	ID        RevocationID `json:"id"`
	ProfileID ProfileID    `json:"profile_id,omitzero"` // zero: of any
	KeyID     string       `json:"key_id,omitempty"`    // "": of any
	Before    time.Time    `json:"before"`
	CreatedAt time.Time    `json:"created_at"`
	SweptAt   time.Time    `json:"swept_at,omitzero"` // when the last row was gone
}

// Ends reports whether the revocation ends a session: one that began before
// the moment; of a profile or key, one with a factor by it that was added before
// the moment.
func (r Revocation) Ends(s Session) bool {
	if r.ProfileID.IsZero() && r.KeyID == "" {
		return s.StartedAt.Before(r.Before)
	}
	for _, f := range s.Factors {
		if (r.ProfileID.IsZero() || f.ProfileID == r.ProfileID) && (r.KeyID == "" || f.KeyID == r.KeyID) && f.CreatedAt.Before(r.Before) {
			return true
		}
	}
	return false
}

// EndedBy reports whether any of the revocations ends a session.
func EndedBy(list []Revocation, s Session) bool {
	return slices.ContainsFunc(list, func(r Revocation) bool { return r.Ends(s) })
}
