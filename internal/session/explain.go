package session

import (
	"context"
	"errors"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Sample is what a profile is tried on: a token, or a header and claims that
// nobody signed, for which key and signature do not matter.
type Sample struct {
	Token  countersign.Bearer
	Header map[string]any
	Claims map[string]any
	// Organization is what the caller would name beside the token, or "".
	Organization string
}

// Sample makes a sample of JSON objects, read as strictly as a token's. What every
// token of the profile has, and they leave out, is added. Error: ErrBadRequest.
func (s *Service) Sample(profile *countersign.Profile, header, claims []byte) (sample Sample, err error) {
	for _, part := range []struct {
		name string
		text []byte
		into *map[string]any
	}{{"header", header, &sample.Header}, {"claims", claims, &sample.Claims}} {
		if len(part.text) == 0 || string(part.text) == "null" {
			continue
		}
		if *part.into, err = trust.ParseObject(string(part.text)); err != nil {
			return sample, countersign.ErrBadRequest.Saying("%s: %v.", part.name, err)
		}
	}
	sample.Header, sample.Claims = s.Verifier.Complete(profile, sample.Header, sample.Claims)
	return sample, nil
}

// Explanation is how far a sample came.
type Explanation struct {
	Facts   countersign.TokenFacts
	Refusal *trust.Refusal // nil if it would be accepted
	// Attributes are what the mapping found; nil if it did not get there.
	Attributes *countersign.Attributes
	// Person is whom the sample speaks of: the zero one if that is nobody who
	// exists.
	Person countersign.Person
	// Organization is whose member that is, or would be; nil for a user, and if a
	// sign-in would make it.
	Organization *countersign.Organization
	// Provisions says that a sign-in would make the person.
	Provisions bool
	At         time.Time
}

// Explain judges a sample by a profile, which need not be saved, exactly as a
// sign-in would, and changes nothing.
func (s *Service) Explain(ctx context.Context, env countersign.Environment, profile *countersign.Profile, sample Sample) (e Explanation, err error) {
	b := brought{env: env, profile: profile}
	if sample.Token != "" {
		b, err = s.judge(ctx, env, profile, sample.Token)
	} else if b.token, err = s.Verifier.Judge(profile, sample.Header, sample.Claims); err == nil {
		err = s.attribute(&b)
	}
	e.At, e.Facts = s.Now(), b.token.Facts()
	if b.attributes.TokenID != "" {
		e.Attributes = &b.attributes
	}
	b.organization = sample.Organization
	if err == nil {
		var r resolved
		r, err = s.foresee(ctx, b)
		e.Person, e.Organization = r.person, r.organization
		e.Provisions = err == nil && !r.exists
	}
	if refusal, refused := errors.AsType[*trust.Refusal](err); refused {
		e.Refusal, err = refusal, nil
	}
	return e, err
}

// foresee is the steps that need the database, without a change: whom a token
// would sign in or make. The error is as a sign-in's.
func (s *Service) foresee(ctx context.Context, b brought) (r resolved, err error) {
	rules, err := s.Rules.Of(ctx, b.env)
	if err != nil {
		return r, err
	}
	p := person{brought: b, rules: rules}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		if b.profile.Policy.OneTimeTokens {
			used, err := tx.TokenUsed(ctx, b.env.ID, b.profile.ID, p.tokenHash())
			if err != nil {
				return err
			}
			if used {
				return errUsed()
			}
		}
		r, err = p.resolve(ctx, tx, countersign.PersonID{})
		return err
	})
	return r, err
}
