package management

import (
	"context"
	"strconv"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type redirectURLAnswer struct {
	wire.Envelope
	RedirectURL wire.RedirectURL `json:"redirect_url"`
}

type redirectURLsAnswer struct {
	wire.Envelope
	RedirectURLs []wire.RedirectURL `json:"redirect_urls"`
}

func (s *Surface) listRedirectURLs(ctx context.Context, r *api.Request[api.None]) (*redirectURLsAnswer, error) {
	list, err := s.Projects.RedirectURLs(ctx, r.Caller.Environment.ID)
	return &redirectURLsAnswer{RedirectURLs: wire.NewRedirectURLs(list)}, err
}

func (s *Surface) redirectURL(ctx context.Context, r *api.Request[api.None]) (*redirectURLAnswer, error) {
	found, err := s.Projects.RedirectURL(ctx, r.Caller.Environment.ID, r.Query("url"))
	return &redirectURLAnswer{RedirectURL: wire.NewRedirectURL(found)}, err
}

// redirectTypes are the members of a request that a create and an update share.
type redirectTypes struct {
	ValidTypes           []wire.RedirectURLType `json:"valid_types"`
	DoNotPromoteDefaults bool                   `json:"do_not_promote_defaults"`
}

func (r redirectTypes) of(address string) countersign.RedirectURL {
	u := countersign.RedirectURL{URL: address}
	for _, t := range r.ValidTypes {
		u.Types = append(u.Types, countersign.RedirectURLType(t))
	}
	return u
}

type createRedirectURLRequest struct {
	URL string `json:"url" openapi:"required"`
	redirectTypes
}

func (s *Surface) createRedirectURL(ctx context.Context, r *api.Request[createRedirectURLRequest]) (*redirectURLAnswer, error) {
	u, err := s.Projects.AddRedirectURL(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.of(r.Body.URL), r.Body.DoNotPromoteDefaults)
	return &redirectURLAnswer{RedirectURL: wire.NewRedirectURL(u)}, err
}

type updateRedirectURLRequest struct{ redirectTypes }

func (s *Surface) updateRedirectURL(ctx context.Context, r *api.Request[updateRedirectURLRequest]) (*redirectURLAnswer, error) {
	u, err := s.Projects.SetRedirectURL(ctx, r.Caller.Actor, r.Caller.Environment, r.Body.of(r.Query("url")), r.Body.DoNotPromoteDefaults)
	return &redirectURLAnswer{RedirectURL: wire.NewRedirectURL(u)}, err
}

func (s *Surface) deleteRedirectURL(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	keep := false
	if text := r.Query("do_not_promote_defaults"); text != "" {
		var err error
		if keep, err = strconv.ParseBool(text); err != nil {
			return nil, countersign.ErrBadRequest.Saying("do_not_promote_defaults must be true or false.")
		}
	}
	return &wire.Done{}, s.Projects.DeleteRedirectURL(ctx, r.Caller.Actor, r.Caller.Environment, r.Query("url"), keep)
}
