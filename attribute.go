package countersign

// The attributes of a mapping, which a trust policy names too.
const (
	AttributeEmail            = "email"
	AttributeTokenID          = "token_id"
	AttributeExternalUserID   = "external_user_id"
	AttributeExternalMemberID = "external_member_id"
	AttributeOrganizationID   = "organization_id"
	AttributeRoleIDs          = "role_ids"
)

// Attributes are what a profile's mapping picked out of a token's claims.
type Attributes struct {
	Email          string   // one bare address, as the issuer wrote it
	EmailKey       string   // its normal form (package email)
	Subject        string   // the claim that the trust policy links people by; "" if it names none
	TokenID        string   // 1 to 256 bytes
	ExternalID     string   // "" if not mapped or the claim is absent
	OrganizationID string   // ID or external ID of a member's organization; "" if not mapped or the claim is absent
	RoleIDs        []string // nil if not mapped or the claim is absent; empty if the claim is an empty list
}
