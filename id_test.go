package countersign_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
)

func ExampleParseID() {
	id, err := countersign.ParseID[countersign.PersonID]("user-test-01a20743-e9a0-7063-bc12-9d34b9339a2d")
	fmt.Println(id, id.Class(), err)
	_, err = countersign.ParseID[countersign.SessionID](id.String())
	fmt.Println(err)
	// Output:
	// user-test-01a20743-e9a0-7063-bc12-9d34b9339a2d test <nil>
	// malformed ID
}

func TestIDRoundTrips(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, id := range []countersign.PersonID{
		countersign.NewID[countersign.PersonID](countersign.Test), countersign.NewID[countersign.PersonID](countersign.Live),
		countersign.NewOrderedID[countersign.PersonID](countersign.Live, now),
	} {
		parsed, err := countersign.ParseID[countersign.PersonID](id.String())
		if err != nil || parsed != id {
			t.Errorf("ParseID(%v) = %v, %v", id, parsed, err)
		}
		stored, err := id.Value()
		if err != nil {
			t.Fatal(err)
		}
		var scanned countersign.PersonID
		if err := scanned.Scan(stored); err != nil || scanned != id {
			t.Errorf("Scan(Value(%v)) = %v, %v", id, scanned, err)
		}
		if !countersign.LooksLikeID(id.String()) || countersign.ValidExternalID(id.String()) {
			t.Errorf("%v may be an external ID", id)
		}
	}
}

// Clients' tests ask for the ID of nobody; it is well formed, and found nowhere.
func TestNilUUIDIsAnID(t *testing.T) {
	t.Parallel()
	const nobody = "user-test-00000000-0000-0000-0000-000000000000"
	id, err := countersign.ParseID[countersign.PersonID](nobody)
	if err != nil || id.IsZero() || id.String() != nobody {
		t.Errorf("ParseID(%q) = %v, %v", nobody, id, err)
	}
	if stored, err := id.Value(); err != nil || stored == nil {
		t.Errorf("Value() = %v, %v", stored, err)
	}
}

func TestOrderedIDsSortByTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	early := countersign.NewOrderedID[countersign.SessionID](countersign.Test, now)
	late := countersign.NewOrderedID[countersign.SessionID](countersign.Test, now.Add(time.Millisecond))
	if early.String() >= late.String() || string(early.Bytes()) >= string(late.Bytes()) {
		t.Errorf("%v does not sort before %v", early, late)
	}
	if version := early.String()[len("session-test-")+14]; version != '7' {
		t.Errorf("%v is of version %c", early, version)
	}
}

func TestParseIDRefuses(t *testing.T) {
	t.Parallel()
	const good = "user-test-01a20743-e9a0-7063-bc12-9d34b9339a2d"
	for _, bad := range []string{
		"", "user-test-", good + "0", good[:len(good)-1], strings.ToUpper(good), strings.Replace(good, "a", "A", 1),
		strings.Replace(good, "test", "prod", 1), strings.Replace(good, "user", "person", 1), strings.Replace(good, "-e9a0", "_e9a0", 1),
		strings.Replace(good, "01a2", "01g2", 1), " " + good, good + "\n",
	} {
		if id, err := countersign.ParseID[countersign.PersonID](bad); !errors.Is(err, countersign.ErrMalformedID) || !id.IsZero() {
			t.Errorf("ParseID(%q) = %v, %v", bad, id, err)
		}
	}
	var id countersign.PersonID
	for _, bad := range []any{[]byte{}, make([]byte, 16), make([]byte, 17), append([]byte{5}, make([]byte, 16)...), "text", 7} {
		if err := id.Scan(bad); !errors.Is(err, countersign.ErrMalformedID) {
			t.Errorf("Scan(%v) = %v", bad, err)
		}
	}
}

func TestUsersAreNoMembers(t *testing.T) {
	t.Parallel()
	for _, class := range []countersign.Class{countersign.Test, countersign.Live} {
		user := countersign.NewID[countersign.PersonID](class)
		member := countersign.PersonIDIn(countersign.B2B, user)
		if want := strings.Replace(user.String(), "user-", "member-", 1); member.String() != want {
			t.Errorf("the member of %v is %v", user, member)
		}
		if countersign.IsMember(user) || !countersign.IsMember(member) || countersign.PersonIDIn(countersign.Consumer, member) != user {
			t.Errorf("%v or %v is not told what it is", user, member)
		}
		if member.Class() != class || member.WithClass(countersign.Live).String() == member.WithClass(countersign.Test).String() || !countersign.IsMember(member.WithClass(countersign.Live)) {
			t.Errorf("%v has no class", member)
		}
		parsed, err := countersign.ParseID[countersign.PersonID](member.String())
		if err != nil || parsed != member || parsed == user {
			t.Errorf("ParseID(%v) = %v, %v", member, parsed, err)
		}
		var scanned countersign.PersonID
		if err := scanned.Scan(member.Bytes()); err != nil || scanned != member {
			t.Errorf("Scan(%v) = %v, %v", member, scanned, err)
		}
		var session countersign.SessionID
		if err := session.Scan(member.Bytes()); !errors.Is(err, countersign.ErrMalformedID) {
			t.Errorf("Scan of a member as a session: %v", err)
		}
	}
}

func TestCheckClass(t *testing.T) {
	t.Parallel()
	test, live := countersign.NewID[countersign.EnvironmentID](countersign.Test), countersign.NewID[countersign.EnvironmentID](countersign.Live)
	for _, c := range []struct {
		class countersign.Class
		env   countersign.EnvironmentID
		want  error
	}{
		{countersign.Test, test, nil},
		{countersign.Live, live, nil},
		{countersign.Live, test, countersign.ErrLiveIDInTestEnvironment},
		{countersign.Test, live, countersign.ErrTestIDInLiveEnvironment},
	} {
		if err := countersign.CheckClass(c.class, c.env); !errors.Is(err, c.want) {
			t.Errorf("CheckClass(%v, %v) = %v, want %v", c.class, c.env, err, c.want)
		}
	}
}

func TestValidExternalID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a": true, "auth0|5f7c8ec7c33c6c004bbafe82": true, "A.b_c-9": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "ä": false, "a\x00": false, "a/b": false, "a%7C": false,
		".": false, "..": false, "...": true, ".a": true,
		"user-live-01a20743-e9a0-7063-bc12-9d34b9339a2d": false, "x-test-01A20743-E9A0-7063-BC12-9D34B9339A2D": false,
	} {
		if got := countersign.ValidExternalID(id); got != want {
			t.Errorf("ValidExternalID(%q) = %v", id, got)
		}
	}
}
