package b2b

import (
	"context"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
)

type searchOrganizationsAnswer struct {
	wire.Envelope
	Organizations   []wire.Organization  `json:"organizations"`
	ResultsMetadata wire.ResultsMetadata `json:"results_metadata"`
}

// searchOrganizations is POST /v1/b2b/organizations/search.
func (s *Surface) searchOrganizations(ctx context.Context, r *api.Request[wire.SearchRequest]) (*searchOrganizationsAnswer, error) {
	q, err := r.Body.Read(countersign.OrganizationSearch)
	if err != nil {
		return nil, err
	}
	found, err := s.Directory.SearchOrganizations(ctx, r.Caller.Environment, q)
	if err != nil {
		return nil, err
	}
	return &searchOrganizationsAnswer{
		Organizations: wire.NewOrganizations(found.Results), ResultsMetadata: wire.NewResultsMetadata(found.Total, found.Next),
	}, nil
}

type searchMembersRequest struct {
	OrganizationIDs []string `json:"organization_ids" openapi:"required" doc:"IDs, external IDs or slugs of 1 to 100 organizations."`
	wire.SearchRequest
}

type searchMembersAnswer struct {
	wire.Envelope
	Members         []wire.Member                `json:"members"`
	ResultsMetadata wire.ResultsMetadata         `json:"results_metadata"`
	Organizations   map[string]wire.Organization `json:"organizations" doc:"Those that were searched, by ID."`
}

// searchMembers is POST /v1/b2b/organizations/members/search.
func (s *Surface) searchMembers(ctx context.Context, c call, body searchMembersRequest) (*searchMembersAnswer, error) {
	return s.findMembers(ctx, c, body.OrganizationIDs, body.SearchRequest)
}

// findMembers searches organizations, each of which the one who acts may search.
func (s *Surface) findMembers(ctx context.Context, c call, among []string, request wire.SearchRequest) (*searchMembersAnswer, error) {
	for _, ref := range among {
		if err := c.by.may(ref, members, "search"); err != nil {
			return nil, err
		}
	}
	q, err := request.Read(countersign.MemberSearch)
	if err != nil {
		return nil, err
	}
	found, err := s.Directory.SearchMembers(ctx, c.env, among, q)
	if err != nil {
		return nil, err
	}
	answer := &searchMembersAnswer{
		Members: wire.NewMembers(found.Results), ResultsMetadata: wire.NewResultsMetadata(found.Total, found.Next), Organizations: map[string]wire.Organization{},
	}
	for _, o := range found.Organizations {
		answer.Organizations[o.ID.String()] = wire.NewOrganization(o)
	}
	return answer, nil
}
