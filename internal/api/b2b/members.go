package b2b

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/directory"
)

type memberAnswer struct {
	wire.Envelope
	MemberID     string            `json:"member_id"`
	Member       wire.Member       `json:"member"`
	Organization wire.Organization `json:"organization"`
}

func answerMember(p countersign.Person, err error) (*memberAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &memberAnswer{MemberID: p.ID.String(), Member: wire.NewMember(p), Organization: wire.NewOrganization(*p.Organization)}, nil
}

type createMemberRequest struct {
	EmailAddress          string          `json:"email_address" openapi:"required"`
	Name                  string          `json:"name"`
	TrustedMetadata       json.RawMessage `json:"trusted_metadata" openapi:"type=object"`
	UntrustedMetadata     json.RawMessage `json:"untrusted_metadata" openapi:"type=object"`
	CreateMemberAsPending bool            `json:"create_member_as_pending"`
	IsBreakglass          bool            `json:"is_breakglass"`
	MFAPhoneNumber        string          `json:"mfa_phone_number" doc:"In E.164 form."`
	MFAEnrolled           bool            `json:"mfa_enrolled"`
	Roles                 []string        `json:"roles"`
	ExternalID            string          `json:"external_id"`
}

// createMember is POST /v1/b2b/organizations/{organization_id}/members. On behalf of
// a member who may make others, whatever a later change would need a permission for
// needs it here as well: nobody makes somebody who may do more than they may give.
func (s *Surface) createMember(ctx context.Context, c call, body createMemberRequest) (*memberAnswer, error) {
	actions := []string{"create"}
	if len(body.Roles) > 0 {
		actions = append(actions, "update.settings.roles")
	}
	if body.IsBreakglass {
		actions = append(actions, "update.settings.is-breakglass")
	}
	ref := c.organization
	if err := cmp.Or(
		c.by.may(ref, members, actions...),
		c.by.metadata(given(body.TrustedMetadata)),
		c.by.never(body.ExternalID != "", "external_id"),
	); err != nil {
		return nil, err
	}
	var err error
	n := directory.NewPerson{
		Email: body.EmailAddress, Phone: body.MFAPhoneNumber, Name: countersign.Name{First: body.Name}, Pending: body.CreateMemberAsPending,
		ExternalID: body.ExternalID, Roles: body.Roles, Breakglass: body.IsBreakglass, MFAEnrolled: body.MFAEnrolled,
	}
	if n.TrustedMetadata, err = directory.Metadata(body.TrustedMetadata); err != nil {
		return nil, err
	}
	if n.UntrustedMetadata, err = directory.Metadata(body.UntrustedMetadata); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.Create(ctx, c.by.actor, c.env, ref, n))
}

// member is GET /v1/b2b/organizations/{organization_id}/member.
func (s *Surface) member(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	ref, address := r.Query("member_id"), r.Query("email_address")
	switch {
	case (ref == "") == (address == ""):
		return nil, countersign.ErrInvalidMemberGet
	case address != "":
		return answerMember(s.Directory.MemberByEmail(ctx, r.Caller.Environment, r.Path("organization_id"), address))
	}
	return answerMember(s.Directory.Person(ctx, r.Caller.Environment, directory.Whom{Organization: r.Path("organization_id"), Person: ref}))
}

// anyMember is GET /v1/b2b/organizations/members/dangerously_get/{member_id}.
func (s *Surface) anyMember(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	var deleted bool
	if text := r.Query("include_deleted"); text != "" {
		var err error
		if deleted, err = strconv.ParseBool(text); err != nil {
			return nil, countersign.ErrBadRequest.Saying("include_deleted must be true or false.")
		}
	}
	return answerMember(s.Directory.AnyMember(ctx, r.Caller.Environment, r.Path("member_id"), deleted))
}

