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

// Sign makes a JWT of a payload with the environment's active key, as compact
// JWS (RFC 7515 §7.1).
func (k *Keyring) Sign(ctx context.Context, env countersign.EnvironmentID, payload []byte) (countersign.Bearer, error) {
	r, err := k.ring(ctx, env, "")
	if err != nil {
		return "", err
	}
	active := r.active(k.Now())
	b := make([]byte, 0, len(active.header)+1+base64.RawURLEncoding.EncodedLen(len(payload))+1+384)
	b = append(b, active.header...)
	b = append(b, '.')
	b = base64.RawURLEncoding.AppendEncode(b, payload)
	signature, err := sign(active.private, b)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", active.ID, err)
	}
	b = append(b, '.')
	return countersign.Bearer(base64.RawURLEncoding.AppendEncode(b, signature)), nil
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
