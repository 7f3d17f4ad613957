package signing

import "errors"

// KeysetFact is the name under which a database keeps a word that only its keyset
// opens, so that a wrong keyset is found before a key is needed.
const KeysetFact = "keyset"

const keysetWord = "countersign"

// ErrOtherKeyset is a keyset that did not seal what it is to open.
var ErrOtherKeyset = errors.New("this database's private keys are encrypted under another keyset; set --keyset to the one it began with")

// SealWord is the word for an empty database.
func (k *Keyset) SealWord() ([]byte, error) { return k.Seal([]byte(keysetWord), KeysetFact) }

// CheckWord opens the word of a database; ErrOtherKeyset.
func (k *Keyset) CheckWord(sealed []byte) error {
	if _, err := k.Open(sealed, KeysetFact); err != nil {
		return ErrOtherKeyset
	}
	return nil
}
