package sdk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v18/stytch/b2b/organizations"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/organizations/members"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/methodoptions"
)

func TestOrganizationRefusals(t *testing.T) {
	t.Parallel()
	api := newBusiness(t).backend.Organizations
	if _, err := api.Create(t.Context(), &organizations.CreateParams{OrganizationName: "Acme", OrganizationSlug: "acme", OrganizationExternalID: "crm|7"}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		params organizations.CreateParams
		want   string
	}{
		{"no name", organizations.CreateParams{OrganizationSlug: "b2"}, "organization_name_missing"},
		{"a long name", organizations.CreateParams{OrganizationName: strings.Repeat("x", 129)}, "invalid_organization_name"},
		{"a slug of other characters", organizations.CreateParams{OrganizationName: "B", OrganizationSlug: "b b"}, "invalid_organization_slug"},
		{"a slug that is a path", organizations.CreateParams{OrganizationName: "B", OrganizationSlug: "members"}, "invalid_organization_slug"},
		{"a taken external ID", organizations.CreateParams{OrganizationName: "B", OrganizationExternalID: "crm|7"}, "organization_external_id_already_used"},
		{"an external ID of other characters", organizations.CreateParams{OrganizationName: "B", OrganizationExternalID: "a b"}, "invalid_organization_external_id"},
		{"an external ID like the server's", organizations.CreateParams{
			OrganizationName: "B", OrganizationExternalID: "organization-test-00000000-0000-4000-8000-000000000001",
		}, "external_organization_id_same_as_organization_id"},
		{"no such policy", organizations.CreateParams{OrganizationName: "B", MFAPolicy: "NEVER"}, "invalid_organization_mfa_policy"},
		{"no methods", organizations.CreateParams{OrganizationName: "B", AuthMethods: "RESTRICTED"}, "allowed_auth_methods_required_for_restricted"},
		{"no MFA methods", organizations.CreateParams{OrganizationName: "B", MFAMethods: "RESTRICTED"}, "allowed_mfa_methods_required_for_restricted"},
		{"no domain", organizations.CreateParams{OrganizationName: "B", EmailAllowedDomains: []string{"nonsense"}}, "organization_settings_invalid_domain"},
		{"a domain of everybody", organizations.CreateParams{OrganizationName: "B", EmailAllowedDomains: []string{"gmail.com"}}, "organization_settings_domain_too_common"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := api.Create(t.Context(), &row.params)
			wantRefusal(t, "create", err, refusal{400, row.want})
		})
	}
	_, err := api.Search(t.Context(), &organizations.SearchParams{Query: &organizations.SearchQuery{
		Operator: organizations.SearchQueryOperatorAND, Operands: []map[string]any{{"filter_name": "organization_name_fuzzy", "filter_value": "ac"}},
	}})
	wantRefusal(t, "two characters", err, refusal{400, "organization_search_organization_name_fuzzy_too_short"})
	found, err := api.Search(t.Context(), &organizations.SearchParams{})
	if err != nil || len(found.Organizations) != 1 {
		t.Errorf("after what was refused there are %+v, %v", found, err)
	}
}

