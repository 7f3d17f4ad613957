package countersign_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/countersign-auth/countersign"
)

// show gives every way in which a value gets printed by mistake.
func show(t *testing.T, b countersign.Bearer) []string {
	t.Helper()
	in := struct{ Token countersign.Bearer }{b}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "token", b, "in", in)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "token", b, "in", in)
	return []string{
		fmt.Sprint(b), fmt.Sprintf("%s %v %+v %#v %q %x %X %d", b, b, b, b, b, b, b, b),
		fmt.Sprintf("%v %+v %#v", in, in, in), fmt.Sprint([]countersign.Bearer{b}), string(text), log.String(),
	}
}
