// Package project is what an operator sets up: projects, environments, secrets,
// public tokens, workspace keys and trusted-token profiles. It refuses to know
// people and sessions.
package project

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/revision"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Config is what a Service needs. Every field is required.
type Config struct {
	Store   *store.Store
	Keyring *signing.Keyring
	// Verifier runs the tests of profiles.
	Verifier *trust.Verifier
	// Discovery reads what issuers say of themselves.
	Discovery *trust.Discovery
	Now       func() time.Time
	// NewTokenKey makes the sealed key of an environment's session tokens.
	NewTokenKey func(countersign.EnvironmentID) ([]byte, error)
}

// Service administers the workspace.
type Service struct {
	Config
	environments revision.Kept[countersign.EnvironmentID, countersign.Environment]
	floods       floods
}

// Bounds of the workspace.
const (
	maxProjects     = 1000
	maxEnvironments = 50 // of a project
	maxSecrets      = 20 // of an environment
	maxPublicTokens = 20 // of an environment
	maxName         = 128
	maxSlug         = 128
)

func checkName(name string) error {
	if strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, unicode.IsControl) {
		return countersign.ErrInvalidProjectName
	}
	return nil
}

// checkSlug also keeps dots out, on which Terraform splits import IDs.
func checkSlug(slug string) error {
	if slug == "" || len(slug) > maxSlug || strings.ContainsFunc(slug, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}) {
		return countersign.ErrInvalidProjectSlug
	}
	return nil
}

// newSlug makes a slug of a name: its letters and digits, and a random suffix.
func newSlug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(b.String()+"-"+strings.ToLower(rand.Text()[:8]), "-")
}

// newSecret makes a credential of 256 random bits behind a prefix.
func newSecret(prefix string) countersign.Bearer {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return countersign.Bearer(prefix + base64.RawURLEncoding.EncodeToString(b))
}

// Hash is what is kept of a credential. Credentials are 256 random bits, so one
// round of SHA-256 keeps them: there is nothing to guess.
func Hash(secret countersign.Bearer) []byte {
	h := sha256.Sum256([]byte(secret.Reveal()))
	return h[:]
}

// or turns store.ErrNotFound into the contract's name for it.
func or(err error, notFound error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound
	}
	return err
}

// view runs a read; notFound stands for a row that is not there.
func view[T any](ctx context.Context, s *store.Store, notFound error, fn func(tx *store.Tx) (T, error)) (v T, err error) {
	err = s.View(ctx, func(tx *store.Tx) error {
		v, err = fn(tx)
		return err
	})
	return v, or(err, notFound)
}

// atMost refuses one more than limit of something.
func atMost(limit, have int, err error, tooMany error) error {
	if err != nil {
		return err
	}
	if have >= limit {
		return tooMany
	}
	return nil
}

// change is the detail of an audit event about configuration.
func change(before, after any) map[string]any {
	return map[string]any{"before": before, "after": after}
}

func lastFour(secret countersign.Bearer) string {
	s := secret.Reveal()
	return s[len(s)-4:]
}
