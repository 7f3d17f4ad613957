package proposal_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/proposal"
	"github.com/countersign-auth/countersign/internal/trust"
)

var now = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// sample is a token that nobody signed.
func sample(t testing.TB, header, claims string) *trust.Token {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	token, err := trust.Unverified(b64([]byte(header)) + "." + b64([]byte(claims)) + ".AA")
	if err != nil {
		t.Fatalf("read %s %s: %v", header, claims, err)
	}
	return &token
}

// about are the subjects of the notes of a level.
func about(p proposal.Proposal, level proposal.Level) (list []string) {
	for _, note := range p.Notes {
		if note.Level == level {
			list = append(list, note.About)
		}
	}
	return list
}

const life = `"iat":1767607200,"exp":1767610800,`

// Tokens as issuers make them, and what their own documents say; a time is
// 2026-01-05 10:00 to 11:00.
func TestMake(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name           string
		vertical       countersign.Vertical // consumer if ""
		header, claims string
		document       *trust.Document
		want           proposal.Proposal // without notes
		warnings       []string
	}{
		{
			name:   "Auth0, ID token with claims of its own",
			header: `{"alg":"RS256","typ":"JWT","kid":"NjVBRjY5MDlC"}`,
			claims: `{` + life + `"iss":"https://acme.eu.auth0.com/","aud":"Zx8lq2client","sub":"auth0|5f7c8ec7c33c6c004bbafe82","sid":"a1b2","nonce":"n",
				"nickname":"ada","name":"Ada","https://acme.example/email":"ada@example.com","https://acme.example/roles":["admin"],"email_verified":true}`,
			document: &trust.Document{
				Issuer: "https://acme.eu.auth0.com/", JWKSURL: "https://acme.eu.auth0.com/.well-known/jwks.json", Algorithms: []string{"HS256", "RS256", "PS256"},
			},
			want: proposal.Proposal{
				Name: "acme.eu.auth0.com", Issuer: "https://acme.eu.auth0.com/", Audience: "Zx8lq2client", JWKSURL: "https://acme.eu.auth0.com/.well-known/jwks.json",
				Mapping: map[string]string{
					"email": "https://acme.example/email", "token_id": "sid", "external_user_id": "sub", "role_ids": "https://acme.example/roles",
				},
				Algorithms: []countersign.Algorithm{countersign.RS256},
			},
			warnings: []string{"attribute_mapping.token_id"},
		},
		{
			name:   "Auth0, access token",
			header: `{"alg":"RS256","typ":"at+jwt","kid":"NjVBRjY5MDlC"}`,
			claims: `{` + life + `"iss":"https://acme.eu.auth0.com/","aud":["https://acme.eu.auth0.com/userinfo","https://api.acme.example"],"sub":"auth0|7",
				"azp":"Zx8lq2client","scope":"openid","jti":"t7"}`,
			want: proposal.Proposal{
				Name: "acme.eu.auth0.com", Issuer: "https://acme.eu.auth0.com/", Audience: "https://api.acme.example",
				Mapping:    map[string]string{"token_id": "jti", "external_user_id": "sub"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
				Missing:    []string{"jwks_url", "attribute_mapping.email"},
			},
			warnings: []string{"audience", "jwks_url", "attribute_mapping.email"},
		},
		{
			name:   "Keycloak, access token",
			header: `{"alg":"RS256","typ":"JWT","kid":"FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"}`,
			claims: `{` + life + `"iss":"https://sso.example.com/realms/acme","aud":["account","backend"],"sub":"248289761001-0c","typ":"Bearer","azp":"web","sid":"s","jti":"trrtcc:1",
				"realm_access":{"roles":["default-roles-acme","offline_access"]},"email_verified":true,"preferred_username":"ada","email":"ada@example.com"}`,
			document: &trust.Document{
				Issuer: "https://sso.example.com/realms/acme", JWKSURL: "https://sso.example.com/realms/acme/protocol/openid-connect/certs",
				Algorithms: []string{"PS384", "RS384", "EdDSA", "ES384", "HS256", "HS512", "ES256", "RS256", "HS384", "ES512", "PS256", "PS512", "RS512"},
			},
			want: proposal.Proposal{
				Name: "sso.example.com/realms/acme", Issuer: "https://sso.example.com/realms/acme", Audience: "backend",
				JWKSURL:    "https://sso.example.com/realms/acme/protocol/openid-connect/certs",
				Mapping:    map[string]string{"email": "email", "token_id": "jti", "external_user_id": "sub", "role_ids": "/realm_access/roles"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
			},
			warnings: []string{"audience"},
		},
		{
			name:   "Supabase, asymmetric keys",
			header: `{"alg":"ES256","typ":"JWT","kid":"b8aa2d3e"}`,
			claims: `{` + life + `"iss":"https://abcdefgh.supabase.co/auth/v1","aud":"authenticated","sub":"0d2f7c1e-8a3b-4a0e-9f64-2b8c7d1e5f00","email":"ada@example.com",
				"phone":"","role":"authenticated","aal":"aal1","session_id":"4c6a7d3e-0000-4000-8000-5f1b2c3d4e5f","app_metadata":{"provider":"email"},"user_metadata":{"email_verified":true}}`,
			document: &trust.Document{
				Issuer: "https://abcdefgh.supabase.co/auth/v1", JWKSURL: "https://abcdefgh.supabase.co/auth/v1/.well-known/jwks.json", Algorithms: []string{"RS256", "HS256", "ES256"},
			},
			want: proposal.Proposal{
				Name: "abcdefgh.supabase.co/auth/v1", Issuer: "https://abcdefgh.supabase.co/auth/v1", Audience: "authenticated",
				JWKSURL:    "https://abcdefgh.supabase.co/auth/v1/.well-known/jwks.json",
				Mapping:    map[string]string{"email": "email", "token_id": "session_id", "external_user_id": "sub"},
				Algorithms: []countersign.Algorithm{countersign.ES256},
			},
			warnings: []string{"attribute_mapping.token_id", "trust_policy.email_trust"},
		},
		{
			name:   "Supabase, shared secret",
			header: `{"alg":"HS256","typ":"JWT"}`,
			claims: `{` + life + `"iss":"https://abcdefgh.supabase.co/auth/v1","aud":"authenticated","sub":"0d2f7c1e","email":"","phone":"15551234567","session_id":"4c6a7d3e"}`,
			want: proposal.Proposal{
				Name: "abcdefgh.supabase.co/auth/v1", Issuer: "https://abcdefgh.supabase.co/auth/v1", Audience: "authenticated",
				Mapping: map[string]string{"token_id": "session_id", "external_user_id": "sub"},
				Missing: []string{"jwks_url", "attribute_mapping.email"},
			},
			warnings: []string{"jwks_url", "trust_policy.algorithms", "attribute_mapping.email", "attribute_mapping.token_id"},
		},
		{
			name:   "Firebase",
			header: `{"alg":"RS256","kid":"8e8fc8e556f7a76d08d35829d6f90ae2e12cfd0d","typ":"JWT"}`,
			claims: `{` + life + `"iss":"https://securetoken.google.com/acme-1","aud":"acme-1","auth_time":1767607200,"user_id":"x7","sub":"x7","email":"ada@example.com",
				"email_verified":false,"firebase":{"identities":{"email":["ada@example.com"]},"sign_in_provider":"password"}}`,
			document: &trust.Document{
				Issuer: "https://securetoken.google.com/acme-1", JWKSURL: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", Algorithms: []string{"RS256"},
			},
			want: proposal.Proposal{
				Name: "securetoken.google.com/acme-1", Issuer: "https://securetoken.google.com/acme-1", Audience: "acme-1",
				JWKSURL:    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
				Mapping:    map[string]string{"email": "email", "token_id": "sub", "external_user_id": "sub"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
			},
			warnings: []string{"attribute_mapping.token_id", "trust_policy.email_trust"},
		},
		{
			name:   "Cognito, ID token",
			header: `{"kid":"1234example=","alg":"RS256"}`,
			claims: `{` + life + `"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example","aud":"7client","sub":"aaaa-bbbb","cognito:groups":["admins"],
				"email_verified":true,"cognito:username":"ada","origin_jti":"o","event_id":"e","token_use":"id","jti":"j","email":"ada@example.com"}`,
			want: proposal.Proposal{
				Name: "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example", Issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example", Audience: "7client",
				Mapping:    map[string]string{"email": "email", "token_id": "jti", "external_user_id": "sub", "role_ids": "cognito:groups"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
				Missing:    []string{"jwks_url"},
			},
			warnings: []string{"jwks_url"},
		},
		{
			name:   "Cognito, access token",
			header: `{"kid":"1234example=","alg":"RS256"}`,
			claims: `{` + life + `"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example","client_id":"7client","sub":"aaaa-bbbb","token_use":"access","jti":"j","username":"ada"}`,
			want: proposal.Proposal{
				Name: "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example", Issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example",
				Mapping:    map[string]string{"token_id": "jti", "external_user_id": "sub"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
				Missing:    []string{"audience", "jwks_url", "attribute_mapping.email"},
			},
			warnings: []string{"audience", "jwks_url", "attribute_mapping.email"},
		},
		{
			name: "Entra ID, B2B", vertical: countersign.B2B,
			header: `{"typ":"JWT","alg":"RS256","kid":"1LTMzakihiRla_8z2BEJVXeWMqo"}`,
			claims: `{` + life + `"iss":"https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0","aud":"6cb04018-a3f5-46a7-b995-940c78f5aef3","nbf":1767607200,
				"sub":"AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ","name":"Ada","preferred_username":"ada@example.com","oid":"00000000-0000-0000-66f3-3332eca7ea81",
				"tid":"9122040d-6c67-4c5b-b112-36a304b66dad","uti":"u7","ver":"2.0","groups":["g-1"]}`,
			document: &trust.Document{
				Issuer:  "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
				JWKSURL: "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys", Algorithms: []string{"RS256"},
			},
			want: proposal.Proposal{
				Name:   "login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
				Issuer: "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0", Audience: "6cb04018-a3f5-46a7-b995-940c78f5aef3",
				JWKSURL:    "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys",
				Mapping:    map[string]string{"email": "preferred_username", "token_id": "uti", "external_member_id": "sub", "organization_id": "tid", "role_ids": "groups"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
			},
			warnings: []string{"attribute_mapping.email", "trust_policy.email_trust"},
		},
		{
			name:   "Entra ID, version 1",
			header: `{"typ":"JWT","alg":"RS256","kid":"k"}`,
			claims: `{` + life + `"iss":"https://sts.windows.net/9122040d/","aud":"api://acme","sub":"AAAA","upn":"ada@example.com","tid":"9122040d","uti":"u7"}`,
			document: &trust.Document{
				Issuer: "https://login.microsoftonline.com/9122040d/v2.0", JWKSURL: "https://login.microsoftonline.com/9122040d/discovery/v2.0/keys", Algorithms: []string{"RS256"},
			},
			want: proposal.Proposal{
				Name: "sts.windows.net/9122040d", Issuer: "https://sts.windows.net/9122040d/", Audience: "api://acme",
				Mapping:    map[string]string{"email": "upn", "token_id": "uti", "external_user_id": "sub"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
				Missing:    []string{"jwks_url"},
			},
			warnings: []string{"issuer", "jwks_url", "attribute_mapping.email", "trust_policy.email_trust"},
		},
		{
			name:   "Google",
			header: `{"alg":"RS256","kid":"e8731","typ":"JWT"}`,
			claims: `{` + life + `"iss":"https://accounts.google.com","azp":"7.apps.googleusercontent.com","aud":"7.apps.googleusercontent.com","sub":"110169484474386276334",
				"hd":"example.com","email":"ada@example.com","email_verified":true,"at_hash":"h"}`,
			document: &trust.Document{Issuer: "https://accounts.google.com", JWKSURL: "https://www.googleapis.com/oauth2/v3/certs", Algorithms: []string{"RS256"}},
			want: proposal.Proposal{
				Name: "accounts.google.com", Issuer: "https://accounts.google.com", Audience: "7.apps.googleusercontent.com", JWKSURL: "https://www.googleapis.com/oauth2/v3/certs",
				Mapping:    map[string]string{"email": "email", "token_id": "sub", "external_user_id": "sub"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
			},
			warnings: []string{"attribute_mapping.token_id"},
		},
		{
			name:   "Okta, B2B of its own",
			header: `{"kid":"DRS7K","alg":"RS256"}`, vertical: countersign.B2B,
			claims: `{` + life + `"ver":1,"jti":"ID.4eAWJO","iss":"https://acme.okta.com/oauth2/default","aud":"uAaunofWkaDJxukCFeBx","sub":"00uid4BxXw6I6TV4m0g3",
				"email":"ada@example.com","email_verified":true,"groups":["Everyone"],"org_id":"acme","preferred_username":"ada@example.com","amr":["pwd"]}`,
			document: &trust.Document{Issuer: "https://acme.okta.com/oauth2/default", JWKSURL: "https://acme.okta.com/oauth2/default/v1/keys", Algorithms: []string{"RS256"}},
			want: proposal.Proposal{
				Name: "acme.okta.com/oauth2/default", Issuer: "https://acme.okta.com/oauth2/default", Audience: "uAaunofWkaDJxukCFeBx", JWKSURL: "https://acme.okta.com/oauth2/default/v1/keys",
				Mapping:    map[string]string{"email": "email", "token_id": "jti", "external_member_id": "sub", "organization_id": "org_id", "role_ids": "groups"},
				Algorithms: []countersign.Algorithm{countersign.RS256},
			},
		},
		{
			name:     "a document alone",
			document: &trust.Document{Issuer: "https://idp.example.com", JWKSURL: "https://idp.example.com/keys", Algorithms: []string{"HS256", "ES256", "RS256", "ES256", "ML-DSA-44"}},
			want: proposal.Proposal{
				Name: "idp.example.com", Issuer: "https://idp.example.com", JWKSURL: "https://idp.example.com/keys",
				Mapping:    map[string]string{"email": "email", "token_id": "jti"},
				Algorithms: []countersign.Algorithm{countersign.ES256, countersign.RS256},
				Missing:    []string{"audience"},
			},
		},
		{
			name:     "a document of shared secrets",
			document: &trust.Document{Issuer: "https://idp.example.com/", Algorithms: []string{"HS256", "none"}},
			want: proposal.Proposal{
				Name: "idp.example.com", Issuer: "https://idp.example.com/", Mapping: map[string]string{"email": "email", "token_id": "jti"},
				Missing: []string{"audience", "jwks_url"},
			},
			warnings: []string{"jwks_url", "trust_policy.algorithms"},
		},
		{
			name:   "nothing in it",
			header: `{}`, claims: `{}`,
			want: proposal.Proposal{
				Name: "issuer", Mapping: map[string]string{},
				Missing: []string{"issuer", "audience", "jwks_url", "attribute_mapping.email", "attribute_mapping.token_id"},
			},
			warnings: []string{"issuer", "audience", "jwks_url", "trust_policy.algorithms", "token", "attribute_mapping.email", "attribute_mapping.token_id"},
		},
		{
			name:   "nothing of the right type",
			header: `{"alg":7,"typ":[],"kid":{}}`,
			claims: `{"iss":7,"aud":[7,""],"exp":"soon","jti":1.5,"sid":"","sub":["a"],"email":"nobody","preferred_username":"ada","groups":[7],"roles":"admin"}`,
			want: proposal.Proposal{
				Name: "issuer", Mapping: map[string]string{},
				Missing: []string{"issuer", "audience", "jwks_url", "attribute_mapping.email", "attribute_mapping.token_id"},
			},
			warnings: []string{
				"issuer", "audience", "jwks_url", "trust_policy.algorithms", "token", "attribute_mapping.email", "attribute_mapping.token_id", "attribute_mapping.external_user_id",
			},
		},
		{
			name:   "another purpose",
			header: `{"alg":"none","typ":"application/Logout+JWT","kid":"a"}`,
			claims: `{` + life + `"iss":"mine","aud":["account"],"jti":"t","sub":"f:1:ada","email":"ada@example.com","email_verified":"true"}`,
			want: proposal.Proposal{
				Name: "mine", Issuer: "mine", Audience: "account", Mapping: map[string]string{"email": "email", "token_id": "jti"}, Missing: []string{"jwks_url"},
			},
			warnings: []string{"audience", "jwks_url", "trust_policy.algorithms", "trust_policy.required_typ", "attribute_mapping.external_user_id", "trust_policy.email_trust"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			source := proposal.Source{Vertical: countersign.Consumer, Document: row.document, Now: now}
			if row.vertical != "" {
				source.Vertical = row.vertical
			}
			if row.claims != "" {
				source.Token = sample(t, row.header, row.claims)
			}
			got := proposal.Make(source)
			if diff := cmp.Diff(row.warnings, about(got, proposal.Warning)); diff != "" {
				t.Errorf("warnings about (-want +got)\n%s", diff)
			}
			got.Notes, row.want.KeyType = nil, countersign.KeyTypeJWK
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("proposal (-want +got)\n%s", diff)
			}
		})
	}
}

// What is said about one thing and about nothing else.
func TestNotes(t *testing.T) {
	t.Parallel()
	const good = `"iss":"https://idp.example.com","aud":"countersign","jti":"t","sub":"7","email":"ada@example.com","email_verified":true`
	for _, row := range []struct{ name, header, claims, want string }{
		{"expired", `{"alg":"RS256","kid":"a"}`, `{` + good + `,"exp":1767607199}`, "info token: The sample has expired, which makes no difference to a proposal."},
		{"no kid", `{"alg":"RS256"}`, `{` + good + `,"exp":1767607201}`, "info token: The sample has no kid: every key of the issuer is tried."},
		{"no exp", `{"alg":"RS256","kid":"a"}`, `{` + good + `}`, "warning token: The sample has no exp, and such tokens are refused: let the issuer write one."},
		{
			"roles", `{"alg":"RS256","kid":"a"}`, `{` + good + `,"exp":1767607201,"roles":["admin"]}`,
			"info attribute_mapping.role_ids: A token with a role that the policy does not define is refused (role_not_allowed): define them all, or leave role_ids out of the mapping.",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			document := &trust.Document{URL: "https://idp.example.com/document", Issuer: "https://idp.example.com", JWKSURL: "https://idp.example.com/keys"}
			p := proposal.Make(proposal.Source{Vertical: countersign.Consumer, Token: sample(t, row.header, row.claims), Document: document, Now: now})
			usual := "info trust_policy.email_trust: email_verified is true: email_trust can be verified_claim, which refuses tokens without it."
			var got []string
			for _, note := range p.Notes {
				got = append(got, string(note.Level)+" "+note.About+": "+note.Message)
			}
			found := `info jwks_url: Found in the issuer's document, "https://idp.example.com/document".`
			want := []string{found, row.want, usual}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("notes (-want +got)\n%s", diff)
			}
		})
	}
}

// What is wrong at the issuer is said with what to do there.
func TestIssuerNotes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, issuer string
		header       string // of a sample of that issuer, "" for none
		document     *trust.Document
		want         string
	}{
		{
			name:     "keys over http",
			document: &trust.Document{URL: "http://idp.internal/document", Issuer: "http://idp.internal", JWKSURL: "http://idp.internal/keys"},
			want:     "warning jwks_url: The keys come over http: whoever stands in between can put in others, and sign in anybody. They are read only if the server was started with --jwks-allow-private for that host.",
		},
		{
			name: "a slash", issuer: "https://idp.example.com/", header: `{"alg":"RS256","kid":"a"}`,
			document: &trust.Document{Issuer: "https://idp.example.com", JWKSURL: "https://idp.example.com/keys"},
			want:     `warning issuer: The sample's iss is "https://idp.example.com/", the document is of "https://idp.example.com": they differ in the slash at the end alone, and are two issuers all the same. Ask for the issuer as iss has it; if its document says otherwise, it contradicts itself.`,
		},
		{
			name: "Supabase, shared secret", issuer: "https://abcdefgh.supabase.co/auth/v1", header: `{"alg":"HS256"}`,
			want: `warning trust_policy.algorithms: The sample's alg is "HS256", and such tokens are refused: whoever can check a shared secret can sign with it. Instead, let the project sign with an asymmetric key: JWT signing keys, in its settings.`,
		},
		{
			name: "Auth0, shared secret", issuer: "https://acme.eu.auth0.com/", header: `{"alg":"HS256"}`,
			want: `warning trust_policy.algorithms: The sample's alg is "HS256", and such tokens are refused: whoever can check a shared secret can sign with it. Instead, let the application sign with RS256: advanced settings, OAuth, JSON Web Token signature algorithm.`,
		},
		{
			name: "somebody else's name at the end", issuer: "https://not-auth0.com/", header: `{"alg":"none"}`,
			want: `warning trust_policy.algorithms: The sample's alg is "none": nobody signed it: let the issuer sign with a key pair, by RS256, ES256 or EdDSA.`,
		},
		{
			name:     "shared secrets alone",
			document: &trust.Document{Issuer: "https://idp.example.com", JWKSURL: "https://idp.example.com/keys", Algorithms: []string{"HS256", "HS512"}},
			want:     `warning trust_policy.algorithms: The issuer says that it signs with none but "HS256", "HS512". A shared secret proves nothing about who signed: let the issuer sign with a key pair, by RS256, ES256 or EdDSA.`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			source := proposal.Source{Vertical: countersign.Consumer, Document: row.document, Now: now}
			if row.header != "" {
				source.Token = sample(t, row.header, `{"iss":"`+row.issuer+`","aud":"countersign","jti":"t","exp":1767610800}`)
			}
			var got []string
			for _, note := range proposal.Make(source).Notes {
				got = append(got, string(note.Level)+" "+note.About+": "+note.Message)
			}
			if !slices.Contains(got, row.want) {
				t.Errorf("no such note: %s\nbut %s", row.want, strings.Join(got, "\n    "))
			}
		})
	}
}

// A proposal shows no claim's value but those of iss and aud, and no text that
// could turn a line around.
func FuzzMake(f *testing.F) {
	f.Add(`{"alg":"RS256"}`, "ada", "iss", "aud")
	f.Add(`{"alg":"\u202eHS256","typ":"dpop+jwt"}`, "a@b.example", "https://idp.example.com/", "\u202e")
	f.Fuzz(func(t *testing.T, header, value, iss, aud string) {
		const canary = "canary-canary-canary"
		text, err := json.Marshal(map[string]any{
			"iss": iss, "aud": []any{aud, "account"}, "email": canary + "@example.com", "sub": canary + value, "jti": canary + value, "sid": value,
			"groups": []any{canary + value}, "x/email": canary, "email_verified": canary, "exp": 7, "org_id": canary,
		})
		if err != nil {
			t.Skip("the text does not go into JSON")
		}
		b64 := base64.RawURLEncoding.EncodeToString
		token, err := trust.Unverified(b64([]byte(header)) + "." + b64(text) + ".AA")
		if err != nil || strings.Contains(header+iss+aud, "canary") {
			t.Skip("no token, or one that names the canary where it may be shown")
		}
		for _, vertical := range []countersign.Vertical{countersign.Consumer, countersign.B2B} {
			p := proposal.Make(proposal.Source{Vertical: vertical, Token: &token, Now: now})
			shown := []string{p.Name, p.Issuer, p.Audience, p.JWKSURL}
			for attribute, path := range p.Mapping {
				shown = append(shown, attribute, path)
				if !trust.Fits(attribute, token.Claims.Lookup(path)) {
					t.Errorf("%s is mapped to %s, which does not fit", attribute, path)
				}
			}
			for _, note := range p.Notes {
				shown = append(shown, note.Message)
				if strings.ContainsFunc(note.Message, func(r rune) bool { return r < ' ' || r > '~' && r != '…' }) {
					t.Errorf("note %q", note.Message)
				}
			}
			if slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, canary) }) {
				t.Errorf("shows a claim: %q", shown)
			}
		}
	})
}
