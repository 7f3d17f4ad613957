package countersign

import (
	"bytes"
	"encoding/json"
)

// EncodeJSON is v as JSON in which <, > and & are one byte each, as they are
// measured, stored and signed. json.Marshal would make six of them.
func EncodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}
