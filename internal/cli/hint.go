package cli

// plane is one half of the wire contract; it decides the credentials.
type plane int

const (
	apiPlane        plane = iota // /v1, with a project ID and a secret
	managementPlane              // /pwa/v3, with a workspace key
)

// hint is the next step after a refusal, for those that are met most.
func (e *apiError) hint() string {
	switch e.Type {
	case "unauthorized_credentials", "invalid_project_id_authentication", "invalid_secret_authentication":
		if e.plane == managementPlane {
			return "check COUNTERSIGN_WORKSPACE_KEY_ID and COUNTERSIGN_WORKSPACE_KEY_SECRET (or …_SECRET_FILE); the first start of countersign serve prints them"
		}
		return "check COUNTERSIGN_PROJECT_ID (project-test-…, see countersign environment list) and COUNTERSIGN_SECRET (or …_FILE); countersign secret create makes one"
	case "project_not_found":
		return "countersign project list shows which there are"
	case "environment_not_found":
		return "countersign environment list shows which there are"
	case "secret_not_found":
		return "countersign secret list shows which there are"
	case "public_token_not_found":
		return "countersign public-token list shows which there are"
	case "trusted_token_profile_not_found":
		return "countersign profile list shows which there are; the profile must be of the same environment as the secret"
	case "invalid_trusted_auth_token", "jwt_invalid_issuer", "jwt_invalid_audience", "jwt_invalid_claims":
		const compare = "compare the token (countersign token inspect) with the profile (countersign profile get)"
		if e.RequestID == "" {
			return compare
		}
		return "countersign explain " + e.RequestID + " says why, check by check; or " + compare
	case "keys_unavailable":
		return "the server cannot read the issuer's key set; a private address must be allowed with countersign serve --jwks-allow-private"
	case "user_not_found":
		return "countersign user search finds people by address, number or name"
	case "invalid_create_user_request":
		return "give --email or --phone"
	case "duplicate_email", "duplicate_phone_number":
		return "countersign user search --email or --phone shows who has it"
	case "duplicate_user_external_id":
		return "countersign user get with that ID shows who has it"
	case "invalid_rbac_role_id":
		return "countersign policy get shows which there are"
	case "cannot_assign_default_rbac_role_id":
		return "leave it out: everybody has it"
	case "invalid_consumer_endpoint":
		return "use a project ID and a secret of a project with vertical CONSUMER"
	case "invalid_b2b_endpoint":
		return "use a project ID and a secret of a project with vertical B2B"
	case "organization_not_found":
		return "countersign organization search shows which there are"
	case "organization_slug_already_used", "organization_external_id_already_used":
		return "countersign organization get with it shows which one that is"
	case "token_missing_organization_id_claim":
		return "name it with --organization, or have the profile's mapping read organization_id from a claim (countersign profile update)"
	case "invalid_token_organization_id_claim":
		return "leave out --organization: the token or the profile says which one it is"
	case "session_authorization_tenancy_error":
		return "give --organization the ID of the session's own organization; a slug or an external ID is none"
	case "member_not_found":
		return "countersign member search finds members by address or role, deleted ones with --status deleted"
	case "duplicate_member_email", "reactivation_email_belongs_to_another_member":
		return "countersign member get with that address shows who has it"
	case "duplicate_member_external_id":
		return "countersign member get with that ID shows who has it"
	case "retired_member_email":
		return "the API frees it with unlink_retired_email; countersign member update --unlink-email keeps no old address in the first place"
	case "no_deleted_member_found_for_reactivation":
		return "countersign member search --status deleted shows which there are; it takes the server's ID"
	case "email_unverified_for_reactivation":
		return "the address is free: countersign member create makes a new member of it"
	case "session_not_found":
		return "attest again to start a new session"
	case "no_session_arguments":
		return "give the session with --session-token-file, --session-jwt-file or COUNTERSIGN_SESSION_TOKEN"
	case "no_session_revoke_arguments":
		return "give the session with --session-id, --session-token-file or --session-jwt-file; or somebody with --user-id, in a B2B project with --member-id"
	case "user_id_mismatch", "member_session_member_id_mismatch":
		return "to start a session instead of attaching to one, leave out the session flags and unset COUNTERSIGN_SESSION_TOKEN and COUNTERSIGN_SESSION_JWT"
	case "unable_to_delete_last_public_token":
		return "countersign public-token create first, then delete this one"
	case "cannot_delete_live_environment":
		return "countersign project delete deletes it with its project"
	case "live_environment_already_exists":
		return "add --type TEST; a project has one LIVE environment"
	case "must_have_pem_files_for_trusted_token_profile_with_type_pem":
		return "countersign profile key add first, then delete this one; or delete the profile"
	case "cannot_add_pem_file_to_non_pem_trusted_token_profile":
		return "this profile reads its keys from its jwks_url; make another with --public-key"
	case "verdict_not_found":
		return "countersign verdicts lists those that are kept; to judge a token anew: countersign explain --profile ID --token FILE"
	case "trusted_token_profile_test_failed":
		return "correct the profile or its test, or save it all the same with --force"
	case "invalid_revocation":
		return "give --session or --user alone, or any of --profile, --key-id and --before, which must be past"
	case "too_many_revocations":
		return "countersign revocations shows which stand; each goes a day after SWEPT_AT"
	case "too_many_requests":
		if e.RetryAfter != "" {
			return "try again in " + printable(e.RetryAfter) + " s"
		}
		return "try again in a moment"
	case "route_not_found":
		return "is COUNTERSIGN_URL the address of a countersign server, and is the server as new as this command?"
	default:
		return ""
	}
}
