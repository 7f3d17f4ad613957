package project

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/claimtemplate"
	"github.com/countersign-auth/countersign/internal/store"
)

const maxAudience = 256 // bytes of a custom audience

// Template is one of an environment's JWT templates; the empty object if it never
// had another. ErrJWTTemplateNotFound for a type that there is not.
func (s *Service) Template(ctx context.Context, env countersign.Environment, typ countersign.TemplateType) (countersign.Template, error) {
	if err := checkTemplateType(typ); err != nil {
		return countersign.Template{}, err
	}
	return view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.Template, error) { return template(ctx, tx, env.ID, typ) })
}

func template(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, typ countersign.TemplateType) (countersign.Template, error) {
	t, err := tx.Template(ctx, env, typ)
	if errors.Is(err, store.ErrNotFound) {
		return countersign.Template{Content: "{}"}, nil
	}
	return t, err
}

// SetTemplate replaces one of an environment's JWT templates, which is kept as it
// was sent. Errors: ErrJWTTemplateNotFound, ErrJWTTemplateInvalidJSON,
// ErrJWTTemplateInvalidTag, ErrJWTTemplateMismatchedTag,
// ErrStytchClaimsInCustomClaims, ErrEnvironmentNotFound, and ErrInvalidArgument
// for the audience.
func (s *Service) SetTemplate(ctx context.Context, actor countersign.Actor, env countersign.Environment, typ countersign.TemplateType, after countersign.Template) (countersign.Template, error) {
	if err := checkTemplateType(typ); err != nil {
		return after, err
	}
	if err := checkTemplate(env.Vertical, typ, after); err != nil {
		return after, err
	}
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := template(ctx, tx, env.ID, typ)
		if err != nil {
			return err
		}
		if err := tx.PutTemplate(ctx, env.ID, typ, after); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		return tx.Record(ctx, env.ID, "jwt_template.updated", string(typ), change(before, after))
	})
	return after, err
}

func checkTemplateType(typ countersign.TemplateType) error {
	if typ != countersign.SessionTemplate && typ != countersign.M2MTemplate {
		return countersign.ErrJWTTemplateNotFound
	}
	return nil
}

// checkTemplate refuses a template that could never be rendered. What a path
// leads to is only known when a session is made: a place without a value renders
// as null.
func checkTemplate(v countersign.Vertical, typ countersign.TemplateType, t countersign.Template) error {
	if len(t.CustomAudience) > maxAudience || strings.ContainsFunc(t.CustomAudience, unicode.IsControl) {
		return countersign.ErrInvalidArgument.Saying("custom_audience may have %d bytes and no control characters.", maxAudience)
	}
	parsed, err := claimtemplate.Parse(t.Content)
	if err != nil {
		return err
	}
	if typ != countersign.SessionTemplate {
		return nil
	}
	roots := []string{"user"}
	if v == countersign.B2B {
		roots = []string{"member", "organization"}
	}
	for _, path := range parsed.Paths() {
		if !slices.Contains(roots, path[0]) {
			return countersign.ErrJWTTemplateInvalidTag.Saying("{{ %s }} must begin with %s.", path, strings.Join(roots, " or "))
		}
	}
	if slices.ContainsFunc(parsed.Names(), func(name string) bool { return strings.HasPrefix(name, countersign.ClaimNamespace) }) {
		return countersign.ErrStytchClaimsInCustomClaims
	}
	return nil
}
