package project_test

import (
	"errors"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/project"
)

// TestAdmit calls from pages and apps.
func TestAdmit(t *testing.T) {
	t.Parallel()
	const enabled = true
	on := func(domains, bundles []string) project.SDKConfig {
		return project.SDKConfig{Consumer: &countersign.ConsumerSDKConfig{
			Basic: &countersign.ConsumerBasicConfig{Enabled: enabled, Domains: domains, BundleIDs: bundles},
		}}
	}
	page := func(origins ...string) project.SDKOrigin { return project.SDKOrigin{Pages: origins} }
	app := func(id string) project.SDKOrigin { return project.SDKOrigin{App: id} }
	listed := []string{
		"https://app.example.com", "https://*.preview.example.com", "http://localhost:3000", "https://slash.example.com/", "https://port.example.com:443",
		"https://CASE.example.com", "bare.example.com", "*.wild.example.com", "127.0.0.1:8080", "localhost", "http://plain.example.com", "http://[::1]:5173",
	}
	bundles := []string{"com.example.app"}
	for _, row := range []struct {
		what   string
		config project.SDKConfig
		from   project.SDKOrigin
		want   error
	}{
		{"a page, nothing listed", on(nil, nil), page("https://anywhere.example"), nil},
		{"a page, only apps listed", on(nil, bundles), page("https://anywhere.example"), nil},
		{"nothing, nothing listed", on(nil, nil), app(""), nil},
		{"an app, nothing listed", on(nil, nil), app("com.example.app"), nil},
		{"an app that is listed", on(listed, bundles), app("com.example.app"), nil},
		{"an app that is not", on(listed, bundles), app("com.evil.app"), countersign.ErrBadAppBundleForSDK},
		{"an app that says nothing", on(nil, bundles), app(""), countersign.ErrBadAppBundleForSDK},
		{"an app, only domains listed", on(listed, nil), app("com.example.app"), countersign.ErrBadDomainForSDK},
		{"nothing, only domains listed", on(listed, nil), app(""), countersign.ErrBadDomainForSDK},
		{"a page that names an app", on(listed, bundles), project.SDKOrigin{Pages: []string{"https://evil.example"}, App: "com.example.app"}, countersign.ErrBadDomainForSDK},

		{"exactly", on(listed, nil), page("https://app.example.com"), nil},
		{"by both words", on(listed, nil), page("https://app.example.com", "https://app.example.com"), nil},
		{"by the library's word alone", on(listed, nil), page("https://evil.example", "https://app.example.com"), countersign.ErrBadDomainForSDK},
		{"by the browser's word alone", on(listed, nil), page("https://app.example.com", "https://evil.example"), countersign.ErrBadDomainForSDK},
		{"in capitals", on(listed, nil), page("https://APP.example.com"), nil},
		{"listed in capitals", on(listed, nil), page("https://case.example.com"), nil},
		{"listed with a slash", on(listed, nil), page("https://slash.example.com"), nil},
		{"listed with the usual port", on(listed, nil), page("https://port.example.com"), nil},
		{"with the usual port", on(listed, nil), page("https://app.example.com:443"), nil},
		{"of another port", on(listed, nil), page("https://app.example.com:8443"), countersign.ErrBadDomainForSDK},
		{"of another scheme", on(listed, nil), page("http://app.example.com"), countersign.ErrBadDomainForSDK},
		{"listed as http", on(listed, nil), page("http://plain.example.com"), nil},
		{"on this machine", on(listed, nil), page("http://localhost:3000"), nil},
		{"on this machine, another port", on(listed, nil), page("http://localhost:3001"), countersign.ErrBadDomainForSDK},
		{"on this machine by IPv6", on(listed, nil), page("http://[::1]:5173"), nil},
		{"without a scheme", on(listed, nil), page("https://bare.example.com"), nil},
		{"without a scheme, http", on(listed, nil), page("http://bare.example.com"), countersign.ErrBadDomainForSDK},
		{"without a scheme, on this machine", on(listed, nil), page("http://127.0.0.1:8080"), nil},
		{"without scheme and port, on this machine", on(listed, nil), page("http://localhost"), nil},
		{"one label below", on(listed, nil), page("https://pr-7.preview.example.com"), nil},
		{"one label below, without a scheme", on(listed, nil), page("https://a.wild.example.com"), nil},
		{"two labels below", on(listed, nil), page("https://a.b.preview.example.com"), countersign.ErrBadDomainForSDK},
		{"the parent", on(listed, nil), page("https://preview.example.com"), countersign.ErrBadDomainForSDK},
		{"an empty label", on(listed, nil), page("https://.preview.example.com"), countersign.ErrBadDomainForSDK},
		{"a suffix", on(listed, nil), page("https://evilapp.example.com"), countersign.ErrBadDomainForSDK},
		{"a prefix", on(listed, nil), page("https://app.example.com.evil.example"), countersign.ErrBadDomainForSDK},
		{"a user before it", on(listed, nil), page("https://app.example.com@evil.example"), countersign.ErrBadDomainForSDK},
		{"a path behind it", on(listed, nil), page("https://app.example.com/evil"), countersign.ErrBadDomainForSDK},
		{"a query behind it", on(listed, nil), page("https://app.example.com?evil"), countersign.ErrBadDomainForSDK},
		{"the pattern itself", on(listed, nil), page("https://*.preview.example.com"), nil}, // a label that no name server knows
		{"a page without an origin", on(listed, nil), page("null"), countersign.ErrBadDomainForSDK},
		{"not a web page", on(listed, nil), page("capacitor://localhost"), countersign.ErrBadDomainForSDK},
		{"no URL", on(listed, nil), page("app.example.com"), countersign.ErrBadDomainForSDK},
		{"NUL", on(listed, nil), page("https://app.example.com\x00"), countersign.ErrBadDomainForSDK},

		{"switched off", project.SDKConfig{Consumer: &countersign.ConsumerSDKConfig{Basic: &countersign.ConsumerBasicConfig{Domains: listed}}}, page("https://app.example.com"), countersign.ErrEndpointNotAuthorizedForSDK},
		{"of a B2B project", project.SDKConfig{B2B: &countersign.B2BSDKConfig{Basic: &countersign.B2BBasicConfig{Enabled: enabled, Domains: []countersign.SDKDomain{{Domain: "https://app.example.com"}}}}}, page("https://app.example.com"), nil},
		{"of a B2B project, elsewhere", project.SDKConfig{B2B: &countersign.B2BSDKConfig{Basic: &countersign.B2BBasicConfig{Enabled: enabled, Domains: []countersign.SDKDomain{{Domain: "https://app.example.com"}}}}}, page("https://evil.example"), countersign.ErrBadDomainForSDK},
	} {
		if err := row.config.Admit(row.from); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.what, err, row.want)
		}
	}
}

