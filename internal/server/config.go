package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/verdict"
)

// Config is every knob of the server. A zero value is usable unless its comment
// says otherwise.
type Config struct {
	// Addr is where the API listens. Default 127.0.0.1:8080.
	Addr string
	// TLS is how the API is served over https. Default: plain HTTP.
	TLS *tls.Config
	// MetricsAddr is where /metrics and /debug/pprof listen. Default: nowhere.
	MetricsAddr string
	// Database is the path of a SQLite file or a postgres:// URL. Required.
	Database string
	// Keyset is the Tink keyset, as JSON, that encrypts private keys at rest. It
	// wins over KeysetFile.
	Keyset countersign.Bearer
	// KeysetFile holds the keyset; it is made on the first start on an empty
	// database. Default: beside a SQLite file, or in the user's configuration
	// folder for PostgreSQL.
	KeysetFile string
	// JWKSAllowPrivate lists hosts and networks (CIDR) that key sets may be
	// fetched from, and events sent to, although they are not on the public
	// Internet.
	JWKSAllowPrivate []string
	// WorkspaceKeyID and WorkspaceKeySecret are a key of the management API. If
	// neither is given and there is none yet, the first start makes one.
	WorkspaceKeyID     string
	WorkspaceKeySecret countersign.Bearer
	// VerdictsKeep is how long the verdicts on subject tokens are kept. Default: 30
	// days.
	VerdictsKeep time.Duration
	// VerdictsPerMinute is how many refusals of one profile are kept in a minute;
	// the rest is only counted. Default: 300.
	VerdictsPerMinute int
	// LimitPerAddress is how many requests a second one address may send without a
	// credential that was accepted lately, or with a public token; below 0 any
	// number. Default: DefaultLimitPerAddress.
	LimitPerAddress int
	// LimitPerCredential is how many requests a second may come with one secret,
	// workspace key or public token; below 0 any number. Default: any number.
	LimitPerCredential int
	// MaxInFlight is how many requests are answered at once; as many may wait.
	// Default: 128 for each processor.
	MaxInFlight int
	// TrustedProxies are addresses and networks (CIDR) whose X-Forwarded-For says
	// where a request is from. Default: nobody's.
	TrustedProxies []string
	// Logger takes the log. Default: JSON on standard error.
	Logger *slog.Logger
	// Now is the clock. Default: the machine's.
	Now func() time.Time
}

// DefaultLimitPerAddress is far above what people behind one address ask, and far
// below what a server can refuse.
const DefaultLimitPerAddress = 200

// DefaultMaxInFlight is how many requests are answered at once, unless somebody
// says otherwise.
func DefaultMaxInFlight() int { return 128 * runtime.GOMAXPROCS(0) }

func (c *Config) setDefaults() error {
	if c.Database == "" {
		return errors.New("no database: set --database to a file path or a postgres:// URL")
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8080"
	}
	if c.VerdictsKeep < 0 || c.VerdictsPerMinute < 0 {
		return errors.New("--verdicts-keep and --verdicts-per-minute cannot be negative")
	}
	if c.VerdictsKeep == 0 {
		c.VerdictsKeep = verdict.DefaultKeep
	}
	if c.VerdictsPerMinute == 0 {
		c.VerdictsPerMinute = verdict.DefaultPerMinute
	}
	if c.LimitPerAddress == 0 {
		c.LimitPerAddress = DefaultLimitPerAddress
	}
	if c.MaxInFlight < 0 {
		return errors.New("--max-in-flight cannot be negative")
	}
	if c.MaxInFlight == 0 {
		c.MaxInFlight = DefaultMaxInFlight()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the one place where the clock comes from
	}
	return nil
}

// KeysetPath is where the keyset is, by default or by choice, unless Keyset holds
// it.
func (c *Config) KeysetPath() (string, error) {
	if c.KeysetFile != "" {
		return c.KeysetFile, nil
	}
	if !store.IsPostgres(c.Database) {
		return c.Database + ".keyset.json", nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("no place for the keyset that encrypts private keys: set --keyset to a file, or COUNTERSIGN_KEYSET to its content")
	}
	return filepath.Join(dir, "countersign", "keyset.json"), nil
}

// openKeyset opens the keyset. Only an empty database may get a new one: another
// than it began with could not open its keys.
func (c *Config) openKeyset(empty bool) (*signing.Keyset, error) {
	if c.Keyset != "" {
		return signing.ParseKeyset([]byte(c.Keyset.Reveal()))
	}
	path, err := c.KeysetPath()
	if err != nil {
		return nil, err
	}
	if !empty {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("the keyset %s is missing, and without it the private keys in the database cannot be read; restore it from your backup, or set --keyset", path)
		}
	}
	keyset, created, err := signing.OpenKeysetFile(path)
	if created {
		c.Logger.Warn("made a keyset; back it up apart from the database: without it the private keys in the database are lost, with both anybody can sign sessions",
			"file", path)
	}
	return keyset, err
}
