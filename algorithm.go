package countersign

// Algorithm is a JWS signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1). Only
// asymmetric ones exist here: "none" and HMAC cannot be written.
type Algorithm string

// The algorithms that subject tokens may be signed with.
const (
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	EdDSA Algorithm = "EdDSA"
)

// Algorithms lists all of them; it is what a profile allows unless it says less.
func Algorithms() []Algorithm {
	return []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA}
}
