package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how much of X-Forwarded-For is read, which anybody can write.
const maxHops = 32

// parseProxies reads addresses and networks whose word on a client's address is
// taken.
func parseProxies(list []string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, entry := range list {
		if a, err := netip.ParseAddr(entry); err == nil {
			entry = netip.PrefixFrom(a, a.BitLen()).String()
		}
		p, err := netip.ParsePrefix(entry)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %q is neither an address nor a network such as 10.0.0.0/8", entry)
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		proxies = append(proxies, p.Masked())
	}
	return proxies, nil
}

// client is the address that a request is from: the other end's or, if that is a
// trusted proxy, the nearest one in X-Forwarded-For that is not, because each
// proxy adds behind what it was given. What a trusted proxy passed on and cannot be
// read is not believed: then it is the proxy's own address. relayed reports that
// somebody who is not trusted named another address.
func (s *Server) client(r *http.Request) (address string, relayed bool) {
	header := r.Header["X-Forwarded-For"]
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, false // of a listener that is not TCP's
	}
	nearest := peer.Addr().Unmap()
	if len(header) == 0 || !s.trusted(nearest) {
		return peerText(r.RemoteAddr, nearest), len(header) > 0
	}
	rest := strings.Join(header, ",")
	for range maxHops {
		var hop string
		if i := strings.LastIndexByte(rest, ','); i >= 0 {
			rest, hop = rest[:i], rest[i+1:]
		} else {
			rest, hop = "", rest
		}
		a, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if nearest = a.Unmap(); !s.trusted(nearest) || rest == "" {
			break
		}
	}
	return nearest.String(), false
}

// parseHop reads an entry of X-Forwarded-For, to which some proxies add a port.
func parseHop(hop string) (netip.Addr, error) {
	if a, err := netip.ParseAddrPort(hop); err == nil {
		return a.Addr().WithZone(""), nil
	}
	a, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	return a.WithZone(""), err
}

// peerText is an address as it stands before the port of remote, without making a
// text of its own where it can be had.
func peerText(remote string, a netip.Addr) string {
	if host := remote[:strings.LastIndexByte(remote, ':')]; a.Is4() && !strings.HasPrefix(host, "[") {
		return host
	}
	return a.String()
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
