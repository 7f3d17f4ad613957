package proposal

import (
	"maps"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// candidate is a claim that may carry an attribute.
type candidate struct {
	// path is as in a mapping; one that begins with "*" stands for every top-level
	// claim that ends with the rest and has more before it: issuers make people
	// put claims of their own into a namespace, a URL as a rule (RFC 7519 §4.2).
	path string
	// note is for the operator if this one is taken; "" if nothing is to be said.
	note string
}

// rule is how the claim for an attribute is found: the first candidate whose value
// the mapping of a profile would take.
type rule struct {
	attribute  string
	vertical   countersign.Vertical // "" for both
	required   bool
	candidates []candidate
	lists      bool // a single value is not taken for the list that it might be
	// unfit says of a candidate with another value why it was passed over; "" says
	// nothing.
	unfit string
	// taken is for the operator whichever is taken.
	taken string
}

// Claims are named as in RFC 7519 §4.1, OIDC Core §5.1 and the documentation of
// those who write them.
var rules = []rule{
	{
		attribute: countersign.AttributeEmail, required: true,
		candidates: []candidate{
			{"email", ""},
			{"*/email", ""},
			{"upn", "An address was found in upn only, which is a name to sign in by: nobody may read mail there, and it may be given to somebody else. Let the issuer add email."},
			{"preferred_username", "An address was found in preferred_username only, which people may be able to change and which nobody verifies (OIDC Core §5.7). Let the issuer add email."},
		},
	},
	{
		attribute: countersign.AttributeTokenID, required: true,
		candidates: []candidate{
			{"jti", ""},
			{"uti", ""}, // Entra ID's jti
			{"session_id", "There is no jti; token_id is the issuer's session, which stays the same for as long as that lasts. One-time tokens (one_time_tokens) need a jti."},
			{"sid", "There is no jti; token_id is the issuer's session, which stays the same for as long as that lasts. One-time tokens (one_time_tokens) need a jti."},
			{"sub", "There is neither a jti nor a session; token_id is the person, and no nonce: all tokens of one person have the same. One-time tokens (one_time_tokens) need a jti."},
		},
	},
	{
		attribute: countersign.AttributeExternalUserID, vertical: countersign.Consumer,
		candidates: []candidate{{"sub", ""}},
		unfit:      "sub has not the form of an external ID, which is 1 to 128 characters out of A-Z, a-z, 0-9, '.', '_', '|' and '-': it is not mapped.",
	},
	{
		attribute: countersign.AttributeExternalMemberID, vertical: countersign.B2B,
		candidates: []candidate{{"sub", ""}},
		unfit:      "sub has not the form of an external ID, which is 1 to 128 characters out of A-Z, a-z, 0-9, '.', '_', '|' and '-': it is not mapped.",
	},
	{
		attribute: countersign.AttributeOrganizationID, vertical: countersign.B2B,
		candidates: []candidate{{"org_id", ""}, {"organization_id", ""}, {"tid", ""}, {"tenant_id", ""}},
	},
	{
		attribute: countersign.AttributeRoleIDs, lists: true,
		candidates: []candidate{{"roles", ""}, {"groups", ""}, {"cognito:groups", ""}, {"*/roles", ""}, {"/realm_access/roles", ""}},
		taken:      "A token with a role that the policy does not define is refused (role_not_allowed): define them all, or leave role_ids out of the mapping.",
	},
}

// mapping looks for the claims of the sample.
func (p *Proposal) mapping(s Source) {
	for _, r := range rules {
		if r.vertical != "" && r.vertical != s.Vertical {
			continue
		}
		path, note, unfit := r.find(s.Token.Claims)
		if path != "" {
			p.Mapping[r.attribute] = path
		}
		switch about := aboutMapping + "." + r.attribute; {
		case path == "" && r.required:
			p.lacks(about)
			p.warn(about, "No claim of the sample can be %s: let the issuer add one.", r.attribute)
		case path == "" && unfit && r.unfit != "":
			p.warn(about, "%s", r.unfit)
		case path != "" && note != "":
			p.warn(about, "%s", note)
		case path != "" && r.taken != "":
			p.info(about, "%s", r.taken)
		}
	}
	if p.Mapping[countersign.AttributeEmail] != "" {
		p.emailTrust(s.Token.Claims)
	}
}

// find is the path of the first candidate that fits, "" if none does; unfit is
// true if there is one with another value.
func (r rule) find(c trust.Claims) (path, note string, unfit bool) {
	for _, candidate := range r.candidates {
		paths := []string{candidate.path}
		if suffix, anyName := strings.CutPrefix(candidate.path, "*"); anyName {
			paths = slices.DeleteFunc(slices.Sorted(maps.Keys(c)), func(name string) bool {
				return !strings.HasSuffix(name, suffix) || name == suffix
			})
		}
		for _, path := range paths {
			switch value := c.Lookup(path); {
			case value == nil:
			case r.fits(value):
				return path, candidate.note, false
			default:
				unfit = true
			}
		}
	}
	return "", "", unfit
}

// emailTrust says what the issuer's word about the address is worth.
func (p *Proposal) emailTrust(c trust.Claims) {
	const advice = " People are found by their address: whoever can have another's at the issuer signs in as them." +
		" Unless the issuer verifies every address, set email_trust to verified_claim, or to never_link."
	switch verified, present := c["email_verified"]; {
	case verified == true:
		p.info(aboutEmailTrust, "email_verified is true: email_trust can be verified_claim, which refuses tokens without it.")
	case !present:
		p.warn(aboutEmailTrust, "The sample has no email_verified.%s", advice)
	default:
		p.warn(aboutEmailTrust, "The sample's email_verified is not true, as a JSON boolean.%s", advice)
	}
}

func (r rule) fits(value any) bool {
	_, isList := value.([]any)
	return (isList || !r.lists) && trust.Fits(r.attribute, value)
}
