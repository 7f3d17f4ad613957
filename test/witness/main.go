// Command witness stands between a server and its clients, and holds every
// exchange against the server's OpenAPI document:
//
//	witness SERVER-URL
//
// It prints its own address. When it is told to end it prints what was wrong, and
// ends with 1 if anything was or if nothing was asked.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/countersign-auth/countersign/internal/servertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: witness SERVER-URL")
	}
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	document, err := get(ctx, target.JoinPath("openapi.json").String())
	if err != nil {
		return err
	}
	w, err := servertest.NewWitness(document)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := &checking{witness: w, next: &http.Transport{MaxIdleConnsPerHost: 32}}
	server := &http.Server{
		Handler:           &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: c},
		ReadHeaderTimeout: 10 * time.Second,
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return c.verdict()
}

func get(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// checking passes exchanges on and remembers what was wrong with them.
type checking struct {
	witness *servertest.Witness
	next    http.RoundTripper

	mu        sync.Mutex
	exchanges int
	problems  []error
}

// RoundTrip passes one exchange on.
func (c *checking) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	problems := c.witness.Problems(servertest.Exchange{Request: r, Sent: sent, Status: response.StatusCode, Answer: answer})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges++
	for _, p := range problems {
		c.problems = append(c.problems, fmt.Errorf("%s %s: %d: %s", r.Method, r.URL.Path, response.StatusCode, p))
	}
	return response, nil
}

func (c *checking) verdict() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exchanges == 0 {
		return errors.New("nobody asked anything")
	}
	return errors.Join(c.problems...)
}
