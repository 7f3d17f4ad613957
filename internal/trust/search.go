package trust

import (
	"fmt"

	"github.com/countersign-auth/countersign"
)

// maxTries is how many keys one signature is tried with at most.
const maxTries = 8

// search looks for the key that made a signature, and remembers enough to say
// why there was none.
type search struct {
	alg    countersign.Algorithm
	kid    string // what the keys were asked for by, "" if by nothing
	tried  int    // keys that fit
	left   int    // keys that fit, beyond maxTries
	barred int    // keys of the right type that do not fit for another reason
	misfit error  // of the first barred key, else of the first key of another type
}

// signer is the one of keys that made the signature. Keys that do not fit the
// algorithm are never tried: a key serves one purpose (RFC 8725 §3.1). None is
// a *Refusal.
func (s search) signer(keys []Key, jws compact) (Key, error) {
	for _, key := range keys {
		if err := key.fit(s.alg); err != nil {
			s.passOver(key, err)
			continue
		}
		if s.tried == maxTries {
			s.left++
			continue
		}
		s.tried++
		if algorithms[s.alg].verify(key.Public, jws.signed, jws.signature) {
			return key, nil
		}
	}
	return Key{}, s.refusal()
}

func (s *search) passOver(key Key, misfit error) {
	rightType := algorithms[s.alg].takes(key.Public)
	if s.misfit == nil || rightType && s.barred == 0 {
		s.misfit = misfit
	}
	if rightType {
		s.barred++
	}
}

// refusal says why none of the keys was the signer: there was none of the right
// type (KeyNotFound), none that fits (KeyUnusable), or none of those that do
// made the signature (SignatureInvalid).
func (s search) refusal() *Refusal {
	wanted := algorithms[s.alg].keyType() + " for " + string(s.alg)
	if s.kid != "" {
		wanted = "key " + quote(s.kid) + " to be " + wanted
	}
	switch {
	case s.left > 0:
		return Refuse(SignatureInvalid,
			fmt.Sprintf("a signature by one of the first %d keys that fit; a kid in the header would choose among all %d", maxTries, s.tried+s.left),
			"another one")
	case s.tried > 0 && s.kid != "":
		return Refuse(SignatureInvalid, "a signature by key "+quote(s.kid), "another one")
	case s.tried == 1:
		return Refuse(SignatureInvalid, "a signature by the one key that fits, "+wanted, "another one")
	case s.tried > 0:
		return Refuse(SignatureInvalid, fmt.Sprintf("a signature by one of the %d keys that fit, each %s", s.tried, wanted), "another one")
	case s.misfit == nil:
		return Refuse(KeyNotFound, wanted, "no key")
	case s.kid != "" || s.barred > 0:
		return Refuse(KeyUnusable, wanted, s.misfit.Error())
	default:
		return Refuse(KeyNotFound, wanted, "none; of the first key: "+s.misfit.Error())
	}
}
