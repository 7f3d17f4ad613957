package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

const (
	maxTries  = 8
	firstWait = 500 * time.Millisecond
	maxWait   = 30 * time.Second // of our own choice
	maxAsked  = 5 * time.Minute  // of the server's
)

// patiently makes a call again while what keeps it from succeeding may pass:
// 429, 503 and whatever keeps an answer from coming. It tries maxTries times, a
// minute in all if the server names no time, and waits as long as the server
// asks for. told hears of each wait. When interrupted ends, it waits no more.
func (c *client) patiently(ctx, interrupted context.Context, r request, told func(err error, wait time.Duration)) (json.RawMessage, error) {
	own := firstWait
	for try := 1; ; try++ {
		answer, err := c.call(ctx, r)
		asked, passes := mayPass(err)
		if !passes || try == maxTries {
			return answer, err
		}
		wait := own
		if asked >= 0 {
			wait = min(asked, maxAsked)
		}
		own = min(2*own, maxWait)
		told(err, wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-interrupted.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// mayPass reports whether the same call may succeed later, and how long the
// server asks to wait, -1 if it does not say.
func mayPass(err error) (asked time.Duration, passes bool) {
	if refused, ok := errors.AsType[*apiError](err); ok {
		if seconds, err := strconv.ParseUint(refused.RetryAfter, 10, 16); err == nil {
			asked = time.Duration(seconds) * time.Second
		} else {
			asked = -1
		}
		return asked, refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusServiceUnavailable
	}
	f, ok := errors.AsType[*failure](err)
	return -1, ok && f.passing
}

// retold is a wait, as it is told to a person.
func retold(err error, wait time.Duration) string {
	return err.Error() + "; trying again in " + wait.Round(time.Second/10).String()
}
