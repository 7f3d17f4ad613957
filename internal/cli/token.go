package cli

import (
	"crypto"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/countersign-auth/countersign"
)

// maxTokenSize is the longest subject token that is judged (product.md §3).
const maxTokenSize = 16 << 10

type tokenCommand struct {
	Mint    tokenMint    `cmd:"" help:"Sign a subject token with a key of your own."`
	Inspect tokenInspect `cmd:"" help:"Decode a token and say what would keep it from being accepted."`
}

// tokenMint signs a subject token. Claims come from the file first; a flag
// replaces what the file says.
type tokenMint struct {
	Key        string         `placeholder:"FILE" help:"Private key, PEM (PKCS #8, PKCS #1 or SEC 1), or - for standard input; otherwise COUNTERSIGN_PRIVATE_KEY holds it or COUNTERSIGN_PRIVATE_KEY_FILE names the file."`
	Issuer     string         `placeholder:"ISSUER" help:"Claim iss; the profile's issuer, byte for byte. COUNTERSIGN_ISSUER holds it if no claim does."`
	Audience   []string       `sep:"none" placeholder:"AUDIENCE" help:"Claim aud; the profile's audience. Several make a list. COUNTERSIGN_AUDIENCE holds it if no claim does."`
	Subject    string         `placeholder:"ID" help:"Claim sub: your own ID of the person."`
	Email      string         `placeholder:"ADDRESS" help:"Claim email: how the person is found on the server."`
	TokenID    *string        `name:"token-id" placeholder:"ID" help:"Claim jti; random if not given."`
	Claim      []string       `sep:"none" placeholder:"NAME=VALUE" help:"Any claim; VALUE is JSON, or else a string. Repeatable."`
	ClaimsFile string         `placeholder:"FILE" help:"JSON object of claims to begin with."`
	ExpiresIn  *time.Duration `placeholder:"DURATION" help:"Lifetime, such as 90s or 5m; default 5m, at most 24h."`
	Alg        string         `placeholder:"ALG" help:"Signature algorithm; by default RS256, ES256, ES384, ES512 or EdDSA, as the key is."`
	Kid        string         `placeholder:"ID" help:"Header kid: which key of your key set this is."`
	Typ        string         `default:"JWT" placeholder:"TYPE" help:"Header typ; default JWT."`
}

// Help teaches the command.
func (tokenMint) Help() string {
	return `A subject token is a JWT that your issuer signs and that the server exchanges for a session. It prints the token and
nothing else, so that it can be piped:

    countersign token mint --key key.private.pem --issuer mine --audience countersign \
        --email ada@example.com --subject u-1 | countersign attest --profile trusted-token-profile-test-…

Other claims, exactly as you write them:

    --claim plan=pro --claim 'roles=["editor"]' --claim exp=1767607200`
}

// Run signs and prints the token.
func (c *tokenMint) Run(a *app) error {
	secret, err := a.secret("COUNTERSIGN_PRIVATE_KEY", c.Key)
	if err != nil {
		return err
	}
	if secret == "" {
		return usage("no key to sign with", "give --key FILE; countersign keys generate makes one")
	}
	key, err := parsePrivateKey([]byte(secret.Reveal()))
	if err != nil {
		return err
	}
	alg, err := c.algorithm(key)
	if err != nil {
		return err
	}
	claims, err := c.claims(a)
	if err != nil {
		return err
	}
	payload, err := countersign.EncodeJSON(claims)
	if err != nil {
		return err
	}
	token, err := c.sign(key, alg, payload)
	if err != nil {
		return err
	}
	if len(token) > maxTokenSize {
		return usage(fmt.Sprintf("the token has %d bytes; the server judges at most %d", len(token), maxTokenSize), "leave out some claims")
	}
	_, err = fmt.Fprintln(a.stdout, token)
	return err
}

// algorithm checks --alg against the key.
func (c *tokenMint) algorithm(key crypto.Signer) (countersign.Algorithm, error) {
	fitting := algorithmsOf(key)
	if c.Alg == "" {
		return fitting[0], nil
	}
	if alg := countersign.Algorithm(c.Alg); slices.Contains(fitting, alg) {
		return alg, nil
	}
	names := make([]string, len(fitting))
	for i, alg := range fitting {
		names[i] = string(alg)
	}
	hint := "this key signs " + strings.Join(names, ", ")
	if upper := strings.ToUpper(c.Alg); upper == "NONE" || strings.HasPrefix(upper, "HS") {
		return "", usage("--alg "+c.Alg+" is never accepted: whoever could check such a token could also forge it", hint)
	}
	return "", usage("--alg "+c.Alg+" does not fit the key", hint)
}

// sign is the compact JWS (RFC 7515 §7.1) of payload.
func (c *tokenMint) sign(key crypto.Signer, alg countersign.Algorithm, payload []byte) (string, error) {
	if neverSubjectType(c.Typ) {
		return "", usage("a token of type "+c.Typ+" is never accepted as a subject token", "leave out --typ, or use what the profile requires")
	}
	options := &jose.SignerOptions{}
	if c.Typ != "" {
		options.WithType(jose.ContentType(c.Typ))
	}
	if c.Kid != "" {
		options.WithHeader("kid", c.Kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("prepare to sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// neverSubjectType are the types that mean another use of a JWT (RFC 8725 §3.11).
func neverSubjectType(typ string) bool {
	typ, _ = strings.CutPrefix(strings.ToLower(typ), "application/")
	return typ == "logout+jwt" || typ == "dpop+jwt" || typ == "secevent+jwt"
}
