package signing

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// ErrNotOurs is a JWT that this environment has not signed, or not with a key
// that it still keeps.
var ErrNotOurs = errors.New("not a JWT that this environment signed")

// Signature is what makes a JWT of the payload that was signed. It is a fraction of
// the JWT's size, and making one is by far the largest cost of a request.
type Signature struct {
	header string // of the key, encoded; shared by all of its signatures
	value  []byte
}

// JWT is a compact JWS (RFC 7515 §7.1) of the payload that was signed.
func (s Signature) JWT(payload []byte) countersign.Bearer {
	b := signingInput(s.header, payload, 1+base64.RawURLEncoding.EncodedLen(len(s.value)))
	b = append(b, '.')
	return countersign.Bearer(base64.RawURLEncoding.AppendEncode(b, s.value))
}

// signingInput is what is signed (RFC 7515 §5.1), with room for so many bytes more.
func signingInput(header string, payload []byte, room int) []byte {
	b := make([]byte, 0, len(header)+1+base64.RawURLEncoding.EncodedLen(len(payload))+room)
	b = append(b, header...)
	b = append(b, '.')
	return base64.RawURLEncoding.AppendEncode(b, payload)
}

// Sign signs a payload with the environment's active key.
func (k *Keyring) Sign(ctx context.Context, env countersign.EnvironmentID, payload []byte) (Signature, error) {
	r, err := k.ring(ctx, env, "")
	if err != nil {
		return Signature{}, err
	}
	active := r.active(k.Now())
	value, err := sign(active.private, signingInput(active.header, payload, 0))
	if err != nil {
		return Signature{}, fmt.Errorf("sign with %s: %w", active.ID, err)
	}
	return Signature{header: active.header, value: value}, nil
}

// maxOwnJWT bounds what Verify reads: 4 KiB of custom claims, 32 factors and as
// much again are below it.
const maxOwnJWT = 32 << 10

// Verify gives the payload of a JWT that the environment signed, however long
// ago it expired: whether a session is alive, the database says. ErrNotOurs
// otherwise.
func (k *Keyring) Verify(ctx context.Context, env countersign.EnvironmentID, jwt countersign.Bearer) ([]byte, error) {
	text := jwt.Reveal()
	signed, signature, ok := cutLast(text)
	head, payload, ok2 := strings.Cut(signed, ".")
	if !ok || !ok2 || len(text) > maxOwnJWT || strings.ContainsAny(text, "\r\n") {
		return nil, ErrNotOurs
	}
	decode := base64.RawURLEncoding.Strict().DecodeString
	headJSON, err1 := decode(head)
	claims, err2 := decode(payload)
	mac, err3 := decode(signature)
	var header struct {
		Algorithm countersign.Algorithm `json:"alg"`
		KeyID     string                `json:"kid"`
	}
	if err := errors.Join(err1, err2, err3); err != nil || json.Unmarshal(headJSON, &header) != nil || header.KeyID == "" {
		return nil, ErrNotOurs
	}
	r, err := k.ring(ctx, env, header.KeyID)
	if err != nil {
		return nil, err
	}
	signer := r.byID(header.KeyID)
	if signer == nil || signer.Algorithm != header.Algorithm ||
		!trust.VerifySignature(signer.Algorithm, signer.private.Public(), []byte(signed), mac) {
		return nil, ErrNotOurs
	}
	return claims, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
