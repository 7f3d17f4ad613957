package project

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

const maxRedirectURLs = 100 // of an environment

// redirectTypes are what a redirect URL can be for.
var redirectTypes = []string{"LOGIN", "INVITE", "SIGNUP", "RESET_PASSWORD", "DISCOVERY"}

// RedirectURLs are an environment's, oldest first.
func (s *Service) RedirectURLs(ctx context.Context, env countersign.EnvironmentID) ([]countersign.RedirectURL, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.RedirectURL, error) { return redirectURLs(ctx, tx, env) })
}

func redirectURLs(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) ([]countersign.RedirectURL, error) {
	list, err := tx.RedirectURLs(ctx, env)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return list, err
}

// RedirectURL finds a redirect URL by its exact text; ErrRedirectURLNotFound.
func (s *Service) RedirectURL(ctx context.Context, env countersign.EnvironmentID, address string) (countersign.RedirectURL, error) {
	list, err := s.RedirectURLs(ctx, env)
	if err != nil {
		return countersign.RedirectURL{}, err
	}
	i := indexOfURL(list, address)
	if i < 0 {
		return countersign.RedirectURL{}, countersign.ErrRedirectURLNotFound
	}
	return list[i], nil
}

func indexOfURL(list []countersign.RedirectURL, address string) int {
	return slices.IndexFunc(list, func(r countersign.RedirectURL) bool { return r.URL == address })
}

func indexOfType(r countersign.RedirectURL, typ string) int {
	return slices.IndexFunc(r.Types, func(t countersign.RedirectURLType) bool { return t.Type == typ })
}

// AddRedirectURL adds a redirect URL, or types to one that is there. Unless
// keepDefaults, a type of which it is the only URL gets it as its default.
// Errors: those of the form of URLs and types, ErrTooManyRedirectURLs,
// ErrEnvironmentNotFound.
func (s *Service) AddRedirectURL(ctx context.Context, actor countersign.Actor, env countersign.Environment, r countersign.RedirectURL, keepDefaults bool) (countersign.RedirectURL, error) {
	return s.changeRedirectURLs(ctx, actor, env, r, keepDefaults, func(list []countersign.RedirectURL) ([]countersign.RedirectURL, error) {
		i := indexOfURL(list, r.URL)
		if i < 0 {
			if len(list) >= maxRedirectURLs {
				return nil, countersign.ErrTooManyRedirectURLs
			}
			return append(list, countersign.RedirectURL{URL: r.URL, Types: slices.Clone(r.Types)}), nil
		}
		for _, t := range r.Types {
			if j := indexOfType(list[i], t.Type); j >= 0 {
				list[i].Types[j] = t
			} else {
				list[i].Types = append(list[i].Types, t)
			}
		}
		return list, nil
	})
}

// SetRedirectURL replaces the types of a redirect URL. Errors: as AddRedirectURL,
// and ErrRedirectURLNotFound.
func (s *Service) SetRedirectURL(ctx context.Context, actor countersign.Actor, env countersign.Environment, r countersign.RedirectURL, keepDefaults bool) (countersign.RedirectURL, error) {
	return s.changeRedirectURLs(ctx, actor, env, r, keepDefaults, func(list []countersign.RedirectURL) ([]countersign.RedirectURL, error) {
		i := indexOfURL(list, r.URL)
		if i < 0 {
			return nil, countersign.ErrRedirectURLNotFound
		}
		list[i].Types = slices.Clone(r.Types)
		return list, nil
	})
}

// DeleteRedirectURL removes a redirect URL. Unless keepDefaults, what it was the
// default of gets another. ErrRedirectURLNotFound.
func (s *Service) DeleteRedirectURL(ctx context.Context, actor countersign.Actor, env countersign.Environment, address string, keepDefaults bool) error {
	_, err := s.changeRedirectURLs(ctx, actor, env, countersign.RedirectURL{URL: address}, keepDefaults, func(list []countersign.RedirectURL) ([]countersign.RedirectURL, error) {
		i := indexOfURL(list, address)
		if i < 0 {
			return nil, countersign.ErrRedirectURLNotFound
		}
		return slices.Delete(list, i, i+1), nil
	})
	return err
}

