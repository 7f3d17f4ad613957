package project

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/store"
)

// SettingsPatch changes those settings that it names; nil leaves one as it is.
type SettingsPatch struct {
	CrossOrgPasswordsEnabled           *bool
	UserImpersonationEnabled           *bool
	ZeroDowntimeSessionMigrationURL    *string
	UseCustomDomainInMagicLinkEmails   *bool
	UserLockSelfServeEnabled           *bool
	UserLockThreshold                  *int
	UserLockTTL                        *int // seconds
	IDPAuthorizationURL                *string
	IDPDynamicClientRegistration       *bool
	IDPDynamicClientRegistrationAccess *string
	SessionJWTAlgorithm                *countersign.Algorithm
}

// maxTemplate bounds a stored template, in bytes.
const maxTemplate = 16 << 10

// apply changes settings, and refuses values that are out of bounds.
func (p SettingsPatch) apply(s *countersign.EnvironmentSettings) error {
	set(&s.CrossOrgPasswordsEnabled, p.CrossOrgPasswordsEnabled)
	set(&s.UserImpersonationEnabled, p.UserImpersonationEnabled)
	set(&s.ZeroDowntimeSessionMigrationURL, p.ZeroDowntimeSessionMigrationURL)
	set(&s.UseCustomDomainInMagicLinkEmails, p.UseCustomDomainInMagicLinkEmails)
	set(&s.UserLockSelfServeEnabled, p.UserLockSelfServeEnabled)
	set(&s.UserLockThreshold, p.UserLockThreshold)
	set(&s.UserLockTTL, p.UserLockTTL)
	set(&s.IDPAuthorizationURL, p.IDPAuthorizationURL)
	set(&s.IDPDynamicClientRegistration, p.IDPDynamicClientRegistration)
	set(&s.IDPDynamicClientRegistrationAccess, p.IDPDynamicClientRegistrationAccess)
	set(&s.SessionJWTAlgorithm, p.SessionJWTAlgorithm)
	switch {
	case s.UserLockThreshold < 1 || s.UserLockThreshold > 1000:
		return countersign.ErrInvalidUserLockThreshold
	case s.UserLockTTL < 60 || s.UserLockTTL > 31536000:
		return countersign.ErrInvalidUserLockTTL
	case !webURL(s.ZeroDowntimeSessionMigrationURL):
		return countersign.ErrInvalidUserinfoURL
	case !webURL(s.IDPAuthorizationURL):
		return countersign.ErrInvalidAuthorizationURL
	case len(s.IDPDynamicClientRegistrationAccess) > maxTemplate:
		return countersign.ErrInvalidArgument.Saying("The access token template may have %d bytes.", maxTemplate)
	case !slices.Contains(signing.Algorithms(), s.SessionJWTAlgorithm):
		return countersign.ErrInvalidArgument.Saying("session_jwt_algorithm must be one of %v.", signing.Algorithms())
	}
	return nil
}

func set[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}

// webURL reports whether s is "" or an absolute http or https URL.
func webURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && len(s) <= 2048 && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http")
}

// NewEnvironment is what an environment begins with. An empty slug is made from
// the name.
type NewEnvironment struct {
	Name     string
	Slug     string
	Type     countersign.EnvironmentType
	Settings SettingsPatch
}

// CreateEnvironment makes an environment with one public token and its first
// signing key. Errors: ErrProjectNotFound, ErrInvalidProjectName,
// ErrInvalidProjectSlug, ErrEnvironmentSlugTaken, ErrLiveEnvironmentExists,
// ErrTooManyEnvironments, and those of settings.
func (s *Service) CreateEnvironment(ctx context.Context, actor countersign.Actor, project string, n NewEnvironment) (countersign.Environment, error) {
	e, key, err := s.prepareEnvironment(project, n)
	if err != nil {
		return e, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		e.CreatedAt = tx.Now
		p, err := tx.Project(ctx, project)
		if err != nil {
			return or(err, countersign.ErrProjectNotFound)
		}
		e.Vertical, e.ProjectName = p.Vertical, p.Name
		siblings, err := tx.Environments(ctx, project)
		if err := atMost(maxEnvironments, len(siblings), err, countersign.ErrTooManyEnvironments); err != nil {
			return err
		}
		for _, other := range siblings {
			if other.Slug == e.Slug {
				return countersign.ErrEnvironmentSlugTaken
			}
			if other.Type == countersign.LiveEnvironment && e.Type == countersign.LiveEnvironment {
				return countersign.ErrLiveEnvironmentExists
			}
		}
		if err := tx.InsertEnvironment(ctx, e); err != nil {
			return err
		}
		if err := tx.InsertSigningKey(ctx, key); err != nil {
			return err
		}
		if err := tx.InsertPublicToken(ctx, e.ID, newPublicToken(e.ID, tx.Now)); err != nil {
			return err
		}
		return tx.Record(ctx, e.ID, "environment.created", e.ID.String(), change(nil, described(e)))
	})
	return e, err
}