type updateMemberRequest struct {
	Name                     *string         `json:"name"`
	TrustedMetadata          json.RawMessage `json:"trusted_metadata" openapi:"type=object" doc:"Merged at the top level; null removes a key."`
	UntrustedMetadata        json.RawMessage `json:"untrusted_metadata" openapi:"type=object" doc:"Merged at the top level; null removes a key."`
	IsBreakglass             *bool           `json:"is_breakglass"`
	MFAPhoneNumber           string          `json:"mfa_phone_number" doc:"In E.164 form, of a member who has none."`
	MFAEnrolled              *bool           `json:"mfa_enrolled"`
	Roles                    *[]string       `json:"roles" doc:"Replaces the explicit ones."`
	PreserveExistingSessions bool            `json:"preserve_existing_sessions" doc:"No session rests on a role here: they go on either way, with the roles of the moment."`
	DefaultMFAMethod         *string         `json:"default_mfa_method" openapi:"enum=sms_otp|totp"`
	EmailAddress             string          `json:"email_address" doc:"Not verified from now on; the old one stays reserved."`
	ExternalID               string          `json:"external_id"`
	UnlinkEmail              bool            `json:"unlink_email" doc:"The old address is free."`
}

// updateMember is PUT /v1/b2b/organizations/{organization_id}/members/{member_id},
// which changes only what is there.
func (s *Surface) updateMember(ctx context.Context, c call, body updateMemberRequest) (*memberAnswer, error) {
	var actions []action
	for _, field := range []struct {
		given  bool
		action action
	}{
		{body.Name != nil, action{"update.info.name", true}},
		{given(body.UntrustedMetadata), action{"update.info.untrusted-metadata", true}},
		{body.MFAPhoneNumber != "", action{"update.info.mfa-phone", true}},
		{body.MFAEnrolled != nil, action{"update.settings.mfa-enrolled", true}},
		{body.DefaultMFAMethod != nil, action{"update.settings.default-mfa-method", true}},
		{body.IsBreakglass != nil, action{"update.settings.is-breakglass", false}},
		{body.Roles != nil, action{"update.settings.roles", false}},
		{body.EmailAddress != "", action{"update.info.email", false}},
	} {
		if field.given {
			actions = append(actions, field.action)
		}
	}
	target := c.whom()
	if err := cmp.Or(
		c.by.mayOn(target.Organization, target.Person, actions...),
		c.by.metadata(given(body.TrustedMetadata)),
		c.by.never(body.ExternalID != "", "external_id"),
	); err != nil {
		return nil, err
	}
	if body.EmailAddress != "" && c.by.is(target.Person) {
		return nil, countersign.ErrMemberCannotUpdateOwnEmail
	}
	var err error
	patch := directory.Patch{
		FirstName: body.Name, ExternalID: body.ExternalID, Roles: body.Roles,
		Breakglass: body.IsBreakglass, MFAEnrolled: body.MFAEnrolled, DefaultMFAMethod: body.DefaultMFAMethod,
		Phone: body.MFAPhoneNumber, Email: body.EmailAddress, UnlinkEmail: body.UnlinkEmail,
	}
	if patch.TrustedMetadata, err = directory.Metadata(body.TrustedMetadata); err != nil {
		return nil, err
	}
	if patch.UntrustedMetadata, err = directory.Metadata(body.UntrustedMetadata); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.Update(ctx, c.by.actor, c.env, target, patch))
}

type deleteMemberAnswer struct {
	wire.Envelope
	MemberID string `json:"member_id"`
}

// deleteMember is DELETE /v1/b2b/organizations/{organization_id}/members/{member_id}.
func (s *Surface) deleteMember(ctx context.Context, c call, _ api.None) (*deleteMemberAnswer, error) {
	if err := c.by.mayOn(c.organization, c.member, action{"delete", true}); err != nil {
		return nil, err
	}
	id, err := s.Directory.Delete(ctx, c.by.actor, c.env.ID, c.whom())
	return &deleteMemberAnswer{MemberID: id.String()}, err
}

// reactivateMember is PUT
// /v1/b2b/organizations/{organization_id}/members/{member_id}/reactivate.
func (s *Surface) reactivateMember(ctx context.Context, c call, _ api.None) (*memberAnswer, error) {
	if err := c.by.mayOn(c.organization, c.member, action{"create", false}); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.Reactivate(ctx, c.by.actor, c.env, c.organization, c.member))
}