// changeRedirectURLs changes the list by fn, where r is the one that changes,
// settles the defaults, and gives back r as it is then. fn keeps nothing of r:
// settling changes the list, and a transaction that runs again needs r as it was.
func (s *Service) changeRedirectURLs(ctx context.Context, actor countersign.Actor, env countersign.Environment, r countersign.RedirectURL, keepDefaults bool, fn func([]countersign.RedirectURL) ([]countersign.RedirectURL, error)) (after countersign.RedirectURL, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := redirectURLs(ctx, tx, env.ID)
		if err != nil {
			return err
		}
		list, err := fn(cloneURLs(before))
		if err != nil {
			return err
		}
		if len(r.Types) > 0 || indexOfURL(before, r.URL) < 0 { // an address that is there already was good
			if err := checkRedirectURL(r, env.Type); err != nil {
				return err
			}
		}
		touched, had := r.Types, countersign.RedirectURL{}
		if i := indexOfURL(before, r.URL); i >= 0 {
			had = before[i]
			touched = slices.Concat(touched, had.Types)
		}
		for _, t := range touched {
			settleDefault(list, t.Type, r, had.IsDefault(t.Type), keepDefaults)
		}
		if i := indexOfURL(list, r.URL); i >= 0 {
			after = list[i]
		}
		if err := tx.PutRedirectURLs(ctx, env.ID, list); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		return tx.Record(ctx, env.ID, "redirect_urls.updated", env.ID.String(), change(before, list))
	})
	return after, err
}

func cloneURLs(list []countersign.RedirectURL) []countersign.RedirectURL {
	clone := slices.Clone(list)
	for i := range clone {
		clone[i].Types = slices.Clone(clone[i].Types)
	}
	return clone
}

// settleDefault leaves a type at most one default: if r says that it is the one,
// no other is. Unless keepDefaults, r is one where it is alone; and if it had been
// the default, the oldest URL beside it that can be one takes its place.
func settleDefault(list []countersign.RedirectURL, typ string, r countersign.RedirectURL, had, keepDefaults bool) {
	claimed := r.IsDefault(typ)
	var current, oldest, own *countersign.RedirectURLType
	others := 0
	for i := range list {
		j := indexOfType(list[i], typ)
		if j < 0 {
			continue
		}
		t := &list[i].Types[j]
		if list[i].URL != r.URL {
			others++
			t.IsDefault = t.IsDefault && !claimed
		}
		switch {
		case t.IsDefault:
			current = t
		case checkDefault(list[i].URL) != nil: // can never be one
		case list[i].URL == r.URL:
			own = t
		case oldest == nil:
			oldest = t
		}
	}
	next := own
	if had {
		next = cmp.Or(oldest, own)
	}
	if current == nil && next != nil && !keepDefaults && (had || others == 0) {
		next.IsDefault = true
	}
}

// forbiddenProtocols run something where they are followed.
var forbiddenProtocols = []string{"javascript", "data", "vbscript", "file", "filesystem", "blob", "about", "view-source"}

func checkRedirectURL(r countersign.RedirectURL, typ countersign.EnvironmentType) error {
	if err := checkAddress(r.URL, typ); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, t := range r.Types {
		if !slices.Contains(redirectTypes, t.Type) || seen[t.Type] {
			return countersign.ErrInvalidRedirectURLType.Saying("Received: %.64q.", t.Type)
		}
		seen[t.Type] = true
		if t.IsDefault {
			if err := checkDefault(r.URL); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAddress takes web addresses and those of apps, with wildcards and with
// placeholders in the query. It takes no credentials, which audit events would
// tell, and no scheme without a slash behind it: localhost:3000 is a web address
// that lacks its own.
func checkAddress(address string, typ countersign.EnvironmentType) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2048 || u.Scheme == "" || strings.ContainsFunc(address, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return countersign.ErrInvalidArgument.Saying("url must be an absolute URL of at most 2048 bytes.")
	}
	switch {
	case slices.Contains(forbiddenProtocols, strings.ToLower(u.Scheme)):
		return countersign.ErrRedirectURLProtocol
	case hasWildcard(address) && typ == countersign.LiveEnvironment:
		return countersign.ErrWildcardInLiveRedirectURL
	case u.User != nil:
		return countersign.ErrInvalidArgument.Saying("url must not have a user name or a password.")
	case u.Scheme != "https" && u.Scheme != "http" && u.Opaque != "":
		return countersign.ErrInvalidArgument.Saying("url must be written like https://example.com/path or com.example.app:/path.")
	case u.Scheme == "https" && u.Hostname() != "", u.Scheme != "http" && u.Scheme != "https": // an app's own scheme
		return nil
	case u.Scheme == "http" && typ == countersign.TestEnvironment && isThisMachine(u.Hostname()):
		return nil
	default:
		return countersign.ErrRedirectURLMustUseHTTPS
	}
}

func isThisMachine(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// hasWildcard reports whether an address stands for many. In a query * is a letter.
func hasWildcard(address string) bool {
	beforeQuery, _, _ := strings.Cut(address, "?")
	return strings.Contains(beforeQuery, "*")
}

// checkDefault refuses as a default what is not one address.
func checkDefault(address string) error {
	_, query, _ := strings.Cut(address, "?")
	switch {
	case hasWildcard(address):
		return countersign.ErrWildcardRedirectURLDefault
	case strings.Contains(query, "{}"):
		return countersign.ErrPlaceholderRedirectURLDefault
	}
	return nil
}
