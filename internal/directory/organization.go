package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/rbac"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// Organization finds an organization by ID, external ID or slug; errors as
// FindOrganization.
func (s *Service) Organization(ctx context.Context, env countersign.Environment, ref string) (o countersign.Organization, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		o, err = FindOrganization(ctx, tx, env.ID, ref)
		return err
	})
	return o, err
}

// FindOrganization is Organization as a part of somebody else's transaction. Errors:
// ErrOrganizationNotFound, ErrInvalidOrganizationID for what can be no name of any,
// and those for an ID of the other class.
func FindOrganization(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, ref string) (o countersign.Organization, err error) {
	o, err = FindOrganizationByID(ctx, tx, env, ref)
	if err == nil || !errors.Is(err, countersign.ErrOrganizationNotFound) && !errors.Is(err, countersign.ErrInvalidOrganizationID) || !validSlug(ref) {
		return o, err
	}
	o, err = tx.OrganizationBySlug(ctx, env, ref)
	return o, or(err, countersign.ErrOrganizationNotFound)
}

// FindOrganizationByID is FindOrganization but for slugs, which an organization's
// own members may choose.
func FindOrganizationByID(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, ref string) (o countersign.Organization, err error) {
	if id, malformed := countersign.ParseID[countersign.OrganizationID](ref); malformed == nil {
		if err := countersign.CheckClass(id.Class(), env); err != nil {
			return o, err
		}
		o, err = tx.Organization(ctx, env, id)
	} else if countersign.ValidExternalID(ref) {
		o, err = tx.OrganizationByExternalID(ctx, env, ref)
	} else {
		return o, countersign.ErrInvalidOrganizationID
	}
	return o, or(err, countersign.ErrOrganizationNotFound)
}

// Members counts those of an organization who are not deleted; errors as
// FindOrganization.
func (s *Service) Members(ctx context.Context, env countersign.Environment, ref string) (n int, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		o, err := FindOrganization(ctx, tx, env.ID, ref)
		if err != nil {
			return err
		}
		n, err = tx.CountMembers(ctx, countersign.Tenant{EnvironmentID: env.ID, OrganizationID: o.ID}, store.NoLimit)
		return err
	})
	return n, err
}

// reservedNames stand in paths where the name of an organization may stand.
var reservedNames = []string{"members", "search"}

// validSlug reports whether s may be a slug: 2 to 128 characters out of A-Z, a-z,
// 0-9 and "._~-", no reserved word and no ID of ours, and not "..", which in a path
// would name somebody else.
func validSlug(s string) bool {
	if len(s) < 2 || len(s) > maxSlug || s == ".." || slices.Contains(reservedNames, s) || countersign.LooksLikeID(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !slugRune(r) })
}

const maxSlug = 128 // characters

func slugRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._~-", r)
}

// CreateOrganization makes an organization. Errors: ErrOrganizationNameMissing and
// the others of errors.md §6 that begin with organization_ or invalid_organization_,
// and those of metadata and roles.
func (s *Service) CreateOrganization(ctx context.Context, actor countersign.Actor, env countersign.Environment, p countersign.OrganizationPatch) (o countersign.Organization, err error) {
	if p.Name == nil || *p.Name == "" {
		return o, countersign.ErrOrganizationNameMissing
	}
	return s.changeOrganization(ctx, actor, env, "", p)
}

// UpdateOrganization changes an organization; errors as CreateOrganization and
// FindOrganization.
func (s *Service) UpdateOrganization(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string, p countersign.OrganizationPatch) (countersign.Organization, error) {
	return s.changeOrganization(ctx, actor, env, ref, p)
}

