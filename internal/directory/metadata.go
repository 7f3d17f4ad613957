package directory

import (
	"bytes"
	"encoding/json"

	"github.com/countersign-auth/countersign"
)

// Bounds of metadata (README §8).
const (
	maxMetadata     = 4096 // bytes, serialised
	maxMetadataKeys = 20
)

// Metadata reads metadata of a request: nil for absent and null;
// ErrMetadataInvalidFormat for what is not an object.
func Metadata(raw json.RawMessage) (countersign.Object, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var o countersign.Object
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, countersign.ErrMetadataInvalidFormat
	}
	return o, nil
}

// mergeMetadata applies a patch to metadata, at the top level only: a key
// replaces the whole value, null removes it. Errors: ErrMetadataTooManyKeys,
// ErrMetadataTooLarge, ErrMetadataInvalidFormat.
func mergeMetadata(stored, patch countersign.Object) (countersign.Object, error) {
	merged := make(countersign.Object, len(stored)+len(patch))
	for key, value := range stored {
		merged[key] = value
	}
	for key, value := range patch {
		if string(bytes.TrimSpace(value)) == "null" {
			delete(merged, key)
		} else {
			merged[key] = value
		}
	}
	if len(merged) > maxMetadataKeys {
		return nil, countersign.ErrMetadataTooManyKeys
	}
	text, err := countersign.EncodeJSON(merged)
	if err != nil {
		return nil, countersign.ErrMetadataInvalidFormat.Because(err)
	}
	if len(text) > maxMetadata {
		return nil, countersign.ErrMetadataTooLarge
	}
	return merged, nil
}
