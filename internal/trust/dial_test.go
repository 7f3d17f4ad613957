package trust_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/countersign-auth/countersign/internal/trust"
)

func TestGuardAddresses(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"0.0.0.0": "an unspecified address", "0.1.2.3": "an unspecified address",
		"10.0.0.7": "a private address", "172.16.0.1": "a private address", "172.31.255.255": "a private address",
		"192.168.1.1": "a private address", "100.64.0.1": "a carrier-grade NAT address", "100.127.255.255": "a carrier-grade NAT address",
		"127.0.0.1": "a loopback address", "127.255.0.1": "a loopback address",
		"169.254.169.254": "a link-local address", "192.0.0.8": "a reserved address", "192.0.2.1": "a documentation address",
		"198.51.100.1": "a documentation address", "203.0.113.1": "a documentation address", "192.88.99.1": "a 6to4 relay address",
		"198.18.0.1": "a benchmarking address", "198.19.255.255": "a benchmarking address",
		"224.0.0.1": "a multicast address", "239.255.255.250": "a multicast address",
		"240.0.0.1": "a reserved address", "255.255.255.255": "the broadcast address",
		"::": "an unspecified address", "::1": "a loopback address", "::7f00:1": "an IPv4-compatible address", "::127.0.0.1": "an IPv4-compatible address",
		"::ffff:127.0.0.1": "an IPv4-mapped address", "::ffff:8.8.8.8": "an IPv4-mapped address", "::ffff:a00:7": "an IPv4-mapped address",
		"::ffff:0:10.0.0.1": "not a global unicast address", // SIIT
		"64:ff9b::a00:7":    "a NAT64 address", "64:ff9b:1::1": "a NAT64 address", "100::1": "a discard address",
		"2001::1": "a Teredo address", "2001:2::1": "a benchmarking address", "2001:10::1": "a reserved address", "2001:db8::1": "a documentation address",
		"2002:a00:7::": "a 6to4 address", "3fff::1": "a documentation address", "fd00::1": "a unique local address", "fc00::1": "a unique local address",
		"fe80::1": "a link-local address", "fe80::1%eth0": "an address with a zone", "fec0::1": "a site-local address", "ff02::1": "a multicast address",
		"4000::1": "not a global unicast address", "5f00::1": "not a global unicast address",
		// The neighbours, which are public.
		"1.1.1.1": "", "9.255.255.255": "", "11.0.0.0": "", "100.63.255.255": "", "100.128.0.0": "", "126.255.255.255": "", "128.0.0.1": "",
		"169.253.255.255": "", "172.15.255.255": "", "172.32.0.0": "", "192.0.1.1": "", "192.167.255.255": "", "198.17.255.255": "", "198.20.0.0": "", "223.255.255.255": "",
		"2606:4700::1111": "", "2a00:1450::1": "", "2001:200::1": "", "2001:4860:4860::8888": "",
	} {
		err := trust.JudgeAddress(nil, false, "issuer.example", "443", addr)
		text := "resolves to " + netip.MustParseAddr(addr).String() + ", " + want + "; start the server with --jwks-allow-private "
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v, want nil", addr, err)
		case want != "" && (!errors.Is(err, trust.ErrForbiddenAddress) || !strings.Contains(err.Error(), text)):
			t.Errorf("%s: %v, want %s", addr, err, text)
		}
		if err := trust.JudgeAddress(nil, true, "issuer.example", "80", addr); !errors.Is(err, trust.ErrForbiddenAddress) {
			t.Errorf("%s over http: %v, want forbidden", addr, err)
		}
		// The network that has all of them opens all of them.
		if err := trust.JudgeAddress([]string{"0.0.0.0/0", "::/0"}, true, "issuer.example", "80", addr); err != nil {
			t.Errorf("%s, allowed: %v, want nil", addr, err)
		}
	}
}

