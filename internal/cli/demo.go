package cli

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
	"github.com/countersign-auth/countersign/internal/server"
)

// demoCommand shows the main job, on a server of its own that leaves no trace.
type demoCommand struct {
	Keep bool   `help:"Leave the server running at the end, with ids and ready curl lines, until you interrupt it."`
	Addr string `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where the demo's server listens; default a free port."`
}

// Help is what the command's own help says.
func (demoCommand) Help() string {
	return `Starts a server in a temporary folder and an issuer beside it, and walks through the whole main job: a key pair, a profile, a signed JWT, a session, a second factor, three refused tokens with their reasons, and the end of the session. Nothing is left behind.

Example:
  countersign demo
  countersign demo --keep`
}

// Run tells the story, and ends what it started.
func (c *demoCommand) Run(ctx context.Context, a *app) (err error) {
	dir, err := os.MkdirTemp("", "countersign-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	stage, err := c.stage(ctx, a, group, dir)
	if err != nil {
		return errors.Join(err, group.Wait())
	}
	group.Go(func() error {
		defer stop()
		if err := stage.tell(ctx); err != nil || !c.Keep {
			return err
		}
		if err := stage.handOver(); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	})
	return group.Wait()
}

// demoStage is what the story plays on: a server with its workspace key, and
// somebody else's identity system.
type demoStage struct {
	a      *app
	dir    string
	url    string // of the server
	keyID  string // of the workspace key
	secret countersign.Bearer
	keys   crypto.Signer  // the issuer's key pair
	issuer *issuer.Issuer // of people; its public key is handed over as PEM
	badge  *issuer.Issuer // of badge readers, with a key set at a URL

	env     demoEnvironment
	profile string // of the issuer, by PEM
	reader  string // profile of the badge readers, by key set URL
	session sessionAnswer
}

type demoEnvironment struct {
	ProjectID string `json:"project_id"`
	secret    countersign.Bearer
}

// stage starts a server and an issuer's key set on loopback, in group.
func (c *demoCommand) stage(ctx context.Context, a *app, group *errgroup.Group, dir string) (*demoStage, error) {
	s, err := server.New(ctx, server.Config{
		Addr: c.Addr, Database: filepath.Join(dir, "countersign.db"), JWKSAllowPrivate: []string{"127.0.0.1"},
		Logger: slog.New(slog.DiscardHandler), Now: a.now,
	})
	if err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	group.Go(func() error { return s.Run(ctx, func(addr string) { ready <- addr }) })
	d := &demoStage{a: a, dir: dir, keyID: s.NewWorkspaceKey.ID, secret: s.NewWorkspaceKey.Secret}
	select {
	case addr := <-ready:
		d.url = "http://" + addr
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	// ES256, whose keys are made in no time.
	if d.keys, err = issuer.NewKey(countersign.ES256, 1); err != nil {
		return nil, err
	}
	config := issuer.Config{URL: "https://id.example.com", Now: a.now, Algorithms: []countersign.Algorithm{countersign.ES256}}
	if d.badge, err = issuer.New(config); err != nil {
		return nil, err
	}
	config.NewKey = func(alg countersign.Algorithm, n int) (crypto.Signer, error) {
		if n == 1 {
			return d.keys, nil
		}
		return issuer.NewKey(alg, n)
	}
	if d.issuer, err = issuer.New(config); err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the issuer: %w", err)
	}
	d.badge.SetURL("http://" + listener.Addr().String())
	keySet := &http.Server{Handler: d.badge, ReadHeaderTimeout: time.Second}
	group.Go(func() error {
		if err := keySet.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return keySet.Close()
	})
	return d, nil
}
