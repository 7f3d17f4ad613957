package cli

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"github.com/countersign-auth/countersign"
)

type keysCommand struct {
	Generate keysGenerate `cmd:"" help:"Make a key pair to sign subject tokens with."`
}

// keysGenerate makes a key pair. RSA is the default because every issuer's
// library signs RS256.
type keysGenerate struct {
	jsonFlag
	Type  string `default:"rsa" enum:"rsa,ec,ed25519" placeholder:"TYPE" help:"Kind of key: rsa (the default), ec or ed25519."`
	Bits  int    `placeholder:"N" help:"Size of an RSA key, 2048 to 8192; default 2048."`
	Curve string `default:"" enum:",P-256,P-384,P-521" placeholder:"CURVE" help:"Curve of an EC key: P-256 (the default), P-384 or P-521."`
	Out   string `default:"key" placeholder:"NAME" help:"Write NAME.private.pem and NAME.public.pem; default key."`
	Env   bool   `help:"Print both keys as lines for an .env file; only where standard output is not a terminal."`
}

// Help teaches the command.
func (keysGenerate) Help() string {
	return `You sign with the private key; the server gets the public key in a profile and can then check what you signed.
Nothing is ever overwritten. The private file is readable by you alone (0600).

    countersign keys generate --out issuer
    countersign profile create --name mine --issuer mine --audience countersign --public-key issuer.public.pem
    countersign token mint --key issuer.private.pem --issuer mine --audience countersign --email ada@example.com

With --env, the two lines go to standard output, each key as base64 of its PEM text, and "token mint" reads the private
one back from COUNTERSIGN_PRIVATE_KEY:

    countersign keys generate --type ed25519 --env >> .env`
}

// keyPair is the answer of keys generate.
type keyPair struct {
	Type             string                `json:"type"`
	Algorithm        countersign.Algorithm `json:"algorithm"` // what token mint signs with by default
	PrivateKeyFile   string                `json:"private_key_file"`
	PublicKeyFile    string                `json:"public_key_file"`
	PublicKeyBase64  string                `json:"public_key_base64"` // of the PEM text
	PrivateKeyBase64 string                `json:"private_key_base64,omitempty"`
}

// Run makes the pair, writes both files or neither, and says where they are.
func (c *keysGenerate) Run(a *app) error {
	if c.Env && isTerminal(a.stdout) {
		return usage("--env would put the private key on your screen", "send it to a file or a program: countersign keys generate --env >> .env")
	}
	key, err := c.generate(a)
	if err != nil {
		return err
	}
	private, public, err := encodeKeyPair(key)
	if err != nil {
		return err
	}
	pair := keyPair{
		Type: c.Type, Algorithm: algorithmsOf(key)[0],
		PrivateKeyFile: c.Out + ".private.pem", PublicKeyFile: c.Out + ".public.pem",
		PublicKeyBase64: base64.StdEncoding.EncodeToString(public),
	}
	if err := writeKeyPair(pair, private, public); err != nil {
		return err
	}
	if c.Env {
		pair.PrivateKeyBase64 = base64.StdEncoding.EncodeToString(private)
	}
	return c.print(a, pair)
}

func (c *keysGenerate) print(a *app, pair keyPair) error {
	if c.Env && !c.JSON {
		a.remark("wrote %s and %s", pair.PrivateKeyFile, pair.PublicKeyFile)
		_, err := fmt.Fprintf(a.stdout, "COUNTERSIGN_PRIVATE_KEY=%s\nCOUNTERSIGN_PUBLIC_KEY=%s\n", pair.PrivateKeyBase64, pair.PublicKeyBase64)
		return err
	}
	raw, err := countersign.EncodeJSON(pair)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, p keyPair) {
		t.field("private key", p.PrivateKeyFile+"  (keep it to yourself)")
		t.field("public key", p.PublicKeyFile)
		t.field("signs with", string(p.Algorithm))
		t.note("For an .env file, the public key in one line:")
		t.line("COUNTERSIGN_PUBLIC_KEY=%s", p.PublicKeyBase64)
	})
}

func (c *keysGenerate) generate(a *app) (crypto.Signer, error) {
	switch {
	case c.Type != "rsa" && c.Bits != 0:
		return nil, usage("--bits is for --type rsa", "an "+c.Type+" key has the size of its curve")
	case c.Type != "ec" && c.Curve != "":
		return nil, usage("--curve is for --type ec", "add --type ec")
	}
	switch c.Type {
	case "ec":
		return ecdsa.GenerateKey(curve(c.Curve), rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	bits := c.Bits
	if bits == 0 {
		bits = minRSABits
	}
	if bits < minRSABits || bits > maxRSABits {
		return nil, usage(fmt.Sprintf("an RSA key of %d bits is not accepted by the server", bits), fmt.Sprintf("--bits may be %d to %d", minRSABits, maxRSABits))
	}
	if bits > 4096 {
		a.remark("making an RSA key of %d bits, which may take a minute …", bits)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

func curve(name string) elliptic.Curve {
	switch name {
	case "P-384":
		return elliptic.P384()
	case "P-521":
		return elliptic.P521()
	default:
		return elliptic.P256()
	}
}

// encodeKeyPair is the key as PKCS #8 and its public half as PKIX, both in PEM.
func encodeKeyPair(key crypto.Signer) (private, public []byte, err error) {
	privateDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	publicDER, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, err
	}
	private = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})
	public = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER})
	return private, public, nil
}
