package countersign

import "slices"

// RedirectURL is a place that sign-ins may lead back to (management.md §10).
type RedirectURL struct {
	URL   string            `json:"url"`
	Types []RedirectURLType `json:"valid_types"` // each type at most once
}

// RedirectURLType is what a redirect URL is for. Of all URLs of a type at most
// one is the default.
type RedirectURLType struct {
	Type      string `json:"type"`
	IsDefault bool   `json:"is_default"`
}

// IsDefault reports whether the URL is the default of a type.
func (r RedirectURL) IsDefault(typ string) bool {
	return slices.Contains(r.Types, RedirectURLType{Type: typ, IsDefault: true})
}
