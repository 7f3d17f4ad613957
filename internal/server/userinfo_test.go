package server_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// userinfo is another provider's userinfo endpoint, on 127.0.0.1.
type userinfo struct {
	*httptest.Server
	mu       sync.Mutex
	handler  http.HandlerFunc
	requests []*http.Request
}

// newUserinfo starts one that vouches for ada@example.com, whoever asks.
func newUserinfo(t testing.TB) *userinfo {
	t.Helper()
	u := &userinfo{}
	u.answers(http.StatusOK, `{"sub": "auth0|7", "email": "ada@example.com", "email_verified": true}`)
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.requests = append(u.requests, r)
		handler := u.handler
		u.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

// does says how it answers from now on.
func (u *userinfo) does(handler http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.handler = handler
}

// answers says what it answers from now on.
func (u *userinfo) answers(status int, body string) {
	u.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// asked are the requests since the last look.
func (u *userinfo) asked() []*http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.requests
	u.requests = nil
	return all
}