// prepareEnvironment does what needs no database, the making of a key above all.
func (s *Service) prepareEnvironment(project string, n NewEnvironment) (e countersign.Environment, key countersign.SigningKey, err error) {
	if n.Type != countersign.LiveEnvironment && n.Type != countersign.TestEnvironment {
		return e, key, countersign.ErrInvalidArgument.Saying("type must be LIVE or TEST.")
	}
	if err := checkName(n.Name); err != nil {
		return e, key, err
	}
	if n.Slug == "" {
		n.Slug = newSlug(n.Name)
	}
	if err := checkSlug(n.Slug); err != nil {
		return e, key, err
	}
	e = countersign.Environment{
		ID: countersign.NewID[countersign.EnvironmentID](n.Type.Class()), ProjectSlug: project, Slug: n.Slug,
		Name: n.Name, Type: n.Type, OAuthCallbackID: strings.ToLower(rand.Text()),
		Settings: countersign.DefaultEnvironmentSettings(),
	}
	if err := n.Settings.apply(&e.Settings); err != nil {
		return e, key, err
	}
	if e.SessionTokenKey, err = s.NewTokenKey(e.ID); err != nil {
		return e, key, fmt.Errorf("make a session token key: %w", err)
	}
	key, err = s.Keyring.FirstKey(e.ID, e.Settings.SessionJWTAlgorithm)
	if err != nil {
		return e, key, fmt.Errorf("make a signing key: %w", err)
	}
	return e, key, nil
}

// described is what audit events tell of an environment: never its keys.
func described(e countersign.Environment) map[string]any {
	return map[string]any{"environment_slug": e.Slug, "project_slug": e.ProjectSlug, "name": e.Name, "type": e.Type, "settings": e.Settings}
}

// Environments are a project's, oldest first; ErrProjectNotFound.
func (s *Service) Environments(ctx context.Context, project string) ([]countersign.Environment, error) {
	return view(ctx, s.Store, countersign.ErrProjectNotFound, func(tx *store.Tx) ([]countersign.Environment, error) {
		if _, err := tx.Project(ctx, project); err != nil {
			return nil, err
		}
		return tx.Environments(ctx, project)
	})
}

// AllEnvironments are those of every project, in no order that means something.
func (s *Service) AllEnvironments(ctx context.Context) ([]countersign.Environment, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.Environment, error) { return tx.AllEnvironments(ctx) })
}

// Environment finds an environment by its slugs; ErrProjectNotFound or
// ErrEnvironmentNotFound.
func (s *Service) Environment(ctx context.Context, project, slug string) (countersign.Environment, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.Environment, error) {
		return environment(ctx, tx, project, slug)
	})
}

// environment finds an environment inside a transaction, and says which of the
// two names is wrong.
func environment(ctx context.Context, tx *store.Tx, project, slug string) (countersign.Environment, error) {
	e, err := tx.EnvironmentBySlug(ctx, project, slug)
	if !errors.Is(err, store.ErrNotFound) {
		return e, err
	}
	if _, err := tx.Project(ctx, project); err != nil {
		return e, or(err, countersign.ErrProjectNotFound)
	}
	return e, countersign.ErrEnvironmentNotFound
}

// UpdateEnvironment changes the name and settings that are given. Another
// session_jwt_algorithm makes a next signing key, which signs after an hour.
// Errors: as CreateEnvironment.
func (s *Service) UpdateEnvironment(ctx context.Context, actor countersign.Actor, project, slug string, name *string, patch SettingsPatch) (e countersign.Environment, err error) {
	if name != nil {
		if err := checkName(*name); err != nil {
			return e, err
		}
	}
	rotates := false
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		before, err := environment(ctx, tx, project, slug)
		if err != nil {
			return err
		}
		e = before
		set(&e.Name, name)
		if err := patch.apply(&e.Settings); err != nil {
			return err
		}
		rotates = e.Settings.SessionJWTAlgorithm != before.Settings.SessionJWTAlgorithm
		if err := tx.UpdateEnvironment(ctx, e.ID, e.Name, e.Settings); err != nil {
			return err
		}
		return tx.Record(ctx, e.ID, "environment.updated", e.ID.String(), change(described(before), described(e)))
	})
	if err == nil && rotates {
		_, err = s.Keyring.Rotate(ctx, actor, e.ID, e.Settings.SessionJWTAlgorithm)
	}
	return e, err
}

// DeleteEnvironment makes a test environment and all that is in it vanish. The
// live one goes with its project: ErrCannotDeleteLiveEnvironment.
func (s *Service) DeleteEnvironment(ctx context.Context, actor countersign.Actor, project, slug string) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		e, err := environment(ctx, tx, project, slug)
		if err != nil {
			return err
		}
		if e.Type == countersign.LiveEnvironment {
			return countersign.ErrCannotDeleteLiveEnvironment
		}
		if err := tx.DeleteEnvironment(ctx, e.ID); err != nil {
			return err
		}
		return tx.Record(ctx, countersign.EnvironmentID{}, "environment.deleted", e.ID.String(), change(described(e), nil))
	})
}

// Counts are how many of what an environment has.
type Counts struct{ Users, Organizations, Members int }

// Counts counts what is in an environment.
func (s *Service) Counts(ctx context.Context, env countersign.Environment) (Counts, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) (c Counts, err error) {
		people := &c.Users
		if env.Vertical == countersign.B2B {
			people = &c.Members
			if c.Organizations, err = tx.CountOrganizations(ctx, env.ID); err != nil {
				return c, err
			}
		}
		*people, err = tx.CountPeople(ctx, env.ID)
		return c, err
	})
}
