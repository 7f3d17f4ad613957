package trust_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/trust"
)

var postTime = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

func newPoster(t *testing.T, allow ...string) *trust.Poster {
	t.Helper()
	p, err := trust.NewPoster(trust.GuardConfig{AllowPrivate: allow}, func() time.Time { return postTime })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status     int
		retryAfter string
		want       time.Duration
	}{
		{204, "", 0},
		{302, "", 0},
		{429, "90", 90 * time.Second},
		{503, postTime.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{503, postTime.Add(-time.Minute).Format(http.TimeFormat), 0},
		{503, "-1", 0},
		{503, "soon", 0},
		{503, "99999999999999999999", 0},
	} {
		requests := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			body, _ := io.ReadAll(r.Body)
			if string(body) != "{}" || r.Method != http.MethodPost || r.Header.Get("Key") != "value" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %v %s", r.Method, r.Header, body)
			}
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", row.retryAfter)
			w.WriteHeader(row.status)
		}))
		got, err := newPoster(t, "127.0.0.1").Post(t.Context(), server.URL, map[string]string{"Key": "value"}, []byte("{}"))
		if want := (trust.Receipt{Status: row.status, RetryAfter: row.want}); err != nil || got != want || requests != 1 {
			t.Errorf("Post = %+v, %v after %d requests, want %+v after one", got, err, requests, want)
		}
		if _, err := newPoster(t).Post(t.Context(), server.URL, nil, nil); !errors.Is(err, trust.ErrForbiddenAddress) {
			t.Errorf("Post to an address that is not allowed: %v", err)
		}
		server.Close()
	}
}

func TestNewPosterRefuses(t *testing.T) {
	t.Parallel()
	if _, err := trust.NewPoster(trust.GuardConfig{AllowPrivate: []string{"*"}}, time.Now); err == nil {
		t.Error("NewPoster took an entry that nobody understands")
	}
}