func TestMemberRefusals(t *testing.T) {
	t.Parallel()
	b := newBusiness(t)
	signed := b.attest(t, person(), claims{"org": "acme"})
	api, id := b.backend.Organizations.Members, signed.Organization.OrganizationID
	if _, err := api.Create(t.Context(), &members.CreateParams{OrganizationID: id, EmailAddress: "Ada@example.com", ExternalID: "ada", MFAPhoneNumber: "+442071838750"}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		params members.CreateParams
		want   string
	}{
		{"no address", members.CreateParams{EmailAddress: "bob"}, "invalid_email"},
		{"a taken address, in other case", members.CreateParams{EmailAddress: "ada@EXAMPLE.com"}, "duplicate_member_email"},
		{"a taken number", members.CreateParams{EmailAddress: "bob@example.com", MFAPhoneNumber: "+442071838750"}, "duplicate_member_phone_number"},
		{"no number", members.CreateParams{EmailAddress: "bob@example.com", MFAPhoneNumber: "555"}, "invalid_phone_number"},
		{"a taken external ID", members.CreateParams{EmailAddress: "bob@example.com", ExternalID: "ada"}, "duplicate_member_external_id"},
		{"a role that is not defined", members.CreateParams{EmailAddress: "bob@example.com", Roles: []string{"nonsense"}}, "invalid_rbac_role_id"},
		{"much metadata", members.CreateParams{EmailAddress: "bob@example.com", TrustedMetadata: map[string]any{"x": strings.Repeat("x", 4096)}}, "metadata_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.params.OrganizationID = id
			_, err := api.Create(t.Context(), &row.params)
			wantRefusal(t, "create", err, refusal{400, row.want})
		})
	}
	_, err := api.Get(t.Context(), &members.GetParams{OrganizationID: id})
	wantRefusal(t, "get nobody", err, refusal{400, "invalid_member_get_fields"})
	_, err = api.Get(t.Context(), &members.GetParams{OrganizationID: id, MemberID: "ada", EmailAddress: "ada@example.com"})
	wantRefusal(t, "get somebody by two names", err, refusal{400, "invalid_member_get_fields"})
	_, err = api.Get(t.Context(), &members.GetParams{OrganizationID: id, MemberID: "nobody"})
	wantRefusal(t, "get who is not there", err, refusal{404, "member_not_found"})
	_, err = api.DeletePassword(t.Context(), &members.DeletePasswordParams{OrganizationID: id, MemberPasswordID: "member-password-test-1"})
	wantRefusal(t, "a password", err, refusal{404, "password_not_found"})
	_, err = api.UnlinkRetiredEmail(t.Context(), &members.UnlinkRetiredEmailParams{OrganizationID: id, MemberID: "ada"})
	wantRefusal(t, "unlink nothing", err, refusal{400, "retired_email_missing_email_identifiers"})
	_, err = api.Search(t.Context(), &members.SearchParams{OrganizationIds: []string{}})
	wantRefusal(t, "search nowhere", err, refusal{400, "member_search_organization_ids_empty"})
	_, err = api.Reactivate(t.Context(), &members.ReactivateParams{OrganizationID: id, MemberID: signed.MemberID})
	wantRefusal(t, "bring back who is not gone", err, refusal{400, "no_deleted_member_found_for_reactivation"})

	as := methodoptions.Authorization{SessionToken: signed.SessionToken}
	_, err = api.Search(t.Context(), &members.SearchParams{OrganizationIds: []string{id}}, &members.SearchRequestOptions{Authorization: as})
	wantRefusal(t, "search as a member", err, refusal{403, "session_authorization_error"})
	_, err = api.Update(t.Context(), &members.UpdateParams{OrganizationID: id, MemberID: signed.MemberID, TrustedMetadata: map[string]any{"a": 1}}, &members.UpdateRequestOptions{Authorization: as})
	wantRefusal(t, "trusted metadata as a member", err, refusal{401, "cannot_update_trusted_metadata"})
	_, err = api.Delete(t.Context(), &members.DeleteParams{OrganizationID: "elsewhere", MemberID: signed.MemberID}, &members.DeleteRequestOptions{Authorization: as})
	wantRefusal(t, "another organization as a member", err, refusal{403, "session_authorization_tenancy_error"})
	if _, err := api.Delete(t.Context(), &members.DeleteParams{OrganizationID: id, MemberID: signed.MemberID}, &members.DeleteRequestOptions{Authorization: as}); err != nil {
		t.Errorf("delete oneself: %v", err)
	}
}

func TestMemberSessionRefusals(t *testing.T) {
	t.Parallel()
	b, other := newBusiness(t), newBusiness(t)
	mine, theirs := b.attest(t, person(), claims{"org": "acme"}), other.attest(t, person(), claims{"org": "acme"})
	for _, row := range []struct {
		name   string
		params sessions.AuthenticateParams
		want   refusal
	}{
		{"nothing", sessions.AuthenticateParams{}, refusal{400, "no_session_arguments"}},
		{"both", sessions.AuthenticateParams{SessionToken: mine.SessionToken, SessionJWT: mine.SessionJWT}, refusal{400, "too_many_session_arguments"}},
		{"a token of another environment", sessions.AuthenticateParams{SessionToken: theirs.SessionToken}, refusal{404, "session_not_found"}},
		{"a JWT of another environment", sessions.AuthenticateParams{SessionJWT: theirs.SessionJWT}, refusal{400, "unable_to_parse_session_jwt"}},
		{"four minutes", sessions.AuthenticateParams{SessionToken: mine.SessionToken, SessionDurationMinutes: 4}, refusal{400, "invalid_session_duration_minutes"}},
		{"large claims", sessions.AuthenticateParams{
			SessionToken: mine.SessionToken, SessionCustomClaims: map[string]any{"x": strings.Repeat("x", 4096)},
		}, refusal{400, "custom_claims_too_large"}},
		{"a check by slug", sessions.AuthenticateParams{
			SessionToken: mine.SessionToken, AuthorizationCheck: &sessions.AuthorizationCheck{OrganizationID: "acme", ResourceID: "stytch.self", Action: "delete"},
		}, refusal{403, "session_authorization_tenancy_error"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := b.backend.Sessions.Authenticate(t.Context(), &row.params)
			wantRefusal(t, "authenticate", err, row.want)
		})
	}
	for _, row := range []struct {
		name   string
		params sessions.RevokeParams
		want   refusal
	}{
		{"nothing", sessions.RevokeParams{}, refusal{400, "no_session_revoke_arguments"}},
		{"two names", sessions.RevokeParams{MemberID: mine.MemberID, SessionToken: mine.SessionToken}, refusal{400, "too_many_session_revoke_arguments"}},
		{"a session of another environment", sessions.RevokeParams{MemberSessionID: theirs.MemberSession.MemberSessionID}, refusal{404, "session_not_found"}},
		{"a member of another environment", sessions.RevokeParams{MemberID: theirs.MemberID}, refusal{404, "member_not_found"}},
	} {
		t.Run("revoke "+row.name, func(t *testing.T) {
			t.Parallel()
			_, err := b.backend.Sessions.Revoke(t.Context(), &row.params)
			wantRefusal(t, "revoke", err, row.want)
		})
	}
	if _, err := b.backend.Sessions.AuthenticateJWTLocal(t.Context(), theirs.SessionJWT, time.Minute, nil); err == nil {
		t.Error("the client believes another environment's JWT")
	}
}
