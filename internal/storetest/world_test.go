package storetest_test

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// world is an environment with one of everything.
type world struct {
	project      countersign.Project
	env          countersign.Environment
	secret       countersign.Secret
	public       countersign.PublicToken
	profile      countersign.Profile
	key          countersign.SigningKey
	user         countersign.Person
	organization countersign.Organization
	member       countersign.Person
	policy       countersign.Policy
	template     countersign.Template
	consumer     countersign.ConsumerSDKConfig
	b2b          countersign.B2BSDKConfig
	redirect     []countersign.RedirectURL
	session      countersign.Session
	keySet       countersign.KeySetSnapshot
	stream       countersign.EventStream
	verdict      countersign.Verdict
	revoked      []countersign.Revocation
}

// subject and hash are what a world's user is linked by and its used token is
// known by.
const subject = "sub|ü"

var hash = []byte{0, 1, 0xff}

// exactly compares everything, unexported fields too.
var exactly = cmp.Exporter(func(reflect.Type) bool { return true })

// moment has as many digits as the store keeps.
var moment = time.Date(2026, 1, 5, 10, 0, 0, 123456000, time.UTC)

// newWorld describes one; slug tells it from others.
func newWorld(slug string, class countersign.Class) world {
	env := countersign.NewID[countersign.EnvironmentID](class)
	user := countersign.NewOrderedID[countersign.PersonID](class, moment)
	member := countersign.PersonIDIn(countersign.B2B, countersign.NewOrderedID[countersign.PersonID](class, moment))
	settings := countersign.DefaultOrganizationSettings()
	settings.ImplicitRoles = []countersign.ImplicitRole{{Domain: "example.com", RoleID: "editor"}}
	organization := countersign.Organization{
		ID: countersign.NewOrderedID[countersign.OrganizationID](class, moment), Name: "Åcme", Slug: "acme", ExternalID: "org|1",
		TrustedMetadata: countersign.Object{"digits": []byte("12345678901234567890")}, Settings: settings,
		CustomRoles: []countersign.Role{{ID: "own", Permissions: []countersign.Permission{}, Since: 3}}, CreatedAt: moment, UpdatedAt: moment.Add(time.Second),
	}
	profile := countersign.NewID[countersign.ProfileID](class)
	request := countersign.NewOrderedID[countersign.RequestID](class, moment)
	kind := countersign.TestEnvironment
	if class == countersign.Live {
		kind = countersign.LiveEnvironment
	}
	return world{
		project: countersign.Project{Slug: slug, Name: "Prôject \"" + slug + "\"", Vertical: countersign.Consumer, CreatedAt: moment},
		env: countersign.Environment{
			ID: env, Slug: "env", ProjectSlug: slug, ProjectName: "Prôject \"" + slug + "\"", Vertical: countersign.Consumer, Name: "Ümgebung", Type: kind,
			OAuthCallbackID: "callback", Settings: countersign.DefaultEnvironmentSettings(), SessionTokenKey: []byte{0, 1, 0xff}, CreatedAt: moment,
			Revision: 7, // a profile and six configurations later
		},
		secret: countersign.Secret{
			ID: countersign.NewID[countersign.SecretID](class), EnvironmentID: env, Hash: []byte("hash of " + slug), LastFour: "wxyz", CreatedAt: moment,
		},
		public: countersign.PublicToken{ID: countersign.NewID[countersign.PublicTokenID](class), CreatedAt: moment},
		profile: countersign.Profile{
			ID: profile, EnvironmentID: env, Name: "<issuer> & sons", Issuer: "https://issuer.example", Audience: "aud", KeyType: countersign.KeyTypePEM,
			AttributeMapping: []byte(`{"email":"email","n":12345678901234567890}`), CanJITProvision: true, CreatedAt: moment,
			Policy: countersign.TrustPolicy{
				Algorithms: []countersign.Algorithm{countersign.ES256}, Audiences: []string{"<b>"}, RequiredType: "at+jwt", ClockSkew: 0, MaxTokenLifetime: 60,
				MaxTokenAge: 30, OneTimeTokens: true, SubjectClaim: "sub", EmailTrust: countersign.EmailTrustNever, EmailDomains: []string{"example.com"},
				OnSignIn: map[string]countersign.SignInUpdate{"email": countersign.UpdateAlways}, RoleIDsAllowed: []string{}, OrganizationID: "o",
				JITDomains: []string{"example.com"}, JITPerHour: 7, Conditions: []string{"claims.a > 1"}, Mode: countersign.ModeShadow,
				Tests: []countersign.ProfileTest{{Name: "t", Claims: countersign.Object{"a": []byte("1.50")}, Expect: countersign.Expectation{Reason: "expired"}}},
			},
			PEMFiles: []countersign.PEMFile{
				{ID: countersign.NewID[countersign.PEMFileID](class), PublicKey: "-----BEGIN PUBLIC KEY-----\r\nfirst\n"},
				{ID: countersign.NewID[countersign.PEMFileID](class), PublicKey: "-----BEGIN PUBLIC KEY-----\nsecond"},
			},
		},
		key: countersign.SigningKey{
			ID: countersign.NewID[countersign.SigningKeyID](class), EnvironmentID: env, Ordinal: 1, Algorithm: countersign.ES256,
			PublicKey: []byte{1}, PrivateKey: []byte{2}, CreatedAt: moment, ActivatesAt: moment,
		},
		user: countersign.Person{
			ID: user, Status: countersign.Pending, Name: countersign.Name{First: "Ada", Last: "Løvelace"}, ExternalID: "Ext|1",
			Emails: []countersign.Email{
				{ID: countersign.NewID[countersign.EmailID](class), Address: "Ada@Example.com", Key: "ada@example.com"},
			},
			Phones:          []countersign.Phone{{ID: countersign.NewID[countersign.PhoneID](class), Number: "+4930123456"}},
			TrustedMetadata: countersign.Object{"digits": []byte("12345678901234567890"), "none": []byte("null")}, UntrustedMetadata: countersign.Object{},
			Grants: []countersign.Grant{
				{RoleID: "editor", Revision: 1, Explicit: true},
				{RoleID: "reader", Profiles: []countersign.ProfileID{profile}},
			},
			CreatedAt: moment,
		},
		organization: organization,
		member: countersign.Person{
			ID: member, Organization: &organization, Status: countersign.Invited, Name: countersign.Name{First: "Ada L"}, ExternalID: "Ext|1",
			Emails: []countersign.Email{
				{ID: countersign.NewID[countersign.EmailID](class), Address: "Ada@Example.com", Key: "ada@example.com"},
			},
			TrustedMetadata: countersign.Object{}, UntrustedMetadata: countersign.Object{},
			Grants:     []countersign.Grant{{RoleID: "own", Revision: 3, Explicit: true}},
			Membership: countersign.Membership{Breakglass: true, MFAEnrolled: true, DefaultMFAMethod: "sms_otp", UpdatedAt: moment},
			CreatedAt:  moment,
		},
		policy: countersign.Policy{
			DefaultRoles:    []countersign.Role{{ID: countersign.DefaultUserRole, Permissions: []countersign.Permission{}}},
			CustomRoles:     []countersign.Role{{ID: "editor", Description: "ü", Permissions: []countersign.Permission{{ResourceID: "docs", Actions: []string{"*"}}}, Since: 1}},
			CustomResources: []countersign.Resource{{ID: "docs", Actions: []string{"write", "read"}}},
			CustomScopes:    []countersign.Scope{},
		},
		template: countersign.Template{Content: "{\n \"a\": {{ user.name }} }", CustomAudience: "aud"},
		consumer: countersign.ConsumerSDKConfig{Basic: &countersign.ConsumerBasicConfig{Enabled: true, Domains: []string{"https://a.example"}, BundleIDs: []string{}}},
		b2b:      countersign.B2BSDKConfig{Sessions: &countersign.SDKSessionsConfig{MaxSessionDurationMinutes: 5}},
		redirect: []countersign.RedirectURL{{URL: "https://a.example/?x={}&y", Types: []countersign.RedirectURLType{{Type: "LOGIN", IsDefault: true}}}},
		session: countersign.Session{
			ID: countersign.NewOrderedID[countersign.SessionID](class, moment), PersonID: user, StartedAt: moment, LastAccessedAt: moment,
			ExpiresAt: moment.Add(time.Hour), Attributes: countersign.SessionAttributes{IPAddress: "192.0.2.1", UserAgent: "ü"},
			CustomClaims: countersign.Object{"plan": []byte(`{"a":[1,2.50]}`)}, Nonce: []byte{0xff, 0, 0xff},
			Factors: []countersign.Factor{
				{ProfileID: profile, TokenID: "t-\"1\"", KeyID: "kid", LastAuthenticatedAt: moment, CreatedAt: moment, UpdatedAt: moment.Add(time.Microsecond)},
				{ProfileID: profile, TokenID: "t-2", LastAuthenticatedAt: moment, CreatedAt: moment, UpdatedAt: moment},
			},
		},
		keySet: countersign.KeySetSnapshot{
			EnvironmentID: env, URL: "https://issuer.example/keys", Body: []byte("{\"keys\":[]}\x00\xff"), ETag: `"1"`, FetchedAt: moment, FreshUntil: moment.Add(time.Minute),
		},
		stream: countersign.EventStream{
			EnvironmentID: env, Type: countersign.GrafanaLoki, Status: countersign.StreamingActive, Config: []byte{0, 0xff},
			Position: countersign.NewOrderedID[countersign.EventID](class, moment.Add(-time.Hour)), LeasedUntil: moment.Add(time.Minute),
			Failures: 2, LastError: "the answer is 500", NextAttemptAt: moment, CreatedAt: moment,
		},
		verdict: countersign.Verdict{
			EnvironmentID: env, RequestID: request, At: moment, ProfileID: profile, PersonID: user, Reason: "expired", Step: "times", Expected: "ü", Received: "\"<b>\"",
			Shadow: true, Address: "192.0.2.1",
			Facts: countersign.TokenFacts{Algorithm: "RS256", Audiences: []string{"a", "<b>"}, ExpiresAt: moment.Add(time.Nanosecond), ClaimNames: []string{"aud"}},
		},
		revoked: []countersign.Revocation{{ID: countersign.NewOrderedID[countersign.RevocationID](class, moment), KeyID: "k", Before: moment.Add(-time.Hour), CreatedAt: moment}},
	}
}