func TestGuardAllowList(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		entry, port, addr string
		want              bool
	}{
		{"10.0.0.7", "443", "10.0.0.7", true},
		{"10.0.0.7", "443", "::ffff:10.0.0.7", true},
		{"::ffff:10.0.0.7", "443", "10.0.0.7", true},
		{"10.0.0.7", "443", "10.0.0.8", false},
		{"10.0.0.7:8443", "8443", "10.0.0.7", true},
		{"10.0.0.7:8443", "443", "10.0.0.7", false},
		{"10.0.0.0/8", "443", "10.200.0.1", true},
		{"10.0.0.0/8", "443", "172.16.0.1", false},
		{"fd00::/8", "443", "fd12::1", true},
		{"[fd00::1]:443", "443", "fd00::1", true},
		{"[fd00::1]", "443", "fd00::1", true},
		{"fe80::/10", "443", "fe80::1%eth0", true},
		{"127.0.0.1", "443", "::1", false},
	} {
		err := trust.JudgeAddress([]string{row.entry}, false, "issuer.example", row.port, row.addr)
		if (err == nil) != row.want || err != nil && !errors.Is(err, trust.ErrForbiddenAddress) {
			t.Errorf("%s, %s port %s: %v, want allowed %t", row.entry, row.addr, row.port, err, row.want)
		}
	}
	for _, entry := range []string{
		"", " ", "*", "*.example", "a b", "https://issuer.example", "host:", "host:0", "host:65536", "host:x", "10.0.0.0/33", "10.0.0.1/8",
		"10.0.0", "::ffff:10.0.0.0/104", "fe80::1%eth0", "a..b", "[::1", "user@host", "host/path", "[host]",
	} {
		if _, err := trust.NewClient(trust.GuardConfig{AllowPrivate: []string{entry}}); err == nil || !strings.HasPrefix(err.Error(), "--jwks-allow-private ") {
			t.Errorf("AllowPrivate %q: %v, want a refusal", entry, err)
		}
	}
}

// names is a DNS server with one answer after another for each name.
type names map[string][]string

// resolver asks names and nobody else, over a pipe.
func (n names) resolver() *net.Resolver {
	var asked atomic.Int64
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			n.serve(server, &asked)
		}()
		return client, nil
	}}
}

// serve answers one query in the framing of TCP (RFC 1035 §4.2.2).
func (n names) serve(conn net.Conn, asked *atomic.Int64) {
	buffer := make([]byte, 1<<16)
	if _, err := io.ReadFull(conn, buffer[:2]); err != nil {
		return
	}
	size := int(buffer[0])<<8 | int(buffer[1])
	if _, err := io.ReadFull(conn, buffer[:size]); err != nil {
		return
	}
	var query dnsmessage.Message
	if query.Unpack(buffer[:size]) != nil || len(query.Questions) != 1 {
		return
	}
	q := query.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true},
		Questions: query.Questions,
	}
	answers := n[strings.TrimSuffix(q.Name.String(), ".")]
	switch {
	case len(answers) == 0:
		reply.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		addr := netip.MustParseAddr(answers[min(int(asked.Add(1))-1, len(answers)-1)])
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: addr.As4()},
		}}
	}
	packed, err := reply.Pack()
	if err != nil {
		return
	}
	_, _ = conn.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
}

