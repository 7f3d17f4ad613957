package countersign_test

import (
	"testing"

	"github.com/countersign-auth/countersign"
)

// TestOperatorRoles holds every role against every other.
func TestOperatorRoles(t *testing.T) {
	t.Parallel()
	roles := append([]countersign.OperatorRole{"", "admin"}, countersign.OperatorRoles()...)
	for i, role := range roles {
		for j, other := range roles {
			if got, want := role.Covers(other), i >= j && j > 1; got != want {
				t.Errorf("%q.Covers(%q) = %v, want %v", role, other, got, want)
			}
		}
	}
}
