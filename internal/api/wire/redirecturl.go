package wire

import "github.com/countersign-auth/countersign"

// RedirectURL is a redirect URL (management.md §10).
type RedirectURL struct {
	URL        string            `json:"url"`
	ValidTypes []RedirectURLType `json:"valid_types"`
}

// RedirectURLType is what a redirect URL is for.
type RedirectURLType struct {
	Type      string `json:"type" openapi:"enum=LOGIN|INVITE|SIGNUP|RESET_PASSWORD|DISCOVERY"`
	IsDefault bool   `json:"is_default"`
}

// NewRedirectURL shapes a redirect URL.
func NewRedirectURL(r countersign.RedirectURL) RedirectURL {
	return RedirectURL{URL: r.URL, ValidTypes: each(r.Types, func(t countersign.RedirectURLType) RedirectURLType { return RedirectURLType(t) })}
}

// NewRedirectURLs shapes a list of redirect URLs.
func NewRedirectURLs(list []countersign.RedirectURL) []RedirectURL { return each(list, NewRedirectURL) }
