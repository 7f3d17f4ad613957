package trust

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/countersign-auth/countersign"
)

// Bounds of a key set document. The largest ones that well-known issuers serve
// have some twenty keys and 20 KiB.
const (
	maxKeySetBytes  = 256 << 10
	maxKeySetKeys   = 64
	maxSkippedShown = 2 * maxKeySetKeys // entries that are listed one by one
	maxKeyIDBytes   = 256
	maxKeyWordBytes = 64 // of alg, of use and of each of key_ops
	maxOperations   = 16
)

// SkippedKey is an entry of a key set that nothing is verified with.
type SkippedKey struct {
	KeyID string // kid, "" if it has none that can be read
	Index int    // in the set's keys array, from 0
	Why   string // in the operator's words
}

// ParseKeySet reads a key set document (RFC 7517 §5) of at most 256 KiB: a JSON
// object with a keys array, no member twice at any depth, nested 32 deep at most.
// Anything else is an error. What is odd about one entry costs that entry alone:
// it is skipped, with the reason. Of the array the first 64 entries are read.
//
// Keys are RSA of 2048 to 8192 bits, EC on P-256, P-384 or P-521, and Ed25519;
// use, key_ops and alg are read and left to the verifier. x5c, x5u and x5t are
// never looked at. Entries that share a kid but not the key are all skipped, for
// no token could say which it means; so is every entry whose private half the
// document gives away.
func ParseKeySet(body []byte) (keys []Key, skipped []SkippedKey, err error) {
	if len(body) > maxKeySetBytes {
		return nil, nil, fmt.Errorf("key set has %d bytes, %d are allowed", len(body), maxKeySetBytes)
	}
	document, err := parseObject(string(body))
	if err != nil {
		return nil, nil, fmt.Errorf("read key set: %w", err)
	}
	list, ok := document["keys"].([]any)
	if !ok {
		return nil, nil, errors.New(`read key set: no "keys" array`)
	}
	entries := make([]entry, 0, min(len(list), maxKeySetKeys))
	for i, value := range list[:min(len(list), maxSkippedShown)] {
		e := entry{index: i}
		if i < maxKeySetKeys {
			e.read(value)
		} else {
			e.skip(fmt.Sprintf("the set has %d keys, the first %d are read", len(list), maxKeySetKeys))
			object, _ := value.(map[string]any)
			_ = e.readID(object)
		}
		entries = append(entries, e)
	}
	skipDisclosed(entries)
	skipAmbiguous(entries)

	for _, e := range entries {
		switch {
		case e.why != "":
			skipped = append(skipped, SkippedKey{KeyID: e.key.ID, Index: e.index, Why: e.why})
		case !slices.ContainsFunc(keys, e.sameAs): // an exact duplicate is harmless
			keys = append(keys, e.key)
		}
	}
	if more := len(list) - maxSkippedShown; more > 0 {
		skipped = append(skipped, SkippedKey{Index: maxSkippedShown, Why: fmt.Sprintf("and %d more beyond the first %d", more, maxKeySetKeys)})
	}
	return keys, skipped, nil
}

// entry is one element of the keys array on its way to a Key or a SkippedKey.
type entry struct {
	index     int
	key       Key
	material  string // the same for the same public key, "" if there is none
	disclosed bool   // it carries private members
	why       string // it is skipped, "" if not
}

// skip keeps the first reason.
func (e *entry) skip(why string) {
	if e.why == "" {
		e.why = why
	}
}

// sameAs reports whether k says just what e says.
func (e *entry) sameAs(k Key) bool {
	public, ok := k.Public.(interface{ Equal(x publicKey) bool })
	return ok && k.ID == e.key.ID && k.Algorithm == e.key.Algorithm && k.Use == e.key.Use &&
		slices.Equal(k.Operations, e.key.Operations) && public.Equal(e.key.Public)
}

// read fills in e from one element of the keys array.
func (e *entry) read(value any) {
	object, ok := value.(map[string]any)
	if !ok {
		e.skip(typeOf(value) + " where a key should be")
		return
	}
	if err := e.readID(object); err != nil {
		e.skip(err.Error())
		return
	}
	kty, err := word(object, "kty")
	if err != nil {
		e.skip(err.Error())
		return
	}
	if kty != "oct" {
		e.readPrivate(object)
	}
	public, err := publicFromJWK(kty, object)
	if err != nil {
		e.skip(err.Error())
		return
	}
	e.key.setPublic(public.key)
	e.material = public.material
	if err := e.readPurpose(object); err != nil {
		e.skip(err.Error())
	}
}

