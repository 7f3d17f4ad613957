package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-auth/countersign/internal/devtls"
	"github.com/countersign-auth/countersign/internal/server"
)

// serveCommand is the server itself.
type serveCommand struct {
	Addr               string        `env:"COUNTERSIGN_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" group:"settings" help:"Where the API listens; default 127.0.0.1:8080."`
	DevTLS             bool          `name:"dev-tls" env:"COUNTERSIGN_DEV_TLS" group:"settings" help:"Serve https on this machine, with a certificate of an authority made for it, and say how to trust that."`
	DevTLSFolder       string        `name:"dev-tls-folder" env:"COUNTERSIGN_DEV_TLS_FOLDER" placeholder:"FOLDER" group:"settings" help:"Where that authority is kept; default your configuration folder."`
	MetricsAddr        string        `env:"COUNTERSIGN_METRICS_ADDR" placeholder:"HOST:PORT" group:"settings" help:"Where /metrics and /debug/pprof listen; default nowhere."`
	Database           string        `placeholder:"FILE|URL" group:"settings" help:"A SQLite file, made if it is missing, or a postgres:// URL; default countersign.db. Otherwise COUNTERSIGN_DATABASE holds it or COUNTERSIGN_DATABASE_FILE names a file that does."`
	Keyset             string        `placeholder:"FILE" group:"settings" help:"The keyset that encrypts private keys at rest, made on the first start; default beside a SQLite file, or in your configuration folder. Otherwise COUNTERSIGN_KEYSET holds it or COUNTERSIGN_KEYSET_FILE names the file."`
	JWKSAllowPrivate   []string      `name:"jwks-allow-private" env:"COUNTERSIGN_JWKS_ALLOW_PRIVATE" placeholder:"HOST|CIDR" group:"settings" help:"A host or network that key sets, userinfo and event destinations may be on although it is not public, and without TLS; repeatable, or a comma list."`
	WorkspaceKeyID     string        `name:"workspace-key-id" env:"COUNTERSIGN_WORKSPACE_KEY_ID" placeholder:"ID" group:"settings" help:"ID of a workspace key of your own choice; COUNTERSIGN_WORKSPACE_KEY_SECRET or …_FILE holds its secret."`
	VerdictsKeep       time.Duration `env:"COUNTERSIGN_VERDICTS_KEEP" default:"720h" placeholder:"DURATION" group:"settings" help:"How long verdicts on subject tokens are kept; default 720h, 30 days."`
	VerdictsPerMinute  int           `env:"COUNTERSIGN_VERDICTS_PER_MINUTE" default:"300" placeholder:"N" group:"settings" help:"How many refusals of one profile are kept in a minute, of some 750 bytes each; the rest is counted. Default 300."`
	LimitPerAddress    ceiling       `env:"COUNTERSIGN_LIMIT_PER_ADDRESS" default:"200" placeholder:"N|off" group:"settings" help:"How many requests a second one address may send without a credential that was accepted lately, or with a public token; five times as many at once. Default 200."`
	LimitPerCredential ceiling       `env:"COUNTERSIGN_LIMIT_PER_CREDENTIAL" default:"off" placeholder:"N|off" group:"settings" help:"How many requests a second may come with one secret, workspace key or public token; five times as many at once. Default off."`
	MaxInFlight        int           `env:"COUNTERSIGN_MAX_IN_FLIGHT" placeholder:"N" group:"settings" help:"How many requests are answered at once; as many may wait a second for their turn. Default 128 for each processor."`
	TrustedProxy       []string      `env:"COUNTERSIGN_TRUSTED_PROXY" placeholder:"CIDR" group:"settings" help:"A proxy whose X-Forwarded-For says where a request is from; repeatable, or a comma list. Default none: a request is from where its connection is."`
	LogFormat          string        `env:"COUNTERSIGN_LOG_FORMAT" enum:"json,text" default:"json" placeholder:"FORMAT" group:"settings" help:"json (default) or text; the log goes to standard error."`
}

// Help is what the command's own help says.
func (serveCommand) Help() string {
	return `Runs the server until it is interrupted. One SQLite file has one process; any number of processes share one PostgreSQL database.

The first start on an empty database prints a workspace key, which opens the management API, and a link that opens the dashboard, once. Give your own with COUNTERSIGN_WORKSPACE_KEY_ID and COUNTERSIGN_WORKSPACE_KEY_SECRET.

Example:
  countersign serve --database countersign.db
  countersign serve --addr localhost:8443 --dev-tls
  countersign serve --addr 0.0.0.0:8080 --database postgres://countersign@db/countersign --jwks-allow-private idp.internal`
}

