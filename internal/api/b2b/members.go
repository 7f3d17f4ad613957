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

// whom is the member that the path names.
func whom[Body any](r *api.Request[Body]) directory.Whom {
	return directory.Whom{Organization: r.Path("organization_id"), Person: r.Path("member_id")}
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
func (s *Surface) createMember(ctx context.Context, r *api.Request[createMemberRequest]) (*memberAnswer, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	actions := []string{"create"}
	if len(r.Body.Roles) > 0 {
		actions = append(actions, "update.settings.roles")
	}
	if r.Body.IsBreakglass {
		actions = append(actions, "update.settings.is-breakglass")
	}
	ref := r.Path("organization_id")
	if err := cmp.Or(
		by.may(ref, members, actions...),
		by.metadata(given(r.Body.TrustedMetadata)),
		by.never(r.Body.ExternalID != "", "external_id"),
	); err != nil {
		return nil, err
	}
	n := directory.NewPerson{
		Email: r.Body.EmailAddress, Phone: r.Body.MFAPhoneNumber, Name: countersign.Name{First: r.Body.Name}, Pending: r.Body.CreateMemberAsPending,
		ExternalID: r.Body.ExternalID, Roles: r.Body.Roles, Breakglass: r.Body.IsBreakglass, MFAEnrolled: r.Body.MFAEnrolled,
	}
	if n.TrustedMetadata, err = directory.Metadata(r.Body.TrustedMetadata); err != nil {
		return nil, err
	}
	if n.UntrustedMetadata, err = directory.Metadata(r.Body.UntrustedMetadata); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.Create(ctx, by.actor, r.Caller.Environment, ref, n))
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
func (s *Surface) updateMember(ctx context.Context, r *api.Request[updateMemberRequest]) (*memberAnswer, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	var actions []action
	for _, field := range []struct {
		given  bool
		action action
	}{
		{r.Body.Name != nil, action{"update.info.name", true}},
		{given(r.Body.UntrustedMetadata), action{"update.info.untrusted-metadata", true}},
		{r.Body.MFAPhoneNumber != "", action{"update.info.mfa-phone", true}},
		{r.Body.MFAEnrolled != nil, action{"update.settings.mfa-enrolled", true}},
		{r.Body.DefaultMFAMethod != nil, action{"update.settings.default-mfa-method", true}},
		{r.Body.IsBreakglass != nil, action{"update.settings.is-breakglass", false}},
		{r.Body.Roles != nil, action{"update.settings.roles", false}},
		{r.Body.EmailAddress != "", action{"update.info.email", false}},
	} {
		if field.given {
			actions = append(actions, field.action)
		}
	}
	target := whom(r)
	if err := cmp.Or(
		by.mayOn(target.Organization, target.Person, actions...),
		by.metadata(given(r.Body.TrustedMetadata)),
		by.never(r.Body.ExternalID != "", "external_id"),
	); err != nil {
		return nil, err
	}
	if r.Body.EmailAddress != "" && by.is(target.Person) {
		return nil, countersign.ErrMemberCannotUpdateOwnEmail
	}
	patch := directory.Patch{
		FirstName: r.Body.Name, ExternalID: r.Body.ExternalID, Roles: r.Body.Roles,
		Breakglass: r.Body.IsBreakglass, MFAEnrolled: r.Body.MFAEnrolled, DefaultMFAMethod: r.Body.DefaultMFAMethod,
		Phone: r.Body.MFAPhoneNumber, Email: r.Body.EmailAddress, UnlinkEmail: r.Body.UnlinkEmail,
	}
	if patch.TrustedMetadata, err = directory.Metadata(r.Body.TrustedMetadata); err != nil {
		return nil, err
	}
	if patch.UntrustedMetadata, err = directory.Metadata(r.Body.UntrustedMetadata); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.Update(ctx, by.actor, r.Caller.Environment, target, patch))
}

type deleteMemberAnswer struct {
	wire.Envelope
	MemberID string `json:"member_id"`
}

// deleteMember is DELETE /v1/b2b/organizations/{organization_id}/members/{member_id}.
func (s *Surface) deleteMember(ctx context.Context, r *api.Request[api.None]) (*deleteMemberAnswer, error) {
	by, err := s.allowed(ctx, r, action{"delete", true})
	if err != nil {
		return nil, err
	}
	id, err := s.Directory.Delete(ctx, by.actor, r.Caller.Environment.ID, whom(r))
	return &deleteMemberAnswer{MemberID: id.String()}, err
}

