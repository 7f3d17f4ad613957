package countersign

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what stands where a secret would.
const Redacted = "[redacted]"

// Bearer is a secret that whoever holds it may use: a session token, a session
// JWT, a subject token, an API secret. It prints, logs and marshals as
// "[redacted]"; only Reveal gives the text.
type Bearer string

// Reveal is the secret itself, for the few places that must compare or send it.
func (b Bearer) Reveal() string { return string(b) }

// String is "[redacted]".
func (b Bearer) String() string { return Redacted }

// Format writes "[redacted]" whatever the verb.
func (b Bearer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText writes "[redacted]", so that encoding a struct by mistake leaks nothing.
func (b Bearer) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue logs "[redacted]".
func (b Bearer) LogValue() slog.Value { return slog.StringValue(Redacted) }
