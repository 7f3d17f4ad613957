package servertest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// shared is the witness of this process: all its servers serve one document.
var shared struct {
	once    sync.Once
	witness *Witness
	err     error
}

// OwnDocument is the witness to the document that the servers of this process
// serve; fetch gets it the first time.
func OwnDocument(t testing.TB, fetch func() []byte) *Witness {
	t.Helper()
	shared.once.Do(func() { shared.witness, shared.err = NewWitness(fetch()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.witness
}

// RoundTrip makes a request and fails the test if the exchange is not as the
// server's OpenAPI document says.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := replayable(r)
	if err != nil {
		return nil, err
	}
	response, err := s.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	for _, problem := range s.witness.Problems(Exchange{r, sent, response.StatusCode, answer}) {
		s.t.Errorf("%s %s: %s\n%d %s", r.Method, r.URL.Path, problem, response.StatusCode, answer)
	}
	return response, nil
}

// CheckedURL is where other programs reach the server until the test ends, so that
// their exchanges are held against the document as well.
func (s *Server) CheckedURL() string {
	s.t.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: s})
	s.t.Cleanup(proxy.Close)
	return proxy.URL
}

// replayable reads a request's body and puts it back.
func replayable(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	return sent, r.Body.Close()
}