// tenant is that of the world's user.
func (w world) tenant() countersign.Tenant { return countersign.Tenant{EnvironmentID: w.env.ID} }

// put stores a world.
func (w world) put(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	update(t, s, func(tx *store.Tx) error {
		steps := []func() error{
			func() error { return tx.InsertProject(ctx, w.project) },
			func() error { return tx.InsertEnvironment(ctx, w.env) },
			func() error { return tx.InsertSecret(ctx, w.secret) },
			func() error { return tx.InsertPublicToken(ctx, w.env.ID, w.public) },
			func() error { return tx.InsertProfile(ctx, w.profile) },
			func() error { return tx.InsertSigningKey(ctx, w.key) },
			func() error { return tx.PutPolicy(ctx, w.env.ID, w.policy) },
			func() error { return tx.PutTemplate(ctx, w.env.ID, countersign.SessionTemplate, w.template) },
			func() error { return tx.PutConsumerSDKConfig(ctx, w.env.ID, w.consumer) },
			func() error { return tx.PutB2BSDKConfig(ctx, w.env.ID, w.b2b) },
			func() error { return tx.PutRedirectURLs(ctx, w.env.ID, w.redirect) },
			func() error { return tx.PutRevocations(ctx, w.env.ID, w.revoked) },
			func() error { return tx.InsertLink(ctx, w.tenant(), w.profile.ID, subject, w.user.ID) },
			func() error { return used(tx.UseToken(ctx, w.env.ID, w.profile.ID, hash, moment.Add(time.Hour))) },
			func() error { return tx.CountProvisioning(ctx, w.env.ID, w.profile.ID) },
			func() error { return tx.InsertPerson(ctx, w.env.ID, w.user) },
			func() error { return tx.InsertEmail(ctx, w.tenant(), w.user.ID, w.user.Emails[0]) },
			func() error { return tx.InsertPhone(ctx, w.tenant(), w.user.ID, w.user.Phones[0]) },
			func() error { return tx.InsertOrganization(ctx, w.env.ID, w.organization) },
			func() error { return tx.InsertPerson(ctx, w.env.ID, w.member) },
			func() error { return tx.InsertEmail(ctx, w.member.Tenant(w.env.ID), w.member.ID, w.member.Emails[0]) },
			func() error { return tx.InsertLink(ctx, w.member.Tenant(w.env.ID), w.profile.ID, subject, w.member.ID) },
			func() error { return tx.InsertSession(ctx, w.env.ID, w.session) },
			func() error { return tx.InsertEventStream(ctx, w.stream) },
			func() error { return tx.Record(ctx, w.env.ID, "world.made", w.env.Slug, map[string]string{"a": "<b>"}) },
		}
		for i, step := range steps {
			if err := step(); err != nil {
				return fmt.Errorf("step %d: %w", i, err)
			}
		}
		return nil
	})
	if err := s.SaveKeySet(ctx, w.keySet); err != nil {
		t.Fatalf("SaveKeySet = %v", err)
	}
	gap := store.VerdictGap{EnvironmentID: w.env.ID, ProfileID: w.profile.ID, Minute: moment.Truncate(time.Minute), Missed: 3}
	if err := s.SaveVerdicts(ctx, []countersign.Verdict{w.verdict}, []store.VerdictGap{gap}); err != nil {
		t.Fatalf("SaveVerdicts = %v", err)
	}
}

