package signing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyset encrypts keys at rest. The operator holds it, apart from the database:
// neither alone yields a private key. It is a Tink keyset (AES-256-GCM) as JSON.
type Keyset struct{ aead tink.AEAD }

// ParseKeyset reads a Tink keyset in JSON. Its error repeats nothing of the text.
func ParseKeyset(text []byte) (*Keyset, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("the keyset is not a Tink keyset in JSON")
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("the keyset holds no AEAD keys")
	}
	return &Keyset{primitive}, nil
}

// NewKeyset makes a keyset and gives its JSON, which is the secret itself.
func NewKeyset() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, fmt.Errorf("write a keyset: %w", err)
	}
	return b.Bytes(), nil
}

// OpenKeysetFile reads the keyset in a file, and makes file (mode 0600) and
// keyset if there is none. Two processes that make it at once agree on one.
func OpenKeysetFile(path string) (ks *Keyset, created bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if created, err = createKeysetFile(path); err == nil {
			text, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("open the keyset: %w", err)
	}
	if ks, err = ParseKeyset(text); err != nil {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	return ks, created, nil
}

// createKeysetFile writes beside the path and links into place, so that the file
// is whole as soon as it has its name, and never replaces one that is there.
func createKeysetFile(path string) (created bool, err error) {
	text, err := NewKeyset()
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // mode 0600
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return false, err
	} else if err != nil {
		return false, nil
	}
	return true, nil
}

// Seal encrypts secret so that it opens only under the same context, the names
// of what it belongs to.
func (k *Keyset) Seal(secret []byte, context ...string) ([]byte, error) {
	return k.aead.Encrypt(secret, []byte(strings.Join(context, "\x00")))
}

// Open is the reverse of Seal.
func (k *Keyset) Open(sealed []byte, context ...string) ([]byte, error) {
	secret, err := k.aead.Decrypt(sealed, []byte(strings.Join(context, "\x00")))
	if err != nil {
		return nil, errors.New("encrypted under another keyset, or damaged")
	}
	return secret, nil
}
