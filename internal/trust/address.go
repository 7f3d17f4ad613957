package trust

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// network is a range of addresses that belongs to nobody on the public internet.
type network struct {
	prefix netip.Prefix
	name   string // with its article
}

// specialNetworks are the ranges that are not globally reachable (RFC 6890 and
// its IANA registries), those for groups, and those whose addresses embed
// another address that would have to be judged instead.
func specialNetworks() []network {
	table := []struct{ prefix, name string }{
		{"0.0.0.0/8", "an unspecified address"}, // connects to this host on Linux
		{"10.0.0.0/8", "a private address"},
		{"100.64.0.0/10", "a carrier-grade NAT address"},
		{"127.0.0.0/8", "a loopback address"},
		{"169.254.0.0/16", "a link-local address"}, // cloud metadata is 169.254.169.254
		{"172.16.0.0/12", "a private address"},
		{"192.0.0.0/24", "a reserved address"},
		{"192.0.2.0/24", "a documentation address"},
		{"192.88.99.0/24", "a 6to4 relay address"},
		{"192.168.0.0/16", "a private address"},
		{"198.18.0.0/15", "a benchmarking address"},
		{"198.51.100.0/24", "a documentation address"},
		{"203.0.113.0/24", "a documentation address"},
		{"224.0.0.0/4", "a multicast address"},
		{"255.255.255.255/32", "the broadcast address"},
		{"240.0.0.0/4", "a reserved address"},

		{"::/128", "an unspecified address"},
		{"::1/128", "a loopback address"},
		{"::/96", "an IPv4-compatible address"},
		{"64:ff9b::/96", "a NAT64 address"},
		{"64:ff9b:1::/48", "a NAT64 address"},
		{"100::/64", "a discard address"},
		{"2001::/32", "a Teredo address"},
		{"2001:2::/48", "a benchmarking address"},
		{"2001::/23", "a reserved address"},
		{"2001:db8::/32", "a documentation address"},
		{"2002::/16", "a 6to4 address"},
		{"3fff::/20", "a documentation address"},
		{"fc00::/7", "a unique local address"},
		{"fe80::/10", "a link-local address"},
		{"fec0::/10", "a site-local address"},
		{"ff00::/8", "a multicast address"},
	}
	networks := make([]network, 0, len(table))
	for _, row := range table {
		networks = append(networks, network{prefix: netip.MustParsePrefix(row.prefix), name: row.name})
	}
	return networks
}

// global6 is all of IPv6 that is given out as unicast (RFC 4291 §2.4).
func global6() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0x20}), 3)
}

// parseAllowList reads the entries of GuardConfig.AllowPrivate. An address
// without a port is a network of one.
func parseAllowList(entries []string) (allowList, error) {
	list := allowList{hosts: make(map[string]bool), sockets: make(map[netip.AddrPort]bool)}
	for _, entry := range entries {
		if strings.ContainsRune(entry, '/') {
			prefix, err := netip.ParsePrefix(entry)
			if err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
				return allowList{}, badEntry(entry, "not a network such as 10.1.0.0/16, with no bits set beyond its length")
			}
			list.prefixes = append(list.prefixes, prefix)
			continue
		}
		bare := entry
		if strings.HasPrefix(entry, "[") && strings.HasSuffix(entry, "]") { // as in a URL
			bare = entry[1 : len(entry)-1]
		}
		if addr, err := netip.ParseAddr(bare); err == nil {
			if addr.Zone() != "" {
				return allowList{}, badEntry(entry, "an address with a zone; list the network, such as fe80::/10")
			}
			addr = addr.Unmap()
			list.prefixes = append(list.prefixes, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		if socket, err := netip.ParseAddrPort(entry); err == nil && socket.Addr().Zone() == "" {
			list.sockets[netip.AddrPortFrom(socket.Addr().Unmap(), socket.Port())] = true
			continue
		}
		host, port, hasPort := strings.Cut(entry, ":")
		if !isHostName(normalHost(host)) {
			return allowList{}, badEntry(entry, "not a host name, an IP address or a network such as 10.1.0.0/16")
		}
		name := normalHost(host)
		if hasPort {
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return allowList{}, badEntry(entry, "the port is not a number from 1 to 65535")
			}
			name += ":" + port
		}
		list.hosts[name] = true
	}
	return list, nil
}

func badEntry(entry, why string) error {
	return fmt.Errorf("%s %s: %s", allowFlag, quote(entry), why)
}

// isHostName reports whether name, in lower case, is a host name of letters,
// digits, hyphens and underscores (RFC 1123 §2.1; containers have the last).
// Wildcards are none: an operator opens one host at a time or a network.
func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	digits := false // in the last label alone: 10.0.0 is an address gone wrong
	for label := range strings.SplitSeq(name, ".") {
		digits = strings.Trim(label, "0123456789") == ""
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return !digits
}
