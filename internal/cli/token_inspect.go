package cli

import (
	"encoding/json"
	"time"

	"github.com/countersign-auth/countersign"
)

// tokenInspect decodes a token and sends it nowhere.
type tokenInspect struct {
	jsonFlag
	File string `arg:"" optional:"" default:"-" placeholder:"FILE" help:"File that holds the token; - is standard input."`
}

// Help teaches the command.
func (tokenInspect) Help() string {
	return `Reads a JWT, shows its header, claims and times, and lists what a server would refuse or you may not have meant.
Nothing is sent anywhere, and the signature is not checked: that takes the issuer's key, and only attest does it.

    countersign token mint … | countersign token inspect
    pbpaste | countersign token inspect

The exit code is 0 whenever the token could be decoded, whatever was found.`
}

// inspection is the answer of token inspect.
type inspection struct {
	Header           json.RawMessage `json:"header"`
	Claims           json.RawMessage `json:"claims"`
	SignatureChecked bool            `json:"signature_checked"` // always false; said so that nobody assumes it
	Bytes            int             `json:"bytes"`
	Times            tokenTimes      `json:"times"`
	Findings         []finding       `json:"findings"`
}

// tokenTimes are the times of a token, nil where it has none.
type tokenTimes struct {
	IssuedAt  *time.Time `json:"issued_at,omitempty"`
	NotBefore *time.Time `json:"not_before,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Run decodes and prints.
func (c *tokenInspect) Run(a *app) error {
	if c.File == "-" && a.askable {
		a.remark("paste the token, then press Enter and Ctrl-D")
	}
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	decoded, err := decodeToken(string(raw))
	if err != nil {
		return err
	}
	seen := decoded.inspect(a.now())
	answer, err := countersign.EncodeJSON(seen)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(answer)
	}
	return c.print(a, seen)
}

func (c *tokenInspect) print(a *app, seen inspection) error {
	t := &text{colour: a.colour(a.stdout), now: a.now()}
	t.out.WriteString("Header\n")
	t.json(seen.Header)
	t.out.WriteString("\nClaims\n")
	t.json(seen.Claims)
	t.out.WriteString("\nTimes\n")
	t.time("  issued", seen.Times.IssuedAt, "", "")
	t.time("  valid from", seen.Times.NotBefore, "", "")
	t.time("  valid until", seen.Times.ExpiresAt, "expires ", "expired ")
	t.flush()
	t.out.WriteString("\nFor attesting\n")
	for _, f := range seen.Findings {
		t.field("  "+f.Severity, f.Message)
	}
	if len(seen.Findings) == 0 {
		t.line("  nothing stands against it")
	}
	t.note("The signature was not checked: anybody may have written this.")
	return a.printText(t)
}

// json adds raw, indented.
func (t *text) json(raw json.RawMessage) {
	pretty, err := json.MarshalIndent(raw, "  ", "  ")
	if err != nil { // raw was decoded before
		pretty = raw
	}
	t.out.WriteString("  " + escapeJSON(string(pretty)) + "\n")
}

// time adds a time of the token with its distance from now, in words that fit
// the future or the past.
func (t *text) time(name string, at *time.Time, future, past string) {
	switch {
	case at == nil:
		t.field(name, "not said")
	case at.After(t.now):
		t.field(name, moment(*at)+"  "+future+distance(at.Sub(t.now)))
	default:
		t.field(name, moment(*at)+"  "+past+distance(at.Sub(t.now)))
	}
}
