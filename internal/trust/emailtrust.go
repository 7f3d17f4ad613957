package trust

import (
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
)

// JudgeEmail says whether the issuer's word about the address that Map found is
// good: the step after Map. The error is a *Refusal, EmailNotVerified or
// EmailDomainNotAllowed.
func JudgeEmail(p *countersign.Profile, c Claims, a countersign.Attributes) error {
	if p.Policy.EmailTrust == countersign.EmailTrustVerified {
		// JSON true and nothing that some language takes for it.
		if verified, ok := c["email_verified"].(bool); !ok || !verified {
			return Refuse(EmailNotVerified, "email_verified to be true", c.verification())
		}
	}
	if domains := p.Policy.EmailDomains; domains != nil && !InDomains(domains, a.EmailKey) {
		return Refuse(EmailDomainNotAllowed, "an address in "+quoteAll(domains), "an address elsewhere")
	}
	return nil
}

// verification says what email_verified is instead of true. false is all that
// is shown of its value.
func (c Claims) verification() string {
	value, present := c["email_verified"]
	switch {
	case !present:
		return "no email_verified"
	case value == false:
		return "email_verified is false"
	}
	return "email_verified is " + typeOf(value)
}

// InDomains reports whether the address of a key (package email) lies in one of
// domains, which are A-labels in lower case. A subdomain is another domain.
func InDomains(domains []string, key string) bool {
	return slices.Contains(domains, email.DomainOf(key))
}