// changeOrganization changes the organization of that name, or a new one.
func (s *Service) changeOrganization(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string, p countersign.OrganizationPatch) (o countersign.Organization, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return o, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) (err error) {
		if ref != "" {
			if o, err = FindOrganization(ctx, tx, env.ID, ref); err != nil {
				return err
			}
		} else {
			o = newOrganization(env.ID, tx)
			if p.RestrictsSignIn() {
				o.Settings.EmailInvites = countersign.NotAllowed
			}
		}
		changed, err := applyOrganization(&o, p, rules)
		if err != nil {
			return err
		}
		if err := checkNamesFree(ctx, tx, env.ID, o); err != nil {
			return err
		}
		if ref == "" {
			return insertOrganization(ctx, tx, env.ID, &o)
		}
		return keepOrganization(ctx, tx, env.ID, &o, changed)
	})
	return o, err
}

func newOrganization(env countersign.EnvironmentID, tx *store.Tx) countersign.Organization {
	return countersign.Organization{
		ID:              countersign.NewOrderedID[countersign.OrganizationID](env.Class(), tx.Now),
		TrustedMetadata: countersign.Object{}, Settings: countersign.DefaultOrganizationSettings(),
		CreatedAt: tx.Now, UpdatedAt: tx.Now,
	}
}

// CreateOrganizationInside makes an organization that an issuer named, as a part of
// somebody else's transaction, in which they have looked for it and found none: the
// name that the issuer gave is its external ID and its name.
func CreateOrganizationInside(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, externalID string) (countersign.Organization, error) {
	o := newOrganization(env, tx)
	o.Name, o.ExternalID = externalID, externalID
	if err := checkNamesFree(ctx, tx, env, o); err != nil {
		return o, err
	}
	return o, insertOrganization(ctx, tx, env, &o)
}

func insertOrganization(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, o *countersign.Organization) (err error) {
	if o.Slug == "" {
		if o.Slug, err = freeSlug(ctx, tx, env, o.Name); err != nil {
			return err
		}
	}
	if err := tx.InsertOrganization(ctx, env, *o); err != nil {
		return err
	}
	return tx.Record(ctx, env, "organization.created", o.ID.String(), map[string]any{"slug": o.Slug})
}

func keepOrganization(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, o *countersign.Organization, changed []string) error {
	if len(changed) == 0 {
		return nil
	}
	o.UpdatedAt = tx.Now
	if err := tx.UpdateOrganization(ctx, env, *o); err != nil {
		return err
	}
	return tx.Record(ctx, env, "organization.updated", o.ID.String(), map[string]any{"changed": changed})
}

// checkNamesFree refuses an external ID or a slug that another organization goes by,
// whichever of the two: a name must not come to mean somebody else.
func checkNamesFree(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, o countersign.Organization) error {
	for _, name := range []struct {
		text  string
		taken error
	}{{o.Slug, countersign.ErrOrganizationSlugUsed}, {o.ExternalID, countersign.ErrOrganizationExternalIDUsed}} {
		if name.text == "" {
			continue
		}
		for _, find := range []func(context.Context, countersign.EnvironmentID, string) (countersign.Organization, error){tx.OrganizationBySlug, tx.OrganizationByExternalID} {
			holder, err := find(ctx, env, name.text)
			if err == nil && holder.ID != o.ID {
				return name.taken
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// freeSlug makes a slug of a name, with something random behind it if that is taken.
func freeSlug(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, name string) (string, error) {
	const tail = 9 // what is put behind, in characters
	base := strings.Trim(strings.Map(func(r rune) rune {
		if r = unicode.ToLower(r); slugRune(r) {
			return r
		}
		return '-'
	}, name), "-._~")
	for strings.Contains(base, "--") {
		base = strings.ReplaceAll(base, "--", "-")
	}
	slug := base[:min(len(base), maxSlug-tail)]
	for !validSlug(slug) || checkNamesFree(ctx, tx, env, countersign.Organization{Slug: slug}) != nil {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		slug = strings.TrimPrefix(base[:min(len(base), maxSlug-tail)]+"-"+strings.ToLower(rand.Text()[:tail-1]), "-")
	}
	return slug, nil
}

// DeleteOrganization deletes an organization with all members, and ends their
// sessions; errors as FindOrganization.
func (s *Service) DeleteOrganization(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string) (id countersign.OrganizationID, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		o, err := FindOrganization(ctx, tx, env.ID, ref)
		if err != nil {
			return err
		}
		id = o.ID
		if err := tx.DeleteOrganization(ctx, env.ID, id); err != nil {
			return err
		}
		return tx.Record(ctx, env.ID, "organization.deleted", id.String(), nil)
	})
	return id, err
}

// ClearOrganizationExternalID takes an organization's external ID away; errors as
// FindOrganization.
func (s *Service) ClearOrganizationExternalID(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string) (o countersign.Organization, err error) {
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) (err error) {
		if o, err = FindOrganization(ctx, tx, env.ID, ref); err != nil || o.ExternalID == "" {
			return err
		}
		o.ExternalID = ""
		return keepOrganization(ctx, tx, env.ID, &o, []string{"organization_external_id"})
	})
	return o, err
}