// used is an error unless a token was fresh.
func used(fresh bool, err error) error {
	if err == nil && !fresh {
		err = errors.New("the token was used before")
	}
	return err
}

// get reads the same world back.
func (w world) get(t *testing.T, s *store.Store) world {
	t.Helper()
	ctx := t.Context()
	var got world
	err := s.View(ctx, func(tx *store.Tx) (err error) {
		if got.project, err = tx.Project(ctx, w.project.Slug); err != nil {
			return fmt.Errorf("project: %w", err)
		}
		credential, err := tx.SecretByHash(ctx, w.env.ID, w.secret.Hash)
		if err != nil {
			return fmt.Errorf("credential: %w", err)
		}
		if got.secret, err = tx.Secret(ctx, w.env.ID, credential.SecretID); err != nil || !got.secret.UsedAt.Equal(credential.UsedAt) {
			return fmt.Errorf("secret used at %v, not %v: %w", got.secret.UsedAt, credential.UsedAt, err)
		}
		if got.env, err = tx.Environment(ctx, w.env.ID); err != nil || got.env.Revision != credential.Revision {
			return fmt.Errorf("environment of revision %d, not %d: %w", got.env.Revision, credential.Revision, err)
		}
		if got.public, err = tx.PublicToken(ctx, w.env.ID, w.public.ID); err != nil {
			return fmt.Errorf("public token: %w", err)
		}
		if env, err := tx.EnvironmentByPublicToken(ctx, w.public.ID); err != nil || env.ID != w.env.ID {
			return fmt.Errorf("the environment of the public token is %s: %w", env.ID, err)
		}
		if got.profile, err = tx.Profile(ctx, w.env.ID, w.profile.ID); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		keys, err := tx.SigningKeys(ctx, w.env.ID)
		if err != nil || len(keys) != 1 {
			return fmt.Errorf("%d signing keys: %w", len(keys), err)
		}
		got.key = keys[0]
		if got.user, err = tx.Person(ctx, w.env.ID, w.user.ID); err != nil {
			return fmt.Errorf("user: %w", err)
		}
		if got.organization, err = tx.Organization(ctx, w.env.ID, w.organization.ID); err != nil {
			return fmt.Errorf("organization: %w", err)
		}
		if got.member, err = tx.Person(ctx, w.env.ID, w.member.ID); err != nil {
			return fmt.Errorf("member: %w", err)
		}
		if got.policy, err = tx.Policy(ctx, w.env.ID); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		if got.template, err = tx.Template(ctx, w.env.ID, countersign.SessionTemplate); err != nil {
			return fmt.Errorf("template: %w", err)
		}
		if got.consumer, err = tx.ConsumerSDKConfig(ctx, w.env.ID); err != nil {
			return fmt.Errorf("SDK configuration: %w", err)
		}
		if got.b2b, err = tx.B2BSDKConfig(ctx, w.env.ID); err != nil {
			return fmt.Errorf("SDK configuration: %w", err)
		}
		if got.redirect, err = tx.RedirectURLs(ctx, w.env.ID); err != nil {
			return fmt.Errorf("redirect URLs: %w", err)
		}
		if got.session, err = tx.Session(ctx, w.env.ID, w.session.ID); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		streams, err := tx.EventStreams(ctx, w.env.ID)
		if err != nil || len(streams) != 1 {
			return fmt.Errorf("%d event streams: %w", len(streams), err)
		}
		got.stream = streams[0]
		if got.verdict, err = tx.Verdict(ctx, w.env.ID, w.verdict.RequestID); err != nil {
			return fmt.Errorf("verdict: %w", err)
		}
		got.revoked, err = tx.Revocations(ctx, w.env.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, found, err := s.LoadKeySet(ctx, w.env.ID, w.keySet.URL)
	if err != nil || !found {
		t.Fatalf("LoadKeySet = %t, %v", found, err)
	}
	got.keySet = kept
	return got
}

// update runs fn, which must succeed.
func update(t *testing.T, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), countersign.System(), fn); err != nil {
		t.Fatalf("Update = %v", err)
	}
}

// still is a clock that shows moment.
func still() time.Time { return moment }

// environmentTables are those whose rows belong to an environment.
var environmentTables = []string{
	"configurations", "departed_environments", "departed_organizations", "environments", "event_streams", "events", "key_sets", "organizations", "pem_files", "person_links", "profiles", "provisionings", "public_tokens",
	"secrets", "sessions", "signing_keys", "used_tokens", "user_identifiers", "users", "verdict_gaps", "verdict_hours", "verdicts",
}

func TestEnvironmentTablesAreAll(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	storetest.Open(t, path, still)
	rows, err := storetest.Raw(t, path).QueryContext(t.Context(), `
		SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.name = 'environment_id' ORDER BY m.name`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(environmentTables, names); diff != "" {
		t.Errorf("a table with an environment_id that the suite does not watch (-suite +schema):\n%s", diff)
	}
}

// dump is every row of an environment.
func dump(t *testing.T, db *sql.DB, env countersign.EnvironmentID) []string {
	t.Helper()
	var list []string
	for _, table := range environmentTables {
		list = append(list, dumpTable(t, db, table, env)...)
	}
	slices.Sort(list)
	return list
}

func dumpTable(t *testing.T, db *sql.DB, table string, env countersign.EnvironmentID) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE environment_id = $1", env)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		line := table
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = hex.EncodeToString(b)
			}
			line += fmt.Sprintf(" %s=%v", columns[i], v)
		}
		list = append(list, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