func TestGuardJudgesWhatIsConnectedTo(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port := at.Port()
	for _, row := range []struct {
		url   string
		allow []string
		want  string // "": it is reached
	}{
		{"http://127.0.0.1:PORT/", nil, "127.0.0.1 is a loopback address"},
		{"https://127.0.0.1:PORT/", nil, "127.0.0.1 is a loopback address"},
		{"http://127.0.0.1:PORT/", []string{"127.0.0.1"}, ""},
		{"http://127.0.0.1:PORT/", []string{"127.0.0.1:1"}, "127.0.0.1 is a loopback address"},
		{"http://127.0.0.1:PORT/", []string{"127.0.0.0/8"}, ""},
		{"http://inner.example:PORT/", nil, "inner.example resolves to 127.0.0.1, a loopback address; start the server with --jwks-allow-private 127.0.0.1 if you mean it"},
		{"http://inner.example:PORT/", []string{"inner.example"}, ""},
		{"http://inner.example:PORT/", []string{"Inner.EXAMPLE:PORT"}, ""},
		{"http://INNER.example.:PORT/", []string{"inner.example"}, ""},
		{"http://inner.example:PORT/", []string{"inner.example:1"}, "resolves to 127.0.0.1"},
		{"http://inner.example:PORT/", []string{"127.0.0.1"}, ""},
		{"http://inner.example:PORT/", []string{"other.example"}, "resolves to 127.0.0.1"},
		{"http://sub.inner.example:PORT/", []string{"inner.example"}, "resolves to 127.0.0.1"},
		{"http://outer.example:PORT/", nil, "http:// is only for hosts that the operator allows; use https://, or start the server with --jwks-allow-private outer.example"},
		{"http://[::ffff:127.0.0.1]:PORT/", nil, "an IPv4-mapped address"},
		{"http://[::ffff:7f00:1]:PORT/", nil, "an IPv4-mapped address"},
		{"https://[::ffff:8.8.8.8]:PORT/", nil, "an IPv4-mapped address"},
		{"http://[::1]:PORT/", nil, "a loopback address"},
		{"http://[fe80::1%25lo]:PORT/", nil, "an address with a zone"},
		{"http://0.0.0.0:PORT/", nil, "an unspecified address"},
		{"http://[::]:PORT/", nil, "an unspecified address"},
		// Spellings that C libraries take for 127.0.0.1: whatever resolves them, it
		// does not get there.
		{"http://2130706433:PORT/", nil, "any"},
		{"http://0x7f000001:PORT/", nil, "any"},
		{"http://0177.0.0.1:PORT/", nil, "any"},
		{"http://127.1:PORT/", nil, "any"},
		{"http://a:b@127.0.0.1:PORT/", []string{"127.0.0.1"}, "URL with user name or password"},
		{"ftp://127.0.0.1:PORT/", []string{"127.0.0.1"}, `URL scheme "ftp" is neither http nor https`},
	} {
		allow := make([]string, 0, len(row.allow))
		for _, entry := range row.allow {
			allow = append(allow, strings.Replace(entry, "PORT", port, 1))
		}
		dns := names{
			"inner.example": {"127.0.0.1"}, "INNER.example": {"127.0.0.1"},
			"sub.inner.example": {"127.0.0.1"}, "outer.example": {"192.5.6.30"},
		}
		client, err := trust.NewClient(trust.GuardConfig{AllowPrivate: allow, Resolver: dns.resolver()})
		if err != nil {
			t.Fatal(err)
		}
		before := reached.Load()
		err = get(t, client, strings.Replace(row.url, "PORT", port, 1))
		got := reached.Load() - before
		switch {
		case row.want == "" && (err != nil || got != 1):
			t.Errorf("%s allowing %v: %v, want an answer", row.url, row.allow, err)
		case row.want != "" && (err == nil || got != 0):
			t.Errorf("%s allowing %v: reached, want %s", row.url, row.allow, row.want)
		case row.want != "" && row.want != "any" && !strings.Contains(err.Error(), row.want):
			t.Errorf("%s allowing %v: %v, want %s", row.url, row.allow, err, row.want)
		}
	}
}

// The same spellings through the system's resolver, which may take them for
// loopback addresses: then the guard says so.
func TestGuardOddSpellings(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	client, err := trust.NewClient(trust.GuardConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"2130706433", "0x7f000001", "017700000001", "0x7f.1", "127.1", "127.0.1", "localhost", "localhost.", "LOCALHOST"} {
		err := get(t, client, strings.Replace(server.URL, "127.0.0.1", host, 1))
		if err == nil || reached.Load() != 0 {
			t.Errorf("%s is reached", host)
		}
	}
}

// A name that is public when asked once and inner when asked again is judged by
// the answer that is connected to.
func TestGuardRebinding(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it sees a handshake break off
	server.StartTLS()
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resolver := names{"rebind.example": {"192.5.6.30", "127.0.0.1"}}.resolver()
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(first) != 1 || first[0].Unmap().String() != "192.5.6.30" {
		t.Fatalf("the first answer is %v, %v, want a public address", first, err)
	}
	client, err := trust.NewClient(trust.GuardConfig{Resolver: resolver})
	if err != nil {
		t.Fatal(err)
	}
	err = get(t, client, "https://rebind.example:"+port+"/")
	if !errors.Is(err, trust.ErrForbiddenAddress) || !strings.Contains(err.Error(), "rebind.example resolves to 127.0.0.1, a loopback address") {
		t.Errorf("Get = %v, want forbidden", err)
	}
}

func TestClientIgnoresProxies(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	// A name, because no proxy is ever used for 127.0.0.1.
	resolver := names{"inner.example": {"127.0.0.1"}}.resolver()
	client, err := trust.NewClient(trust.GuardConfig{AllowPrivate: []string{"inner.example"}, Resolver: resolver})
	if err != nil {
		t.Fatal(err)
	}
	if err := get(t, client, strings.Replace(server.URL, "127.0.0.1", "inner.example", 1)); err != nil {
		t.Errorf("Get = %v, want an answer without the proxy", err)
	}
	if client.Jar != nil {
		t.Error("the client keeps cookies")
	}
}

func get(t *testing.T, client *http.Client, url string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err == nil {
		err = response.Body.Close()
	}
	return err
}
