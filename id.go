package countersign

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says whether an object belongs to a test or a live environment. It is
// the middle part of every ID.
type Class byte

// The two classes. Test is the zero value: what says nothing is not live.
const (
	Test Class = iota
	Live
)

func (c Class) String() string {
	if c == Live {
		return "live"
	}
	return "test"
}

// ID is an identifier of one kind of object: "<prefix>-<test|live>-<uuid>".
// The kind is part of the type, so a UserID never passes as a SessionID. The
// zero ID names nothing.
//
// In a database an ID is 17 bytes, the class and the UUID; see docs/adr/0002.
type ID[K kind] struct {
	// tag is 0 of the zero ID, else 1 + Class, and 2 more for a member: the UUID of
	// nobody is an ID as well.
	tag  byte
	uuid [16]byte
}

type kind interface{ prefix() string }

// people is the kind of which there are two, told apart by their prefix: an ID of
// a member never passes as one of a user.
type people interface{ memberPrefix() string }

type (
	environmentKind  struct{}
	secretKind       struct{}
	publicTokenKind  struct{}
	profileKind      struct{}
	pemFileKind      struct{}
	signingKeyKind   struct{}
	personKind       struct{}
	organizationKind struct{}
	emailKind        struct{}
	phoneKind        struct{}
	sessionKind      struct{}
	eventKind        struct{}
	requestKind      struct{}
	revocationKind   struct{}
	operatorKind     struct{}
)

func (environmentKind) prefix() string  { return "project" }
func (secretKind) prefix() string       { return "secret" }
func (publicTokenKind) prefix() string  { return "public-token" }
func (profileKind) prefix() string      { return "trusted-token-profile" }
func (pemFileKind) prefix() string      { return "pem-file" }
func (signingKeyKind) prefix() string   { return "jwk" }
func (personKind) prefix() string       { return "user" }
func (personKind) memberPrefix() string { return "member" }
func (organizationKind) prefix() string { return "organization" }
func (emailKind) prefix() string        { return "email" }
func (phoneKind) prefix() string        { return "phone-number" }
func (sessionKind) prefix() string      { return "session" }
func (eventKind) prefix() string        { return "event" }
func (requestKind) prefix() string      { return "request-id" }
func (revocationKind) prefix() string   { return "revocation" }
func (operatorKind) prefix() string     { return "operator" }

// The identifiers of the contract (README §5).
type (
	// EnvironmentID is what the API calls a project ID: "project-test-…".
	EnvironmentID = ID[environmentKind]
	// SecretID names a secret; it is not the secret.
	SecretID = ID[secretKind]
	// PublicTokenID is a public token: an identifier that browsers may know.
	PublicTokenID = ID[publicTokenKind]
	// ProfileID names a trusted-token profile.
	ProfileID = ID[profileKind]
	// PEMFileID names one public key of a PEM profile.
	PEMFileID = ID[pemFileKind]
	// SigningKeyID is the kid of one of our own signing keys.
	SigningKeyID = ID[signingKeyKind]
	// PersonID names a user, "user-test-…", or a member, "member-test-…".
	PersonID = ID[personKind]
	// OrganizationID names an organization of a B2B project.
	OrganizationID = ID[organizationKind]
	// EmailID names one e-mail address of a person.
	EmailID = ID[emailKind]
	// PhoneID names one phone number of a person.
	PhoneID = ID[phoneKind]
	// SessionID names a session; it is not the session token.
	SessionID = ID[sessionKind]
	// EventID names an audit event.
	EventID = ID[eventKind]
	// RequestID names one HTTP request in answers, logs and events.
	RequestID = ID[requestKind]
	// RevocationID names a revocation that stands until its sessions are gone.
	RevocationID = ID[revocationKind]
	// OperatorID names an operator of the dashboard. Operators belong to the
	// workspace; of the two classes theirs is live.
	OperatorID = ID[operatorKind]
)

// ErrMalformedID is what ParseID and Scan return for text or bytes that are not
// an ID of the wanted kind.
var ErrMalformedID = errors.New("malformed ID")

// NewID makes a random ID (UUID version 4, RFC 9562 §5.4): NewID[PersonID](Test).
func NewID[T interface{ ID[K] }, K kind](class Class) T {
	id := ID[K]{tag: tagOf(class)}
	_, _ = rand.Read(id.uuid[:]) // never fails (crypto/rand)
	id.stamp(4)
	return T(id)
}

// NewOrderedID makes an ID that sorts by the moment of its making (UUID version
// 7, RFC 9562 §5.7), so that rows which arrive in numbers lie together on disk.
// Nobody may read a meaning into it.
func NewOrderedID[T interface{ ID[K] }, K kind](class Class, now time.Time) T {
	id := ID[K]{tag: tagOf(class)}
	_, _ = rand.Read(id.uuid[6:])
	id.stampTime(now)
	id.stamp(7)
	return T(id)
}

// stampTime writes the milliseconds since 1970 into the first six bytes. What is
// before 1970 is taken for it.
func (id *ID[K]) stampTime(moment time.Time) {
	ms := max(moment.UnixMilli(), 0)
	for i := range 6 {
		id.uuid[i] = byte(ms >> (40 - 8*i))
	}
}

// FirstOrderedID sorts before every ordered ID that is made from a moment on and
// behind those that were made before it, to the millisecond.
func FirstOrderedID[T interface{ ID[K] }, K kind](class Class, moment time.Time) T {
	id := ID[K]{tag: tagOf(class)}
	id.stampTime(moment)
	return T(id)
}