// readID reads kid (RFC 7517 §4.5). Absent and "" are the same: a header can
// name neither.
func (e *entry) readID(object map[string]any) error {
	value, present := object["kid"]
	if !present {
		return nil
	}
	kid, ok := value.(string)
	if !ok {
		return fmt.Errorf("kid is %s, not a string", typeOf(value))
	}
	if len(kid) > maxKeyIDBytes {
		return fmt.Errorf("kid has %d bytes, %d are allowed", len(kid), maxKeyIDBytes)
	}
	e.key.ID = kid
	return nil
}

// readPrivate looks for private members (RFC 7518 §6.2.2, §6.3.2; RFC 9964).
func (e *entry) readPrivate(object map[string]any) {
	for _, name := range [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if object[name] != nil {
			e.disclosed = true
			e.skip(fmt.Sprintf("private key material (%s) is published; whoever reads the set can sign with this key", name))
			return
		}
	}
}

// readPurpose reads alg, use and key_ops (RFC 7517 §4.2 to §4.4).
func (e *entry) readPurpose(object map[string]any) error {
	alg, err := word(object, "alg")
	if err != nil {
		return err
	}
	use, err := word(object, "use")
	if err != nil {
		return err
	}
	e.key.Algorithm, e.key.Use = countersign.Algorithm(alg), use
	if object["key_ops"] == nil {
		return nil
	}
	list, ok := object["key_ops"].([]any)
	if !ok || len(list) > maxOperations {
		return fmt.Errorf("key_ops is not an array of at most %d strings", maxOperations)
	}
	operations := make([]string, 0, len(list)) // not nil: an empty list permits nothing
	for _, value := range list {
		operation, ok := value.(string)
		if !ok || len(operation) > maxKeyWordBytes {
			return fmt.Errorf("key_ops is not an array of strings of at most %d bytes", maxKeyWordBytes)
		}
		operations = append(operations, operation)
	}
	e.key.Operations = operations
	return nil
}

// word reads a short string member; absent and null are "".
func word(object map[string]any, name string) (string, error) {
	value := object[name]
	if value == nil {
		return "", nil
	}
	s, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s is %s, not a string", name, typeOf(value))
	}
	if len(s) > maxKeyWordBytes {
		return "", fmt.Errorf("%s has %d bytes, %d are allowed", name, len(s), maxKeyWordBytes)
	}
	return s, nil
}

// octets reads a base64url member in the one form it has: no padding, no bits
// left over (RFC 7515 §2). Two spellings of one key would be two keys.
func octets(object map[string]any, name string) ([]byte, error) {
	s, ok := object[name].(string)
	if !ok {
		return nil, fmt.Errorf("%s is missing or not a string", name)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	// DecodeString skips line breaks, so ask for the way back, too.
	if err != nil || len(b) == 0 || base64.RawURLEncoding.EncodedLen(len(b)) != len(s) {
		return nil, fmt.Errorf("%s is not canonical base64url", name)
	}
	return b, nil
}

// skipDisclosed skips every entry for a key whose private half another entry
// gives away, under whatever kid.
func skipDisclosed(entries []entry) {
	for _, leak := range entries {
		if !leak.disclosed || leak.material == "" {
			continue
		}
		for i := range entries {
			if entries[i].material == leak.material {
				entries[i].skip(fmt.Sprintf("entry %d publishes the private half of this key", leak.index))
			}
		}
	}
}

// skipAmbiguous skips every entry whose kid names another key elsewhere.
func skipAmbiguous(entries []entry) {
	material := make(map[string]string, len(entries))
	ambiguous := make(map[string]bool)
	for _, e := range entries {
		if e.key.ID == "" || e.material == "" {
			continue
		}
		if first, seen := material[e.key.ID]; seen && first != e.material {
			ambiguous[e.key.ID] = true
		}
		material[e.key.ID] = e.material
	}
	for i := range entries {
		if ambiguous[entries[i].key.ID] {
			entries[i].skip("different keys of the set carry this kid")
		}
	}
}
