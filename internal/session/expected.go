package session

import (
	"context"

	"github.com/countersign-auth/countersign"
)

// expected refuses a stranger whom the profile may not make, before any
// transaction: their token makes nobody wait for the writer, and what a read costs
// is all that tells its refusal from that of a bad signature. Who is a stranger is
// decided by the transaction all the same. The user is whom a token that is refused
// speaks of, if that is known.
func (s *Service) expected(ctx context.Context, b brought) (countersign.Person, error) {
	policy := b.profile.Policy
	if b.profile.CanJITProvision && policy.JITDomains == nil && policy.JITPerHour == 0 {
		return countersign.Person{}, nil
	}
	r, err := s.foresee(ctx, b)
	return r.person, err
}
