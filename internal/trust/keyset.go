package trust

import "context"

// KeySet is where an issuer's keys come from: a key set URL or PEM text.
type KeySet interface {
	// Keys returns the issuer's keys that may carry kid; an empty kid asks for
	// all of them. Several keys may share a kid (RFC 7517 §4.5). It may wait on
	// the network, until ctx ends at the latest.
	//
	// Failures are *Refusal: KeyNotFound (Expected lists the set's kids and when
	// it was last refreshed), KeyUnusable (kid names a key that was skipped, with
	// why), KeysUnavailable. Success is never an empty slice.
	Keys(ctx context.Context, kid string) ([]Key, error)
}
