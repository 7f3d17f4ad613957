package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// call is one request.
type call struct {
	method         string // "" for POST
	url            string
	user, password string
	body           []byte
	status         int // what the answer must be; 0 for 200
}

// load is a closed loop of some connections: each sends its next request when
// the last is answered.
type load struct {
	connections int
	most        time.Duration
	next        func(i int64) (call, bool) // false: there is nothing more to send
	account     func() (time.Duration, error)
}

// measured is what a run came to.
type measured struct {
	cpuMS         float64 // per request
	perSecond     float64
	p50, p90, p99 time.Duration
	requests      int
}

// run sends requests. All must succeed.
func (l load) run(ctx context.Context) (m measured, err error) {
	client := &http.Transport{MaxIdleConnsPerHost: l.connections, MaxConnsPerHost: l.connections}
	defer client.CloseIdleConnections()
	var (
		sent    atomic.Int64
		group   sync.WaitGroup
		latency = make([][]time.Duration, l.connections)
		failed  = make([]error, l.connections)
	)
	before, err := l.account()
	if err != nil {
		return m, err
	}
	begin := time.Now()
	for i := range l.connections {
		group.Go(func() {
			for time.Since(begin) < l.most && ctx.Err() == nil {
				c, more := l.next(sent.Add(1) - 1)
				if !more {
					return
				}
				start := time.Now()
				if failed[i] = c.send(ctx, client); failed[i] != nil {
					return
				}
				latency[i] = append(latency[i], time.Since(start))
			}
		})
	}
	group.Wait()
	took := time.Since(begin)
	after, err := l.account()
	if err != nil {
		return m, err
	}
	for _, err := range failed {
		if err != nil {
			return m, err
		}
	}
	all := slices.Concat(latency...)
	if len(all) == 0 {
		return m, fmt.Errorf("no request was sent: %w", context.Cause(ctx))
	}
	slices.Sort(all)
	at := func(part float64) time.Duration { return all[int(part*float64(len(all)-1))] }
	return measured{
		cpuMS:     float64(after-before) / float64(time.Millisecond) / float64(len(all)),
		perSecond: float64(len(all)) / took.Seconds(),
		p50:       at(.5), p90: at(.9), p99: at(.99), requests: len(all),
	}, nil
}

func (c call) send(ctx context.Context, client http.RoundTripper) error {
	_, err := c.read(ctx, client)
	return err
}

// read sends the request and gives the answer's body.
func (c call) read(ctx context.Context, client http.RoundTripper) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, cmp.Or(c.method, http.MethodPost), c.url, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.user != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	response, err := client.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != cmp.Or(c.status, http.StatusOK) {
		err = fmt.Errorf("%s %s: %d %s", r.Method, c.url, response.StatusCode, body)
	}
	return body, err
}
