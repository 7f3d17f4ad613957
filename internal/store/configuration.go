package store

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
)

// The names of an environment's configurations.
const (
	policyName          = "rbac_policy"
	templatePrefix      = "jwt_template/" // and the template's type
	sessionTemplateName = templatePrefix + string(countersign.SessionTemplate)
	consumerSDKName     = "sdk_config/consumer"
	b2bSDKName          = "sdk_config/b2b"
	redirectURLsName    = "redirect_urls"
	revocationsName     = "revocations"
)

// configuration reads a document of an environment; ErrNotFound if none was ever
// stored.
func configuration[T any](ctx context.Context, tx *Tx, env countersign.EnvironmentID, name string) (T, error) {
	return one(tx.q.QueryRowContext(ctx, `SELECT body FROM configurations WHERE environment_id = $1 AND name = $2`, env, name),
		func(row scanner) (v T, err error) { return v, row.Scan(jsonColumn{&v}) })
}

// putConfiguration stores a document of an environment, and moves the
// environment's revision.
func (tx *Tx) putConfiguration(ctx context.Context, env countersign.EnvironmentID, name string, v any) error {
	_, err := tx.exec(ctx, `
		INSERT INTO configurations (environment_id, name, body) VALUES ($1, $2, $3)
		ON CONFLICT (environment_id, name) DO UPDATE SET body = excluded.body`, env, name, jsonColumn{v})
	if err != nil {
		return err
	}
	return tx.moveRevision(ctx, env)
}

// moveRevision says that what was derived from an environment's configuration no
// longer stands; ErrNotFound if there is no such environment.
func (tx *Tx) moveRevision(ctx context.Context, env countersign.EnvironmentID) error {
	return tx.execOne(ctx, `UPDATE environments SET revision = revision + 1 WHERE environment_id = $1`, env)
}

// Policy is what an environment's roles permit; ErrNotFound if it never had one
// of its own.
func (tx *Tx) Policy(ctx context.Context, env countersign.EnvironmentID) (countersign.Policy, error) {
	return configuration[countersign.Policy](ctx, tx, env, policyName)
}

// PutPolicy replaces an environment's policy.
func (tx *Tx) PutPolicy(ctx context.Context, env countersign.EnvironmentID, p countersign.Policy) error {
	return tx.putConfiguration(ctx, env, policyName, p)
}

// Template is one of an environment's JWT templates; ErrNotFound if it was never
// stored.
func (tx *Tx) Template(ctx context.Context, env countersign.EnvironmentID, typ countersign.TemplateType) (countersign.Template, error) {
	return configuration[countersign.Template](ctx, tx, env, templatePrefix+string(typ))
}

// PutTemplate replaces one of an environment's JWT templates.
func (tx *Tx) PutTemplate(ctx context.Context, env countersign.EnvironmentID, typ countersign.TemplateType, t countersign.Template) error {
	return tx.putConfiguration(ctx, env, templatePrefix+string(typ), t)
}

// ConsumerSDKConfig is what the libraries of a consumer environment may do;
// ErrNotFound if it was never set.
func (tx *Tx) ConsumerSDKConfig(ctx context.Context, env countersign.EnvironmentID) (countersign.ConsumerSDKConfig, error) {
	return configuration[countersign.ConsumerSDKConfig](ctx, tx, env, consumerSDKName)
}

// PutConsumerSDKConfig replaces what the libraries of a consumer environment may
// do.
func (tx *Tx) PutConsumerSDKConfig(ctx context.Context, env countersign.EnvironmentID, c countersign.ConsumerSDKConfig) error {
	return tx.putConfiguration(ctx, env, consumerSDKName, c)
}

// B2BSDKConfig is what the libraries of a B2B environment may do; ErrNotFound if
// it was never set.
func (tx *Tx) B2BSDKConfig(ctx context.Context, env countersign.EnvironmentID) (countersign.B2BSDKConfig, error) {
	return configuration[countersign.B2BSDKConfig](ctx, tx, env, b2bSDKName)
}

// PutB2BSDKConfig replaces what the libraries of a B2B environment may do.
func (tx *Tx) PutB2BSDKConfig(ctx context.Context, env countersign.EnvironmentID, c countersign.B2BSDKConfig) error {
	return tx.putConfiguration(ctx, env, b2bSDKName, c)
}

// RedirectURLs are an environment's, oldest first; ErrNotFound if it never had
// any.
func (tx *Tx) RedirectURLs(ctx context.Context, env countersign.EnvironmentID) ([]countersign.RedirectURL, error) {
	return configuration[[]countersign.RedirectURL](ctx, tx, env, redirectURLsName)
}

// PutRedirectURLs replaces an environment's redirect URLs.
func (tx *Tx) PutRedirectURLs(ctx context.Context, env countersign.EnvironmentID, list []countersign.RedirectURL) error {
	return tx.putConfiguration(ctx, env, redirectURLsName, list)
}

// Standing is the configuration that requests of an environment are answered by.
type Standing struct {
	Revision int64
	Policy   *countersign.Policy   // nil: the default one
	Template *countersign.Template // of session JWTs; nil: none
	// Revocations that sessions are held against.
	Revocations []countersign.Revocation
	Profiles    []countersign.ProfileID
}

// Standing reads an environment's configuration and the revision that it is of,
// in one statement, so that they always agree; ErrNotFound if there is no such
// environment.
func (tx *Tx) Standing(ctx context.Context, env countersign.EnvironmentID) (s Standing, err error) {
	type part struct {
		name optional
		body []byte
		id   []byte
	}
	parts, err := all(ctx, tx.q, func(row scanner) (p part, err error) {
		return p, row.Scan(&s.Revision, &p.name, &p.body, &p.id)
	}, `
		SELECT e.revision, c.name, c.body, NULL FROM environments e
		LEFT JOIN configurations c ON c.environment_id = e.environment_id AND c.name IN ($2, $3, $4)
		WHERE e.environment_id = $1
		UNION ALL
		SELECT e.revision, NULL, NULL, p.profile_id FROM environments e
		JOIN profiles p ON p.environment_id = e.environment_id
		WHERE e.environment_id = $1`, env, policyName, sessionTemplateName, revocationsName)
	if err == nil && len(parts) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return s, err
	}
	for _, p := range parts {
		switch {
		case p.id != nil:
			var id countersign.ProfileID
			err = id.Scan(p.id)
			s.Profiles = append(s.Profiles, id)
		case string(p.name) == policyName:
			err = json.Unmarshal(p.body, &s.Policy)
		case string(p.name) == sessionTemplateName:
			err = json.Unmarshal(p.body, &s.Template)
		case string(p.name) == revocationsName:
			err = json.Unmarshal(p.body, &s.Revocations)
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}
