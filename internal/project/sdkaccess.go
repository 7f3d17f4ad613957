package project

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
)

// SDKConfig is an environment's SDK configuration: that of its vertical, the
// other one is nil.
type SDKConfig struct {
	Consumer *countersign.ConsumerSDKConfig
	B2B      *countersign.B2BSDKConfig
}

// SDKOrigin is where a call of a client library comes from, as its headers say.
type SDKOrigin struct {
	// Pages are the origins of the page: the one that the browser names and the
	// one that the library names. An app has none.
	Pages []string
	App   string // the bundle ID of an app
	// Site is how the browser says that page and server are related (W3C Fetch Metadata
	// §2.3); no page can change it. An app has none.
	Site string
}

// Admit is nil if the libraries may be used, and from there. Where domains are
// listed, every origin of a page must be one of them; an app must be listed where
// anything is. Errors: ErrEndpointNotAuthorizedForSDK, ErrBadDomainForSDK,
// ErrBadAppBundleForSDK.
func (c SDKConfig) Admit(from SDKOrigin) error {
	enabled, domains, bundles := c.basic()
	switch {
	case !enabled:
		return countersign.ErrEndpointNotAuthorizedForSDK
	case len(domains) == 0 && (len(bundles) == 0 || len(from.Pages) > 0):
		return nil
	case len(from.Pages) > 0:
		for _, page := range from.Pages {
			if !slices.ContainsFunc(domains, func(domain string) bool { return covers(domain, page) }) {
				return countersign.ErrBadDomainForSDK
			}
		}
		return nil
	case slices.Contains(bundles, from.App):
		return nil
	case len(bundles) == 0:
		return countersign.ErrBadDomainForSDK
	default:
		return countersign.ErrBadAppBundleForSDK
	}
}

// Cookies reports whether the session of a caller that is admitted lives in cookies
// which scripts cannot read. They go to pages of this server's own site alone, so
// that no other site's can use them, and there only to listed domains. Errors, where
// the configuration leaves no other way: ErrCNAMERequired, ErrCNAMEInvalid.
func (c SDKConfig) Cookies(from SDKOrigin) (bool, error) {
	_, domains, _ := c.basic()
	enforced := c.cookies() == cookiesEnforced
	switch {
	case c.cookies() == cookiesDisabled:
		return false, nil
	case len(domains) > 0 && len(from.Pages) > 0 && (from.Site == "same-origin" || from.Site == "same-site"):
		return true, nil
	case enforced && from.Site == "cross-site":
		return false, countersign.ErrCNAMEInvalid
	case enforced:
		return false, countersign.ErrCNAMERequired
	}
	return false, nil
}

func (c SDKConfig) cookies() string {
	if c.Consumer != nil {
		return c.Consumer.Cookies.HTTPOnly
	}
	return c.B2B.Cookies.HTTPOnly
}

// MaxMinutes is the longest lifetime of a session that a library may ask for.
func (c SDKConfig) MaxMinutes() int {
	if c.Consumer != nil {
		return c.Consumer.Sessions.MaxSessionDurationMinutes
	}
	return c.B2B.Sessions.MaxSessionDurationMinutes
}

// DefaultMinutes is the lifetime of a session for which a library names none: an
// hour, where that is allowed.
func (c SDKConfig) DefaultMinutes() int { return min(defaultSDKMinutes, c.MaxMinutes()) }

// MayLookForUsers is ErrEndpointNotAuthorizedForSDK unless the configuration has
// passwords, whose form alone asks whether an address is known. Without them that
// would be told to everybody for nothing.
func (c SDKConfig) MayLookForUsers() error {
	if c.Consumer == nil || !c.Consumer.Passwords.Enabled {
		return countersign.ErrEndpointNotAuthorizedForSDK
	}
	return nil
}

// SlugPattern says where in the address of the page an organization's slug
// stands; "" if nothing is known of that page.
func (c SDKConfig) SlugPattern(from SDKOrigin) string {
	if c.B2B == nil || len(from.Pages) == 0 {
		return ""
	}
	for _, d := range c.B2B.Basic.Domains {
		if covers(d.Domain, from.Pages[0]) {
			return d.SlugPattern
		}
	}
	return ""
}

func (c SDKConfig) basic() (enabled bool, domains, bundles []string) {
	if c.Consumer != nil {
		return c.Consumer.Basic.Enabled, c.Consumer.Basic.Domains, c.Consumer.Basic.BundleIDs
	}
	for _, d := range c.B2B.Basic.Domains {
		domains = append(domains, d.Domain)
	}
	return c.B2B.Basic.Enabled, domains, c.B2B.Basic.BundleIDs
}

// covers reports whether a page is of a domain as checkDomain takes it: scheme,
// host and port are the same, and * stands for one label. Without a scheme a
// domain is https, or any on the machine itself.
func covers(domain, page string) bool {
	from, ok := parseOrigin(page)
	if !ok {
		return false
	}
	if !strings.Contains(domain, "://") {
		scheme := "https"
		if from.local() {
			scheme = from.scheme
		}
		domain = scheme + "://" + domain
	}
	listed, ok := parseOrigin(domain)
	if !ok || listed.scheme != from.scheme || listed.port != from.port {
		return false
	}
	parent, wild := strings.CutPrefix(listed.host, "*.")
	if !wild {
		return listed.host == from.host
	}
	label, rest, _ := strings.Cut(from.host, ".")
	return label != "" && rest == parent
}

// origin is where a page is from (RFC 6454 §4).
type origin struct{ scheme, host, port string }

// parseOrigin reads an origin, which a slash may end.
func parseOrigin(text string) (o origin, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return o, false
	}
	o = origin{u.Scheme, strings.ToLower(u.Hostname()), u.Port()}
	switch {
	case o.port != "":
	case o.scheme == "https":
		o.port = "443"
	case o.scheme == "http":
		o.port = "80"
	default:
		return o, false
	}
	return o, true
}

// local reports whether the page is served by the machine that shows it.
func (o origin) local() bool {
	ip := net.ParseIP(o.host)
	return o.host == "localhost" || ip != nil && ip.IsLoopback()
}
