package trust

import (
	"context"

	"github.com/countersign-auth/countersign"
)

// Seams for the tests outside the package.
var (
	ParseCompact = func(token string) (header, payload string, signature []byte, err error) {
		jws, err := parseCompact(token)
		return jws.header, jws.payload, jws.signature, err
	}
	NumericDate  = numericDate
	MaxCachedPEM = maxCachedPEM

	ParseDocument = parseDocument
)

// VerifyJWS is Verify without what it asks of the payload, for published vectors
// whose payload is no JWT: the same functions, on the same path.
func (v *Verifier) VerifyJWS(ctx context.Context, p *countersign.Profile, token string) error {
	jws, err := parseCompact(token)
	if err != nil {
		return err
	}
	h, err := parseObject(jws.header)
	if err != nil {
		return malformed(StepJSON, "the header", err)
	}
	alg, err := judgeHeader(p, h, nil)
	if err != nil {
		return err
	}
	_, err = v.checkSignature(ctx, p, Token{Algorithm: alg, Header: h}, jws)
	return err
}

// CachedPEM is how many texts v remembers.
func (v *Verifier) CachedPEM() int { return len(v.pem.entries) }