// TestCookies tells whose session lives in cookies, and whom that leaves without one.
func TestCookies(t *testing.T) {
	t.Parallel()
	page := func(site string) project.SDKOrigin {
		return project.SDKOrigin{Pages: []string{"https://app.example.com"}, Site: site}
	}
	app := project.SDKOrigin{App: "com.example.app"}
	listed := []string{"https://app.example.com"}
	for _, row := range []struct {
		mode    string
		domains []string
		from    project.SDKOrigin
		want    bool
		err     error
	}{
		{"DISABLED", listed, page("same-site"), false, nil},
		{"ENABLED", listed, page("same-site"), true, nil},
		{"ENABLED", listed, page("same-origin"), true, nil},
		{"ENABLED", listed, page("cross-site"), false, nil},
		{"ENABLED", listed, page("none"), false, nil},
		{"ENABLED", listed, page(""), false, nil},
		{"ENABLED", listed, app, false, nil},
		{"ENABLED", nil, page("same-site"), false, nil},
		{"ENFORCED", listed, page("same-site"), true, nil},
		{"ENFORCED", listed, page("cross-site"), false, countersign.ErrCNAMEInvalid},
		{"ENFORCED", listed, page(""), false, countersign.ErrCNAMERequired},
		{"ENFORCED", listed, app, false, countersign.ErrCNAMERequired},
		{"ENFORCED", nil, page("same-site"), false, countersign.ErrCNAMERequired},
		{"ENFORCED", listed, project.SDKOrigin{Site: "same-origin"}, false, countersign.ErrCNAMERequired},
	} {
		var b2b []countersign.SDKDomain
		for _, d := range row.domains {
			b2b = append(b2b, countersign.SDKDomain{Domain: d})
		}
		for _, c := range []project.SDKConfig{
			{Consumer: &countersign.ConsumerSDKConfig{
				Basic: &countersign.ConsumerBasicConfig{Enabled: true, Domains: row.domains}, Cookies: &countersign.SDKCookiesConfig{HTTPOnly: row.mode},
			}},
			{B2B: &countersign.B2BSDKConfig{
				Basic: &countersign.B2BBasicConfig{Enabled: true, Domains: b2b}, Cookies: &countersign.SDKCookiesConfig{HTTPOnly: row.mode},
			}},
		} {
			if got, err := c.Cookies(row.from); got != row.want || !errors.Is(err, row.err) {
				t.Errorf("%s, domains %v, from %+v: %t, %v; want %t, %v", row.mode, row.domains, row.from, got, err, row.want, row.err)
			}
		}
	}
}