// IDOf is the ID of a UUID that the caller took from elsewhere, 16 bytes.
func IDOf[T interface{ ID[K] }, K kind](class Class, uuid [16]byte) T {
	return T(ID[K]{tag: tagOf(class), uuid: uuid})
}

func tagOf(class Class) byte { return 1 + byte(class) }

// memberTag is how much the tag of a member is above that of a user.
const memberTag = 2

// prefixes are those of a kind; the second is "" but for people.
func prefixes[K kind]() (prefix, member string) {
	var k K
	if p, ok := any(k).(people); ok {
		member = p.memberPrefix()
	}
	return k.prefix(), member
}

func (id *ID[K]) stamp(version byte) {
	id.uuid[6] = id.uuid[6]&0x0f | version<<4
	id.uuid[8] = id.uuid[8]&0x3f | 0x80
}

// ParseID reads the wire form: ParseID[PersonID]("user-test-…"). Anything but
// exactly that form, lower-case hexadecimal included, is ErrMalformedID: one
// object has one name.
func ParseID[T interface{ ID[K] }, K kind](s string) (T, error) {
	var id ID[K]
	if err := id.parse(s); err != nil {
		return T{}, err
	}
	return T(id), nil
}

func (id *ID[K]) parse(s string) error {
	var parsed ID[K]
	prefix, member := prefixes[K]()
	rest, ok := strings.CutPrefix(s, prefix+"-")
	if !ok && member != "" {
		rest, ok = strings.CutPrefix(s, member+"-")
		parsed.tag = memberTag
	}
	if !ok || len(rest) != len("test-")+36 {
		return ErrMalformedID
	}
	switch rest[:5] {
	case "test-":
		parsed.tag += tagOf(Test)
	case "live-":
		parsed.tag += tagOf(Live)
	default:
		return ErrMalformedID
	}
	rest = rest[5:]
	if rest[8] != '-' || rest[13] != '-' || rest[18] != '-' || rest[23] != '-' {
		return ErrMalformedID
	}
	digits := rest[:8] + rest[9:13] + rest[14:18] + rest[19:23] + rest[24:]
	if strings.ToLower(digits) != digits {
		return ErrMalformedID
	}
	if n, err := hex.Decode(parsed.uuid[:], []byte(digits)); err != nil || n != len(parsed.uuid) {
		return ErrMalformedID
	}
	*id = parsed
	return nil
}

// IsZero reports whether the ID names nothing.
func (id ID[K]) IsZero() bool { return id.tag == 0 }

// Class tells a live object from a test object.
func (id ID[K]) Class() Class {
	if id.tag == tagOf(Live) || id.tag == tagOf(Live)+memberTag {
		return Live
	}
	return Test
}

// UUID is the ID without its prefix and class.
func (id ID[K]) UUID() [16]byte { return id.uuid }

// WithClass is the same ID in the other class; requests get theirs before it is
// known which environment they concern.
func (id ID[K]) WithClass(c Class) ID[K] {
	if id.tag > memberTag {
		id.tag = memberTag + tagOf(c)
	} else {
		id.tag = tagOf(c)
	}
	return id
}

// String is the wire form, and "" for the zero ID.
func (id ID[K]) String() string {
	if id.IsZero() {
		return ""
	}
	prefix, member := prefixes[K]()
	if id.tag > memberTag {
		prefix = member
	}
	b := make([]byte, 0, 64)
	b = append(b, prefix...)
	b = append(b, '-')
	b = append(b, id.Class().String()...)
	for _, part := range [...][]byte{id.uuid[:4], id.uuid[4:6], id.uuid[6:8], id.uuid[8:10], id.uuid[10:]} {
		b = append(b, '-')
		b = hex.AppendEncode(b, part)
	}
	return string(b)
}

// Bytes is the stored form: 1 for test or 2 for live, 3 and 4 for a member, and the
// 16 bytes of the UUID.
func (id ID[K]) Bytes() []byte {
	return append([]byte{id.tag}, id.uuid[:]...)
}

// MarshalText is the wire form.
func (id ID[K]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the wire form; empty text is the zero ID.
func (id *ID[K]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID[K]{}
		return nil
	}
	return id.parse(string(text))
}

// Value binds the stored form to a statement; the zero ID is NULL.
func (id ID[K]) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.Bytes(), nil
}

// Scan reads the stored form from a row; NULL is the zero ID.
func (id *ID[K]) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		*id = ID[K]{}
		return nil
	case []byte:
		most := tagOf(Live)
		if _, member := prefixes[K](); member != "" {
			most += memberTag
		}
		if len(b) != 17 || b[0] < tagOf(Test) || b[0] > most {
			return ErrMalformedID
		}
		stored := ID[K]{tag: b[0]}
		copy(stored.uuid[:], b[1:])
		*id = stored
		return nil
	default:
		return fmt.Errorf("scan %T: %w", src, ErrMalformedID)
	}
}

// LooksLikeID reports whether s has the shape of any ID of this server. No
// external ID may have it, or it could be taken for somebody else's.
func LooksLikeID(s string) bool {
	const tail = 1 + 4 + 1 + 36
	if len(s) <= tail {
		return false
	}
	class := s[len(s)-tail : len(s)-36]
	if class != "-test-" && class != "-live-" {
		return false
	}
	for i, c := range []byte(s[len(s)-36:]) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
				return false
			}
		}
	}
	return true
}
