package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// allowFlag is the option that an operator opens the guard with.
const allowFlag = "--jwks-allow-private"

const (
	dialTimeout    = 3 * time.Second // to connect, and again for TLS
	maxHeaderBytes = 64 << 10        // of an answer
)

// ErrForbiddenAddress is what a guarded client's errors are when the host's
// address is one that no project may make the server connect to.
var ErrForbiddenAddress = errors.New("forbidden address")

// GuardConfig says what a guarded client may do.
type GuardConfig struct {
	// AllowPrivate lists what the operator, never a project, opened: host names
	// and IP addresses, each with or without a port, and networks in CIDR form.
	// A name is compared whole and without regard to case.
	AllowPrivate []string
	// Resolver is nil for the system's.
	Resolver *net.Resolver
	// RootCAs is nil for the system's.
	RootCAs *x509.CertPool
}

// NewClient makes an HTTP client for URLs that projects choose. The address is
// judged when it is connected to, after the name was resolved, so that a name
// that changes its mind gains nothing: loopback, private, link-local, shared,
// multicast, documentation and reserved addresses and the IPv6 forms that embed
// another address are ErrForbiddenAddress unless cfg allows them. http:// is for
// allowed hosts alone, https:// is TLS 1.2 or later. The client knows no proxy,
// cookies, redirects, user names in URLs, compression or idle connections. It
// sets no time limit: the request's context does.
//
// The error says which entry of AllowPrivate is not understood.
func NewClient(cfg GuardConfig) (*http.Client, error) {
	allowed, err := parseAllowList(cfg.AllowPrivate)
	if err != nil {
		return nil, err
	}
	transport := func(plain bool) *http.Transport {
		g := guard{allowed: allowed, special: specialNetworks(), plain: plain, resolver: cfg.Resolver}
		return &http.Transport{
			Proxy:                  nil, // not ProxyFromEnvironment: a proxy would do the connecting
			DialContext:            g.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
			TLSHandshakeTimeout:    dialTimeout,
			ForceAttemptHTTP2:      !plain,
			DisableCompression:     true, // a compressed answer could be a bomb
			MaxResponseHeaderBytes: maxHeaderBytes,
			// Minutes lie between two requests to a host, and a connection that is
			// kept would outlive the address that was judged.
			DisableKeepAlives: true,
		}
	}
	return &http.Client{
		Transport: &guardedTransport{plain: transport(true), secure: transport(false)},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the caller sees 3xx and refuses it
		},
	}, nil
}

// guardedTransport picks the guard by the URL's scheme.
type guardedTransport struct{ plain, secure *http.Transport }

func (t *guardedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.User != nil:
		return nil, errors.New("URL with user name or password")
	case r.URL.Scheme == "https":
		return t.secure.RoundTrip(r)
	case r.URL.Scheme == "http":
		return t.plain.RoundTrip(r)
	default:
		return nil, fmt.Errorf("URL scheme %s is neither http nor https", quote(r.URL.Scheme))
	}
}

// guard dials what it may.
type guard struct {
	allowed  allowList
	special  []network
	plain    bool // for http://, where public addresses are refused as well
	resolver *net.Resolver
}

// dial connects to addr, "host:port". It leaves resolving and the choice among
// addresses to net.Dialer, which asks back with each address before it connects.
func (g *guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTimeout, Resolver: g.resolver}
	if g.allowed.host(host, port) {
		return d.DialContext(ctx, network, addr)
	}
	// A literal is judged as it is written, too: net.Dialer would unmap
	// ::ffff:192.0.2.1 before it asks.
	if literal, err := netip.ParseAddr(host); err == nil {
		if err := g.judge(host, port, literal); err != nil {
			return nil, err
		}
	}
	d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		resolved, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: cannot read address %s", ErrForbiddenAddress, quote(address))
		}
		return g.judge(host, port, resolved.Addr())
	}
	return d.DialContext(ctx, network, addr)
}

// judge decides on one address of host.
func (g *guard) judge(host, port string, addr netip.Addr) error {
	if g.allowed.address(addr, port) {
		return nil
	}
	bare := addr.WithZone("").Unmap()
	if why := g.why(addr); why != "" {
		what := host + " is " + why
		if host != addr.String() {
			what = fmt.Sprintf("%s resolves to %s, %s", host, addr, why)
		}
		return fmt.Errorf("%w: %s; start the server with %s %s if you mean it", ErrForbiddenAddress, what, allowFlag, bare)
	}
	if g.plain {
		return fmt.Errorf("%w: http:// is only for hosts that the operator allows; use https://, or start the server with %s %s", ErrForbiddenAddress, allowFlag, host)
	}
	return nil
}

// why says what is wrong with addr, or "" if it is a public address.
func (g *guard) why(addr netip.Addr) string {
	switch {
	case addr.Zone() != "":
		return "an address with a zone"
	case addr.Is4In6():
		return "an IPv4-mapped address"
	}
	for _, n := range g.special {
		if n.prefix.Contains(addr) {
			return n.name
		}
	}
	if addr.Is6() && !global6().Contains(addr) {
		return "not a global unicast address"
	}
	return ""
}

// allowList is what the operator opened.
type allowList struct {
	hosts    map[string]bool // lower case, "host" or "host:port"
	prefixes []netip.Prefix
	sockets  map[netip.AddrPort]bool
}

// host reports whether the name is listed, with this port or without any.
func (l allowList) host(host, port string) bool {
	host = normalHost(host)
	return l.hosts[host] || l.hosts[host+":"+port]
}

// address reports whether a listed network or address contains addr.
func (l allowList) address(addr netip.Addr, port string) bool {
	addr = addr.WithZone("").Unmap() // a prefix contains no address with a zone
	for _, prefix := range l.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	socket, err := netip.ParseAddrPort(net.JoinHostPort(addr.String(), port))
	return err == nil && l.sockets[socket]
}

// normalHost is the form in which host names are compared (RFC 4343 §2); the dot
// of the DNS root makes no difference.
func normalHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
