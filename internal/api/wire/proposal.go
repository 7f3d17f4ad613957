package wire

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/proposal"
)

// Proposal is a profile that somebody might make. This server's addition to the
// contract, as all in this file.
type Proposal struct {
	Profile ProposedProfile `json:"profile" doc:"As it is sent to make a profile, once nothing is missing."`
	Notes   []ProposalNote  `json:"notes"`
	Missing []string        `json:"missing" doc:"The members of the profile that must be filled in."`
}

// ProposedProfile is a profile as it is sent to make one.
type ProposedProfile struct {
	Name             string            `json:"name"`
	Issuer           string            `json:"issuer"`
	Audience         string            `json:"audience"`
	PublicKeyType    string            `json:"public_key_type" openapi:"enum=JWK"`
	JWKSURL          *string           `json:"jwks_url"`
	AttributeMapping map[string]string `json:"attribute_mapping"`
	CanJITProvision  bool              `json:"can_jit_provision" doc:"Always false: that is for the operator to decide."`
	TrustPolicy      ProposedPolicy    `json:"trust_policy"`
}

// ProposedPolicy are the settings of a trust policy that are proposed.
type ProposedPolicy struct {
	Algorithms *[]string `json:"algorithms" doc:"Null for every asymmetric algorithm."`
}

// ProposalNote is a sentence about a member of the profile.
type ProposalNote struct {
	Level   string `json:"level" openapi:"enum=info|warning" doc:"A warning is about tokens that would be refused, or people who would be taken for others."`
	About   string `json:"about" doc:"The member of the profile, or token for the sample itself."`
	Message string `json:"message"`
}

// NewProposal shapes a proposal.
func NewProposal(p proposal.Proposal) Proposal {
	w := Proposal{
		Profile: ProposedProfile{
			Name: p.Name, Issuer: p.Issuer, Audience: p.Audience, PublicKeyType: string(p.KeyType), JWKSURL: textOrNull(p.JWKSURL),
			AttributeMapping: p.Mapping,
		},
		Notes: each(p.Notes, func(n proposal.Note) ProposalNote {
			return ProposalNote{Level: string(n.Level), About: n.About, Message: n.Message}
		}),
		Missing: each(p.Missing, func(member string) string { return member }),
	}
	if p.Algorithms != nil {
		names := each(p.Algorithms, func(alg countersign.Algorithm) string { return string(alg) })
		w.Profile.TrustPolicy.Algorithms = &names
	}
	return w
}
