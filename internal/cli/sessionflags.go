package cli

import (
	"encoding/json"
	"strings"

	"github.com/countersign-auth/countersign"
)

// sessionFlags name a session by what proves it: its token or its JWT.
type sessionFlags struct {
	SessionTokenFile string `name:"session-token-file" placeholder:"FILE" xor:"session" help:"File with the session token, or - for standard input; otherwise COUNTERSIGN_SESSION_TOKEN holds it or COUNTERSIGN_SESSION_TOKEN_FILE names the file."`
	SessionJWTFile   string `name:"session-jwt-file" placeholder:"FILE" xor:"session" help:"The same with the session JWT; otherwise COUNTERSIGN_SESSION_JWT or COUNTERSIGN_SESSION_JWT_FILE."`
}

// sessionProof is at most one of the two.
type sessionProof struct {
	Token string `json:"session_token,omitempty"`
	JWT   string `json:"session_jwt,omitempty"`
}

// proof reads the session's token or JWT; neither is the zero proof. A flag is
// stronger than the environment, so that a variable left over from another
// session never joins in.
func (f *sessionFlags) proof(a *app) (sessionProof, error) {
	flagged := f.SessionTokenFile != "" || f.SessionJWTFile != ""
	if !flagged && a.given("COUNTERSIGN_SESSION_TOKEN") && a.given("COUNTERSIGN_SESSION_JWT") {
		return sessionProof{}, usage("a session token and a session JWT are both set in the environment", "unset COUNTERSIGN_SESSION_TOKEN or COUNTERSIGN_SESSION_JWT")
	}
	var p sessionProof
	if !flagged || f.SessionTokenFile != "" {
		token, err := a.secret("COUNTERSIGN_SESSION_TOKEN", f.SessionTokenFile)
		if err != nil {
			return sessionProof{}, err
		}
		p.Token = token.Reveal()
	}
	if !flagged || f.SessionJWTFile != "" {
		jwt, err := a.secret("COUNTERSIGN_SESSION_JWT", f.SessionJWTFile)
		if err != nil {
			return sessionProof{}, err
		}
		p.JWT = jwt.Reveal()
	}
	return p, nil
}

// extendFlags are what may change about a session when it is used.
type extendFlags struct {
	SessionDurationMinutes *int   `placeholder:"N" help:"The session ends that many minutes from now, 5 to 527040."`
	Claims                 string `placeholder:"JSON" help:"Custom claims of the session, as a JSON object or @FILE; null removes one."`
}

// extension is the wire form of extendFlags.
type extension struct {
	DurationMinutes *int               `json:"session_duration_minutes,omitempty"`
	CustomClaims    countersign.Object `json:"session_custom_claims,omitempty"`
}

func (f *extendFlags) extension(a *app) (extension, error) {
	e := extension{DurationMinutes: f.SessionDurationMinutes}
	if f.Claims == "" {
		return e, nil
	}
	raw, err := a.inlineOrFile(f.Claims)
	if err != nil {
		return extension{}, err
	}
	e.CustomClaims, err = parseObject(raw, "--claims")
	return e, err
}

// inlineOrFile is value itself, or what is in FILE if it is @FILE, or standard
// input if it is -, which is no JSON.
func (s *settings) inlineOrFile(value string) (json.RawMessage, error) {
	if value == "-" {
		return s.read(value)
	}
	if path, ok := strings.CutPrefix(value, "@"); ok {
		return s.read(path)
	}
	return json.RawMessage(value), nil
}