// PutCustomRoles replaces the roles that only an organization's members may have.
// Who was given one that goes, has it no more. Errors: those of policies, and of
// FindOrganization.
func (s *Service) PutCustomRoles(ctx context.Context, actor countersign.Actor, env countersign.Environment, ref string, roles []countersign.Role) (o countersign.Organization, err error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return o, err
	}
	if err := rbac.CheckOwnRoles(rules.Policy, env.Vertical, roles); err != nil {
		return o, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) (err error) {
		if o, err = FindOrganization(ctx, tx, env.ID, ref); err != nil {
			return err
		}
		revision, err := tx.MoveRevision(ctx, env.ID)
		if err != nil {
			return err
		}
		next := slices.Clone(roles)
		for i := range next {
			next[i].Since = revision
			if old := slices.IndexFunc(o.CustomRoles, func(r countersign.Role) bool { return r.ID == next[i].ID }); old >= 0 {
				next[i].Since = o.CustomRoles[old].Since
			}
		}
		o.CustomRoles = next
		return keepOrganization(ctx, tx, env.ID, &o, []string{"custom_roles"})
	})
	return o, err
}

// applyOrganization changes an organization in memory, and says which fields were
// named.
func applyOrganization(o *countersign.Organization, p countersign.OrganizationPatch, rules *standing.Rules) (changed []string, err error) {
	if p.Name != nil {
		if n := utf8.RuneCountInString(*p.Name); n == 0 || n > countersign.MaxOrganizationName || strings.ContainsFunc(*p.Name, unicode.IsControl) {
			return nil, countersign.ErrInvalidOrganizationName
		}
		o.Name = *p.Name
		changed = append(changed, "organization_name")
	}
	if p.Slug != nil && (*p.Slug != "" || o.Slug != "") {
		if !validSlug(*p.Slug) {
			return nil, countersign.ErrInvalidOrganizationSlug
		}
		o.Slug = *p.Slug
		changed = append(changed, "organization_slug")
	}
	if p.ExternalID != nil && *p.ExternalID != "" {
		switch {
		case countersign.LooksLikeID(*p.ExternalID):
			return nil, countersign.ErrOrganizationExternalIDLikeID
		case !ValidOrganizationExternalID(*p.ExternalID):
			return nil, countersign.ErrInvalidOrganizationExternalID
		}
		o.ExternalID = *p.ExternalID
		changed = append(changed, "organization_external_id")
	}
	patch, err := Metadata(p.TrustedMetadata)
	if err != nil {
		return nil, err
	}
	if len(patch) > 0 {
		if o.TrustedMetadata, err = mergeMetadata(o.TrustedMetadata, patch); err != nil {
			return nil, err
		}
		changed = append(changed, "trusted_metadata")
	}
	settings, err := applySettings(&o.Settings, p, rules.For(o))
	return append(changed, settings...), err
}

// ValidOrganizationExternalID reports whether an organization may have an external
// ID: one that no reserved word stands in the way of.
func ValidOrganizationExternalID(s string) bool {
	return countersign.ValidExternalID(s) && !slices.Contains(reservedNames, s)
}
