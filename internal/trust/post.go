package trust

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"
)

// postWait bounds a post, from the start to the answer's header.
const postWait = 10 * time.Second

// Poster sends JSON to services that projects name, under the same guard as key
// sets.
type Poster struct {
	fetcher fetcher
	now     func() time.Time
}

// NewPoster makes a Poster. The error says which entry of cfg.AllowPrivate is not
// understood.
func NewPoster(cfg GuardConfig, now func() time.Time) (*Poster, error) {
	client, err := NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Poster{fetcher: fetcher{client: client, headerWait: postWait, inFull: postWait}, now: now}, nil
}

// Receipt is what the other side said of a post. Its body is not read.
type Receipt struct {
	Status     int
	RetryAfter time.Duration // zero if it does not say
}

// Post sends body once. Any answer is a receipt, a redirect too, which is not
// followed. Errors are sentences for the operator, without the URL and the
// header.
func (p *Poster) Post(ctx context.Context, rawURL string, header map[string]string, body []byte) (r Receipt, err error) {
	all := http.Header{"Content-Type": {"application/json"}}
	for name, value := range header {
		all.Set(name, value)
	}
	err = p.fetcher.do(ctx, http.MethodPost, rawURL, all, bytes.NewReader(body), func(response *http.Response) error {
		r = Receipt{Status: response.StatusCode, RetryAfter: p.retryAfter(response.Header)}
		return nil
	})
	return r, err
}

// retryAfter reads both forms of the header (RFC 9110 §10.2.3).
func (p *Poster) retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(p.now()))
	}
	return 0
}