// ballastSize is memory that is counted as in use and never touched, so that it is
// nobody's. The collector waits until as much garbage has come as there is in use,
// which is little in a server, whose every request leaves much.
const ballastSize = 16 << 20

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, a *app) error {
	config, err := c.config(a)
	if err != nil {
		return err
	}
	scheme := "http"
	if c.DevTLS {
		scheme = "https"
		if config.TLS, err = c.devTLS(a); err != nil {
			return err
		}
	}
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	s, err := server.New(ctx, config)
	if err != nil {
		return failed(err.Error(), "")
	}
	if key := s.NewWorkspaceKey; key.ID != "" {
		a.remark("This workspace key opens the management API. It is shown once; keep it.")
		if _, err := fmt.Fprintf(a.stdout, "COUNTERSIGN_WORKSPACE_KEY_ID=%s\nCOUNTERSIGN_WORKSPACE_KEY_SECRET=%s\n", key.ID, key.Secret.Reveal()); err != nil {
			return err
		}
	}
	return s.Run(ctx, func(addr string) {
		if link := s.NewDashboardLink; link != "" {
			a.remark("This link opens the dashboard, once and within 15 minutes; later ones: countersign dashboard link.")
			// Without a standard output there is the command for it.
			_, _ = fmt.Fprintf(a.stdout, "COUNTERSIGN_DASHBOARD_LINK=%s://%s%s\n", scheme, reachable(addr), link.Reveal())
		}
		config.Logger.InfoContext(ctx, "listening", "addr", addr)
	})
}

// devTLS is https on this machine. It says how to trust it.
func (c *serveCommand) devTLS(a *app) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(c.Addr)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && !ip.IsLoopback() {
		return nil, usage("--dev-tls is for this machine alone, and --addr "+c.Addr+" is not", "--addr localhost:8443; elsewhere put your TLS in front")
	}
	folder := c.DevTLSFolder
	if folder == "" {
		settings, err := os.UserConfigDir()
		if err != nil {
			return nil, failed("no place for the authority of --dev-tls: "+err.Error(), "name a folder with --dev-tls-folder")
		}
		folder = filepath.Join(settings, "countersign")
	}
	authority, made, err := devtls.Open(folder, a.now)
	if err != nil {
		return nil, failed(err.Error(), "--dev-tls-folder names another folder")
	}
	which := "The authority of this machine's certificates is in"
	if made {
		which = "This machine has a new authority for its certificates, in"
	}
	a.remark(`%s %s; it can vouch for localhost and loopback addresses only. To trust it:
  curl            --cacert FILE
  Node            NODE_EXTRA_CA_CERTS=FILE
  Go, this CLI    SSL_CERT_FILE=FILE (in the place of the system's authorities)
  Python          REQUESTS_CA_BUNDLE=FILE
  this system     sudo cp FILE /usr/local/share/ca-certificates/countersign-dev.crt && sudo update-ca-certificates
  browsers        import FILE among the authorities in the settings for certificates`, which, authority.File())
	return authority.Config(), nil
}

// reachable is where a browser on this machine finds what listens at an address,
// which may be all of them.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// entries are those of a comma list that are not empty.
func entries(list []string) (trimmed []string) {
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" {
			trimmed = append(trimmed, entry)
		}
	}
	return trimmed
}

// ceiling is a number of requests a second, or -1 for any number.
type ceiling int

// UnmarshalText reads a number, or the word off.
func (c *ceiling) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*c = -1
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 1_000_000 {
		return errors.New("expected a number from 1 to 1000000, or off")
	}
	*c = ceiling(n)
	return nil
}

func (c *serveCommand) config(a *app) (server.Config, error) {
	config := server.Config{
		Addr: c.Addr, MetricsAddr: c.MetricsAddr, Database: c.Database, KeysetFile: c.Keyset,
		WorkspaceKeyID: c.WorkspaceKeyID, VerdictsKeep: c.VerdictsKeep, VerdictsPerMinute: c.VerdictsPerMinute,
		LimitPerAddress: int(c.LimitPerAddress), LimitPerCredential: int(c.LimitPerCredential), MaxInFlight: c.MaxInFlight,
		JWKSAllowPrivate: entries(c.JWKSAllowPrivate), TrustedProxies: entries(c.TrustedProxy), Now: a.now,
	}
	if c.MaxInFlight < 0 {
		return config, usage("--max-in-flight must be more than 0", "for example --max-in-flight 256")
	}
	if c.VerdictsKeep <= 0 || c.VerdictsPerMinute <= 0 { // 0 would be taken for the default
		return config, usage("--verdicts-keep and --verdicts-per-minute must be more than 0", "for example --verdicts-keep 24h --verdicts-per-minute 1")
	}
	var err error
	if config.WorkspaceKeySecret, err = a.secret("COUNTERSIGN_WORKSPACE_KEY_SECRET", ""); err != nil {
		return config, err
	}
	if err := a.database(&config); err != nil {
		return config, err
	}
	var handler slog.Handler = slog.NewJSONHandler(a.stderr, nil)
	if c.LogFormat == "text" {
		handler = slog.NewTextHandler(a.stderr, nil)
	}
	config.Logger = slog.New(handler)
	return config, nil
}
