package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
)

// A session token is the session's UUID and an HMAC-SHA-256 over its ID and a
// nonce that only its row holds, under a key of the environment that only the
// operator's keyset opens: 48 bytes, 64 characters of base64url. One read by
// primary key finds the session, and the database alone yields no token.
const (
	uuidSize  = 16
	nonceSize = 16
	keySize   = 32
)

// tokenKeyContext is what an environment's token key is sealed for.
const tokenKeyContext = "session token key"

// NewTokenKey makes an environment's key for session tokens, sealed.
func NewTokenKey(ks *signing.Keyset, env countersign.EnvironmentID) ([]byte, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return ks.Seal(key, env.String(), tokenKeyContext)
}

func openTokenKey(ks *signing.Keyset, env countersign.Environment) ([]byte, error) {
	key, err := ks.Open(env.SessionTokenKey, env.ID.String(), tokenKeyContext)
	if err != nil {
		return nil, fmt.Errorf("open the session token key of %s: %w", env.ID, err)
	}
	return key, nil
}

// CheckTokenKey opens an environment's key for session tokens and keeps nothing of
// it.
func CheckTokenKey(ks *signing.Keyset, env countersign.Environment) error {
	_, err := openTokenKey(ks, env)
	return err
}

// opaque is a session token, taken apart but not checked.
type opaque struct {
	text countersign.Bearer // the one text of these bytes: base64url is read strictly
	id   countersign.SessionID
	mac  []byte
}

var errMalformedToken = errors.New("not of a session token's form")

func parseToken(env countersign.EnvironmentID, token countersign.Bearer) (opaque, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(uuidSize+sha256.Size) {
		return opaque{}, errMalformedToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token.Reveal())
	if err != nil || len(b) != uuidSize+sha256.Size {
		return opaque{}, errMalformedToken
	}
	id := countersign.IDOf[countersign.SessionID](env.Class(), [uuidSize]byte(b))
	return opaque{text: token, id: id, mac: b[uuidSize:]}, nil
}

func (s *Service) macOf(env countersign.Environment, sess countersign.Session) ([]byte, error) {
	key, err := openTokenKey(s.Keyset, env)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(sess.ID.Bytes())
	mac.Write(sess.Nonce)
	return mac.Sum(nil), nil
}

// tokenOf is the session's token: always the same one.
func (s *Service) tokenOf(env countersign.Environment, sess countersign.Session) (countersign.Bearer, error) {
	mac, err := s.macOf(env, sess)
	if err != nil {
		return "", err
	}
	uuid := sess.ID.UUID()
	return countersign.Bearer(base64.RawURLEncoding.EncodeToString(append(uuid[:], mac...))), nil
}

// checkToken is ErrSessionNotFound for a token that is not the session's own.
func (s *Service) checkToken(env countersign.Environment, sess countersign.Session, token opaque) error {
	mac, err := s.macOf(env, sess)
	if err != nil {
		return err
	}
	if !hmac.Equal(mac, token.mac) { // in constant time
		return countersign.ErrSessionNotFound
	}
	return nil
}
