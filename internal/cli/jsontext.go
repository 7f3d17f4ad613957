package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/countersign-auth/countersign"
)

// maxNesting is how deep JSON in a token may go (product.md §3, step 3).
const maxNesting = 32

// parseObject reads a JSON object that came from what.
func parseObject(raw []byte, what string) (countersign.Object, error) {
	var object countersign.Object
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, usage(what+" is not a JSON object", `for example {"plan":"pro"}`)
	}
	if err := strictJSON(raw); err != nil {
		return nil, usage(what+": "+err.Error(), "")
	}
	return object, nil
}

// strictJSON finds what two parsers could read differently: a member that
// stands twice in an object, at any depth, and nesting beyond maxNesting.
func strictJSON(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // only the shape matters, whatever the size of a number
	err := strictValue(dec, 0)
	if errors.Is(err, io.EOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}

func strictValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxNesting {
		return fmt.Errorf("nested deeper than %d levels", maxNesting)
	}
	seen := map[string]bool{}
	for dec.More() {
		if open == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			member, _ := name.(string) // in an object the decoder gives nothing else here
			if seen[member] {
				return fmt.Errorf("the member %q stands twice in one object", member)
			}
			seen[member] = true
		}
		if err := strictValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}