// allowed is on whose behalf a call about the member of the path is made; errors as
// behalf.may.
func (s *Surface) allowed(ctx context.Context, r *api.Request[api.None], a action) (behalf, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return by, err
	}
	return by, by.mayOn(r.Path("organization_id"), r.Path("member_id"), a)
}

// reactivateMember is PUT
// /v1/b2b/organizations/{organization_id}/members/{member_id}/reactivate.
func (s *Surface) reactivateMember(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	by, err := s.allowed(ctx, r, action{"create", false})
	if err != nil {
		return nil, err
	}
	return answerMember(s.Directory.Reactivate(ctx, by.actor, r.Caller.Environment, r.Path("organization_id"), r.Path("member_id")))
}

// deleteMFAPhone is DELETE
// /v1/b2b/organizations/{organization_id}/members/mfa_phone_numbers/{member_id}.
func (s *Surface) deleteMFAPhone(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	by, err := s.allowed(ctx, r, action{"update.info.delete.mfa-phone", true})
	if err != nil {
		return nil, err
	}
	return answerMember(s.Directory.DeleteMFAPhone(ctx, by.actor, r.Caller.Environment, whom(r)))
}

// deleteTOTP is DELETE
// /v1/b2b/organizations/{organization_id}/members/{member_id}/totp: nobody has any.
func (s *Surface) deleteTOTP(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	if _, err := s.allowed(ctx, r, action{"update.info.delete.mfa-totp", true}); err != nil {
		return nil, err
	}
	if _, err := s.Directory.Person(ctx, r.Caller.Environment, whom(r)); err != nil {
		return nil, err
	}
	return nil, countersign.ErrTOTPNotFound
}

// deletePassword is DELETE
// /v1/b2b/organizations/{organization_id}/members/passwords/{member_password_id}:
// nobody has any.
func (s *Surface) deletePassword(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	ref := r.Path("organization_id")
	if err := by.organization(ref); err != nil {
		return nil, err
	}
	if _, err := s.Directory.Organization(ctx, r.Caller.Environment, ref); err != nil {
		return nil, err
	}
	return nil, countersign.ErrPasswordNotFound
}

// deleteMemberExternalID is DELETE
// /v1/b2b/organizations/{organization_id}/members/{member_id}/external_id.
func (s *Surface) deleteMemberExternalID(ctx context.Context, r *api.Request[api.None]) (*memberAnswer, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(by.organization(r.Path("organization_id")), by.never(true, "external_id")); err != nil {
		return nil, err
	}
	return answerMember(s.Directory.ClearExternalID(ctx, by.actor, r.Caller.Environment, whom(r)))
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
func (s *Surface) unlinkRetiredEmail(ctx context.Context, r *api.Request[unlinkRetiredEmailRequest]) (*unlinkRetiredEmailAnswer, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	target := whom(r)
	if err := by.mayOn(target.Organization, target.Person, action{"update.info.email", false}); err != nil {
		return nil, err
	}
	answer, err := answerMember(s.Directory.UnlinkRetiredEmail(ctx, by.actor, r.Caller.Environment, target, r.Body.EmailID, r.Body.EmailAddress))
	if err != nil {
		return nil, err
	}
	return &unlinkRetiredEmailAnswer{memberAnswer: *answer, OrganizationID: answer.Member.OrganizationID}, nil
}

// memberConnectedApps is GET
// /v1/b2b/organizations/{organization_id}/members/{member_id}/connected_apps: nobody
// has any.
func (s *Surface) memberConnectedApps(ctx context.Context, r *api.Request[api.None]) (*connectedAppsAnswer, error) {
	by, err := s.onBehalf(ctx, r.Caller)
	if err != nil {
		return nil, err
	}
	if err := by.organization(r.Path("organization_id")); err != nil {
		return nil, err
	}
	_, err = s.Directory.Person(ctx, r.Caller.Environment, whom(r))
	return &connectedAppsAnswer{ConnectedApps: []wire.ConnectedApp{}}, err
}

// revokeConnectedApp is POST
// /v1/b2b/organizations/{organization_id}/members/{member_id}/connected_apps/{connected_app_id}/revoke.
func (s *Surface) revokeConnectedApp(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	if _, err := s.memberConnectedApps(ctx, r); err != nil {
		return nil, err
	}
	return nil, countersign.ErrConnectedAppNotFound
}
