package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
)

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 8 << 20 // bytes
)

// client calls one plane of a server, with Basic credentials.
type client struct {
	plane  plane
	base   string // without a slash at its end
	user   string
	secret countersign.Bearer
	http   *http.Client
}

func newClient(p plane, base, user string, secret countersign.Bearer) *client {
	return &client{plane: p, base: base, user: user, secret: secret, http: &http.Client{
		Timeout: callTimeout,
		// A redirect would carry a token in the body to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// request is one call. Path is in segments, not yet escaped; Body is encoded as
// JSON, nil sends none.
type request struct {
	Method string
	Path   []string
	Query  url.Values
	Body   any
}

func (c *client) get(ctx context.Context, path []string) (json.RawMessage, error) {
	return c.call(ctx, request{Method: http.MethodGet, Path: path})
}

// post sends body; what takes none is sent an empty object.
func (c *client) post(ctx context.Context, path []string, body any) (json.RawMessage, error) {
	return c.call(ctx, request{Method: http.MethodPost, Path: path, Body: body})
}

// session calls what sessions have in both verticals: of users, or of members if the
// project turns out to be a B2B one, to whose API the body may be another.
func (c *client) session(ctx context.Context, action string, ofUser, ofMember any) (json.RawMessage, error) {
	raw, err := c.post(ctx, []string{"v1", "sessions", action}, ofUser)
	if refused, ok := errors.AsType[*apiError](err); ok && refused.Type == "invalid_consumer_endpoint" {
		return c.post(ctx, []string{"v1", "b2b", "sessions", action}, ofMember)
	}
	return raw, err
}

func (c *client) patch(ctx context.Context, path []string, body any) (json.RawMessage, error) {
	return c.call(ctx, request{Method: http.MethodPatch, Path: path, Body: body})
}

// put replaces, or of users changes what is given.
func (c *client) put(ctx context.Context, path []string, body any) (json.RawMessage, error) {
	return c.call(ctx, request{Method: http.MethodPut, Path: path, Body: body})
}

func (c *client) remove(ctx context.Context, path []string) (json.RawMessage, error) {
	return c.call(ctx, request{Method: http.MethodDelete, Path: path})
}

// call sends r and gives the whole JSON answer. A refusal is an *apiError;
// whatever keeps an answer from coming is a *failure that says what to look at.
func (c *client) call(ctx context.Context, r request) (json.RawMessage, error) {
	req, err := c.build(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, c.base, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, unreachable(ctx, c.base, err)
	}
	if len(answer) > maxAnswer {
		return nil, failed(fmt.Sprintf("%s answered with more than %d bytes", c.base, maxAnswer), "")
	}
	return c.judge(resp, answer)
}

func (c *client) build(ctx context.Context, r request) (*http.Request, error) {
	path, err := escapePath(r.Path)
	if err != nil {
		return nil, err
	}
	target := c.base + path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	var body io.Reader
	if r.Body != nil {
		encoded, err := countersign.EncodeJSON(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(c.user, c.secret.Reveal())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "countersign-cli/"+buildVersion().Version)
	return req, nil
}

// judge tells an answer from a refusal, and both from what no countersign says.
func (c *client) judge(resp *http.Response, answer []byte) (json.RawMessage, error) {
	if resp.StatusCode == http.StatusOK && json.Valid(answer) {
		return answer, nil
	}
	refused := &apiError{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After"), plane: c.plane}
	if err := json.Unmarshal(answer, refused); err == nil && refused.Type != "" && resp.StatusCode >= 400 {
		return nil, refused
	}
	if to := resp.Header.Get("Location"); to != "" {
		return nil, failed(c.base+" redirects to "+to+"; redirects are not followed", "set COUNTERSIGN_URL to where the server is")
	}
	return nil, &failure{
		message: fmt.Sprintf("%s answered HTTP %d, and not as countersign does", c.base, resp.StatusCode),
		hint:    "is COUNTERSIGN_URL the address of a countersign server?",
		code:    ExitFailed,
		passing: slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, resp.StatusCode), // a proxy's
	}
}

// escapePath joins segments to a path. An empty segment would name the list
// instead of the object, and dots another object: neither is sent.
func escapePath(segments []string) (string, error) {
	var b strings.Builder
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", usage(fmt.Sprintf("%q is no slug or ID", s), "")
		}
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String(), nil
}
