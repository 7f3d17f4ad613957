package countersign_test

import (
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
)

// wireID is what IDs of every kind can do.
type wireID interface {
	String() string
	Class() countersign.Class
	IsZero() bool
	Value() (driver.Value, error)
}

// FuzzID reads text as an ID of every kind. At most one kind takes it, gives back
// exactly that text, survives a database, and then no external ID may look so.
func FuzzID(f *testing.F) {
	for _, seed := range []string{
		"user-test-00000000-0000-4000-8000-000000000001", "session-live-018f2f3e-7c1a-7abc-8def-0123456789ab",
		"trusted-token-profile-test-00000000-0000-0000-0000-000000000000", "public-token-test-ffffffff-ffff-ffff-ffff-ffffffffffff",
		"user-test-00000000-0000-4000-8000-00000000000A", "user-prod-00000000-0000-4000-8000-000000000001",
		"member-live-00000000-0000-4000-8000-000000000001", "organization-test-00000000-0000-4000-8000-000000000001",
		"-test-00000000-0000-4000-8000-000000000001", "user-test-", "", "crm|7", "user-test-00000000_0000_4000_8000_000000000001",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		kinds := 0
		for _, parse := range []func(*testing.T, string) bool{
			takes[countersign.EnvironmentID], takes[countersign.SecretID], takes[countersign.PublicTokenID], takes[countersign.ProfileID],
			takes[countersign.PEMFileID], takes[countersign.SigningKeyID], takes[countersign.PersonID], takes[countersign.EmailID],
			takes[countersign.PhoneID], takes[countersign.SessionID], takes[countersign.EventID], takes[countersign.RequestID],
			takes[countersign.OrganizationID],
		} {
			if parse(t, s) {
				kinds++
			}
		}
		looks := countersign.LooksLikeID(s)
		switch {
		case kinds > 1:
			t.Errorf("%q is an ID of %d kinds", s, kinds)
		case kinds == 1 && !looks:
			t.Errorf("%q is an ID and does not look like one", s)
		case looks && countersign.ValidExternalID(s):
			t.Errorf("%q looks like an ID and may be an external ID", s)
		case looks && !strings.Contains(s, "-test-") && !strings.Contains(s, "-live-"):
			t.Errorf("%q has no class and looks like an ID", s)
		}
	})
}

// takes reports whether s is an ID of one kind, and holds it to its promises.
func takes[T interface {
	countersign.EnvironmentID | countersign.SecretID | countersign.PublicTokenID | countersign.ProfileID | countersign.PEMFileID | countersign.SigningKeyID |
		countersign.PersonID | countersign.EmailID | countersign.PhoneID | countersign.SessionID | countersign.EventID | countersign.RequestID | countersign.OrganizationID
	wireID
}](t *testing.T, s string,
) bool {
	var id T
	unmarshaler, _ := any(&id).(interface{ UnmarshalText([]byte) error })
	if err := unmarshaler.UnmarshalText([]byte(s)); err != nil || s == "" {
		return false
	}
	if id.String() != s || id.IsZero() {
		t.Errorf("%q is read as %q", s, id)
	}
	stored, err := id.Value()
	if err != nil {
		t.Errorf("%q cannot be stored: %v", s, err)
	}
	var back T
	if scanner, _ := any(&back).(interface{ Scan(any) error }); scanner.Scan(stored) != nil || any(back) != any(id) {
		t.Errorf("%q comes back from a database as %q", s, back)
	}
	return true
}