// deleteMFAPhone is DELETE
// /v1/b2b/organizations/{organization_id}/members/mfa_phone_numbers/{member_id}.
func (s *Surface) deleteMFAPhone(ctx context.Context, c call, _ api.None) (*memberAnswer, error) {
	if err := c.by.mayOn(c.organization, c.member, action{"update.info.delete.mfa-phone", true}); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.DeleteMFAPhone(ctx, c.by.actor, c.env, c.whom()))
}

// deleteTOTP is DELETE
// /v1/b2b/organizations/{organization_id}/members/{member_id}/totp: nobody has any.
func (s *Surface) deleteTOTP(ctx context.Context, c call, _ api.None) (*memberAnswer, error) {
	if err := c.by.mayOn(c.organization, c.member, action{"update.info.delete.mfa-totp", true}); err != nil {
		return nil, err
	}
	if _, err := s.Directory.Person(ctx, c.env, c.whom()); err != nil {
		return nil, err
	}
	return nil, countersign.ErrTOTPNotFound
}

// deletePassword is DELETE
// /v1/b2b/organizations/{organization_id}/members/passwords/{member_password_id}:
// nobody has any.
func (s *Surface) deletePassword(ctx context.Context, c call, _ api.None) (*memberAnswer, error) {
	ref := c.organization
	if err := c.by.organization(ref); err != nil {
		return nil, err
	}
	if _, err := s.Directory.Organization(ctx, c.env, ref); err != nil {
		return nil, err
	}
	return nil, countersign.ErrPasswordNotFound
}

// deleteMemberExternalID is DELETE
// /v1/b2b/organizations/{organization_id}/members/{member_id}/external_id.
func (s *Surface) deleteMemberExternalID(ctx context.Context, c call, _ api.None) (*memberAnswer, error) {
	if err := cmp.Or(c.by.organization(c.organization), c.by.never(true, "external_id")); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.ClearExternalID(ctx, c.by.actor, c.env, c.whom()))
}

type unlinkRetiredEmailRequest struct {
	EmailID      string `json:"email_id"`
	EmailAddress string `json:"email_address"`
}

type unlinkRetiredEmailAnswer struct {
	memberAnswer
	OrganizationID string `json:"organization_id"`
}

// unlinkRetiredEmail is POST
// /v1/b2b/organizations/{organization_id}/members/{member_id}/unlink_retired_email.
func (s *Surface) unlinkRetiredEmail(ctx context.Context, c call, body unlinkRetiredEmailRequest) (*unlinkRetiredEmailAnswer, error) {
	target := c.whom()
	if err := c.by.mayOn(target.Organization, target.Person, action{"update.info.email", false}); err != nil {
		return nil, err
	}
	answer, err := answerMember(s.Directory.UnlinkRetiredEmail(ctx, c.by.actor, c.env, target, body.EmailID, body.EmailAddress))
	if err != nil {
		return nil, err
	}
	return &unlinkRetiredEmailAnswer{memberAnswer: *answer, OrganizationID: answer.Member.OrganizationID}, nil
}

// memberConnectedApps is GET
// /v1/b2b/organizations/{organization_id}/members/{member_id}/connected_apps: nobody
// has any.
func (s *Surface) memberConnectedApps(ctx context.Context, c call, _ api.None) (*connectedAppsAnswer, error) {
	if err := c.by.organization(c.organization); err != nil {
		return nil, err
	}
	_, err := s.Directory.Person(ctx, c.env, c.whom())
	return &connectedAppsAnswer{ConnectedApps: []wire.ConnectedApp{}}, err
}

// revokeConnectedApp is POST
// /v1/b2b/organizations/{organization_id}/members/{member_id}/connected_apps/{connected_app_id}/revoke.
func (s *Surface) revokeConnectedApp(ctx context.Context, c call, _ api.None) (*wire.Done, error) {
	if _, err := s.memberConnectedApps(ctx, c, api.None{}); err != nil {
		return nil, err
	}
	return nil, countersign.ErrConnectedAppNotFound
}
